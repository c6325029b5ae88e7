"""What agencies have released, counted and listed for everybody."""

from collections.abc import Sequence

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from api.store.models import IncidentRow
from api.store.tables.delivery import ReleaseRow
from api.store.tables.orders import OrderRow

_RELEASED = select(ReleaseRow.incident).where(ReleaseRow.withdrawn_at.is_(None))


async def released(session: AsyncSession, *, limit: int = 500) -> Sequence[IncidentRow]:
    """Return the incidents that somebody has released and nobody has taken back, the latest first."""
    query = select(IncidentRow).where(IncidentRow.id.in_(_RELEASED)).order_by(IncidentRow.opened_at.desc())
    return (await session.scalars(query.limit(limit))).all()


async def counts(session: AsyncSession) -> dict[str, dict[str, int]]:
    """Return released incidents by hazard and by state, and their orders by verdict."""
    found: dict[str, dict[str, int]] = {}
    for name, column in (("hazard", IncidentRow.hazard), ("state", IncidentRow.state)):
        query = select(column, func.count()).where(IncidentRow.id.in_(_RELEASED)).group_by(column)
        found[name] = {value: int(many) for value, many in await session.execute(query)}
    closed = select(OrderRow.verdict, func.count()).where(
        OrderRow.incident.in_(_RELEASED), OrderRow.verdict.is_not(None)
    )
    verdicts = await session.execute(closed.group_by(OrderRow.verdict))
    found["verdict"] = {str(value): int(many) for value, many in verdicts}
    return found
