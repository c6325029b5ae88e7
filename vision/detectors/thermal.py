"""Fire in a picture of temperatures, by the idea of the satellites' fire products.

VIIRS and MODIS call a pixel fire when it is hot in itself, or hotter than a
window of background around it by far more than that background varies, the
window leaving out other candidates and growing until enough of it is ground
(Schroeder et al. 2014, Remote Sens. Environ. 143, 85). From a drone a pixel is
decimetres instead of 375 m, so the warm things of a village are seen one by one
and the absolute limits can say what the sun and a flue cannot do:

* nothing the sun heats passes 120 °C, which is where a candidate's edge is drawn;
* stoves and flues reach 250 °C at the outside and are smaller than half a square
  metre: hotter than `SURE_C`, or a square metre over `LIKELY_C`, is fire;
* a candidate must still stand out of its own surroundings (contrast in °C and in
  deviations), so that a hot roof in a hot yard or a warm camera is none.

What stands out but is no fire is a hot spot. Pixels at the camera's own limit may be anything
above it and count as `LIKELY_C`. All of it is a suspicion: the wording is left to whoever tells people.
"""

import math
from dataclasses import dataclass, replace
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from missions.model import Hazard, Sensor
from vision.frame import Frame
from vision.model import Box, Detection
from vision.radiometry import Celsius
from vision.scene import Scene

EDGE_C = 120.0
SURE_C = 280.0
LIKELY_C, LIKELY_M2, LIKELY_PIXELS = 180.0, 1.0, 30
FIRE_CONTRAST_C = 60.0
WARM_C, WARM_CONTRAST_C = 60.0, 20.0
DEVIATIONS = 6.0
FLAME_C = 500.0
"""Taken for the flame when a source is smaller than its pixels (Johnston et al. 2014: 400-800 °C)."""

SMALL_PIXELS = 9
"""Up to here most pixels of a source are edge, and its area is the sum of their hot fractions."""

_BACKGROUND_SHARE, _BACKGROUND_PIXELS = 0.25, 10
_FIRST_MARGIN_PX = 10
_GLOW_PX = 8
_MOST_REGIONS = 200
_MAD_TO_DEVIATION = 1.4826  # of a normal distribution
_BAND_UM, _C2_UM_K, _ZERO_C_IN_K = 10.5, 14387.8, 273.15

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class _Background:
    """What surrounds a region: its middle value and deviation in °C."""

    middle_c: float
    deviation_c: float


@dataclass(frozen=True, slots=True, eq=False)
class _Region:
    """Connected pixels over a limit, as a mask inside a window of the picture."""

    top: int
    left: int
    mask: Mask
    peak_c: float

    @property
    def pixels(self) -> int:
        return int(np.count_nonzero(self.mask))

    def window(self, margin: int) -> tuple[slice, slice]:
        """Return the slices of the region's box grown by a margin."""
        height, width = self.mask.shape
        rows = slice(max(self.top - margin, 0), self.top + height + margin)
        return rows, slice(max(self.left - margin, 0), self.left + width + margin)


