"""Mutes as rows: who wants to hear nothing of what, where, and until when."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import bindparam, select
from sqlalchemy.ext.asyncio import AsyncSession

from api.errors import NotFound
from api.mutes import Mute
from api.store.tables.orders import MuteRow
from api.store.tenancy import owned
from api.store.tokens import Caller
from missions.geo import LatLon
from missions.model import Hazard

_MUTES = MuteRow.__table__.c
_ANY = (
    select(_MUTES.id).where(_MUTES.begins_at <= bindparam("now"), _MUTES.ends_at > bindparam("now")).limit(1)
)


async def active(session: AsyncSession, *, now: datetime) -> list[Mute]:
    """Return the mutes that hold at a time, of all agencies."""
    if await session.scalar(_ANY, {"now": now}) is None:
        return []
    query = select(MuteRow).where(MuteRow.begins_at <= now, MuteRow.ends_at > now)
    return [to_mute(row) for row in await session.scalars(query)]


async def mutes_of(session: AsyncSession, caller: Caller, *, now: datetime) -> Sequence[MuteRow]:
    """Return the mutes that have not ended yet and that the caller may see, those that end first first."""
    query = select(MuteRow).where(MuteRow.ends_at > now, owned(caller, MuteRow.agency))
    return (await session.scalars(query.order_by(MuteRow.ends_at, MuteRow.id))).all()


async def mute(session: AsyncSession, mute_id: str, caller: Caller) -> MuteRow:
    """Return one mute.

    Raises:
        NotFound: there is none, or it is not the caller's.
    """
    row = await session.get(MuteRow, mute_id, with_for_update=True)
    if row is None or not caller.may_see(row.agency):
        raise NotFound("mute", mute_id)
    return row


def to_mute(row: MuteRow) -> Mute:
    """Return a row as the value that decisions are made on."""
    place = LatLon(row.lat_deg, row.lon_deg) if row.lat_deg is not None and row.lon_deg is not None else None
    hazards = frozenset(Hazard(hazard) for hazard in row.hazards)
    return Mute(row.agency, hazards, row.begins_at, row.ends_at, place, row.radius_m)
