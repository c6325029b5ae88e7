"""Stored baselines as STAC items: what a place looked like before, version by version, as GeoTIFFs.

They are the analyst's own files (`vision.baselines.store`). The operator sees all of them, an agency those
whose ground is all its own. An orthophoto shows people as any picture does: to whoever has no right to
them it is given coarse (`api.privacy`).
"""

import contextlib
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from affine import Affine
from rasterio.enums import Resampling
from rasterio.errors import RasterioError

from api.opendata.features import ring_geometry
from api.privacy import COARSE_M
from api.routing import grounds_of
from api.store.tokens import Caller, Role
from missions.geo import LatLon
from missions.model import Site
from vision.baselines.store import Store, Version, write_cog
from vision.chart import Grid

ORTHOPHOTO = "orthophoto"
TIFF = "image/tiff; application=geotiff; profile=cloud-optimized"


@dataclass(frozen=True, slots=True)
class Stored:
    """One version: its facts, the ground it shows as an open ring of [longitude, latitude], its files."""

    version: Version
    folder: Path
    ring: tuple[tuple[float, float], ...]
    files: tuple[tuple[str, int], ...]

    @property
    def id(self) -> str:
        return f"{self.version.place}-{self.version.version}"

    @property
    def at(self) -> datetime:
        """When its pictures were taken, or else when it was made of them."""
        return datetime.fromisoformat(self.version.taken_at or self.version.made_at)


def stored(root: Path | None, site: Site, caller: Caller) -> list[Stored]:
    """Return the versions kept that a caller may see, newest first, without damaged ones; reads files."""
    if root is None or not root.is_dir():
        return []
    seen = []
    for version in Store(root).versions():
        with contextlib.suppress(OSError, RasterioError):  # one damaged file hides no other
            one = _opened(root / version.place / version.version, version)
            if _may_see(one, site, caller):
                seen.append(one)
    return sorted(seen, key=lambda one: (one.at, one.id), reverse=True)


def item(one: Stored, *, api: str, stac: str, version: str) -> dict[str, Any]:
    """Return a version as a STAC item; `api` and `stac` are where files and documents are."""
    here, facts = f"{stac}/collections/baselines", asdict(one.version)
    lons, lats = zip(*one.ring, strict=True)
    names = ("place", "version", "standing", "frames", "registered", "confirmed_by", "confirmed_at")
    return {
        "type": "Feature",
        "stac_version": version,
        "stac_extensions": [],
        "id": one.id,
        "collection": "baselines",
        "geometry": ring_geometry(one.ring),
        "bbox": [min(lons), min(lats), max(lons), max(lats)],
        "properties": {
            "datetime": one.at.isoformat().replace("+00:00", "Z"),
            "created": one.version.made_at.replace("+00:00", "Z"),
            **{f"gridpatrol:{name}": facts[name] for name in names},
        },
        "assets": {
            name: {
                "href": f"{api}/baselines/{one.version.place}/{one.version.version}/{name}.tif",
                "type": TIFF,
                "title": name,
                "roles": ["data", "visual"] if name == ORTHOPHOTO else ["data"],
            }
            for name, _ in one.files
        },
        "links": [
            {"rel": "self", "href": f"{here}/items/{one.id}", "type": "application/geo+json"},
            {"rel": "collection", "href": here, "type": "application/json"},
            {"rel": "parent", "href": here, "type": "application/json"},
            {"rel": "root", "href": stac, "type": "application/json"},
        ],
    }


def coarse(path: Path, into: Path) -> None:
    """Write a raster again in pixels of at least half a metre, each the mean of what it covers."""
    with rasterio.open(path) as raster:
        grid = Grid(raster.crs.to_wkt(), raster.transform, raster.width, raster.height)
        factor = max(1, math.ceil(COARSE_M / grid.pixel_m))
        width, height = max(1, grid.width // factor), max(1, grid.height // factor)
        values = raster.read(out_shape=(raster.count, height, width), resampling=Resampling.average)
        known = raster.dataset_mask(out_shape=(height, width)) > 0
    scale = Affine.scale(grid.width / width, grid.height / height)
    write_cog(into, np.moveaxis(values, 0, -1), known, Grid(grid.crs, grid.transform * scale, width, height))


def _may_see(one: Stored, site: Site, caller: Caller) -> bool:
    if caller.is_operator:
        return True
    ring = [LatLon(lat, lon) for lon, lat in one.ring]
    return caller.role is Role.AGENCY and caller.agency in grounds_of(site).holding(ring)


def _opened(folder: Path, version: Version) -> Stored:
    files = sorted(folder.glob("*.tif"))
    changed = max((file.stat().st_mtime_ns for file in files), default=0)
    return Stored(version, folder, _ring(folder / f"{ORTHOPHOTO}.tif", changed), _sizes(files))


def _sizes(files: Sequence[Path]) -> tuple[tuple[str, int], ...]:
    return tuple((file.stem, file.stat().st_size) for file in files)


@lru_cache(maxsize=1024)
def _ring(path: Path, changed: int) -> tuple[tuple[float, float], ...]:
    """Return the corners of a raster in degrees; a version's files are written once."""
    with rasterio.open(path) as raster:
        grid = Grid(raster.crs.to_wkt(), raster.transform, raster.width, raster.height)
    corners = np.array([[0, grid.height], [grid.width, grid.height], [grid.width, 0], [0, 0]], float)
    lats, lons = grid.to_places(corners)
    return tuple(zip(lons.tolist(), lats.tolist(), strict=True))
