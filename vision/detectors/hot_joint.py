"""Hot joints on power lines: a clamp or splice that is warmer than the line it sits on.

A joint is small (`LARGEST_M2`), warmer than its surroundings by `WARMER_C` (the first step of what the
maintenance guides of NETA and of grid operators call a fault; from `SERIOUS_C` on it is a serious one), and
lies where a line hangs in the picture. Where that is follows from the site's reference line: conductors hang
between `LOWEST_M` and `HIGHEST_M` over the ground below it, the drone's pose is off by a few metres, and the
band of pixels between is taken. On the same pixels fire burns otherwise: what `thermal.py` calls fire is
left to it.

Without a known line, a pose or temperatures the detector abstains: a warm pixel anywhere may be anything.
"""

from itertools import pairwise

import cv2
import numpy as np
import numpy.typing as npt

from missions.geo import LatLon
from missions.model import CameraPose, Hazard, PowerLine, Sensor
from vision.detectors import Abstained, Found
from vision.detectors.regions import NOTHING, Heat, Region, background, outline, regions
from vision.detectors.thermal import EDGE_C
from vision.frame import Frame
from vision.georeference import Ground
from vision.model import Detection
from vision.pinhole import project
from vision.scene import Scene
from vision.tangent import Scale

WARMER_C, SERIOUS_C = 10.0, 40.0
DEVIATIONS = 6.0
LARGEST_M2, LARGEST_PIXELS = 0.6, 40
LOWEST_M, HIGHEST_M = 6.0, 45.0
POSE_ERROR_M = 4.0

_STEP_M, _REACH_M = 10.0, 400.0
_LEAST_NOISE_C = 0.2


class HotJoint:
    """Small warm things where the site's lines hang."""

    name = "hot-joint 1"
    hazards = frozenset({Hazard.HOT_JOINT})

    def reads(self, frame: Frame) -> bool:
        """Return whether the frame has temperatures."""
        return frame.celsius is not None

    def detect(self, frame: Frame, scene: Scene) -> Found:
        """Return the joints, hottest first, or why lines could not be looked at."""
        pose, ground, celsius = frame.shot.pose, scene.ground, frame.celsius
        if celsius is None:
            return Abstained("a joint's warmth is told in °C, and this frame has none")
        if not scene.references.lines:
            return Abstained("no power line is known here: name the site that has it")
        if pose is None or ground is None:
            return Abstained("without pose and ground nobody knows where a line hangs in the picture")
        band = line_band(frame, pose, ground, scene.references.lines)
        if not band.any():
            return ()
        heat = np.nan_to_num(celsius, nan=NOTHING)
        on_line = np.where(band, heat, np.float32(NOTHING))
        usual = float(np.median(heat[band]))
        found = [
            self._judged(region, heat, usual + WARMER_C, frame)
            for region in regions(on_line, usual + WARMER_C)
            if region.peak < EDGE_C * 2
        ]
        return tuple(sorted((d for d in found if d), key=lambda d: -(d.temp_max_c or 0.0)))

    def _judged(self, region: Region, heat: Heat, limit_c: float, frame: Frame) -> Detection | None:
        """Return a region as a joint, None if it is too large or does not stand out."""
        around = background(region, heat, limit_c)
        contrast = region.peak - around.middle
        large = (
            region.pixels > LARGEST_PIXELS
            if frame.pixel_m2 is None
            else region.pixels * frame.pixel_m2 > LARGEST_M2
        )
        if large or contrast < max(WARMER_C, DEVIATIONS * max(around.deviation, _LEAST_NOISE_C)):
            return None
        return Detection(
            hazard=Hazard.HOT_JOINT,
            confidence=round(0.5 + 0.45 * min(contrast / SERIOUS_C, 1.0), 3),
            box=region.box,
            detector=self.name,
            sensor=Sensor.THERMAL,
            temp_max_c=region.peak,
            background_c=around.middle,
            pixels=region.pixels,
            outline_px=outline(region),
            area_px=float(region.pixels),
            kind="serious" if contrast >= SERIOUS_C else "",
        )


def line_band(
    frame: Frame, pose: CameraPose, ground: Ground, lines: tuple[PowerLine, ...]
) -> npt.NDArray[np.bool_]:
    """Return the pixels in which some line may hang."""
    camera = frame.shot.camera
    band = np.zeros((camera.height_px, camera.width_px), np.uint8)
    for line in lines:
        strip = [_hung(frame, pose, ground, place) for place in _near(line, pose.place)]
        for here, there in pairwise(strip):
            if here is not None and there is not None:
                corners = np.clip(np.array([*here, *there]), -1e4, 1e4).astype(np.int32)
                cv2.fillConvexPoly(band, cv2.convexHull(corners), 1)
    below = float(np.asarray(ground.elevation_m(pose.place.lat_deg, pose.place.lon_deg)))
    off_px = max(1, round(POSE_ERROR_M * camera.focal_px / max(pose.altitude_m - below, 10.0)))
    return np.asarray(cv2.dilate(band, np.ones((2 * off_px + 1, 2 * off_px + 1), np.uint8)) > 0)


def _near(line: PowerLine, here: LatLon) -> list[LatLon]:
    """Return places along a line every few metres, as far as the picture may show them."""
    scale = Scale.at(here)
    towers = np.array([scale.to_local(place) for _, place in line.towers])
    along = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(towers, axis=0).T))])
    at = np.arange(0.0, along[-1], _STEP_M)
    points = np.column_stack([np.interp(at, along, towers[:, i]) for i in (0, 1)])
    return [scale.to_place(*p) for p in points[np.hypot(*points.T) < _REACH_M].tolist()]


def _hung(
    frame: Frame, pose: CameraPose, ground: Ground, place: LatLon
) -> tuple[tuple[float, float], tuple[float, float]] | None:
    """Return the pixels of how low and how high a conductor hangs there, None behind the camera."""
    foot = float(np.asarray(ground.elevation_m(place.lat_deg, place.lon_deg)))
    east, north = Scale.at(pose.place).to_local(place)
    ends = []
    for above in (LOWEST_M, min(HIGHEST_M, max(pose.altitude_m - foot - 5.0, LOWEST_M))):
        pixel = project(frame.shot.camera, pose, np.array([east, north, foot + above - pose.altitude_m]))
        if pixel is None:
            return None
        ends.append(pixel)
    return ends[0], ends[1]
