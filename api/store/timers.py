"""Timers as rows: they outlive every process, fire once, and not after they were cancelled.

Whoever fires a timer first locks what it is about, then claims the timer; whoever
cancels does it in the same order. So of an acknowledgement and an escalation at the
same moment one comes first and the other sees it.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import uuid4

from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from api.store.rows import insert_once
from api.store.tables.orders import TimerRow

_WAITS = (TimerRow.fired_at.is_(None), TimerRow.cancelled_at.is_(None))

# Asked at every commit, so of the table itself and made once.
_TIMERS = TimerRow.__table__.c
_NEXT = select(func.min(_TIMERS.due_at)).where(_TIMERS.fired_at.is_(None), _TIMERS.cancelled_at.is_(None))


async def set_timer(
    session: AsyncSession,
    kind: str,
    subject: str,
    *,
    due_at: datetime,
    now: datetime,
    facts: Mapping[str, Any] | None = None,
    timer_id: str | None = None,
) -> None:
    """Let something happen at a time; with an id of the caller's own, once however often it is asked."""
    values = {"kind": kind, "subject": subject, "due_at": due_at, "set_at": now, "facts": dict(facts or {})}
    await insert_once(session, TimerRow, id=timer_id or uuid4().hex, **values)


async def cancel(
    session: AsyncSession, subject: str, *, now: datetime, kinds: Iterable[str] | None = None
) -> None:
    """Let nothing happen any more that was set for a subject."""
    waiting = update(TimerRow).where(TimerRow.subject == subject, *_WAITS)
    if kinds is not None:
        waiting = waiting.where(TimerRow.kind.in_(list(kinds)))
    await session.execute(waiting.values(cancelled_at=now).execution_options(synchronize_session=False))


async def due(session: AsyncSession, *, now: datetime, limit: int) -> Sequence[TimerRow]:
    """Return timers that are due, the most overdue first. Nothing is claimed yet."""
    query = select(TimerRow).where(*_WAITS, TimerRow.due_at <= now).order_by(TimerRow.due_at).limit(limit)
    return (await session.scalars(query)).all()


async def claim(session: AsyncSession, timer: TimerRow, *, now: datetime, outcome: str) -> bool:
    """Mark a timer as fired; return False when it was fired or cancelled meanwhile."""
    mine = update(TimerRow).where(TimerRow.id == timer.id, *_WAITS)
    claimed = mine.values(fired_at=now, outcome=outcome).returning(TimerRow.id)
    done = claimed.execution_options(synchronize_session=False)
    return (await session.execute(done)).first() is not None


async def next_due(session: AsyncSession) -> datetime | None:
    """Return when the next timer is due, None when none waits."""
    due_at: datetime | None = await session.scalar(_NEXT)
    return due_at
