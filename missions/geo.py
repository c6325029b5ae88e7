"""Places, heights and shapes on the earth, with the surface a height is measured from.

Everything inside Gridpatrol is WGS84 in degrees and metres. Heights carry a
datum; the one place where a datum becomes another is here. The geoid is EGM96
on a 15-minute grid (NGA, public domain, shipped in `data/egm96_15.jp2`, packed
to within 20 cm, bilinear between grid points: within 0.6 m of the full model in
rough country). pyproj's wheels carry no geoid and hand the height back unchanged,
which is why the grid is ours.
"""

from dataclasses import dataclass
from enum import StrEnum
from functools import cache, cached_property
from importlib import resources

import numpy as np
import numpy.typing as npt
import rasterio
import shapely
from pyproj import Geod, Transformer
from shapely.geometry import LineString, Polygon
from shapely.geometry.base import BaseGeometry

from missions.errors import GridpatrolError, MixedDatums

Floats = npt.NDArray[np.float64]

WGS84 = Geod(ellps="WGS84")
_GEOID_STEP_M = 0.01


class Datum(StrEnum):
    """The surface a height is measured from."""

    AMSL = "amsl"  # above mean sea level (EGM96): what autopilots and most DEMs use
    AHL = "ahl"  # above the home dock: MAVLink's relative altitude
    AGL = "agl"  # above the terrain straight below
    ELLIPSOID = "ellipsoid"  # above the WGS84 ellipsoid: raw GNSS
    EGM2008 = "egm2008"  # above the newer geoid: no grid of it is shipped
    LOCAL = "local"  # above a country's or a works' own zero


@dataclass(frozen=True, slots=True)
class Altitude:
    """A height together with the surface it is measured from."""

    metres: float
    datum: Datum

    def above(self, other: "Altitude") -> float:
        """Return how many metres this height lies above the other.

        Raises:
            MixedDatums: the two are measured from different surfaces.
        """
        if self.datum is not other.datum:
            raise MixedDatums(self.datum, other.datum)
        return self.metres - other.metres


@dataclass
class NoConversion(GridpatrolError):
    """A height cannot be had over another surface with what is at hand; `needed` is what is missing."""

    datum: str
    needed: str

    def __str__(self) -> str:
        return (
            f"a height over {self.datum} cannot be turned into one above mean sea level without {self.needed}"
        )


class BadPlace(GridpatrolError):
    """A latitude or longitude that is on no map."""


@dataclass(frozen=True, slots=True, order=True)
class LatLon:
    """A place in WGS84 degrees, latitude first."""

    lat_deg: float
    lon_deg: float

    def __post_init__(self) -> None:
        # NaN fails both comparisons, so it is refused too.
        if not (-90 <= self.lat_deg <= 90 and -180 <= self.lon_deg <= 180):
            raise BadPlace(
                f"latitude {self.lat_deg}, longitude {self.lon_deg} is no place on earth: "
                "latitude runs from -90 to 90, longitude from -180 to 180 (are the two swapped?)"
            )


@dataclass(frozen=True, slots=True)
class Position:
    """A place with a height."""

    place: LatLon
    altitude: Altitude


@dataclass(frozen=True, slots=True)
class Corridor:
    """A line and the half-width around it that counts as its ground, in metres."""

    line: tuple[LatLon, ...]
    half_width_m: float


@dataclass(frozen=True, slots=True)
class Area:
    """A polygon with holes; rings are open (the first place is not repeated)."""

    outer: tuple[LatLon, ...]
    holes: tuple[tuple[LatLon, ...], ...] = ()


def distance_m(a: LatLon, b: LatLon) -> float:
    """Return the geodesic distance in metres."""
    return float(WGS84.inv(a.lon_deg, a.lat_deg, b.lon_deg, b.lat_deg)[2])


def bearing_deg(a: LatLon, b: LatLon) -> float:
    """Return the true bearing from a to b, 0-360, clockwise from north."""
    return float(WGS84.inv(a.lon_deg, a.lat_deg, b.lon_deg, b.lat_deg)[0]) % 360.0


def moved(a: LatLon, bearing: float, distance: float) -> LatLon:
    """Return the place `distance` metres from a along a true bearing in degrees."""
    lon, lat, _ = WGS84.fwd(a.lon_deg, a.lat_deg, bearing, distance)
    return LatLon(float(lat), float(lon))


