"""Where the sun stands: what it warms by day is cool by night."""

import math
from datetime import UTC, datetime

from missions.geo import LatLon

_EPOCH = datetime(2000, 1, 1, 12, tzinfo=UTC)


def elevation_deg(place: LatLon, at: datetime) -> float:
    """Return the sun's height over the horizon, negative by night; good to 0.1°.

    The low-precision formulas of the Astronomical Almanac.
    """
    days = (at - _EPOCH).total_seconds() / 86400.0
    anomaly = math.radians(357.529 + 0.98560028 * days)
    longitude = math.radians(
        280.459 + 0.98564736 * days + 1.915 * math.sin(anomaly) + 0.020 * math.sin(2 * anomaly)
    )
    tilt = math.radians(23.439 - 3.6e-7 * days)
    declination = math.asin(math.sin(tilt) * math.sin(longitude))
    ascension = math.atan2(math.cos(tilt) * math.sin(longitude), math.cos(longitude))
    sidereal = math.radians((280.46062 + 360.98564737 * days + place.lon_deg) % 360.0)
    lat, hour = math.radians(place.lat_deg), sidereal - ascension
    high = math.sin(lat) * math.sin(declination) + math.cos(lat) * math.cos(declination) * math.cos(hour)
    return math.degrees(math.asin(max(-1.0, min(1.0, high))))
