"""Masks as rows: known hot places that an agency set after a verdict, among those the site's lists name."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from api.errors import NotFound
from api.store.models import IncidentRow
from api.store.tables.orders import OrderRow
from api.store.tables.witnesses import KnownSourceRow
from api.store.tenancy import owned
from api.store.tokens import Caller


async def keep(
    session: AsyncSession,
    order: OrderRow,
    incident: IncidentRow,
    caller: Caller,
    name: str,
    radius_m: float,
    until_at: datetime,
) -> KnownSourceRow:
    """Return the mask of an order, one for each: set again it is changed."""
    row = KnownSourceRow(
        id=_id(order),
        agency=order.agency,
        name=name,
        lat_deg=incident.lat_deg,
        lon_deg=incident.lon_deg,
        radius_m=radius_m,
        owner=caller.name,
        until_at=until_at,
        largest_m2=incident.area_m2,
    )
    return await session.merge(row)


async def of_order(session: AsyncSession, order: OrderRow) -> KnownSourceRow | None:
    """Return the mask that was set after an order, None while there is none."""
    return await session.get(KnownSourceRow, _id(order))


async def masks_of(session: AsyncSession, caller: Caller, *, now: datetime) -> Sequence[KnownSourceRow]:
    """Return the masks that hold and that a caller may see, those that end first first."""
    holds = or_(KnownSourceRow.until_at.is_(None), KnownSourceRow.until_at > now)
    query = select(KnownSourceRow).where(holds, owned(caller, KnownSourceRow.agency))
    return (await session.scalars(query.order_by(KnownSourceRow.until_at, KnownSourceRow.id))).all()


async def mask(session: AsyncSession, mask_id: str, caller: Caller, *, now: datetime) -> KnownSourceRow:
    """Return one mask that holds.

    Raises:
        NotFound: there is none, or it is not the caller's.
    """
    row = next((row for row in await masks_of(session, caller, now=now) if row.id == mask_id), None)
    if row is None:
        raise NotFound("mask", mask_id)
    return row


def _id(order: OrderRow) -> str:
    return f"order-{order.id}"
