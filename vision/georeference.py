"""From a pixel to the ground and back, and how far to trust the answer.

A pixel becomes a ray (`pinhole.py`), the ray walks over the elevation model until
it dips below it, and the crossing is refined. The answer carries the 95 % ellipse
that the errors of the pose give it (`uncertainty.py`).
"""

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol

import numpy as np
import numpy.typing as npt

from missions.geo import Floats, LatLon
from missions.model import Camera, CameraPose
from vision.model import Ellipse, Sight
from vision.pinhole import project, rays
from vision.tangent import Tangent
from vision.uncertainty import PIXEL_ERROR_PX, covariance, moves, sight, to_ellipse

MAX_RANGE_M = 5000.0
"""Beyond this a ray is said to meet no ground: half a degree of tilt is then 44 m and more."""

_PAST_THE_LENS = "the pixel lies so far out that the lens's distortion cannot be undone there"
_MAX_STEPS = 1024
_REFINEMENTS, _REFINED_STEPS = 3, 33
_HOLLOW_M = 20.0  # ground that lies deeper than any of the 500 m grid that the first look samples


class Ground(Protocol):
    """Where a height above sea level comes from: an elevation model or an assumption."""

    @property
    def source(self) -> str: ...

    @property
    def resolution_m(self) -> float: ...

    @property
    def error_m(self) -> float: ...

    def elevation_m(self, lat_deg: npt.ArrayLike, lon_deg: npt.ArrayLike) -> Floats: ...

    def __hash__(self) -> int: ...


@dataclass(frozen=True, slots=True)
class FlatGround:
    """Level ground, for want of an elevation model; in open country it rises and falls by `error_m`."""

    height_m: float
    source: str = "level ground at take-off height"
    resolution_m: float = 30.0
    error_m: float = 5.0

    def elevation_m(self, lat_deg: npt.ArrayLike, lon_deg: npt.ArrayLike) -> Floats:
        """Return the one height, in the shape asked for."""
        return np.full(np.broadcast(np.asarray(lat_deg), np.asarray(lon_deg)).shape, self.height_m)


@dataclass(frozen=True, slots=True)
class Located:
    """A pixel's place on the ground; `distance_m` is along the ray, `pixel_m2` what one pixel covers.

    `sight` tells the ellipse apart into its causes, so that looks can be fused.
    """

    place: LatLon
    ellipse: Ellipse
    sight: Sight
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
    directions = rays(camera, pose, pixels)
    hits = intersect(pose, directions, ground=ground)
    return [
        Unplaced(_PAST_THE_LENS)
        if math.isnan(directions[i, 0])
        else _located(camera, pose, pixels[i], hits.one(i), ground=ground)
        for i in range(len(pixels))
    ]


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


def to_pixel(
    camera: Camera, pose: CameraPose, place: LatLon, *, elevation_m: float
) -> tuple[float, float] | None:
    """Return the pixel that shows a ground point, None when it lies behind the camera.

    The pixel may lie outside the picture. Nothing is said of hills in between.
    """
    point = _tangent(pose).local(place.lat_deg, place.lon_deg, elevation_m)
    return project(camera, pose, point)


def intersect(pose: CameraPose, directions: Floats, *, ground: Ground) -> Hits:
    """Return where rays (unit vectors from the camera) first dip below the ground.

    A ray that leaves the model before it meets the ground is marked so; one
    that meets none within `MAX_RANGE_M`, and one that is none (NaN), is only not found.
    """
    tangent = _tangent(pose)
    directions = np.where(np.isnan(directions), (0.0, 0.0, 1.0), directions)

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


def no_ground(left_model: bool, ground: Ground) -> str:
    """Return why a ray met no ground."""
    if left_model:
        return (
            f"the line of sight leaves {ground.source}, or crosses a hole in it, before it meets the ground"
        )
    return f"the line of sight meets no ground within {MAX_RANGE_M / 1000:.0f} km: it looks over the horizon"


