"""Task `thermal`: is there fire in each thermal picture, positives and negatives mixed, one threshold.

A picture that cannot be searched counts as a miss if it shows fire and as a false alarm if it shows none.
Where a mask or a table says where the fire is, a detection elsewhere in the picture is no hit.
"""

import csv
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from missions.errors import InputWrong
from missions.model import Hazard
from vision.detectors import Abstained
from vision.detectors.thermal import THRESHOLD, ThermalFire, sun_of
from vision.errors import Unreadable
from vision.evaluate import Json, Request
from vision.evaluate.curves import Curve, draw
from vision.evaluate.thermal_labels import Labelled, labelled, mask_of
from vision.frame import load
from vision.inspection import prepared
from vision.model import Box, Detection
from vision.scene import Scene

_NEAR_PX = 12.0
_BURNING = frozenset({Hazard.FIRE, Hazard.BURNING})


@dataclass(frozen=True, slots=True)
class _Frame:
    """What one picture came to: `score` the best of what lies on the fire, or anywhere if there is none."""

    picture: Labelled
    score: float
    found: bool
    skipped: str | None = None
    radiometric: bool = False
    sun_deg: float | None = None

    @property
    def said_fire(self) -> bool:
        """Whether it counts as called: a skipped picture without fire is a false alarm."""
        return not self.picture.fire if self.skipped else self.found


def evaluate(request: Request) -> Json:
    """Return recall and false alarms a hundred frames.

    Raises:
        InputWrong: no picture of the folder has a label.
    """
    pictures = [p for p in labelled(request.dataset) if p.fire is not None]
    if not pictures:
        raise InputWrong(
            f"{request.dataset}: found no thermal picture with a label; expected a table (file,fire), masks, "
            "YOLO or COCO labels, or folders named fire and nofire"
        )
    everything = ThermalFire(threshold=0.0)
    frames = [_scored(p, everything) for p in pictures]
    for frame in frames:
        if frame.skipped or frame.said_fire != frame.picture.fire:
            request.say(f"{frame.picture.path.relative_to(request.dataset)}: {_wrong(frame)}")
    if request.out:
        _write(request.out, frames, request.dataset)
    return _counted(frames) | {
        "threshold": THRESHOLD,
        "detector": everything.name,
        "average_precision": round(_curve("fire", frames).average_precision, 4),
        "radiometric": _counted([f for f in frames if f.radiometric]),
        "relative": _counted([f for f in frames if not f.radiometric]),
        "by_light": {light: _counted(some) for light, some in _groups(frames, "light").items()},
        "by_what": {what: _counted(some) for what, some in _groups(frames, "what").items()},
        "by_folder": {name: _counted(some) for name, some in _folders(frames, request.dataset).items()},
    }


def _wrong(frame: _Frame) -> str:
    if frame.skipped:
        return f"skipped, counted as {'a miss' if frame.picture.fire else 'a false alarm'}: {frame.skipped}"
    return "missed" if frame.picture.fire else f"false alarm (score {frame.score:.2f})"


def _counted(frames: Sequence[_Frame]) -> Json:
    """Return the scores of some frames."""
    positives = [f for f in frames if f.picture.fire]
    negatives = [f for f in frames if not f.picture.fire]
    hits, alarms = sum(f.said_fire for f in positives), sum(f.said_fire for f in negatives)
    return {
        "recall": round(hits / len(positives), 4) if positives else None,
        "false_alarms_per_100_frames": round(100 * alarms / len(negatives), 3) if negatives else None,
        "positives": len(positives),
        "negatives": len(negatives),
        "skipped": sum(f.skipped is not None for f in frames),
    }


def _scored(picture: Labelled, detector: ThermalFire) -> _Frame:
    try:
        frame = prepared(load(picture.path, thermal=True))
    except Unreadable as reason:
        return _Frame(picture, 0.0, False, str(reason))
    found = detector.detect(frame, Scene())
    if isinstance(found, Abstained):
        return _Frame(picture, 0.0, False, found.reason)
    burning = [d for d in found if d.hazard in _BURNING]
    if picture.fire:
        burning = [d for d in burning if _on_the_fire(d, picture)]
    score = max((d.confidence for d in burning), default=0.0)
    is_radiometric, sun_deg = frame.celsius is not None, sun_of(frame)
    return _Frame(picture, score, score >= THRESHOLD, radiometric=is_radiometric, sun_deg=sun_deg)


def _on_the_fire(detection: Detection, picture: Labelled) -> bool:
    """Return whether a detection meets the fire, where it is told where that is."""
    box = detection.box
    if picture.mask is not None:
        mask = mask_of(picture.mask)
        rows = slice(max(int(box.top_px) - 2, 0), int(box.bottom_px) + 2)
        near = mask[rows, max(int(box.left_px) - 2, 0) : int(box.right_px) + 2]
        return bool(near.any()) or not mask.any()
    try:
        x, y = float(picture.about["x_px"]), float(picture.about["y_px"])
        radius = float(picture.about.get("radius_px") or 0.0)
    except (KeyError, ValueError):
        return True
    return _distance_px(box, x, y) <= _NEAR_PX + radius


def _distance_px(box: Box, x: float, y: float) -> float:
    across = max(box.left_px - x, 0.0, x - box.right_px)
    down = max(box.top_px - y, 0.0, y - box.bottom_px)
    return float(np.hypot(across, down))


def _groups(frames: Sequence[_Frame], column: str) -> dict[str, list[_Frame]]:
    """Return the frames by what a table says of them in a column.

    The light is told by HIT-UAV in its names, and by the sun's height where a frame knows place and time.
    """
    groups: defaultdict[str, list[_Frame]] = defaultdict(list)
    for frame in frames:
        told = frame.picture.about.get(column)
        if told is None and column == "light":
            parts = frame.picture.path.stem.split("_")
            told = {"0": "day", "1": "night"}.get(parts[0]) if len(parts) == 5 else _light(frame.sun_deg)
        if told:
            groups[told].append(frame)
    return dict(sorted(groups.items()))


def _light(sun_deg: float | None) -> str | None:
    return None if sun_deg is None else "day" if sun_deg > 0 else "night"


def _folders(frames: Sequence[_Frame], dataset: Path) -> dict[str, list[_Frame]]:
    groups: defaultdict[str, list[_Frame]] = defaultdict(list)
    for frame in frames:
        groups[frame.picture.path.relative_to(dataset).parts[0]].append(frame)
    return dict(sorted(groups.items())) if len(groups) < 40 else {}


def _curve(name: str, frames: Sequence[_Frame]) -> Curve:
    """Return the curve over thresholds; a skipped picture is a miss or a false alarm at each."""
    scores = [1.0 if f.skipped and not f.picture.fire else f.score for f in frames]
    return Curve.of(name, scores, [bool(f.picture.fire) for f in frames])


def _write(out: Path, frames: Sequence[_Frame], dataset: Path) -> None:
    """Write a row a frame and the precision-recall picture."""
    with (out / "thermal.csv").open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file)
        table.writerow(["file", "fire", "score", "called", "skipped"])
        for f in frames:
            name = f.picture.path.relative_to(dataset)
            table.writerow(
                [name, int(bool(f.picture.fire)), round(f.score, 4), int(f.said_fire), f.skipped or ""]
            )
    curves = [_curve("all", frames)]
    curves += [_curve(light, some) for light, some in _groups(frames, "light").items() if len(some) > 1]
    draw(curves, out / "thermal_pr.png", title="Fire in thermal frames", threshold=THRESHOLD)
