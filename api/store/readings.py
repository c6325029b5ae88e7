"""What instruments read: gauge levels, stations' days with their fire-weather codes, known hot places."""

import csv
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from api.store.tables.witnesses import KnownSourceRow, ReadingRow
from missions.errors import InputWrong
from missions.geo import LatLon
from vision.witnesses.fwi import Codes
from vision.witnesses.gauge import Level
from vision.witnesses.sighting import Refused
from vision.witnesses.table import named, number
from vision.witnesses.weather import Remembered, StationDay
from vision.witnesses.where import placed

GAUGE, WEATHER = "gauge", "weather"

_KNOWN_NAMES: Mapping[str, tuple[str, ...]] = {
    "name": ("name", "名称"),
    "lat": ("lat", "lat_deg", "latitude", "纬度"),
    "lon": ("lon", "long", "lon_deg", "longitude", "经度"),
    "radius": ("radius_m", "radius"),
    "owner": ("owner", "单位"),
    "until": ("until", "until_at"),
}


@dataclass(slots=True)
class Counts:
    """How many rows are new, and how many say today what they did not say before."""

    new: int = 0
    updated: int = 0
    repaired: list[str] = field(default_factory=list)


async def keep_levels(session: AsyncSession, levels: Iterable[Level]) -> Counts:
    """Keep gauge readings; the same reading again changes nothing."""
    counts = Counts()
    for level in levels:
        facts = {
            "level_m": level.level_m,
            "warning_m": level.warning_m,
            "guaranteed_m": level.guaranteed_m,
        }
        await _keep(session, counts, GAUGE, level.gauge, level.at, level.place, facts)
    return counts


async def keep_days(session: AsyncSession, days: Iterable[StationDay]) -> Counts:
    """Keep stations' days with their fire weather."""
    counts = Counts()
    for day in days:
        fire, weather = day.fire, day.weather
        facts = {
            "temp_c": weather.temp_c,
            "humidity_percent": weather.humidity_percent,
            "wind_m_s": round(weather.wind_m_s, 3),
            "wind_from_deg": day.wind_from_deg,
            "rain_mm_24h": weather.rain_mm,
            "ffmc": fire.codes.ffmc,
            "dmc": fire.codes.dmc,
            "dc": fire.codes.dc,
            "isi": fire.isi,
            "bui": fire.bui,
            "fwi": fire.fwi,
            "dsr": fire.dsr,
        }
        await _keep(session, counts, WEATHER, day.station, day.at, day.place, facts)
        counts.repaired += [f"{day.station}, {day.at.isoformat()}: {note}" for note in day.notes]
    return counts


async def codes(session: AsyncSession) -> dict[str, list[Remembered]]:
    """Return each station's moisture codes day by day, oldest first."""
    query = select(ReadingRow).where(ReadingRow.kind == WEATHER).order_by(ReadingRow.at)
    found: dict[str, list[Remembered]] = {}
    for row in await session.scalars(query):
        after = Codes(row.facts["ffmc"], row.facts["dmc"], row.facts["dc"])
        found.setdefault(row.station, []).append(Remembered(row.at, after))
    return found


async def latest(session: AsyncSession, kind: str) -> Sequence[ReadingRow]:
    """Return the newest reading of every station of a kind."""
    newest = (
        select(ReadingRow.station, func.max(ReadingRow.at).label("at"))
        .where(ReadingRow.kind == kind)
        .group_by(ReadingRow.station)
        .subquery()
    )
    query = select(ReadingRow).join(
        newest, (ReadingRow.station == newest.c.station) & (ReadingRow.at == newest.c.at)
    )
    return (await session.scalars(query.where(ReadingRow.kind == kind).order_by(ReadingRow.station))).all()


def read_known(
    lines: Iterable[str], *, zone: tzinfo, near: LatLon | None
) -> tuple[tuple[KnownSourceRow, ...], tuple[Refused, ...]]:
    """Return a CSV file's list of places that are always hot.

    Raises:
        InputWrong: the header lacks a column.
    """
    table = csv.DictReader(lines, skipinitialspace=True)
    columns = named(table.fieldnames or (), _KNOWN_NAMES, needed=("name", "lat", "lon", "radius", "owner"))
    rows: list[KnownSourceRow] = []
    refused: list[Refused] = []
    for row in table:
        try:
            rows.append(_known(row, columns, zone=zone, near=near))
        except InputWrong as error:
            refused.append(Refused(table.line_num, str(error)))
    return tuple(rows), tuple(refused)


async def keep_known(session: AsyncSession, rows: Iterable[KnownSourceRow]) -> Counts:
    """Keep known sources; one of the same name is replaced."""
    counts = Counts()
    for row in rows:
        before = await session.get(KnownSourceRow, row.id)
        if before is None:
            counts.new += 1
        elif _told(before) != _told(row):
            counts.updated += 1
        await session.merge(row)
    return counts


async def _keep(
    session: AsyncSession,
    counts: Counts,
    kind: str,
    station: str,
    at: datetime,
    place: LatLon,
    facts: dict[str, Any],
) -> None:
    row = await session.get(ReadingRow, (kind, station, at))
    if row is None:
        counts.new += 1
        session.add(
            ReadingRow(
                kind=kind, station=station, at=at, lat_deg=place.lat_deg, lon_deg=place.lon_deg, facts=facts
            )
        )
        await session.flush()
    elif row.facts != facts:
        counts.updated += 1
        row.facts = facts


def _known(
    row: Mapping[str, str], columns: Mapping[str, str], *, zone: tzinfo, near: LatLon | None
) -> KnownSourceRow:
    where = placed(number(row, columns["lat"]), number(row, columns["lon"]), near=near)
    name, owner = (row[columns[key]] or "" for key in ("name", "owner"))
    radius = number(row, columns["radius"])
    if not 0 < radius <= 20_000:
        raise InputWrong(f"{columns['radius']}: found {radius:g}, expected more than 0 and at most 20000 m")
    if not name.strip() or not owner.strip():
        raise InputWrong("name, owner: found nothing, expected what it is and who says so")
    until = (row.get(columns.get("until", "")) or "").strip()
    return KnownSourceRow(
        id=hashlib.blake2b(name.strip().encode(), digest_size=12).hexdigest(),
        name=name.strip(),
        lat_deg=where.place.lat_deg,
        lon_deg=where.place.lon_deg,
        radius_m=radius,
        owner=owner.strip(),
        until_at=_until(until, zone) if until else None,
    )


def _until(text: str, zone: tzinfo) -> datetime:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise InputWrong(f"until: found {text!r}, expected a date such as 2026-12-31") from None
    return at if at.tzinfo else at.replace(tzinfo=zone)


def _told(row: KnownSourceRow) -> tuple[Any, ...]:
    return row.lat_deg, row.lon_deg, row.radius_m, row.owner, row.until_at
