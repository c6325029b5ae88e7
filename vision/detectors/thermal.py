"""Fire in thermal pictures, by the idea of the satellites' fire products.

VIIRS and MODIS call a pixel fire when it is hot in itself, or hotter than a
window of background around it by far more than that background varies, the
window leaving out other candidates and growing until enough of it is ground
(Schroeder et al. 2014, Remote Sens. Environ. 143, 85). From a drone a pixel is
decimetres instead of 375 m, so the warm things of a village are seen one by one
and the absolute limits can say what the sun and a flue cannot do:

* nothing the sun heats passes 120 °C, which is where a candidate's edge is drawn; one with a pixel hot
  enough to burn is kept whole down to that edge (two limits, as in hysteresis);
* stoves and flues reach 250 °C at the outside and are smaller than half a square
  metre: hotter than `SURE_C`, or a square metre over `LIKELY_C`, is fire;
* the sun's mirror image in metal, glass or water is small and short: by day one or two pixels alone must be
  flame, not only hot (`GLINT_C`);
* a candidate must still stand out of its own surroundings (contrast in °C and in
  deviations), so that a hot roof in a hot yard or a warm camera is none.

What stands out but is no fire is a hot spot. Pixels at the camera's own limit may be anything
above it and count as `LIKELY_C`. A picture without temperatures is searched by `relative_heat.py`. All of
it is a suspicion: the wording is left to whoever tells people.

A fire's kind follows from heat and shape: `flames`, `smouldering` (nothing over `FLAMING_C`), `front` (long
and narrow).
"""

import math
from dataclasses import replace

import numpy as np

from missions.model import Hazard, Sensor
from vision import sun
from vision.detectors import relative_heat
from vision.detectors.heat import hot_pixels, power_w_per_m2
from vision.detectors.regions import NOTHING, Background, Heat, Region, background, outline, reaches, regions
from vision.frame import Frame
from vision.model import Detection
from vision.radiometry import Celsius
from vision.scene import Scene

THRESHOLD = 0.5
"""The score from which on a candidate is called fire, the same for every frame."""

EDGE_C = 120.0
SURE_C, SURE_SPREAD_C = 280.0, 20.0
LIKELY_C, LIKELY_M2, LIKELY_PIXELS = 180.0, 1.0, 30
GLINT_C, GLINT_PIXELS = 350.0, 2
FIRE_CONTRAST_C = 60.0
WARM_C, WARM_NIGHT_C, WARM_CONTRAST_C = 60.0, 45.0, 20.0
HIGH_SUN_DEG = 30.0
DEVIATIONS = 6.0
FLAMING_C = 350.0
FRONT_LONGNESS, FRONT_PIXELS = 5.0, 40

_GLOW_PX = 8
_SPOT_CONFIDENCE = 0.5


class ThermalFire:
    """The contextual fire test on thermal frames, with temperatures or without."""

    name = "thermal-contextual 2"
    hazards = frozenset({Hazard.FIRE, Hazard.HOT_SPOT})

    def __init__(self, *, threshold: float = THRESHOLD) -> None:
        self._threshold = threshold

    def reads(self, frame: Frame) -> bool:
        """Return whether the frame is a thermal camera's."""
        return frame.celsius is not None or frame.warmth is not None

    def detect(self, frame: Frame, scene: Scene) -> tuple[Detection, ...]:
        """Return fires and hot spots, hottest first."""
        sun_deg = sun_of(frame)
        if frame.celsius is not None:
            return self._by_temperature(frame, frame.celsius, sun_deg)
        return self._by_contrast(frame, frame.warmth, sun_deg) if frame.warmth is not None else ()

    def _by_contrast(self, frame: Frame, warmth: Heat, sun_deg: float | None) -> tuple[Detection, ...]:
        """Return what burns in a picture without temperatures, best first; no hot spots."""
        found = relative_heat.blobs(warmth, limit=frame.warmth_limit, sun_deg=sun_deg)
        return tuple(self._relative(blob) for blob in found if blob.score >= self._threshold)

    def _relative(self, blob: relative_heat.Blob) -> Detection:
        region = blob.region
        return Detection(
            hazard=Hazard.FIRE,
            confidence=blob.score,
            box=region.box,
            detector=f"{self.name} relative",
            sensor=Sensor.THERMAL,
            pixels=region.pixels,
            outline_px=outline(region),
            saturated=blob.cut_off,
            area_px=float(region.pixels),
        )

    def _by_temperature(
        self, frame: Frame, measured: Celsius, sun_deg: float | None
    ) -> tuple[Detection, ...]:
        warm_c = warm_from_c(sun_deg)
        if not reaches(measured, warm_c):
            return ()
        celsius = np.nan_to_num(measured, nan=NOTHING)
        found = [self._judged(region, celsius, EDGE_C, frame, sun_deg) for region in regions(celsius, EDGE_C)]
        warm_c = max(warm_c, float(np.median(celsius[::4, ::4])) + WARM_CONTRAST_C)
        fires = [d for d in found if d is not None and d.hazard is Hazard.FIRE]
        for region in regions(celsius, warm_c):
            if region.peak < EDGE_C and not any(_beside(region, fire) for fire in fires):
                found.append(self._judged(region, celsius, warm_c, frame, sun_deg))
        seen = [d for d in found if d is not None]
        return tuple(sorted(seen, key=lambda d: -(d.temp_max_c or 0.0)))

    def _judged(
        self, region: Region, celsius: Celsius, limit_c: float, frame: Frame, sun_deg: float | None
    ) -> Detection | None:
        """Return a region as fire or hot spot, None when it does not stand out."""
        around = background(region, celsius, limit_c, pixel_m2=frame.pixel_m2)
        if region.peak - around.middle < max(WARM_CONTRAST_C, DEVIATIONS * around.deviation):
            return None
        score = _score(region, celsius, around, frame, sun_deg)
        fire = score >= self._threshold
        seen = Detection(
            hazard=Hazard.FIRE if fire else Hazard.HOT_SPOT,
            confidence=score if fire else _SPOT_CONFIDENCE,
            box=region.box,
            detector=self.name,
            sensor=Sensor.THERMAL,
            temp_max_c=region.peak,
            background_c=around.middle,
            pixels=region.pixels,
            outline_px=outline(region),
            saturated=_at_limit(region, frame),
            area_px=hot_pixels(region, celsius, around.middle),
        )
        if not fire:
            return seen
        power = power_w_per_m2(region, celsius, around.middle)
        return replace(seen, kind=_kind(region), power_w_per_m2=power)


