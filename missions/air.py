"""What the air over a site is like: wind by height, volumes not to enter, things that stand up into it.

Values only, and the one formula for the wind between two heights.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass

from missions.geo import Area, LatLon


@dataclass(frozen=True, slots=True)
class Aloft:
    """Wind at one height above mean sea level."""

    above_sea_m: float
    speed_m_s: float
    from_deg: float


@dataclass(frozen=True, slots=True)
class Wind:
    """Wind as met offices give it: speed, and the true bearing it blows *from*.

    It holds at all heights, unless `aloft` says what it is higher up: then it holds at
    `above_sea_m` and below, and between two heights its vector changes evenly.
    """

    speed_m_s: float = 0.0
    from_deg: float = 0.0
    above_sea_m: float = 0.0
    aloft: tuple[Aloft, ...] = ()

    def at(self, above_sea_m: float) -> "Wind":
        """Return the wind at one height, the same above and below it."""
        if not self.aloft:
            return self
        known = sorted(
            (Aloft(self.above_sea_m, self.speed_m_s, self.from_deg), *self.aloft),
            key=lambda layer: layer.above_sea_m,
        )
        under = max((k for k in known if k.above_sea_m <= above_sea_m), key=_height, default=known[0])
        over = min((k for k in known if k.above_sea_m >= above_sea_m), key=_height, default=known[-1])
        apart_m = over.above_sea_m - under.above_sea_m
        share = (above_sea_m - under.above_sea_m) / apart_m if apart_m > 0 else 0.0
        (low_east, low_north), (high_east, high_north) = _blows(under), _blows(over)
        east, north = low_east + share * (high_east - low_east), low_north + share * (high_north - low_north)
        return Wind(math.hypot(east, north), math.degrees(math.atan2(-east, -north)) % 360)


def strongest_m_s(winds: Iterable[Wind]) -> float:
    """Return the most that any of the winds blows at the docks."""
    return max((wind.speed_m_s for wind in winds), default=0.0)


def _height(layer: Aloft) -> float:
    return layer.above_sea_m


def _blows(layer: Aloft) -> tuple[float, float]:
    """Return east and north metres a second that the air moves."""
    towards = math.radians(layer.from_deg + 180.0)
    return layer.speed_m_s * math.sin(towards), layer.speed_m_s * math.cos(towards)


@dataclass(frozen=True, slots=True)
class NoFly:
    """A volume no drone may enter; floor and ceiling above mean sea level, None = open.

    `hours` are those of the site's day in which it is shut, as seconds after local midnight; always
    when None. They may run past midnight.
    """

    id: str
    area: Area
    floor_m: float | None = None
    ceiling_m: float | None = None
    hours: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True)
class NoPhoto:
    """Ground over which drones fly with the camera off."""

    id: str
    area: Area


@dataclass(frozen=True, slots=True)
class Obstacle:
    """A mast (one place), or wires between poles (a line), as high above the ground, both ends alike.

    Drones stay `margin_m` away from it, beside it and over it.
    """

    id: str
    line: tuple[LatLon, ...]
    height_m: float
    margin_m: float = 20.0
