"""Hot spots that satellites saw, from any CSV file whose columns a mapping names.

A row is one pixel in which something hot was. What burns lies anywhere in it, so its error is that of
a uniform spread over the pixel with the sensor's own geolocation error added; the pixel's sides
(`scan` across the flight, `track` along it) grow towards the swath's edge and are read from the file where
it has them. Across the flight of a polar orbiter is east-west to within about 10 degrees.

A column we do not know is left alone. A row that cannot be used is refused by its line, the others stand.
"""

import csv
import hashlib
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from missions.errors import InputWrong
from missions.geo import LatLon
from missions.model import Hazard
from vision.model import Ellipse
from vision.uncertainty import CHI2_95
from vision.witnesses.sighting import Read, Refused, Sighting, Witness
from vision.witnesses.when import NoTime, checked
from vision.witnesses.where import NoPlace, placed

MOST_CERTAIN = 0.8
"""However sure its maker is that something is hot there: a satellite cannot tell a fire that matters."""

GEOLOCATION_M = 70.0  # one deviation; VIIRS and MODIS are better at nadir, geostationary ones worse
_TO_95 = math.sqrt(CHI2_95)


@dataclass(frozen=True, slots=True)
class Columns:
    """Which column of a hot-spot file says what, and how to read it.

    `at` names one column with the whole time, or `date` and `time` two; `time_format` is for
    `datetime.strptime`, None for ISO 8601 (and HHMM beside an ISO date). `confidence` maps the file's
    words to 0-1; "percent" stands for numbers from 0 to 100. `pixel_km` is for files without sizes.
    """

    source: str
    lat: str
    lon: str
    at: str | None = None
    date: str | None = None
    time: str | None = None
    time_format: str | None = None
    zone: tzinfo = UTC
    scan_km: str | None = None
    track_km: str | None = None
    pixel_km: tuple[float, float] = (1.0, 1.0)
    confidence_column: str | None = None
    confidence: Mapping[str, float] | str | float = 0.5
    satellite: str | None = None
    frp_mw: str | None = None
    kind: str | None = None
    static_kinds: frozenset[str] = frozenset()
    hazard: Hazard = Hazard.FIRE
    keep: tuple[str, ...] = field(default=())

    @property
    def needed(self) -> tuple[str, ...]:
        """The columns without which a file cannot be read."""
        return tuple(c for c in (self.lat, self.lon, self.at, self.date, self.time) if c)


def read_hotspots(lines: Iterable[str], columns: Columns, *, now: datetime, delimiter: str = ",") -> Read:
    """Return the sightings of a file of hot spots.

    Raises:
        InputWrong: the file has no header, or not the columns that the mapping names.
    """
    table = csv.DictReader(lines, delimiter=delimiter, skipinitialspace=True)
    header = [name.strip() for name in table.fieldnames or ()]
    missing = [name for name in columns.needed if name not in header]
    if missing:
        raise InputWrong(
            f"header: found {', '.join(header)[:200] or 'nothing'}, expected {', '.join(missing)}"
        )
    table.fieldnames = header
    sightings: list[Sighting] = []
    refused: list[Refused] = []
    rows = 0
    for row in table:
        rows += 1
        try:
            sightings.append(_sighting(row, columns, now))
        except (InputWrong, ValueError, TypeError, AttributeError) as error:
            words = str(error) if isinstance(error, InputWrong) else f"found {_shown(row)}: {error}"
            refused.append(Refused(table.line_num, words))
    return Read(rows, tuple(sightings), refused=tuple(refused))


def columns_from(told: Mapping[str, Any]) -> Columns:
    """Return the mapping that a file of ours describes (docs/witnesses.md).

    Raises:
        InputWrong: a key is not known, one is missing, or a value cannot be.
    """
    known = {name for name in Columns.__dataclass_fields__}
    unknown = [key for key in told if key not in known]
    if unknown:
        raise InputWrong(
            f"mapping: found {', '.join(map(str, unknown))}, expected {', '.join(sorted(known))}"
        )
    values = dict(told)
    try:
        if "zone" in values:
            values["zone"] = ZoneInfo(str(values["zone"]))
        if "pixel_km" in values:
            scan, track = values["pixel_km"]
            values["pixel_km"] = (float(scan), float(track))
        if "hazard" in values:
            values["hazard"] = Hazard(values["hazard"])
        values["static_kinds"] = frozenset(map(str, values.get("static_kinds", ())))
        values["keep"] = tuple(map(str, values.get("keep", ())))
        columns = Columns(**values)
    except (TypeError, ValueError, ZoneInfoNotFoundError) as error:
        raise InputWrong(f"mapping: {error}: source, lat, lon and at (or date and time) are needed") from None
    if not columns.at and not columns.date:
        raise InputWrong("mapping: found no column with the time, expected at, or date and time")
    return columns


