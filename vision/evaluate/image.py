"""Does a picture show fire, does it show smoke: precision and recall of that one answer per picture.

The folder holds `image_labels.csv` (file, fire, smoke: 1, 0, -1 not known and left out). One threshold per
class, the model card's, serves for all pictures. A picture with neither is a negative; an alarm of any
class on it is a false alarm. A picture that is too dark to tell counts as no alarm, and is counted; one that
is not there or cannot be read is told and counts against us: as missed, or as a false alarm on what it is
known not to show.
"""

import csv
import importlib
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from missions.errors import InputWrong
from missions.model import Hazard
from vision import labelled
from vision.detectors import runtime
from vision.detectors.rgb_fire import HAZARDS
from vision.detectors.runtime import Model
from vision.evaluate import Json, Request
from vision.evaluate.curves import Curve, draw
from vision.labelled import LabelledPicture

CLASSES = ("fire", "smoke")
NIGHT_BELOW = 50.0
"""Mean brightness (0 to 255) under which a picture is counted as taken at night or near it."""

OTHERS: dict[Hazard, str] = {Hazard.LOGGING: "vision.evaluate.felled:evaluate"}
"""Hazards whose pictures are scored elsewhere: "module:function"."""


@dataclass(frozen=True, slots=True)
class Scored:
    """One picture, how likely the model holds each class, how bright it is (NaN: it cannot be read), and
    whether too dark to ask."""

    picture: LabelledPicture
    likely: tuple[float, float]
    brightness: float
    is_dark: bool

    @property
    def is_skipped(self) -> bool:
        return math.isnan(self.brightness)


def evaluate(request: Request) -> Json:
    """Return precision, recall and F1 per class, the false alarms on negatives, and all of it by source.

    Raises:
        InputWrong: the folder has no table, or none of its pictures is labelled for what is asked.
    """
    if request.hazard in OTHERS:
        module, _, name = OTHERS[request.hazard].partition(":")
        other: Callable[[Request], Json] = getattr(importlib.import_module(module), name)
        return other(request)
    if request.hazard is not None and request.hazard not in HAZARDS.values():
        raise InputWrong(
            f"--hazard: pictures are scored for fire, smoke and logging, found {request.hazard.value}"
        )
    model = runtime.load(request.model)
    pictures = labelled.read(request.dataset, all_there=False)
    if not pictures:
        raise InputWrong(f"{request.dataset / labelled.TABLE}: no picture is listed")
    scored = [_scored(model, picture, i, len(pictures), request) for i, picture in enumerate(pictures)]
    result = scores(scored, model, request.hazard)
    if request.out:
        _write(request, scored, model)
    return result | {"model": model.title, "engine": model.engine}


def scores(scored: Sequence[Scored], model: Model, hazard: Hazard | None = None) -> Json:
    """Return the scores of answers already given."""
    wanted = [c for c in CLASSES if hazard is None or HAZARDS[c] is hazard]
    result = _of(scored, model, wanted)
    if hazard is not None:
        return {**result.pop(wanted[0]), **result}
    sources = sorted({s.picture.source for s in scored})
    by_source = {
        name: _of([s for s in scored if s.picture.source == name], model, wanted) for name in sources
    }
    night = [s for s in scored if s.brightness < NIGHT_BELOW]
    day = [s for s in scored if s.brightness >= NIGHT_BELOW]
    by_light = {name: _of(some, model, wanted) for name, some in (("day", day), ("night", night))}
    dark, skipped = sum(s.is_dark for s in scored), sum(s.is_skipped for s in scored)
    return result | {"by_source": by_source, "by_light": by_light, "dark": dark, "skipped": skipped}


def _of(scored: Sequence[Scored], model: Model, wanted: Sequence[str]) -> Json:
    result: Json = {}
    kinds = [CLASSES.index(name) for name in wanted]
    negative = [s for s in scored if all(s.picture.labels[kind] == 0 for kind in kinds)]
    for name, kind in zip(wanted, kinds, strict=True):
        known = [s for s in scored if s.picture.labels[kind] >= 0]
        truth = np.array([s.picture.labels[kind] == 1 for s in known], bool)
        said = np.array([_alarm(s, kind, model) for s in known], bool)
        result[name] = rates(truth, said) | {"false_alarm_rate": _alarmed(negative, [kind], model)}
    result["false_alarm_rate"] = _alarmed(negative, kinds, model)
    return result | {"negatives": len(negative), "images": len(scored)}


def _alarmed(scored: Sequence[Scored], kinds: Sequence[int], model: Model) -> float | None:
    """Return the share of pictures that raise an alarm of any of some classes."""
    alarms = sum(any(_alarm(s, kind, model) for kind in kinds) for s in scored)
    return round(alarms / len(scored), 4) if scored else None


def rates(truth: npt.NDArray[np.bool_], said: npt.NDArray[np.bool_]) -> Json:
    """Return precision, recall and F1; None where there is nothing to divide by."""
    hits, called, there = int((truth & said).sum()), int(said.sum()), int(truth.sum())
    precision = hits / called if called else None
    recall = hits / there if there else None
    f1 = 2 * hits / (called + there) if called + there else None
    rounded = (None if value is None else round(value, 4) for value in (precision, recall, f1))
    return dict(zip(("precision", "recall", "f1"), rounded, strict=True)) | {"positives": there}


def _scored(model: Model, picture: LabelledPicture, i: int, count: int, request: Request) -> Scored:
    if i % 100 == 99:
        request.say(f"{i + 1} of {count} pictures")
    try:
        pixels = labelled.load_rgb(picture.path)
    except InputWrong as reason:
        request.say(f"{reason}: counted against us")
        fire, smoke = (float(label == 0) for label in picture.labels)
        return Scored(picture, (fire, smoke), float("nan"), is_dark=False)
    brightness = float(pixels[::4, ::4].mean())
    if runtime.is_dark(pixels, model.card.dark):
        return Scored(picture, (0.0, 0.0), brightness, is_dark=True)
    seen, _ = model.see_whole(pixels)
    likely = dict(zip(model.card.classes, seen.picture.tolist(), strict=True))
    return Scored(picture, (likely.get("fire", 0.0), likely.get("smoke", 0.0)), brightness, is_dark=False)


def _alarm(scored: Scored, kind: int, model: Model) -> bool:
    return scored.likely[kind] >= model.card.picture.get(CLASSES[kind], 2.0)


def _write(request: Request, scored: Sequence[Scored], model: Model) -> None:
    """Write a curve per class and every picture's answer."""
    assert request.out is not None
    for kind, name in enumerate(CLASSES):
        known = [s for s in scored if s.picture.labels[kind] >= 0]
        truth = [s.picture.labels[kind] == 1 for s in known]
        curve = Curve.of(name, [s.likely[kind] for s in known], truth)
        limit = model.card.picture.get(name)
        draw([curve], request.out / f"image_{name}.png", title=f"pictures with {name}", threshold=limit)
    with (request.out / "image.csv").open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(
            ("file", "source", "fire", "smoke", "fire_likely", "smoke_likely", "brightness", "dark")
        )
        for s in scored:
            likely = (f"{value:.4f}" for value in s.likely)
            table.writerow(
                (
                    s.picture.name,
                    s.picture.source,
                    *s.picture.labels,
                    *likely,
                    f"{s.brightness:.0f}",
                    int(s.is_dark),
                )
            )
