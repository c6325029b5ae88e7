"""The labelled colour pictures that vehicles are learnt from or scored on.

A folder of vehicles holds pictures and, beside each, NAME.txt with a line a vehicle (class, then middle and
size as shares of the picture). Nobody says how large their pixels are: it follows from the vehicles
themselves, most of them cars. Pictures without vehicles come from the folders of `WITHOUT`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from vision import labelled
from vision.detectors import vehicles
from vision.detectors.runtime import Model, Rgb
from vision.overlap import average_precision, matches

CAR_M = 4.2
"""The longer side of a car's box, boxes along the picture's sides."""

LEARNT, CHOSEN_ON, SCORED = "learnt", "chosen on", "scored"
"""Weights are fitted to the first, the threshold to the second, nothing to the third."""

OVERLAP, FALSE_SHARE = 0.3, 0.02
WIDE_M = (60.0, 120.0)
"""How wide the ground in a picture of unknown scale is taken to be, one after the other."""

Boxes = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class VehiclePicture:
    """One picture, its vehicles (left, top, right, bottom; pixels), the metres of a pixel, and its use."""

    path: Path
    source: str
    use: str
    boxes: Boxes
    pixel_m: float | None


def read(folder: Path, uses: Mapping[str, str], source: str) -> list[VehiclePicture]:
    """Return a folder's pictures whose names begin as one of `uses` does (the longest counts), by name."""
    found = []
    for path in sorted(folder.rglob("*")):
        if path.suffix.lower() not in (".jpg", ".png"):
            continue
        starts = [start for start in uses if path.name.startswith(start)]
        beside = path.with_suffix(".txt")
        if not beside.is_file():
            beside = folder / "labels" / beside.name
        pixels = cv2.imread(str(path)) if starts and beside.is_file() else None
        if pixels is None:
            continue
        boxes = _boxes(beside.read_text("utf-8"), pixels.shape[1], pixels.shape[0])
        sizes = (boxes[:, 2:] - boxes[:, :2]).max(1)
        pixel_m = CAR_M / float(np.median(sizes)) if len(sizes) else None
        found.append(VehiclePicture(path, source, uses[max(starts, key=len)], boxes, pixel_m))
    return found


def without(root: Path, uses: Mapping[str, str]) -> list[VehiclePicture]:
    """Return the pictures without vehicles, by the beginnings of their paths below `root`."""
    found = []
    for start, use in uses.items():
        for path in sorted(root.glob(start)):
            if path.name.startswith(WITH_MACHINES):
                continue
            found.append(
                VehiclePicture(path, str(Path(start).parent), use, np.zeros((0, 4), np.float32), None)
            )
    return found


def part(pictures: Sequence[VehiclePicture], use: str) -> list[VehiclePicture]:
    """Return the pictures of one use."""
    return [p for p in pictures if p.use == use]


def _boxes(text: str, width: int, height: int) -> Boxes:
    rows = [[float(v) for v in line.split()[1:5]] for line in text.splitlines() if line.strip()]
    table = np.array(rows, np.float32).reshape(-1, 4) * np.array([width, height, width, height], np.float32)
    return np.concatenate([table[:, :2] - table[:, 2:] / 2, table[:, :2] + table[:, 2:] / 2], 1)


CARS = {"DJI": LEARNT, "DJI_0762": CHOSEN_ON, "MOS": LEARNT, "MunichStreet": CHOSEN_ON}
"""What the aerial cars dataset's pictures are for; those from a video of somebody else's are left out."""

FORESTS = {
    "logging/drone_frames/[ACFH]_*.jpg": LEARNT,
    "logging/drone_frames/[DEGIJ]*.jpg": CHOSEN_ON,
    "fire/neg_drone_canopy/images/*": SCORED,
    "logging/uav_canopy/*.jpg": SCORED,
    "logging/neon_trees/*.png": SCORED,
}

WITH_MACHINES = ("G_0030", "E_0058")
"""Pictures of those folders in which a machine stands."""


def known(cars: Path, root: Path) -> list[VehiclePicture]:
    """Return all pictures that are learnt, chosen on or scored."""
    return [*read(cars, CARS, "aerial_cars"), *without(root, FORESTS)]


@dataclass(frozen=True, slots=True, eq=False)
class Answered:
    """What a model said of one picture: score and rightness of each box of a vehicle's size, surest first."""

    picture: VehiclePicture
    judged: tuple[tuple[float, bool], ...]


def answers(model: Model, pictures: Sequence[VehiclePicture], *, least: float = 0.05) -> list[Answered]:
    """Return what a model says of pictures; one of unknown scale is shown as if `WIDE_M` were seen in it."""
    said = []
    for picture in pictures:
        pixels = labelled.load_rgb(picture.path)
        scales = [picture.pixel_m] if picture.pixel_m else [wide / pixels.shape[1] for wide in WIDE_M]
        hits = [hit for pixel_m in scales for hit in _judged(model, picture, pixels, pixel_m, least)]
        said.append(Answered(picture, tuple(sorted(hits, key=lambda hit: -hit[0]))))
    return said


def precision(scored: Sequence[Answered]) -> float:
    """Return the average precision at an overlap of `OVERLAP`."""
    judged = sorted((hit for one in scored for hit in one.judged), key=lambda hit: -hit[0])
    there = sum(len(one.picture.boxes) for one in scored)
    return average_precision(np.array([hit for _, hit in judged], bool), there)


def rates(scored: Sequence[Answered], limit: float) -> tuple[float, float, float]:
    """Return from a score on: recall, false boxes a picture, the share of pictures with a false box."""
    there = sum(len(one.picture.boxes) for one in scored)
    told = [[hit for score, hit in one.judged if score >= limit] for one in scored]
    found, false = sum(map(sum, told)), [len(one) - sum(one) for one in told]
    return found / max(there, 1), float(np.mean(false)), float(np.mean([n > 0 for n in false]))


def threshold(scored: Sequence[Answered]) -> float:
    """Return the least score at which no more than `FALSE_SHARE` of those without vehicles have a find."""
    empty = [one for one in scored if not len(one.picture.boxes)]
    surest = sorted(one.judged[0][0] if one.judged else 0.0 for one in empty)
    allowed = int(FALSE_SHARE * len(surest))
    return round(surest[len(surest) - 1 - allowed] + 0.001, 3)


def _judged(
    model: Model, picture: VehiclePicture, pixels: Rgb, pixel_m: float, least: float
) -> list[tuple[float, bool]]:
    boxes, scores = vehicles.candidates(model, pixels, pixel_m, least)
    large = np.array([vehicles.may_be_vehicle(box, pixel_m) for box in boxes], bool)
    hits = matches(boxes[large], picture.boxes, OVERLAP)
    return [(float(score), bool(hit)) for score, hit in zip(scores[large], hits, strict=True)]
