"""Reports by the file: JSON (one, a list, or Open311's `service_requests`), JSON lines, or CSV."""

import csv
import io
import json
from collections.abc import Callable, Mapping
from datetime import datetime, tzinfo
from typing import Any

from missions.errors import InputWrong
from missions.geo import LatLon
from vision.witnesses.report import Report, read_report
from vision.witnesses.sighting import Refused

PhotoOf = Callable[[str], bytes | None]
"""(name as the report gives it): returns the photo's bytes, None where there is none to be had here."""


def read_reports(
    text: str, *, zone: tzinfo, now: datetime, near: LatLon | None = None, photo_of: PhotoOf
) -> tuple[tuple[Report, ...], tuple[Refused, ...]]:
    """Return the reports of a file and those refused, by the number of the row.

    Raises:
        InputWrong: it is neither JSON nor CSV.
    """
    reports: list[Report] = []
    refused: list[Refused] = []
    for number, fields in enumerate(_rows(text), start=1):
        try:
            name = str(fields.get("photo") or fields.get("media_url") or "").strip()
            photo = photo_of(name) if name else None
            reports.append(read_report(fields, now=now, zone=zone, near=near, photo=photo))
        except InputWrong as error:
            refused.append(Refused(number, str(error)))
    return tuple(reports), tuple(refused)


def _rows(text: str) -> list[Mapping[str, Any]]:
    stripped = text.lstrip("\ufeff \t\r\n")
    if not stripped.startswith(("{", "[")):
        table = csv.DictReader(io.StringIO(stripped), skipinitialspace=True)
        if len(table.fieldnames or ()) < 2:
            raise InputWrong(f"found {stripped[:60]!r}, expected reports as JSON, JSON lines or CSV")
        return [row for row in table]
    try:
        value = json.loads(stripped)
    except ValueError:
        value = _lines(stripped)
    if isinstance(value, dict):
        value = value.get("service_requests", [value])
    if not isinstance(value, list) or not all(isinstance(row, dict) for row in value):
        raise InputWrong("found JSON of another kind, expected a report, or a list of reports")
    return value


def _lines(text: str) -> list[Any]:
    try:
        return [json.loads(line) for line in text.splitlines() if line.strip()]
    except ValueError as error:
        raise InputWrong(f"found {text[:60]!r}, expected reports as JSON ({error})") from None
