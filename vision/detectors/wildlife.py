"""Animals in thermal frames, told as what can be known of them: a compact warm body on cooler ground.

No class is learnt. The contextual test of `thermal.py` is asked at another scale: a body stands out of the
ground around it by kelvins and by far more than that ground varies, is at half its height as long and as
wide as an animal from a roe deer to a cow, and no warmer than a coat. What the shape of the ground does over
metres (fields, shade, roads) is taken off first, by an opening wider than a body.

Left out are: what is hot and what lies in its glow (`thermal.py` tells those), upright people, who are
shorter than `LONG_M`, and what the network of `warm_bodies.py` calls a vehicle, a bicycle or, no longer than
a person standing, a person. It was taught on people and calls cows people too, so longer than that its
word is not taken, and a lying person is a warm body as well: whoever searches for people looks at both.

Where the ground itself is as warm as a coat, nothing can be told and the detector abstains.
"""

import math
from dataclasses import dataclass, replace

import cv2
import numpy as np

from missions.model import Hazard, Sensor
from vision.detectors import Abstained, Found
from vision.detectors.regions import NOTHING, Heat, Region, background, outline, regions
from vision.detectors.warm_bodies import WarmBodies
from vision.frame import Frame
from vision.model import Detection
from vision.scene import Scene

LONG_M, WIDE_M, LONGEST = (0.8, 3.2), (0.25, 1.4), 5.0
STANDING_M = 1.0
CONTRAST_K, DEVIATIONS = 3.0, 6.0
VARIED = 0.8
"""Where sun and shade vary the ground, a body stands so many times over it as its warm tenth does."""

RELATIVE_DEVIATIONS = 12.0
"""In a picture without temperatures a body stands so many deviations of the ground over it."""

GROUND_C, HOTTEST_C, GLOW_C, GLOW_M = 28.0, 42.0, 60.0, 4.0
"""Ground from which on a coat is not told from it; the hottest coat; what glows, and how far around."""

COARSEST_M, LEAST_PIXELS = 0.35, 6
MOST = 40
"""More bodies than this in one picture are no bodies: the ground is too varied."""

_OPENING_M = 4.0
_KERNEL_PX = (9, 121)


@dataclass(frozen=True, slots=True, eq=False)
class _Relief:
    """What stands out of the ground: its height over it, the limit, and how warm all of it is, if known."""

    over: Heat
    limit: float
    celsius: Heat | None
    pixel_m: float


class Wildlife:
    """Animals in thermal frames, as warm bodies."""

    name = "warm-body 1"
    hazards = frozenset({Hazard.WILDLIFE})

    def __init__(self) -> None:
        self._network = WarmBodies()

    def reads(self, frame: Frame) -> bool:
        """Return whether the frame is a thermal camera's."""
        return self._network.reads(frame)

    def detect(self, frame: Frame, scene: Scene) -> Found:
        """Return the warm bodies that may be animals, surest first, or why none can be told."""
        relief = _relief(frame)
        if isinstance(relief, Abstained):
            return relief
        told = [d for region in regions(relief.over, relief.limit) if (d := _judged(region, relief))]
        if len(told) > MOST:
            return Abstained(f"{len(told)} warm patches of an animal's size: the ground itself is as varied")
        if told:
            named = self._network.bodies(frame)
            told = [d for d in told if not any(_names(other, d) for other in named)]
        return tuple(sorted(told, key=lambda d: -d.confidence))


