"""River gauges: a level against its warning level and its guaranteed level.

In China a gauge has two levels: at the *warning level* (警戒水位) the river begins to endanger what
lies along it, above the *guaranteed level* (保证水位) the dykes hold no longer for sure. A reading at or over
the first is a sighting of flooding, at or over the second one that is worth orange at least. What a
gauge reads is measured; where the water stands elsewhere it does not know.
"""

import csv
import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, tzinfo

from missions.errors import InputWrong
from missions.geo import LatLon
from missions.model import Hazard, Severity
from vision.witnesses.sighting import Refused, Sighting, Witness
from vision.witnesses.table import named, number, optional_number
from vision.witnesses.when import timed
from vision.witnesses.where import placed, round_ellipse

CONFIDENCE = 0.95
RADIUS_M = 100.0
"""The reach of river that a reading speaks for: at the gauge, not at the next bend."""

LOWEST_M, HIGHEST_M = -500.0, 9000.0  # levels are heights over a datum

_NAMES: Mapping[str, tuple[str, ...]] = {
    "gauge": ("gauge", "station", "stcd", "id", "测站编码", "站码"),
    "lat": ("lat", "lat_deg", "latitude", "纬度"),
    "lon": ("lon", "long", "lon_deg", "longitude", "经度"),
    "at": ("at", "time", "tm", "datetime", "时间"),
    "level": ("level_m", "level", "z", "水位"),
    "warning": ("warning_m", "warning_level", "wrz", "警戒水位"),
    "guaranteed": ("guaranteed_m", "guaranteed_level", "grz", "保证水位"),
}
_NEEDED = ("gauge", "lat", "lon", "at", "level", "warning")


@dataclass(frozen=True, slots=True)
class Level:
    """One reading of a gauge, in metres over its datum."""

    gauge: str
    place: LatLon
    at: datetime
    level_m: float
    warning_m: float
    guaranteed_m: float | None


@dataclass(frozen=True, slots=True)
class Levels:
    """What a file of readings says; `sightings` are the readings at or over the warning level."""

    rows: int
    readings: tuple[Level, ...]
    sightings: tuple[Sighting, ...]
    refused: tuple[Refused, ...]


def read_gauges(lines: Iterable[str], *, zone: tzinfo, now: datetime, near: LatLon | None = None) -> Levels:
    """Return the readings of a CSV file, and what they say of floods.

    Raises:
        InputWrong: the header lacks a column.
    """
    table = csv.DictReader(lines, skipinitialspace=True)
    columns = named(table.fieldnames or (), _NAMES, needed=_NEEDED)
    readings: list[Level] = []
    sightings: list[Sighting] = []
    refused: list[Refused] = []
    rows = 0
    for row in table:
        rows += 1
        try:
            level, notes = _level(row, columns, zone=zone, now=now, near=near)
        except InputWrong as error:
            refused.append(Refused(table.line_num, str(error)))
            continue
        readings.append(level)
        if level.level_m >= level.warning_m:
            sightings.append(_sighting(level, notes))
    return Levels(rows, tuple(readings), tuple(sightings), tuple(refused))


def _level(
    row: Mapping[str, str], columns: Mapping[str, str], *, zone: tzinfo, now: datetime, near: LatLon | None
) -> tuple[Level, tuple[str, ...]]:
    where = placed(number(row, columns["lat"]), number(row, columns["lon"]), near=near)
    when = timed(row[columns["at"]] or "", zone=zone, now=now)
    level, warning = number(row, columns["level"]), number(row, columns["warning"])
    guaranteed = optional_number(row, columns.get("guaranteed"))
    if not LOWEST_M <= level <= HIGHEST_M:
        raise InputWrong(f"{columns['level']}: found {level:g}, expected {LOWEST_M:g} to {HIGHEST_M:g} m")
    if guaranteed is not None and guaranteed < warning:
        raise InputWrong(
            f"{columns['guaranteed']}: found {guaranteed:g} m below the warning level {warning:g} m"
        )
    gauge = (row[columns["gauge"]] or "").strip()
    if not gauge:
        raise InputWrong(f"{columns['gauge']}: found nothing, expected the gauge's name")
    return Level(gauge, where.place, when.at, level, warning, guaranteed), (*where.notes, *when.notes)


def _sighting(level: Level, notes: tuple[str, ...]) -> Sighting:
    is_over = level.guaranteed_m is not None and level.level_m >= level.guaranteed_m
    name = f"gauge|{level.gauge}|{level.at.isoformat()}"
    return Sighting(
        id=hashlib.blake2b(name.encode(), digest_size=16).hexdigest(),
        witness=Witness.GAUGE,
        source=level.gauge,
        hazard=Hazard.FLOOD,
        confidence=CONFIDENCE,
        place=level.place,
        ellipse=round_ellipse(RADIUS_M),
        seen_at=level.at,
        facts={"level_m": level.level_m, "warning_m": level.warning_m, "guaranteed_m": level.guaranteed_m},
        severity=Severity.ORANGE if is_over else Severity.YELLOW,
        notes=notes,
    )