def _sighting(row: Mapping[str, str], columns: Columns, now: datetime) -> Sighting:
    where = placed(float(row[columns.lat]), float(row[columns.lon]))
    when = checked(_moment(_time_text(row, columns), columns.time_format, columns.zone), now=now)
    satellite = row[columns.satellite].strip() if columns.satellite in row and columns.satellite else ""
    source = f"{columns.source} {satellite}".strip()
    scan, track = _size_km(row, columns)
    facts = {name: row[name] for name in columns.keep if row.get(name)}
    kind = (row.get(columns.kind) or "").strip() if columns.kind else ""
    return Sighting(
        id=_name(source, when, where.place),
        witness=Witness.SATELLITE,
        source=source,
        hazard=columns.hazard,
        confidence=_confidence(row, columns),
        place=where.place,
        ellipse=_ellipse(scan, track),
        seen_at=when,
        facts={**facts, "scan_km": scan, "track_km": track},
        masked="its maker calls it a static source" if kind in columns.static_kinds else None,
        notes=where.notes,
    )


def _time_text(row: Mapping[str, str], columns: Columns) -> str:
    if columns.at:
        return row[columns.at].strip()
    date = row[columns.date or ""].strip()
    return f"{date} {row[columns.time].strip().zfill(4)}" if columns.time else date


@lru_cache(maxsize=4096)
def _moment(text: str, pattern: str | None, zone: tzinfo) -> datetime:
    """Return a file's time; a pass has thousands of rows of one minute."""
    try:
        at = datetime.strptime(text, pattern) if pattern else datetime.fromisoformat(text)  # noqa: DTZ007
        return (at if at.tzinfo else at.replace(tzinfo=zone)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise NoTime(f"time: found {text!r}, expected {pattern or 'ISO 8601'}") from None


def _size_km(row: Mapping[str, str], columns: Columns) -> tuple[float, float]:
    scan = (
        float(row[columns.scan_km]) if columns.scan_km and row.get(columns.scan_km) else columns.pixel_km[0]
    )
    track = (
        float(row[columns.track_km])
        if columns.track_km and row.get(columns.track_km)
        else columns.pixel_km[1]
    )
    if not (0 < scan < 50 and 0 < track < 50):
        raise NoPlace(f"pixel: found {scan:g} by {track:g} km, expected more than 0 and less than 50")
    return scan, track


@lru_cache(maxsize=4096)
def _ellipse(scan_km: float, track_km: float) -> Ellipse:
    across = _TO_95 * math.hypot(scan_km * 1000.0 / math.sqrt(12.0), GEOLOCATION_M)
    along = _TO_95 * math.hypot(track_km * 1000.0 / math.sqrt(12.0), GEOLOCATION_M)
    return Ellipse(across, along, 90.0) if across >= along else Ellipse(along, across, 0.0)


def _confidence(row: Mapping[str, str], columns: Columns) -> float:
    if columns.confidence_column is None or not row.get(columns.confidence_column):
        return columns.confidence if isinstance(columns.confidence, float) else 0.5
    text = row[columns.confidence_column].strip().lower()
    if isinstance(columns.confidence, Mapping):
        if text not in columns.confidence:
            raise InputWrong(f"confidence: found {text!r}, expected one of {', '.join(columns.confidence)}")
        return min(columns.confidence[text], MOST_CERTAIN)
    value = float(text)
    if columns.confidence == "percent":
        if not 0 <= value <= 100:
            raise InputWrong(f"confidence: found {text}, expected 0 to 100")
        return MOST_CERTAIN * value / 100.0
    return min(max(0.0, value), MOST_CERTAIN)  # nan is 0


def _name(source: str, at: datetime, place: LatLon) -> str:
    text = f"{source}|{at.isoformat()}|{place.lat_deg:.5f},{place.lon_deg:.5f}"
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


def _shown(row: Mapping[Any, Any]) -> str:
    return ", ".join(str(v) for v in row.values() if v is not None)[:120]
