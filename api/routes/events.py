"""The event stream: what changed, in order and without gaps; telemetry beside it, as it comes.

Events carry the number of their row as id, so a browser that lost the line asks
for what it missed by `Last-Event-ID`. Telemetry has no id and is not repeated.
"""

import json
import re
from collections.abc import AsyncIterator
from typing import Annotated, Any

from fastapi import APIRouter, Header, Query
from sse_starlette import EventSourceResponse

from api.auth import Built, Watcher
from api.feed import Json, Listener
from api.services import Services
from api.store import events, tokens
from api.store.tenancy import hears
from api.store.tokens import Caller

router = APIRouter(tags=["events"])

POLL_S = 2.0
"""Another process may have written without our bell ringing."""

PING_S = 15
_NUMBER = re.compile(r"[0-9]{1,18}")

SEND_S = 30.0
"""A reader that takes nothing for this long has gone."""


@router.get("/events", response_class=EventSourceResponse)
async def stream(
    caller: Watcher,
    built: Built,
    last_event_id: Annotated[str | None, Header()] = None,
    after: Annotated[
        int | None, Query(ge=0, description="like Last-Event-ID, for a first connection")
    ] = None,
) -> EventSourceResponse:
    """Stream `sortie`, `dock`, `frame`, `incident` and `alert` rows as they change, and `telemetry`.

    Without Last-Event-ID the stream begins with what happens next. Whoever was away for longer than
    events are kept is told so by an event `gap` and reads what there is anew.
    """
    wanted = int(last_event_id) if last_event_id and _NUMBER.fullmatch(last_event_id) else after
    async with built.database.read() as session:
        oldest, newest = await events.first(session), await events.last(session)
    begin = newest if wanted is None else min(wanted, newest)
    missed = wanted is not None and begin + 1 < oldest
    return EventSourceResponse(_stream(built, caller, begin, missed), ping=PING_S, send_timeout=SEND_S)


async def _stream(built: Services, caller: Caller, seq: int, missed: bool) -> AsyncIterator[dict[str, Any]]:
    if missed:
        yield {"event": "gap", "data": _text({"after": seq})}
    with built.feed.listen() as listener:
        while not built.feed.is_closed:
            async with built.database.read() as session:
                if not await tokens.is_valid(session, caller, now=built.clock.now()):
                    return
                rows = await events.after(session, seq)
                heard = [(r, await events.as_told(session, caller, r)) for r in rows if hears(caller, r)]
            seq = rows[-1].seq if rows else seq
            for row, data in heard:
                yield {"id": str(row.seq), "event": row.kind, "data": _text(data)}
            for message in _telemetry(caller, listener):
                yield message
            if not rows:
                await listener.wait(POLL_S)


def _telemetry(caller: Caller, listener: Listener) -> list[dict[str, Any]]:
    pushed = [listener.pushed.popleft() for _ in range(len(listener.pushed))]
    if not caller.is_operator:
        return []
    return [{"event": kind, "data": _text(_as_row(value))} for kind, value in pushed]


def _as_row(heard: Json) -> dict[str, Any]:
    """Return what a drone said of itself under the names its row has, to be laid over that row."""
    return {**heard, "id": heard["drone"], "updated_at": heard["at"]}


def _text(value: Json) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
