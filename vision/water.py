"""Which ground is under water, told from a chart.

Where there is near infrared, water is what sends back more green than infrared (NDWI, McFeeters 1996,
Int. J. Remote Sens. 17, 1425): above zero, or above the dry land of the same picture where haze or
a stretch of the colours has lifted that over zero too. Pale crusts and concrete do so as well (Xu 2006,
Int. J. Remote Sens. 27, 3025), but are bright in infrared, where water is dark beside the land. Where there
is colour alone, a segmenter looks (`water_model.py`) and is asked to agree with what water does to
colour and texture.
"""

import cv2
import numpy as np
import numpy.typing as npt

from vision.chart import Chart, Mask
from vision.morphology import grown_back

NDWI_LEAST = 0.0
OVER_LAND = 2.5
"""So many deviations over dry land's own index water must lie, where dry land itself reaches up to zero."""

DARK = 0.6
"""Water sends back at most this share of the infrared that the dry land of the picture does (its median)."""

LEAST_LAND_PX = 100
_TO_SIGMA = 1.4826
_LEVELS = 256


def ndwi(chart: Chart) -> npt.NDArray[np.float32]:
    """Return (green - infrared) / (green + infrared), -1 to 1."""
    green, infrared = chart.band("green"), chart.band("nir")
    return np.asarray((green - infrared) / np.maximum(green + infrared, 1.0), np.float32)


def by_index(chart: Chart) -> Mask:
    """Return where a chart with infrared shows water."""
    index, infrared = ndwi(chart), chart.band("nir")
    wet = (index > threshold(index[chart.known])) & chart.known
    land = infrared[chart.known & ~wet]
    if land.size >= LEAST_LAND_PX:
        wet &= infrared < DARK * float(np.median(land))
    return _whole(wet)


def threshold(index: npt.NDArray[np.float32]) -> float:
    """Return from which index on a picture's ground is water."""
    if not index.size:
        return NDWI_LEAST
    sample = index[:: max(index.size // 200_000, 1)]
    levels = np.clip((sample + 1) / 2 * (_LEVELS - 1), 0, _LEVELS - 1).astype(np.uint8)
    parts, _ = cv2.threshold(levels.reshape(-1, 1), 0, 255, cv2.THRESH_BINARY | cv2.THRESH_OTSU)
    cut = parts / (_LEVELS - 1) * 2 - 1
    land = sample[sample <= cut]
    if land.size < LEAST_LAND_PX:
        return NDWI_LEAST
    middle = float(np.median(land))
    lower = land[land <= middle]
    spread = _TO_SIGMA * float(np.median(np.abs(lower - middle)))
    return float(min(max(NDWI_LEAST, middle + OVER_LAND * spread), max(cut, NDWI_LEAST)))


def _whole(wet: Mask) -> Mask:
    """Return water without single pixels, which are shadows and roofs."""
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (3, 3))
    opened = cv2.morphologyEx(wet.astype(np.uint8), cv2.MORPH_OPEN, kernel)
    return np.asarray(grown_back(opened > 0, wet))
