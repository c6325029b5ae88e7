"""Connected pixels over a limit, what surrounds them, and their outline: the geometry of hot things."""

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from vision.model import Box

Heat = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]

NOTHING = -100.0
"""What a pixel that measured nothing is set to: below every limit, and no background."""

_BACKGROUND_SHARE, _BACKGROUND_PIXELS = 0.25, 10
_FIRST_MARGIN_PX, _FIRST_MARGIN_M, _MOST_MARGIN_PX = 10, 1.6, 64
_MOST_REGIONS = 200
_MAD_TO_DEVIATION = 1.4826  # of a normal distribution


@dataclass(frozen=True, slots=True)
class Background:
    """What surrounds a region: its middle value and deviation, in the picture's unit."""

    middle: float
    deviation: float


@dataclass(frozen=True, slots=True, eq=False)
class Region:
    """Connected pixels over a limit, as a mask inside a window of the picture."""

    top: int
    left: int
    mask: Mask
    peak: float

    @property
    def pixels(self) -> int:
        return int(np.count_nonzero(self.mask))

    @property
    def box(self) -> Box:
        height, width = self.mask.shape
        return Box(float(self.left), float(self.top), float(self.left + width), float(self.top + height))

    def window(self, margin: int = 0) -> tuple[slice, slice]:
        """Return the slices of the region's box grown by a margin."""
        height, width = self.mask.shape
        rows = slice(max(self.top - margin, 0), self.top + height + margin)
        return rows, slice(max(self.left - margin, 0), self.left + width + margin)

    def values(self, heat: Heat) -> Heat:
        """Return the values of the region's own pixels."""
        return np.asarray(heat[self.window()][self.mask])

    @property
    def longness(self) -> float:
        """How many times longer than wide it is: 1 for a disc, about 10 for a fire line."""
        y, x = np.nonzero(self.mask)
        if len(x) < 3:
            return 1.0
        spread = np.linalg.eigvalsh(np.cov(np.stack([x, y])) + np.eye(2) / 12)
        return float(np.sqrt(spread[1] / spread[0]))


def reaches(heat: Heat, limit: float) -> bool:
    """Return whether any pixel reaches a limit; NaN does not."""
    return bool((heat >= np.float32(limit)).any())


def regions(heat: Heat, limit: float) -> list[Region]:
    """Return the hottest connected regions over a limit, largest first; a gap of one pixel is bridged."""
    over = heat >= np.float32(limit)
    rows, columns = np.flatnonzero(over.any(axis=1)), np.flatnonzero(over.any(axis=0))
    if not rows.size:
        return []
    # Only the part of the picture that holds any is labelled: mostly a small one.
    top, left = max(int(rows[0]) - 1, 0), max(int(columns[0]) - 1, 0)
    part = np.ascontiguousarray(over[top : rows[-1] + 2, left : columns[-1] + 2])
    bridged = cv2.dilate(part.view(np.uint8), np.ones((3, 3), np.uint8))
    _, labels, stats, _ = cv2.connectedComponentsWithStats(bridged, connectivity=8, ltype=cv2.CV_32S)
    largest = np.argsort(-stats[1:, cv2.CC_STAT_AREA]) + 1
    if len(largest) > _MOST_REGIONS:
        peaks = np.full(len(stats), -np.inf)
        np.maximum.at(
            peaks, labels[part].astype(np.intp), heat[top:, left:][: part.shape[0], : part.shape[1]][part]
        )
        hottest = np.argsort(-peaks[1:])[:_MOST_REGIONS] + 1
        largest = largest[np.isin(largest, hottest)]
    return [_region(heat, part, labels, stats[i], (int(i), top, left)) for i in largest]


def background(region: Region, heat: Heat, limit: float, *, pixel_m2: float | None = None) -> Background:
    """Return the surroundings: the smallest window of which a quarter, and ten pixels, is no candidate.

    It reaches ten pixels, as they lie at 120 m; where `pixel_m2` tells that they are finer, as far on the
    ground.
    """
    fine_px = 0.0 if pixel_m2 is None else min(_FIRST_MARGIN_M / pixel_m2**0.5, _MOST_MARGIN_PX)
    margin = max(_FIRST_MARGIN_PX, int(fine_px), max(region.mask.shape) // 2)
    while True:
        window = heat[region.window(margin)]
        ground = window[(window < limit) & (window > NOTHING)]
        whole = margin > max(heat.shape)
        if ground.size >= max(_BACKGROUND_SHARE * window.size, _BACKGROUND_PIXELS) or whole:
            break
        margin *= 2
    if not ground.size:
        return Background(NOTHING, 0.0)
    middle = float(np.median(ground))
    return Background(middle, _MAD_TO_DEVIATION * float(np.median(np.abs(ground - middle))))


def outline(region: Region) -> tuple[tuple[float, float], ...]:
    """Return a closed ring around the region's largest part, along the outer sides of its pixels."""
    doubled = cv2.resize(region.mask.view(np.uint8), None, fx=2, fy=2, interpolation=cv2.INTER_NEAREST)
    rings, _ = cv2.findContours(doubled, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    ring = max(rings, key=cv2.contourArea)
    smooth = cv2.approxPolyDP(ring, 1.0, True)[:, 0, :] if len(ring) > 8 else ring[:, 0, :]
    points = [(region.left + (x + 0.5) / 2, region.top + (y + 0.5) / 2) for x, y in smooth.tolist()]
    return (*points, points[0])


def _region(
    heat: Heat, part: Mask, labels: npt.NDArray[Any], stats: npt.NDArray[Any], which: tuple[int, int, int]
) -> Region:
    """Return one labelled region (label, top and left of the part), cut to what is really over the limit."""
    label, top, left = which
    x, y, width, height = (int(v) for v in stats[:4])
    window = (slice(y, y + height), slice(x, x + width))
    mask = (labels[window] == label) & part[window]
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    mask = np.ascontiguousarray(mask[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1])
    top, left = top + y + int(rows[0]), left + x + int(columns[0])
    values = heat[top : top + mask.shape[0], left : left + mask.shape[1]][mask]
    return Region(top, left, mask, float(values.max()))
