"""Fresh tracks in a mask of felled ground: strips as wide as a machine, and long.

What stays when the mask is opened by half the widest track is a clearing; what that takes away is narrow.
Of that, what is long for its width is a track; ragged edges leave short bits.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from shapely.geometry import Point

from vision.chart import Mask
from vision.morphology import opened, wider

WIDE_M = (2.0, 7.0)
"""A forwarder's trail is 3 to 4 m wide, with what its crane lays aside up to twice that."""

LEAST_LONG_M, LEAST_RATIO = 15.0, 4.0


@dataclass(frozen=True, slots=True)
class Trail:
    """A narrow strip of felled ground: a point on it in pixels, its length and mean width in metres."""

    middle: Point
    long_m: float
    wide_m: float
    area_px: int


def trails(felled: Mask, pixel_m: float) -> list[Trail]:
    """Return the tracks of a mask; none where pixels are too coarse to show one."""
    if not are_shown(pixel_m):
        return []
    narrow = felled & ~wider(opened(felled, max(round(WIDE_M[1] / 2 / pixel_m), 1)), 1)
    count, labels = cv2.connectedComponents(narrow.astype(np.uint8), connectivity=8)
    found = (_strip(np.argwhere(labels == number)[:, ::-1], pixel_m) for number in range(1, count))
    return [strip for strip in found if strip is not None]


def are_shown(pixel_m: float) -> bool:
    """Return whether pixels are fine enough to show a track."""
    return 2 * pixel_m <= WIDE_M[0]


def _strip(pixels: np.ndarray[tuple[int, ...], np.dtype[np.intp]], pixel_m: float) -> Trail | None:
    """Return pixels (column, row) as a track, None where they are too short, too thin or too broad."""
    _, sides, _ = cv2.minAreaRect(pixels.astype(np.float32))
    long_m = max(sides) * pixel_m
    if long_m < LEAST_LONG_M:
        return None
    wide_m = len(pixels) * pixel_m**2 / long_m
    if not WIDE_M[0] <= wide_m <= WIDE_M[1] or long_m < LEAST_RATIO * wide_m:
        return None
    middle = pixels[np.argmin(np.hypot(*(pixels - pixels.mean(axis=0)).T))]
    return Trail(Point(middle + 0.5), long_m, wide_m, len(pixels))
