"""Small charts drawn for tests: ponds, forest, a river that moves; all on one grid near Hangzhou."""

from datetime import UTC, datetime
from pathlib import Path

import cv2
import numpy as np
import rasterio
from affine import Affine

from missions.model import Shot
from vision.chart import Chart, Grid
from vision.frame import Frame
from vision.metadata import of_parts

GRID = Grid("EPSG:32650", Affine(5.0, 0.0, 732_000.0, 0.0, -5.0, 3_352_000.0), 240, 200)
ELSEWHERE = Grid("EPSG:32650", Affine(5.0, 0.0, 832_000.0, 0.0, -5.0, 3_352_000.0), 240, 200)
SEEN_AT = datetime(2026, 6, 1, 4, 0, tzinfo=UTC)


def texture(shape: tuple[int, int] = GRID.shape, *, seed: int = 1, wave_px: float = 2.0) -> np.ndarray:
    """Return noise around zero that looks like ground, the same for the same seed."""
    rng = np.random.default_rng(seed)
    fine = cv2.GaussianBlur(rng.standard_normal(shape), (0, 0), wave_px)
    coarse = cv2.GaussianBlur(rng.standard_normal(shape), (0, 0), 4 * wave_px)
    return fine / fine.std() + coarse / coarse.std()


def ponds(*middles: tuple[int, int, int], noise: int = 1) -> Chart:
    """Return a chart of red, green, blue and infrared: fields with round ponds of (x, y, radius)."""
    ground = 120 + 12 * texture() + np.random.default_rng(noise).normal(0, 2, GRID.shape)
    bands = [ground * share for share in (0.8, 0.9, 0.7)] + [190 + 6 * texture(seed=9)]
    wet = np.zeros(GRID.shape, np.uint8)
    for x, y, radius in middles:
        cv2.circle(wet, (x, y), radius, 1, -1)
    for band, dark in zip(bands, (50, 70, 80, 15), strict=True):
        band[wet > 0] = dark + texture(seed=7)[wet > 0]
    return chart(np.stack(bands, axis=-1), ("red", "green", "blue", "nir"))


def forest(*, cleared: tuple[slice, slice] | None = None, river_x: int = 40, season: float = 0.0) -> Chart:
    """Return a chart of short-wave and near infrared, red and green: closed forest along a river."""
    rough = 6 * texture(seed=3)
    swir, red, green = (base + rough for base in (85.0, 18.0, 26.0))
    nir = 200.0 - 60 * season - rough
    swir = swir + 60 * season
    if cleared:
        swir[cleared], nir[cleared], red[cleared], green[cleared] = 160, 150, 60, 60
    bands = [swir, nir, red, green]
    for band, water in zip(bands, (8, 12, 30, 45), strict=True):
        band[:, river_x : river_x + 12] = water
    return chart(np.stack(bands, axis=-1), ("swir1", "nir", "red", "green"))


def chart(values: np.ndarray, bands: tuple[str, ...], grid: Grid = GRID) -> Chart:
    """Return values as a chart that is known everywhere."""
    known = np.ones(grid.shape, bool)
    return Chart(grid, np.clip(values, 1, 255).astype(np.uint8), known, bands, "drawn.tif", SEEN_AT)


def frame_of(of: Chart) -> Frame:
    """Return a chart as the frame that its file would be read as."""
    height, width = of.grid.shape
    metadata = of_parts(None, b"", width_px=width, height_px=height, thermal=False)
    shot = Shot(id="drawn", camera=metadata.camera, taken_at=of.taken_at, pose=None, file="drawn.tif")
    return Frame(shot, metadata, pixels=of.rgb, chart=of)


def written(of: Chart, path: Path, *, crs: str | None = "own", named: bool = True) -> Path:
    """Write a chart as a GeoTIFF and return its path."""
    values = np.moveaxis(of.values, -1, 0)
    where = {"crs": of.grid.crs if crs == "own" else crs, "transform": of.grid.transform}
    size = {"width": of.grid.width, "height": of.grid.height, "count": len(values), "dtype": "uint8"}
    with rasterio.open(path, "w", driver="GTiff", **size, **where) as raster:
        raster.write(values)
        if named:
            raster.descriptions = of.bands
    return path
