"""How fast a fire or a flood spreads, and when it reaches what has a name.

Two or more looks give outlines. Along each of 24 directions from the middle of the first, the
distance to the edge is followed by a filter of two numbers, distance and speed. Its errors are those of
the places (each look's ellipse) and of the future: the speed itself wanders, by a third in half an
hour, which is what gusts, slope and fuel do to a surface fire that keeps its wind. So an interval widens
with time as it should, and a look more narrows it.

A fire does not come back: no interval reaches behind the edge last seen.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from shapely.geometry import LineString, MultiPoint, Point, Polygon
from shapely.geometry.base import BaseGeometry
from shapely.ops import nearest_points, unary_union

from missions.geo import Area, Floats, LatLon
from missions.model import Hazard
from vision.model import Ellipse, Observation
from vision.spots import radius_m
from vision.tangent import Scale
from vision.uncertainty import to_covariance

DIRECTIONS = 24
SAME_LOOK_S = 120.0
"""Outlines no further apart in time belong to one look at the event."""

SLOW = frozenset({Hazard.FLOOD, Hazard.LOGGING})
"""What is too large for a picture and too slow to spread within a flight; its parts are no front."""

Z_90 = 1.645
WANDER_SHARE, WANDER_S = 0.35, 1800.0
"""The speed wanders by this share of itself in this time (one standard deviation)."""

WANDER_FLOOR_M_S = 0.01
FASTEST_M_S = 1.0
"""One standard deviation of a front's speed before anything is known of it."""

EDGE_M = 1.5
"""One standard deviation of where an outline puts an edge, besides the error of its place as a whole."""

FARTHEST_S = 12 * 3600.0
_REACH_M = 20_000.0
_STEP_S = 60.0
_CIRCLE = 16


@dataclass(frozen=True, slots=True)
class Extent:
    """The ground an event covered at one look, and the error of that ground's place as a whole.

    What lies between its parts belongs to a front, and to nothing else.
    """

    seen_at: datetime
    parts: tuple[Area, ...]
    ellipse: Ellipse
    is_front: bool = True


@dataclass(frozen=True, slots=True)
class Edge:
    """One direction's edge at the last look: how far from the middle, how fast, and their covariance."""

    bearing_deg: float
    distance_m: float
    speed_m_s: float
    spread: tuple[float, float, float]  # of distance, of both, of speed

    def after(self, seconds: float) -> tuple[float, float, float]:
        """Return (distance, low, high) so long after the last look: the middle and the 90 % interval."""
        distance_m = self.distance_m + max(self.speed_m_s, 0.0) * seconds
        rr, rv, vv = self.spread
        wander = _wander(self.speed_m_s)
        variance = rr + 2 * rv * seconds + vv * seconds**2 + wander * seconds**3 / 3
        off = Z_90 * math.sqrt(max(variance, 0.0))
        behind = self.distance_m - Z_90 * math.sqrt(rr)
        return distance_m, max(distance_m - off, behind), distance_m + off


@dataclass(frozen=True, slots=True)
class Growth:
    """How an event spreads. `speed_low_m_s` and `speed_high_m_s` hold the head's speed with 90 %.

    So does `area_90_m2_per_h` hold the rate at which its area grows from the first look to the last.
    """

    middle: LatLon
    seen_at: datetime
    area_m2: float
    area_m2_per_h: float
    area_90_m2_per_h: tuple[float, float]
    bearing_deg: float
    speed_m_s: float
    speed_low_m_s: float
    speed_high_m_s: float
    edges: tuple[Edge, ...]
    looks: int

    @property
    def head(self) -> Edge:
        """The edge that runs fastest."""
        return max(self.edges, key=lambda e: e.speed_m_s)

    def edge_towards(self, bearing_deg: float) -> Edge:
        """Return the edge of the direction nearest to a bearing."""
        return self.edges[round(bearing_deg % 360.0 / (360.0 / DIRECTIONS)) % DIRECTIONS]


@dataclass(frozen=True, slots=True)
class Arrival:
    """When an event reaches a named thing: seconds after the last look, the middle and the 90 % interval.

    `after_s` is 0 where it is there already, None where it is not expected within 12 hours; `latest_s`
    is None where it may well never come.
    """

    name: Mapping[str, str]
    distance_m: float
    after_s: float | None
    earliest_s: float | None
    latest_s: float | None


