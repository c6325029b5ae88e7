"""Teach the judge of felled ground from labelled pictures: a linear fit of a minute, no graphics card.

    python -m vision.train.felled ROOT [--out vision/models]

ROOT holds the folders that `vision/models/felled_pictures.csv` names (file, sha256_8, dhash, group, felled,
counts). Cells inside a felled picture's boxes of class 0 (cleared) and outside those of grass and trees are
felled ground; all cells of the other pictures are not. One judge learns from all, and one from all but each
group in turn: what those say of the group they never saw is the score that is printed, and from it the card's
share is chosen. Numbers are whitened within what a judge learns from, and the weakest directions left out.
"""

import argparse
import csv
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize

from missions.errors import InputWrong
from vision import felled_cells, labelled, water_model
from vision.felled_cells import Band
from vision.felled_ground import CARD, EVERY, FARTHEST, MODEL, Judge, share_of

PICTURES = "felled_pictures.csv"
DIRECTIONS = 128
RIDGE = 1e-3
EVERY_NTH = 4  # cells beside each other tell the same
FALSE_ALARMS = 0.10
_CLEARED = 0

Labels = npt.NDArray[np.int8]


@dataclass(frozen=True, slots=True, eq=False)
class Example:
    """One picture: its cells' numbers, which are felled (1), not (0) or unknown (-1), and its group.

    `counts` says that it is one of those the share is chosen on, and the score is told of.
    """

    name: str
    group: str
    felled: bool
    counts: bool
    cells: Band
    labels: Labels


def examples(root: Path, table: Path) -> list[Example]:
    """Return the pictures that a table names.

    Raises:
        InputWrong: one is not there.
    """
    model = water_model.shipped()
    found = []
    with table.open(newline="", encoding="utf-8") as lines:
        for row in csv.DictReader(lines):
            path = root / row["file"]
            if not path.is_file():
                raise InputWrong(f"{path}: named in {table.name}, not there")
            cells = felled_cells.described(labelled.load_rgb(path), model)
            felled = row["felled"] == "1"
            shape = (cells.shape[0], cells.shape[1])
            labels = cleared(path.with_suffix(".txt"), shape) if felled else np.zeros(shape, np.int8)
            found.append(Example(row["file"], row["group"], felled, row["counts"] == "1", cells, labels))
    return found


def cleared(boxes: Path, shape: tuple[int, int]) -> Labels:
    """Return which cells lie in cleared ground (1), in grass or trees (0), or in no box (-1).

    A line is a class and a box (centre, width, height) or a ring, in shares of the picture.
    """
    rows, columns = shape
    painted = np.zeros((2, rows, columns), np.uint8)
    for line in boxes.read_text("utf-8").splitlines() if boxes.is_file() else []:
        kind, *numbers = (float(word) for word in line.split())
        ring = _ring(numbers) * [columns, rows] - 0.5
        cv2.fillPoly(painted[1 if int(kind) == _CLEARED else 0], [np.round(ring).astype(np.int32)], 1)
    rest, bare = painted > 0
    return np.where(rest, 0, np.where(bare, 1, -1)).astype(np.int8)


def _ring(numbers: Sequence[float]) -> npt.NDArray[np.float64]:
    if len(numbers) != 4:
        return np.array(numbers).reshape(-1, 2)
    x, y, wide, high = numbers
    corners = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) / 2
    return np.asarray(np.array([x, y]) + corners * [wide, high])


def fit(learnt: Sequence[Example]) -> Judge:
    """Return the judge of least logistic loss; felled cells and others weigh the same in all."""
    cells, truth = _sample(learnt)
    mean, spread = cells.mean(axis=0), cells.std(axis=0) + 1e-3
    near = np.clip((cells - mean) / spread, -FARTHEST, FARTHEST)
    strength, turn = np.linalg.eigh(near.T @ near / len(near))
    turn = turn[:, -DIRECTIONS:] / np.sqrt(np.maximum(strength[-DIRECTIONS:], 1e-6))
    weights, offset = _logistic(near @ turn, truth)
    return Judge(mean, spread, np.asarray(turn @ weights, np.float32), offset)


