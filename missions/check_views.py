"""Proves that a plan's pictures show the ground they are said to show, by other means than laid them out.

Ground is looked up on points of its own, twenty metres apart and out of step
with the planner's; a point counts as shown when a straight line from the camera
to it, at the height the terrain has there, falls inside the picture of every
camera its demand asks for. Nothing of the layout is imported.
"""

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import shapely
from shapely.geometry import LineString, Point, Polygon
from shapely.geometry.base import BaseGeometry

from missions.geo import Area, Corridor, Floats, LatLon, bearing_deg
from missions.model import Demand, DroneModel, Plan, Site, Waypoint
from missions.terrain import Terrain

EVERY_M = 20.0
DEGREE_M = 111_195.0  # of latitude on a sphere of 6,371 km; good to half a percent, far inside the margins


def shown(
    plan: Plan, site: Site, terrain: Terrain, demands: Sequence[Demand]
) -> dict[str, tuple[float, int]]:
    """Return, for each demand, the share of its ground that its pictures show, and of how many points."""
    views = [
        (before, shot, sortie.model)
        for sortie in plan.sorties
        for before, shot in zip((None, *sortie.waypoints), sortie.waypoints, strict=False)
        if shot.shoots
    ]
    return {demand.id: _share(demand, plan, views, site, terrain) for demand in demands}


def _share(
    demand: Demand,
    plan: Plan,
    views: Sequence[tuple[Waypoint | None, Waypoint, str]],
    site: Site,
    terrain: Terrain,
) -> tuple[float, int]:
    origin = _some_place(demand.where)
    east_m, north_m = _points(demand.where, origin)
    lat, lon = _degrees(east_m, north_m, origin)
    ground_m = terrain.elevation_m(lat, lon)
    known = ~np.isnan(ground_m)
    serving = {task.id for task in plan.tasks if demand.id in task.demands}
    is_shown = np.zeros(len(east_m), dtype=bool)
    for before, shot, model in views:
        if shot.task in serving:
            points = (east_m, north_m, ground_m)
            is_shown |= _in_picture(before, shot, site.model(model), demand, points, origin)
    return (float(is_shown[known].mean()) if known.any() else 0.0), int(known.sum())


def _in_picture(
    before: Waypoint | None,
    shot: Waypoint,
    model: DroneModel,
    demand: Demand,
    ground: tuple[Floats, Floats, Floats],
    origin: LatLon,
) -> npt.NDArray[np.bool_]:
    """Return which points lie inside the picture of every camera asked for, looking straight down."""
    east_m, north_m = _metres(shot.place, origin)
    depth_m = shot.altitude.metres - ground[2]
    heading = math.radians(bearing_deg(before.place, shot.place)) if before else 0.0
    off_east, off_north = ground[0] - east_m, ground[1] - north_m
    ahead = off_east * math.sin(heading) + off_north * math.cos(heading)
    aside = off_east * math.cos(heading) - off_north * math.sin(heading)
    inside = depth_m > 0
    for sensor in demand.sensors:
        camera = model.camera(sensor)
        if camera is None:
            return np.zeros(len(ground[0]), dtype=bool)
        inside &= np.abs(aside) <= depth_m * (camera.width_px / 2 / camera.focal_px)
        inside &= np.abs(ahead) <= depth_m * (camera.height_px / 2 / camera.focal_px)
    return inside


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
