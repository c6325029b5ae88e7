"""Simulated flights over hills: true targets, true pixels, and poses reported with errors.

Nothing here uses the projection, the ray casting or the propagation that the benches judge.
Everything is in metres east, north and up around `SITE`, cameras are rotation matrices by
scipy, lines of sight are walked in small steps, and the map projection is PROJ's. So one misreading
cannot agree with itself.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
import numpy.typing as npt
from scipy.spatial.transform import Rotation

from missions.geo import Floats, LatLon, LocalFrame
from missions.model import Camera, CameraPose, PoseError, Sensor

SITE = LatLon(30.28, 119.42)
FRAME = LocalFrame(SITE)
BEGAN_AT = datetime(2026, 6, 1, 2, 0, tzinfo=UTC)
CAMERA = Camera("bench", Sensor.THERMAL, 640, 512, 758.33, 322.0, 253.0, (-0.09, 0.02, 0.0004, -0.0003, 0.0))
SPEED_M_S = 10.0
PIXEL_PX = 0.5
CLOCK_S = 0.05
DRIFT_S = 60.0
GROUND_M = 2.0
# Each part is this much white and as much drifting: east, north, up, heading, pitch, sideways tilt.
PARTS = np.array([1.5, 1.5, 2.0, 1.5, 0.5, 0.5])
ERROR = PoseError(
    horizontal_m=math.sqrt(2) * 1.5,
    vertical_m=math.sqrt(2) * 2.0,
    tilt_deg=math.sqrt(2) * 0.5,
    yaw_deg=math.sqrt(2) * 1.5,
    drift_share=0.5,
    drift_s=DRIFT_S,
    clock_s=CLOCK_S,
)


@dataclass(frozen=True, slots=True, eq=False)
class Waves:
    """A sum of plane waves: amplitudes in metres, wave numbers a metre (rows of east, north), phases."""

    amplitude: Floats
    number: Floats
    phase: Floats

    @classmethod
    def random(
        cls, rng: np.random.Generator, *, sigma_m: float, lengths_m: tuple[float, float], count: int
    ) -> "Waves":
        """Return waves of random directions that have a standard deviation of `sigma_m`."""
        turn, length = rng.uniform(0, 2 * math.pi, count), rng.uniform(*lengths_m, count)
        number = (2 * math.pi / length)[:, None] * np.column_stack([np.sin(turn), np.cos(turn)])
        weight = np.abs(rng.normal(size=count)) + 0.1
        amplitude = weight * sigma_m * math.sqrt(2 / float(weight @ weight))
        return cls(amplitude, number, rng.uniform(0, 2 * math.pi, count))

    def at(self, east: npt.ArrayLike, north: npt.ArrayLike) -> Floats:
        """Return the height at many points, in the shape given."""
        e, n = np.asarray(east, dtype=float), np.asarray(north, dtype=float)
        total = np.zeros(np.broadcast(e, n).shape)
        for a, (ke, kn), phase in zip(self.amplitude, self.number, self.phase, strict=True):
            total += a * np.sin(ke * e + kn * n + phase)
        return total


@dataclass(frozen=True, slots=True, eq=False)
class Model:
    """The elevation model handed to what is judged: true hills and its own error."""

    hills: Waves
    wrong: Waves
    source: str = "bench hills"
    resolution_m: float = 10.0
    error_m: float = GROUND_M

    def elevation_m(self, lat_deg: npt.ArrayLike, lon_deg: npt.ArrayLike) -> Floats:
        """Return the height it claims."""
        east, north = FRAME.east_north(lat_deg, lon_deg)
        return np.asarray(300.0 + self.hills.at(east, north) + self.wrong.at(east, north))


def hills(rng: np.random.Generator) -> Waves:
    """Return hills that rise and fall by some 25 m over hundreds of metres."""
    return Waves.random(rng, sigma_m=14.0, lengths_m=(350.0, 1500.0), count=8)


def model(rng: np.random.Generator, truth: Waves) -> Model:
    """Return an elevation model of the hills, wrong by `GROUND_M`."""
    return Model(truth, Waves.random(rng, sigma_m=GROUND_M, lengths_m=(150.0, 600.0), count=10))


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """A true camera: where (local metres), which way (columns: right, down, forward), how fast."""

    at_m: Floats
    turn: Floats
    velocity_m_s: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Taken:
    """One picture of a target: the truth, what was reported of it, and the target's pixel."""

    view: View
    pose: CameraPose
    pixel: Floats
    seen_at: datetime
    drone: str
    off_nadir_deg: float


