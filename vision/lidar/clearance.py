"""How near things come to the wires: the distance of every high point, and the worst of each thing.

What stands near a wire is what is neither wire, nor tower, nor ground. Towers touch their wires and are no
breach: they are the points of class 15 where a file has that class, else what stands where wires end or
turn. Points near each other are one thing; its nearest point to any wire is told, with the distance
in all, level and upright, because the rules differ. The conductor's own thickness (a bundle is half a
metre wide) is taken off.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree
from shapely import contains_xy
from shapely.geometry import MultiPoint

from missions.geo import Floats
from vision.lidar import standards
from vision.lidar.ground import GroundGrid
from vision.lidar.wires import Wire

HIGH_M = 1.0  # nothing lower than this above the ground is a thing
REACH_M = 16.0  # nothing farther from a wire than this is told
TOGETHER_M = 2.5  # points nearer than this in plan are one thing
FITTING_M = 3.0  # insulator strings and clamps, from where a wire ends
TOWER_M, ENDS_M = 3.0, 18.0  # around wire ends without a tower class; how far apart one tower's ends lie
TOWER_ENDS, TOWER_POINTS = 4, 30
LEAST_POINTS = 3  # fewer are birds and noise
POINT_M = 0.10  # how well a laser places a point, one standard deviation
TOWER_CLASS, WATER_CLASS = 15, 9
KINDS = {3: "tree", 4: "tree", 5: "tree", 6: "building", 15: "tower", 17: "bridge", 26: "machine"}
"""Class to kind. 26 is the producer's own; in corridor surveys it is cranes and other structures."""


@dataclass(frozen=True, slots=True, eq=False)
class Near:
    """Points near wires: indices into the cloud, the nearest wire of each, and how far its surface is."""

    points: npt.NDArray[np.intp]
    wire: npt.NDArray[np.intp]
    clearance_m: Floats


@dataclass(frozen=True, slots=True)
class Clearance:
    """The nearest one thing comes to the wires.

    `point_m` is its nearest point and `wire_m` the wire's, from the cloud's origin; `station_m` is how
    far along the span from its lower-numbered end. `confidence` is the chance that the distance really is
    below what is required.
    """

    kind: str
    wire: int
    point_m: tuple[float, float, float]
    wire_m: tuple[float, float, float]
    station_m: float
    clearance_m: float
    level_m: float
    upright_m: float
    error_m: float
    required_m: float
    allows_kv: float | None
    confidence: float
    points: int
    top_m: float

    @property
    def is_breach(self) -> bool:
        return self.clearance_m < self.required_m


def near_wires(
    points_m: Floats,
    wires: Sequence[Wire],
    ground: GroundGrid,
    *,
    classes: npt.NDArray[np.uint8] | None = None,
) -> Near:
    """Return the points of things near the wires, with their distances."""
    is_thing = points_m[:, 2] - ground.height_m(points_m) > HIGH_M
    for wire in wires:
        is_thing[wire.points] = False
    if classes is not None:
        is_thing &= ~np.isin(classes, (TOWER_CLASS, WATER_CLASS, 13, 14, 16))
    is_thing = _without_towers(points_m, wires, is_thing, classes)
    things = np.flatnonzero(is_thing)
    best, which = np.full(len(things), np.inf), np.zeros(len(things), np.intp)
    for number, wire in enumerate(wires):
        there = _abreast(points_m, things, wire)
        gap = np.maximum(wire.curve.distance_m(points_m[things[there]]) - _thickness_m(wire), 0.0)
        nearer = gap < best[there]
        best[there[nearer]], which[there[nearer]] = gap[nearer], number
    close = best <= REACH_M
    return Near(things[close], which[close], best[close])


def clearances(
    points_m: Floats,
    wires: Sequence[Wire],
    near: Near,
    *,
    classes: npt.NDArray[np.uint8] | None = None,
    voltage_kv: float | None = None,
) -> tuple[Clearance, ...]:
    """Return the worst point of each thing, nearest first."""
    found = [
        _worst(points_m, wires, near, members, kind, voltage_kv)
        for members, kind in _things(points_m, near, classes)
    ]
    return tuple(sorted(found, key=lambda c: c.clearance_m - c.required_m))


def _thickness_m(wire: Wire) -> float:
    """Return how far a wire's surface is from its middle line: half a bundle, nothing for a single wire."""
    return wire.error_m if wire.error_m > POINT_M else 0.0


def _abreast(points_m: Floats, things: npt.NDArray[np.intp], wire: Wire) -> npt.NDArray[np.intp]:
    """Return which things lie in the box around a wire that can hold anything within reach."""
    s, t = wire.curve.along_across(points_m[things])
    near = (s > wire.curve.begin_m - REACH_M) & (s < wire.curve.end_m + REACH_M)
    near &= np.abs(t - wire.curve.sideways_m(s)) < REACH_M + 1
    return np.flatnonzero(near)