@dataclass(frozen=True)
class LocalFrame:
    """East and north metres around an origin (transverse Mercator, scale 1 at the origin).

    Within 20 km of the origin a length is wrong by less than 5 parts in a million.
    """

    origin: LatLon

    @cached_property
    def _forward(self) -> Transformer:
        projection = (
            f"+proj=tmerc +lat_0={self.origin.lat_deg} +lon_0={self.origin.lon_deg} "
            "+k=1 +x_0=0 +y_0=0 +ellps=WGS84 +units=m"
        )
        return Transformer.from_crs("EPSG:4326", projection, always_xy=True)

    def east_north(self, lat_deg: npt.ArrayLike, lon_deg: npt.ArrayLike) -> tuple[Floats, Floats]:
        """Return east and north metres of many places, in the shape given."""
        east, north = self._forward.transform(
            np.asarray(lon_deg, dtype=float), np.asarray(lat_deg, dtype=float)
        )
        return np.asarray(east), np.asarray(north)

    def lat_lon(self, east_m: npt.ArrayLike, north_m: npt.ArrayLike) -> tuple[Floats, Floats]:
        """Return latitudes and longitudes in degrees of many local points."""
        lon, lat = self._forward.transform(
            np.asarray(east_m, dtype=float), np.asarray(north_m, dtype=float), direction="INVERSE"
        )
        return np.asarray(lat), np.asarray(lon)

    def to_local(self, place: LatLon) -> tuple[float, float]:
        """Return (east_m, north_m) of one place."""
        east, north = self.east_north(place.lat_deg, place.lon_deg)
        return float(east), float(north)

    def to_place(self, east_m: float, north_m: float) -> LatLon:
        """Return the place of one local point."""
        lat, lon = self.lat_lon(east_m, north_m)
        return LatLon(float(lat), float(lon))

    def line(self, places: tuple[LatLon, ...]) -> LineString:
        """Return a shapely line in local metres."""
        return LineString(self._ring(places))

    def polygon(self, area: Area) -> Polygon:
        """Return a shapely polygon in local metres."""
        return Polygon(self._ring(area.outer), [self._ring(hole) for hole in area.holes])

    def _ring(self, places: tuple[LatLon, ...]) -> Floats:
        return np.column_stack(self.east_north([p.lat_deg for p in places], [p.lon_deg for p in places]))

    def in_metres(self, shape: BaseGeometry) -> BaseGeometry:
        """Return a shape of longitudes and latitudes, as GeoJSON has them, in local metres."""
        return shapely.transform(shape, lambda at: np.column_stack(self.east_north(at[:, 1], at[:, 0])))

    def in_degrees(self, shape: BaseGeometry) -> BaseGeometry:
        """Return a shape in local metres as longitudes and latitudes."""
        return shapely.transform(shape, lambda at: np.column_stack(self.lat_lon(at[:, 0], at[:, 1])[::-1]))

    def area(self, polygon: Polygon) -> Area:
        """Return the area of a shapely polygon in local metres."""
        rings = [ring.coords[:-1] for ring in (polygon.exterior, *polygon.interiors)]
        outer, *holes = (tuple(self.to_place(x, y) for x, y, *_ in ring) for ring in rings)
        return Area(outer, tuple(holes))


def geoid_m(lat_deg: npt.ArrayLike, lon_deg: npt.ArrayLike) -> Floats:
    """Return the EGM96 geoid's height over the WGS84 ellipsoid, in metres."""
    grid = _egm96()
    row = (90.0 - np.asarray(lat_deg, dtype=float)) * 4.0
    column = (np.asarray(lon_deg, dtype=float) + 180.0) % 360.0 * 4.0
    top = np.clip(np.floor(row).astype(int), 0, grid.shape[0] - 2)
    left = np.floor(column).astype(int) % 1440
    right = (left + 1) % 1440
    down, across = row - top, column - np.floor(column)
    upper = grid[top, left] * (1 - across) + grid[top, right] * across
    lower = grid[top + 1, left] * (1 - across) + grid[top + 1, right] * across
    return np.asarray(upper * (1 - down) + lower * down)


def ellipsoid_to_amsl_m(place: LatLon, height_m: float) -> float:
    """Return the height above mean sea level of a height above the ellipsoid."""
    return height_m - float(geoid_m(place.lat_deg, place.lon_deg))


def to_amsl_m(
    altitude: Altitude,
    place: LatLon,
    *,
    takeoff_amsl_m: float | None = None,
    ground_amsl_m: float | None = None,
    local_zero_amsl_m: float | None = None,
) -> float:
    """Return the height above EGM96 mean sea level of a height over any surface, in metres.

    What a surface needs must be given with it: the take-off's height, the ground's, the height of
    a local datum's zero. Nothing is assumed: a wrong datum is tens of metres, and quiet.

    Raises:
        NoConversion: what the surface needs was not given, or no grid of it is shipped.
    """
    match altitude.datum:
        case Datum.AMSL:
            return altitude.metres
        case Datum.ELLIPSOID:
            return ellipsoid_to_amsl_m(place, altitude.metres)
        case Datum.EGM2008:
            raise NoConversion(altitude.datum, "its geoid grid, which is not shipped")
        case Datum.AHL:
            zero, needed = takeoff_amsl_m, "the height of the take-off"
        case Datum.AGL:
            zero, needed = ground_amsl_m, "an elevation model that covers the place"
        case Datum.LOCAL:
            zero, needed = local_zero_amsl_m, "the height of its zero above mean sea level"
    if zero is None:
        raise NoConversion(altitude.datum, needed)
    return zero + altitude.metres


def amsl_to_ellipsoid_m(place: LatLon, height_m: float) -> float:
    """Return the height above the ellipsoid of a height above mean sea level."""
    return height_m + float(geoid_m(place.lat_deg, place.lon_deg))


@cache
def _egm96() -> Floats:
    source = resources.files("missions") / "data" / "egm96_15.jp2"
    with resources.as_file(source) as path, rasterio.open(path) as grid:
        return np.asarray(grid.read(1), dtype=float) * _GEOID_STEP_M