class Drifts:
    """The drifting half of one drone's errors as its time goes on."""

    def __init__(self, rng: np.random.Generator) -> None:
        self._rng = rng
        self._at_s = 0.0
        self._value = rng.normal(size=6) * PARTS

    def sample(self, at_s: float) -> Floats:
        """Return drift and white error together at a later time."""
        keep = math.exp(-(at_s - self._at_s) / DRIFT_S)
        self._value = keep * self._value + math.sqrt(1 - keep * keep) * self._rng.normal(size=6) * PARTS
        self._at_s = at_s
        return np.asarray(self._value + self._rng.normal(size=6) * PARTS)


def turned(heading_deg: float, pitch_deg: float, lean_deg: float = 0.0) -> Floats:
    """Return a camera's axes (columns right, down, forward) in east, north, up.

    `lean_deg` tilts it about the level axis that points to its heading.
    """
    level_north = np.array([[1.0, 0.0, 0.0], [0.0, 0.0, 1.0], [0.0, -1.0, 0.0]])
    raised = Rotation.from_rotvec([math.radians(pitch_deg), 0, 0]).as_matrix() @ level_north
    leaned = Rotation.from_rotvec([0, math.radians(lean_deg), 0]).as_matrix() @ raised
    return np.asarray(Rotation.from_rotvec([0, 0, -math.radians(heading_deg)]).as_matrix() @ leaned)


def pixel_of(view_at: Floats, turn: Floats, target: Floats) -> Floats:
    """Return the pixel of a target by the Brown-Conrady model of OpenCV's documentation."""
    right, down, forward = turn.T @ (target - view_at)
    x, y = right / forward, down / forward
    k1, k2, p1, p2, k3 = CAMERA.distortion
    r2 = x * x + y * y
    radial = 1 + k1 * r2 + k2 * r2**2 + k3 * r2**3
    seen_x = x * radial + 2 * p1 * x * y + p2 * (r2 + 2 * x * x)
    seen_y = y * radial + p1 * (r2 + 2 * y * y) + 2 * p2 * x * y
    return np.array(
        [seen_x * CAMERA.focal_px + CAMERA.centre_x_px, seen_y * CAMERA.focal_px + CAMERA.centre_y_px]
    )


def is_seen(view: View, target: Floats, truth: Waves) -> bool:
    """Return whether no hill stands between, and the target lies inside the picture."""
    steps = np.linspace(0.0, 0.97, 60)[:, None]
    line = view.at_m + steps * (target - view.at_m)
    if (line[:, 2] <= 300.0 + truth.at(line[:, 0], line[:, 1])).any():
        return False
    x, y = pixel_of(view.at_m, view.turn, target)
    return bool(4 <= x <= CAMERA.width_px - 4 and 4 <= y <= CAMERA.height_px - 4)


def on_ground(level: Floats, truth: Waves) -> Floats:
    """Return the true point on the hills at (east, north)."""
    return np.array([*level, 300.0 + float(truth.at(level[0], level[1]))])


