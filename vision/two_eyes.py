"""Two eyes: the thermal and the colour frame of one moment, laid over each other, and what they say together.

Both hang on one gimbal and look the same way, so a thermal pixel's ray, seen through the colour camera's
lens, gives its colour pixel. What is left (the lenses sit centimetres and tenths of a degree apart) is one
shift, found by correlating where both pictures have edges; where they do not correlate clearly the cameras'
word stands.

A fire that both see is surer than either says: the chances that each is wrong multiply. Heat with smoke
beside it counts half as much. Smoke without heat (behind a ridge, under a canopy) and heat without smoke
keep their own name and confidence, and say so in their kind. Every score names the detectors it rests on.

Where both looked, heat is the thermal eye's to tell (`is_told`): what the colour eye sees over it makes it
surer and is no second find, a flame that is not warm in °C is none, and neither is smoke all over the picture
without any heat. Colour alone is told where it is sure
enough (`SUSPICION`); below that it stays a suspicion with its frame.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np

from missions.geo import Floats
from missions.model import Camera, Hazard, Sensor
from vision.errors import Unreadable
from vision.frame import Frame, load
from vision.model import Box, Detection
from vision.pinhole import distorted, undistorted

if TYPE_CHECKING:
    from vision.inspection import FrameResult

MOST_CERTAIN = 0.995
SMOKE_WEIGHT = 0.5
MOST_SHIFT_PX = 24.0
CLEAR_PEAK = 0.08
NEAR_PX, NEAR_SHARE = 12.0, 0.5
WITHOUT_HEAT = "without heat"
SUSPICION = {Hazard.FIRE: 0.5, Hazard.SMOKE: 0.55}
"""Below this a colour find rather is none; on pictures kept aside it stands for 11 false ones in 635."""

WIDE = 0.5
"""Smoke over more of a picture than this has no place on the ground: haze, or ground like it."""

_BURNS = frozenset({Hazard.FIRE, Hazard.SMOKE})

_EYES = re.compile(r"^(?P<stem>.*?)[_-](?P<eye>T|IR|W|V|RGB|VIS|VISIBLE|WIDE|THERMAL)$", re.IGNORECASE)
_THERMAL_EYES = frozenset({"T", "IR", "THERMAL"})
_WIDTH_PX = 320


def pairs(files: Iterable[Path]) -> dict[Path, Path]:
    """Return each frame's other eye, both ways, by the names that cameras give (…_T and …_W, _V, _RGB)."""
    eyes: dict[tuple[Path, str], dict[bool, Path]] = {}
    for file in files:
        match = _EYES.match(file.stem)
        if match:
            thermal = match["eye"].upper() in _THERMAL_EYES
            eyes.setdefault((file.parent, match["stem"]), {}).setdefault(thermal, file)
    both = [two for two in eyes.values() if len(two) == 2]
    return {two[a]: two[not a] for two in both for a in (True, False)}


@dataclass(frozen=True, slots=True)
class Overlay:
    """How thermal pixels lie in the colour picture: by the cameras, then moved by a clear shift."""

    thermal: Camera
    colour: Camera
    shift_px: tuple[float, float] = (0.0, 0.0)

    def box(self, box: Box) -> Box:
        """Return a thermal box in the colour picture's pixels."""
        sides = (box.left_px, box.right_px), (box.top_px, box.bottom_px)
        at = self.pixels(np.array([(x, y) for x in sides[0] for y in sides[1]]))
        return Box(*at.min(axis=0).tolist(), *at.max(axis=0).tolist())

    def covers(self, box: Box) -> bool:
        """Return whether the thermal eye looked at all of a colour box."""
        view = self.box(Box(0.0, 0.0, self.thermal.width_px, self.thermal.height_px))
        return (
            view.left_px <= box.left_px
            and view.top_px <= box.top_px
            and view.right_px >= box.right_px
            and view.bottom_px >= box.bottom_px
        )

    def pixels(self, points: Floats) -> Floats:
        """Return thermal pixels (rows of x, y) in the colour picture."""
        seen = distorted(self.colour, undistorted(self.thermal, points))
        middle = np.array([self.colour.centre_x_px, self.colour.centre_y_px])
        return np.asarray(seen * self.colour.focal_px + middle + np.array(self.shift_px))


