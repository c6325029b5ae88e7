"""The ladder of an alert that nobody has taken in hand: begun, climbed a rung at a time, stopped.

One timer row is the next rung. Its transaction calls and sets the timer after it, so a kill between
the two is no gap; it reads the alert first, so nothing is called after an acknowledgement.
"""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from api.alerts import AlertState
from api.escalation import begins_at
from api.store import timers
from api.store.models import AlertRow
from api.store.tables.orders import TimerRow
from missions.model import Agency, Severity, Site

RUNG, UNSHELVE = "rung", "unshelve"

AFTER_SENDING = timedelta(seconds=1)
"""Where nobody is called at once the ladder is looked at a moment later: first everybody is told."""


async def begin(session: AsyncSession, alert: AlertRow, agency: Agency, site: Site, *, now: datetime) -> None:
    """Start the ladder of an alert that was just told; one under way begins anew."""
    if alert.revision > 1:
        await timers.cancel(session, alert.id, now=now)
    begun_at = begins_at(agency, Severity(alert.severity), now, site.timezone)
    facts = {"rung": 0, "revision": alert.revision, "begun_at": begun_at.isoformat()}
    calls_at_once = any(member.channels for member in agency.members)
    first = TimerRow(id=f"{alert.id}:{alert.version}:begin", kind=RUNG, subject=alert.id)
    first.due_at = begun_at if calls_at_once else begun_at + AFTER_SENDING
    first.set_at, first.facts = now, facts
    session.add(first)


async def stop(session: AsyncSession, alert_id: str, *, now: datetime) -> None:
    """Call nobody any more about an alert."""
    await timers.cancel(session, alert_id, now=now)


async def unshelve_at(session: AsyncSession, alert_id: str, at: datetime, *, now: datetime) -> None:
    """Let an alert come back from its shelf at a time."""
    await timers.set_timer(session, UNSHELVE, alert_id, due_at=at, now=now)


async def waiting_alert(session: AsyncSession, timer: TimerRow) -> AlertRow | None:
    """Lock and return the alert whose ladder a timer is, None where nobody needs to be called any more."""
    locked = select(AlertRow).where(AlertRow.id == timer.subject).with_for_update()
    row = await session.scalar(locked.execution_options(populate_existing=True))
    if row is None or not AlertState(row.state).waits or row.revision != timer.facts["revision"]:
        return None
    return row


async def set_next(
    session: AsyncSession, timer: TimerRow, *, rung: int, after_s: float, now: datetime
) -> None:
    """Set the timer of the next rung, counted from the beginning of the ladder."""
    facts: dict[str, Any] = {**timer.facts, "rung": rung}
    begun_at = datetime.fromisoformat(timer.facts["begun_at"])
    await timers.set_timer(
        session,
        RUNG,
        timer.subject,
        due_at=begun_at + timedelta(seconds=after_s),
        now=now,
        facts=facts,
        timer_id=f"{timer.id.rpartition(':')[0]}:{rung}",
    )
