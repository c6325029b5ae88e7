"""A chart: pixels that lie on the ground, whoever put them there.

A GeoTIFF of an agency, an orthophoto made of our own frames and the ground that one oblique frame
shows become the same value, so that comparing two dates is one piece of code. Rows run from north to
south on a grid of some coordinate system; areas are geodesic, so a grid of degrees will do.
"""

import math
import re
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import rasterio
import shapely
from affine import Affine
from pyproj import CRS, Transformer
from pyproj.exceptions import ProjError
from rasterio.enums import Resampling
from rasterio.errors import NodataShadowWarning, NotGeoreferencedWarning, RasterioError
from rasterio.features import rasterize, shapes
from rasterio.warp import reproject
from shapely.geometry import MultiPolygon, Polygon
from shapely.geometry.base import BaseGeometry

from missions.geo import WGS84, Area, BadPlace, Floats, LatLon
from vision.errors import Unreadable

Mask = npt.NDArray[np.bool_]
Bands = npt.NDArray[Any]

RGB = ("red", "green", "blue")
MOST_PIXELS = 120_000_000
_NAMED = {
    "red": "red", "green": "green", "blue": "blue", "nir": "nir", "near infrared": "nir", "swir1": "swir1",
    "swir": "swir1", "thermal": "celsius", "celsius": "celsius",
}  # fmt: skip
_DATE = re.compile(r"(?<!\d)((?:19|20)\d\d)(?:[-_]?([01]\d)[-_]?([0-3]\d))?(?!\d)")
_NOON = 12

NOWHERE = "a raster of several bands without a coordinate system: where on earth it lies is not known"


