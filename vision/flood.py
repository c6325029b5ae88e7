"""How fast water rises, from its edge on the elevation model.

Still water is level, so the heights of the ground along its edge are one number seen many times: the median
is the level. Where the edge stands on steep ground an error of place is an error of height, and the
scatter along the edge shows it. The elevation model's own error is mostly the same at both looks and
goes out of their difference, which is why the rise is known better than the level.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from missions.geo import Floats, LatLon
from vision.georeference import Ground
from vision.growth import Z_90, one_look_each
from vision.model import Observation
from vision.tangent import Scale

EVERY_M = 4.0
CORRELATED_M = 50.0
"""Heights along an edge count as one sample over this length."""

PLACE_M = 3.0
"""One deviation, each way, of where a picture's own pose puts the whole edge."""

FEWEST = 5
"""Fewer heights than this along an edge tell no level."""

_TO_SIGMA = 1.4826  # of the median's absolute deviations, for a normal distribution


Points = Sequence[tuple[float, float]]
Interval = tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class Level:
    """A water level above mean sea level, with one standard deviation that two looks do not share."""

    seen_at: datetime
    height_m: float
    error_m: float


@dataclass(frozen=True, slots=True)
class Rise:
    """How fast water rises, metres an hour; low and high hold the truth with 90 %."""

    m_per_h: float
    low_m_per_h: float
    high_m_per_h: float


def level(edge: Points, *, ground: Ground) -> Interval | None:
    """Return the height above the sea at which water ends on land: low, middle and high of 90 %.

    `edge` are rows of latitude and longitude along the water's edge, `EVERY_M` apart; None where too few of
    them have ground. The interval is what two looks do not share: scatter along the edge, and how
    much higher or lower the ground is where the pose may have put it.
    """
    heights = _known_heights(edge, ground)
    if len(heights) < FEWEST:
        return None
    middle = float(np.median(heights))
    samples = max(len(heights) * EVERY_M / CORRELATED_M, 1.0)
    # The median of n normal samples scatters by sqrt(pi / 2n) of theirs.
    scatter = math.sqrt(math.pi / 2 / samples) * max(_scatter(heights), 0.02)
    off = Z_90 * math.hypot(scatter, *_by_place(edge, ground))
    return round(middle - off, 2), round(middle, 2), round(middle + off, 2)


def rise_over(seen: Sequence[Observation]) -> Rise | None:
    """Return how fast a flood rises, by the levels that its looks tell; None from fewer than two."""
    told = [one for one in seen if "level_m" in one.facts]
    return rise([_of_look(look) for look in one_look_each(told)])


def _of_look(look: Sequence[Observation]) -> Level:
    """Return the one level that the pictures of a look tell: they share what is wrong with their poses."""
    told: Floats = np.array([one.facts["level_m"] for one in look], np.float64)
    error_m = float(np.min(told[:, 2] - told[:, 0])) / (2 * Z_90)
    apart_m = float(told[:, 1].std())
    return Level(look[-1].seen_at, float(told[:, 1].mean()), max(math.hypot(error_m, apart_m), 0.01))


def rise(levels: Sequence[Level]) -> Rise | None:
    """Return how fast the level rises, by weighted least squares; None from fewer than two moments."""
    begun = min((one.seen_at for one in levels), default=None)
    if begun is None:
        return None
    hours = np.array([(one.seen_at - begun).total_seconds() / 3600.0 for one in levels])
    if np.ptp(hours) <= 0:
        return None
    weight = 1 / np.array([one.error_m for one in levels]) ** 2
    heights = np.array([one.height_m for one in levels])
    middle = float(np.average(hours, weights=weight))
    about = hours - middle
    information = float(weight @ about**2)
    speed = float((weight * about) @ heights) / information
    off = Z_90 / math.sqrt(information)
    return Rise(speed, speed - off, speed + off)


def above(edge: Points, bank: Points, *, ground: Ground) -> Interval | None:
    """Return how much higher the ground lies along one edge than along another: low, middle, high (90 %).

    Both are rows of latitude and longitude. The model's error is mostly common to both and goes out.
    """
    parts = [_known_heights(points, ground) for points in (edge, bank)]
    if min(len(part) for part in parts) < FEWEST:
        return None
    middle = float(np.median(parts[0]) - np.median(parts[1]))
    off = Z_90 * math.hypot(*map(_scatter, parts), 0.1)
    return round(middle - off, 2), round(middle, 2), round(middle + off, 2)


def _known_heights(points: Points, ground: Ground, *, north_m: float = 0.0, east_m: float = 0.0) -> Floats:
    """Return the known heights of the ground at points, or so many metres beside them."""
    if not len(points):
        return np.zeros(0)
    scale = Scale.at(LatLon(*points[0]))
    lat, lon = np.array(points).T
    heights = np.asarray(ground.elevation_m(lat + north_m / scale.north_m, lon + east_m / scale.east_m))
    return np.asarray(heights[np.isfinite(heights)])


def _by_place(edge: Points, ground: Ground) -> tuple[float, float]:
    """Return by how much the middle height changes when the edge lies `PLACE_M` further east, and north."""
    sides = [
        [_known_heights(edge, ground, **{way: sign * PLACE_M}) for sign in (-1.0, 1.0)]
        for way in ("east_m", "north_m")
    ]
    east, north = (
        abs(float(np.median(a) - np.median(b))) / 2 if len(a) and len(b) else 0.0 for a, b in sides
    )
    return east, north


def _scatter(heights: Floats) -> float:
    return _TO_SIGMA * float(np.median(np.abs(heights - np.median(heights))))
