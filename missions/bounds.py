"""What a sortie must stay inside of and out of, and where else it could land.

The fence is the convex hull of everything the sortie passes, its dock and the
other docks it could land at, widened by a margin that a gust does not cross;
the no-fly areas it must keep out of are cut out. It is put on board, so it
holds when nobody is heard. A fence has no heights: a no-fly volume that the
sortie properly passes over or under, or while it is open, cannot be part of it and
is left out.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from shapely import MultiPoint, Polygon, simplify
from shapely.geometry import LineString

from missions.geo import Area, LatLon, LocalFrame, distance_m
from missions.model import Dock, NoFly, Sortie

FENCE_MARGIN_M = 120.0
KEEP_OUT_MARGIN_M = 5.0  # the planner's detours pass further away than this
SIMPLER_M = 10.0

# Another dock may lie so far from the sortie's own: four minutes of the reserve.
DIVERSION_M = 3000.0
MOST_LANDINGS = 4


@dataclass(frozen=True, slots=True)
class Bounds:
    """Where one sortie may be: one polygon to stay inside, areas to stay out of, other landings."""

    inside: tuple[LatLon, ...]
    outside: tuple[tuple[LatLon, ...], ...]
    landings: tuple[Dock, ...]


def bounds_of(sortie: Sortie, docks: Sequence[Dock], no_fly: Sequence[NoFly]) -> Bounds:
    """Return the bounds of a sortie among all docks and no-fly volumes of its site."""
    home = next(d for d in docks if d.id == sortie.dock)
    return bounds_round(home, [w.place for w in sortie.waypoints], docks, no_fly)


def bounds_round(
    home: Dock, path: Sequence[LatLon], docks: Sequence[Dock], no_fly: Sequence[NoFly]
) -> Bounds:
    """Return the bounds of a flight from a dock along a path.

    This is the one rule for what is exported and what a gateway is ordered to put on board.
    """
    frame = LocalFrame(home.place)
    corners = [frame.to_local(place) for place in (home.place, *path)]
    flown = LineString(corners if len(set(corners)) > 1 else [corners[0], corners[0]])
    shut = [_polygon(zone.area, frame) for zone in no_fly if zone.floor_m is None and zone.ceiling_m is None]
    shut = [polygon for polygon in shut if not polygon.intersects(flown)]
    landings = _landings(home, corners, docks, shut, frame)
    reached = MultiPoint([*corners, *(frame.to_local(dock.place) for dock in landings)])
    inside = simplify(reached.convex_hull.buffer(FENCE_MARGIN_M, quad_segs=2), SIMPLER_M)
    outside = tuple(_corners(polygon, frame) for polygon in shut if polygon.intersects(inside))
    return Bounds(_corners(inside, frame), outside, landings)


def _landings(
    home: Dock,
    corners: Sequence[tuple[float, float]],
    docks: Sequence[Dock],
    shut: Sequence[Polygon],
    frame: LocalFrame,
) -> tuple[Dock, ...]:
    """Return the other docks near by, nearest to the sortie's own first, open from everywhere it goes."""
    away = {d.id: distance_m(home.place, d.place) for d in docks if d.id != home.id}
    near = sorted(
        (d for d in docks if away.get(d.id, DIVERSION_M + 1) <= DIVERSION_M), key=lambda d: away[d.id]
    )
    return tuple(d for d in near if _is_open(corners, frame.to_local(d.place), shut))[:MOST_LANDINGS]


def _is_open(
    corners: Sequence[tuple[float, float]], there: tuple[float, float], shut: Sequence[Polygon]
) -> bool:
    return not any(polygon.intersects(LineString([here, there])) for polygon in shut for here in corners)


def _polygon(area: Area, frame: LocalFrame) -> Polygon:
    """Return a no-fly area in metres with its margin, holes closed: nobody plans to fly inside one."""
    outer = Polygon([frame.to_local(place) for place in area.outer])
    return simplify(outer.buffer(KEEP_OUT_MARGIN_M, join_style="mitre"), 1.0)


def _corners(polygon: Polygon, frame: LocalFrame) -> tuple[LatLon, ...]:
    return tuple(frame.to_place(east, north) for east, north in polygon.exterior.coords[:-1])
