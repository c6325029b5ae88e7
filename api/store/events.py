"""The durable sequence behind the event stream: what changed, in order, and who may hear it."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import delete, func, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from api import views
from api.discretion import is_rough
from api.store.models import EventRow, IncidentRow
from api.store.rows import Columns, insert_many
from api.store.tenancy import as_heard
from api.store.tokens import Caller

_APPENDING = 7177002


async def append(
    session: AsyncSession, kind: str, data: Mapping[str, Any], *, now: datetime, agencies: Sequence[str] = ()
) -> None:
    """Add an event; it becomes visible when the caller's transaction does.

    PostgreSQL hands out sequence numbers before commit, so a reader could pass
    7 while 6 is still being written and never see it. Appenders therefore take
    turns from here to their commit; SQLite has one writer at a time anyway.
    """
    await _take_turn(session)
    session.add(EventRow(kind=kind, data=dict(data), agencies=list(agencies), at=now))


async def append_all(
    session: AsyncSession,
    kind: str,
    many: Iterable[tuple[Mapping[str, Any], Sequence[str]]],
    *,
    now: datetime,
) -> None:
    """Add many events of one kind, each with the agencies that may hear it, in one statement."""
    told = list(many)
    if not told:
        return
    await _take_turn(session)
    columns: Columns = {
        "kind": [kind] * len(told),
        "data": [dict(data) for data, _ in told],
        "agencies": [list(agencies) for _, agencies in told],
        "at": [now] * len(told),
    }
    await insert_many(session, EventRow, columns)


async def after(session: AsyncSession, seq: int, *, limit: int = 200) -> Sequence[EventRow]:
    """Return the events that follow a number, oldest first."""
    query = select(EventRow).where(EventRow.seq > seq).order_by(EventRow.seq).limit(limit)
    return (await session.scalars(query)).all()


async def as_told(session: AsyncSession, caller: Caller, event: EventRow) -> Mapping[str, Any]:
    """Return what an event says to a caller that may hear it.

    Events are kept with rough places; who knows better is told where the incident now is.
    """
    heard, hazard = as_heard(caller, event), event.data.get("hazard", "")
    if event.kind != "incident" or not is_rough(hazard) or is_rough(hazard, caller.knows):
        return heard
    row = await session.get(IncidentRow, heard["id"])
    return {**heard, **views.exact(row, caller.knows)} if row else heard


async def last(session: AsyncSession) -> int:
    """Return the number of the latest event, 0 before the first."""
    return await session.scalar(select(func.max(EventRow.seq))) or 0


async def first(session: AsyncSession) -> int:
    """Return the number of the oldest event that is still kept, 0 where there is none."""
    return await session.scalar(select(func.min(EventRow.seq))) or 0


async def forget(session: AsyncSession, *, before: datetime) -> None:
    """Delete events older than a time; whoever was away longer reloads the page."""
    await session.execute(delete(EventRow).where(EventRow.at < before))


async def _take_turn(session: AsyncSession) -> None:
    if session.get_bind().dialect.name == "postgresql":
        await session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _APPENDING})
