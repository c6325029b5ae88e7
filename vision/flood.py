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

from missions.geo import Area
from vision.georeference import Ground
from vision.growth import Z_90
from vision.tangent import Scale

EVERY_M = 5.0
CORRELATED_M = 50.0
"""Heights along an edge count as one sample over this length."""

FEWEST = 5
"""Fewer heights than this along an edge tell no level."""

_TO_SIGMA = 1.4826  # of the median's absolute deviations, for a normal distribution


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


def level(area: Area, seen_at: datetime, *, ground: Ground) -> Level | None:
    """Return the level of the water that covers an area, None where no ground is known along its edge."""
    heights = _edge_heights(area, ground)
    heights = heights[np.isfinite(heights)]
    if len(heights) < 3:
        return None
    middle = float(np.median(heights))
    scatter = _TO_SIGMA * float(np.median(np.abs(heights - middle)))
    samples = max(len(heights) * EVERY_M / CORRELATED_M, 1.0)
    # The median of n normal samples scatters by sqrt(pi / 2n) of theirs.
    return Level(seen_at, middle, math.sqrt(math.pi / 2 / samples) * max(scatter, 0.02))


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


def above(
    edge: Sequence[tuple[float, float]], bank: Sequence[tuple[float, float]], *, ground: Ground
) -> tuple[float, float, float] | None:
    """Return how much higher the ground lies along one edge than along another: low, middle, high (90 %).

    Both are rows of latitude and longitude. The model's error is mostly common to both and goes out.
    """
    parts = [_known_heights(points, ground) for points in (edge, bank)]
    if min(len(part) for part in parts) < FEWEST:
        return None
    middle = float(np.median(parts[0]) - np.median(parts[1]))
    spread = [_TO_SIGMA * float(np.median(np.abs(part - np.median(part)))) for part in parts]
    off = Z_90 * math.hypot(*spread, 0.1)
    return round(middle - off, 2), round(middle, 2), round(middle + off, 2)


def _known_heights(
    points: Sequence[tuple[float, float]], ground: Ground
) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    heights = np.asarray(ground.elevation_m([p[0] for p in points], [p[1] for p in points]))
    return np.asarray(heights[np.isfinite(heights)])


def _edge_heights(area: Area, ground: Ground) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    """Return the ground's height every few metres along an area's outer edge."""
    scale = Scale.at(area.outer[0])
    corners = np.array([scale.to_local(p) for p in (*area.outer, area.outer[0])])
    steps = np.hypot(*np.diff(corners, axis=0).T)
    along = np.concatenate([[0.0], np.cumsum(steps)])
    at = np.arange(0.0, along[-1], EVERY_M)
    east, north = np.interp(at, along, corners[:, 0]), np.interp(at, along, corners[:, 1])
    here = scale.here
    return ground.elevation_m(here.lat_deg + north / scale.north_m, here.lon_deg + east / scale.east_m)
