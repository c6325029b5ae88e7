"""One holder at a time of a role that must not be played twice, such as the coordinator.

The fence is a number that grows whenever the role changes hands: a holder that
was away (stopped, paged out) and comes back after its lease ran out finds a
greater one and steps down instead of acting on what it remembers.
"""

from datetime import datetime, timedelta

from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncSession

from api.errors import Conflict
from api.store.models import LeaseRow
from api.store.rows import insert_once


async def take(session: AsyncSession, name: str, holder: str, *, now: datetime, ttl_s: float) -> int | None:
    """Return the fence when the holder now has the lease (again), None while another has it.

    `now` must come from one clock for all holders.
    """
    until_at = now + timedelta(seconds=ttl_s)
    if await insert_once(session, LeaseRow, name=name, holder=holder, fence=1, until_at=until_at):
        return 1
    row = await session.get(LeaseRow, name, with_for_update=True, populate_existing=True)
    if row is None or (row.holder != holder and row.until_at > now):
        return None
    if row.holder != holder:
        row.holder, row.fence = holder, row.fence + 1
    row.until_at = until_at
    return row.fence


async def check(session: AsyncSession, name: str, fence: int) -> None:
    """Hold the lease still until the caller's transaction ends.

    Raises:
        Conflict: the role has changed hands since.
    """
    row = await session.get(LeaseRow, name, with_for_update=True, populate_existing=True)
    if row is None or row.fence != fence:
        raise Conflict(f"{name}: another holder has taken over")


async def give_up(session: AsyncSession, name: str, holder: str, *, now: datetime) -> None:
    """Let the next holder take over at once."""
    mine = (LeaseRow.name == name, LeaseRow.holder == holder)
    await session.execute(update(LeaseRow).where(*mine).values(until_at=now))
