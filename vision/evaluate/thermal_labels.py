"""Which pictures of a folder show fire: labels as they come with thermal data, in whatever layout.

For each picture the first of these that says something counts:

* a table (any .csv with a column of file names and one of labels) names it: 1, true, yes, fire are a fire;
  0 none; -1 or nothing not known;
* a mask of the same name lies in a folder whose name holds "mask", "label" or "gt", or beside it as
  NAME_mask.png: a fire if any pixel is set;
* a YOLO file labels/NAME.txt: a fire if a line has class 0;
* a COCO table (.json with images and annotations) names it: a fire if an annotation is of a category named
  fire or flame; a table without any such category says that none of its pictures shows one;
* a folder above it is named so: fire, positive … or nofire, negative, decoys, background.

A picture that exists both as temperatures and as a rendering of them (same name, other folder and format)
counts once, as temperatures, unless a table names both. Colour pictures of the other eye are left out.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from vision import spreadsheet

_PICTURES = frozenset({".tif", ".tiff", ".jpg", ".jpeg", ".png", ".bmp"})
_FILE_COLUMNS = ("file", "filename", "file_name", "image", "name", "path", "frame", "picture")
_FIRE_COLUMNS = ("fire", "label", "has_fire", "is_fire", "positive", "class", "target", "hazard", "y")
_YES = frozenset({"1", "1.0", "true", "yes", "fire", "positive", "pos", "flame", "smouldering", "burning"})
_NO = frozenset(
    {
        "0",
        "0.0",
        "false",
        "no",
        "none",
        "nofire",
        "no_fire",
        "negative",
        "neg",
        "decoy",
        "background",
        "empty",
    }
)
_UNKNOWN = frozenset({"-1", "-1.0", "", "unknown", "na", "nan"})
_MASK_FOLDER = re.compile(r"mask|(^|_)gt(_|$)|label|truth", re.IGNORECASE)
_POSITIVE_FOLDER = re.compile(r"^(fires?|positives?|pos|with_fire|flames?|.*_fires?)$", re.IGNORECASE)
_NEGATIVE_FOLDER = re.compile(
    r"^(no_?fires?|non_?fires?|negatives?|neg|decoys?|backgrounds?|empty|without_fire|neg_.*"
    r"|.*_(neg|negatives?|decoys?))$",
    re.IGNORECASE,
)
_OTHER_EYE = re.compile(r"(^|[_-])(rgb|visible|vis|wide|colou?r)([_-]|$)|_(W|V|Z)$", re.IGNORECASE)

Told = dict[Path, tuple[bool | None, dict[str, str]]]
"""What tables say of pictures: a fire or not, and their other columns."""


@dataclass(frozen=True, slots=True)
class Labelled:
    """One picture: whether it shows fire (None: not known), where (a mask file), what else is told."""

    path: Path
    fire: bool | None
    mask: Path | None = None
    about: dict[str, str] = field(default_factory=dict)


def labelled(folder: Path) -> list[Labelled]:
    """Return the thermal pictures of a folder with their labels, in the order of their names."""
    files = sorted(p for p in folder.rglob("*") if p.suffix.lower() in _PICTURES and p.is_file())
    masks = {p for p in files if _is_mask(p, folder)}
    pictures = [p for p in files if p not in masks]
    by_table = _tables(folder)
    found = [_judged(p, folder, by_table, masks) for p in pictures if not _is_other_eye(p, by_table)]
    known = [one for one in found if one.fire is not None or one.path in by_table]
    return list(_once(known, by_table))


def mask_of(path: Path) -> npt.NDArray[np.bool_]:
    """Return which pixels a mask sets."""
    read = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    if read is None:
        return np.zeros((0, 0), bool)
    return np.asarray(read.any(axis=2) if read.ndim == 3 else read > 0)


def _judged(path: Path, folder: Path, tables: Told, masks: set[Path]) -> Labelled:
    mask = _mask_beside(path, masks)
    if path in tables:
        fire, about = tables[path]
        return Labelled(path, fire, mask, about)
    if mask is not None:
        return Labelled(path, bool(mask_of(mask).any()), mask)
    fire = _yolo(path)
    return Labelled(path, _by_folder(path, folder) if fire is None else fire)


def _tables(folder: Path) -> Told:
    """Return what tables say of the pictures they name."""
    found: Told = {}
    for path in sorted(folder.rglob("*.json")):
        found |= {p: (fire, {}) for p, fire in _coco(path)}
    for path in sorted(folder.rglob("*.csv")):
        found |= dict(_csv(path))
    return found


def _csv(path: Path) -> Iterator[tuple[Path, tuple[bool | None, dict[str, str]]]]:
    header, rows = spreadsheet.read(path)
    columns = {name.strip().lower(): name for name in header if name}
    named = next((columns[c] for c in _FILE_COLUMNS if c in columns), None)
    label = next((columns[c] for c in _FIRE_COLUMNS if c in columns), None)
    if named is None or label is None:
        return
    for row in rows:
        at = _found(path.parent, (row.get(named) or "").strip())
        told = (row.get(label) or "").strip().lower()
        if at is not None and (told in _YES or told in _NO or told in _UNKNOWN):
            about = {k.strip().lower(): v for k, v in row.items() if k and v and k not in (named, label)}
            yield at, (None if told in _UNKNOWN else told in _YES, about)


def _found(folder: Path, name: str) -> Path | None:
    """Return the picture that a table beside or above it names."""
    if not name:
        return None
    at = folder / name
    if at.is_file():
        return at
    return next((p for p in folder.rglob(Path(name).name) if p.is_file()), None)


def _coco(path: Path) -> Iterator[tuple[Path, bool]]:
    try:
        told = json.loads(path.read_text("utf-8"))
        images, categories = told["images"], told["categories"]
        fires = {c["id"] for c in categories if re.search("fire|flame", str(c["name"]), re.IGNORECASE)}
        burning = {a["image_id"] for a in told.get("annotations", ()) if a["category_id"] in fires}
        rows = [(str(i["file_name"]), i["id"] in burning) for i in images]
    except (ValueError, KeyError, TypeError, RecursionError):
        return
    for name, fire in rows:
        at = _found(path.parent, name)
        if at is not None:
            yield at, fire


def _yolo(path: Path) -> bool | None:
    """Return whether a YOLO file beside or in labels/ has a fire, None where there is no such file."""
    beside = [path.with_suffix(".txt"), path.parent / "labels" / f"{path.stem}.txt"]
    beside += [path.parent.parent / "labels" / f"{path.stem}.txt"]
    file = next((p for p in beside if p.is_file()), None)
    if file is None:
        return None
    return any(line.split()[:1] == ["0"] for line in file.read_text("utf-8", "replace").splitlines())


def _by_folder(path: Path, folder: Path) -> bool | None:
    for name in reversed([folder.name, *path.relative_to(folder).parts[:-1]]):
        if _NEGATIVE_FOLDER.match(name):
            return False
        if _POSITIVE_FOLDER.match(name):
            return True
    return None


def _is_mask(path: Path, folder: Path) -> bool:
    if path.suffix.lower() not in (".png", ".bmp", ".tif", ".tiff"):
        return False
    inside = path.relative_to(folder).parts[:-1]
    return bool(re.search(r"[_-](mask|gt|label)$", path.stem)) or any(_MASK_FOLDER.search(p) for p in inside)


def _is_other_eye(path: Path, tables: Told) -> bool:
    return path not in tables and bool(_OTHER_EYE.search(path.stem))


def _mask_beside(path: Path, masks: set[Path]) -> Path | None:
    """Return the mask of the same name; of several the one in a folder that says "mask"."""
    stems = {path.stem, f"{path.stem}_mask", f"{path.stem}-mask", f"{path.stem}_gt", f"{path.stem}_label"}
    root = path.parent.parent
    near = [m for m in masks if m.stem in stems and (m.parent == path.parent or root in m.parents[:3])]
    return min(near, key=lambda m: ("mask" not in m.parent.name.lower(), str(m)), default=None)


def _once(found: list[Labelled], tables: Told) -> Iterator[Labelled]:
    """Yield every picture once: temperatures before a rendering of them, unless a table names both."""
    exact = {(p.path.parent.parent, p.path.stem) for p in found if p.path.suffix.lower() in (".tif", ".tiff")}
    for one in found:
        rendered = one.path.suffix.lower() not in (".tif", ".tiff")
        if one.path in tables or not (rendered and (one.path.parent.parent, one.path.stem) in exact):
            yield one
