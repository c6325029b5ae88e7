"""From a pixel to the ground and back, and how far to trust the answer.

A pixel becomes a ray through the camera's pinhole (after undoing Brown-Conrady
distortion), the ray walks over the elevation model until it dips below it, and
the crossing is refined. Pixel coordinates are continuous: the first pixel covers 0 to 1, its middle is 0.5.
Angles are those of `missions.model.CameraPose`.

The error ellipse is first-order: the ground is the plane that touches it at the
hit, each part of the pose is moved by one standard deviation both ways, and the
squares of what the ground point does add up.
"""

import math
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Protocol

import numpy as np
import numpy.typing as npt

from missions.geo import Area, Floats, LatLon
from missions.model import Camera, CameraPose
from vision.model import Ellipse
from vision.tangent import Tangent

MAX_RANGE_M = 5000.0
"""Beyond this a ray is said to meet no ground: half a degree of tilt is then 44 m and more."""

CHI2_95 = 5.991
"""Squared radius that holds 95 % of a two-dimensional normal distribution."""

PIXEL_ERROR_PX = 0.5
"""One standard deviation of a blob's middle, which is rarely where the source's middle is."""

_MAX_STEPS = 1024
_REFINEMENTS, _REFINED_STEPS = 3, 33
_HOLLOW_M = 20.0  # ground that lies deeper than any of the 500 m grid that the first look samples
_GUESS = 4.0  # a deviation that carries the hit this many times as far makes it a guess
_FOOT_COLUMNS, _FOOT_ROWS = 9, 33


class Ground(Protocol):
    """Where a height above sea level comes from: an elevation model or an assumption."""

    @property
    def source(self) -> str: ...

    @property
    def resolution_m(self) -> float: ...

    def elevation_m(self, lat_deg: npt.ArrayLike, lon_deg: npt.ArrayLike) -> Floats: ...


@dataclass(frozen=True, slots=True)
class FlatGround:
    """Level ground, for want of an elevation model."""

    height_m: float
    source: str = "level ground at take-off height"
    resolution_m: float = 30.0

    def elevation_m(self, lat_deg: npt.ArrayLike, lon_deg: npt.ArrayLike) -> Floats:
        """Return the one height, in the shape asked for."""
        return np.full(np.broadcast(np.asarray(lat_deg), np.asarray(lon_deg)).shape, self.height_m)


@dataclass(frozen=True, slots=True)
class Located:
    """A pixel's place on the ground; `distance_m` is along the ray, `pixel_m2` what one pixel covers."""

    place: LatLon
    ellipse: Ellipse
    elevation_m: float
    distance_m: float
    pixel_m2: float


@dataclass(frozen=True, slots=True)
class Unplaced:
    """Why a pixel has no place on the ground, as a plain sentence."""

    reason: str


@dataclass(frozen=True, slots=True, eq=False)
class Hits:
    """Where many rays met the ground.

    `point_m` holds east, north and up from the camera, NaN where a ray met
    nothing; `left_model` marks the rays that ran out of the elevation model.
    """

    point_m: Floats
    left_model: npt.NDArray[np.bool_]

    @property
    def found(self) -> npt.NDArray[np.bool_]:
        return np.isfinite(self.point_m[:, 0])

    def one(self, i: int) -> "Hits":
        """Return one ray's hit."""
        return Hits(self.point_m[i : i + 1], self.left_model[i : i + 1])


def locate(
    camera: Camera, pose: CameraPose, x_px: float, y_px: float, *, ground: Ground
) -> Located | Unplaced:
    """Return where a pixel lies on the ground with its 95 % ellipse, or why it cannot be told."""
    return locate_many(camera, pose, np.array([[x_px, y_px]]), ground=ground)[0]


