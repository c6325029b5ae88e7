"""Proves that a plan's pictures show the ground they are said to show, by other means than laid them out.

Ground is looked up on points of its own, twenty metres apart and out of step
with the planner's; a point counts as shown when a straight line from the camera
to it, at the height the terrain has there, falls inside the picture of every
camera its demand asks for. Nothing of the layout is imported.
"""

import math
from collections import defaultdict
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import shapely
from shapely.geometry import LineString, Point, Polygon
from shapely.geometry.base import BaseGeometry

from missions.geo import Area, Corridor, Floats, LatLon, bearing_deg
from missions.model import Demand, DroneModel, Plan, Site, Waypoint
from missions.terrain import Terrain
from missions.view import Side
from missions.view import View as Manner

View = tuple[Waypoint | None, Waypoint, str]

EVERY_M = 20.0
# Steeper pictures are of ground that nothing stands before; of flatter ones every line of sight is looked at.
STEEP_DEG, SIGHT_STEPS = -60.0, 60
DEGREE_M = 111_195.0  # of latitude on a sphere of 6,371 km; good to half a percent, far inside the margins


def shown(
    plan: Plan, site: Site, terrain: Terrain, demands: Sequence[Demand]
) -> dict[str, tuple[float, int]]:
    """Return, for each demand, the share of its ground that its pictures show, and of how many points."""
    by_task: defaultdict[str | None, list[View]] = defaultdict(list)
    for sortie in plan.sorties:
        for before, shot in zip((None, *sortie.waypoints), sortie.waypoints, strict=False):
            if shot.shoots:
                by_task[shot.task].append((before, shot, sortie.model))
    of_demand: defaultdict[str, list[View]] = defaultdict(list)
    for task in plan.tasks:
        for name in task.demands:
            of_demand[name] += by_task[task.id]
    return {demand.id: _share(demand, of_demand[demand.id], site, terrain) for demand in demands}


def _share(demand: Demand, views: Sequence[View], site: Site, terrain: Terrain) -> tuple[float, int]:
    origin = _some_place(demand.where)
    east_m, north_m, height_m = _targets(demand, origin, terrain)
    known = ~np.isnan(height_m)
    is_shown = np.zeros(len(east_m), dtype=bool)
    for before, shot, model in views:
        left = np.flatnonzero(~is_shown)
        if not len(left):
            break
        rest = east_m[left], north_m[left], height_m[left]
        found = left[_in_picture(before, shot, site.model(model), demand, rest, origin)]
        if shot.pitch_deg > STEEP_DEG and len(found):
            seen = east_m[found], north_m[found], height_m[found]
            found = found[~_is_hidden(shot, seen, origin, terrain)]
        is_shown[found] = True
    return (float(is_shown[known].mean()) if known.any() else 0.0), int(known.sum())


def _targets(demand: Demand, origin: LatLon, terrain: Terrain) -> tuple[Floats, Floats, Floats]:
    """Return the points that must be shown: of the ground, or of the wire that is looked at from aside."""
    where, view = demand.where, demand.view
    if isinstance(where, Corridor) and view.side is not Side.OVER:
        return _line_points(where, view, origin, terrain)
    east_m, north_m = _points(where, origin)
    return east_m, north_m, terrain.elevation_m(*_degrees(east_m, north_m, origin))


def _line_points(
    where: Corridor, view: Manner, origin: LatLon, terrain: Terrain
) -> tuple[Floats, Floats, Floats]:
    """Return points along a line, on the wire between its towers or on the ground."""
    east, north, height = [], [], []
    for a, b in pairwise(where.line):
        (x0, y0), (x1, y1) = _metres(a, origin), _metres(b, origin)
        many = max(2, math.ceil(math.hypot(x1 - x0, y1 - y0) / EVERY_M) + 1)
        share = np.linspace(0.0, 1.0, many)
        east.append(x0 + share * (x1 - x0))
        north.append(y0 + share * (y1 - y0))
        if view.wire_m is None:
            height.append(terrain.elevation_m(*_degrees(east[-1], north[-1], origin)))
        else:
            low, high = terrain.elevation_at(a) + view.wire_m, terrain.elevation_at(b) + view.wire_m
            height.append(low + share * (high - low) - view.sag_m * (1 - (2 * share - 1) ** 2))
    return np.concatenate(east), np.concatenate(north), np.concatenate(height)


