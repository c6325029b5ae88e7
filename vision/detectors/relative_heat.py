"""Fire in a thermal picture without temperatures: the background itself is the thermometer.

Ground alone varies by a known few degrees: 4-8 by day in the sun, 0.5-2 by night. A camera that stretches its
picture linearly must squeeze that into a few grey levels to show a flame, so that a flame stands fifty and
more of the background's deviations above it, or is cut off flat at the end of the scale. What is no fire
(people, cars, roofs, stoves) stands ten to fifty above it by day, by night up to a hundred, for then the
ground is even, and ends in a point, not a plateau. Two rules follow, either of which is enough:

* the peak is `CONTRAST` deviations of the whole picture's background over its middle, `CONTRAST_LARGE` where
  more pixels than a stove or a car has are half as hot;
* the blob is cut off flat: at least `PLATEAU_PX` pixels, and a third of it, lie at the end of the scale,
  which is `CUT_OFF` deviations up, or `CUT_OFF_STRETCHED` where the scale begins at the coldest pixel and so
  may end at the hottest, whatever that is.

The first limit falls when the sun is known to stand high. A camera that spreads its grey levels by their
frequency, or cuts off the hottest pixels of every picture, shows flame and car alike: there this test is
silent, which is a miss that `evaluate --task thermal` counts.
"""

import math
from dataclasses import dataclass

import numpy as np

from vision.detectors.regions import Heat, Region, regions

CONTRAST, CONTRAST_HIGH_SUN = 122.0, 62.5
LOW_SUN_DEG, HIGH_SUN_DEG = 15.0, 30.0
CONTRAST_LARGE, LARGE_PX = 70.0, 150
CUT_OFF, CUT_OFF_STRETCHED = 18.0, 60.0
PLATEAU_PX, PLATEAU_SHARE = 9, 0.33
LARGEST_SHARE = 0.25
"""A blob that fills more of the picture than this is no blob: the picture shows something else."""

_END_LEVELS = 1.0  # how far JPEG blurs the end of an 8-bit scale within a plateau
_LEVELS = 255.0
_STRETCHED, _UPPER = 0.02, 0.7  # shares of the scale
_EVERY = 4


@dataclass(frozen=True, slots=True, eq=False)
class Blob:
    """A warm region with its score (0.5 and more is fire) and its contrast in background deviations."""

    region: Region
    score: float
    contrast: float
    cut_off: bool


def blobs(warmth: Heat, *, limit: float | None, sun_deg: float | None) -> list[Blob]:
    """Return what stands out of a picture in arbitrary units, best first; `limit` is where its scale ends."""
    finite = np.nan_to_num(warmth, nan=float(np.nanmin(warmth)) if np.isfinite(warmth).any() else 0.0)
    low, middle, high = (float(v) for v in np.percentile(finite[::_EVERY, ::_EVERY], [5, 50, 95]))
    peak, floor = float(finite.max()), float(finite.min())
    # A picture of 8 bits cannot show a smaller deviation than one level; finer ones are held to as much.
    level = 1.0 if limit == _LEVELS else (peak - floor) / _LEVELS
    deviation = max((high - low) / 3.29, level, 1e-6)
    if (peak - middle) / deviation < CUT_OFF:
        return []
    wanted = _by_sun(sun_deg, CONTRAST, CONTRAST_HIGH_SUN)
    found = []
    for region in regions(finite, middle + CUT_OFF * deviation):
        if region.pixels > LARGEST_SHARE * finite.size:
            continue
        contrast = (region.peak - middle) / deviation
        least = CUT_OFF if limit and floor > _STRETCHED * limit else CUT_OFF_STRETCHED
        flat = contrast >= least and _plateau(region, finite, limit, middle)
        half = int(np.count_nonzero(region.values(finite) >= middle + (region.peak - middle) / 2))
        large = half >= LARGE_PX and region.peak >= _UPPER * (limit or peak)
        limit_here = min(wanted, CONTRAST_LARGE) if large else wanted
        score = max(_score(contrast / limit_here), 0.75 if flat else 0.0)
        found.append(Blob(region, round(score, 4), contrast, flat))
    return sorted(found, key=lambda b: -b.score)


def _by_sun(sun_deg: float | None, low: float, high: float) -> float:
    """Return a limit for the sun's height; without a known sun the one that holds by night."""
    if sun_deg is None:
        return low
    return float(np.interp(sun_deg, [LOW_SUN_DEG, HIGH_SUN_DEG], [low, high]))


def _plateau(region: Region, warmth: Heat, limit: float | None, middle: float) -> bool:
    """Return whether the region is cut off flat by the end of the scale."""
    if limit is None:
        return False
    blur = _END_LEVELS * limit / _LEVELS
    if region.peak < limit - blur:
        return False
    flat = int(np.count_nonzero(region.values(warmth) >= limit - blur))
    half = np.count_nonzero(region.values(warmth) >= middle + (region.peak - middle) / 2)
    return flat >= PLATEAU_PX and flat >= PLATEAU_SHARE * int(half)


def _score(times: float) -> float:
    """Return 0.5 at the limit, 0.9 at 1.7 times as much."""
    return 1 / (1 + math.exp(-4.0 * math.log(max(times, 1e-3))))