def take(
    rng: np.random.Generator,
    drifts: Drifts,
    target: Floats,
    truth: Waves,
    *,
    azimuth_deg: float,
    off_nadir_deg: float,
    above_m: float,
    at_s: float,
    drone: str = "D1",
) -> Taken | None:
    """Return a picture of a target from one side, None where a hill hides it.

    The drone stands off to `azimuth_deg` as seen from the target, circling it.
    """
    side = np.array([math.sin(math.radians(azimuth_deg)), math.cos(math.radians(azimuth_deg))])
    off = above_m * math.tan(math.radians(off_nadir_deg))
    east, north = target[:2] + side * off
    at = np.array([east, north, float(300.0 + truth.at(east, north)) + above_m])
    heading = (azimuth_deg + 180.0 + rng.uniform(-10, 10)) % 360.0
    pitch = -90.0 + float(np.clip(off_nadir_deg + rng.uniform(-8, 8), 0.0, 60.0))
    wrong = drifts.sample(at_s)
    velocity = SPEED_M_S * np.array([side[1], -side[0], 0.0])
    # The pose reported is the one that belongs to a slightly wrong time.
    late = velocity * rng.normal() * CLOCK_S
    view = View(at, turned(heading + wrong[3], pitch + wrong[4], wrong[5]), velocity)
    if not is_seen(view, target, truth):
        return None
    reported = at - wrong[:3] + late
    pose = CameraPose(
        FRAME.to_place(float(reported[0]), float(reported[1])),
        float(reported[2]),
        heading,
        pitch,
        error=ERROR,
        velocity_m_s=(float(velocity[0]), float(velocity[1]), 0.0),
    )
    down = target - at
    angle = math.degrees(math.atan2(float(np.hypot(down[0], down[1])), float(-down[2])))
    pixel = pixel_of(view.at_m, view.turn, target) + rng.normal(size=2) * PIXEL_PX
    return Taken(view, pose, pixel, BEGAN_AT + timedelta(seconds=at_s), drone, angle)


def bound_m2(taken: Sequence[Taken], target: Floats, truth: Waves) -> float:
    """Return the least mean square of the level error that this noise allows, in square metres.

    The Cramér-Rao bound, in pixels and by brute force: every unknown of every true camera is
    moved a little and the target's pixel looked up again. The target's height over the elevation
    model is known to `GROUND_M`, and nothing is known of it across.
    """
    answers, noise = _pixel_model(taken, target)
    slope = [
        float(truth.at(target[0] + d[0], target[1] + d[1]) - truth.at(target[0] - d[0], target[1] - d[1]))
        for d in ((0.5, 0.0), (0.0, 0.5))
    ]
    normal = np.array([-slope[0], -slope[1], 1.0])
    information = answers.T @ np.linalg.solve(noise, answers) + np.outer(normal, normal) / GROUND_M**2
    spread = np.linalg.inv(information)
    return float(spread[0, 0] + spread[1, 1])


def _pixel_model(taken: Sequence[Taken], target: Floats) -> tuple[Floats, Floats]:
    """Return how the pixels answer to the target (2n × 3), and the covariance of what else moves them."""
    n = len(taken)
    answers, pose, clock = np.zeros((2 * n, 3)), np.zeros((2 * n, 6)), np.zeros((2 * n, n))
    for i, t in enumerate(taken):
        rows = slice(2 * i, 2 * i + 2)
        for axis, step in enumerate(np.eye(3) * 0.05):
            there, back = (pixel_of(t.view.at_m, t.view.turn, target + s * step) for s in (1, -1))
            answers[rows, axis] = (there - back) / 0.1
        pose[rows] = _pose_moves(t, target)
        shift = t.view.velocity_m_s * CLOCK_S
        clock[rows, i] = pixel_of(t.view.at_m + shift, t.view.turn, target) - pixel_of(
            t.view.at_m, t.view.turn, target
        )
    seconds = np.array([(t.seen_at - BEGAN_AT).total_seconds() for t in taken])
    drift = np.exp(-np.abs(seconds[:, None] - seconds[None, :]) / DRIFT_S)
    same = np.array([[a.drone == b.drone for b in taken] for a in taken])
    shared = np.kron(drift * same + np.eye(n), np.ones((2, 2)))
    return answers, (pose @ pose.T) * shared + clock @ clock.T + PIXEL_PX**2 * np.eye(2 * n)


def _pose_moves(t: Taken, target: Floats) -> Floats:
    """Return how the pixel moves with one white deviation of each of the camera's six unknowns."""
    moved = np.zeros((2, 6))
    heading, pitch = t.pose.heading_deg, t.pose.pitch_deg
    nominal = turned(heading, pitch)
    for part in range(6):
        off = np.zeros(6)
        off[part] = PARTS[part] * 0.1
        ends = []
        for sign in (1, -1):
            e = off * sign
            # What the camera was wrong by on top of its true axes, to first order.
            turn = turned(heading + e[3], pitch + e[4], e[5]) @ nominal.T @ t.view.turn
            ends.append(pixel_of(t.view.at_m + e[:3], turn, target))
        moved[:, part] = (ends[0] - ends[1]) / 0.2
    return moved
