"""What covers the ground where: signed distances to forest, water, roads and villages.

Each kind is a grid of metres to its border, positive inside, at 2 m steps.
Distances stay smooth between the steps, so a border drawn from them is sharp
at any scale, and a little noise added to them makes it look grown.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from shapely.geometry import MultiPolygon, Polygon
from shapely.geometry.base import BaseGeometry
from shapely.ops import unary_union

from sim.landscape import Landscape, Road
from sim.relief import Relief
from sim.textures import Pixels

STEP_M = 2.0
STEEP = 0.16  # rise per metre from which nobody ploughs: the wood stays
CLEARED_M = 9.0  # each side of a power line through a wood (GB 50545 asks for falling distance)
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
        lines = [[(p.east_m, p.north_m) for p in span] for span in landscape.spans]
        cleared = np.zeros(grid.shape, np.uint8)
        for line in lines:
            cv2.polylines(cleared, [grid.to_pixels(np.array(line))], False, 1, int(2 * CLEARED_M / STEP_M))
        wooded = grid.mask(unary_union(landscape.compartments)) | _steep(relief, grid.shape)
        tame = grid.mask(unary_union([v.buffer(12.0) for v in landscape.villages]))
        return cls(
            grid.west_m,
            grid.north_m,
            water=_distance(grid.mask(landscape.water)),
            forest=_distance(wooded & ~tame & 1),
            paved=_distance(grid.mask(_surface(landscape.roads, paved=True))),
            track=_distance(grid.mask(_surface(landscape.roads, paved=False))),
            village=_distance(grid.mask(unary_union(landscape.villages))),
            cleared=_distance(cleared),
        )


class _Grid:
    """The cover's grid over the whole relief."""

    def __init__(self, relief: Relief) -> None:
        self.west_m, self.north_m = relief.west_m, relief.north_end_m
        width = int((relief.east_end_m - relief.west_m) / STEP_M)
        self.shape = (int((relief.north_end_m - relief.south_m) / STEP_M), width)

    def to_pixels(self, points: Pixels) -> Pixels:
        pixels = np.column_stack([points[:, 0] - self.west_m, self.north_m - points[:, 1]]) / STEP_M - 0.5
        return np.round(pixels).astype(np.int32)

    def mask(self, shape: BaseGeometry) -> Pixels:
        """Return 1 inside a polygon or several, 0 outside."""
        mask = np.zeros(self.shape, np.uint8)
        for part in shape.geoms if isinstance(shape, MultiPolygon) else [shape]:
            if isinstance(part, Polygon) and not part.is_empty:
                cv2.fillPoly(mask, [self.to_pixels(np.array(part.exterior.coords)[:, :2])], 1)
                for hole in part.interiors:
                    cv2.fillPoly(mask, [self.to_pixels(np.array(hole.coords)[:, :2])], 0)
        return mask


def _surface(roads: tuple[Road, ...], *, paved: bool) -> BaseGeometry:
    return unary_union([r.line.buffer(r.half_width_m) for r in roads if r.paved is paved] or [Polygon()])


def _steep(relief: Relief, shape: tuple[int, int]) -> Pixels:
    """Return where the ground, smoothed over three steps, is too steep for fields."""
    smooth = cv2.GaussianBlur(np.flipud(relief.heights_m).astype(np.float32), (0, 0), 1.5)
    rise = np.hypot(*np.gradient(smooth, relief.step_m)).astype(np.float32)
    return (cv2.resize(rise, shape[::-1], interpolation=cv2.INTER_LINEAR) > STEEP).astype(np.uint8)


def _distance(mask: Pixels) -> Pixels:
    if not mask.any():
        return np.full(mask.shape, OUTSIDE_M, np.float32)
    inside = cv2.distanceTransform(mask, cv2.DIST_L2, 5)
    outside = cv2.distanceTransform(1 - mask, cv2.DIST_L2, 5)
    # A pixel beside the border is half a pixel away from it, on either side.
    return np.asarray((np.maximum(inside - 0.5, 0) - np.maximum(outside - 0.5, 0)) * STEP_M, np.float32)
