"""What was looked at: the ground each searched picture showed, and what a place looked like last."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import shapely
from shapely.geometry import Polygon
from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from api.analysis import Analysis, ring_to_json
from api.shapes import ellipse_ring
from api.store.models import FrameRow
from api.store.tables.witnesses import LookRow
from missions.geo import LatLon
from missions.model import Hazard
from vision.model import Ellipse, Observation
from vision.tangent import Tangent
from vision.witnesses.joining import are_kin

# A look joins the one before it in telling of one visit when no more than this lies between them.
VISIT = timedelta(minutes=10)
LOOKED_WITHIN = timedelta(hours=24)
WHOLE = 0.95


@dataclass(frozen=True, slots=True)
class Visit:
    """What the last visit to a place showed: how much of it, until when, with what, and whether anything."""

    at: datetime
    share: float
    sensor: str
    drone: str
    looks: int
    is_clean: bool


async def keep_look(session: AsyncSession, frame: FrameRow, analysis: Analysis) -> None:
    """Keep the ground a picture showed; one that could not be searched or placed shows none."""
    ring = analysis.footprint
    if analysis.skipped or not ring:
        return
    lats, lons = [p.lat_deg for p in ring], [p.lon_deg for p in ring]
    session.add(
        LookRow(
            frame=frame.id,
            drone=frame.drone,
            sortie=frame.sortie,
            sensor=frame.sensor,
            taken_at=frame.taken_at,
            gsd_m=analysis.gsd_m,
            hazards=sorted(analysis.searched),
            found=[_found(o) for o in analysis.observations if o.hazard is not Hazard.HOT_SPOT],
            south_deg=min(lats),
            west_deg=min(lons),
            north_deg=max(lats),
            east_deg=max(lons),
            footprint=ring_to_json(ring),
        )
    )


async def looks(
    session: AsyncSession,
    *,
    since: datetime | None = None,
    until: datetime | None = None,
    bounds: tuple[float, float, float, float] | None = None,
    sorties: Sequence[str] | None = None,
    hazards_searched: bool = True,
) -> Sequence[LookRow]:
    """Return looks, oldest first; `bounds` is a box (west, south, east, north) that they may show."""
    query = select(LookRow).order_by(LookRow.taken_at, LookRow.frame)
    if since is not None:
        query = query.where(LookRow.taken_at >= since)
    if until is not None:
        query = query.where(LookRow.taken_at <= until)
    if bounds is not None:
        west, south, east, north = bounds
        query = query.where(LookRow.south_deg <= north, LookRow.north_deg >= south)
        query = query.where(LookRow.west_deg <= east, LookRow.east_deg >= west)
    if sorties is not None:
        query = query.where(LookRow.sortie.in_(sorties))
    found = (await session.scalars(query)).all()
    return [row for row in found if row.hazards] if hazards_searched else found


async def last_visit(
    session: AsyncSession, place: LatLon, ellipse: Ellipse, hazard: Hazard, *, before: datetime
) -> Visit | None:
    """Return what the last visit before a time showed of where a hazard may be; None when nobody looked."""
    ring = ellipse_ring(place, ellipse)
    lats, lons = [p.lat_deg for p in ring], [p.lon_deg for p in ring]
    rows = await looks(
        session,
        since=before - LOOKED_WITHIN,
        until=before,
        bounds=(min(lons), min(lats), max(lons), max(lats)),
    )
    return visit(place, ellipse, hazard, rows)


def visit(place: LatLon, ellipse: Ellipse, hazard: Hazard, rows: Sequence[LookRow]) -> Visit | None:
    """Return what the last of several looks, and those shortly before it, showed of a place."""
    searched = [row for row in rows if any(are_kin(Hazard(h), hazard) for h in row.hazards)]
    level = Tangent(place, 0.0)
    target = _polygon(level, [[p.lon_deg, p.lat_deg] for p in ellipse_ring(place, ellipse)])
    shown: list[tuple[LookRow, Any]] = []
    for row in reversed(searched):
        if shown and shown[0][0].taken_at - row.taken_at > VISIT:
            break
        part = _polygon(level, row.footprint).intersection(target)
        if not part.is_empty:
            shown.append((row, part))
    if not shown:
        return None
    last = shown[0][0]
    return Visit(
        at=last.taken_at,
        share=min(1.0, float(shapely.union_all([part for _, part in shown]).area / target.area)),
        sensor=last.sensor,
        drone=last.drone,
        looks=len(shown),
        is_clean=not any(_lies_on(found, hazard, target, level) for row, _ in shown for found in row.found),
    )


async def forget(session: AsyncSession, *, before: datetime) -> None:
    """Delete looks older than a time; pictures and what was found in them stay."""
    await session.execute(delete(LookRow).where(LookRow.taken_at < before))


def _found(seen: Observation) -> dict[str, Any]:
    return {
        "hazard": seen.hazard.value,
        "lat_deg": seen.place.lat_deg,
        "lon_deg": seen.place.lon_deg,
        "within_m": round(seen.ellipse.major_m, 1),
    }


def _lies_on(found: Mapping[str, Any], hazard: Hazard, target: Polygon, level: Tangent) -> bool:
    """Return whether a thing found is of the hazard and may lie where it was sought."""
    if not are_kin(Hazard(found["hazard"]), hazard):
        return False
    east, north, _ = level.local(found["lat_deg"], found["lon_deg"], 0.0)
    return float(target.distance(shapely.Point(east, north))) <= float(found["within_m"])


def _polygon(level: Tangent, ring: Sequence[Sequence[float]]) -> Polygon:
    corners = np.asarray(ring, dtype=float)
    return Polygon(level.local(corners[:, 1], corners[:, 0], 0.0)[:, :2]).buffer(0)
