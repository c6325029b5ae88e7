"""Task `radiometry`: temperatures of makers' files beside those of the makers' own programs.

The folder holds the files and a table, `reference_temps.csv`, whose columns are `file` and any of
`min_C`, `mean_C`, `median_C`, `max_C`. An image of temperatures beside a file (NAME_celsius.tiff) is a
reference too: the file is then compared pixel by pixel.
"""

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import tifffile

from missions.errors import InputWrong
from vision import spreadsheet
from vision.errors import Unreadable
from vision.evaluate import Json, Request
from vision.frame import Frame, load
from vision.radiometry import Celsius

_TABLE = "reference_temps.csv"
_STATISTICS: dict[str, Callable[[Celsius], Any]] = {
    "min": np.nanmin,
    "mean": np.nanmean,
    "median": np.nanmedian,
    "max": np.nanmax,
}
_BESIDE = ("_celsius", "_temperature", "_temp")
_SAID_OF = ("decoded from the bytes", "relative thermal", "no scale stated", "read as kelvin")


def evaluate(request: Request) -> Json:
    """Return each file's largest error in °C, and which files could not be decoded.

    Raises:
        InputWrong: the folder holds no reference.
    """
    told = _table(request.dataset)
    pairs = _pictures(request.dataset)
    if not told and not pairs:
        raise InputWrong(
            f"{request.dataset}: expected {_TABLE} (file,min_C,mean_C,max_C), "
            "or NAME_celsius.tiff beside NAME.jpg"
        )
    files = [_scored(request.dataset / name, row) for name, row in told.items()]
    files += [_compared(path, reference) for path, reference in pairs.items()]
    errors = [f["max_abs_error_c"] for f in files if f["max_abs_error_c"] is not None]
    missing = [f["file"] for f in files if f["note"] == _ABSENT]
    present = [f for f in files if f["note"] != _ABSENT]
    if missing:
        request.say(f"named in the table and not in the folder: {', '.join(missing)}")
    for one in present:
        request.say(f"{one['file']}: {_sentence(one)}")
    return {
        "files": present,
        "max_abs_error_c": max(errors, default=None),
        "undecoded": sum(f["max_abs_error_c"] is None for f in present),
        "absent": missing,
    }


_ABSENT = "not in the folder"


def _sentence(row: Json) -> str:
    error = row["max_abs_error_c"]
    return str(row["note"]) if error is None else f"off by at most {error:.2f} °C"


def _table(folder: Path) -> dict[str, dict[str, float]]:
    """Return the statistics told of each file, by its path below the folder."""
    found = {}
    for table in sorted(folder.rglob(_TABLE)):
        for row in spreadsheet.read(table)[1]:
            name = (row.get("file") or "").strip()
            told = {s: _number(row.get(f"{s}_C") or row.get(f"{s}_c")) for s in _STATISTICS}
            real = {s: v for s, v in told.items() if v is not None and math.isfinite(v)}
            if name and real:
                found[str(table.parent.relative_to(folder) / name)] = real
    return found


def _number(text: str | None) -> float | None:
    try:
        return float(text) if text else None
    except ValueError:
        return None


def _pictures(folder: Path) -> dict[Path, Path]:
    """Return the files that have a picture of temperatures beside them."""
    found = {}
    for path in sorted(folder.rglob("*")):
        if path.suffix.lower() in (".jpg", ".jpeg"):
            beside = (path.with_name(f"{path.stem}{word}{e}") for word in _BESIDE for e in (".tiff", ".tif"))
            reference = next((p for p in beside if p.is_file()), None)
            if reference:
                found[path] = reference
    return found


def _scored(path: Path, told: dict[str, float]) -> Json:
    """Return one file's row: errors of its statistics."""
    if not path.is_file():
        return _row(path.name, None, None, _ABSENT)
    frame, reason = _loaded(path)
    if frame is None or frame.celsius is None:
        return _row(path.name, frame, None, reason)
    errors = {name: abs(float(_STATISTICS[name](frame.celsius)) - value) for name, value in told.items()}
    return _row(path.name, frame, max(errors.values()), reason) | {
        "abs_error_c": {name: round(error, 3) for name, error in errors.items()}
    }


def _compared(path: Path, reference: Path) -> Json:
    """Return one file's row: the largest error of any pixel."""
    frame, reason = _loaded(path)
    try:
        theirs: Celsius = tifffile.imread(reference)
    except Exception as damage:  # tifffile raises what a damaged file makes it trip over
        raise InputWrong(f"{reference}: cannot be read: {damage}") from None
    if frame is None or frame.celsius is None or frame.celsius.shape != theirs.shape:
        return _row(path.name, frame, None, reason or "its size is not the reference's")
    error = np.abs(frame.celsius - theirs)[np.isfinite(theirs)]
    if not error.size or np.isnan(error).any():
        return _row(path.name, frame, None, "a pixel has no temperature, or the reference has none at all")
    return _row(path.name, frame, float(error.max()), reason) | {
        "abs_error_c": {
            "pixel_mean": round(float(error.mean()), 3),
            "pixel_max": round(float(error.max()), 3),
        }
    }


def _loaded(path: Path) -> tuple[Frame | None, str | None]:
    try:
        frame = load(path, thermal=True)
    except Unreadable as reason:
        return None, str(reason)
    notes = (frame.note or "").split("; ")
    return frame, "; ".join(n for n in notes if n.startswith(_SAID_OF)) or None


def _row(name: str, frame: Frame | None, error_c: float | None, note: str | None) -> Json:
    return {
        "file": name,
        "decoder": frame.radiometry if frame is not None else None,
        "max_abs_error_c": None if error_c is None else round(error_c, 3),
        "abs_error_c": None,
        "note": note,
    }
