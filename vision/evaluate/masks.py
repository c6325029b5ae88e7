"""Water masks scored pixel by pixel: `gridpatrol evaluate FOLDER --task masks --hazard flood`.

FOLDER holds `images/` and, under the same names, `masks/` (255 is water). Pictures that the segmenter was
trained on, or that look like one of those (64 bits of difference hash, straight or mirrored), are left out by
the split that is shipped with it, so the same command scores the part kept aside here and any other folder.
Scores pool the pixels of all pictures; beside them stands what an answer of water everywhere would get.
"""

import csv
import time
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from missions.errors import InputWrong
from missions.model import Hazard
from vision import labelled, water_model
from vision.evaluate import Json, Request

SPLIT = "flood_area_split.csv"
ALIKE_BITS = 14
"""Pictures whose hashes differ in no more bits than this count as one picture."""

TIMED_PX, TIMED_ROUNDS = 640, 5
_ENDINGS = frozenset({".jpg", ".jpeg", ".png"})

Pixels = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class _Tally:
    """Pixels counted: right, missed, invented, and all there are."""

    both: int
    missed: int
    invented: int
    total: int

    @property
    def iou(self) -> float:
        return self.both / max(self.both + self.missed + self.invented, 1)

    @property
    def f1(self) -> float:
        return 2 * self.both / max(2 * self.both + self.missed + self.invented, 1)

    @property
    def all_water_f1(self) -> float:
        wet = self.both + self.missed
        return 2 * wet / max(wet + self.total, 1)


def evaluate(request: Request) -> Json:
    """Return IoU and F1 of the water segmenter on a folder of images and masks.

    Raises:
        InputWrong: another hazard is asked for, or no picture with a mask is left to score.
    """
    if request.hazard not in (None, Hazard.FLOOD):
        raise InputWrong(f"--hazard: masks are scored for flood, found {request.hazard}")
    model = water_model.loaded(request.model) if request.model else water_model.shipped()
    tallies, left_out = [], 0
    training = _training() if request.model is None else _Training(frozenset(), ())
    for picture, mask in _pairs(request.dataset):
        pixels = labelled.load_rgb(picture)
        if training.knows(picture, pixels):
            left_out += 1
            continue
        truth = _mask(mask, pixels.shape[:2])
        tallies.append(_counted(model(pixels) > water_model.LIKELY, truth))
    if not tallies:
        raise InputWrong(
            f"{request.dataset}: no picture in images/ with its mask in masks/ is left to score "
            f"({left_out} belong to the segmenter's training)"
        )
    if left_out:
        request.say(f"{left_out} pictures left out: the segmenter was trained on them or on their likes")
    whole = _Tally(
        *(sum(getattr(t, part) for t in tallies) for part in ("both", "missed", "invented", "total"))
    )
    return {
        "iou": round(whole.iou, 4),
        "f1": round(whole.f1, 4),
        "images": len(tallies),
        "all_positive_f1": round(whole.all_water_f1, 4),
        "mean_image_iou": round(float(np.mean([t.iou for t in tallies])), 4),
        "left_out": left_out,
        "ms_per_640_px_frame": round(milliseconds(model), 1),
        "hazard": "flood",
    }


def milliseconds(model: water_model.WaterModel) -> float:
    """Return the CPU time one frame of 640 × 480 takes, the best of a few, in milliseconds."""
    frame = np.random.default_rng(1).integers(0, 255, (TIMED_PX * 3 // 4, TIMED_PX, 3), dtype=np.uint8)
    spent = []
    for _ in range(TIMED_ROUNDS):
        began = time.process_time()
        model(frame)
        spent.append(time.process_time() - began)
    return 1000.0 * min(spent)


@dataclass(frozen=True, slots=True)
class _Training:
    """What the segmenter has seen: the files' SHA-256 (first 8 digits) and the pictures' hashes."""

    files: frozenset[str]
    hashes: tuple[int, ...]

    def knows(self, path: Path, pixels: Pixels) -> bool:
        """Return whether a picture, or its like, was trained on."""
        if labelled.sha256_8(path) in self.files:
            return True
        mine = [labelled.dhash(view) for view in (pixels, np.ascontiguousarray(pixels[:, ::-1]))]
        return any((one ^ other).bit_count() <= ALIKE_BITS for one in mine for other in self.hashes)


def _training() -> _Training:
    text = (resources.files("vision") / "models" / SPLIT).read_text("utf-8")
    rows = [row for row in csv.DictReader(text.splitlines()) if row["part"] == "train"]
    return _Training(
        frozenset(row[labelled.HASH] for row in rows), tuple(int(row["dhash"], 16) for row in rows)
    )


def _pairs(folder: Path) -> Iterator[tuple[Path, Path]]:
    """Yield pictures and their masks, by name."""
    images, masks = folder / "images", folder / "masks"
    if not images.is_dir() or not masks.is_dir():
        raise InputWrong(f"{folder}: expected the folders images/ and masks/ inside")
    drawn = {m.stem: m for m in masks.iterdir() if m.suffix.lower() in _ENDINGS}
    for picture in sorted(images.iterdir()):
        if picture.suffix.lower() in _ENDINGS and picture.stem in drawn:
            yield picture, drawn[picture.stem]


def _mask(path: Path, size: tuple[int, int]) -> npt.NDArray[np.bool_]:
    read = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
    if read is None:
        raise InputWrong(f"{path}: is no mask that can be read")
    fitted = cv2.resize(read, (size[1], size[0]), interpolation=cv2.INTER_NEAREST)
    return np.asarray(np.asarray(fitted) > 127)


def _counted(said: npt.NDArray[np.bool_], truth: npt.NDArray[np.bool_]) -> _Tally:
    both = int((said & truth).sum())
    return _Tally(both, int(truth.sum()) - both, int(said.sum()) - both, truth.size)