@dataclass(frozen=True, slots=True)
class Thing:
    """Something that an event may reach: a point, a line or an outline of places.

    `kind` is "village", "building", "tower" or "road"; a building may have no name.
    """

    name: Mapping[str, str]
    places: tuple[LatLon, ...]
    is_area: bool = False
    kind: str = ""
    id: str = ""


def extents(observations: Sequence[Observation]) -> list[Extent]:
    """Return the ground covered at each look, oldest first, from the observations of one event.

    An observation without an outline counts as a disc of its area, one without an area not at all.
    """
    found = []
    for look in one_look_each(observations):
        parts = tuple(area for o in look if (area := _ground(o)) is not None)
        if parts:
            sharpest = min(look, key=lambda o: o.ellipse.major_m)
            is_front = sharpest.hazard not in SLOW
            found.append(Extent(look[-1].seen_at, parts, sharpest.ellipse, is_front))
    return found


def one_look_each(observations: Sequence[Observation]) -> list[list[Observation]]:
    """Return what was seen, look by look, oldest first; of what is slow a whole flight is one look."""
    looks: list[list[Observation]] = []
    for seen in sorted(observations, key=lambda o: o.seen_at):
        if looks and _is_same_look(looks[-1][0], seen):
            looks[-1].append(seen)
        else:
            looks.append([seen])
    return looks


def _is_same_look(first: Observation, seen: Observation) -> bool:
    if seen.hazard in SLOW and seen.sortie and seen.sortie == first.sortie:
        return True
    return (seen.seen_at - first.seen_at).total_seconds() <= SAME_LOOK_S


def measure(looks: Sequence[Extent]) -> Growth | None:
    """Return how an event spreads, from its extents in the order of time; None from fewer than two looks."""
    if len(looks) < 2:
        return None
    scale = Scale.at(looks[0].parts[0].outer[0])
    shapes = [_shape(look, scale) for look in looks]
    middle = shapes[0].centroid
    begun = looks[0].seen_at
    seconds = [(look.seen_at - begun).total_seconds() for look in looks]
    covariances = [to_covariance(look.ellipse) for look in looks]
    edges = tuple(
        _followed(360.0 / DIRECTIONS * i, middle, shapes, seconds, covariances) for i in range(DIRECTIONS)
    )
    head = max(edges, key=lambda e: e.speed_m_s)
    off = Z_90 * math.sqrt(head.spread[2])
    hours = max(seconds[-1], 1.0) / 3600.0
    rate = float(shapes[-1].area - shapes[0].area) / hours
    # A whole edge may lie further out or in: what errs at one place of it errs alike at the others.
    rate_off = Z_90 * EDGE_M * math.hypot(shapes[0].length, shapes[-1].length) / hours
    return Growth(
        middle=scale.to_place(middle.x, middle.y),
        seen_at=looks[-1].seen_at,
        area_m2=float(shapes[-1].area),
        area_m2_per_h=rate,
        area_90_m2_per_h=(rate - rate_off, rate + rate_off),
        bearing_deg=head.bearing_deg,
        speed_m_s=max(head.speed_m_s, 0.0),
        speed_low_m_s=max(head.speed_m_s - off, 0.0),
        speed_high_m_s=max(head.speed_m_s + off, 0.0),
        edges=edges,
        looks=len(looks),
    )


def arrivals(growth: Growth, things: Sequence[Thing]) -> list[Arrival]:
    """Return when each thing with a name is reached, the soonest first; what is not expected comes last."""
    scale = Scale.at(growth.middle)
    found = [_arrival(growth, thing, scale) for thing in things if thing.name]
    return sorted(found, key=lambda a: (math.inf if a.after_s is None else a.after_s, a.distance_m))


def _arrival(growth: Growth, thing: Thing, scale: Scale) -> Arrival:
    """Return when the edge that runs towards a thing's nearest place gets there."""
    nearest, _ = nearest_points(_geometry(thing, scale), Point(0.0, 0.0))
    away_m = math.hypot(nearest.x, nearest.y)
    edge = growth.edge_towards(math.degrees(math.atan2(nearest.x, nearest.y)))
    left_m = max(away_m - edge.distance_m, 0.0)
    if left_m == 0.0:
        return Arrival(thing.name, 0.0, 0.0, 0.0, 0.0)
    times: list[float | None] = [None, None, None]
    for after_s in np.arange(0.0, FARTHEST_S + _STEP_S, _STEP_S):
        for i, reached_m in enumerate(edge.after(float(after_s))):
            if times[i] is None and reached_m >= away_m:
                times[i] = float(after_s)
        if all(t is not None for t in times):
            break
    expected, latest, earliest = times
    return Arrival(thing.name, left_m, expected, earliest, latest)


