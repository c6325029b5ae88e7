"""Crops of what was found, and the table in which a duty officer writes what it was."""

import csv
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from vision import spreadsheet
from vision.calibration.labels import COLUMNS, TABLE
from vision.errors import Unreadable
from vision.frame import Frame, load
from vision.marking import Picture, drawn
from vision.model import Detection

if TYPE_CHECKING:
    from vision.inspection import FrameResult

_AROUND, _LEAST_PX = 3.0, 96
_SHOWN_PX = 320


def keep(results: "list[FrameResult]", folder: Path) -> int:
    """Write a crop and an open row of the table for each detection; return how many. Verdicts given stay."""
    given = _judged(folder / TABLE)
    rows: list[dict[str, Any]] = []
    for result in results:
        rows += _rows(result, folder, given)
    if not rows:
        return 0
    with (folder / TABLE).open("w", encoding="utf-8-sig", newline="") as file:
        table = csv.DictWriter(file, COLUMNS, extrasaction="ignore")
        table.writeheader()
        table.writerows([*given.values(), *rows])
    return len(rows)


def _judged(path: Path) -> dict[str, dict[str, str]]:
    """Return the rows of a table into which officers wrote already, by crop."""
    if not path.is_file():
        return {}
    _, rows = spreadsheet.read(path)
    return {str(r.get("crop")): r for r in rows if any(map(r.get, COLUMNS[-4:]))}


def _rows(result: "FrameResult", folder: Path, given: dict[str, dict[str, str]]) -> list[dict[str, Any]]:
    """Return the rows of a file's detections, those judged before taken out of `given`."""
    if not result.detections or result.shot is None:
        return []
    try:
        frame = load(Path(result.file))
    except Unreadable:  # the file changed while we looked
        return []
    (folder / "crops").mkdir(parents=True, exist_ok=True)
    picture, rows = drawn(frame), []
    for i, detection in enumerate(result.detections):
        at = result.observation_of(i)
        look = {"file": result.file, "seen_at": at.seen_at.isoformat() if at else ""}
        crop = f"crops/{result.shot.id.replace('/', '_')}_{i:02d}_{detection.hazard.value}.jpg"
        while crop in given and not look.items() <= given[crop].items():  # another picture's
            crop = crop.replace("crops/", "crops/_")
        cv2.imwrite(str(folder / crop), _cut(picture, detection))
        row: dict[str, Any] = look | {
            "crop": crop,
            "camera": result.shot.camera.name,
            "hazard": detection.hazard.value,
            "score": round(detection.confidence, 4),
            "lat_deg": round(at.place.lat_deg, 7) if at else "",
            "lon_deg": round(at.place.lon_deg, 7) if at else "",
            "ellipse_m": round(at.ellipse.major_m, 2) if at else "",
            "area_m2": round(at.area_m2, 3) if at and at.area_m2 is not None else "",
        }
        rows.append(row | given.pop(crop, {}))
    return rows


def crop(frame: Frame, detection: Detection) -> Picture:
    """Return the surroundings of a detection as blue, green, red."""
    return _cut(drawn(frame), detection)


def _cut(picture: Picture, detection: Detection) -> Picture:
    box = detection.box
    side = max(_AROUND * max(box.right_px - box.left_px, box.bottom_px - box.top_px), _LEAST_PX)
    x, y = box.middle_px
    height, width = picture.shape[:2]
    left, top = int(max(x - side / 2, 0)), int(max(y - side / 2, 0))
    part = picture[top : min(int(top + side), height), left : min(int(left + side), width)]
    factor = max(1, round(_SHOWN_PX / max(part.shape[:2])))
    return np.asarray(cv2.resize(part, None, fx=factor, fy=factor, interpolation=cv2.INTER_NEAREST))