def _located(
    camera: Camera, pose: CameraPose, pixel: Floats, hit: Hits, *, ground: Ground
) -> Located | Unplaced:
    """Return one pixel's answer from its hit."""
    if not hit.found[0]:
        return Unplaced(no_ground(bool(hit.left_model[0]), ground))
    tangent = _tangent(pose)
    normal = _normal(tangent, hit.point_m[0], ground)
    if normal is None:
        return Unplaced(f"the place lies on the edge of {ground.source}")
    moved = moves(camera, pose, pixel, hit.point_m[0], normal)
    if moved is None:
        return Unplaced("the pixel looks so flat over the ground that its place would be a guess")
    across, along = moved[6] / PIXEL_ERROR_PX, moved[7] / PIXEL_ERROR_PX
    lat, lon, height = (float(v) for v in tangent.geodetic(hit.point_m[0]))
    ray = hit.point_m[0]
    seen = sight(pose, moved, lean=ray[:2] / (ray @ normal), ground_error_m=ground.error_m)
    return Located(
        place=LatLon(lat, lon),
        ellipse=to_ellipse(covariance(seen)),
        sight=seen,
        elevation_m=height,
        distance_m=float(np.linalg.norm(hit.point_m[0])),
        pixel_m2=float(abs(across[0] * along[1] - across[1] * along[0])),
    )


def _normal(tangent: Tangent, point: Floats, ground: Ground) -> Floats | None:
    """Return the upward normal of the ground near a local point, None at the model's edge."""
    d = ground.resolution_m / 2
    lat, lon, _ = tangent.geodetic(point + d * np.array([[1, 0, 0], [-1, 0, 0], [0, 1, 0], [0, -1, 0]]))
    height = ground.elevation_m(lat, lon)
    if not np.isfinite(height).all():
        return None
    return np.array([(height[1] - height[0]) / (2 * d), (height[3] - height[2]) / (2 * d), 1.0])


def _first_ranges(pose: CameraPose, directions: Floats, ground: Ground) -> Floats:
    """Return the ranges (rays × steps) to look at first: two a pixel of the model, to the deepest ground."""
    depth = _depth_m(pose.place, pose.altitude_m, ground)
    level = np.hypot(directions[:, 0], directions[:, 1])
    down = np.maximum(-directions[:, 2], 1e-9)
    deepest = np.minimum((depth + _HOLLOW_M) / down, MAX_RANGE_M / np.maximum(level, 1e-3))
    count = math.ceil(float((level * deepest).max()) / (ground.resolution_m / 2))
    return np.asarray(np.linspace(0.0, 1.0, min(max(count, 8), _MAX_STEPS)) * deepest[:, None])


@lru_cache(maxsize=8)  # the footprint, the detections and their outlines ask for the same camera
def _depth_m(place: LatLon, altitude_m: float, ground: Ground) -> float:
    """Return how far the deepest ground within range lies below the camera's level."""
    spread = np.linspace(-MAX_RANGE_M, MAX_RANGE_M, 21)
    east, north = np.meshgrid(spread, spread)
    level = np.stack([east, north, np.zeros_like(east)], axis=-1)
    lat, lon, sea = Tangent(place, altitude_m).geodetic(level)
    return float(np.nanmax(sea - ground.elevation_m(lat, lon)))


def _bracket(steps: Floats, over: Floats) -> tuple[Floats, Floats, npt.NDArray[np.bool_]]:
    """Return the ranges before and after each ray's first dip, and whether it dips inside the model."""
    under = over <= 0
    first = np.argmax(under, axis=1)
    gone = np.isnan(over) & (np.arange(over.shape[1]) < first[:, None])
    rows = np.arange(len(over))
    return steps[rows, np.maximum(first - 1, 0)], steps[rows, first], under.any(axis=1) & ~gone.any(axis=1)


def _tangent(pose: CameraPose) -> Tangent:
    return Tangent(pose.place, pose.altitude_m)
