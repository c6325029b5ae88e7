"""Calibrations on disk: a numbered file each, the highest number counts, undoing takes it away.

    CALIBRATION/0001.json, 0002.json …    undone: 0002.json becomes 0002.undone.json

A file once written is never changed, so what an old score was made with can be looked up.
"""

import json
import re
from datetime import datetime
from pathlib import Path
from typing import Any

from missions.errors import InputWrong
from missions.geo import LatLon
from missions.model import Hazard
from vision.calibration import NOTHING_LEARNT, Calibration, Source

_NAME = re.compile(r"(\d{4})(\.undone)?\.json")


def current(folder: Path) -> Calibration:
    """Return the calibration that counts, the one that changes nothing where none was made.

    Raises:
        InputWrong: the newest file cannot be read; it is named.
    """
    numbers = _numbers(folder, undone=False)
    return _read(folder / f"{max(numbers):04d}.json") if numbers else NOTHING_LEARNT


def add(folder: Path, calibration: Calibration, facts: dict[str, Any], *, now: datetime) -> Calibration:
    """Write a calibration as the next version and return it with its number."""
    folder.mkdir(parents=True, exist_ok=True)
    version = max([*_numbers(folder, undone=False), *_numbers(folder, undone=True)], default=0) + 1
    numbered = Calibration(version, calibration.thresholds, calibration.sources)
    value = _to_json(numbered) | {"made_at": now.isoformat(), "facts": facts}
    part = folder / f"{version:04d}.part"
    part.write_text(json.dumps(value, ensure_ascii=False, indent=1) + "\n", "utf-8")
    part.rename(folder / f"{version:04d}.json")
    return numbered


def undo(folder: Path) -> Calibration:
    """Take the newest calibration back and return the one that counts then.

    Raises:
        InputWrong: there is none to take back.
    """
    numbers = _numbers(folder, undone=False)
    if not numbers:
        raise InputWrong(f"{folder}: there is no calibration to undo")
    newest = folder / f"{max(numbers):04d}.json"
    newest.rename(newest.with_suffix(".undone.json"))
    return current(folder)


def _numbers(folder: Path, *, undone: bool) -> list[int]:
    if not folder.is_dir():
        return []
    names = (_NAME.fullmatch(p.name) for p in folder.iterdir())
    return [int(m[1]) for m in names if m and bool(m[2]) is undone]


def _to_json(calibration: Calibration) -> dict[str, Any]:
    return {
        "version": calibration.version,
        "thresholds": [
            {"camera": camera, "hazard": hazard.value, "threshold": value}
            for (camera, hazard), value in sorted(calibration.thresholds.items())
        ],
        "sources": [source_json(s) for s in calibration.sources],
    }


def source_json(source: Source) -> dict[str, Any]:
    """Return a known source as a calibration's file and the command tell it."""
    return {
        "id": source.id,
        "hazard": source.hazard.value,
        "lat_deg": source.place.lat_deg,
        "lon_deg": source.place.lon_deg,
        "radius_m": source.radius_m,
        "kind": source.kind,
        "owner": source.owner,
        "expires_at": source.expires_at.isoformat(),
        "largest_m2": source.largest_m2,
    }


def _read(path: Path) -> Calibration:
    try:
        told = json.loads(path.read_text("utf-8"))
        thresholds = {(t["camera"], Hazard(t["hazard"])): float(t["threshold"]) for t in told["thresholds"]}
        sources = tuple(
            Source(
                s["id"],
                Hazard(s["hazard"]),
                LatLon(s["lat_deg"], s["lon_deg"]),
                float(s["radius_m"]),
                s["kind"],
                s["owner"],
                datetime.fromisoformat(s["expires_at"]),
                s["largest_m2"],
            )
            for s in told["sources"]
        )
        return Calibration(int(told["version"]), thresholds, sources)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputWrong(f"{path} is no calibration ({error}): undo it, or mend it") from None