class ThermalFire:
    """The contextual fire test on °C frames."""

    name = "thermal-contextual 1"
    hazards = frozenset({Hazard.FIRE, Hazard.HOT_SPOT})

    def reads(self, frame: Frame) -> bool:
        """Return whether the frame has temperatures."""
        return frame.celsius is not None

    def detect(self, frame: Frame, scene: Scene) -> tuple[Detection, ...]:
        """Return fires and hot spots, hottest first."""
        if frame.celsius is None or not _reaches(frame.celsius, WARM_C):
            return ()
        celsius = np.nan_to_num(frame.celsius, nan=-100.0)
        edges = _regions(celsius, EDGE_C)
        found = [self._judged(region, celsius, EDGE_C, frame) for region in edges]
        warm = max(WARM_C, float(np.median(celsius[::4, ::4])) + WARM_CONTRAST_C)
        fires = [d for d in found if d is not None and d.hazard is Hazard.FIRE]
        for region in _regions(celsius, warm):
            if region.peak_c < EDGE_C and not any(_beside(region, fire) for fire in fires):
                found.append(self._judged(region, celsius, warm, frame))
        seen = [d for d in found if d is not None]
        return tuple(sorted(seen, key=lambda d: -(d.temp_max_c or 0.0)))

    def _judged(self, region: _Region, celsius: Celsius, limit_c: float, frame: Frame) -> Detection | None:
        """Return a region as fire or hot spot, None when it does not stand out."""
        background = _background(region, celsius, limit_c)
        contrast = region.peak_c - background.middle_c
        noisy = DEVIATIONS * background.deviation_c
        if contrast < max(WARM_CONTRAST_C, noisy):
            return None
        fire = contrast >= max(FIRE_CONTRAST_C, noisy) and _burns(region, celsius, frame)
        seen = Detection(
            hazard=Hazard.FIRE if fire else Hazard.HOT_SPOT,
            confidence=_fire_confidence(region, frame) if fire else 0.5,
            box=Box(
                float(region.left),
                float(region.top),
                float(region.left + region.mask.shape[1]),
                float(region.top + region.mask.shape[0]),
            ),
            detector=self.name,
            sensor=Sensor.THERMAL,
            temp_max_c=region.peak_c,
            background_c=background.middle_c,
            pixels=region.pixels,
            outline_px=_outline(region),
            saturated=_at_limit(region, frame),
        )
        return replace(seen, area_px=hot_pixels(seen, celsius))


def hot_pixels(detection: Detection, celsius: Celsius) -> float:
    """Return how many pixels' worth of ground burns, for the area of a detection.

    A large source is its pixels. In a small one every pixel is part flame and
    part ground: its share follows from the radiance between the background's and
    a flame's.
    """
    if detection.pixels > SMALL_PIXELS or detection.background_c is None:
        return float(detection.pixels)
    box = detection.box
    rows = slice(max(int(box.top_px) - 1, 0), int(box.bottom_px) + 1)
    near = celsius[rows, max(int(box.left_px) - 1, 0) : int(box.right_px) + 1]
    flame = max(FLAME_C, detection.temp_max_c or 0.0)
    low, high = _radiance(np.array([detection.background_c, flame]))
    share = (_radiance(near.astype(float)) - low) / (high - low)
    return float(np.nansum(np.clip(share, 0.0, 1.0)))


def _burns(region: _Region, celsius: Celsius, frame: Frame) -> bool:
    """Return whether a region is hot enough, or hot and large enough, that only fire explains it."""
    if region.peak_c >= SURE_C:
        return True
    limit = LIKELY_C
    if frame.saturated_c is not None and _at_limit(region, frame):
        limit = min(LIKELY_C, frame.saturated_c)  # the truth behind the camera's limit may be anything
    rows, columns = region.window(0)
    hot = int(np.count_nonzero(celsius[rows, columns][region.mask] >= np.float32(limit)))
    return hot >= LIKELY_PIXELS if frame.pixel_m2 is None else hot * frame.pixel_m2 >= LIKELY_M2


def _beside(region: _Region, fire: Detection) -> bool:
    """Return whether a warm region is part of a fire's glow: inside its box or a few pixels off."""
    box, (height, width) = fire.box, region.mask.shape
    return (
        box.left_px - _GLOW_PX < region.left + width
        and region.left < box.right_px + _GLOW_PX
        and box.top_px - _GLOW_PX < region.top + height
        and region.top < box.bottom_px + _GLOW_PX
    )


def _at_limit(region: _Region, frame: Frame) -> bool:
    return frame.saturated_c is not None and region.peak_c >= frame.saturated_c


def _fire_confidence(region: _Region, frame: Frame) -> float:
    """Return 0.6 to 0.98: more for more heat, less for a single pixel, which may be one bad cell."""
    heat = 1 - math.exp(-max(region.peak_c - LIKELY_C, 0.0) / 150.0)
    size = 1 - math.exp(-region.pixels / 4.0)
    return round(0.6 + 0.38 * heat * size, 3)


