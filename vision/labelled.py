"""The labelled pictures of a folder, and which of them are kept aside.

A folder is laid out as `evaluate --task image` reads it: `image_labels.csv` with the columns file, fire,
smoke (1 yes, 0 no, -1 or nothing not known) and, if need be, boxes (1: `labels/NAME.txt` is complete), source
(else the folder that `file` begins with), note. Pictures that share a camera, a video or a flight are one
*group*, and a group is learnt from or scored on, never both.
"""

import csv
import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from missions.errors import InputWrong
from vision import spreadsheet

TABLE = "image_labels.csv"
HASH = "sha256_8"
"""Column of a table of pictures: the first 8 hex digits of each file's SHA-256."""

_CLUSTER = re.compile(r"^(c\d+)_")
_FRAME_OF = re.compile(r"^(.*?)[-_]?\d+(?:_jpg\.rf\.\w+)?$")
_KEPT_ASIDE = 0.15  # share of the small groups
_SMALL_GROUP = 12  # pictures
_LONGEST_NAME = 255  # bytes, of any file system
_KNOWN = {"1": 1, "1.0": 1, "0": 0, "0.0": 0, "-1": -1, "-1.0": -1, "": -1}


@dataclass(frozen=True, slots=True)
class LabelledPicture:
    """One picture and what is known of it; `boxes` are rows of class, centre x, y, width, height in shares.

    `fire` and `smoke` are 1, 0 or -1 (not known). `boxes` is None where they are not complete.
    """

    path: Path
    name: str
    source: str
    group: str
    fire: int
    smoke: int
    boxes: npt.NDArray[np.float32] | None

    @property
    def labels(self) -> tuple[int, int]:
        """What is known of each class, in the network's order."""
        return self.fire, self.smoke


def read(folder: Path, *, all_there: bool = True) -> list[LabelledPicture]:
    """Return a folder's labelled pictures.

    Raises:
        InputWrong: there is no table, a row of it cannot be read, or with `all_there` its file is not there.
    """
    table = folder / TABLE
    if not table.is_file():
        raise InputWrong(f"{folder}: expected {TABLE} with the columns file, fire, smoke, boxes, source")
    _, rows = spreadsheet.read(table)
    pictures = [_picture(folder, row, line) for line, row in enumerate(rows, start=2)]
    for line, picture in enumerate(pictures, start=2):
        if all_there and not picture.path.is_file():
            raise InputWrong(f"{table}, line {line}: {picture.name} is not there")
    return pictures


def apart(
    folders: Iterable[Path], table: Path, held_out: Sequence[str]
) -> tuple[list[LabelledPicture], list[LabelledPicture]]:
    """Return folders' pictures with what a table knows of them: those to learn from and those kept aside.

    Aside are the sources held out and what the table lists as scored.

    Raises:
        InputWrong: a folder or the table cannot be read.
    """
    every = told([picture for folder in folders for picture in read(folder)], table)
    scored = {row[HASH] for row in listed(table) if row["use"] == "scored"}
    aside = [p for p in every if p.source in held_out or sha256_8(p.path) in scored]
    names = {p.path for p in aside}
    return [p for p in every if p.path not in names], aside


def told(pictures: Sequence[LabelledPicture], table: Path) -> list[LabelledPicture]:
    """Return the pictures with what a table (`listed`) knows of them and their folder does not.

    A row of another model's pictures has neither and is passed over.

    Raises:
        InputWrong: the table cannot be read.
    """
    try:
        rows = [row for row in listed(table) if row["fire"] or row["smoke"]]
        known = {row[HASH]: (int(row["fire"]), int(row["smoke"])) for row in rows}
    except (OSError, KeyError, TypeError, ValueError) as error:
        raise InputWrong(f"{table}: expected the columns {HASH}, fire, smoke: {error!r}") from None
    return [_completed(p, known) if -1 in p.labels else p for p in pictures]


def listed(table: Path) -> list[dict[str, str]]:
    """Return the rows of a table of pictures (`HASH` and more), one for each of a row's hashes.

    Raises:
        OSError, KeyError: there is no such table or column.
    """
    with table.open(newline="", encoding="utf-8") as lines:
        return [row | {HASH: one} for row in csv.DictReader(lines) for one in row[HASH].split()]


