"""Chinese map coordinates as WGS84: GCJ-02 (Amap, Tencent, Google in China) and BD-09 (Baidu).

By law maps sold in China are shifted by 100-700 m. The shift is a published sum of sines
around the Krasovsky ellipsoid; it has no closed inverse, so the way back is found by trying, to
less than a millimetre. Outside the rectangle the law applies to, GCJ-02 is WGS84 itself. Baidu turns
and stretches GCJ-02 a little more. Both are no coordinate system of a survey: use them for pins
that people set on such a map and for nothing else.
"""

import math
from collections.abc import Callable
from enum import StrEnum

from missions.geo import LatLon

_A, _E2 = 6378245.0, 0.00669342162296594323  # Krasovsky 1940, as the shift is defined
_BAIDU_TURN = math.pi * 3000.0 / 180.0
_EXACT_DEG, _MOST_STEPS = 1e-9, 30


class MapDatum(StrEnum):
    """What a pin's latitude and longitude refer to."""

    WGS84 = "WGS84"
    GCJ02 = "GCJ-02"
    BD09 = "BD-09"


def to_wgs84(place: LatLon, datum: MapDatum) -> LatLon:
    """Return the WGS84 place of a pin set on a map of this datum."""
    match datum:
        case MapDatum.WGS84:
            return place
        case MapDatum.GCJ02:
            return _undone(place, to_gcj02)
        case MapDatum.BD09:
            return _undone(place, to_bd09)


def to_gcj02(place: LatLon) -> LatLon:
    """Return where a WGS84 place is drawn on a GCJ-02 map."""
    if not _is_shifted(place):
        return place
    x, y = place.lon_deg - 105.0, place.lat_deg - 35.0
    lat = math.radians(place.lat_deg)
    root = math.sqrt(1 - _E2 * math.sin(lat) ** 2)
    north_m = (
        -100.0 + 2.0 * x + 3.0 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * math.sqrt(abs(x))
        + _waves(x) + _swell(y, (20.0, 40.0), 1.0, 3.0) + _swell(y, (160.0, 320.0), 12.0, 30.0)
    )  # fmt: skip
    east_m = (
        300.0 + x + 2.0 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * math.sqrt(abs(x))
        + _waves(x) + _swell(x, (20.0, 40.0), 1.0, 3.0) + _swell(x, (150.0, 300.0), 12.0, 30.0)
    )  # fmt: skip
    return LatLon(
        place.lat_deg + math.degrees(north_m / (_A * (1 - _E2) / root**3)),
        place.lon_deg + math.degrees(east_m / (_A / root * math.cos(lat))),
    )


def to_bd09(place: LatLon) -> LatLon:
    """Return where a WGS84 place is drawn on a Baidu map."""
    at = to_gcj02(place)
    x, y = at.lon_deg, at.lat_deg
    far = math.hypot(x, y) + 0.00002 * math.sin(y * _BAIDU_TURN)
    turned = math.atan2(y, x) + 0.000003 * math.cos(x * _BAIDU_TURN)
    return LatLon(far * math.sin(turned) + 0.006, far * math.cos(turned) + 0.0065)


def _undone(drawn: LatLon, draw: Callable[[LatLon], LatLon]) -> LatLon:
    """Return the place that is drawn there: each step takes back what the last one missed by."""
    guess = drawn
    for _ in range(_MOST_STEPS):
        found = draw(guess)
        off_lat, off_lon = found.lat_deg - drawn.lat_deg, found.lon_deg - drawn.lon_deg
        if max(abs(off_lat), abs(off_lon)) < _EXACT_DEG:
            break
        guess = LatLon(guess.lat_deg - off_lat, guess.lon_deg - off_lon)
    return guess


def _is_shifted(place: LatLon) -> bool:
    return 0.8293 <= place.lat_deg <= 55.8271 and 72.004 <= place.lon_deg <= 137.8347


def _waves(x: float) -> float:
    return (20.0 * math.sin(6.0 * x * math.pi) + 20.0 * math.sin(2.0 * x * math.pi)) * 2.0 / 3.0


def _swell(t: float, heights: tuple[float, float], first: float, second: float) -> float:
    """Return two sines of a coordinate: of half-periods `first` and `second` degrees."""
    high, low = heights
    return (high * math.sin(t / first * math.pi) + low * math.sin(t / second * math.pi)) * 2.0 / 3.0
