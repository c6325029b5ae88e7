"""The ground's shape in local metres: one regular grid of heights, bilinear between its points.

The simulator reads the site's elevation model once, through whatever gives
heights for places, and from then on works in east and north metres around the
site's origin. Heights are above mean sea level. Beyond the model the edge's
height goes on, so that a picture taken at the border has ground in its corner.
"""

import math
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from scipy.ndimage import distance_transform_edt

from missions.errors import InputWrong
from missions.geo import Floats, LocalFrame


class Heights(Protocol):
    """An elevation model: `bounds` is west, south, east, north in degrees."""

    @property
    def bounds(self) -> tuple[float, float, float, float]: ...
    @property
    def resolution_m(self) -> float: ...
    def elevation_m(self, lat_deg: Floats, lon_deg: Floats) -> Floats: ...


@dataclass(frozen=True, slots=True, eq=False)
class Relief:
    """Heights at `west_m + i * step_m`, `south_m + j * step_m`; row 0 is the southern one."""

    heights_m: Floats
    west_m: float
    south_m: float
    step_m: float

    @classmethod
    def sampled(cls, terrain: Heights, frame: LocalFrame) -> "Relief":
        """Return the whole elevation model resampled around the frame's origin.

        Raises:
            InputWrong: the model holds no height at all.
        """
        west, south, east, north = terrain.bounds
        x, y = frame.east_north([south, south, north, north], [west, east, west, east])
        step = max(terrain.resolution_m, 1.0)
        columns = np.arange(math.floor(x.min()), math.ceil(x.max()) + step, step)
        rows = np.arange(math.floor(y.min()), math.ceil(y.max()) + step, step)
        lat, lon = frame.lat_lon(*np.meshgrid(columns, rows))
        heights = np.asarray(terrain.elevation_m(lat, lon), dtype=float)
        return cls(_filled(heights), float(columns[0]), float(rows[0]), step)

    @property
    def east_end_m(self) -> float:
        return self.west_m + float(self.heights_m.shape[1] - 1) * self.step_m

    @property
    def north_end_m(self) -> float:
        return self.south_m + float(self.heights_m.shape[0] - 1) * self.step_m

    def height_m(self, east_m: Floats, north_m: Floats) -> Floats:
        """Return heights above sea level, in the shape given."""
        south_west, south_east, north_west, north_east, across, up = self._corners(east_m, north_m)
        lower = south_west + (south_east - south_west) * across
        upper = north_west + (north_east - north_west) * across
        return np.asarray(lower + (upper - lower) * up)

    def at(self, east_m: float, north_m: float) -> float:
        """Return the height above sea level of one point."""
        return float(self.height_m(np.array(east_m), np.array(north_m)))

    def slope_at(self, east_m: float, north_m: float) -> tuple[float, float]:
        """Return the rise per metre to the east and to the north, over one grid step."""
        half = self.step_m / 2
        return (
            (self.at(east_m + half, north_m) - self.at(east_m - half, north_m)) / self.step_m,
            (self.at(east_m, north_m + half) - self.at(east_m, north_m - half)) / self.step_m,
        )

    def _corners(self, east_m: Floats, north_m: Floats) -> tuple[Floats, ...]:
        rows, columns = self.heights_m.shape
        x = np.clip((np.asarray(east_m) - self.west_m) / self.step_m, 0.0, columns - 1.000001)
        y = np.clip((np.asarray(north_m) - self.south_m) / self.step_m, 0.0, rows - 1.000001)
        column, row = x.astype(np.intp), y.astype(np.intp)
        flat = self.heights_m.ravel()
        at = row * columns + column
        return flat[at], flat[at + 1], flat[at + columns], flat[at + columns + 1], x - column, y - row


def _filled(heights: Floats) -> Floats:
    """Return the heights with each hole given its nearest neighbour's."""
    hole = np.isnan(heights)
    if hole.all():
        raise InputWrong("the elevation model holds no height in the site's surroundings")
    nearest = distance_transform_edt(hole, return_distances=False, return_indices=True)
    return np.asarray(heights[tuple(nearest)])