def _reaches(celsius: Celsius, limit_c: float) -> bool:
    """Return whether any pixel reaches a limit; NaN does not."""
    return bool((celsius >= np.float32(limit_c)).any())


def _regions(celsius: Celsius, limit_c: float) -> list[_Region]:
    """Return the connected regions over a limit, largest first; a gap of one pixel is bridged."""
    over = celsius >= np.float32(limit_c)
    rows, columns = np.flatnonzero(over.any(axis=1)), np.flatnonzero(over.any(axis=0))
    if not rows.size:
        return []
    # Only the part of the picture that holds any is labelled: mostly a small one.
    top, left = max(int(rows[0]) - 1, 0), max(int(columns[0]) - 1, 0)
    part = np.ascontiguousarray(over[top : rows[-1] + 2, left : columns[-1] + 2])
    bridged = cv2.dilate(part.view(np.uint8), np.ones((3, 3), np.uint8))
    _, labels, stats, _ = cv2.connectedComponentsWithStats(bridged, connectivity=8, ltype=cv2.CV_32S)
    largest = np.argsort(-stats[1:, cv2.CC_STAT_AREA])[:_MOST_REGIONS] + 1
    return [_region(celsius, part, labels, stats[i], (int(i), top, left)) for i in largest]


def _region(
    celsius: Celsius,
    part: Mask,
    labels: npt.NDArray[Any],
    stats: npt.NDArray[Any],
    which: tuple[int, int, int],
) -> _Region:
    """Return one labelled region (label, top and left of the part), cut to what is really over the limit."""
    label, top, left = which
    x, y, width, height = (int(v) for v in stats[:4])
    window = (slice(y, y + height), slice(x, x + width))
    mask = (labels[window] == label) & part[window]
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    mask = np.ascontiguousarray(mask[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1])
    top, left = top + y + int(rows[0]), left + x + int(columns[0])
    values = celsius[top : top + mask.shape[0], left : left + mask.shape[1]][mask]
    return _Region(top, left, mask, float(values.max()))


def _background(region: _Region, celsius: Celsius, limit_c: float) -> _Background:
    """Return the surroundings: the smallest window of which a quarter, and ten pixels, is no candidate."""
    margin = max(_FIRST_MARGIN_PX, max(region.mask.shape) // 2)
    while True:
        window = celsius[region.window(margin)]
        ground = window[(window < limit_c) & (window > -100.0)]
        whole = margin > max(celsius.shape)
        if ground.size >= max(_BACKGROUND_SHARE * window.size, _BACKGROUND_PIXELS) or whole:
            break
        margin *= 2
    if not ground.size:
        return _Background(-100.0, 0.0)
    middle = float(np.median(ground))
    return _Background(middle, _MAD_TO_DEVIATION * float(np.median(np.abs(ground - middle))))


def _outline(region: _Region) -> tuple[tuple[float, float], ...]:
    """Return a closed ring around the region's largest part, along the outer sides of its pixels."""
    doubled = cv2.resize(region.mask.view(np.uint8), None, fx=2, fy=2, interpolation=cv2.INTER_NEAREST)
    rings, _ = cv2.findContours(doubled, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    ring = max(rings, key=cv2.contourArea)
    smooth = cv2.approxPolyDP(ring, 1.0, True)[:, 0, :] if len(ring) > 8 else ring[:, 0, :]
    points = [(region.left + (x + 0.5) / 2, region.top + (y + 0.5) / 2) for x, y in smooth.tolist()]
    return (*points, points[0])


def _radiance(celsius: npt.NDArray[np.floating]) -> npt.NDArray[np.float64]:
    """Return Planck's radiance in the middle of the 8-14 µm band, in arbitrary units."""
    kelvin = np.asarray(celsius, dtype=float) + _ZERO_C_IN_K
    return np.asarray(1.0 / np.expm1(_C2_UM_K / (_BAND_UM * kelvin)))
