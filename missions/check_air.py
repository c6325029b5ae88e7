"""Proves that a sortie keeps clear of ground, shut zones, masts and wires, and pictures no no-photo ground.

Every leg is a straight line in degrees and heights; what it crosses is cut out of it, and the
heights there are looked at. Nothing of the planner is imported.
"""

import math
from collections.abc import Iterator, Sequence
from itertools import pairwise

import numpy as np
from shapely import affinity
from shapely.geometry import LineString, Point, Polygon
from shapely.geometry.base import BaseGeometry

from missions.geo import Area, LatLon, distance_m
from missions.model import NoFly, Obstacle, Site, Slot, Sortie, Waypoint
from missions.terrain import Terrain

LEAST_CLEARANCE_M = 30.0
EVERY_M = 10.0
DEGREE_M = 111_195.0
DAY_S = 86_400.0


def faults(sortie: Sortie, site: Site, terrain: Terrain, slot: Slot | None) -> Iterator[str]:
    """Yield what is wrong with where a sortie flies; a zone with hours counts always without a slot."""
    yield from _clearance(sortie, terrain)
    for zone in site.no_fly:
        if slot is None or _is_shut(zone, slot.starts_s, slot.lands_s):
            yield from _entered(sortie, zone)
    for obstacle in site.obstacles:
        yield from _touched(sortie, obstacle, terrain)
    for each in site.no_photo:
        yield from _pictured(sortie, each.id, each.area)


def _clearance(sortie: Sortie, terrain: Terrain) -> Iterator[str]:
    """Yield legs that come closer to the ground than is safe, or leave the elevation model."""
    for number, (a, b) in enumerate(pairwise(sortie.waypoints)):
        share = np.linspace(0, 1, max(2, math.ceil(distance_m(a.place, b.place) / EVERY_M) + 1))
        ground = terrain.elevation_m(
            a.place.lat_deg + share * (b.place.lat_deg - a.place.lat_deg),
            a.place.lon_deg + share * (b.place.lon_deg - a.place.lon_deg),
        )
        flown = a.altitude.metres + share * (b.altitude.metres - a.altitude.metres)
        if np.isnan(ground).any():
            yield f"leg {number} leaves the elevation model"
        elif (lowest := float((flown - ground).min())) < LEAST_CLEARANCE_M:
            yield f"leg {number} comes within {lowest:.0f} m of the ground"


def _is_shut(zone: NoFly, starts_s: float, lands_s: float) -> bool:
    """Return whether a zone is shut at some moment of a flight, hours past midnight included."""
    if zone.hours is None:
        return True
    begin, end = zone.hours
    length_s = (end - begin) % DAY_S
    # The zone shuts every day anew: is the last time it shut before the landing still on at the start?
    last_s = begin + DAY_S * math.floor((lands_s - begin) / DAY_S)
    return last_s < lands_s and starts_s < last_s + length_s


def _entered(sortie: Sortie, zone: NoFly) -> Iterator[str]:
    shape = _shape(zone.area)
    for number, (a, b) in enumerate(pairwise(sortie.waypoints)):
        for low_m, high_m in _heights_within(a, b, shape):
            over = zone.ceiling_m is not None and low_m > zone.ceiling_m
            under = zone.floor_m is not None and high_m < zone.floor_m
            if not over and not under:
                yield f"leg {number} enters no-fly zone {zone.id}"
                break


def _heights_within(a: Waypoint, b: Waypoint, shape: BaseGeometry) -> Iterator[tuple[float, float]]:
    """Yield the lowest and the highest that a leg is over each part of a shape it crosses."""
    start, end = (a.place.lon_deg, a.place.lat_deg), (b.place.lon_deg, b.place.lat_deg)
    rise_m = b.altitude.metres - a.altitude.metres
    if start == end:
        if shape.intersects(Point(start)):
            low_m, high_m = sorted((a.altitude.metres, b.altitude.metres))
            yield low_m, high_m
        return
    leg = LineString([start, end])
    if not shape.intersects(leg):
        return
    common = shape.intersection(leg)
    for part in getattr(common, "geoms", [common]):
        shares = [leg.project(Point(c), normalized=True) for c in (part.coords[0], part.coords[-1])]
        heights = sorted(a.altitude.metres + share * rise_m for share in shares)
        yield heights[0], heights[1]


def _touched(sortie: Sortie, obstacle: Obstacle, terrain: Terrain) -> Iterator[str]:
    """Yield legs that come within the margin of a mast or of a wire, straight from top to top."""
    tops = [terrain.elevation_at(p) + obstacle.height_m for p in obstacle.line]
    spans = list(pairwise(zip(obstacle.line, tops, strict=True))) or [((obstacle.line[0], tops[0]),) * 2]
    for number, (a, b) in enumerate(pairwise(sortie.waypoints)):
        for (pole, top_m), (other, other_m) in spans:
            shape = _round([pole, other], obstacle.margin_m)
            low_m = min((low for low, _ in _heights_within(a, b, shape)), default=math.inf)
            if low_m < min(top_m, other_m) + obstacle.margin_m:
                yield f"leg {number} comes within {obstacle.margin_m:g} m of obstacle {obstacle.id}"
                break


def _round(places: Sequence[LatLon], margin_m: float) -> BaseGeometry:
    """Return everything within a margin of a line, in degrees."""
    across = DEGREE_M * math.cos(math.radians(places[0].lat_deg))
    local = [(p.lon_deg * across, p.lat_deg * DEGREE_M) for p in places]
    shape = LineString(local) if local[0] != local[1] else Point(local[0])
    return affinity.scale(shape.buffer(margin_m), 1 / across, 1 / DEGREE_M, origin=(0, 0))


def _pictured(sortie: Sortie, name: str, area: Area) -> Iterator[str]:
    """Yield pictures from over no-photo ground, and legs over it on which the camera is not off."""
    shape = _shape(area)
    for number, (a, b) in enumerate(pairwise(sortie.waypoints)):
        over = list(_heights_within(a, b, shape))
        if over and not a.is_blind and _length_within_m(a, b, shape) > 1.0:
            yield f"leg {number} has its camera on over no-photo ground {name}"
        if a.shoots and shape.contains(Point(a.place.lon_deg, a.place.lat_deg)):
            yield f"the picture at waypoint {number} is taken over no-photo ground {name}"


def _length_within_m(a: Waypoint, b: Waypoint, shape: BaseGeometry) -> float:
    leg = LineString([(a.place.lon_deg, a.place.lat_deg), (b.place.lon_deg, b.place.lat_deg)])
    share = shape.intersection(leg).length / leg.length if leg.length else 0.0
    return share * distance_m(a.place, b.place)


def _shape(area: Area) -> Polygon:
    return Polygon(
        [(p.lon_deg, p.lat_deg) for p in area.outer],
        [[(p.lon_deg, p.lat_deg) for p in hole] for hole in area.holes],
    )