def locate_many(
    camera: Camera, pose: CameraPose, pixels: Floats, *, ground: Ground
) -> list[Located | Unplaced]:
    """Return the places of many pixels (rows of x, y), one answer a row."""
    if reason := unusable(camera, pose, ground):
        return [Unplaced(reason)] * len(pixels)
    hits = intersect(pose, rays(camera, pose, pixels), ground=ground)
    return [_located(camera, pose, pixels[i], hits.one(i), ground=ground) for i in range(len(pixels))]


def unusable(camera: Camera, pose: CameraPose, ground: Ground) -> str | None:
    """Return why no pixel of this picture can be placed, or None when some may."""
    if not math.isfinite(camera.focal_px):
        return "the camera's field of view is not known: neither the file nor the table of cameras tells it"
    below = float(ground.elevation_m(pose.place.lat_deg, pose.place.lon_deg))
    if math.isnan(below):
        return f"{ground.source} does not cover the place of the camera"
    if pose.altitude_m <= below:
        return (
            f"the file puts the camera {pose.altitude_m:.0f} m above sea level, "
            f"{below - pose.altitude_m:.0f} m under the ground of {ground.source}: "
            "its height cannot be trusted"
        )
    return None


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


def to_pixel(
    camera: Camera, pose: CameraPose, place: LatLon, *, elevation_m: float
) -> tuple[float, float] | None:
    """Return the pixel that shows a ground point, None when it lies behind the camera.

    The pixel may lie outside the picture. Nothing is said of hills in between.
    """
    point = _tangent(pose).local(place.lat_deg, place.lon_deg, elevation_m)
    right, down, forward = basis(pose) @ point
    if forward <= 0:
        return None
    x, y = _distorted(camera, np.array([[right / forward, down / forward]]))[0]
    return float(x * camera.focal_px + camera.centre_x_px), float(y * camera.focal_px + camera.centre_y_px)


def intersect(pose: CameraPose, directions: Floats, *, ground: Ground) -> Hits:
    """Return where rays (unit vectors from the camera) first dip below the ground.

    A ray that leaves the model before it meets the ground is marked so; one
    that meets none within `MAX_RANGE_M` is only not found.
    """
    tangent = _tangent(pose)

    def height_over_ground(t: Floats) -> Floats:
        """Return how far points at ranges t (rays × steps) lie above the ground."""
        lat, lon, height = tangent.geodetic(directions[:, None, :] * t[:, :, None])
        return height - ground.elevation_m(lat, lon)

    steps = _first_ranges(pose, directions, ground)
    over = height_over_ground(steps)
    near, far, found = _bracket(steps, over)
    left_model = np.isnan(over).any(axis=1) & ~found
    for _ in range(_REFINEMENTS):
        steps = np.linspace(near, far, _REFINED_STEPS, axis=1)
        near, far, _ = _bracket(steps, height_over_ground(steps))
    reach = np.where(found, (near + far) / 2, np.nan)
    return Hits(directions * reach[:, None], left_model)


def footprint(camera: Camera, pose: CameraPose, *, ground: Ground) -> tuple[LatLon, ...] | Unplaced:
    """Return the ring of ground a picture shows, clockwise from its top left, or why there is none.

    Where the top of the picture looks over the horizon or out of the model, the
    ring ends at the last ground seen in each column, within `MAX_RANGE_M`.
    """
    if reason := unusable(camera, pose, ground):
        return Unplaced(reason)
    hits = intersect(pose, rays(camera, pose, _border(camera)), ground=ground)
    if hits.found.all():
        return _places(pose, hits.point_m)
    xs, ys = np.linspace(0, camera.width_px, _FOOT_COLUMNS), np.linspace(0, camera.height_px, _FOOT_ROWS)
    grid = np.stack(np.meshgrid(xs, ys), axis=-1).reshape(-1, 2)
    hits = intersect(pose, rays(camera, pose, grid), ground=ground)
    if not hits.found.any():
        return Unplaced(_no_ground(bool(hits.left_model.any()), ground))
    ring = _ring(hits.found.reshape(_FOOT_ROWS, _FOOT_COLUMNS))
    return _places(pose, hits.point_m[[row * _FOOT_COLUMNS + column for row, column in ring]])


