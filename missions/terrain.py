"""The ground's height, from a GeoTIFF elevation model: the one place that reads rasters of heights.

Any coordinate system that PROJ knows will do. Heights are taken as metres
above EGM96 mean sea level, which is what SRTM, Copernicus (EGM2008, within a
metre of it) and the drones' autopilots use; a model of ellipsoidal heights
must be converted before it is used here. Between pixel centres the surface is
bilinear; the outer half pixel continues level. Where the model has nothing,
the answer is NaN, never a guess.
"""

import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import rasterio
from affine import Affine
from pyproj import CRS, Transformer
from pyproj.exceptions import ProjError
from rasterio.errors import NotGeoreferencedWarning, RasterioIOError

from missions.errors import InputWrong, OutsideTerrain
from missions.geo import WGS84, Floats, LatLon

SURVEYED_M = 15.0
"""Pixels no wider than this come from a survey, not from a satellite."""


@dataclass(frozen=True, slots=True, eq=False)
class Terrain:
    """An elevation model held in memory. `bounds` is (west, south, east, north) in degrees.

    Safe to share between threads and to send to another process.
    """

    source: str
    heights_m: npt.NDArray[np.float32]
    bounds: tuple[float, float, float, float]
    resolution_m: float
    _to_pixel: Affine
    _to_raster: Transformer

    @classmethod
    def open(cls, path: str | Path) -> "Terrain":
        """Return the elevation model of a file.

        Raises:
            InputWrong: the file is missing, no raster, or does not say where on earth it lies.
        """
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", NotGeoreferencedWarning)
                with rasterio.open(path) as raster:
                    return cls._read(str(path), raster)
        except RasterioIOError as error:
            raise InputWrong(f"{path}: cannot be read as an elevation GeoTIFF ({error})") from None
        except ProjError as error:
            raise InputWrong(f"{path}: its system has no degrees ({error})") from None

    @classmethod
    def _read(cls, source: str, raster: rasterio.DatasetReader) -> "Terrain":
        if raster.crs is None:
            raise InputWrong(f"{source}: found no coordinate system, expected a georeferenced GeoTIFF")
        heights = raster.read(1, masked=True).astype(np.float32).filled(np.nan)
        heights = heights * np.float32(raster.scales[0]) + np.float32(raster.offsets[0])
        to_raster = Transformer.from_crs("EPSG:4326", CRS.from_wkt(raster.crs.to_wkt()), always_xy=True)
        left, bottom, right, top = raster.bounds
        west, south, east, north = to_raster.transform_bounds(left, bottom, right, top, direction="INVERSE")
        return cls(
            source=source,
            heights_m=heights,
            bounds=(west, south, east, north),
            resolution_m=_pixel_m(raster, to_raster),
            _to_pixel=~raster.transform,
            _to_raster=to_raster,
        )

    @property
    def error_m(self) -> float:
        """One standard deviation of a height: surveyed models keep 2 m, satellite ones 4 m.

        Of SRTM's heights nine in ten lie within 5.6 to 9.0 m by continent (Rodríguez et al. 2006,
        A Global Assessment of the SRTM Performance).
        """
        return 2.0 if self.resolution_m <= SURVEYED_M else 4.0

    def elevation_m(self, lat_deg: npt.ArrayLike, lon_deg: npt.ArrayLike) -> Floats:
        """Return the ground's height above mean sea level at many places, NaN where there is none."""
        lat, lon = np.broadcast_arrays(np.asarray(lat_deg, dtype=float), np.asarray(lon_deg, dtype=float))
        x, y = self._to_raster.transform(lon, lat)
        column, row = _applied(self._to_pixel, np.asarray(x), np.asarray(y))
        return _bilinear(self.heights_m, np.asarray(row), np.asarray(column))

    def elevation_at(self, place: LatLon) -> float:
        """Return the ground's height above mean sea level at one place.

        Raises:
            OutsideTerrain: the model has no height there.
        """
        height = float(self.elevation_m(place.lat_deg, place.lon_deg))
        if np.isnan(height):
            raise OutsideTerrain(place.lat_deg, place.lon_deg, self.source)
        return height


def _bilinear(grid: npt.NDArray[np.float32], row: Floats, column: Floats) -> Floats:
    """Return the grid's value at fractional (row, column), counted from the outer corner of pixel 0."""
    rows, columns = grid.shape
    # NaN and infinity (a place the projection cannot hold) fail these comparisons too.
    inside = (row >= 0) & (row <= rows) & (column >= 0) & (column <= columns)
    down = np.clip(np.where(inside, row, 0.0) - 0.5, 0, rows - 1)
    across = np.clip(np.where(inside, column, 0.0) - 0.5, 0, columns - 1)
    top, left = np.floor(down).astype(int), np.floor(across).astype(int)
    bottom, right = np.minimum(top + 1, rows - 1), np.minimum(left + 1, columns - 1)
    down, across = down - top, across - left
    total = np.zeros(np.shape(row))
    for weight, r, c in (
        ((1 - down) * (1 - across), top, left),
        ((1 - down) * across, top, right),
        (down * (1 - across), bottom, left),
        (down * across, bottom, right),
    ):
        # A missing neighbour matters only where it has a share.
        total = total + np.where(weight > 0, weight * grid[r, c], 0.0)
    return np.asarray(np.where(inside, total, np.nan))


def _applied(affine: Affine, x: Floats, y: Floats) -> tuple[Floats, Floats]:
    """Return many points moved by an affine, which of itself takes one at a time."""
    return affine.a * x + affine.b * y + affine.c, affine.d * x + affine.e * y + affine.f


def _pixel_m(raster: rasterio.DatasetReader, to_raster: Transformer) -> float:
    """Return the mean side of the middle pixel on the ground, in metres."""
    row, column = raster.height / 2, raster.width / 2
    columns, rows = column + np.array([0.0, 1.0, 0.0]), row + np.array([0.0, 0.0, 1.0])
    x, y = _applied(raster.transform, columns, rows)
    lon, lat = to_raster.transform(x, y, direction="INVERSE")
    sides = [WGS84.inv(lon[0], lat[0], lon[i], lat[i])[2] for i in (1, 2)]
    return float(np.mean(sides))
