"""How what was seen moves: the track that a flight's latest looks make up to one of them."""

from collections import defaultdict
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from api.spreading import as_seen
from api.store.models import ObservationRow
from missions.geo import LatLon, distance_m
from vision.model import Observation
from vision.moving import LINE_S, Moved, told_of

SAME_M = 10.0
"""A track smooths its sightings: its place is no farther than this from the look it ends with."""


async def newest(session: AsyncSession, incident: str) -> ObservationRow | None:
    """Return the latest look at an incident."""
    query = select(ObservationRow).where(ObservationRow.incident == incident)
    return (await session.scalars(query.order_by(ObservationRow.seen_at.desc()).limit(1))).first()


async def moved(session: AsyncSession, look: ObservationRow) -> Moved | None:
    """Return the track that ends with a look of ours, None where it stands or its looks are too few."""
    row = ObservationRow
    query = select(row).where(
        row.sortie == look.sortie,
        row.drone == look.drone,
        row.hazard == look.hazard,
        row.seen_at.between(look.seen_at - timedelta(seconds=LINE_S), look.seen_at),
    )
    shown: defaultdict[datetime, list[Observation]] = defaultdict(list)
    for seen in await session.scalars(query.order_by(row.seen_at, row.id)):
        shown[seen.seen_at].append(as_seen(seen))
    there = LatLon(look.lat_deg, look.lon_deg)
    ends = [t for t in told_of(look.drone, list(shown.items())) if t.heading_deg is not None]
    ends = [t for t in ends if t.seen_at == look.seen_at and distance_m(t.place, there) <= SAME_M]
    return min(ends, key=lambda t: distance_m(t.place, there), default=None)
