"""What people found where a detector had seen something: closed orders with the looks that led to them."""

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from api.store.models import DetectionRow, FrameRow, ObservationRow
from api.store.tables.orders import OrderRow
from api.store.tables.witnesses import KnownSourceRow
from api.store.tenancy import owned
from api.store.tokens import Caller
from api.verdicts import Judged

MOST = 100_000


async def judged(session: AsyncSession, caller: Caller) -> list[Judged]:
    """Return each look at incidents whose orders were closed with a verdict, oldest first."""
    query = (
        select(ObservationRow, FrameRow, OrderRow, KnownSourceRow)
        .join(FrameRow, FrameRow.id == ObservationRow.frame)
        .join(OrderRow, OrderRow.incident == ObservationRow.incident)
        .outerjoin(KnownSourceRow, KnownSourceRow.id == "order-" + OrderRow.id)
        .where(OrderRow.verdict.is_not(None), OrderRow.state.in_(("closed", "rated")))
        .where(owned(caller, OrderRow.agency))
        .order_by(ObservationRow.seen_at, ObservationRow.id, OrderRow.id)
        .limit(MOST)
    )
    return [Judged(*row) for row in await session.execute(query)]


def is_of(found: DetectionRow, look: ObservationRow) -> bool:
    """Return whether a detection is the one that an observation put on the ground."""
    same = (found.hazard, found.detector, found.confidence) == (look.hazard, look.detector, look.confidence)
    return same and found.frame == look.frame
