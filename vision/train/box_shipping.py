"""What leaves a training of the boxes: the model with its new head, its card, and what was learnt from.

The picture's answer and its thresholds stay as they were. The new boxes' scores are bent to what those of the
boxes before were, and as many boxes count as before: whoever takes a find at its word from some confidence on
is told as much as ever. Both is found on pictures kept aside, but not on the sources held out whole.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from vision import labelled
from vision.detectors import rgb_fire, runtime
from vision.detectors.runtime import Model
from vision.evaluate.boxes import MOST_BOXES
from vision.labelled import LabelledPicture
from vision.train import box_fit, box_graph, cards, shipping
from vision.train.targets import CLASSES

_LEAST = 1e-4
_AS_SAID = (1.0, 0.0)  # slope and lift that change nothing
_FEWEST = 3  # pictures that a line is drawn through

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Told:
    """Own scores of a class's boxes in pictures whose answer counts, and of the surest where it is shown."""

    scores: Floats
    surest: Floats


def ship(run: Path, out: Path, *, name: str, version: str, told: Callable[[str], None]) -> Path:
    """Return the packed ONNX file of a training, written with its card and its new rows of TRAINING.csv."""
    course, head = box_fit.course_of(run), box_fit.trained(run)
    learnt, aside = box_fit.pictures_of(course)
    begun = box_graph.read(course.start)
    card = cards.read(course.start) | {"name": name, "version": version}
    straight, path = run / f"{name}.onnx.xz", out / f"{name}.onnx.xz"
    box_graph.packed(box_graph.with_head(begun, head), straight)
    cards.write(straight, card)
    tuned = [p for p in aside if p.source not in course.held_out]
    told(f"choosing what scores say on {len(tuned)} pictures kept aside")
    before, now = (told_of(runtime.load(file), tuned) for file in (course.start, straight))
    lines = [bending(now[kind].surest, before[kind].surest) for kind in CLASSES]
    head.bend([slope for slope, _ in lines], [lift for _, lift in lines])
    limits = {
        kind: as_many(bent(now[kind].scores, line), before[kind].scores, card["box"][kind])
        for kind, line in zip(CLASSES, lines, strict=True)
    }
    box_graph.packed(box_graph.with_head(begun, head), path)
    cards.write(path, card | {"box": limits})
    rows = [shipping.row(name, use, p) for use, some in (("learnt", learnt), ("scored", aside)) for p in some]
    shipping.listed_anew(out / shipping.TRAINING, name, course.labels, rows)
    return path


def told_of(model: Model, pictures: Sequence[LabelledPicture]) -> dict[str, Told]:
    """Return per class what a model's boxes say of themselves."""
    scores: dict[str, list[float]] = {kind: [] for kind in CLASSES}
    surest: dict[str, list[float]] = {kind: [] for kind in CLASSES}
    for picture in pictures:
        pixels = labelled.load_rgb(picture.path)
        seen, scale = model.see_whole(pixels)
        found = rgb_fire.surest(seen, scale, pixels.shape[1::-1], most=MOST_BOXES)
        for kind, label in zip(CLASSES, picture.labels, strict=True):
            index = model.card.classes.index(kind)
            if seen.picture[index] >= model.card.picture[kind]:
                own = found.scores[found.kinds == index].astype(np.float64) ** 2 / seen.picture[index]
                scores[kind] += own.tolist()
                surest[kind] += [float(own.max())] if label == 1 and len(own) else []
    return {kind: Told(np.array(scores[kind]), np.array(surest[kind])) for kind in CLASSES}


def bending(scores: Floats, before: Floats) -> tuple[float, float]:
    """Return slope and lift that give log odds of the surest boxes' scores the spread of those before."""
    if min(len(scores), len(before)) < _FEWEST or np.ptp(scores) == 0:
        return _AS_SAID
    at = np.linspace(0.05, 0.95, 19)
    slope, lift = np.polyfit(np.quantile(_odds(scores), at), np.quantile(_odds(before), at), 1)
    return float(slope), float(lift)


def bent(scores: Floats, line: tuple[float, float]) -> Floats:
    """Return scores whose log odds are `slope` times what they were and `lift` more."""
    return np.asarray(1 / (1 + np.exp(-(line[0] * _odds(scores) + line[1]))))


def as_many(scores: Floats, before: Floats, limit: float) -> float:
    """Return the score that as many boxes reach as reached `limit` before; `limit` itself where none did."""
    count = min(int((before >= limit).sum()), len(scores))
    return round(float(np.sort(scores)[-count]), 3) if count else limit


def _odds(scores: Floats) -> Floats:
    share = np.clip(scores, _LEAST, 1 - _LEAST)
    return np.asarray(np.log(share / (1 - share)))
