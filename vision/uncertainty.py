"""How far off a ground point may be, from how far off the camera's pose may be.

First-order: the ground is the plane that touches it at the hit, each unknown is
moved by one standard deviation both ways, and the squares of what the ground
point does add up.
"""

import math
from dataclasses import replace

import numpy as np

from missions.geo import Floats
from missions.model import Camera, CameraPose
from vision.model import Ellipse, Shift, Sight
from vision.pinhole import directions, undistorted

CHI2_95 = 5.991
"""Squared radius that holds 95 % of a two-dimensional normal distribution."""

PIXEL_ERROR_PX = 0.5
"""One standard deviation of a blob's middle, which is rarely where the source's middle is."""

_USUAL_SPEED_M_S = 8.0  # of a survey flight
_GUESS = 4.0  # a deviation that carries the hit this many times as far makes it a guess


def to_ellipse(covariance: Floats) -> Ellipse:
    """Return the 95 % ellipse of an (east, north) covariance in square metres."""
    ee, nn, en = float(covariance[0, 0]), float(covariance[1, 1]), float(covariance[0, 1])
    middle, half = (ee + nn) / 2, math.hypot((ee - nn) / 2, en)
    major, minor = (math.sqrt(max(v, 0.0) * CHI2_95) for v in (middle + half, middle - half))
    # The major axis lies at half the angle of (north minus east, twice the covariance).
    bearing = math.degrees(math.atan2(2 * en, nn - ee)) / 2 % 180.0
    return Ellipse(major, minor, bearing)


def to_covariance(ellipse: Ellipse) -> Floats:
    """Return the (east, north) covariance in square metres of a 95 % ellipse."""
    ee, nn, en = variances(ellipse)
    return np.array([[ee, en], [en, nn]])


def variances(ellipse: Ellipse) -> tuple[float, float, float]:
    """Return the variances east and north and their covariance, in square metres, of a 95 % ellipse."""
    bearing = math.radians(ellipse.bearing_deg)
    sine, cosine = math.sin(bearing), math.cos(bearing)
    a, b = ellipse.major_m**2 / CHI2_95, ellipse.minor_m**2 / CHI2_95
    return (
        a * sine * sine + b * cosine * cosine,
        a * cosine * cosine + b * sine * sine,
        (a - b) * sine * cosine,
    )


def moves(camera: Camera, pose: CameraPose, pixel: Floats, point: Floats, normal: Floats) -> Floats | None:
    """Return how the hit moves (east, north) with one deviation of each of the eight unknowns.

    The unknowns are east, north, up, heading, pitch, sideways tilt, x and y; the ground
    is the plane through the hit. None when some ray misses it or lands far off.
    """
    ends = []
    for sign in (1.0, -1.0):
        origins, directions = _deviated(camera, pose, pixel, sign)
        with np.errstate(divide="ignore"):
            reach = ((point - origins) @ normal) / (directions @ normal)
        if not ((reach > 0) & (reach < _GUESS * np.linalg.norm(point))).all():
            return None
        ends.append((origins + directions * reach[:, None])[:, :2])
    return np.asarray((ends[0] - ends[1]) / 2)


def sight(pose: CameraPose, moved: Floats, *, lean: Floats, ground_error_m: float) -> Sight:
    """Return what a look's place answers to, from its `moves`.

    `lean` is how the place moves (east, north) where the ground is a metre higher than the model has it.
    """
    error = pose.error
    return Sight(
        pose=tuple((float(e), float(n)) for e, n in moved[:6]),
        own=(*((float(e), float(n)) for e, n in moved[6:]), *_clock(pose)),
        ground=(float(lean[0]) * ground_error_m, float(lean[1]) * ground_error_m),
        drift_share=error.drift_share,
        drift_s=error.drift_s,
    )


def covariance(seen: Sight) -> Floats:
    """Return the (east, north) covariance of one look in square metres, all its errors together."""
    shifts = np.array([*seen.pose, *seen.own, seen.ground])
    return np.asarray(shifts.T @ shifts)


def _clock(pose: CameraPose) -> tuple[Shift, ...]:
    """Return how far the camera flies in one deviation of its clock; of unknown speed, either way."""
    clock_s = pose.error.clock_s
    if pose.velocity_m_s is None:
        either = clock_s * _USUAL_SPEED_M_S / math.sqrt(2)
        return (either, 0.0), (0.0, either)
    return ((pose.velocity_m_s[0] * clock_s, pose.velocity_m_s[1] * clock_s),)


def _deviated(camera: Camera, pose: CameraPose, pixel: Floats, sign: float) -> tuple[Floats, Floats]:
    """Return the origins and rays of a pixel when each of the eight unknowns is off by one deviation."""
    error = pose.error
    origins = np.zeros((8, 3))
    origins[:3] = np.diag((error.horizontal_m, error.horizontal_m, error.vertical_m)) * sign
    yaw, tilt = sign * error.yaw_deg, sign * error.tilt_deg
    turned = replace(pose, heading_deg=pose.heading_deg + yaw)
    raised = replace(pose, pitch_deg=pose.pitch_deg + tilt)
    ideal = undistorted(camera, np.stack([pixel, *(pixel + sign * PIXEL_ERROR_PX * np.eye(2))]))
    straight = directions(pose, ideal)
    axis = straight[:1]
    tilted = [directions(p, ideal[:1]) for p in (turned, raised)]
    leaned = _leaned(axis, pose.heading_deg, tilt)
    return origins, np.concatenate([axis, axis, axis, *tilted, leaned, straight[1:]])


def _leaned(directions: Floats, heading_deg: float, angle_deg: float) -> Floats:
    """Return rays turned about the level axis that points to the heading.

    That is a gimbal's roll joint. `roll_deg` turns about the optical axis instead,
    which for a camera looking straight down is no tilt at all.
    """
    axis = np.array([math.sin(math.radians(heading_deg)), math.cos(math.radians(heading_deg)), 0.0])
    sine, cosine = math.sin(math.radians(angle_deg)), math.cos(math.radians(angle_deg))
    along = (directions @ axis)[:, None] * axis
    return np.asarray(along + (directions - along) * cosine + np.cross(axis, directions) * sine)
