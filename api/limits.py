"""How much a caller may send: refused by its announced length, before anything is read.

The server holds a sender to the length it announced, so a request without one
is refused too.
"""

import re

from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from api.errors import TooLarge

SMALL = 64 * 1024
PICTURE = 11 * 2**20
_FROM_THE_GROUND = re.compile(r"/v1/orders/[^/]+/pictures|/v1/reports|/open311/v2/requests\.(xml|json)")
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

    def _most(self, path: str) -> int:
        if path == "/v1/frames":
            return self._frame_bytes
        return PICTURE if _FROM_THE_GROUND.fullmatch(path) else SMALL

    def _problem(self, scope: Scope) -> str | None:
        headers = dict(scope["headers"])
        most = self._most(scope["path"])
        length = headers.get(b"content-length", b"")
        if b"transfer-encoding" in headers and scope["method"] not in _BODILESS:
            return "send Content-Length: a body of unknown length is not taken"
        if length.isdigit() and int(length) > most:
            return f"the body has {int(length)} bytes, at most {most} are taken here"
        return None
