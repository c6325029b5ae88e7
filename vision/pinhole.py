"""The pinhole: between pixels and directions in east, north, up.

Pixel coordinates are continuous: the first pixel covers 0 to 1, its middle is
0.5. Angles are those of `missions.model.CameraPose`, distortion is Brown-Conrady.
"""

import math

import numpy as np

from missions.geo import Floats
from missions.model import Camera, CameraPose


def basis(pose: CameraPose) -> Floats:
    """Return the camera's right, down and forward as rows of (east, north, up).

    Looking straight down, the top of the picture points to the heading.
    """
    heading, pitch, roll = np.radians([pose.heading_deg, pose.pitch_deg, pose.roll_deg])
    forward = np.array(
        [math.cos(pitch) * math.sin(heading), math.cos(pitch) * math.cos(heading), math.sin(pitch)]
    )
    level = np.array([math.cos(heading), -math.sin(heading), 0.0])
    down = np.cross(forward, level)
    right = level * math.cos(roll) + down * math.sin(roll)
    return np.stack([right, down * math.cos(roll) - level * math.sin(roll), forward])


def rays(camera: Camera, pose: CameraPose, pixels: Floats) -> Floats:
    """Return unit vectors (east, north, up) through many pixels (rows of x, y)."""
    focal = np.column_stack([_undistorted(camera, pixels), np.ones(len(pixels))]) @ basis(pose)
    return np.asarray(focal / np.linalg.norm(focal, axis=1, keepdims=True))


def project(camera: Camera, pose: CameraPose, point_m: Floats) -> tuple[float, float] | None:
    """Return the pixel that shows a point (east, north, up from the camera), None behind the camera."""
    right, down, forward = basis(pose) @ point_m
    if forward <= 0:
        return None
    x, y = _distorted(camera, np.array([[right / forward, down / forward]]))[0]
    return float(x * camera.focal_px + camera.centre_x_px), float(y * camera.focal_px + camera.centre_y_px)


def _undistorted(camera: Camera, pixels: Floats) -> Floats:
    """Return the tangents (x, y) at which the pixels' rays leave an ideal lens."""
    centre = np.array([camera.centre_x_px, camera.centre_y_px])
    seen = (np.asarray(pixels, dtype=float) - centre) / camera.focal_px
    if not any(camera.distortion):
        return np.asarray(seen)
    ideal = seen.copy()
    for _ in range(20):
        ideal = ideal - (_distorted(camera, ideal) - seen)
    return np.asarray(ideal)


def _distorted(camera: Camera, ideal: Floats) -> Floats:
    """Return Brown-Conrady's image of ideal tangents, as OpenCV orders the coefficients."""
    k1, k2, p1, p2, k3 = camera.distortion
    x, y = ideal[:, 0], ideal[:, 1]
    r2 = x * x + y * y
    radial = 1 + r2 * (k1 + r2 * (k2 + r2 * k3))
    return np.stack(
        [
            x * radial + 2 * p1 * x * y + p2 * (r2 + 2 * x * x),
            y * radial + p1 * (r2 + 2 * y * y) + 2 * p2 * x * y,
        ],
        axis=1,
    )
