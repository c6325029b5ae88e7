"""Where a camera should stand to see a tower's insulator strings and joints close up.

The tower model is what the survey itself gives: the places where wires end, the way each wire leaves, and
all points around. Every end is looked at from both faces of the tower, from outside the line,
at an angle at which string and clamp do not hide each other. Where that place is nearer to anything than
a machine may come to a wire, it moves outward; where it would have to move too far, there is none.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.spatial import cKDTree

from missions.geo import Floats
from vision.lidar import standards
from vision.lidar.clearance import Tower
from vision.lidar.wires import Wire

STANDOFF_M = 10.0
ASIDE_DEG, ABOVE_DEG = 45.0, 15.0
MARGIN_M = 2.0  # beyond what a machine must keep: gusts, and what a fix is off
STEP_M, FARTHEST_M = 1.0, 25.0
WIRE_STEP_M = 0.5
STEEPEST_DEG, FARTHEST_FLOWN_M = 60.0, 40.0
FACES = ("ahead", "behind")

Floor = Callable[[Floats], Floats]
"""The least height that a camera may have over places of the cloud, where it is flown by a plan."""


@dataclass(frozen=True, slots=True)
class Joint:
    """A wire's end at a tower: where, which wire, and the way (east, north) that it leaves."""

    tower: int
    wire: int
    at_m: tuple[float, float, float]
    leaves: tuple[float, float]


@dataclass(frozen=True, slots=True)
class Viewpoint:
    """Where to stand to see a joint from one face, and how to look; metres of the cloud.

    `clear_m` is the least distance to anything: tower, wires, trees, ground.
    """

    joint: Joint
    face: str
    camera_m: tuple[float, float, float]
    heading_deg: float
    pitch_deg: float
    distance_m: float
    clear_m: float


def keep_m(voltage_kv: float | None) -> float:
    """Return how far a drone at a tower stays from everything: a machine's distance and a margin."""
    return standards.required_m("machine", voltage_kv) + MARGIN_M


def joints(towers: Sequence[Tower], wires: Sequence[Wire]) -> tuple[Joint, ...]:
    """Return the ends of wires that hang on each tower."""
    found = []
    for number, tower in enumerate(towers):
        own = {tuple(np.round(end, 2)) for end in tower.joints_m}
        for index, wire in enumerate(wires):
            ends = wire.curve.points_m(np.array([wire.curve.begin_m, wire.curve.end_m]))
            for end, sign in zip(ends, (1.0, -1.0), strict=True):
                if tuple(np.round(end, 2)) in own:
                    leaves = (sign * wire.curve.dir_east, sign * wire.curve.dir_north)
                    found.append(Joint(number, index, (float(end[0]), float(end[1]), float(end[2])), leaves))
    return tuple(found)


def viewpoints(
    points_m: Floats,
    towers: Sequence[Tower],
    wires: Sequence[Wire],
    *,
    voltage_kv: float | None,
    floor: Floor | None = None,
) -> tuple[tuple[Viewpoint, ...], tuple[Joint, ...]]:
    """Return the viewpoints of every tower, and the joints that cannot be seen from both faces safely.

    With a `floor` the camera stands no lower than that and looks down as steeply as that takes.
    """
    if not towers:
        return (), ()
    solid = [_around(points_m, tower) for tower in towers]
    solid += [w.curve.points_m(np.arange(w.curve.begin_m, w.curve.end_m, WIRE_STEP_M)) for w in wires]
    obstacles = cKDTree(np.concatenate(solid))
    keep = keep_m(voltage_kv)
    seen, hidden = [], []
    for joint in joints(towers, wires):
        own = list(_of_joint(joint, towers[joint.tower], obstacles, keep, floor))
        seen += own
        if len(own) < len(FACES):
            hidden.append(joint)
    return tuple(seen), tuple(hidden)


def _around(points_m: Floats, tower: Tower) -> Floats:
    """Return all points near enough to a tower to stand in the way."""
    middle = tower.joints_m[:, :2].mean(axis=0)
    half = float(np.linalg.norm(tower.joints_m[:, :2] - middle, axis=1).max())
    off = np.linalg.norm(points_m[:, :2] - middle, axis=1)
    return np.asarray(points_m[off < half + 2 * FARTHEST_M])


def _of_joint(
    joint: Joint, tower: Tower, obstacles: cKDTree, keep: float, floor: Floor | None
) -> Iterator[Viewpoint]:
    """Yield a joint's viewpoints, one a face where there is a safe one."""
    at, along = np.array(joint.at_m), np.array(joint.leaves)
    outward = np.array([-along[1], along[0]])
    if (at[:2] - tower.joints_m[:, :2].mean(axis=0)) @ outward < 0:
        outward = -outward
    for face, sign in zip(FACES, (1.0, -1.0), strict=True):
        turn = math.radians(ASIDE_DEG)
        way = outward * math.cos(turn) + sign * along * math.sin(turn)
        for distance in np.arange(max(STANDOFF_M, keep), FARTHEST_M + STEP_M, STEP_M):
            level, rise = (f(math.radians(ABOVE_DEG)) * distance for f in (math.cos, math.sin))
            if floor is not None:
                lowest = float(floor(at[None, :] + np.array([way[0] * level, way[1] * level, 0.0]))[0])
                rise = max(rise, lowest - float(at[2]))
                level = max(level, rise / math.tan(math.radians(STEEPEST_DEG)))
                if math.hypot(level, rise) > FARTHEST_FLOWN_M:
                    break
            camera = at + np.array([way[0] * level, way[1] * level, rise])
            clear = float(obstacles.query(camera)[0])
            if clear >= keep:
                heading = math.degrees(math.atan2(-way[0], -way[1])) % 360
                pitch, off = -math.degrees(math.atan2(rise, level)), math.hypot(level, rise)
                place = (float(camera[0]), float(camera[1]), float(camera[2]))
                yield Viewpoint(joint, face, place, heading, pitch, off, clear)
                break
