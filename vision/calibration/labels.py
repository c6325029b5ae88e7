"""Verdicts kept with the crops they are about.

A folder of labels holds `labels.csv` and crops/. `gridpatrol inspect --out` writes a row and a crop for each
detection, the verdict left empty; a duty officer fills it in, in any program that edits tables.
"""

import math
import zipfile
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path

from missions.errors import InputWrong
from missions.geo import BadPlace, LatLon
from missions.model import Hazard
from vision import spreadsheet

TABLE = "labels.csv"
COLUMNS = (
    "crop",
    "file",
    "camera",
    "hazard",
    "score",
    "lat_deg",
    "lon_deg",
    "ellipse_m",
    "area_m2",
    "seen_at",
    "verdict",
    "owner",
    "expires_at",
    "officer",
)


class Verdict(StrEnum):
    """What an alarm turned out to be."""

    FOREST_FIRE = "forest_fire"
    FARM_BURNING = "farm_burning"
    CONFIRMED = "confirmed"
    PERMITTED = "permitted"
    INDUSTRIAL_HEAT = "industrial_heat"
    FALSE = "false"
    NOT_FOUND = "not_found"

    @property
    def is_real(self) -> bool:
        """Whether the detector was right to call it, whoever may have lit it."""
        return self not in (Verdict.FALSE, Verdict.NOT_FOUND)

    @property
    def is_wanted(self) -> bool:
        """Whether it must never be silenced."""
        return self in (Verdict.FOREST_FIRE, Verdict.FARM_BURNING, Verdict.CONFIRMED)

    @property
    def is_known_heat(self) -> bool:
        """Whether it makes its place a known source."""
        return self in (Verdict.PERMITTED, Verdict.INDUSTRIAL_HEAT)


@dataclass(frozen=True, slots=True)
class Label:
    """One judged detection; what is not known is None or empty."""

    crop: str
    camera: str
    hazard: Hazard
    score: float
    verdict: Verdict
    place: LatLon | None = None
    ellipse_m: float | None = None
    area_m2: float | None = None
    seen_at: datetime | None = None
    owner: str = ""
    expires_at: datetime | None = None


def read(folder: Path) -> list[Label]:
    """Return the judged rows of a folder's table, and of those below it; rows without a verdict wait.

    A zip file, as the service gives it, is such a folder packed.

    Raises:
        InputWrong: there is no table, or a row says something that cannot be; the row is named.
    """
    if folder.is_file():
        try:
            with zipfile.ZipFile(folder) as packed:
                named = [(folder / name, packed.read(name)) for name in sorted(packed.namelist())]
        except (zipfile.BadZipFile, zlib.error, RuntimeError) as error:
            raise InputWrong(f"{folder}: no zip that can be read: {error}") from None
        tables = [(path, data) for path, data in named if path.name == TABLE]
    else:
        tables = [(path, path.read_bytes()) for path in sorted(folder.rglob(TABLE))]
    if not tables:
        raise InputWrong(f"{folder}: expected {TABLE}, as `gridpatrol inspect --out` writes it")
    return [label for path, data in tables for label in _table(path, data)]


def _table(path: Path, data: bytes) -> Iterable[Label]:
    columns, rows = spreadsheet.read(path, data)
    lacking = {"camera", "hazard", "score", "verdict"} - set(columns)
    if lacking:
        raise InputWrong(f"{path}: expected the columns {', '.join(sorted(lacking))} too")
    for number, row in enumerate(rows, start=2):
        if (row["verdict"] or "").strip():
            try:
                yield _label({k: (v or "").strip() for k, v in row.items() if k})
            except (ValueError, BadPlace) as error:
                raise InputWrong(f"{path}, line {number}: {error}") from None


def _label(row: dict[str, str]) -> Label:
    """Return a row as a label; ValueError says what cannot be."""
    score = float(row["score"])
    if not 0 <= score <= 1:
        raise ValueError(f"score: found {score:g}, expected 0 to 1")
    row |= {name: row[name].casefold() for name in ("verdict", "hazard")}  # as FALSE
    if row["verdict"] not in list(Verdict):
        raise ValueError(f"verdict: found {row['verdict']!r}, expected one of {', '.join(Verdict)}")
    if row["hazard"] not in list(Hazard):
        raise ValueError(f"hazard: found {row['hazard']!r}, expected one of {', '.join(Hazard)}")
    placed = row.get("lat_deg") and row.get("lon_deg")
    return Label(
        crop=row.get("crop", ""),
        camera=row["camera"],
        hazard=Hazard(row["hazard"]),
        score=score,
        verdict=Verdict(row["verdict"]),
        place=LatLon(float(row["lat_deg"]), float(row["lon_deg"])) if placed else None,
        ellipse_m=_number(row.get("ellipse_m")),
        area_m2=_number(row.get("area_m2")),
        seen_at=_time("seen_at", row.get("seen_at")),
        owner=row.get("owner", ""),
        expires_at=_time("expires_at", row.get("expires_at")),
    )


def _number(text: str | None) -> float | None:
    value = float(text) if text else None
    if value is not None and not 0 <= value < math.inf:
        raise ValueError(f"found {text}, expected a size")
    return value


def _time(column: str, text: str | None) -> datetime | None:
    if not text:
        return None
    at = datetime.fromisoformat(text)
    if at.tzinfo is None or (column == "seen_at" and at.year > 2999):
        raise ValueError(f"{column}: found {text!r}, expected a time and zone as 2026-06-01T10:00+08:00")
    return at
