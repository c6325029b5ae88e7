"""Angles of a camera that hangs in a gimbal under an aircraft, put together as rotations.

All angles are yaw, pitch and roll in that order, each about the axis the one before has left
(Z-Y-X, north-east-down), as MAVLink, DJI and MISB write them. Adding a gimbal's angles to the
aircraft's is right only when the aircraft is level: banked by 10° with the camera 45° down, it is
wrong by 10°.
"""

import math
from dataclasses import dataclass

import numpy as np

from missions.geo import Floats


@dataclass(frozen=True, slots=True)
class Attitude:
    """A direction in degrees: yaw clockwise from north (or from the nose), pitch up, roll right down."""

    yaw_deg: float
    pitch_deg: float
    roll_deg: float


def composed(platform: Attitude, gimbal: Attitude) -> Attitude:
    """Return the camera's attitude over the ground: the gimbal's as the aircraft carries it."""
    return to_attitude(matrix(platform) @ matrix(gimbal))


def gimbal_of(camera: Attitude, platform: Attitude) -> Attitude:
    """Return the gimbal's angles that give the camera this attitude on this aircraft; undoes `composed`."""
    return to_attitude(matrix(platform).T @ matrix(camera))


def matrix(a: Attitude) -> Floats:
    """Return the rotation from the body's axes (forward, right, down) to north, east, down."""
    (cy, cp, cr), (sy, sp, sr) = (
        [f(math.radians(v)) for v in (a.yaw_deg, a.pitch_deg, a.roll_deg)] for f in (math.cos, math.sin)
    )
    return np.array(
        [
            [cy * cp, cy * sp * sr - sy * cr, cy * sp * cr + sy * sr],
            [sy * cp, sy * sp * sr + cy * cr, sy * sp * cr - cy * sr],
            [-sp, cp * sr, cp * cr],
        ]
    )


def to_attitude(turn: Floats) -> Attitude:
    """Return the angles of a rotation; straight up and down the roll is 0 and the yaw takes all."""
    pitch = -math.asin(float(np.clip(turn[2, 0], -1.0, 1.0)))
    if abs(turn[2, 0]) > 1 - 1e-12:
        yaw, roll = math.atan2(-turn[0, 1], turn[1, 1]), 0.0
    else:
        yaw, roll = math.atan2(turn[1, 0], turn[0, 0]), math.atan2(turn[2, 1], turn[2, 2])
    return Attitude(math.degrees(yaw) % 360.0, math.degrees(pitch), math.degrees(roll))


def from_quaternion(w: float, x: float, y: float, z: float) -> Attitude:
    """Return the angles of a quaternion (MAVLink's order: w first); its length does not matter."""
    length = math.sqrt(w * w + x * x + y * y + z * z)
    w, x, y, z = (v / length for v in (w, x, y, z))
    return to_attitude(
        np.array(
            [
                [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
                [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
                [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
            ]
        )
    )


def between(a: Attitude, b: Attitude, share: float) -> Attitude:
    """Return the attitude on the shortest turn from a to b, `share` (0 to 1) of the way."""
    turn = matrix(a).T @ matrix(b)
    angle = math.acos(float(np.clip((np.trace(turn) - 1) / 2, -1.0, 1.0)))
    if angle < 1e-9:
        return a
    axis = np.array([turn[2, 1] - turn[1, 2], turn[0, 2] - turn[2, 0], turn[1, 0] - turn[0, 1]])
    axis = axis / max(float(np.linalg.norm(axis)), 1e-12)
    return to_attitude(matrix(a) @ _about(axis, angle * share))


def _about(axis: Floats, angle: float) -> Floats:
    """Return the rotation about a unit axis (Rodrigues)."""
    x, y, z = axis
    cross = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    return np.asarray(np.eye(3) + math.sin(angle) * cross + (1 - math.cos(angle)) * (cross @ cross))
