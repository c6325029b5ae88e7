"""The pinhole: between pixels and directions in east, north, up.

Pixel coordinates are continuous: the first pixel covers 0 to 1, its middle is
0.5. Angles are those of `missions.model.CameraPose`, distortion is Brown-Conrady.
"""

import math

import numpy as np

from missions.geo import Floats
from missions.model import Camera, CameraPose

ROUND_TRIP_PX = 0.01
"""How near a pixel must come back when it is undistorted and distorted again."""

_MOST_STEPS = 12


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
    """Return unit vectors (east, north, up) through many pixels (rows of x, y); NaN as `undistorted`."""
    return directions(pose, undistorted(camera, pixels))


def directions(pose: CameraPose, ideal: Floats) -> Floats:
    """Return unit vectors (east, north, up) of many ideal tangents (rows of x, y)."""
    focal = np.column_stack([ideal, np.ones(len(ideal))]) @ basis(pose)
    return np.asarray(focal / np.sqrt((focal * focal).sum(axis=1, keepdims=True)))


def project(camera: Camera, pose: CameraPose, point_m: Floats) -> tuple[float, float] | None:
    """Return the pixel that shows a point (east, north, up from the camera), None behind the camera."""
    right, down, forward = basis(pose) @ point_m
    if forward <= 0:
        return None
    x, y = distorted(camera, np.array([[right / forward, down / forward]]))[0]
    return float(x * camera.focal_px + camera.centre_x_px), float(y * camera.focal_px + camera.centre_y_px)


def undistorted(camera: Camera, pixels: Floats) -> Floats:
    """Return the tangents (x, y) at which the pixels' rays leave an ideal lens.

    Newton's method on `distorted`, and the answer is put back through it: NaN where no
    tangent comes back to within `ROUND_TRIP_PX`, which is past the radius at which a
    polynomial fitted to the middle of the picture folds over.
    """
    centre = np.array([camera.centre_x_px, camera.centre_y_px])
    seen = (np.asarray(pixels, dtype=float) - centre) / camera.focal_px
    if not any(camera.distortion):
        return np.asarray(seen)
    ideal, close = seen, ROUND_TRIP_PX / camera.focal_px
    for _ in range(_MOST_STEPS):
        off = distorted(camera, ideal) - seen
        if (np.abs(off) < close * 1e-3).all():
            return np.asarray(ideal)
        ideal = ideal - _solved(_slope(camera, ideal), off)
    off = np.abs(distorted(camera, ideal) - seen).max(axis=1)
    back = (off < close) & (np.linalg.det(_slope(camera, ideal)) > 0)
    return np.asarray(np.where(back[:, None], ideal, np.nan))


def distorted(camera: Camera, ideal: Floats) -> Floats:
    """Return Brown-Conrady's image of ideal tangents, as OpenCV orders the coefficients."""
    k1, k2, p1, p2, k3 = camera.distortion
    x, y = ideal[:, 0], ideal[:, 1]
    r2 = x * x + y * y
    radial = 1 + r2 * (k1 + r2 * (k2 + r2 * k3))
    image = np.empty_like(ideal)
    image[:, 0] = x * radial + 2 * p1 * x * y + p2 * (r2 + 2 * x * x)
    image[:, 1] = y * radial + p1 * (r2 + 2 * y * y) + 2 * p2 * x * y
    return image


def _slope(camera: Camera, ideal: Floats) -> Floats:
    """Return the derivative of `distorted` (n × 2 × 2: of image x and y, by ideal x and y)."""
    k1, k2, p1, p2, k3 = camera.distortion
    x, y = ideal[:, 0], ideal[:, 1]
    r2 = x * x + y * y
    radial = 1 + r2 * (k1 + r2 * (k2 + r2 * k3))
    grows = 2 * (k1 + r2 * (2 * k2 + r2 * 3 * k3))  # of radial by x is this times x
    slope = np.empty((len(ideal), 2, 2))
    slope[:, 0, 0] = radial + x * x * grows + 2 * p1 * y + 6 * p2 * x
    slope[:, 1, 1] = radial + y * y * grows + 6 * p1 * y + 2 * p2 * x
    slope[:, 0, 1] = slope[:, 1, 0] = x * y * grows + 2 * p1 * x + 2 * p2 * y
    return slope


def _solved(slope: Floats, off: Floats) -> Floats:
    """Return each 2 × 2 system's solution, none where it is singular."""
    a, b, d = slope[:, 0, 0], slope[:, 0, 1], slope[:, 1, 1]
    det = a * d - b * b
    det = np.where(np.abs(det) < 1e-9, np.inf, det)
    return np.column_stack([d * off[:, 0] - b * off[:, 1], a * off[:, 1] - b * off[:, 0]]) / det[:, None]
