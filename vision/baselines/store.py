"""Baselines of many places, kept as files: each version a folder that is written once.

    ROOT/PLACE/VERSION/orthophoto.tif   cloud-optimised GeoTIFF, its holes masked
                       water.tif        where it shows water, canopy.tif where it shows canopy (1 is yes)
                       thermal_HH.tif   °C at that hour of the day (UTC), where thermal frames were at hand
                       baseline.json    place, version, when, from how many frames, standing

The first version of a place stands at once. Later ones are candidates until a person confirms one; it then
stands and the one before it is kept, superseded. Where a place is too large for one flight, versions that
show other parts of it stand side by side. A question is answered by the newest version that stands and
shows the ground asked for.
"""

import contextlib
import json
import re
import shutil
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from functools import lru_cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
import rasterio
from rasterio.errors import RasterioError
from rasterio.io import MemoryFile
from rasterio.shutil import copy as raster_copy
from rasterio.windows import Window

from missions.errors import InputWrong
from vision import canopy, water_model
from vision.baselines import Before, Missing
from vision.baselines.mosaic import Mosaic
from vision.chart import Chart, Grid, Mask, read, warped
from vision.errors import Unreadable

STANDS, CANDIDATE, SUPERSEDED = "stands", "candidate", "superseded"
_PLACE = re.compile(r"^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$")
_LEAFY = 0.5
SAME_GROUND = 0.3
"""From this share of ground in common on, one version is of the same part of a place as another."""


@dataclass(frozen=True, slots=True)
class Version:
    """One version of a place's baseline: what baseline.json says. Times are ISO 8601."""

    place: str
    version: str
    taken_at: str | None
    made_at: str
    frames: int
    registered: int
    standing: str
    confirmed_by: str = ""
    confirmed_at: str = ""
    flight: str = ""


class Store:
    """A folder of baselines."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def add(
        self,
        place: str,
        made: Mosaic,
        *,
        now: datetime,
        thermal: dict[int, Chart] | None = None,
        flight: str = "",
    ) -> Version:
        """Keep a flight's chart as a new version and return it; the first of a place stands at once.

        Raises:
            InputWrong: the place's name could not be a folder's.
        """
        if not _PLACE.match(place):
            raise InputWrong(f"--place: found {place!r}, expected letters, digits, - and _")
        earlier = [v for v in self.versions(place)]
        name = f"v{max((int(v.version[1:]) for v in earlier), default=0) + 1:04d}"
        taken_at = made.chart.taken_at.isoformat() if made.chart.taken_at else None
        shown = (v for v in earlier if v.standing == STANDS and self._shares(v, made.chart) >= SAME_GROUND)
        standing = CANDIDATE if any(shown) else STANDS
        version = Version(
            place, name, taken_at, now.isoformat(), made.frames, made.registered, standing, flight=flight
        )
        beside = self._root / place / f".{name}.part"
        beside.mkdir(parents=True, exist_ok=True)
        chart = made.chart
        write_cog(beside / "orthophoto.tif", chart.values, chart.known, chart.grid)
        wet, _ = water_model.extent(chart)
        leafy = (canopy.leafiness(chart, chart.grid.pixel_m) > _LEAFY) & chart.known
        for stem, mask in (("water", wet), ("canopy", leafy)):
            write_cog(beside / f"{stem}.tif", mask.astype(np.uint8)[..., None], chart.known, chart.grid)
        for hour, warm in (thermal or {}).items():
            write_cog(beside / f"thermal_{hour:02d}.tif", warm.values, warm.known, warm.grid)
        _write(beside / "baseline.json", version)
        beside.rename(self._root / place / name)
        return version

    def tidy(self, place: str, *, keep: int) -> tuple[Version, ...]:
        """Take away all but what stands and the newest candidates and superseded ones; return what went."""
        known = list(self.versions(place))
        gone = [
            version
            for standing in (CANDIDATE, SUPERSEDED)
            for version in [v for v in known if v.standing == standing][:-keep]
        ]
        for version in gone:
            # The facts go first: a folder without them is no version any more.
            (self._folder(version) / "baseline.json").unlink(missing_ok=True)
            shutil.rmtree(self._folder(version), ignore_errors=True)
        return tuple(gone)

    def confirm(self, place: str, name: str, *, by: str, now: datetime) -> Version:
        """Let a version stand in place of the one before it; return it.

        Raises:
            InputWrong: there is no such version, or nobody confirms it.
        """
        if not by.strip():
            raise InputWrong("--by: a person confirms a baseline, expected a name")
        known = {v.version: v for v in self.versions(place)}
        if name not in known:
            raise InputWrong(f"{place} has no version {name}, it has {', '.join(known) or 'none'}")
        try:
            chart = _orthophoto(self._folder(known[name]) / "orthophoto.tif")
        except (RasterioError, Unreadable) as reason:
            raise InputWrong(f"{place} {name} cannot be read: {reason}") from None
        for other in known.values():
            if other.standing != STANDS or other.version == name:
                continue
            if self._shares(other, chart) >= SAME_GROUND:
                self._keep(replace(other, standing=SUPERSEDED))
        chosen = replace(known[name], standing=STANDS, confirmed_by=by, confirmed_at=now.isoformat())
        self._keep(chosen)
        return chosen

    def versions(self, place: str | None = None) -> Iterator[Version]:
        """Yield the versions kept, of one place or of all, oldest first; what cannot be read is left out."""
        for file in sorted(self._root.glob(f"{place or '*'}/v*/baseline.json")):
            # Tidied away meanwhile, damaged, or of another version of this program: none may stop a search.
            with contextlib.suppress(OSError, ValueError, TypeError):
                yield Version(**json.loads(file.read_text("utf-8")))

    def before(self, grid: Grid) -> Before | Missing:
        """Return how ground looked before: the newest version that stands and shows it."""
        standing = [v for v in self.versions() if v.standing == STANDS]
        if not standing:
            return Missing("no baseline of this place yet: the store is empty")
        damaged = ""
        for version in sorted(standing, key=lambda v: v.taken_at or v.made_at, reverse=True):
            try:
                found = self._of(version, grid)
            except (RasterioError, Unreadable) as reason:
                damaged = f"; {version.place} {version.version} cannot be read: {reason}"
                continue
            if found is not None:
                return found
        return Missing(f"no baseline of this place yet: those kept show other ground{damaged}")

    def _of(self, version: Version, grid: Grid) -> Before | None:
        """Return what a version shows of a grid, None where it shows other ground."""
        folder = self._folder(version)
        if not _grid_of(folder / "orthophoto.tif").meets(grid):
            return None
        there = warped(_orthophoto(folder / "orthophoto.tif"), grid)
        if not there.known.any():
            return None
        masks = [_mask(folder / f"{stem}.tif", grid) for stem in ("water", "canopy")]
        taken_at = datetime.fromisoformat(version.taken_at) if version.taken_at else None
        return Before(there, f"{version.place} {version.version}", taken_at, *masks)

    def thermal_norm(self, grid: Grid, hour: int) -> npt.NDArray[np.float32] | Missing:
        """Return the °C that is usual on a grid at an hour of the day (UTC), NaN where none was measured."""
        for version in self.versions():
            path = self._folder(version) / f"thermal_{hour:02d}.tif"
            if version.standing == STANDS and path.is_file():
                found = _floats(path, grid)
                if np.isfinite(found).any():
                    return found
        return Missing(f"no thermal norm of this place at {hour} o'clock UTC yet")

    def _shares(self, version: Version, chart: Chart) -> float:
        """Return how much of a chart's ground a version shows, 0 to 1."""
        path = self._folder(version) / "orthophoto.tif"
        try:
            if not _grid_of(path).meets(chart.grid):
                return 0.0
            there = warped(_orthophoto(path), chart.grid)
        except (RasterioError, Unreadable):
            return 0.0  # a damaged one stands in nobody's way
        return float((there.known & chart.known).sum() / max(int(chart.known.sum()), 1))

    def _folder(self, version: Version) -> Path:
        return self._root / version.place / version.version

    def _keep(self, version: Version) -> None:
        _write(self._folder(version) / "baseline.json", version)


