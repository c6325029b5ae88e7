"""Places as witnesses give them: checked, mended where the mistake is plain, refused where it is not."""

import math
from dataclasses import dataclass

from missions.chinamaps import MapDatum, to_wgs84
from missions.errors import InputWrong
from missions.geo import LatLon, distance_m
from vision.model import Ellipse

# A site and its agencies' ground lie within this of the site's middle; nobody reports from farther.
NEAR_M = 200_000.0
NOWHERE_DEG = 1e-4  # a device without a fix says 0, 0, some of them with noise in the last digits


class NoPlace(InputWrong):
    """The place cannot be used, and no repair of it is certain."""


@dataclass(frozen=True, slots=True)
class Placed:
    """A place in WGS84, and what was mended to get it."""

    place: LatLon
    notes: tuple[str, ...] = ()


def placed(
    lat_deg: float, lon_deg: float, *, datum: MapDatum = MapDatum.WGS84, near: LatLon | None = None
) -> Placed:
    """Return the WGS84 place of two numbers.

    Latitude and longitude are taken as swapped when they are no place as they stand, or when they lie
    far from `near` and the other way round close to it.

    Raises:
        NoPlace: they are not finite, 0 and 0, or no place either way.
    """
    if not (math.isfinite(lat_deg) and math.isfinite(lon_deg)):
        raise NoPlace(f"place: found {lat_deg}, {lon_deg}, expected latitude and longitude in degrees")
    if abs(lat_deg) < NOWHERE_DEG and abs(lon_deg) < NOWHERE_DEG:
        raise NoPlace("place: found 0, 0, which is what a device without a fix says: send a place")
    straight = _place(lat_deg, lon_deg)
    if straight is not None and near is None:
        return Placed(to_wgs84(straight, datum), _converted(datum))
    swapped = _place(lon_deg, lat_deg)
    if straight is None and swapped is None:
        raise NoPlace(
            f"place: found {lat_deg}, {lon_deg}, expected -90 to 90 of latitude, -180 to 180 of longitude"
        )
    if straight is None or (swapped and near and _is_near(swapped, near) and not _is_near(straight, near)):
        assert swapped is not None
        if near is not None and not _is_near(swapped, near):
            raise NoPlace(f"place: found latitude {lat_deg}, longitude {lon_deg}, which is no place on earth")
        note = f"latitude {lat_deg} and longitude {lon_deg} were swapped"
        return Placed(to_wgs84(swapped, datum), (note, *_converted(datum)))
    return Placed(to_wgs84(straight, datum), _converted(datum))


def datum_named(text: str | None) -> MapDatum:
    """Return the datum a witness declares; nothing means WGS84, what a GPS says.

    Raises:
        NoPlace: we cannot convert from a datum of that name.
    """
    if not text:
        return MapDatum.WGS84
    plain = text.upper().replace("-", "").replace("_", "").replace(" ", "").replace(":", "")
    known = {
        "WGS84": MapDatum.WGS84,
        "EPSG4326": MapDatum.WGS84,
        "CGCS2000": MapDatum.WGS84,  # the two differ by centimetres
        "GCJ02": MapDatum.GCJ02,
        "BD09": MapDatum.BD09,
        "BD09LL": MapDatum.BD09,
    }
    if plain not in known:
        raise NoPlace(f"datum: found {text!r}, expected WGS84, CGCS2000, GCJ-02 or BD-09")
    return known[plain]


def round_ellipse(radius_m: float) -> Ellipse:
    """Return the ellipse of an error that is the same in all directions."""
    return Ellipse(radius_m, radius_m, 0.0)


def _converted(datum: MapDatum) -> tuple[str, ...]:
    return () if datum is MapDatum.WGS84 else (f"converted from {datum} to WGS84",)


def _place(lat_deg: float, lon_deg: float) -> LatLon | None:
    if not (-90 <= lat_deg <= 90 and -180 <= lon_deg <= 180):
        return None
    return LatLon(lat_deg, lon_deg)


def _is_near(place: LatLon, near: LatLon) -> bool:
    return distance_m(place, near) <= NEAR_M
