"""Weather stations: the day at noon, and what the fire-weather index makes of it.

A row is one station at one time. Of several rows of a station's day the one nearest to noon counts, for the
index is defined there; its rain is that of 24 hours. The codes go on from the day before: from the file, or
from what is remembered of the station; after a gap of more than `GAP` they begin anew.
"""

import csv
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta, tzinfo

from missions.errors import InputWrong
from missions.geo import LatLon
from vision.witnesses.fwi import Codes, FireWeather, NoonWeather, fire_weather
from vision.witnesses.sighting import Refused
from vision.witnesses.table import named, number, optional_number
from vision.witnesses.when import timed
from vision.witnesses.where import placed

GAP = timedelta(days=10)

_NAMES: Mapping[str, tuple[str, ...]] = {
    "station": ("station", "id", "站号"),
    "lat": ("lat", "lat_deg", "latitude", "纬度"),
    "lon": ("lon", "long", "lon_deg", "longitude", "经度"),
    "at": ("at", "time", "date", "datetime", "时间"),
    "temp": ("temp_c", "temp", "temperature", "气温"),
    "humidity": ("rh_percent", "rh", "humidity", "相对湿度"),
    "wind": ("wind_m_s", "wind_speed_m_s", "风速"),
    "wind_km_h": ("wind_km_h", "ws"),
    "from": ("wind_from_deg", "wind_direction", "风向"),
    "rain": ("rain_mm_24h", "rain_mm", "prec", "precipitation", "降水量"),
}
_NEEDED = ("station", "lat", "lon", "at", "temp", "humidity", "rain")


@dataclass(frozen=True, slots=True)
class StationDay:
    """One station's day: its weather, its fire weather, and what was mended to read it."""

    station: str
    place: LatLon
    at: datetime
    weather: NoonWeather
    fire: FireWeather
    wind_from_deg: float | None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Remembered:
    """A station's codes after the last day that is known."""

    at: datetime
    codes: Codes


@dataclass(frozen=True, slots=True)
class Days:
    """What a file of weather says."""

    rows: int
    days: tuple[StationDay, ...]
    refused: tuple[Refused, ...]


@dataclass(frozen=True, slots=True)
class _Noon:
    station: str
    place: LatLon
    at: datetime
    weather: NoonWeather
    wind_from_deg: float | None
    notes: tuple[str, ...] = field(default=())

    def off_noon_s(self, zone: tzinfo) -> float:
        """Return how far from noon on the site's clock it was read."""
        local = self.at.astimezone(zone)
        noon = datetime.combine(local.date(), time(12), tzinfo=zone)
        return abs((local - noon).total_seconds())


def read_weather(
    lines: Iterable[str],
    *,
    zone: tzinfo,
    now: datetime,
    near: LatLon | None = None,
    remembered: Mapping[str, Sequence[Remembered]] | None = None,
) -> Days:
    """Return each station's days with their fire weather, from a CSV file.

    `remembered` are the days that are known already, by station, oldest first.

    Raises:
        InputWrong: the header lacks a column.
    """
    table = csv.DictReader(lines, skipinitialspace=True)
    columns = named(table.fieldnames or (), _NAMES, needed=_NEEDED)
    if "wind" not in columns and "wind_km_h" not in columns:
        raise InputWrong("header: found no wind, expected wind_m_s or wind_km_h")
    noons: dict[tuple[str, object], _Noon] = {}
    refused: list[Refused] = []
    rows = 0
    for row in table:
        rows += 1
        try:
            one = _noon(row, columns, zone=zone, now=now, near=near)
        except InputWrong as error:
            refused.append(Refused(table.line_num, str(error)))
            continue
        key = (one.station, one.weather.day)
        if key not in noons or one.off_noon_s(zone) < noons[key].off_noon_s(zone):
            noons[key] = one
    return Days(rows, tuple(_days(list(noons.values()), remembered or {})), tuple(refused))


def _days(noons: list[_Noon], remembered: Mapping[str, Sequence[Remembered]]) -> Iterable[StationDay]:
    known = {station: list(days) for station, days in remembered.items()}
    for noon in sorted(noons, key=lambda n: (n.station, n.at)):
        mine, notes = known.setdefault(noon.station, []), noon.notes
        before = max((day for day in mine if day.at < noon.at), key=lambda day: day.at, default=None)
        if before is not None and noon.at - before.at > GAP:
            notes = (*notes, f"begins anew: nothing since {before.at.date()}")
            before = None
        fire = fire_weather(noon.weather, before.codes if before else Codes(), lat_deg=noon.place.lat_deg)
        mine.append(Remembered(noon.at, fire.codes))
        yield StationDay(noon.station, noon.place, noon.at, noon.weather, fire, noon.wind_from_deg, notes)


def _noon(
    row: Mapping[str, str], columns: Mapping[str, str], *, zone: tzinfo, now: datetime, near: LatLon | None
) -> _Noon:
    where = placed(number(row, columns["lat"]), number(row, columns["lon"]), near=near)
    text = (row[columns["at"]] or "").strip()
    when = timed(f"{text}T12:00" if len(text) == len("2026-06-01") else text, zone=zone, now=now)
    station = (row[columns["station"]] or "").strip()
    if not station:
        raise InputWrong(f"{columns['station']}: found nothing, expected the station's name")
    wind = optional_number(row, columns.get("wind"))
    if wind is None:
        wind = number(row, columns.get("wind_km_h") or columns["wind"]) / 3.6
    weather = NoonWeather(
        when.at.astimezone(zone).date(),
        number(row, columns["temp"]),
        number(row, columns["humidity"]),
        wind,
        number(row, columns["rain"]),
    )
    direction = optional_number(row, columns.get("from"))
    notes = (*where.notes, *(n for n in when.notes if len(text) > len("2026-06-01")))
    return _Noon(station, where.place, when.at, weather, direction, notes)
