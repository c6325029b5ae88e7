"""What covers the ground where: signed distances to forest, water, roads and villages.

Each kind is a grid of metres to its border, positive inside, at 2 m steps.
Distances stay smooth between the steps, so a border drawn from them is sharp
at any scale, and a little noise added to them makes it look grown.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt
from shapely import distance, points
from shapely.geometry import LineString, MultiPolygon, Polygon
from shapely.geometry.base import BaseGeometry
from shapely.ops import unary_union

from missions.geo import Floats
from sim.landscape import Landscape
from sim.relief import Relief
from sim.textures import Pixels

Mask = npt.NDArray[np.uint8]

STEP_M = 2.0
STEEP = 0.16  # rise per metre from which nobody ploughs: the wood stays
CLEARED_M = 9.0  # each side of a power line through a wood (GB 50545 asks for falling distance)
FAR_M = 30.0  # strips are not told apart beyond this
OUTSIDE_M = -1000.0


@dataclass(frozen=True, slots=True, eq=False)
class Cover:
    """Metres inside each kind of ground; row 0 is the northern one."""

    west_m: float
    north_m: float
    water: Pixels
    forest: Pixels
    paved: Pixels
    track: Pixels
    village: Pixels
    cleared: Pixels

    @classmethod
    def of(cls, landscape: Landscape, relief: Relief) -> "Cover":
        """Return the cover of a landscape."""
        grid = _Grid(relief)
        lines = [LineString([(p.east_m, p.north_m) for p in span]) for span in landscape.spans]
        wooded = grid.mask(unary_union(landscape.compartments)) | _steep(relief, grid.shape)
        tame = grid.mask(unary_union([v.buffer(12.0) for v in landscape.villages]))
        return cls(
            grid.west_m,
            grid.north_m,
            water=grid.inside_lines(landscape.rivers),
            forest=_distance(wooded & (1 - tame)),
            paved=grid.inside_lines([(r.line, r.half_width_m) for r in landscape.roads if r.paved]),
            track=grid.inside_lines([(r.line, r.half_width_m) for r in landscape.roads if not r.paved]),
            village=_distance(grid.mask(unary_union(landscape.villages))),
            cleared=grid.inside_lines([(line, CLEARED_M) for line in lines]),
        )


class _Grid:
    """The cover's grid over the whole relief."""

    def __init__(self, relief: Relief) -> None:
        self.west_m, self.north_m = relief.west_m, relief.north_end_m
        width = int((relief.east_end_m - relief.west_m) / STEP_M)
        self.shape = (int((relief.north_end_m - relief.south_m) / STEP_M), width)

    def to_pixels(self, ring: Floats) -> npt.NDArray[np.int32]:
        pixels = np.column_stack([ring[:, 0] - self.west_m, self.north_m - ring[:, 1]]) / STEP_M - 0.5
        return np.round(pixels).astype(np.int32)

    def inside_lines(self, lines: Iterable[tuple[LineString, float]]) -> Pixels:
        """Return metres inside strips around lines: exact near a strip, and only said to be far elsewhere.

        Strips are narrower than a few grid steps, where distances between the centres of
        pixels would make their borders scalloped.
        """
        inside = np.full(self.shape, -FAR_M, np.float32)
        for line, half_width_m in lines:
            rows, columns = np.nonzero(self.mask(line.buffer(half_width_m + FAR_M)))
            east = self.west_m + (columns + 0.5) * STEP_M
            north = self.north_m - (rows + 0.5) * STEP_M
            exact = half_width_m - distance(points(east, north), line)
            inside[rows, columns] = np.maximum(inside[rows, columns], exact)
        return inside

    def mask(self, shape: BaseGeometry) -> Mask:
        """Return 1 inside a polygon or several, 0 outside."""
        mask = np.zeros(self.shape, np.uint8)
        for part in shape.geoms if isinstance(shape, MultiPolygon) else [shape]:
            if isinstance(part, Polygon) and not part.is_empty:
                cv2.fillPoly(mask, [self.to_pixels(np.array(part.exterior.coords)[:, :2])], 1)
                for hole in part.interiors:
                    cv2.fillPoly(mask, [self.to_pixels(np.array(hole.coords)[:, :2])], 0)
        return mask


def _steep(relief: Relief, shape: tuple[int, int]) -> Mask:
    """Return where the ground, smoothed over three steps, is too steep for fields."""
    smooth = cv2.GaussianBlur(np.flipud(relief.heights_m).astype(np.float32), (0, 0), 1.5)
    rise = np.hypot(*np.gradient(smooth, relief.step_m)).astype(np.float32)
    fine = cv2.resize(rise, shape[::-1], interpolation=cv2.INTER_LINEAR)
    return np.asarray(np.asarray(fine) > STEEP, np.uint8)


def _distance(mask: Mask) -> Pixels:
    if not mask.any():
        return np.full(mask.shape, OUTSIDE_M, np.float32)
    inside = cv2.distanceTransform(mask, cv2.DIST_L2, 5)
    outside = cv2.distanceTransform(1 - mask, cv2.DIST_L2, 5)
    # A pixel beside the border is half a pixel away from it, on either side.
    return np.asarray((np.maximum(inside - 0.5, 0) - np.maximum(outside - 0.5, 0)) * STEP_M, np.float32)
