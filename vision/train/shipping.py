"""What leaves a training: the model, its card for machines, and proof of what it was trained on.

The thresholds are chosen on pictures kept aside, but not on the sources that were held out whole: those
are the test that nothing was fitted to.
"""

import csv
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from vision import labelled
from vision.detectors import runtime
from vision.labelled import HASH, LabelledPicture
from vision.train import cards, export, fit, thresholds
from vision.train.augment import HEIGHT_PX, WIDTH_PX
from vision.train.targets import CLASSES

TRAINING = "TRAINING.csv"
CANVASES_PX = ((WIDTH_PX * 3 // 4, 320), (WIDTH_PX * 3 // 2, HEIGHT_PX * 3 // 2))
"""Whole pictures are shown at three quarters of the size that was learnt at, and at half as much again."""

COLUMNS = ("model", "use", "source", HASH, "fire", "smoke")
_RANGES_FROM = 48  # pictures that teach the 8-bit ranges
_BOX_SCORE = 0.15
_A_ROW = 120


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
    limits = thresholds.best(runtime.load(path), tuned)
    _write_card(whole, name=name, version=version, picture=limits)
    piece = thresholds.as_often(runtime.load(whole), runtime.load(path), limits, tuned)
    _write_card(path, name=name, version=version, picture=limits, piece=piece)
    rows = [row(name, use, p) for use, some in (("learnt", learnt), ("scored", aside)) for p in some]
    listed(out / TRAINING, name, rows)
    return path


def _write_card(
    path: Path,
    *,
    name: str,
    version: str,
    picture: Mapping[str, float],
    piece: Mapping[str, float] | None = None,
) -> None:
    card = {
        "name": name,
        "version": version,
        "classes": list(CLASSES),
        "picture": picture,
        "piece": piece or picture,
        "box": dict.fromkeys(CLASSES, _BOX_SCORE),
        "canvases_px": CANVASES_PX,
        "dark": runtime.DARK,
        "licence": "Apache-2.0",
    }
    cards.write(path, card)


def listed(path: Path, name: str, rows: Iterable[Mapping[str, Any]]) -> None:
    """Write a model's rows (`COLUMNS`) into the table of training pictures, leaving those of other models.

    Pictures of which all but the hash is the same share a row, their hashes side by side.
    """
    others = [row for row in labelled.listed(path) if row["model"] != name] if path.is_file() else []
    alike: dict[tuple[str, ...], list[str]] = {}
    for row in (*others, *rows):
        alike.setdefault(tuple(str(row[c]) for c in COLUMNS if c != HASH), []).append(row[HASH])
    with path.open("w", newline="", encoding="utf-8") as file:
        table = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        table.writeheader()
        for values, hashes in alike.items():
            said = dict(zip((c for c in COLUMNS if c != HASH), values, strict=True))
            parts = (hashes[i : i + _A_ROW] for i in range(0, len(hashes), _A_ROW))
            table.writerows(said | {HASH: " ".join(part)} for part in parts)


def listed_anew(path: Path, name: str, before: Path, rows: Iterable[Mapping[str, Any]]) -> None:
    """Write into a table a model's rows of the table `before`, and of `rows` those of other pictures."""
    old = [row for row in labelled.listed(before) if row["model"] == name]
    known = {row[HASH] for row in old}
    listed(path, name, [*old, *(row for row in rows if row[HASH] not in known)])


def row(name: str, use: str, picture: LabelledPicture) -> dict[str, Any]:
    """Return a picture's row of the table of training pictures."""
    values = (name, use, picture.source, labelled.sha256_8(picture.path), picture.fire, picture.smoke)
    return dict(zip(COLUMNS, values, strict=True))
