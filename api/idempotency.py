"""The same POST twice is done once: what a request with an Idempotency-Key was answered is kept for a day.

A key counts for one caller and one path; strangers' keys count with what they say, since nobody knows
one from another. The same key with another body is refused, and so is a repeat while the first is still
under way. A failure of ours (5xx) is not kept, so that trying again tries again, nor is a session; what is
kept may hold a secret and is sealed. Where a crash leaves it open whether the work was
done, the work is asked for again after a minute, and the ids of what it creates follow from the key
(`creation_id`).
"""

import hashlib
from datetime import timedelta
from http.cookies import SimpleCookie
from typing import Any
from uuid import NAMESPACE_URL, uuid4, uuid5

from fastapi import Request
from sqlalchemy import delete
from starlette.datastructures import Headers
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.auth import COOKIE
from api.errors import BadRequest, Conflict
from api.services import Services
from api.store import tokens
from api.store.rows import insert_once
from api.store.tables.orders import AnsweredRow

LONGEST_KEY = 200
MOST_BYTES = 12 * 2**20
"""Larger bodies (pictures from gateways) pass by: their own id makes them safe to repeat."""

ABANDONED = timedelta(seconds=60)
KEPT = timedelta(hours=24)
_STATE = "gridpatrol.idempotency"


def creation_id(request: Request) -> str:
    """Return the id of what a request creates: the same for the same key of the same caller."""
    key = request.scope.get(_STATE)
    return uuid5(NAMESPACE_URL, f"urn:gridpatrol:key:{key}").hex if key else uuid4().hex


def described(document: dict[str, Any]) -> dict[str, Any]:
    """Return an OpenAPI document in which every POST names the header."""
    header = {
        "name": "Idempotency-Key",
        "in": "header",
        "required": False,
        "description": "the same key again is answered as it was first, and nothing is done twice",
        "schema": {"type": "string", "minLength": 1, "maxLength": LONGEST_KEY, "pattern": "^[ -~]+$"},
    }
    for methods in document["paths"].values():
        if "post" in methods and header not in methods["post"].setdefault("parameters", []):
            methods["post"]["parameters"].append(header)
    return document


class Idempotency:
    """Middleware: answers a repeated POST as it was answered first."""

    def __init__(self, app: ASGIApp, *, services: Services) -> None:
        self._app = app
        self._services = services

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = Headers(scope=scope) if scope["type"] == "http" else Headers()
        key = headers.get("idempotency-key")
        length = headers.get("content-length", "0")
        if key is None or scope["method"] != "POST" or (length.isdigit() and int(length) > MOST_BYTES):
            await self._app(scope, receive, send)
            return
        answer = await self._answer(scope, headers, key, receive)
        await answer(scope, receive, send)

    async def _answer(self, scope: Scope, headers: Headers, key: str, receive: Receive) -> Response | ASGIApp:
        if not 0 < len(key) <= LONGEST_KEY:
            return _refused(422, BadRequest.code, f"an Idempotency-Key has 1 to {LONGEST_KEY} characters")
        token = _token(headers)
        if token is not None and not await self._is_known(token):
            return self._app  # it refuses by itself
        body = await _whole(receive)
        asked = hashlib.sha256(body).hexdigest()
        name = _sha256("\n".join((token or f"anonymous {asked}", scope["path"], key)))
        kept = await self._begin(name, asked)
        if kept is None:
            return await self._run(scope, body, name)
        if kept.asked_sha256 != asked:
            return _refused(422, BadRequest.code, "this Idempotency-Key was used for another body before")
        if kept.status is None:
            return _refused(409, Conflict.code, "the same request is still being answered: ask again soon")
        said = self._services.seal.open((kept.body or b"").decode())
        again = Response(said.encode("latin-1"), status_code=kept.status)
        again.raw_headers = [(k.encode(), v.encode()) for k, v in kept.headers or []]
        again.headers["Idempotent-Replayed"] = "true"
        return again

    async def _is_known(self, token: str) -> bool:
        async with self._services.database.read() as session:
            return await tokens.find(session, token, now=self._services.clock.now()) is not None

    async def _begin(self, name: str, asked: str) -> AnsweredRow | None:
        """Return what was answered, or None when the answer is now the caller's to make."""
        now = self._services.clock.now()
        async with self._services.database.write() as session:
            if await insert_once(session, AnsweredRow, id=name, asked_sha256=asked, asked_at=now):
                return None
            row = await session.get_one(AnsweredRow, name)
            abandoned = now - row.asked_at > ABANDONED * self._services.clock.speed
            if row.status is None and row.asked_sha256 == asked and abandoned:
                row.asked_at = now
                return None
            return row

    async def _run(self, scope: Scope, body: bytes, name: str) -> Response:
        parts: list[Message] = []

        async def receive() -> Message:
            return {"type": "http.request", "body": body, "more_body": False}

        async def keep(message: Message) -> None:
            parts.append(message)

        try:
            await self._app({**scope, _STATE: name}, receive, keep)
        except BaseException:
            await self._forget(name)
            raise
        begin = parts[0]
        said = b"".join(part.get("body", b"") for part in parts[1:])
        answer = Response(said, status_code=begin["status"])
        answer.raw_headers = list(begin["headers"])
        is_session = any(header == b"set-cookie" for header, _ in begin["headers"])
        if begin["status"] >= 500 or begin["status"] in (401, 429) or is_session:
            await self._forget(name)
            return answer
        async with self._services.database.write() as session:
            row = await session.get(AnsweredRow, name)
            if row is not None:
                sealed = self._services.seal.shut(said.decode("latin-1"))
                row.status, row.body = begin["status"], sealed.encode()
                row.headers = [[k.decode("latin-1"), v.decode("latin-1")] for k, v in begin["headers"]]
        return answer

    async def _forget(self, name: str) -> None:
        async with self._services.database.write() as session:
            await session.execute(delete(AnsweredRow).where(AnsweredRow.id == name))


async def _whole(receive: Receive) -> bytes:
    body, more = b"", True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    return body


def _token(headers: Headers) -> str | None:
    """Return the token of a request, from its header or its session cookie."""
    scheme, _, value = headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer" and value:
        return value
    cookie = SimpleCookie(headers.get("cookie", "")).get(COOKIE)
    return cookie.value if cookie else None


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _refused(status: int, code: str, message: str) -> Response:
    return JSONResponse({"error": code, "message": message}, status_code=status)
