"""East, north and up in metres from one place, by way of earth-centred coordinates.

Exact on the WGS84 ellipsoid, so the earth's curve needs no correction, and light
enough to make anew for every picture (a map projection takes 10 ms to set up).
Heights are above sea level throughout: over the few kilometres a picture shows
the geoid runs parallel to the ellipsoid to within centimetres.
"""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from missions.geo import WGS84, Floats, LatLon

_A, _B, _E2 = float(WGS84.a), float(WGS84.b), float(WGS84.es)
_E2_SECOND = _E2 / (1 - _E2)


@dataclass(frozen=True, slots=True)
class Scale:
    """Metres a degree of latitude and longitude at one place, for what lies some hundred metres around."""

    here: LatLon
    north_m: float
    east_m: float

    @classmethod
    def at(cls, here: LatLon) -> "Scale":
        """Return the scale of the WGS84 ellipsoid at a place."""
        sine = math.sin(math.radians(here.lat_deg))
        w = 1.0 - _E2 * sine * sine
        north = _A * (1 - _E2) / w**1.5
        east = _A / math.sqrt(w) * math.cos(math.radians(here.lat_deg))
        return cls(here, math.radians(north), math.radians(east))

    def to_local(self, place: LatLon) -> tuple[float, float]:
        """Return metres east and north of `here`."""
        return (
            (place.lon_deg - self.here.lon_deg) * self.east_m,
            (place.lat_deg - self.here.lat_deg) * self.north_m,
        )

    def to_place(self, east_m: float, north_m: float) -> LatLon:
        """Return the place so many metres east and north of `here`."""
        return LatLon(self.here.lat_deg + north_m / self.north_m, self.here.lon_deg + east_m / self.east_m)


class Tangent:
    """The plane that touches the earth under a camera, its origin at the camera."""

    def __init__(self, place: LatLon, altitude_m: float) -> None:
        lat, lon = math.radians(place.lat_deg), math.radians(place.lon_deg)
        sin, cos = math.sin, math.cos
        self._axes = np.array(
            [
                [-sin(lon), cos(lon), 0.0],
                [-sin(lat) * cos(lon), -sin(lat) * sin(lon), cos(lat)],
                [cos(lat) * cos(lon), cos(lat) * sin(lon), sin(lat)],
            ]
        )
        self._origin = _to_earth(place.lat_deg, place.lon_deg, altitude_m)

    def geodetic(self, points: Floats) -> tuple[Floats, Floats, Floats]:
        """Return latitudes, longitudes and heights of points whose last axis is east, north, up.

        Bowring's formula; near the earth's surface it is exact to a micrometre.
        """
        x, y, z = np.moveaxis(points @ self._axes + self._origin, -1, 0)
        p = np.hypot(x, y)
        theta = np.arctan2(z * _A, p * _B)
        lat = np.arctan2(z + _E2_SECOND * _B * np.sin(theta) ** 3, p - _E2 * _A * np.cos(theta) ** 3)
        sin = np.sin(lat)
        height = p * np.cos(lat) + z * sin - _A * np.sqrt(1 - _E2 * sin * sin)
        return np.degrees(lat), np.degrees(np.arctan2(y, x)), np.asarray(height)

    def local(self, lat_deg: npt.ArrayLike, lon_deg: npt.ArrayLike, height_m: npt.ArrayLike) -> Floats:
        """Return east, north and up (last axis) of places with heights."""
        return np.asarray((_to_earth(lat_deg, lon_deg, height_m) - self._origin) @ self._axes.T)


def _to_earth(lat_deg: npt.ArrayLike, lon_deg: npt.ArrayLike, height_m: npt.ArrayLike) -> Floats:
    """Return earth-centred metres (last axis x, y, z)."""
    lat, lon = np.radians(np.asarray(lat_deg, dtype=float)), np.radians(np.asarray(lon_deg, dtype=float))
    height = np.asarray(height_m, dtype=float)
    across = _A / np.sqrt(1 - _E2 * np.sin(lat) ** 2)
    p = (across + height) * np.cos(lat)
    return np.stack([p * np.cos(lon), p * np.sin(lon), (across * (1 - _E2) + height) * np.sin(lat)], axis=-1)
