"""Mutes as rows: who wants to hear nothing of what, where, and until when."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import bindparam, select, union_all
from sqlalchemy.ext.asyncio import AsyncSession

from api.errors import NotFound
from api.mutes import Mute
from api.store.tables.orders import MuteRow
from api.store.tables.witnesses import KnownSourceRow
from api.store.tenancy import owned
from api.store.tokens import Caller
from missions.geo import LatLon
from missions.model import Hazard

_MUTES, _MASKS = MuteRow.__table__.c, KnownSourceRow.__table__.c
_MASKED = (_MASKS.agency.is_not(None), _MASKS.until_at > bindparam("now"))
_ANY = union_all(
    select(_MUTES.id).where(_MUTES.begins_at <= bindparam("now"), _MUTES.ends_at > bindparam("now")),
    select(_MASKS.id).where(*_MASKED),
).limit(1)

HEAT = frozenset({Hazard.FIRE, Hazard.SMOKE, Hazard.HOT_SPOT, Hazard.BURNING})
"""What is not told of at a place that an agency has masked as known heat."""


async def active(session: AsyncSession, *, now: datetime) -> list[Mute]:
    """Return the mutes that hold at a time, of all agencies; a mask of known heat is one of its agency."""
    if await session.scalar(_ANY, {"now": now}) is None:
        return []
    query = select(MuteRow).where(MuteRow.begins_at <= now, MuteRow.ends_at > now)
    mutes = [to_mute(row) for row in await session.scalars(query)]
    masks = await session.scalars(select(KnownSourceRow).where(*_MASKED), {"now": now})
    return mutes + [_as_mute(row, now) for row in masks]


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


def _as_mute(row: KnownSourceRow, now: datetime) -> Mute:
    place = LatLon(row.lat_deg, row.lon_deg)
    return Mute(str(row.agency), HEAT, now, row.until_at or now, place, row.radius_m, row.largest_m2)


def to_mute(row: MuteRow) -> Mute:
    """Return a row as the value that decisions are made on."""
    place = LatLon(row.lat_deg, row.lon_deg) if row.lat_deg is not None and row.lon_deg is not None else None
    hazards = frozenset(Hazard(hazard) for hazard in row.hazards)
    return Mute(row.agency, hazards, row.begins_at, row.ends_at, place, row.radius_m)