def split(
    pictures: Sequence[LabelledPicture], held_out: Sequence[str]
) -> tuple[list[LabelledPicture], list[LabelledPicture]]:
    """Return the pictures to learn from and those kept aside for scoring.

    Aside go the sources and groups that are named, and by chance some small groups: single pictures
    and short scenes. A long video or a camera goes only by name. The draw is by the group's name alone,
    so that a picture added later moves no other.
    """
    sizes = groups(pictures)
    learnt: list[LabelledPicture] = []
    aside: list[LabelledPicture] = []
    for picture in pictures:
        named = picture.source in held_out or picture.group in held_out
        drawn = sizes[picture.group] <= _SMALL_GROUP and _draw(picture.group) < _KEPT_ASIDE
        (aside if named or drawn else learnt).append(picture)
    return learnt, aside


def _draw(group: str) -> float:
    return int.from_bytes(hashlib.sha256(group.encode()).digest()[:4], "big") / 2**32


def sha256_8(path: Path) -> str:
    """Return the first 8 hex digits of a file's SHA-256: enough to tell some thousand pictures apart."""
    return hashlib.sha256(path.read_bytes()).hexdigest()[:8]


def dhash(pixels: npt.NDArray[np.uint8]) -> int:
    """Return the 64-bit difference hash of a picture: near-duplicates differ in few bits."""
    grey = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY) if pixels.ndim == 3 else pixels
    small = cv2.resize(grey, (9, 8), interpolation=cv2.INTER_AREA).astype(np.int16)
    bits = (small[:, 1:] > small[:, :-1]).flatten()
    return int.from_bytes(np.packbits(bits).tobytes(), "big")


def load_rgb(path: Path) -> npt.NDArray[np.uint8]:
    """Return a picture's pixels.

    Raises:
        InputWrong: the file is no picture.
    """
    if not path.is_file():
        raise InputWrong(f"{path}: it is not there")
    pixels = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if pixels is None:
        raise InputWrong(f"{path}: no picture that can be read")
    return np.asarray(cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB), np.uint8)


def _picture(folder: Path, row: dict[str, str], line: int) -> LabelledPicture:
    try:
        name, fire, smoke = row["file"].strip(), _known(row, "fire"), _known(row, "smoke")
        parts = Path(name).parts
        if not parts or max(len(part.encode()) for part in parts) > _LONGEST_NAME:
            raise ValueError(f"file: found {name[:40]!r}, expected a picture's name")
        boxed = _KNOWN.get((row.get("boxes") or "").strip()) == 1
    except (KeyError, AttributeError):
        raise InputWrong(f"{folder / TABLE}, line {line}: expected the columns file, fire, smoke") from None
    except ValueError as error:
        raise InputWrong(f"{folder / TABLE}, line {line}: {error}") from None
    path, source = folder / name, row.get("source") or parts[0]
    labels = path.parent.parent / "labels" / f"{path.stem}.txt"
    boxes = _boxes(labels) if boxed and (labels.is_file() or 1 not in (fire, smoke)) else None
    return LabelledPicture(path, name, source, _group(source, path.stem), fire, smoke, boxes)


def _completed(picture: LabelledPicture, known: dict[str, tuple[int, int]]) -> LabelledPicture:
    fire, smoke = known.get(sha256_8(picture.path), picture.labels)
    return replace(
        picture,
        fire=fire if picture.fire == -1 else picture.fire,
        smoke=smoke if picture.smoke == -1 else picture.smoke,
    )


def _known(row: dict[str, str], column: str) -> int:
    text = row[column].strip()
    if text not in _KNOWN:
        raise ValueError(f"{column}: found {text!r}, expected 1, 0 or -1")
    return _KNOWN[text]


def _boxes(path: Path) -> npt.NDArray[np.float32]:
    """Return the rows of a YOLO file; one that is not there has none.

    Raises:
        InputWrong: a row is not class, centre x, y, width, height.
    """
    lines = path.read_text("utf-8", "replace").splitlines() if path.is_file() else []
    rows = [line.split() for line in lines if line.strip()]
    try:
        boxes = np.array(rows, np.float32).reshape(len(rows), 5)
    except ValueError:
        boxes = np.full((1, 5), np.nan, np.float32)
    if not np.isfinite(boxes).all():
        raise InputWrong(f"{path}: expected class, centre x, y, width and height in shares on each line")
    return boxes


def _group(source: str, stem: str) -> str:
    """Return what a picture shares its view with: the camera in its name, or the name without its number."""
    if cluster := _CLUSTER.match(stem):
        return f"{source}/{cluster[1]}"
    frame = _FRAME_OF.match(stem)
    series = frame[1] if frame else stem
    return f"{source}/{series}" if len(series) > 4 else f"{source}/{stem}"


def groups(pictures: Iterable[LabelledPicture]) -> dict[str, int]:
    """Return how many pictures each group has."""
    counts: dict[str, int] = {}
    for picture in pictures:
        counts[picture.group] = counts.get(picture.group, 0) + 1
    return counts