def overlaid(thermal: Frame, colour: Frame) -> Overlay | None:
    """Return how a pair lies over each other, None where a camera's lens is not known."""
    cameras = thermal.shot.camera, colour.shot.camera
    if not all(np.isfinite(c.focal_px) and c.focal_px > 0 for c in cameras):
        return None
    rough = Overlay(*cameras)
    return replace(rough, shift_px=_shift(thermal, colour, rough))


def together(
    thermal: Sequence[Detection], colour: Sequence[Detection], overlay: Overlay
) -> tuple[tuple[Detection, ...], tuple[Detection, ...]]:
    """Return both eyes' detections with what the other one adds to them."""
    boxes = [overlay.box(d.box) for d in thermal]
    hot = [_raised(d, box, colour) for d, box in zip(thermal, boxes, strict=True)]
    fires = [(d, box) for d, box in zip(thermal, boxes, strict=True) if d.hazard is Hazard.FIRE]
    seen = [_answered(d, fires, overlay) for d in colour]
    return tuple(hot), tuple(seen)


def is_told(found: Detection, *, warm_c: bool, picture_px: int) -> bool:
    """Return whether a find is told as it stands after both eyes, or stays with its frame.

    `warm_c` says that there was a thermal frame beside it, in °C; `picture_px` are the pixels of its own.
    """
    if found.sensor is not Sensor.RGB or found.hazard not in _BURNS:
        return True
    if len(found.sources) > 1:  # the thermal eye tells it
        return False
    if warm_c and found.hazard is Hazard.FIRE and found.kind == WITHOUT_HEAT:
        return False
    if warm_c and found.hazard is Hazard.SMOKE and found.box.area_px > WIDE * picture_px:
        return False
    return found.confidence >= SUSPICION[found.hazard]


def thermal_beside(frame: Frame, other: Path | None) -> Frame | None:
    """Return the thermal frame beside a colour frame, None where there is none to be read."""
    if other is None or frame.shot.camera.sensor is not Sensor.RGB:
        return None
    try:
        return load(other)
    except Exception:  # its own result says why
        return None


def all_agreed(results: "Sequence[FrameResult]", other_eye: Mapping[Path, Path]) -> "list[FrameResult]":
    """Return results with what each pair's eyes add to each other."""
    at = {Path(r.file): i for i, r in enumerate(results)}
    done = list(results)
    for file, other in other_eye.items():
        shots = results[at[file]].shot, results[at[other]].shot
        sensors = [shot.camera.sensor for shot in shots if shot]
        if sensors == [Sensor.THERMAL, Sensor.RGB]:
            done[at[file]], done[at[other]] = agreed(done[at[file]], done[at[other]])
    return done


def agreed(thermal: "FrameResult", colour: "FrameResult") -> tuple["FrameResult", "FrameResult"]:
    """Return a pair's results with confidences and sources joined; files are read again only if needed."""
    if not any(d.hazard in _BURNS for d in colour.detections):
        return thermal, colour
    try:
        overlay = overlaid(load(Path(thermal.file)), load(Path(colour.file)))
    except Unreadable:  # a file changed while we looked
        return thermal, colour
    if overlay is None:
        return thermal, colour
    hot, seen = together(thermal.detections, colour.detections, overlay)
    return _with(thermal, hot), _with(colour, seen)


def _with(result: "FrameResult", detections: tuple[Detection, ...]) -> "FrameResult":
    """Return the result with other detections, and its observations told what they now say."""
    placed = zip(result.placed, result.observations, strict=True)
    observations = tuple(
        replace(
            o, confidence=detections[i].confidence, sources=detections[i].sources, kind=detections[i].kind
        )
        for i, o in placed
    )
    return replace(result, detections=detections, observations=observations)


def _raised(heat: Detection, box: Box, colour: Sequence[Detection]) -> Detection:
    """Return a thermal detection, surer where the colour eye sees flame there or smoke rising from it."""
    if heat.hazard is not Hazard.FIRE:
        return heat
    flame = max((d for d in colour if _same(box, d, Hazard.FIRE)), key=_confidence, default=None)
    smoke = max((d for d in colour if _same(box, d, Hazard.SMOKE)), key=_confidence, default=None)
    wrong, sources = 1 - heat.confidence, [*(heat.sources or (heat.detector,))]
    for other, weight in ((flame, 1.0), (smoke, SMOKE_WEIGHT)):
        if other is not None:
            wrong *= 1 - weight * other.confidence
            sources += other.sources or (other.detector,)
    return replace(heat, confidence=max(heat.confidence, _sure(wrong)), sources=tuple(dict.fromkeys(sources)))


