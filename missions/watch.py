"""A demand's ground as points, 5 m apart, and which of them some planned picture shows."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import shapely
from scipy.spatial import cKDTree
from shapely.geometry import Point
from shapely.geometry.base import BaseGeometry

from missions.airspace import Ground
from missions.footprint import Footprint
from missions.geo import Area, Corridor, Floats, LatLon, LocalFrame
from missions.model import Demand, DroneModel

GRID_M = 5.0

# Demands whose heights differ by no more than this are flown at the lowest of them.
HEIGHT_RATIO = 1.25


@dataclass(slots=True)
class Watch:
    """A demand with the points of its ground (east, north, height) and which of them are seen."""

    demand: Demand
    shape: BaseGeometry
    points: Floats
    footprint: Footprint
    tree: cKDTree
    is_seen: npt.NDArray[np.bool_]

    @classmethod
    def of(cls, demand: Demand, footprint: Footprint, ground: Ground) -> "Watch":
        """Return a demand of which nothing is seen yet."""
        shape = shape_of(demand.where, ground.frame)
        flat = _grid(shape)
        points = np.column_stack([flat, ground.exact_m(flat[:, 0], flat[:, 1])])
        return cls(demand, shape, points, footprint, cKDTree(flat), np.zeros(len(points), dtype=bool))

    @property
    def unseen(self) -> Floats:
        """The points that nothing shows so far and that the elevation model knows."""
        return self.points[~self.is_seen & ~np.isnan(self.points[:, 2])]


def groups(watches: list[Watch], models: tuple[DroneModel, ...]) -> list[list[Watch]]:
    """Return the demands in groups that one drone can serve at one height, that of the lowest."""
    groups: list[list[Watch]] = []
    for watch in sorted(watches, key=lambda w: w.demand.height_m):
        if watch.demand.view.wire_m is not None:  # flown over its wire, and nothing else is
            groups.append([watch])
            continue
        for group in groups:
            if group[0].demand.view.wire_m is not None:
                continue
            sensors = frozenset().union(watch.demand.sensors, *(w.demand.sensors for w in group))
            is_near = watch.demand.height_m <= group[0].demand.height_m * HEIGHT_RATIO
            if is_near and Footprint.of(models, sensors) is not None:
                group.append(watch)
                break
        else:
            groups.append([watch])
    return groups


def shape_of(where: LatLon | Corridor | Area, frame: LocalFrame) -> BaseGeometry:
    """Return the ground to be watched, in local metres."""
    if isinstance(where, Area):
        return frame.polygon(where)
    if isinstance(where, Corridor):
        return frame.line(where.line).buffer(where.half_width_m, cap_style="flat")
    return Point(frame.to_local(where))


def _grid(shape: BaseGeometry) -> Floats:
    """Return points 5 m apart inside a shape and along its rim."""
    if isinstance(shape, Point):
        return np.array([[shape.x, shape.y]])
    left, bottom, right, top = shape.bounds
    x, y = np.meshgrid(np.arange(left, right, GRID_M), np.arange(bottom, top, GRID_M))
    inside = shapely.contains_xy(shape, x, y)
    rim = shapely.get_coordinates(shapely.segmentize(shape.boundary, GRID_M))
    return np.vstack([np.column_stack([x[inside], y[inside]]), rim])