def _relief(frame: Frame) -> _Relief | Abstained:
    """Return what stands out of the ground of a frame, or why a body could not be told there."""
    if frame.pixel_m2 is None:
        return Abstained("without a place on the ground nothing can be told by its size")
    pixel_m = math.sqrt(frame.pixel_m2)
    if pixel_m > COARSEST_M:
        return Abstained(f"a pixel is {pixel_m:.2f} m of ground: an animal would be too few of them")
    if frame.celsius is None:
        warmth = np.nan_to_num(np.asarray(frame.warmth, np.float32), nan=0.0)
        over = _opened(warmth, pixel_m)
        spread = max(float(np.percentile(over[::2, ::2], 90)), 1.0)
        return _Relief(over, RELATIVE_DEVIATIONS * spread / 1.28, None, pixel_m)
    ground_c, warmer_c = (float(v) for v in np.nanpercentile(frame.celsius[::4, ::4], [50, 90]))
    if ground_c > GROUND_C:
        return Abstained(f"the ground is as warm as an animal's coat ({ground_c:.0f} °C in the middle)")
    celsius = np.nan_to_num(frame.celsius, nan=NOTHING)
    limit = max(CONTRAST_K, VARIED * (warmer_c - ground_c))
    return _Relief(_opened(celsius, pixel_m), limit, celsius, pixel_m)


def _opened(heat: Heat, pixel_m: float) -> Heat:
    """Return how far each pixel lies over the ground as it is without all that is narrower than metres."""
    wide = int(np.clip(round(_OPENING_M / pixel_m), *_KERNEL_PX)) | 1
    return np.asarray(cv2.morphologyEx(heat, cv2.MORPH_TOPHAT, np.ones((wide, wide), np.uint8)), np.float32)


def _judged(region: Region, relief: _Relief) -> Detection | None:
    """Return a region as a warm body, None where heat, contrast or shape speak against it."""
    around = background(region, relief.over, relief.limit)
    needed = max(relief.limit, around.middle + DEVIATIONS * around.deviation)
    body = _at_half(region, relief.over, around.middle)
    length_m, width_m = (v * relief.pixel_m for v in _sides_px(body))
    fits = LONG_M[0] <= length_m <= LONG_M[1] and WIDE_M[0] <= width_m <= WIDE_M[1]
    if region.peak < needed or not fits or body.pixels < LEAST_PIXELS or length_m > LONGEST * width_m:
        return None
    seen = Detection(
        hazard=Hazard.WILDLIFE,
        confidence=round(0.5 + 0.45 * (1.0 - math.exp(1.0 - region.peak / needed)), 3),
        box=body.box,
        detector=Wildlife.name,
        sensor=Sensor.THERMAL,
        pixels=body.pixels,
        outline_px=outline(body),
        area_px=float(body.pixels),
        kind="warm body",
        facts={"length_m": round(length_m, 2), "width_m": round(width_m, 2)},
    )
    if relief.celsius is None:
        return seen
    hottest = float(body.values(relief.celsius).max())
    glow = relief.celsius[region.window(round(GLOW_M / relief.pixel_m))]
    if hottest > HOTTEST_C or float(glow.max()) > GLOW_C:
        return None
    base_c = hottest - region.peak + around.middle
    return replace(seen, temp_max_c=hottest, background_c=base_c)


def _at_half(region: Region, over: Heat, base: float) -> Region:
    """Return the part of a region that stands half as high as its peak: what blur adds is left out."""
    within = np.where(region.mask, over[region.window()], NOTHING)
    (half,) = regions(within, (region.peak + base) / 2)[:1]
    return replace(half, top=half.top + region.top, left=half.left + region.left)


def _sides_px(region: Region) -> tuple[float, float]:
    """Return the longer and the shorter side of the narrowest box around a region."""
    y, x = np.nonzero(region.mask)
    corners = np.concatenate([np.column_stack([x + i, y + j]) for i in (0, 1) for j in (0, 1)])
    sides = cv2.minAreaRect(corners.astype(np.float32))[1]
    return max(sides), min(sides)


def _names(other: Detection, body: Detection) -> bool:
    """Return whether the network's box says that a body is no animal."""
    x, y = body.box.middle_px
    box, length_m = other.box, body.facts["length_m"]
    inside = box.left_px <= x <= box.right_px and box.top_px <= y <= box.bottom_px
    is_long = isinstance(length_m, float) and length_m > STANDING_M
    return inside and not (other.kind == "person" and is_long)
