"""A frame laid on the ground by its pose and the elevation model: the chart of one look.

Every eighth pixel of the ground is projected exactly, those between by straight lines: on ground as rough
as elevation models are, that is a small part of a pixel. What stands up (trees, houses) leans away from
the camera, as in any picture; who compares two looks has to allow for it.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
from scipy.ndimage import map_coordinates

from missions.geo import Floats, LatLon
from missions.model import Camera, CameraPose
from vision.chart import RGB, Chart, Grid, Mask, grid_around
from vision.footprint import footprint
from vision.frame import Frame
from vision.georeference import Ground, Unplaced
from vision.pinhole import basis, distorted
from vision.tangent import Tangent

STEPS_M = (0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 5.0)
MOST_SIDE_PX = 900
FLATTEST = 0.34
"""A pixel that looks less than 20° down shows ground too coarsely to be compared."""

_NODE_PX = 8


@dataclass(frozen=True, slots=True, eq=False)
class Projection:
    """Where each pixel of a grid of ground lies in a picture (x, y), and whether the picture shows it."""

    grid: Grid
    x_px: npt.NDArray[np.float32]
    y_px: npt.NDArray[np.float32]
    seen: Mask

    def onto(self, raster: npt.NDArray[Any], *, nearest: bool = False) -> npt.NDArray[Any]:
        """Return a raster of the picture on the ground; where it shows none, zero."""
        how = cv2.INTER_NEAREST if nearest else cv2.INTER_LINEAR
        return np.asarray(cv2.remap(np.asarray(raster), self.x_px - 0.5, self.y_px - 0.5, how))

    def to_picture(self, ring: Floats) -> Floats:
        """Return the picture's pixels of rows of (x, y) in the grid."""
        at = np.asarray(ring, float).reshape(-1, 2).T[::-1] - 0.5
        columns = [map_coordinates(v, at, order=1, mode="nearest") for v in (self.x_px, self.y_px)]
        return np.column_stack(columns).astype(float)


def rectified(frame: Frame, ground: Ground, *, pixel_m: float | None = None) -> Chart | Unplaced:
    """Return the chart of the ground that a colour frame shows, or why there is none."""
    laid = projected(frame, ground, pixel_m=pixel_m)
    if isinstance(laid, Unplaced):
        return laid
    return chart_of(frame, laid)


def chart_of(frame: Frame, laid: Projection) -> Chart:
    """Return the chart of a frame of colour, or of grey told as colour, that is laid on the ground."""
    assert frame.pixels is not None
    colour = frame.pixels if frame.pixels.ndim == 3 else frame.pixels[..., None].repeat(3, axis=2)
    return Chart(laid.grid, laid.onto(colour), laid.seen, RGB, frame.shot.file, frame.shot.taken_at)


def projected(frame: Frame, ground: Ground, *, pixel_m: float | None = None) -> Projection | Unplaced:
    """Return where the ground that a frame shows lies in it; without `pixel_m` about as fine as the frame."""
    pose, camera = frame.shot.pose, frame.shot.camera
    if pose is None:
        return Unplaced(frame.unplaced or "the picture has no pose")
    ring = footprint(camera, pose, ground=ground)
    if isinstance(ring, Unplaced):
        return ring
    near = _near(ring, pose, ground)
    if len(near) < 3:
        return Unplaced("the picture looks too flat over the ground to be laid on it")
    side = pixel_m or step_m(near, camera, pose, ground)
    return over(frame, ground, grid_around(near, pixel_m=side))


