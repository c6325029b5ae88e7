"""Fences as shapes on the ground: which are crossed at a place, and how far.

A list of fence items becomes a `Geofence` once, when it was uploaded. Inside
means inside every inclusion polygon and circle and outside every exclusion one,
as both ArduPilot and PX4 take it.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntFlag
from itertools import pairwise

from sim.autopilot.fences import CIRCLE_IN, CIRCLE_OUT, POLYGON_IN, POLYGON_OUT
from sim.autopilot.items import Item
from sim.drone import Point
from sim.tangent import Tangent

Spot = tuple[float, float]  # metres east and north


class Crossed(IntFlag):
    """Which kinds of fence are crossed, by ArduPilot's FENCE_TYPE bits."""

    NONE = 0
    TOP = 1
    CIRCLE = 2
    SHAPES = 4
    BOTTOM = 8


@dataclass(frozen=True, slots=True)
class Shape:
    """One polygon (its corners) or circle (its middle and radius)."""

    keeps_in: bool
    corners: tuple[Spot, ...]
    radius_m: float = 0.0

    def outside_m(self, spot: Spot) -> float:
        """Return how far a place is on the forbidden side; 0 on the right one."""
        if self.radius_m > 0:
            signed = math.dist(spot, self.corners[0]) - self.radius_m
        else:
            signed = _edge_m(spot, self.corners) * (-1.0 if _is_inside(spot, self.corners) else 1.0)
        return max(0.0, signed if self.keeps_in else -signed)


def shapes_of(items: Sequence[Item], tangent: Tangent) -> tuple[Shape, ...]:
    """Return the shapes a whole list of fence items describes."""
    found, index = [], 0
    while index < len(items):
        item = items[index]
        if item.command in (POLYGON_IN, POLYGON_OUT):
            count = int(item.params[0])
            corners = tuple(tangent.to_local(i.x / 1e7, i.y / 1e7) for i in items[index : index + count])
            found.append(Shape(item.command == POLYGON_IN, corners))
            index += max(1, count)
            continue
        if item.command in (CIRCLE_IN, CIRCLE_OUT):
            middle = tangent.to_local(item.x / 1e7, item.y / 1e7)
            found.append(Shape(item.command == CIRCLE_IN, (middle,), item.params[0]))
        index += 1
    return tuple(found)


@dataclass(frozen=True, slots=True)
class Limits:
    """The simple fences around home; infinite where there is none."""

    radius_m: float = math.inf
    top_m: float = math.inf
    bottom_m: float = -math.inf


def crossed(at: Point, home: Point, shapes: Sequence[Shape], limits: Limits) -> tuple[Crossed, float]:
    """Return which fences a place is beyond, and by how much the worst."""
    found, worst = Crossed.NONE, 0.0
    above = at.up_m - home.up_m
    away = math.hypot(at.east_m - home.east_m, at.north_m - home.north_m)
    beyond = {
        Crossed.TOP: above - limits.top_m,
        Crossed.BOTTOM: limits.bottom_m - above,
        Crossed.CIRCLE: away - limits.radius_m,
        Crossed.SHAPES: max((s.outside_m((at.east_m, at.north_m)) for s in shapes), default=0.0),
    }
    for kind, metres in beyond.items():
        if metres > 0:
            found |= kind
            worst = max(worst, metres)
    return found, worst


def _is_inside(spot: Spot, corners: tuple[Spot, ...]) -> bool:
    """Return whether a place is inside a polygon, by the number of edges east of it."""
    x, y = spot
    inside = False
    for (ax, ay), (bx, by) in pairwise((*corners, corners[0])):
        if (ay > y) != (by > y) and x < ax + (y - ay) / (by - ay) * (bx - ax):
            inside = not inside
    return inside


def _edge_m(spot: Spot, corners: tuple[Spot, ...]) -> float:
    return min(_to_edge_m(spot, a, b) for a, b in pairwise((*corners, corners[0])))


def _to_edge_m(spot: Spot, a: Spot, b: Spot) -> float:
    along = (b[0] - a[0], b[1] - a[1])
    length_2 = along[0] ** 2 + along[1] ** 2
    if length_2 == 0:
        return math.dist(spot, a)
    share = ((spot[0] - a[0]) * along[0] + (spot[1] - a[1]) * along[1]) / length_2
    share = max(0.0, min(1.0, share))
    return math.dist(spot, (a[0] + along[0] * share, a[1] + along[1] * share))
