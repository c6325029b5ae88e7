"""What the boxes are learnt from: pictures at many scales, each with what the frozen network made of it.

The features are the 8-bit counts of the shipped graph itself, so that what the boxes are learnt on is what
they will be given. They are computed once per round and kept on disk; a round that was cut short goes on
where it stopped.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from vision.labelled import LabelledPicture
from vision.train.augment import GREY, LOOKING_DOWN, Boxes, View, in_other_light, loaded, mirrored, turned

_SEEN_SHARE = 0.35  # of a box that must lie on the canvas for it to count
_SMALLEST_PX = 5.0
_KEPT_EVERY = 128
_SCALES = (0.5, 1.8)  # of the scale at which a picture fits its canvas

Canvas = tuple[int, int]
Features = dict[str, npt.NDArray[np.uint8]]
Trunk = Callable[[npt.NDArray[np.uint8]], Features]
"""From one canvas (height, width, 3) to the counts by name, each (channels, rows, columns)."""


@dataclass(frozen=True, slots=True)
class Round:
    """Every picture once on one canvas: its features in files that are mapped, its truth in memory."""

    canvas: Canvas
    features: Features
    boxes: list[Boxes]
    labels: npt.NDArray[np.int8]

    def __len__(self) -> int:
        return len(self.boxes)


def round_of(
    folder: Path,
    name: str,
    pictures: Sequence[LabelledPicture],
    trunk: Trunk,
    *,
    canvas: Canvas,
    seed: int,
    told: Callable[[str], None],
) -> Round:
    """Return a round, made or finished if it is not there."""
    folder.mkdir(parents=True, exist_ok=True)
    truth = folder / f"{name}.jsonl"
    lines = truth.read_text("utf-8").splitlines() if truth.is_file() else []
    kinds = {tap: counts.shape for tap, counts in trunk(_grey(canvas)).items()}
    parts = {
        tap: np.memmap(
            folder / f"{name}.{tap}", np.uint8, "r+" if lines else "w+", shape=(len(pictures), *shape)
        )
        for tap, shape in kinds.items()
    }
    for i in range(len(lines), len(pictures)):
        view = varied(pictures[i], canvas, np.random.default_rng((seed, i)))
        for tap, counts in trunk(view.pixels).items():
            parts[tap][i] = counts
        lines.append(_line(view))
        if i % _KEPT_EVERY == _KEPT_EVERY - 1 or i == len(pictures) - 1:
            for part in parts.values():
                part.flush()
            truth.write_text("\n".join(lines) + "\n", "utf-8")
            told(f"{name}: {len(lines)} of {len(pictures)} views")
    rows = [json.loads(line) for line in lines]
    boxes = [np.array(row["boxes"], np.float32).reshape(-1, 5) for row in rows]
    return Round(canvas, dict(parts), boxes, np.array([row["labels"] for row in rows], np.int8))


def varied(picture: LabelledPicture, canvas: Canvas, rng: np.random.Generator) -> View:
    """Return a part of the picture, or all of it further away, mirrored by chance and in other light."""
    view = loaded(picture)
    if picture.source in LOOKING_DOWN:
        view = turned(view, int(rng.integers(4)))
    if rng.random() < 0.5:
        view = mirrored(view)
    scale = _fitting(view, canvas) * float(np.exp(rng.uniform(*np.log(_SCALES))))
    height, width = view.pixels.shape[:2]
    left, top = (
        rng.uniform(min(0.0, side - size * scale), max(0.0, side - size * scale))
        for side, size in zip(canvas, (width, height), strict=True)
    )
    view = framed(view, canvas, scale, left, top)
    return replace(view, pixels=in_other_light(view.pixels, rng))


def framed(view: View, canvas: Canvas, scale: float, left: float, top: float) -> View:
    """Return the view scaled, its upper left corner there on a grey canvas; what lies outside is cut off.

    A class whose boxes are nearly all cut off is not known any more: a sliver may be left.
    """
    height, width = view.pixels.shape[:2]
    wide, high = max(1, round(width * scale)), max(1, round(height * scale))
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    pixels = cv2.resize(view.pixels, (wide, high), interpolation=how)
    x, y = round(left), round(top)
    across, down = slice(max(x, 0), min(x + wide, canvas[0])), slice(max(y, 0), min(y + high, canvas[1]))
    shown = _grey(canvas)
    shown[down, across] = pixels[down.start - y : down.stop - y, across.start - x : across.stop - x]
    boxes = np.zeros((0, 5), np.float32) if view.boxes is None else view.boxes.copy()
    boxes[:, 1:] *= np.array([wide / width, high / height] * 2, np.float32)
    boxes[:, 1:] += np.array([x, y] * 2, np.float32)
    inside, seen = boxes.copy(), boxes[:, 3:5] - boxes[:, 1:3]
    inside[:, [1, 3]] = boxes[:, [1, 3]].clip(0, canvas[0])
    inside[:, [2, 4]] = boxes[:, [2, 4]].clip(0, canvas[1])
    sides = inside[:, 3:5] - inside[:, 1:3]
    stays = (sides.prod(1) >= _SEEN_SHARE * seen.prod(1)) & (sides.min(1, initial=np.inf) >= _SMALLEST_PX)
    fire, smoke = (
        -1 if label == 1 and not (inside[stays, 0] == kind).any() else label
        for kind, label in enumerate(view.labels)
    )
    return View(shown, inside[stays], (fire, smoke))


def _fitting(view: View, canvas: Canvas) -> float:
    height, width = view.pixels.shape[:2]
    return float(min(canvas[0] / width, canvas[1] / height))


def _grey(canvas: Canvas) -> npt.NDArray[np.uint8]:
    return np.full((canvas[1], canvas[0], 3), GREY, np.uint8)


def _line(view: View) -> str:
    assert view.boxes is not None
    return json.dumps(
        {"labels": view.labels, "boxes": [[round(float(v), 1) for v in row] for row in view.boxes]}
    )
