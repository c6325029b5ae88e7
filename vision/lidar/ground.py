"""The ground under a point cloud, from the points alone.

The lowest point of each cell is ground or something low; an opening over a window wider than a house
or a crown takes away what rises out of its surroundings. What is left is within decimetres of the
ground in open country and some metres low on steep slopes, which is all that is needed here: to
tell what stands high, and to say how high a wire hangs.
"""

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from missions.geo import Floats

CELL_M = 2.0
WINDOW_M = 26.0
GAP_M = 100.0
"""Ground farther than this from any point that showed it is not known."""


@dataclass(frozen=True, slots=True, eq=False)
class GroundGrid:
    """Ground heights by cell; the first cell begins at `east_m`, `north_m`."""

    east_m: float
    north_m: float
    heights_m: Floats

    def height_m(self, points_m: Floats) -> Floats:
        """Return the ground's height under points, (n, 2) or wider; beyond the edge the edge's."""
        rows, columns = self.heights_m.shape
        i = np.clip(((points_m[:, 0] - self.east_m) / CELL_M).astype(int), 0, rows - 1)
        j = np.clip(((points_m[:, 1] - self.north_m) / CELL_M).astype(int), 0, columns - 1)
        return np.asarray(self.heights_m[i, j])


def ground_of(points_m: Floats) -> GroundGrid:
    """Return the ground under points, (n, 3)."""
    west, south = points_m[:, :2].min(axis=0)
    cells = ((points_m[:, :2] - [west, south]) / CELL_M).astype(int)
    rows, columns = cells.max(axis=0) + 1
    lowest = np.full(rows * columns, np.inf)
    np.minimum.at(lowest, cells[:, 0] * columns + cells[:, 1], points_m[:, 2])
    grid = lowest.reshape(rows, columns)
    empty = ~np.isfinite(grid)
    nearest = ndimage.distance_transform_edt(empty, return_distances=False, return_indices=True)
    filled = grid[tuple(nearest)]
    window = int(WINDOW_M / CELL_M) | 1
    return GroundGrid(float(west), float(south), ndimage.grey_opening(filled, size=(window, window)))