def _answered(seen: Detection, fires: Sequence[tuple[Detection, Box]], overlay: Overlay) -> Detection:
    """Return a colour detection: surer over heat; without any, where the thermal eye looked, it says so."""
    if seen.hazard not in _BURNS:
        return seen
    under = [d for d, box in fires if _near(box, seen.box)]
    own = seen.sources or (seen.detector,)
    if not under:
        kind = WITHOUT_HEAT if overlay.covers(seen.box) else seen.kind
        return replace(seen, kind=kind, sources=own)
    best = max(under, key=_confidence)
    weight = 1.0 if seen.hazard is Hazard.FIRE else SMOKE_WEIGHT
    wrong = (1 - seen.confidence) * (1 - weight * best.confidence)
    sources = tuple(dict.fromkeys([*own, *(best.sources or (best.detector,))]))
    return replace(seen, confidence=max(seen.confidence, _sure(wrong)), sources=sources)


def _sure(wrong: float) -> float:
    return round(min(1 - wrong, MOST_CERTAIN), 4)


def _confidence(detection: Detection) -> float:
    return detection.confidence


def _same(heat: Box, other: Detection, hazard: Hazard) -> bool:
    return other.hazard is hazard and _near(heat, other.box)


def _near(heat: Box, other: Box) -> bool:
    """Return whether heat lies in a box or beside it, by half the box's size: smoke drifts off its fire."""
    reach_x = NEAR_PX + NEAR_SHARE * (other.right_px - other.left_px)
    reach_y = NEAR_PX + NEAR_SHARE * (other.bottom_px - other.top_px)
    return (
        heat.right_px >= other.left_px - reach_x
        and heat.left_px <= other.right_px + reach_x
        and heat.bottom_px >= other.top_px - reach_y
        and heat.top_px <= other.bottom_px + reach_y
    )


def _shift(thermal: Frame, colour: Frame, rough: Overlay) -> tuple[float, float]:
    """Return by how many colour pixels the overlay is off; 0, 0 where the pictures' edges do not say."""
    values = thermal.celsius if thermal.celsius is not None else thermal.warmth
    if values is None or colour.pixels is None or colour.shot.camera.sensor is not Sensor.RGB:
        return 0.0, 0.0
    height, width = values.shape
    scale = _WIDTH_PX / width
    size = (_WIDTH_PX, round(height * scale))
    x, y = np.meshgrid((np.arange(size[0]) + 0.5) / scale, (np.arange(size[1]) + 0.5) / scale)
    at = rough.pixels(np.column_stack([x.ravel(), y.ravel()])).astype(np.float32).reshape(size[1], size[0], 2)
    grey = colour.pixels if colour.pixels.ndim == 2 else cv2.cvtColor(colour.pixels, cv2.COLOR_RGB2GRAY)
    step = float(np.hypot(*(at[0, -1] - at[0, 0]))) / (size[0] - 1)  # colour pixels a sample
    fine = cv2.GaussianBlur(grey, (0, 0), max(step / 2, 0.5))
    laid = cv2.remap(
        fine, at[..., 0] - 0.5, at[..., 1] - 0.5, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    warm = cv2.resize(np.nan_to_num(values).astype(np.float32), size, interpolation=cv2.INTER_AREA)
    low, high = np.percentile(warm, [2, 98])
    warm = np.clip(warm, low, high)  # a flame's edges would drown all others
    window = cv2.createHanningWindow(size, cv2.CV_32F)
    (dx, dy), peak = cv2.phaseCorrelate(_edges(warm), _edges(laid), window)
    moved = dx * step, dy * step
    if peak < CLEAR_PEAK or max(abs(moved[0]), abs(moved[1])) > MOST_SHIFT_PX * step:
        return 0.0, 0.0
    return float(moved[0]), float(moved[1])


def _edges(picture: "np.ndarray[tuple[int, ...], np.dtype[np.generic]]") -> Floats:
    """Return how strong the edges are, whichever side is brighter: warm may be dark in the colour picture."""
    plain = picture.astype(np.float32)
    across, down = cv2.Sobel(plain, cv2.CV_32F, 1, 0), cv2.Sobel(plain, cv2.CV_32F, 0, 1)
    strength = cv2.magnitude(across, down)
    limit = float(np.percentile(strength, 95)) or 1.0
    return np.asarray(np.minimum(strength / limit, 1.0))