def over(frame: Frame, ground: Ground, grid: Grid) -> Projection | Unplaced:
    """Return where a given grid of ground lies in a frame."""
    pose, camera = frame.shot.pose, frame.shot.camera
    if pose is None:
        return Unplaced(frame.unplaced or "the picture has no pose")
    columns, rows = math.ceil(grid.width / _NODE_PX) + 2, math.ceil(grid.height / _NODE_PX) + 2
    across, down = np.meshgrid((np.arange(columns) - 0.5) * _NODE_PX, (np.arange(rows) - 0.5) * _NODE_PX)
    lat, lon = grid.to_places(np.column_stack([across.ravel(), down.ravel()]))
    height = ground.elevation_m(lat, lon)
    if not np.isfinite(height).any():
        return Unplaced(f"{ground.source} does not cover the ground that the picture shows")
    points = Tangent(pose.place, pose.altitude_m).local(lat, lon, np.nan_to_num(height, nan=-1e4))
    pixels, ahead = to_pixels(camera, pose, points)
    sight = -points[:, 2] / np.maximum(np.linalg.norm(points, axis=1), 1e-6)
    good = np.isfinite(height) & ahead & (sight > FLATTEST)
    nodes = np.where(good[:, None], pixels, -1e5).reshape(rows, columns, 2).astype(np.float32)
    whole = good.reshape(rows, columns).astype(np.float32)
    x, y, known = (_finer(nodes[..., 0], grid), _finer(nodes[..., 1], grid), _finer(whole, grid))
    inside = (x >= 0.5) & (x <= camera.width_px - 0.5) & (y >= 0.5) & (y <= camera.height_px - 0.5)
    seen = inside & (known > 0.999)
    return Projection(grid, x, y, seen) if seen.any() else Unplaced("the picture shows none of the ground")


def step_m(places: Sequence[LatLon], camera: Camera, pose: CameraPose, ground: Ground) -> float:
    """Return a pixel's side on the ground: as fine as the frame, in steps that frames share, and no larger
    a grid than can be looked at quickly."""
    below = float(ground.elevation_m(pose.place.lat_deg, pose.place.lon_deg))
    fine = max(camera.gsd_m(max(pose.altitude_m - below, 1.0)), 1e-3) * 1.5
    tangent = Tangent(places[0], 0.0)
    local = tangent.local([p.lat_deg for p in places], [p.lon_deg for p in places], 0.0)
    longest = float(np.ptp(local[:, :2], axis=0).max())
    wanted = max(fine, longest / MOST_SIDE_PX)
    return next((s for s in STEPS_M if s >= wanted), wanted)


def _near(ring: Sequence[LatLon], pose: CameraPose, ground: Ground) -> list[LatLon]:
    """Return the corners of the ground seen, those too far away drawn in to where it is seen well enough."""
    tangent = Tangent(pose.place, pose.altitude_m)
    height = ground.elevation_m([p.lat_deg for p in ring], [p.lon_deg for p in ring])
    points = tangent.local([p.lat_deg for p in ring], [p.lon_deg for p in ring], height)
    points = points[np.isfinite(points).all(axis=1)]
    if not len(points):
        return []
    level = np.hypot(points[:, 0], points[:, 1])
    reach = -points[:, 2] * math.sqrt(1 / FLATTEST**2 - 1)
    drawn = points * np.minimum(1.0, reach / np.maximum(level, 1e-6))[:, None]
    drawn[:, 2] = points[:, 2]
    lat, lon, _ = tangent.geodetic(drawn)
    return [LatLon(float(a), float(b)) for a, b in zip(lat, lon, strict=True)]


def to_pixels(camera: Camera, pose: CameraPose, points: Floats) -> tuple[Floats, npt.NDArray[np.bool_]]:
    """Return the pixels of points (east, north, up from the camera) and which of them lie ahead."""
    right, down, forward = (points @ basis(pose).T).T
    ahead = forward > 0.1
    far = np.where(ahead, forward, 1.0)
    ideal = np.column_stack([right / far, down / far])
    ahead &= np.abs(ideal).max(axis=1) < 3.0
    image = distorted(camera, np.where(ahead[:, None], ideal, 0.0))
    return image * camera.focal_px + (camera.centre_x_px, camera.centre_y_px), ahead


def _finer(nodes: npt.NDArray[np.float32], grid: Grid) -> npt.NDArray[np.float32]:
    """Return a value for every pixel of a grid from those at its nodes."""
    rows, columns = nodes.shape
    large = cv2.resize(nodes, (columns * _NODE_PX, rows * _NODE_PX), interpolation=cv2.INTER_LINEAR)
    return np.asarray(large[_NODE_PX : _NODE_PX + grid.height, _NODE_PX : _NODE_PX + grid.width], np.float32)