def _sample(learnt: Sequence[Example]) -> tuple[Band, Band]:
    cells, truth = [], []
    for number, example in enumerate(learnt):
        labels = example.labels.ravel()
        chosen = (labels >= 0) & (np.arange(labels.size) % EVERY_NTH == number % EVERY_NTH)
        cells.append(example.cells.reshape(labels.size, -1)[chosen])
        truth.append(labels[chosen])
    return np.concatenate(cells), np.concatenate(truth).astype(np.float32)


def _logistic(numbers: Band, truth: Band) -> tuple[Band, float]:
    """Return weights and offset of a ridge logistic fit."""
    weight = np.where(truth > 0, 1 / truth.sum(), 1 / (1 - truth).sum())
    design = np.column_stack([numbers, np.ones(len(numbers))])

    def loss(given: npt.NDArray[np.float64]) -> tuple[float, npt.NDArray[np.float64]]:
        said = np.clip(design @ given, -30, 30)
        off = weight * (1 / (1 + np.exp(-said)) - truth)
        pull = np.append(given[:-1], 0.0)
        value = (weight * (np.logaddexp(0, said) - truth * said)).sum() + RIDGE * (pull**2).sum()
        return float(value), design.T @ off + 2 * RIDGE * pull

    best = minimize(loss, np.zeros(design.shape[1]), jac=True, method="L-BFGS-B", options={"maxiter": 40}).x
    return np.asarray(best[:-1], np.float32), float(best[-1])


def share(said: Sequence[float], felled: Sequence[bool]) -> float:
    """Return the lowest share of cells that calls no more than `FALSE_ALARMS` of the others felled."""
    quiet = np.sort([s for s, is_felled in zip(said, felled, strict=True) if not is_felled])
    allowed = int(FALSE_ALARMS * len(quiet))
    above = [s for s, is_felled in zip(said, felled, strict=True) if is_felled and s > quiet[-1 - allowed]]
    limit = (quiet[-1 - allowed] + min(above, default=1.0)) / 2
    return round(float(limit), 4)


def main() -> None:
    """Teach, write and tell, as the module's first lines say."""
    words = argparse.ArgumentParser(prog="python -m vision.train.felled", description="Felled ground.")
    words.add_argument("root", type=Path, help="folder of the pictures")
    words.add_argument("--out", type=Path, default=Path("vision/models"), help="folder to write to")
    asked = words.parse_args()
    every = examples(asked.root, asked.out / PICTURES)
    groups = [EVERY, *sorted({e.group for e in every})]
    judges = [fit([e for e in every if e.group != group]) for group in groups]
    said = [share_of(judges[groups.index(e.group)].likely(e.cells)) for e in every]
    counted = [(s, e.felled) for s, e in zip(said, every, strict=True) if e.counts]
    limit = share([s for s, _ in counted], [felled for _, felled in counted])
    _write(asked.out, groups, judges, limit)
    _tell(every, said, limit)


def _write(out: Path, groups: Sequence[str], judges: Sequence[Judge], limit: float) -> None:
    np.savez_compressed(
        out / MODEL,
        mean=np.array([j.mean for j in judges], np.float16),
        spread=np.array([j.spread for j in judges], np.float16),
        weights=np.array([j.weights for j in judges], np.float16),
        offset=np.array([j.offset for j in judges], np.float32),
    )
    card = {"name": "felled", "version": "1", "share": limit, "judges": list(groups)}
    (out / CARD).write_text(json.dumps(card, indent=1) + "\n", "utf-8")


def _tell(every: Sequence[Example], said: Sequence[float], limit: float) -> None:
    for group in sorted({e.group for e in every}):
        for felled in (True, False):
            own = [s for s, e in zip(said, every, strict=True) if e.group == group and e.felled == felled]
            if own:
                called = sum(s >= limit for s in own)
                print(f"{group:12} {'felled' if felled else 'other':7} {called} of {len(own)} called felled")


if __name__ == "__main__":
    main()
