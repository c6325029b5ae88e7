"""The sun and the air over a place: what warms the ground and lights the picture.

The sun's place follows the low-precision formulae of the Astronomical Almanac
(within 0.1 degrees until 2050). Direct light is the clear-sky beam of Meinel &
Meinel (1976), 1353 W/m² x 0.7^(AM^0.678), with AM the air mass of Kasten & Young
(1989). The air follows a yearly and a daily wave fitted by eye to the
subtropical hill country of eastern China: 27 °C on a July mean day, 5 °C in January,
warmest at three in the afternoon, 5 K up and down over the day.
"""

import math
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np

from missions.geo import Floats, LatLon

FULL_BEAM_W_M2 = 1000.0


@dataclass(frozen=True, slots=True)
class Sky:
    """Light and air at one moment. `beam` is 1 for 1000 W/m² on a face turned to the sun."""

    sun_azimuth_deg: float
    sun_elevation_deg: float
    beam: float
    air_c: float

    @classmethod
    def over(cls, place: LatLon, at: datetime) -> "Sky":
        """Return the sky over a place, clear and still."""
        azimuth, elevation, solar_hour = _sun(place, at)
        return cls(azimuth, elevation, _beam(elevation), _air_c(place, at, solar_hour))

    @property
    def to_sun(self) -> Floats:
        """The unit vector east, north, up towards the sun."""
        azimuth, elevation = math.radians(self.sun_azimuth_deg), math.radians(self.sun_elevation_deg)
        level = math.cos(elevation)
        return np.array([math.sin(azimuth) * level, math.cos(azimuth) * level, math.sin(elevation)])

    @property
    def daylight(self) -> float:
        """How bright the scene is, 1 by day and 0.06 by night; dusk between 2 and -8 degrees."""
        return float(np.interp(self.sun_elevation_deg, [-8.0, 2.0, 15.0], [0.06, 0.6, 1.0]))


def _sun(place: LatLon, at: datetime) -> tuple[float, float, float]:
    """Return azimuth and elevation in degrees and the solar hour of the day."""
    days = (at - datetime(2000, 1, 1, 12, tzinfo=UTC)).total_seconds() / 86400.0
    anomaly = math.radians(357.528 + 0.9856003 * days)
    longitude = math.radians(
        280.460 + 0.9856474 * days + 1.915 * math.sin(anomaly) + 0.020 * math.sin(2 * anomaly)
    )
    tilt = math.radians(23.439 - 4e-7 * days)
    ascension = math.atan2(math.cos(tilt) * math.sin(longitude), math.cos(longitude))
    declination = math.asin(math.sin(tilt) * math.sin(longitude))
    sidereal = math.radians((280.46062 + 360.98564737 * days + place.lon_deg) % 360.0)
    hour_angle = (sidereal - ascension + math.pi) % (2 * math.pi) - math.pi
    lat = math.radians(place.lat_deg)
    elevation = math.asin(
        math.sin(lat) * math.sin(declination) + math.cos(lat) * math.cos(declination) * math.cos(hour_angle)
    )
    azimuth = math.atan2(
        -math.sin(hour_angle) * math.cos(declination),
        math.sin(declination) * math.cos(lat) - math.cos(declination) * math.sin(lat) * math.cos(hour_angle),
    )
    return math.degrees(azimuth) % 360.0, math.degrees(elevation), 12.0 + math.degrees(hour_angle) / 15.0


def _beam(elevation_deg: float) -> float:
    if elevation_deg <= 0.0:
        return 0.0
    air_mass = 1.0 / (math.sin(math.radians(elevation_deg)) + 0.50572 * (elevation_deg + 6.07995) ** -1.6364)
    return float(1353.0 * 0.7 ** (air_mass**0.678) / FULL_BEAM_W_M2)


def _air_c(place: LatLon, at: datetime, solar_hour: float) -> float:
    day = at.timetuple().tm_yday - (200 if place.lat_deg >= 0 else 17)
    season = 16.0 + 11.0 * math.cos(2 * math.pi * day / 365.25)
    return season + 5.0 * math.cos(2 * math.pi * (solar_hour - 15.0) / 24.0)
