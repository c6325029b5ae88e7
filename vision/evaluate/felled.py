"""Does a single picture show felled forest: `gridpatrol evaluate FOLDER --task image --hazard logging`.

FOLDER holds `index.csv` (file, video, cleared_by_eye, felled_logs_by_eye, machinery_by_eye): a picture with
a 1 anywhere shows felling. Intact forest and canopy of the folders beside it, those that
`vision/models/felled_pictures.csv` names, join as negatives where they are there. A picture of a video
that the judge learnt from, or one that looks like a picture it learnt from (64 bits of difference
hash), is put to the judge that learnt without that video or flight; any other to the one that is shipped.
"""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

import numpy as np

from missions.errors import InputWrong
from missions.model import Hazard
from vision import felled_ground, labelled, spreadsheet
from vision.evaluate import Json, Request
from vision.evaluate.image import rates

INDEX = "index.csv"
PICTURES = "felled_pictures.csv"
SIGNS = ("cleared_by_eye", "felled_logs_by_eye", "machinery_by_eye")
ALIKE_BITS = 14
"""Pictures whose hashes differ in no more bits than this count as one view."""

_ENDINGS = (".jpg", ".jpeg", ".png", ".tif")


@dataclass(frozen=True, slots=True)
class _Learnt:
    """A picture that the judges learnt from: where it lies, its hash and group, and whether it is scored."""

    file: str
    dhash: int
    group: str
    felled: bool
    counts: bool


@dataclass(frozen=True, slots=True)
class _Asked:
    """A picture to score: what it shows, its video or flight, and the group its judge learnt without."""

    path: Path
    felled: bool
    group: str
    without: str


@dataclass(frozen=True, slots=True)
class _Said:
    asked: _Asked
    share: float


def evaluate(request: Request) -> Json:
    """Return recall and precision of felling and the false alarms on what is not felled, all and by video.

    Raises:
        InputWrong: the folder has no index, or the index names no picture that is there.
    """
    if request.model is not None:
        raise InputWrong("--model: felled ground is judged by the shipped judges alone")
    model = felled_ground.shipped()
    learnt = _learnt()
    asked = [*_indexed(request.dataset, learnt), *_beside(request.dataset, learnt)]
    said = [
        _Said(a, felled_ground.share_of(model.cells(labelled.load_rgb(a.path), without=a.without)))
        for a in asked
    ]
    if request.out:
        _write(request.out / "logging.csv", said)
    groups = sorted({s.asked.group for s in said})
    by_group = {name: _scores([s for s in said if s.asked.group == name], model.share) for name in groups}
    unseen, felled = sum(not a.without for a in asked), sum(a.felled for a in asked)
    return {
        "hazard": Hazard.LOGGING.value,
        **_scores(said, model.share),
        "always_yes_f1": round(2 * felled / (felled + len(asked)), 4),
        "share_of_cells": model.share,
        "judged_without_their_video": len(asked) - unseen,
        "never_learnt_from": unseen,
        "by_video": by_group,
        "model": model.title,
    }


def _scores(said: Sequence[_Said], share: float) -> Json:
    """Return precision, recall, F1, and the false alarms on pictures without felling."""
    truth = np.array([s.asked.felled for s in said], bool)
    called = np.array([s.share >= share for s in said], bool)
    negatives, alarms = int((~truth).sum()), int((called & ~truth).sum())
    return rates(truth, called) | {
        "negatives": negatives,
        "false_alarms": alarms,
        "false_alarm_rate": round(alarms / negatives, 4) if negatives else None,
        "images": len(said),
    }


def _learnt() -> list[_Learnt]:
    """Return what the judges learnt from."""
    table = resources.files("vision") / "models" / PICTURES
    rows = csv.DictReader(table.read_text("utf-8").splitlines())
    return [
        _Learnt(r["file"], int(r["dhash"], 16), r["group"], r["felled"] == "1", r["counts"] == "1")
        for r in rows
    ]


def _indexed(folder: Path, learnt: Sequence[_Learnt]) -> list[_Asked]:
    """Return the pictures of a folder's index."""
    table = folder / INDEX
    if not table.is_file():
        raise InputWrong(f"{folder}: expected {INDEX} with the columns file, video, {', '.join(SIGNS)}")
    _, rows = spreadsheet.read(table)
    if not rows or not {"file", "video", *SIGNS} <= set(rows[0]):
        raise InputWrong(f"{table}: expected rows with the columns file, video, {', '.join(SIGNS)}")
    known = {one.group for one in learnt}
    found = []
    for row in rows:
        path = _picture(folder, row["file"])
        felled = any(row[sign] == "1" for sign in SIGNS)
        video = row["video"]
        found.append(_Asked(path, felled, video, video if video in known else _alike(path, learnt)))
    return found


def _picture(folder: Path, name: str) -> Path:
    for ending in ("", *_ENDINGS):
        if (path := folder / f"{name}{ending}").is_file():
            return path
    raise InputWrong(f"{folder / INDEX}: {name} is not there")


def _alike(path: Path, learnt: Sequence[_Learnt]) -> str:
    """Return the group of the learnt picture that one looks like, "" where it looks like none."""
    own = labelled.dhash(labelled.load_rgb(path))
    near = ((own ^ one.dhash).bit_count() for one in learnt)
    bits, group = min(zip(near, (one.group for one in learnt), strict=True))
    return group if bits <= ALIKE_BITS else ""


def _beside(folder: Path, learnt: Sequence[_Learnt]) -> list[_Asked]:
    """Return the intact forest and canopy of other folders, as far as they lie where they did in learning."""
    root = folder.resolve().parent.parent
    own = folder.resolve().relative_to(root).as_posix()
    return [
        _Asked(root / one.file, felled=False, group=one.group, without=one.group)
        for one in learnt
        if one.counts
        and not one.felled
        and not one.file.startswith(f"{own}/")
        and (root / one.file).is_file()
    ]


def _write(path: Path, said: Sequence[_Said]) -> None:
    """Write every picture's answer."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(("file", "video", "felled", "share_of_cells", "judged_without"))
        for s in said:
            a = s.asked
            table.writerow((a.path.name, a.group, int(a.felled), f"{s.share:.4f}", a.without))
