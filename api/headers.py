"""What every answer tells a browser: what the page may do, who may frame it, what may be kept.

The page fetches from us alone. MapLibre starts its workers from blobs, makes
pictures of its own and sets styles on its elements; scripts come from our files
only, so text that slips into the page cannot run.
"""

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "worker-src 'self' blob:",
        "child-src 'self' blob:",
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' blob: data:",
        "font-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
ALWAYS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
}


class SafeHeaders:
    """Middleware: adds what an answer does not say itself.

    What the API tells is the caller's alone and is kept nowhere unless its route
    says so; the page's first file is asked for anew each time, because it names
    the others.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def told(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in {**ALWAYS, "Cache-Control": _kept(scope["path"])}.items():
                    headers.setdefault(name, value)
            await send(message)

        await self._app(scope, receive, told if scope["type"] == "http" else send)


def _kept(path: str) -> str:
    return "no-store" if path.startswith(("/v1/", "/ogc", "/stac")) else "no-cache"