def _in_picture(
    before: Waypoint | None,
    shot: Waypoint,
    model: DroneModel,
    demand: Demand,
    ground: tuple[Floats, Floats, Floats],
    origin: LatLon,
) -> npt.NDArray[np.bool_]:
    """Return which points lie inside the picture of every camera asked for, however it is turned."""
    east_m, north_m = _metres(shot.place, origin)
    off = ground[0] - east_m, ground[1] - north_m, ground[2] - shot.altitude.metres
    heading_deg = shot.heading_deg
    if heading_deg is None:
        heading_deg = bearing_deg(before.place, shot.place) if before else 0.0
    heading, pitch = math.radians(heading_deg), math.radians(shot.pitch_deg)
    ahead = off[0] * math.sin(heading) + off[1] * math.cos(heading)
    aside = off[0] * math.cos(heading) - off[1] * math.sin(heading)
    # The optical axis is the way ahead tilted by the pitch; "down" is square to it, towards the feet.
    along = ahead * math.cos(pitch) + off[2] * math.sin(pitch)
    down = ahead * math.sin(pitch) - off[2] * math.cos(pitch)
    inside = along > 0
    for sensor in demand.sensors:
        camera = model.camera(sensor)
        if camera is None:
            return np.zeros(len(ground[0]), dtype=bool)
        inside &= np.abs(aside) <= along * (camera.width_px / 2 / camera.focal_px)
        inside &= np.abs(down) <= along * (camera.height_px / 2 / camera.focal_px)
    return np.asarray(inside)


def _is_hidden(
    shot: Waypoint, points: tuple[Floats, Floats, Floats], origin: LatLon, terrain: Terrain
) -> npt.NDArray[np.bool_]:
    """Return which points have ground in front of them, seen from the camera."""
    east_m, north_m = _metres(shot.place, origin)
    share = np.linspace(0.02, 0.96, SIGHT_STEPS)[:, None]
    lat, lon = _degrees(
        east_m + share * (points[0] - east_m), north_m + share * (points[1] - north_m), origin
    )
    line_m = shot.altitude.metres + share * (points[2] - shot.altitude.metres)
    return np.asarray((terrain.elevation_m(lat, lon) > line_m).any(axis=0))


def _points(where: LatLon | Corridor | Area, origin: LatLon) -> tuple[Floats, Floats]:
    """Return points inside a demand's ground, at least one."""
    shape = _shape(where, origin)
    left, bottom, right, top = shape.bounds
    x, y = np.meshgrid(
        np.arange(left + EVERY_M / 3, right, EVERY_M), np.arange(bottom + EVERY_M / 3, top, EVERY_M)
    )
    inside = shapely.contains_xy(shape, x, y)
    if not inside.any():
        middle = shape.representative_point()
        return np.array([middle.x]), np.array([middle.y])
    return x[inside], y[inside]


def _shape(where: LatLon | Corridor | Area, origin: LatLon) -> BaseGeometry:
    if isinstance(where, Area):
        return Polygon(
            [_metres(p, origin) for p in where.outer],
            [[_metres(p, origin) for p in hole] for hole in where.holes],
        )
    if isinstance(where, Corridor):
        line = LineString([_metres(p, origin) for p in where.line])
        return line.buffer(where.half_width_m, cap_style="flat")
    return Point(_metres(where, origin))


def _some_place(where: LatLon | Corridor | Area) -> LatLon:
    if isinstance(where, Area):
        return where.outer[0]
    return where.line[0] if isinstance(where, Corridor) else where


def _metres(place: LatLon, origin: LatLon) -> tuple[float, float]:
    across = DEGREE_M * math.cos(math.radians(origin.lat_deg))
    return (place.lon_deg - origin.lon_deg) * across, (place.lat_deg - origin.lat_deg) * DEGREE_M


def _degrees(east_m: Floats, north_m: Floats, origin: LatLon) -> tuple[Floats, Floats]:
    across = DEGREE_M * math.cos(math.radians(origin.lat_deg))
    return origin.lat_deg + north_m / DEGREE_M, origin.lon_deg + east_m / across
