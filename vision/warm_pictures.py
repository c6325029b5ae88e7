"""The labelled thermal pictures that people and vehicles are learnt from or scored on, and the scores.

A folder holds `images/` and `annotations_coco.json` (boxes by category, a date per picture) as HIT-UAV does
(Suo and others 2023, CC BY 4.0); a picture's name begins with night (1) or day (0), the flight's height and
the camera's angle. Pictures of one date, one half of the day and one height are one *flight*; whole flights
are held out (`is_held_out`).
"""

import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from missions.errors import InputWrong
from vision import labelled
from vision.detectors import warm_bodies
from vision.detectors.runtime import Model
from vision.detectors.warm_bodies import KINDS
from vision.overlap import average_precision, matches, overlaps

TABLE = "annotations_coco.json"
_KIND_OF = {"Person": 0, "Car": 1, "OtherVehicle": 1, "Bicycle": 2}
UNKNOWN = -1
"""The kind of a box of which nobody says what it is."""

_LEAST = 0.03
_HELD_OUT_DATE, _DIVIDED_DATE, _LEARNT_BY_DAY_M = "20210121", "20210115", 60

Boxes = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class WarmPicture:
    """One picture: boxes (left, top, right, bottom; pixels), the kind of each, `UNKNOWN` where not told."""

    path: Path
    date: str
    night: bool
    height_m: int
    boxes: Boxes
    kinds: npt.NDArray[np.int64]

    @property
    def flight(self) -> tuple[str, bool, int]:
        """Which flight it is of."""
        return self.date, self.night, self.height_m

    def of(self, kind: int) -> Boxes:
        """Return the boxes of one kind."""
        return np.asarray(self.boxes[self.kinds == kind], np.float32)


def read(folder: Path) -> list[WarmPicture]:
    """Return a folder's pictures by name.

    Raises:
        InputWrong: there is no table, it cannot be read, or a picture it names is not there.
    """
    table = folder / TABLE
    if not table.is_file():
        raise InputWrong(f"{folder}: expected images/ and {TABLE}")
    try:
        value = json.loads(table.read_text("utf-8"))
        named = {c["id"]: _KIND_OF.get(c["name"], UNKNOWN) for c in value["categories"]}
        boxes = defaultdict(list)
        for row in value["annotations"]:
            boxes[row["image_id"]].append((*row["bbox"], named[row["category_id"]]))
        found = [_picture(folder, row, boxes[row["id"]]) for row in value["images"]]
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise InputWrong(f"{table}: no table of boxes: {error!r}") from None
    for picture in found:
        if not picture.path.is_file():
            raise InputWrong(f"{picture.path}: named in {TABLE}, not there")
    return sorted(found, key=lambda p: p.path.name)


def split(pictures: Sequence[WarmPicture]) -> tuple[list[WarmPicture], list[WarmPicture]]:
    """Return the pictures to learn from and those held out, whole flights each."""
    return [p for p in pictures if not is_held_out(p)], [p for p in pictures if is_held_out(p)]


def is_held_out(picture: WarmPicture) -> bool:
    """Return whether a picture is only scored on: 21 January whole, and 15 January but its lowest flight.

    That flight (by day, 60 m) is learnt, for hardly another shows people by day.
    """
    if picture.date == _DIVIDED_DATE:
        return picture.night or picture.height_m != _LEARNT_BY_DAY_M
    return picture.date == _HELD_OUT_DATE


@dataclass(frozen=True, slots=True, eq=False)
class Answered:
    """What a model said of one picture: boxes, scores and kinds, and the truth."""

    picture: WarmPicture
    boxes: Boxes
    scores: npt.NDArray[np.float32]
    kinds: npt.NDArray[np.int64]

    def hits(self, kind: int, overlap: float) -> list[tuple[float, bool]]:
        """Return score and rightness of each box of a kind, surest first; what nobody named is left out."""
        own, unnamed = self.picture.of(kind), self.picture.of(UNKNOWN)
        order = np.argsort(-self.scores)
        order = order[self.kinds[order] == kind]
        return [
            (float(self.scores[i]), bool(hit))
            for i, hit in zip(order, matches(self.boxes[order], own, overlap), strict=True)
            if hit or not (overlaps(self.boxes[i], unnamed) >= overlap).any()
        ]


def answers(model: Model, pictures: Sequence[WarmPicture]) -> list[Answered]:
    """Return what a model says of pictures, down to hardly sure."""
    said = []
    for picture in pictures:
        pixels = labelled.load_rgb(picture.path)
        boxes, scores, kinds = warm_bodies.candidates(model, pixels, dict.fromkeys(KINDS, _LEAST))
        said.append(Answered(picture, boxes, scores, kinds))
    return said


def precision(scored: Sequence[Answered], kind: int, overlap: float) -> float | None:
    """Return the average precision of a kind at an overlap, None where there is none of it."""
    judged, there = _judged(scored, kind, overlap)
    if not there:
        return None
    return average_precision(np.array([hit for _, hit in judged], bool), there)


def threshold(scored: Sequence[Answered], kind: int) -> float:
    """Return the score from which a kind's boxes have the best F2 at an overlap of .3.

    Recall counts twice: whoever is searched for must not be missed for a box too few.
    """
    judged, there = _judged(scored, kind, 0.3)
    right = np.cumsum([hit for _, hit in judged])
    best = int((5 * right / (np.arange(1, len(right) + 1) + 4 * there)).argmax())
    return round(judged[best][0], 3)


def rates(scored: Sequence[Answered], kind: int, limit: float) -> tuple[float, float, float]:
    """Return from a score on: recall, false boxes a picture, and the mean error of a picture's count."""
    judged, there = _judged(scored, kind, 0.3)
    told = [hit for score, hit in judged if score >= limit]
    off = [abs(sum(s >= limit for s, _ in one.hits(kind, 0.3)) - len(one.picture.of(kind))) for one in scored]
    return sum(told) / max(there, 1), (len(told) - sum(told)) / len(scored), float(np.mean(off))


def _judged(scored: Sequence[Answered], kind: int, overlap: float) -> tuple[list[tuple[float, bool]], int]:
    judged = sorted((hit for one in scored for hit in one.hits(kind, overlap)), key=lambda hit: -hit[0])
    return judged, sum(len(one.picture.of(kind)) for one in scored)


def _picture(folder: Path, row: dict[str, str], boxes: Sequence[tuple[float, ...]]) -> WarmPicture:
    night, height, *_ = row["file_name"].split("_")
    table = np.array(boxes, np.float32).reshape(-1, 5)
    corners = np.concatenate([table[:, :2], table[:, :2] + table[:, 2:4]], 1)
    return WarmPicture(
        folder / "images" / row["file_name"],
        str(row.get("date", "")),
        night == "1",
        int(height),
        corners,
        table[:, 4].astype(np.int64),
    )