def outline(camera: Camera, pose: CameraPose, pixels: Floats, *, ground: Ground) -> Area | None:
    """Return the ground inside an open ring of pixels, None unless every corner meets the ground."""
    hits = intersect(pose, rays(camera, pose, pixels), ground=ground)
    if len(pixels) < 3 or not hits.found.all():
        return None
    return Area(_places(pose, hits.point_m))


def _located(
    camera: Camera, pose: CameraPose, pixel: Floats, hit: Hits, *, ground: Ground
) -> Located | Unplaced:
    """Return one pixel's answer from its hit."""
    if not hit.found[0]:
        return Unplaced(_no_ground(bool(hit.left_model[0]), ground))
    tangent = _tangent(pose)
    normal = _normal(tangent, hit.point_m[0], ground)
    if normal is None:
        return Unplaced(f"the place lies on the edge of {ground.source}")
    moves = _moves(camera, pose, pixel, hit.point_m[0], normal)
    if moves is None:
        return Unplaced("the pixel looks so flat over the ground that its place would be a guess")
    across, along = moves[6] / PIXEL_ERROR_PX, moves[7] / PIXEL_ERROR_PX
    lat, lon, height = (float(v) for v in tangent.geodetic(hit.point_m[0]))
    return Located(
        place=LatLon(lat, lon),
        ellipse=to_ellipse(moves.T @ moves),
        elevation_m=height,
        distance_m=float(np.linalg.norm(hit.point_m[0])),
        pixel_m2=float(abs(across[0] * along[1] - across[1] * along[0])),
    )


def _moves(camera: Camera, pose: CameraPose, pixel: Floats, point: Floats, normal: Floats) -> Floats | None:
    """Return how the hit moves (east, north) with one deviation of each of the eight unknowns.

    The unknowns are east, north, up, heading, pitch, roll, x and y; the ground
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


def _deviated(camera: Camera, pose: CameraPose, pixel: Floats, sign: float) -> tuple[Floats, Floats]:
    """Return the origins and rays of a pixel when each of the eight unknowns is off by one deviation."""
    error = pose.error
    origins = np.zeros((8, 3))
    origins[:3] = np.diag((error.horizontal_m, error.horizontal_m, error.vertical_m)) * sign
    yaw, tilt = sign * error.yaw_deg, sign * error.tilt_deg
    turned = (
        replace(pose, heading_deg=pose.heading_deg + yaw),
        replace(pose, pitch_deg=pose.pitch_deg + tilt),
        replace(pose, roll_deg=pose.roll_deg + tilt),
    )
    pixels = np.stack([pixel, pixel, pixel, *(pixel + sign * PIXEL_ERROR_PX * np.eye(2))])
    straight = rays(camera, pose, pixels)
    return origins, np.concatenate(
        [straight[:3], *(rays(camera, p, pixel[None]) for p in turned), straight[3:]]
    )


def _normal(tangent: Tangent, point: Floats, ground: Ground) -> Floats | None:
    """Return the upward normal of the ground near a local point, None at the model's edge."""
    d = ground.resolution_m / 2
    lat, lon, _ = tangent.geodetic(point + d * np.array([[1, 0, 0], [-1, 0, 0], [0, 1, 0], [0, -1, 0]]))
    height = ground.elevation_m(lat, lon)
    if not np.isfinite(height).all():
        return None
    return np.array([(height[1] - height[0]) / (2 * d), (height[3] - height[2]) / (2 * d), 1.0])


def to_ellipse(covariance: Floats) -> Ellipse:
    """Return the 95 % ellipse of an (east, north) covariance in square metres."""
    values, vectors = np.linalg.eigh(covariance)
    minor, major = np.sqrt(np.maximum(values, 0.0) * CHI2_95)
    east, north = vectors[:, 1]
    return Ellipse(float(major), float(minor), math.degrees(math.atan2(east, north)) % 180.0)


