"""A demand's ground as points, 5 m apart, and which of them some planned picture shows."""

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import shapely
from scipy.spatial import cKDTree
from shapely.geometry import Point
from shapely.geometry.base import BaseGeometry

from missions.airspace import Ground
from missions.footprint import Footprint, Poses
from missions.geo import Area, Corridor, Floats, LatLon, LocalFrame
from missions.model import Demand, DroneModel, Sensor

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


class Group(list[Watch]):
    """Demands that are laid out together; complete before it is asked for what is near."""

    @cached_property
    def by_id(self) -> dict[str, Watch]:
        return {w.demand.id: w for w in self}

    @cached_property
    def _boxes(self) -> Floats:
        """West, south, east and north of each, its lowest ground, and how far to the side a camera sees."""
        return np.array(
            [
                (
                    *w.shape.bounds,
                    float(np.nanmin(w.points[:, 2], initial=np.inf)),
                    math.hypot(w.footprint.across, w.footprint.along),
                )
                for w in self
            ]
        ).reshape(-1, 6)

    def near(self, poses: Poses) -> list[Watch]:
        """Return the demands of whose ground some of the poses may see some."""
        west, south, east, north, lowest_m, aside = self._boxes.T
        depth_m = np.nan_to_num(poses.altitude_m.max() - lowest_m, neginf=0.0)
        reach_m = np.maximum(1.0, aside * depth_m)
        is_near = (poses.east_m.max() >= west - reach_m) & (poses.east_m.min() <= east + reach_m)
        is_near &= (poses.north_m.max() >= south - reach_m) & (poses.north_m.min() <= north + reach_m)
        return [self[int(k)] for k in np.flatnonzero(is_near)]


def groups(watches: list[Watch], models: tuple[DroneModel, ...]) -> list[Group]:
    """Return the demands in groups that one drone can serve at one height, that of the lowest."""
    groups: list[Group] = []
    carried: list[frozenset[Sensor]] = []
    for watch in sorted(watches, key=lambda w: w.demand.height_m):
        is_wire = watch.demand.view.wire_m is not None  # flown over its wire, and nothing else is
        for k, group in enumerate(groups):
            sensors = carried[k] | watch.demand.sensors
            is_near = watch.demand.height_m <= group[0].demand.height_m * HEIGHT_RATIO
            is_other = is_wire or group[0].demand.view.wire_m is not None
            if is_near and not is_other and Footprint.of(models, sensors) is not None:
                group.append(watch)
                carried[k] = sensors
                break
        else:
            groups.append(Group([watch]))
            carried.append(watch.demand.sensors)
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