def _without_towers(
    points_m: Floats,
    wires: Sequence[Wire],
    is_thing: npt.NDArray[np.bool_],
    classes: npt.NDArray[np.uint8] | None,
) -> npt.NDArray[np.bool_]:
    """Return the mask without towers and what hangs the wires on them."""
    things = np.flatnonzero(is_thing)
    if not wires or not len(things):
        return is_thing
    left = is_thing.copy()
    for members in cKDTree(points_m[things]).query_ball_point(_ends(wires), FITTING_M):
        left[things[members]] = False
    if classes is None or not (classes == TOWER_CLASS).any():
        for tower in towers(points_m, wires, things):
            left[tower.points] = False
    return left


def _ends(wires: Sequence[Wire]) -> Floats:
    return np.concatenate([w.curve.points_m(np.array([w.curve.begin_m, w.curve.end_m])) for w in wires])


@dataclass(frozen=True, slots=True, eq=False)
class Tower:
    """What stands where wires end: its points, its top, and the places at which the wires end."""

    points: npt.NDArray[np.intp]
    top_m: float
    joints_m: Floats

    @property
    def ends_m(self) -> Floats:
        """The heights at which the wires end."""
        return np.asarray(self.joints_m[:, 2])


def towers(points_m: Floats, wires: Sequence[Wire], things: npt.NDArray[np.intp]) -> tuple[Tower, ...]:
    """Return the towers among things; ends without one (the file's edge) have none."""
    if not wires:
        return ()
    ends = _ends(wires)
    pairs = cKDTree(ends[:, :2]).query_pairs(ENDS_M, output_type="ndarray")
    links = coo_array((np.ones(len(pairs)), (pairs[:, 0], pairs[:, 1])), shape=(len(ends),) * 2)
    count, label = connected_components(links, directed=False)
    found = (_tower(points_m, ends[label == number], things) for number in range(count))
    return tuple(tower for tower in found if tower is not None)


def _tower(points_m: Floats, ends: Floats, things: npt.NDArray[np.intp]) -> Tower | None:
    """Return what stands between these wire ends, None where too little does."""
    hull = MultiPoint(ends[:, :2]).convex_hull.buffer(TOWER_M)
    west, south, east, north = hull.bounds
    level = points_m[things, :2]
    boxed = things[
        (level[:, 0] > west) & (level[:, 0] < east) & (level[:, 1] > south) & (level[:, 1] < north)
    ]
    inside = boxed[contains_xy(hull, points_m[boxed, 0], points_m[boxed, 1])]
    if len(ends) < TOWER_ENDS or len(inside) < TOWER_POINTS:
        return None
    return Tower(inside, float(points_m[inside, 2].max()), ends)


def _things(
    points_m: Floats, near: Near, classes: npt.NDArray[np.uint8] | None
) -> Iterator[tuple[npt.NDArray[np.intp], str]]:
    """Yield the members (indices into `near`) of each thing and its kind."""
    kinds = (
        np.full(len(near.points), "other", dtype=object)
        if classes is None
        else np.array([KINDS.get(int(c), "other") for c in classes[near.points]], dtype=object)
    )
    for kind in sorted(set(kinds.tolist())):
        members = np.flatnonzero(kinds == kind)
        level = points_m[near.points[members], :2]
        cells, own = np.unique(np.floor(level / (TOGETHER_M / 2)), axis=0, return_inverse=True)
        pairs = cKDTree(cells).query_pairs(math.sqrt(2) + 0.5, output_type="ndarray")
        links = coo_array((np.ones(len(pairs)), (pairs[:, 0], pairs[:, 1])), shape=(len(cells),) * 2)
        count, label = connected_components(links, directed=False)
        for number in range(count):
            thing = members[label[own.ravel()] == number]
            if len(thing) >= LEAST_POINTS:
                yield thing, kind


def _worst(
    points_m: Floats,
    wires: Sequence[Wire],
    near: Near,
    members: npt.NDArray[np.intp],
    kind: str,
    voltage_kv: float | None,
) -> Clearance:
    """Return a thing's nearest point to the wires."""
    worst = members[int(np.argmin(near.clearance_m[members]))]
    number, gap = int(near.wire[worst]), float(near.clearance_m[worst])
    curve = wires[number].curve
    point = points_m[near.points[worst]]
    s = float(curve.nearest_s_m(point[None])[0])
    on_wire = curve.points_m(np.array([s]))[0]
    required = standards.required_m(kind, voltage_kv)
    error = math.hypot(POINT_M, min(wires[number].error_m, POINT_M))
    beside = np.linalg.norm(points_m[near.points[members]] - point, axis=1) < 1.0
    below = 0.5 * math.erfc((gap - required) / (error * math.sqrt(2)))
    return Clearance(
        kind=kind,
        wire=number,
        point_m=(float(point[0]), float(point[1]), float(point[2])),
        wire_m=(float(on_wire[0]), float(on_wire[1]), float(on_wire[2])),
        station_m=s - curve.begin_m,
        clearance_m=gap,
        level_m=float(np.hypot(*(point - on_wire)[:2])),
        upright_m=float(on_wire[2] - point[2]),
        error_m=error,
        required_m=required,
        allows_kv=standards.allows_kv(kind, gap),
        confidence=below * (1 - 0.5 ** int(beside.sum())),
        points=len(members),
        top_m=float(points_m[near.points[members], 2].max()),
    )