def to_covariance(ellipse: Ellipse) -> Floats:
    """Return the (east, north) covariance in square metres of a 95 % ellipse."""
    bearing = math.radians(ellipse.bearing_deg)
    major = np.array([math.sin(bearing), math.cos(bearing)])
    minor = np.array([math.cos(bearing), -math.sin(bearing)])
    return np.asarray(
        (ellipse.major_m**2 * np.outer(major, major) + ellipse.minor_m**2 * np.outer(minor, minor)) / CHI2_95
    )


def _no_ground(left_model: bool, ground: Ground) -> str:
    if left_model:
        return f"the line of sight leaves {ground.source} before it meets the ground"
    return f"the line of sight meets no ground within {MAX_RANGE_M / 1000:.0f} km: it looks over the horizon"


def _first_ranges(pose: CameraPose, directions: Floats, ground: Ground) -> Floats:
    """Return the ranges (rays × steps) to look at first: two a pixel of the model, to the deepest ground."""
    spread = np.linspace(-MAX_RANGE_M, MAX_RANGE_M, 21)
    east, north = np.meshgrid(spread, spread)
    lat, lon, sea = _tangent(pose).geodetic(np.stack([east, north, np.zeros_like(east)], axis=-1))
    depth = float(np.nanmax(sea - ground.elevation_m(lat, lon)))
    level = np.hypot(directions[:, 0], directions[:, 1])
    down = np.maximum(-directions[:, 2], 1e-9)
    deepest = np.minimum((depth + _HOLLOW_M) / down, MAX_RANGE_M / np.maximum(level, 1e-3))
    count = math.ceil(float((level * deepest).max()) / (ground.resolution_m / 2))
    return np.asarray(np.linspace(0.0, 1.0, min(max(count, 8), _MAX_STEPS)) * deepest[:, None])


def _bracket(steps: Floats, over: Floats) -> tuple[Floats, Floats, npt.NDArray[np.bool_]]:
    """Return the ranges before and after each ray's first dip, and whether it dips inside the model."""
    under = over <= 0
    first = np.argmax(under, axis=1)
    gone = np.isnan(over) & (np.arange(over.shape[1]) < first[:, None])
    rows = np.arange(len(over))
    return steps[rows, np.maximum(first - 1, 0)], steps[rows, first], under.any(axis=1) & ~gone.any(axis=1)


def _tangent(pose: CameraPose) -> Tangent:
    return Tangent(pose.place, pose.altitude_m)


def _border(camera: Camera) -> Floats:
    """Return pixels around the picture's edge, clockwise from the top left, open."""
    corners = np.array([[0, 0], [1, 0], [1, 1], [0, 1], [0, 0]], dtype=float)
    sides = [np.linspace(a, b, 6)[:-1] for a, b in pairwise(corners)]
    return np.asarray(np.concatenate(sides) * (camera.width_px, camera.height_px))


def _places(pose: CameraPose, points: Floats) -> tuple[LatLon, ...]:
    lat, lon, _ = _tangent(pose).geodetic(points)
    return tuple(LatLon(float(a), float(b)) for a, b in zip(lat, lon, strict=True))


def _ring(found: npt.NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Return grid cells around the ground seen: along the top, down the right side, back, and up."""
    columns = [c for c in range(found.shape[1]) if found[:, c].any()]
    top = [(int(np.argmax(found[:, c])), c) for c in columns]
    bottom = [(found.shape[0] - 1 - int(np.argmax(found[::-1, c])), c) for c in columns]
    middle = slice(1, -1)
    right = [(r, columns[-1]) for r in _between(top[-1][0], bottom[-1][0])[middle]]
    left = [(r, columns[0]) for r in _between(top[0][0], bottom[0][0])[middle]]
    return top + right + bottom[::-1] + left[::-1]


def _between(first: int, last: int) -> list[int]:
    """Return five rows, evenly spread, both ends included."""
    return [round(first + (last - first) * i / 4) for i in range(5)]


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