def _score(
    region: Region, celsius: Celsius, around: Background, frame: Frame, sun_deg: float | None
) -> float:
    """Return 0 to 1, 0.5 where it begins to be explained by fire alone."""
    if region.peak - around.middle < max(FIRE_CONTRAST_C, DEVIATIONS * around.deviation):
        return 0.0
    score = max(_logistic((region.peak - SURE_C) / SURE_SPREAD_C), _by_area(region, celsius, frame))
    if region.pixels <= GLINT_PIXELS and (sun_deg is None or sun_deg > 0):
        score = min(score, _logistic((region.peak - GLINT_C) / SURE_SPREAD_C))
    # One pixel may be one bad cell, many are none.
    return round(min(score, 0.98 - 0.2 * math.exp(-region.pixels / 4.0)), 4)


def _by_area(region: Region, celsius: Celsius, frame: Frame) -> float:
    """Return the score of being hot over more ground than any stove: 0.5 at `LIKELY_M2`."""
    limit = LIKELY_C
    if frame.saturated_c is not None and _at_limit(region, frame):
        limit = min(LIKELY_C, frame.saturated_c)  # the truth behind the camera's limit may be anything
    hot = int(np.count_nonzero(region.values(celsius) >= np.float32(limit)))
    if not hot:
        return 0.0
    times = hot / LIKELY_PIXELS if frame.pixel_m2 is None else hot * frame.pixel_m2 / LIKELY_M2
    return _logistic(3.0 * math.log(times))


def _kind(region: Region) -> str:
    """Return what sort of fire heat and shape speak for."""
    if region.pixels >= FRONT_PIXELS and region.longness >= FRONT_LONGNESS:
        return "front"
    return "flames" if region.peak >= FLAMING_C else "smouldering"


def warm_from_c(sun_deg: float | None) -> float:
    """Return from what on ground is warm at this hour: what the sun heats follows its height."""
    return (
        WARM_C if sun_deg is None else float(np.interp(sun_deg, [0.0, HIGH_SUN_DEG], [WARM_NIGHT_C, WARM_C]))
    )


def sun_of(frame: Frame) -> float | None:
    """Return the sun's height where place, time and time zone are known."""
    pose, at = frame.shot.pose, frame.shot.taken_at
    if pose is None or at is None or not frame.metadata.zone_stated:
        return None
    return sun.elevation_deg(pose.place, at)


def _beside(region: Region, fire: Detection) -> bool:
    """Return whether a warm region is part of a fire's glow: inside its box or a few pixels off."""
    box, (height, width) = fire.box, region.mask.shape
    return (
        box.left_px - _GLOW_PX < region.left + width
        and region.left < box.right_px + _GLOW_PX
        and box.top_px - _GLOW_PX < region.top + height
        and region.top < box.bottom_px + _GLOW_PX
    )


def _at_limit(region: Region, frame: Frame) -> bool:
    return frame.saturated_c is not None and region.peak >= frame.saturated_c


def _logistic(x: float) -> float:
    return 1 / (1 + math.exp(-max(min(x, 50.0), -50.0)))
