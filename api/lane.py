"""The short way in for what comes by the hundreds a second: `POST /v1/observations` of a known gateway.

The framework's way of a request costs more than all that is done with an observation. So a plain
request (bearer token, JSON in ASCII without escapes, no Idempotency-Key) by a key that this process has
seen to count before is read and answered here; whatever is not so, and every refusal, goes the route's way
(`routes/observations.py`), which is also where both are described. Whether the key still counts is asked
anew for each request, in the transaction that keeps the observation.
"""

from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError
from pydantic_core import to_json
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.errors import Forbidden, NotFound, Unauthenticated
from api.headers import ALWAYS
from api.limits import SMALL
from api.observing import Key, Observing
from api.plain import can_hold_unsayable
from api.routes.observations import seen_in, taken
from api.schemas_work import ObservationIn

PATH = "/v1/observations"
SCOPE = "observations:write"
MOST_KEYS = 1_000

_HEADERS = [
    (b"content-type", b"application/json"),
    *((name.lower().encode(), value.encode()) for name, value in ALWAYS.items()),
    (b"cache-control", b"no-store"),
]


class KnownKeys:
    """The tokens that this process last saw hand observations in; each is asked for again every time."""

    def __init__(self) -> None:
        self._tokens: OrderedDict[str, None] = OrderedDict()

    def __contains__(self, token: str) -> bool:
        return token in self._tokens

    def remember(self, token: str) -> None:
        """Know a token that counted just now; the one longest unseen is forgotten for it."""
        self._tokens[token] = None
        self._tokens.move_to_end(token)
        if len(self._tokens) > MOST_KEYS:
            self._tokens.popitem(last=False)

    def forget(self, token: str) -> None:
        self._tokens.pop(token, None)


class Lane:
    """Middleware: takes plain observations in by itself and lets everything else pass."""

    def __init__(self, app: ASGIApp, *, observing: Observing, keys: KnownKeys) -> None:
        self._app, self._observing, self._keys = app, observing, keys

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] != PATH or scope["method"] != "POST":
            await self._app(scope, receive, send)
            return
        token = _token(dict(scope["headers"]))
        if token is None or token not in self._keys:
            await self._app(scope, receive, send)
            return
        heard = await _heard(receive)
        answer = await self._answer(token, heard)
        if answer is None:
            await self._app(scope, _again(heard, receive), send)
            return
        status, body = answer
        length = (b"content-length", str(len(body)).encode())
        await send({"type": "http.response.start", "status": status, "headers": [*_HEADERS, length]})
        await send({"type": "http.response.body", "body": body})

    async def _answer(self, token: str, heard: list[Message]) -> tuple[int, bytes] | None:
        """Return status and body; None for what is to be worded by the route."""
        body = b"".join(message.get("body", b"") for message in heard)
        if heard[-1]["type"] != "http.request" or can_hold_unsayable(body):
            return None
        try:
            told = ObservationIn.model_validate_json(body)
            outcome = await self._observing.take_in(seen_in(told), Key(token, SCOPE))
        except (ValidationError, NotFound):
            return None
        except (Unauthenticated, Forbidden):
            self._keys.forget(token)
            return None
        return 200 if outcome.was_known else 201, to_json(taken(told.id, outcome))


def _token(headers: Mapping[bytes, bytes]) -> str | None:
    """Return the bearer token of a plain request; None where something about it is unusual."""
    length = headers.get(b"content-length", b"")
    is_plain = (
        length.isdigit()
        and int(length) <= SMALL
        and headers.get(b"content-type") == b"application/json"
        and b"idempotency-key" not in headers
        and b"transfer-encoding" not in headers
    )
    kind, _, token = headers.get(b"authorization", b"").partition(b" ")
    return token.decode("latin-1") if is_plain and kind.lower() == b"bearer" and token else None


async def _heard(receive: Receive) -> list[Message]:
    """Return all messages of a request's body, or those before its sender went away."""
    heard = [await receive()]
    while heard[-1]["type"] == "http.request" and heard[-1].get("more_body", False):
        heard.append(await receive())
    return heard


def _again(heard: list[Message], receive: Receive) -> Receive:
    """Return a way to hear once more what was heard already."""
    waiting = iter(heard)

    async def hear() -> Message:
        known: Any = next(waiting, None)
        return known if known is not None else await receive()

    return hear