@lru_cache(maxsize=4096)
def _grid_of(path: Path) -> Grid:
    """Return where a raster lies; a version is written once, so it is asked once."""
    with rasterio.open(path) as raster:
        return Grid(str(raster.crs.to_wkt()), raster.transform, raster.width, raster.height)


@lru_cache(maxsize=2)
def _orthophoto(path: Path) -> Chart:
    """Return a version's picture; frames come in flights, so the one asked for last is asked for next."""
    return read(path)


def write_cog(path: Path, values: npt.NDArray[np.generic], known: Mask, grid: Grid) -> None:
    """Write bands as a cloud-optimised GeoTIFF; what is not known is masked, floats get NaN."""
    values = np.moveaxis(np.asarray(values), -1, 0)
    floats = np.issubdtype(values.dtype, np.floating)
    values = np.where(known[None], values, np.nan if floats else 0).astype(values.dtype)
    shape = {"width": grid.width, "height": grid.height, "count": values.shape[0], "dtype": values.dtype.name}
    with MemoryFile() as memory:
        with memory.open(driver="GTiff", crs=grid.crs, transform=grid.transform, **shape) as raster:
            raster.write(values)
            raster.write_mask(known.astype(np.uint8) * 255)
        with memory.open() as raster:
            raster_copy(raster, path, driver="COG", compress="deflate", blocksize=256)


def _write(path: Path, version: Version) -> None:
    """Write the facts, whole or not at all."""
    beside = path.with_suffix(".part")
    beside.write_text(json.dumps(asdict(version), indent=1) + "\n", "utf-8")
    beside.replace(path)


def _mask(path: Path, grid: Grid) -> Mask | None:
    if not path.is_file():
        return None
    return np.nan_to_num(_floats(path, grid)) > 0.5


def _floats(path: Path, grid: Grid) -> npt.NDArray[np.float32]:
    """Return a one-band raster on another grid, NaN where it has nothing."""
    own, part = _grid_of(path).part(grid)
    with rasterio.open(path) as raster:
        window = Window.from_slices(*part)
        values, known = (
            raster.read(1, window=window).astype(np.float32),
            raster.read_masks(1, window=window) > 0,
        )
    chart = Chart(own, np.nan_to_num(values)[..., None], known & np.isfinite(values), ("value",), str(path))
    there = warped(chart, grid)
    return np.asarray(np.where(there.known, there.values[..., 0], np.nan), np.float32)
