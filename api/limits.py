"""How much a caller may send: refused by its announced length, before anything is read.

The server holds a sender to the length it announced, so a request without one
is refused too.
"""

from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from api.errors import TooLarge

SMALL = 64 * 1024
_BODILESS = ("GET", "HEAD", "OPTIONS", "DELETE")


class BodyLimit:
    """Middleware: one limit for pictures, a small one for everything else."""

    def __init__(self, app: ASGIApp, *, frame_bytes: int) -> None:
        self._app = app
        self._frame_bytes = frame_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or (problem := self._problem(scope)) is None:
            await self._app(scope, receive, send)
            return
        answer = JSONResponse({"error": TooLarge.code, "message": problem}, status_code=413)
        await answer(scope, receive, send)

    def _problem(self, scope: Scope) -> str | None:
        headers = dict(scope["headers"])
        most = self._frame_bytes if scope["path"] == "/v1/frames" else SMALL
        length = headers.get(b"content-length", b"")
        if b"transfer-encoding" in headers and scope["method"] not in _BODILESS:
            return "send Content-Length: a body of unknown length is not taken"
        if length.isdigit() and int(length) > most:
            return f"the body has {int(length)} bytes, at most {most} are taken here"
        return None
