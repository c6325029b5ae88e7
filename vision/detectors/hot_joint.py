"""Hot joints on power lines: a clamp or splice that is warmer than the line it sits on.

A joint is small (`LARGEST_M2`), warmer than its surroundings by `WARMER_C` (the first step of what the
maintenance guides of NETA and of grid operators call a fault; from `SERIOUS_C` on it is a serious one), and
lies where a line hangs in the picture. Where that is follows from the site's reference line: conductors hang
between `LOWEST_M` and `HIGHEST_M` over the ground below it, the drone's pose is off by a few metres, and the
band of pixels between is taken. A joint is a small round thing whole inside that band: what reaches
out of it lies on the ground. Fire outranks: nothing within `GLOW_M` of what `thermal.py` calls fire is a
joint, be it an ember, the flame's edge or the warm ground beside it. What is warm on the ground below a line
and small (an engine, a stone) cannot be told from a joint in one picture: a joint is told by its second look.

Without a known line, a pose or temperatures the detector abstains: a warm pixel anywhere may be anything.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import cv2
import numpy as np
import numpy.typing as npt

from missions.geo import LatLon
from missions.model import CameraPose, Hazard, PowerLine, Sensor
from vision.detectors import Abstained, Found
from vision.detectors.regions import NOTHING, Heat, Region, background, outline, reaches, regions
from vision.detectors.thermal import EDGE_C, ThermalFire
from vision.frame import Frame
from vision.georeference import Ground
from vision.model import Box, Detection
from vision.pinhole import project
from vision.scene import Scene
from vision.tangent import Scale

WARMER_C, SERIOUS_C = 10.0, 40.0
DEVIATIONS = 6.0
LARGEST_M2, LARGEST_PIXELS = 0.6, 40
LOWEST_M, HIGHEST_M = 6.0, 45.0
POSE_ERROR_M = 4.0
GLOW_M, GLOW_PX = 10.0, 60.0
LONGEST = 3.0
"""How many times longer than wide a joint may be: clamps and splices are short, edges and tracks are long."""

Pixel = tuple[float, float]

_STEP_M, _REACH_M = 10.0, 400.0
_LEAST_NOISE_C = 0.2
_FIRES = ThermalFire()


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
        spans = [span for line in scene.references.lines for span in hung(frame, pose, ground, line)]
        band = line_band(frame, pose, ground, spans)
        if not band.any():
            return ()
        heat = np.nan_to_num(celsius, nan=NOTHING)
        limit_c = float(np.median(heat[band])) + WARMER_C
        if not reaches(heat[band], limit_c):
            return ()
        found = [
            self._judged(region, heat, limit_c, frame)
            for region in regions(heat, limit_c)
            if region.peak < EDGE_C * 2
            and not _is_cut(region, frame)
            and band[region.window()][region.mask].all()
        ]
        joints = [replace(d, at=_under(d.box, spans)) for d in found if d]
        fires = [d for d in _FIRES.detect(frame, scene) if d.hazard is Hazard.FIRE] if joints else []
        glow_px = GLOW_PX if frame.pixel_m2 is None else GLOW_M / frame.pixel_m2**0.5
        joints = [d for d in joints if not any(apart_px(d.box, f.box) <= glow_px for f in fires)]
        return tuple(sorted(joints, key=lambda d: -(d.temp_max_c or 0.0)))

    def _judged(self, region: Region, heat: Heat, limit_c: float, frame: Frame) -> Detection | None:
        """Return a region as a joint, None if it is too large or does not stand out."""
        around = background(region, heat, limit_c)
        contrast = region.peak - around.middle
        large = (
            region.pixels > LARGEST_PIXELS
            if frame.pixel_m2 is None
            else region.pixels * frame.pixel_m2 > LARGEST_M2
        )
        if (
            large
            or region.longness > LONGEST
            or contrast < max(WARMER_C, DEVIATIONS * max(around.deviation, _LEAST_NOISE_C))
        ):
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


def apart_px(one: Box, other: Box) -> float:
    """Return how many pixels lie between two boxes, 0 where they touch."""
    across = max(one.left_px - other.right_px, other.left_px - one.right_px, 0.0)
    down = max(one.top_px - other.bottom_px, other.top_px - one.bottom_px, 0.0)
    return float(np.hypot(across, down))


@dataclass(frozen=True, slots=True)
class Hung:
    """The pixels at which a conductor hangs over a place, low and high; it is between them."""

    place: LatLon
    low: Pixel
    high: Pixel


Span = tuple[Hung, Hung]
"""A few metres of a line as they are seen."""


def hung(frame: Frame, pose: CameraPose, ground: Ground, line: PowerLine) -> list[Span]:
    """Return the parts of a line that are before the camera."""
    places = _near(line, pose.place)
    if not places:
        return []
    lats, lons = np.array([p.lat_deg for p in places]), np.array([p.lon_deg for p in places])
    feet = np.broadcast_to(np.asarray(ground.elevation_m(lats, lons), dtype=float), lats.shape)
    strip = [_hung(frame, pose, place, float(foot)) for place, foot in zip(places, feet, strict=True)]
    return [(here, there) for here, there in pairwise(strip) if here is not None and there is not None]


def line_band(frame: Frame, pose: CameraPose, ground: Ground, spans: Sequence[Span]) -> npt.NDArray[np.bool_]:
    """Return the pixels in which some line may hang."""
    camera = frame.shot.camera
    band = np.zeros((camera.height_px, camera.width_px), np.uint8)
    for here, there in spans:
        corners = np.array([here.low, here.high, there.low, there.high])
        cv2.fillConvexPoly(band, cv2.convexHull(np.clip(corners, -1e4, 1e4).astype(np.int32)), 1)
    below = float(np.asarray(ground.elevation_m(pose.place.lat_deg, pose.place.lon_deg)))
    off_px = max(1, round(POSE_ERROR_M * camera.focal_px / max(pose.altitude_m - below, 10.0)))
    return np.asarray(cv2.dilate(band, np.ones((2 * off_px + 1, 2 * off_px + 1), np.uint8)) > 0)


def _under(box: Box, spans: Sequence[Span]) -> LatLon | None:
    """Return the place on the line below a joint: where the conductor passes nearest to its pixel."""
    seen = np.array(box.middle_px)
    nearest: tuple[float, LatLon] | None = None
    for here, there in spans:
        first, last = (np.add(h.low, h.high) / 2 for h in (here, there))
        along = last - first
        share = float(np.clip(np.dot(seen - first, along) / max(float(np.dot(along, along)), 1e-9), 0.0, 1.0))
        off = float(np.linalg.norm(seen - first - share * along))
        if nearest is None or off < nearest[0]:
            a, b = here.place, there.place
            nearest = (
                off,
                LatLon(*(x + share * (y - x) for x, y in ((a.lat_deg, b.lat_deg), (a.lon_deg, b.lon_deg)))),
            )
    return nearest[1] if nearest else None


def _is_cut(region: Region, frame: Frame) -> bool:
    """Return whether a region lies on the picture's edge: nobody knows how large it is."""
    camera, box = frame.shot.camera, region.box
    return (
        box.left_px <= 0
        or box.top_px <= 0
        or box.right_px >= camera.width_px
        or box.bottom_px >= camera.height_px
    )


def _near(line: PowerLine, here: LatLon) -> list[LatLon]:
    """Return places along a line every few metres, as far as the picture may show them."""
    scale = Scale.at(here)
    towers = np.array([scale.to_local(place) for _, place in line.towers])
    along = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(towers, axis=0).T))])
    at = np.arange(0.0, along[-1], _STEP_M)
    points = np.column_stack([np.interp(at, along, towers[:, i]) for i in (0, 1)])
    return [scale.to_place(*p) for p in points[np.hypot(*points.T) < _REACH_M].tolist()]


def _hung(frame: Frame, pose: CameraPose, place: LatLon, foot: float) -> Hung | None:
    """Return the pixels of how low and how high a conductor hangs there, None behind the camera."""
    east, north = Scale.at(pose.place).to_local(place)
    ends = []
    for above in (LOWEST_M, min(HIGHEST_M, max(pose.altitude_m - foot - 5.0, LOWEST_M))):
        pixel = project(frame.shot.camera, pose, np.array([east, north, foot + above - pose.altitude_m]))
        if pixel is None:
            return None
        ends.append(pixel)
    return Hung(place, *ends)