def _followed(
    bearing_deg: float,
    middle: Point,
    shapes: Sequence[BaseGeometry],
    seconds: Sequence[float],
    covariances: Sequence[Floats],
) -> Edge:
    """Return one direction's edge, filtered over all looks (a Kalman filter of distance and speed)."""
    turn = math.radians(bearing_deg)
    along = np.array([math.sin(turn), math.cos(turn)])
    seen = [_distance_m(shape, middle, along) for shape in shapes]
    noise = [float(along @ c @ along) + EDGE_M**2 for c in covariances]
    state = np.array([seen[0], 0.0])
    spread = np.diag([noise[0], FASTEST_M_S**2])
    for i in range(1, len(seen)):
        dt = max(seconds[i] - seconds[i - 1], 1.0)
        step = np.array([[1.0, dt], [0.0, 1.0]])
        # Between the first two looks no speed is known yet: how much it may have wandered is theirs.
        speed = state[1] if i > 1 else (seen[1] - seen[0]) / dt
        wander = _wander(speed)
        state = step @ state
        spread = step @ spread @ step.T + wander * np.array([[dt**3 / 3, dt**2 / 2], [dt**2 / 2, dt]])
        gain = spread[:, 0] / (spread[0, 0] + noise[i])
        state = state + gain * (seen[i] - state[0])
        spread = spread - np.outer(gain, spread[0])
    return Edge(
        bearing_deg,
        float(state[0]),
        float(state[1]),
        (float(spread[0, 0]), float(spread[0, 1]), float(spread[1, 1])),
    )


def _wander(speed_m_s: float) -> float:
    """Return the variance that the speed gains in a second, in (m/s)² a second."""
    return (WANDER_SHARE * abs(speed_m_s) + WANDER_FLOOR_M_S) ** 2 / WANDER_S


def _distance_m(shape: BaseGeometry, middle: Point, along: Floats) -> float:
    """Return how far the shape reaches from the middle along a direction; 0 where it does not."""
    end = (middle.x + along[0] * _REACH_M, middle.y + along[1] * _REACH_M)
    crossed = shape.intersection(LineString([(middle.x, middle.y), end]))
    if crossed.is_empty:
        return 0.0
    return max(math.hypot(x - middle.x, y - middle.y) for x, y in _points(crossed))


def _points(geometry: BaseGeometry) -> Iterator[tuple[float, float]]:
    for part in getattr(geometry, "geoms", [geometry]):
        yield from ((x, y) for x, y, *_ in part.coords)


def _shape(look: Extent, scale: Scale) -> BaseGeometry:
    """Return a look's ground in metres: its parts, and what lies between them where they form a front."""
    rings = [[[scale.to_local(p) for p in ring] for ring in (area.outer, *area.holes)] for area in look.parts]
    parts = [Polygon(outer, holes).buffer(0) for outer, *holes in rings]
    if len(parts) == 1 or not look.is_front:
        return unary_union(parts)
    return unary_union([*parts, _between(parts)])


def _between(parts: Sequence[Polygon]) -> BaseGeometry:
    """Return the hull of several parts, which closes the gaps of a front seen piece by piece."""
    return MultiPoint([p for part in parts for p in part.exterior.coords]).convex_hull


def _ground(seen: Observation) -> Area | None:
    """Return the ground of one observation."""
    if seen.outline is not None and len(seen.outline.outer) >= 3:
        return seen.outline
    radius = radius_m(seen.area_m2)
    if radius <= 0.0:
        return None
    scale = Scale.at(seen.place)
    turns = [2 * math.pi * i / _CIRCLE for i in range(_CIRCLE)]
    return Area(tuple(scale.to_place(radius * math.sin(t), radius * math.cos(t)) for t in turns))


def _geometry(thing: Thing, scale: Scale) -> BaseGeometry:
    points = [scale.to_local(p) for p in thing.places]
    if thing.is_area and len(points) >= 3:
        return Polygon(points)
    return LineString(points) if len(points) > 1 else Point(points[0])
