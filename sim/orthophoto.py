"""Last year's orthophoto: the unchanged ground seen from straight above, as an agency would hand it over.

A GeoTIFF (tiled, with overviews, so a COG by layout) of what is watched for the scenario's hazard,
painted without anything that changed since. Trees and houses do not lean in it.
"""

from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import rasterio
from rasterio.enums import Resampling
from rasterio.transform import from_origin
from shapely.geometry.base import BaseGeometry

from missions.model import Hazard
from sim.changes import Changes
from sim.ground import SQUARE_PX, STEP_M, Ground
from sim.scenarios import watched_for
from sim.structures import Face, Structures
from sim.world import World

YEAR = timedelta(days=365)
RIM_M = 90.0


def write_before(world: World, path: Path) -> Path | None:
    """Write the orthophoto of what a scenario's ground looked like a year ago; None where nothing changed."""
    if not (world.changes.fellings or world.changes.floods):
        return None
    hazard = Hazard.FLOOD if world.changes.floods else Hazard.LOGGING
    watched = watched_for(hazard, world.site, world.frame)
    changed = [c.shape for c in (*world.changes.fellings, *world.changes.floods)]  # type: ignore[attr-defined]
    return _write(replace(world, changes=Changes()), _around(changed, watched), path, world.epoch_at - YEAR)


def _around(changed: list[BaseGeometry], watched: BaseGeometry) -> BaseGeometry:
    """Return the parts of what is watched that hold a change, with a rim."""
    parts = getattr(watched, "geoms", [watched])
    whole = [p for p in parts if any(p.intersects(c) for c in changed)]
    return max(whole, key=lambda p: sum(p.intersection(c).area for c in changed)).buffer(RIM_M)


def _with_roofs(painted: Ground, roofs: list[Face], *, columns: slice, rows: slice) -> npt.NDArray[np.uint8]:
    """Return a part of the painted ground (blue, green, red) with the roofs upon it."""
    picture = np.ascontiguousarray(painted.colour[rows, columns, :3])
    for face in roofs:
        x_px, y_px = painted.to_pixels(*face.outline_px.T)
        corners = np.round(np.column_stack([x_px - columns.start, y_px - rows.start]) * 16)
        cv2.fillConvexPoly(picture, corners.astype(np.int32), face.colour, cv2.LINE_AA, 4)
    return picture


def _write(world: World, ground: BaseGeometry, path: Path, at: datetime) -> Path:
    painted = Ground(world)
    west, south, east, north = ground.bounds
    (left, right), (top, bottom) = painted.to_pixels(np.array([west, east]), np.array([north, south]))
    columns = np.arange(max(int(left), 0), min(int(right), painted.colour.shape[1] - 1))
    rows = np.arange(max(int(top), 0), min(int(bottom), painted.colour.shape[0] - 1))
    x, y = np.meshgrid(columns[:: SQUARE_PX // 4], rows[:: SQUARE_PX // 4])
    painted.prepare(world.epoch_at, x.astype(np.float32), y.astype(np.float32))
    part = {"columns": slice(columns[0], columns[-1] + 1), "rows": slice(rows[0], rows[-1] + 1)}
    seen = _with_roofs(painted, Structures(world).roofs(painted.sky), **part)
    origin = world.frame.origin
    transform = from_origin(
        painted.west_m + columns[0] * STEP_M, painted.north_m - rows[0] * STEP_M, STEP_M, STEP_M
    )
    crs = f"+proj=tmerc +lat_0={origin.lat_deg} +lon_0={origin.lon_deg} +k=1 +ellps=WGS84 +units=m +no_defs"
    beside = path.with_suffix(".part.tif")
    with rasterio.open(
        beside, "w", driver="GTiff", dtype="uint8", count=3, width=seen.shape[1], height=seen.shape[0],
        crs=crs, transform=transform, tiled=True, blockxsize=256, blockysize=256, compress="deflate",
    ) as raster:  # fmt: skip
        raster.write(np.moveaxis(seen[..., ::-1], -1, 0))
        raster.update_tags(TIFFTAG_DATETIME=f"{at:%Y:%m:%d %H:%M:%S}")
        raster.build_overviews([2, 4, 8], Resampling.average)
    beside.replace(path)
    return path