@dataclass(frozen=True, slots=True)
class Grid:
    """Where pixels lie: `transform` takes (column, row) of a pixel's corner to x, y of the system `crs`."""

    crs: str
    transform: Affine
    width: int
    height: int

    @property
    def shape(self) -> tuple[int, int]:
        return self.height, self.width

    @property
    def bounds(self) -> tuple[float, float, float, float]:
        """West, south, east, north in the grid's own system."""
        west, north = self.transform * (0, 0)
        east, south = self.transform * (self.width, self.height)
        return min(west, east), min(south, north), max(west, east), max(south, north)

    @property
    def middle(self) -> LatLon:
        lat, lon = self.to_places(np.array([[self.width / 2, self.height / 2]]))
        return LatLon(float(lat[0]), float(lon[0]))

    @property
    def pixel_m(self) -> float:
        """The side of a square as large as the middle pixel, in metres."""
        return math.sqrt(self.pixel_m2)

    @property
    def pixel_m2(self) -> float:
        """How much ground the middle pixel covers."""
        x, y = self.width / 2, self.height / 2
        corners = np.array([[x - 4, y - 4], [x + 4, y - 4], [x + 4, y + 4], [x - 4, y + 4]])
        lat, lon = self.to_places(corners)
        return abs(float(WGS84.polygon_area_perimeter(lon, lat)[0])) / 64.0

    def to_places(self, pixels: Floats) -> tuple[Floats, Floats]:
        """Return latitudes and longitudes of rows of (x, y) in pixels from the grid's corner."""
        across, down = np.asarray(pixels[:, 0], float), np.asarray(pixels[:, 1], float)
        t = self.transform
        x, y = t.a * across + t.b * down + t.c, t.d * across + t.e * down + t.f
        lon, lat = _to_degrees(self.crs).transform(x, y)
        return np.asarray(lat), np.asarray(lon)

    def to_pixels(self, lat_deg: npt.ArrayLike, lon_deg: npt.ArrayLike) -> Floats:
        """Return rows of (x, y) in pixels of places."""
        x, y = _from_degrees(self.crs).transform(np.asarray(lon_deg, float), np.asarray(lat_deg, float))
        t = ~self.transform
        return np.column_stack([t.a * x + t.b * y + t.c, t.d * x + t.e * y + t.f])

    def area(self, polygon: Polygon) -> Area:
        """Return the ground inside a polygon of pixels."""
        rings = [self._ring(ring.coords) for ring in (polygon.exterior, *polygon.interiors)]
        return Area(rings[0], tuple(rings[1:]))

    def area_m2(self, polygon: Polygon) -> float:
        """Return the geodesic area inside a polygon of pixels, its holes left out."""
        total = 0.0
        for i, ring in enumerate((polygon.exterior, *polygon.interiors)):
            lat, lon = self.to_places(np.asarray(ring.coords)[:-1])
            size = abs(float(WGS84.polygon_area_perimeter(lon, lat)[0]))
            total += size if i == 0 else -size
        return total

    def polygon(self, area: Area) -> Polygon:
        """Return the polygon of pixels that covers an area of ground."""
        rings = [
            self.to_pixels([p.lat_deg for p in ring], [p.lon_deg for p in ring])
            for ring in (area.outer, *area.holes)
        ]
        return Polygon(rings[0], rings[1:])

    def line(self, places: Sequence[LatLon]) -> Floats:
        """Return the pixels of a line of places."""
        return self.to_pixels([p.lat_deg for p in places], [p.lon_deg for p in places])

    def meets(self, other: "Grid") -> bool:
        """Return whether the two share any ground."""
        ring = np.array([[0, 0], [other.width, 0], [other.width, other.height], [0, other.height]], float)
        mine = Polygon([(0, 0), (self.width, 0), (self.width, self.height), (0, self.height)])
        return bool(mine.intersects(Polygon(self.to_pixels(*other.to_places(ring)))))

    def coarser(self, times: int) -> "Grid":
        """Return the grid whose pixels are so many times as long, but for what is left at its rim."""
        step = self.transform * Affine.scale(times)
        return Grid(self.crs, step, max(self.width // times, 1), max(self.height // times, 1))

    def part(self, other: "Grid") -> tuple["Grid", tuple[slice, slice]]:
        """Return the part that shows another grid's ground, with a rim, and its rows and columns."""
        shares = np.stack(np.meshgrid(*[np.linspace(0, 1, 9)] * 2), axis=-1).reshape(-1, 2)
        at = self.to_pixels(*other.to_places(shares * [other.width, other.height]))
        whole = [self.width, self.height]
        low, high = (np.clip(np.nan_to_num(v), 0, whole).astype(int) for v in (at.min(0) - 8, at.max(0) + 9))
        if not (high > low).all():  # none does: all of it then
            low, high = np.zeros(2, int), np.array(whole)
        step = self.transform * Affine.translation(*low)
        return Grid(self.crs, step, *(high - low)), (slice(low[1], high[1]), slice(low[0], high[0]))

    def _ring(self, coords: Any) -> tuple[LatLon, ...]:
        lat, lon = self.to_places(np.asarray(coords)[:-1, :2])
        return tuple(LatLon(float(a), float(b)) for a, b in zip(lat, lon, strict=True))


@dataclass(frozen=True, slots=True, eq=False)
class Chart:
    """Bands (rows, columns, bands) on a grid; `known` is False where nothing was seen.

    `bands` names them ("red", "green", "blue", "nir", "swir1"); `note` says what was taken for granted.
    """

    grid: Grid
    values: Bands
    known: Mask
    bands: tuple[str, ...]
    source: str
    taken_at: datetime | None = None
    note: str | None = None

    def band(self, name: str) -> npt.NDArray[np.float32]:
        """Return one band by its name.

        Raises:
            KeyError: there is no such band.
        """
        if name not in self.bands:
            raise KeyError(name)
        return np.asarray(self.values[..., self.bands.index(name)], np.float32)

    def has(self, *names: str) -> bool:
        """Return whether all these bands are there."""
        return all(name in self.bands for name in names)

    @property
    def rgb(self) -> npt.NDArray[np.uint8]:
        """The picture for eyes and for detectors of colour; infrared stands in for what is missing."""
        if self.has(*RGB):
            chosen = [self.bands.index(name) for name in RGB]
        else:
            order = [b for b in ("swir1", "nir", "red", "green", "blue") if b in self.bands]
            chosen = [self.bands.index(name) for name in (order * 3)[:3]]
        return np.ascontiguousarray(np.clip(self.values[..., chosen], 0, 255), np.uint8)


def read(path: Path) -> Chart:
    """Return the chart of a GeoTIFF.

    Raises:
        Unreadable: it says not where on earth it lies, is damaged, too large, or holds no bands of bytes.
    """
    try:
        with warnings.catch_warnings():
            for kind in (NotGeoreferencedWarning, NodataShadowWarning):
                warnings.simplefilter("ignore", kind)
            with rasterio.open(path) as raster:
                return _read(path, raster)
    except RasterioError as error:
        raise Unreadable(f"the GeoTIFF is damaged: {error}") from None
    except (ProjError, BadPlace) as error:
        raise Unreadable(f"its coordinate system is nowhere on earth: {error}") from None


def warped(chart: Chart, grid: Grid) -> Chart:
    """Return a chart on another grid; ground that it does not show is not known."""
    values = np.zeros((*grid.shape, len(chart.bands)), chart.values.dtype)
    known = np.zeros(grid.shape, np.uint8)
    near, part = chart.grid.part(grid)
    places = {
        "src_transform": near.transform,
        "src_crs": chart.grid.crs,
        "dst_transform": grid.transform,
        "dst_crs": grid.crs,
    }
    for i in range(len(chart.bands)):
        band = np.zeros(grid.shape, chart.values.dtype)
        source = np.ascontiguousarray(chart.values[*part, i])
        reproject(source, band, resampling=Resampling.bilinear, **places)
        values[..., i] = band
    reproject(chart.known[part].astype(np.uint8), known, resampling=Resampling.nearest, **places)
    return replace(chart, grid=grid, values=values, known=known.astype(bool))


def grid_around(places: Sequence[LatLon], *, pixel_m: float, rim_m: float = 0.0) -> Grid:
    """Return a grid of metres (UTM, whole multiples of the pixel) that holds places and a rim around them."""
    crs = utm(places[0])
    x, y = _from_degrees(crs).transform([p.lon_deg for p in places], [p.lat_deg for p in places])
    west = math.floor((min(x) - rim_m) / pixel_m) * pixel_m
    north = math.ceil((max(y) + rim_m) / pixel_m) * pixel_m
    width = math.ceil((max(x) + rim_m - west) / pixel_m)
    height = math.ceil((north - min(y) + rim_m) / pixel_m)
    return Grid(crs, Affine(pixel_m, 0.0, west, 0.0, -pixel_m, north), width, height)


def utm(place: LatLon) -> str:
    """Return the UTM zone of a place, as its EPSG code."""
    zone = int((place.lon_deg + 180.0) % 360.0 // 6) + 1
    return f"EPSG:{(32600 if place.lat_deg >= 0 else 32700) + zone}"


def polygons(mask: Mask, *, at_least_px: float = 0.0) -> list[Polygon]:
    """Return what a mask covers as polygons of pixels with their holes, largest first.

    Borders run along the pixels' edges, so that an area counts its pixels.
    """
    fine = cv2.copyMakeBorder(mask.astype(np.uint8), 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=0)
    found = [
        Polygon(shape["coordinates"][0], shape["coordinates"][1:])
        for shape, value in shapes(fine, mask=fine > 0, connectivity=4)
        if value
    ]
    moved = [shapely.transform(p, lambda at: at - 1.0) for p in found]
    return sorted((p for p in moved if p.area >= at_least_px), key=lambda p: -p.area)


def smoothed(polygon: Polygon, tolerance_px: float = 0.7) -> Polygon:
    """Return a polygon without the stairs of its pixels, as large as before to a few thousandths."""
    simple = polygon.simplify(tolerance_px)
    if isinstance(simple, MultiPolygon):
        simple = max(simple.geoms, key=lambda g: g.area)
    return simple if isinstance(simple, Polygon) and simple.is_valid and not simple.is_empty else polygon


def covered(shape: BaseGeometry, size: tuple[int, int]) -> Mask:
    """Return which pixels a shape of pixels covers."""
    if shape.is_empty:
        return np.zeros(size, bool)
    return np.asarray(rasterize([(shape, 1)], out_shape=size, fill=0, dtype="uint8"), bool)


def _read(path: Path, raster: rasterio.DatasetReader) -> Chart:
    if raster.crs is None or raster.transform.is_identity:  # no corner is told
        raise Unreadable(NOWHERE)
    if raster.width * raster.height > MOST_PIXELS:
        raise Unreadable(
            f"{raster.width} × {raster.height} pixels are more than the {MOST_PIXELS // 1_000_000} million "
            "that are looked at in one piece: cut it into parts"
        )
    values = np.moveaxis(raster.read(), 0, -1)
    known = np.all(np.moveaxis(raster.read_masks(), 0, -1) > 0, axis=-1)
    if raster.nodata == 0:  # black is a colour: only what is black in every band is a hole
        known = values.any(axis=-1)
    if values.dtype != np.uint8:
        values = _to_bytes(values, known)
    names, note = _bands(raster, values, known)
    taken_at, dated = _taken_at(path, raster)
    crs = f"EPSG:{code}" if (code := raster.crs.to_epsg()) else str(raster.crs.to_wkt())
    grid = Grid(crs, raster.transform, raster.width, raster.height)
    grid.area(Polygon.from_bounds(0, 0, raster.width, raster.height))  # all on earth
    said = "; ".join(part for part in (note, dated) if part) or None
    return Chart(grid, values[..., : len(names)], known, names, str(path), taken_at, said)


def _to_bytes(values: Bands, known: Mask) -> Bands:
    """Return values of another type as bytes, stretched alike in all bands so that indices stay."""
    seen = np.asarray(values[known], np.float64)
    top = float(np.nanpercentile(seen, 99.5)) if seen.size else 0.0
    if not top > 0:
        raise Unreadable("no band holds anything above zero")
    return np.clip(np.nan_to_num(values.astype(np.float64)) / top * 255.0, 0, 255).astype(np.uint8)


def _bands(raster: rasterio.DatasetReader, values: Bands, known: Mask) -> tuple[tuple[str, ...], str | None]:
    """Return the names of the bands, and how they were come by where the file does not say."""
    told = [_NAMED.get((d or "").strip().lower(), "") for d in raster.descriptions]
    if all(told[:3]):
        return tuple(name or f"band {i + 1}" for i, name in enumerate(told)), None
    if raster.count == 3:
        return RGB, None
    if raster.count != 4:
        raise Unreadable(f"{raster.count} bands without names: which of them is infrared is not known")
    if not known.any():
        raise Unreadable("no pixel of it is known")
    sample = values[known].reshape(-1, 4)[:: max(len(values[known]) // 50_000, 1)].astype(float)
    if np.isin(sample[:, 3], (0, 255)).all():
        return RGB, None  # the fourth band is a mask
    with np.errstate(invalid="ignore"):
        alike = np.nan_to_num(np.corrcoef(sample.T))
    names = _order(alike)
    if names is None:
        raise Unreadable("four bands without names in an order that is not known: name them in the file")
    return names, f"its bands have no names: taken as {', '.join(names)} by how they go together"


def _order(alike: Floats) -> tuple[str, ...] | None:
    """Return the bands' order by how they correlate: visible light goes together, infrared its own way."""
    first, last = alike[:3, :3], alike[1:, 1:]
    if first.min() > alike[3, :3].max():
        return (*RGB, "nir")
    if last.min() > alike[0, 1:].max():
        return ("nir", *RGB)
    others = [alike[a, b] for a, b in ((0, 1), (0, 2), (0, 3), (1, 2), (1, 3))]
    return ("swir1", "nir", "red", "green") if alike[2, 3] > max(others) else None


def _taken_at(path: Path, raster: rasterio.DatasetReader) -> tuple[datetime | None, str | None]:
    """Return when a chart was taken: its own tag, else a date in its name."""
    tag = raster.tags().get("TIFFTAG_DATETIME") or raster.tags().get("ACQUISITION_DATETIME")
    if tag:
        unzoned = "its clock names no time zone: taken as UTC"
        for text, day, note in ((tag + "+0000", "%Y:%m:%d ", unzoned), (tag, "%Y-%m-%dT", None)):
            try:
                return datetime.strptime(text, day + "%H:%M:%S%z").astimezone(UTC), note
            except (ValueError, OverflowError):
                continue
    found = list(_DATE.finditer(path.stem))
    if not found:
        return None, None
    year, month, day = found[-1].groups()
    try:
        at = datetime(int(year), int(month or 7), int(day or 1), _NOON, tzinfo=UTC)
    except ValueError:
        return None, None
    return at, f"its date is the one in its name ({found[-1].group()})"


@lru_cache(maxsize=32)
def _to_degrees(crs: str) -> Transformer:
    return Transformer.from_crs(CRS.from_user_input(crs), "EPSG:4326", always_xy=True)


@lru_cache(maxsize=32)
def _from_degrees(crs: str) -> Transformer:
    return Transformer.from_crs("EPSG:4326", CRS.from_user_input(crs), always_xy=True)
