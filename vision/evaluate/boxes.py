"""Where in a picture: average precision of boxes, at half and at three tenths of overlap.

Only pictures whose boxes are complete count, for the classes that are known; one that cannot be read is told
and has its boxes missed. Boxes are matched surest first, each true box once. The average is the area under
precision over recall.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from missions.errors import InputWrong
from vision import labelled
from vision.detectors import rgb_fire, runtime
from vision.detectors.rgb_fire import HAZARDS, Candidates
from vision.detectors.runtime import Model
from vision.evaluate import Json, Request
from vision.evaluate.curves import Curve, draw
from vision.evaluate.image import CLASSES
from vision.labelled import LabelledPicture
from vision.overlap import matches

OVERLAPS = {"ap50": 0.5, "ap30": 0.3}
MOST_BOXES = 50


@dataclass(frozen=True, slots=True, eq=False)
class Boxed:
    """One picture's truth and answer for one class: boxes as left, top, right, bottom in pixels."""

    source: str
    truth: npt.NDArray[np.float32]
    boxes: npt.NDArray[np.float32]
    scores: npt.NDArray[np.float32]


def evaluate(request: Request) -> Json:
    """Return the average precision per class and source.

    Raises:
        InputWrong: no picture of the folder has complete boxes.
    """
    if request.hazard is not None and request.hazard not in HAZARDS.values():
        raise InputWrong(f"--hazard: boxes are scored for fire and smoke, found {request.hazard.value}")
    model = runtime.load(request.model)
    pictures = [p for p in labelled.read(request.dataset, all_there=False) if p.boxes is not None]
    if not pictures:
        raise InputWrong(
            f"{request.dataset}: no picture has complete boxes (column boxes = 1, labels/NAME.txt)"
        )
    wanted = [c for c in CLASSES if request.hazard is None or HAZARDS[c] is request.hazard]
    answers: dict[str, list[Boxed]] = {name: [] for name in wanted}
    for i, picture in enumerate(pictures):
        if i % 100 == 99:
            request.say(f"{i + 1} of {len(pictures)} pictures")
        for name, boxed in _answers(model, picture, request).items():
            if name in answers:
                answers[name].append(boxed)
    result: Json = {name: _of(boxed) for name, boxed in answers.items()}
    sources = sorted({p.source for p in pictures})
    result["by_source"] = {
        source: {name: _of([b for b in boxed if b.source == source]) for name, boxed in answers.items()}
        for source in sources
    }
    if request.out:
        curves = [curve(boxed, 0.5, name) for name, boxed in answers.items()]
        draw(curves, request.out / "boxes.png", title="boxes, overlap of a half")
    return result | {"images": len(pictures), "model": model.title, "engine": model.engine}


def curve(answers: Sequence[Boxed], overlap: float, name: str) -> Curve:
    """Return precision over recall of boxes that match a true box by so much overlap."""
    hits: list[npt.NDArray[np.bool_]] = [np.zeros(0, np.bool_)]
    scores: list[npt.NDArray[np.float32]] = [np.zeros(0, np.float32)]
    for answer in answers:
        order = np.argsort(-answer.scores)
        hits.append(matches(answer.boxes[order], answer.truth, overlap))
        scores.append(answer.scores[order])
    hit, score = np.concatenate(hits), np.concatenate(scores)
    order = np.argsort(-score, kind="stable")
    found = np.cumsum(hit[order])
    there = max(sum(len(a.truth) for a in answers), 1)
    precision, recall = found / np.arange(1, len(found) + 1), found / there
    return Curve(name, tuple(score[order].tolist()), tuple(precision.tolist()), tuple(recall.tolist()))


def _of(answers: Sequence[Boxed]) -> Json:
    there = sum(len(a.truth) for a in answers)
    if not there:
        return {key: None for key in OVERLAPS} | {"boxes": 0}
    areas = {key: round(curve(answers, share, key).average_precision, 4) for key, share in OVERLAPS.items()}
    return areas | {"boxes": there}


def _answers(model: Model, picture: LabelledPicture, request: Request) -> dict[str, Boxed]:
    """Return a picture's truth and answer per class that is known of it."""
    try:
        pixels = labelled.load_rgb(picture.path)
    except InputWrong as reason:
        request.say(f"{reason}: its boxes count as missed")
        return boxed(model, picture, (1, 1), rgb_fire.NONE)
    return boxed(model, picture, pixels.shape[1::-1], rgb_fire.ranked(model, pixels, most=MOST_BOXES))


def boxed(model: Model, picture: LabelledPicture, size: Sequence[int], found: Candidates) -> dict[str, Boxed]:
    """Return a picture's truth beside what was found in it, per class that is known.

    size: its width and height in pixels.
    """
    assert picture.boxes is not None
    middle, half = picture.boxes[:, 1:3], picture.boxes[:, 3:5] / 2
    truth = np.concatenate([middle - half, middle + half], 1) * np.array([*size, *size], np.float32)
    result = {}
    for kind, name in enumerate(CLASSES):
        if picture.labels[kind] < 0 or name not in model.card.classes:
            continue
        mine = found.kinds == model.card.classes.index(name)
        result[name] = Boxed(
            picture.source, truth[picture.boxes[:, 0] == kind], found.boxes[mine], found.scores[mine]
        )
    return result
