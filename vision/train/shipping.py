"""What leaves a training: the model, its card for machines, and proof of what it was trained on.

The thresholds are chosen on pictures kept aside, but not on the sources that were held out whole: those
are the test that nothing was fitted to.
"""

import csv
import hashlib
import json
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from vision import labelled
from vision.detectors import runtime
from vision.labelled import LabelledPicture
from vision.train import export, fit
from vision.train.augment import HEIGHT_PX, WIDTH_PX
from vision.train.targets import CLASSES

TRAINING = "TRAINING.csv"
FALSE_ALARMS = 0.04
"""Largest share of the kept-aside negatives that one class may alarm on: half of what both may."""

AS_GOOD = 0.01
"""How far below the best F1 a threshold is still as good."""

_UNSURE = 0.5
_COLUMNS = ("model", "use", "source", "sha256_16", "fire", "smoke")
_RANGES_FROM = 48  # pictures that teach the 8-bit ranges
_BOX_SCORE = 0.15


def ship(run: Path, out: Path, *, name: str, version: str, told: Callable[[str], None]) -> Path:
    """Return the packed ONNX file of a training, written with its card and its rows of TRAINING.csv."""
    course, net = fit.course_of(run), fit.trained(run)
    learnt, aside = fit.pictures_of(course)
    whole, small, path = run / f"{name}_f32.onnx", run / f"{name}.onnx", out / f"{name}.onnx.xz"
    export.write(net, whole)
    sample = learnt[:: max(1, len(learnt) // _RANGES_FROM)]
    export.quantised(whole, small, [runtime.fitted(labelled.load_rgb(p.path), WIDTH_PX)[0] for p in sample])
    export.packed(small, path)
    for file in (whole, path):
        _write_card(file, name=name, version=version, picture=dict.fromkeys(CLASSES, 0.5))
    tuned = [p for p in aside if p.source not in course.held_out]
    told(f"choosing thresholds on {len(tuned)} pictures kept aside")
    limits = thresholds(runtime.load(path), tuned)
    for file in (whole, path):
        _write_card(file, name=name, version=version, picture=limits)
    _list(out / TRAINING, name, learnt, aside)
    return path


def thresholds(model: runtime.Model, pictures: Sequence[LabelledPicture]) -> dict[str, float]:
    """Return per class the threshold of best F1 that keeps the false alarms on negatives low."""
    said = np.array([_answer(model, picture) for picture in pictures], np.float32)
    truth = np.array([picture.labels for picture in pictures])
    return {name: threshold(said[:, kind], truth, kind) for kind, name in enumerate(CLASSES)}


def threshold(said: npt.NDArray[np.float32], truth: npt.NDArray[Any], kind: int) -> float:
    """Return one class's threshold: the lowest whose F1 is as good as the best.

    Only such count whose false alarms are few enough. These pictures are of kinds that were learnt from; of
    strange ones the network is less sure, and what it misses nobody looks at again.
    """
    known = truth[:, kind] >= 0
    negatives = said[(truth == 0).all(1)]
    limits, scores = [], []
    for limit in np.linspace(0.02, 0.98, 193):
        if negatives.size and (negatives >= limit).mean() > FALSE_ALARMS:
            continue
        hits = int(((said >= limit) & (truth[:, kind] == 1)).sum())
        called, there = int((said >= limit)[known].sum()), int((truth[:, kind] == 1).sum())
        limits.append(float(limit))
        scores.append(2 * hits / max(called + there, 1))
    if not limits:
        return _UNSURE
    best = max(scores)
    return round(next(limit for limit, f1 in zip(limits, scores, strict=True) if f1 >= best - AS_GOOD), 3)


def _answer(model: runtime.Model, picture: LabelledPicture) -> list[float]:
    canvas, _ = runtime.shown(labelled.load_rgb(picture.path), model.card)
    return [float(value) for value in model.see(canvas).picture]


def _write_card(path: Path, *, name: str, version: str, picture: dict[str, float]) -> None:
    card = {
        "name": name,
        "version": version,
        "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        "classes": list(CLASSES),
        "picture": picture,
        "box": dict.fromkeys(CLASSES, _BOX_SCORE),
        "canvas_px": [WIDTH_PX, HEIGHT_PX],
        "dark": runtime.DARK,
        "licence": "Apache-2.0",
    }
    runtime.card_beside(path).write_text(json.dumps(card, indent=1) + "\n", "utf-8")


def _list(path: Path, name: str, learnt: Iterable[LabelledPicture], aside: Iterable[LabelledPicture]) -> None:
    """Write this model's rows, leaving those of other models."""
    rows = []
    if path.is_file():
        with path.open(newline="", encoding="utf-8") as file:
            rows = [row for row in csv.DictReader(file) if row["model"] != name]
    for use, pictures in (("learnt", learnt), ("scored", aside)):
        rows += [_row(name, use, picture) for picture in pictures]
    with path.open("w", newline="", encoding="utf-8") as file:
        table = csv.DictWriter(file, _COLUMNS, lineterminator="\n")
        table.writeheader()
        table.writerows(rows)


def _row(name: str, use: str, picture: LabelledPicture) -> dict[str, Any]:
    values = (name, use, picture.source, labelled.sha256_16(picture.path), picture.fire, picture.smoke)
    return dict(zip(_COLUMNS, values, strict=True))
