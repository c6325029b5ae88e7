"""No-fly volumes and obstacles of one site, as shapes in local metres with the heights they are shut at.

Volumes without floor and ceiling are walls: ways go round them. The others, and masts and wires, can
also be passed over or under, whichever takes less.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import shapely
from shapely.geometry import LineString, Point
from shapely.geometry.base import BaseGeometry

from missions.geo import Floats, LocalFrame
from missions.model import NoFly, Obstacle, Site
from missions.terrain import Terrain

# How far a way stays from a no-fly zone: GPS drift and the swing through a corner.
ZONE_MARGIN_M = 20.0

# How far below a floor or above a ceiling: barometers drift, and gusts lift.
HEIGHT_MARGIN_M = 15.0

# The camera is off this far around no-photo ground: where a drone is, and where it thinks it is, differ.
BLIND_MARGIN_M = 15.0

# Shapes with more corners than this are made simpler, outwards: a way looks round every corner.
MOST_CORNERS = 60
SIMPLER_M = 2.0

DAY_S = 86_400.0

Hours = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Volume:
    """A shape grown by its margin, shut from `low_m` to `high_m` above mean sea level, margins counted."""

    id: str
    shape: BaseGeometry
    low_m: float = -np.inf
    high_m: float = np.inf

    @property
    def is_wall(self) -> bool:
        """Whether it is shut at all heights."""
        return bool(np.isneginf(self.low_m) and np.isposinf(self.high_m))


def volumes_of(
    site: Site, terrain: Terrain, frame: LocalFrame, *, top_m: float, hours: Hours | None
) -> tuple[Volume, ...]:
    """Return what is shut at some time of the hours (any time when None) up to the height flown at."""
    zones = [
        _zone(z, frame)
        for z in site.no_fly
        if (z.floor_m is None or z.floor_m <= top_m) and is_shut(z, hours)
    ]
    return (*zones, *(v for o in site.obstacles for v in _obstacle(o, terrain, frame)))


def docks_in_zones(site: Site) -> tuple[tuple[str, str], ...]:
    """Return (dock, zone) of each dock that lies in or too near to a no-fly zone that reaches the ground."""
    frame = LocalFrame(site.origin)
    docks = [(dock.id, Point(frame.to_local(dock.place))) for dock in site.docks]
    zones = [(z.id, _zone(z, frame).shape) for z in site.no_fly if z.floor_m is None]
    return tuple((dock, zone) for dock, place in docks for zone, shape in zones if shape.contains(place))


def no_photo_of(site: Site, frame: LocalFrame) -> BaseGeometry:
    """Return the ground over which the camera is off, with its margin."""
    ground = shapely.union_all([frame.polygon(each.area).buffer(BLIND_MARGIN_M) for each in site.no_photo])
    shapely.prepare(ground)
    return ground


def is_shut(zone: NoFly, hours: Hours | None) -> bool:
    """Return whether a zone is shut at some time of the hours."""
    return zone.hours is None or hours is None or any(overlap_s(hours, part) > 0 for part in _parts(zone))


def is_shut_always(zone: NoFly, hours: Hours) -> bool:
    """Return whether a zone is shut all through the hours."""
    if zone.hours is None:
        return True
    return sum(max(0.0, overlap_s(hours, part)) for part in _parts(zone)) >= hours[1] - hours[0]


def overlap_s(a: Hours, b: Hours) -> float:
    """Return how long two stretches of the day run together; below zero when they are apart."""
    return min(a[1], b[1]) - max(a[0], b[0])


def spans(hours: Hours) -> tuple[Hours, ...]:
    """Return hours that may run past midnight as stretches of one day and of the next."""
    begin, end = hours
    if begin < end:
        return ((begin, end), (begin + DAY_S, end + DAY_S))
    return ((0.0, end), (begin, end + DAY_S), (begin + DAY_S, end + 2 * DAY_S))


def _parts(zone: NoFly) -> tuple[Hours, ...]:
    return spans(zone.hours) if zone.hours is not None else ()


def _zone(zone: NoFly, frame: LocalFrame) -> Volume:
    low_m = -np.inf if zone.floor_m is None else zone.floor_m - HEIGHT_MARGIN_M
    high_m = np.inf if zone.ceiling_m is None else zone.ceiling_m + HEIGHT_MARGIN_M
    return Volume(zone.id, simpler(grown(frame.polygon(zone.area))), float(low_m), float(high_m))


def grown(shape: BaseGeometry) -> BaseGeometry:
    """Return a shape with the margin around it."""
    return shape.buffer(ZONE_MARGIN_M, join_style="mitre", mitre_limit=2.0)


def simpler(shape: BaseGeometry) -> BaseGeometry:
    """Return a shape that holds this one and has few corners; the same where it has few already."""
    tolerance_m = SIMPLER_M
    found = shape
    while _corners(found) > MOST_CORNERS:
        found = shape.buffer(tolerance_m, join_style="mitre", mitre_limit=2.0).simplify(tolerance_m)
        tolerance_m *= 2
    return found


def _corners(shape: BaseGeometry) -> int:
    return sum(len(part.exterior.coords) for part in getattr(shape, "geoms", [shape]) if not part.is_empty)


def _obstacle(obstacle: Obstacle, terrain: Terrain, frame: LocalFrame) -> Iterable[Volume]:
    """Yield a mast, or each span of a wire, shut from the ground to its top and a margin."""
    local = [frame.to_local(p) for p in obstacle.line]
    lat, lon = (np.array(v) for v in zip(*((p.lat_deg, p.lon_deg) for p in obstacle.line), strict=True))
    tops = np.nan_to_num(terrain.elevation_m(lat, lon)) + obstacle.height_m + obstacle.margin_m
    if len(local) == 1:
        yield Volume(obstacle.id, _round(Point(local[0]), obstacle), high_m=float(tops[0]))
    for (a, high_a), (b, high_b) in pairwise(zip(local, tops, strict=True)):
        yield Volume(obstacle.id, _round(LineString([a, b]), obstacle), high_m=float(max(high_a, high_b)))


def _round(shape: BaseGeometry, obstacle: Obstacle) -> BaseGeometry:
    # Eight corners lie on a circle whose edges cut 8 % off it.
    return shape.buffer(1.1 * obstacle.margin_m, quad_segs=2)


def inside(volume: Volume, altitude_m: Floats) -> np.ndarray:
    """Return which heights are shut."""
    return np.asarray((altitude_m > volume.low_m) & (altitude_m < volume.high_m))
