"""A river straightened: every pixel of a chart by metres down the middle line and metres to its left.

What flows along a bank becomes a streak along one axis, and water up- and downstream of a place can be
compared at the same distance from the bank, where depth, shade and reflections are alike.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from shapely import get_x, get_y, line_interpolate_point, line_locate_point, points
from shapely.geometry import LineString

from missions.geo import Floats
from missions.layers import River
from vision.chart import Grid, Mask

CELL_M = 1.0


@dataclass(frozen=True, slots=True, eq=False)
class Reach:
    """Cells of a river, rows down its line from `first_m`, columns across it from the right bank.

    They go `reach_m` to either side. `values` are means of the pixels in a cell, (rows, columns, bands),
    `counts` how many those are, `moved` by how many columns a row was shifted to straighten a bank.
    """

    first_m: float
    reach_m: float
    values: Floats
    counts: npt.NDArray[np.int64]
    moved: npt.NDArray[np.int64] | None = None

    @property
    def known(self) -> Mask:
        return np.asarray(self.counts > 0)

    def row_of(self, station_m: float) -> int:
        """Return the row of a place down the line; may lie outside."""
        return round((station_m - self.first_m) / CELL_M)


def station_left(river: River, grid: Grid, pixels: Floats) -> tuple[Floats, Floats]:
    """Return metres down a river's line and to its left for rows of (x, y) of a grid."""
    side = grid.pixel_m
    line = LineString(grid.line(river.line) * [side, -side])
    at = points(pixels * [side, -side])
    station = line_locate_point(line, at)
    foot = line_interpolate_point(line, station)
    ahead = line_interpolate_point(line, np.minimum(station + 1.0, line.length))
    behind = line_interpolate_point(line, np.maximum(station - 1.0, 0.0))
    east, north = get_x(ahead) - get_x(behind), get_y(ahead) - get_y(behind)
    x, y = get_x(at) - get_x(foot), get_y(at) - get_y(foot)
    left = (east * y - north * x) / np.maximum(np.hypot(east, north), 1e-9)
    return np.asarray(station), np.asarray(left)


def straightened(
    river: River,
    grid: Grid,
    values: npt.NDArray[Any],
    seen: Mask,
    *,
    between_m: tuple[float, float],
    reach_m: float,
) -> Reach | None:
    """Return a reach between two places down a river's line, None where nothing of it is seen."""
    bands = values if values.ndim == 3 else values[..., None]
    rows, columns = np.nonzero(seen)
    station, left = station_left(river, grid, np.column_stack([columns + 0.5, rows + 0.5]))
    half = reach_m
    inside = (station > between_m[0]) & (station < between_m[1]) & (np.abs(left) < half)
    if not inside.any():
        return None
    down = ((station[inside] - between_m[0]) / CELL_M).astype(int)
    across = ((left[inside] + half) / CELL_M).astype(int)
    shape = (int((between_m[1] - between_m[0]) / CELL_M) + 1, int(2 * half / CELL_M) + 1)
    cell = down * shape[1] + across
    counts = np.bincount(cell, minlength=shape[0] * shape[1])
    picked = bands[rows[inside], columns[inside]].astype(float)
    sums = [np.bincount(cell, picked[:, b], minlength=len(counts)) for b in range(bands.shape[2])]
    means = np.stack(sums, axis=-1) / np.maximum(counts, 1)[:, None]
    return Reach(between_m[0], reach_m, means.reshape(*shape, -1), counts.reshape(shape))
