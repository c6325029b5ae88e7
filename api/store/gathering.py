"""Hot spots by the thousand into events: one pass over arrays, not one question to the database a row."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import numpy as np
from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from api import alerts
from api.discretion import told_place
from api.reach import Reach
from api.store import standings
from api.store.live import to_incident
from api.store.models import IncidentRow
from api.store.rows import Columns
from api.store.tables.witnesses import KnownSourceRow, SightingRow
from missions.geo import Floats, LatLon
from missions.model import Hazard
from missions.words import LANGUAGES, text
from vision.model import Ellipse, Incident
from vision.uncertainty import CHI2_95
from vision.witnesses.gathering import EARTH_M, TOGETHER_S, Spots, ellipses, extents, gathered, is_static
from vision.witnesses.joining import LASTS, LASTS_ELSE, Told, attribute
from vision.witnesses.sighting import Sighting, Witness

REMEMBERED = timedelta(days=10)
"""Hot spots of so many days before are looked at to tell what is always hot."""

EPOCH_AT = datetime(1970, 1, 1, tzinfo=UTC)

STATIC = "always hot: seen there on many passes over more than a day, and it never moved"


@dataclass(frozen=True, slots=True)
class Event:
    """Hot spots that are one event. `members` are numbers in the list gathered; `known` its incident."""

    id: str
    known: str | None
    members: tuple[int, ...]
    first: Sighting
    place: LatLon
    ellipse: Ellipse
    first_at: datetime
    last_at: datetime
    confidence: float
    words: tuple[tuple[str, int, float, datetime, datetime], ...]  # a source's count, surest, first, last

    def provenance(self, sources: Sequence[Any]) -> list[dict[str, Any]]:
        """Return what an incident rests on with these words added."""
        found = list(sources)
        for source, count, confidence, first_at, last_at in self.words:
            found = standings.with_word(
                found, Witness.SATELLITE, source, confidence, first_at=first_at, last_at=last_at, count=count
            )
        return found


@dataclass(frozen=True, slots=True)
class Gathered:
    """The events of a list of hot spots, and for each spot why it is left out, or None."""

    events: tuple[Event, ...]
    masked: tuple[str | None, ...]


async def gather(session: AsyncSession, new: Sequence[Sighting], reach: Reach) -> Gathered:
    """Return the events that new hot spots make, with those of the days before."""
    begins = min(s.seen_at for s in new)
    ends = max(s.seen_at for s in new)
    older = await _older(session, begins, ends)
    spots = _spots(new, older)
    masked = _masked(new, is_static(spots)[: len(new)], await _known_sources(session, ends))
    keep = np.array([i for i in range(len(spots)) if i >= len(new) or masked[i] is None], dtype=np.intp)
    recent = keep[spots.at_s[keep] >= begins.timestamp() - TOGETHER_S]
    kept = _only(spots, recent)
    numbers = gathered(kept)
    near = await open_around(session, reach) if any(reach.covers(s.place) for s in new) else []
    return Gathered(tuple(_events(new, older, recent, kept, numbers, near, reach)), masked)


def state_of(seen_at: datetime, hazard: Hazard, now: datetime) -> str:
    """Return whether what a witness told of so long ago still counts as going on."""
    return "open" if now - seen_at <= LASTS.get(hazard, LASTS_ELSE) else "closed"


def incident_columns(events: Sequence[Event], now: datetime) -> Columns:
    """Return the rows of the incidents that events open; far from the site a place is its degrees."""
    count = len(events)
    return {
        "id": [e.id for e in events],
        "hazard": [e.first.hazard.value for e in events],
        "severity": [_severity(e.first.hazard) for e in events],
        "state": [state_of(e.last_at, e.first.hazard, now) for e in events],
        "place_name": [_degrees(told_place(e.first.hazard.value, e.place)) for e in events],
        "lat_deg": [e.place.lat_deg for e in events],
        "lon_deg": [e.place.lon_deg for e in events],
        "major_m": [e.ellipse.major_m for e in events],
        "minor_m": [e.ellipse.minor_m for e in events],
        "bearing_deg": [e.ellipse.bearing_deg for e in events],
        "confidence": [e.confidence for e in events],
        "opened_at": [e.first_at for e in events],
        "seen_at": [e.last_at for e in events],
        "looks": [0] * count,
        "best_confidence": [0.0] * count,
    }


@cache
def _severity(hazard: Hazard) -> str:
    """Return how bad an incident of unknown size is."""
    nowhere = Incident("", hazard, LatLon(0.0, 0.0), Ellipse(1.0, 1.0, 0.0), 0.0, EPOCH_AT, EPOCH_AT, 0)
    return alerts.severity(nowhere).value


async def open_around(session: AsyncSession, reach: Reach) -> list[Told]:
    """Return what is open within a site's reach."""
    query = (
        select(IncidentRow)
        .where(IncidentRow.state != "closed")
        .where(IncidentRow.lat_deg.between(reach.south_deg, reach.north_deg))
        .where(IncidentRow.lon_deg.between(reach.west_deg, reach.east_deg))
        .order_by(IncidentRow.opened_at, IncidentRow.id)
    )
    return [Told(to_incident(row, whole=False), row.looks > 0) for row in await session.scalars(query)]


@dataclass(frozen=True, slots=True)
class _Older:
    """Kept hot spots as arrays, and the incident of each."""

    lat_deg: Floats
    lon_deg: Floats
    reach_m: Floats
    at_s: Floats
    incidents: tuple[str | None, ...]


async def _older(session: AsyncSession, begins: datetime, ends: datetime) -> _Older:
    columns = (
        SightingRow.lat_deg, SightingRow.lon_deg, SightingRow.major_m, SightingRow.minor_m,
        SightingRow.seen_at, SightingRow.incident,
    )  # fmt: skip
    query = select(*columns).where(
        SightingRow.witness == Witness.SATELLITE.value,
        SightingRow.seen_at.between(begins - REMEMBERED, ends + timedelta(seconds=TOGETHER_S)),
    )
    rows = (await session.execute(query.order_by(SightingRow.seen_at, SightingRow.id))).all()
    values = np.array([(r[0], r[1], _reach_m(r[2], r[3]), r[4].timestamp()) for r in rows], dtype=float)
    lat, lon, reach, at = values.reshape(-1, 4).T
    return _Older(lat, lon, reach, at, tuple(r[5] for r in rows))


def _reach_m(major_m: float, minor_m: float) -> float:
    """Return half a pixel's diagonal from its ellipse: a side is 12^½ deviations of a uniform spread."""
    return float(np.hypot(major_m, minor_m)) * float(np.sqrt(3.0 / CHI2_95))


def _spots(new: Sequence[Sighting], older: _Older) -> Spots:
    mine = np.array(
        [
            (
                s.place.lat_deg,
                s.place.lon_deg,
                _reach_m(s.ellipse.major_m, s.ellipse.minor_m),
                s.seen_at.timestamp(),
            )
            for s in new
        ]
    )
    lat, lon, reach, at = mine.T
    return Spots(
        np.concatenate([lat, older.lat_deg]),
        np.concatenate([lon, older.lon_deg]),
        np.concatenate([reach, older.reach_m]),
        np.concatenate([at, older.at_s]),
    )


def _only(spots: Spots, keep: Any) -> Spots:
    return Spots(spots.lat_deg[keep], spots.lon_deg[keep], spots.reach_m[keep], spots.at_s[keep])


async def _known_sources(session: AsyncSession, now: datetime) -> list[KnownSourceRow]:
    query = select(KnownSourceRow).where(
        or_(KnownSourceRow.until_at.is_(None), KnownSourceRow.until_at >= now)
    )
    return list((await session.scalars(query)).all())


def _masked(new: Sequence[Sighting], static: Any, known: list[KnownSourceRow]) -> tuple[str | None, ...]:
    reasons: list[str | None] = [
        s.masked or (STATIC if is_so else None) for s, is_so in zip(new, static.tolist(), strict=True)
    ]
    if known:
        lat = np.array([s.place.lat_deg for s in new])
        lon = np.array([s.place.lon_deg for s in new])
        metres = np.pi / 180.0 * EARTH_M
        for source in known:
            north = (lat - source.lat_deg) * metres
            east = (lon - source.lon_deg) * metres * np.cos(np.radians(source.lat_deg))
            reach = source.radius_m + np.array([s.ellipse.minor_m for s in new])
            for i in np.flatnonzero(np.hypot(north, east) <= reach):
                reasons[i] = reasons[i] or f"known source: {source.name}"
    return tuple(reasons)


def _events(
    new: Sequence[Sighting],
    older: _Older,
    recent: Any,
    kept: Spots,
    numbers: Any,
    near: list[Told],
    reach: Reach,
) -> list[Event]:
    """Return the events in which there is something new."""
    deviation = kept.reach_m**2 / 6.0  # of a square pixel's uniform spread along one side
    extent = extents(kept, numbers, deviation, deviation)
    shapes = ellipses(extent).tolist()
    lats, lons = extent.lat_deg.tolist(), extent.lon_deg.tolist()
    members: list[list[int]] = [[] for _ in shapes]
    known: dict[int, str] = {}
    for index, number in zip(recent.tolist(), numbers.tolist(), strict=True):
        if index < len(new):
            members[number].append(index)
        elif (incident := older.incidents[index - len(new)]) is not None:
            known.setdefault(number, incident)  # the oldest of them: rows come in the order of time
    found = []
    for number, mine in enumerate(members):
        if not mine:
            continue
        words = [new[i] for i in mine]
        first = min(words, key=lambda s: (s.seen_at, s.id))
        place, ellipse = LatLon(lats[number], lons[number]), Ellipse(*shapes[number])
        incident = known.get(number)
        if incident is None and near and reach.covers(place):
            told = attribute(near, _as_one(first, place, ellipse)).incident
            incident = told.id if told else None
        found.append(
            Event(
                id=incident or standings.incident_id_of(first.id),
                known=incident,
                members=tuple(mine),
                first=first,
                place=place,
                ellipse=ellipse,
                first_at=first.seen_at,
                last_at=max(s.seen_at for s in words),
                confidence=max(s.confidence for s in words),
                words=_words(words),
            )
        )
    return found


def _as_one(first: Sighting, place: LatLon, ellipse: Ellipse) -> Sighting:
    return Sighting(
        first.id, first.witness, first.source, first.hazard, first.confidence, place, ellipse, first.seen_at
    )


def _words(members: Sequence[Sighting]) -> tuple[tuple[str, int, float, datetime, datetime], ...]:
    found = []
    for source in dict.fromkeys(s.source for s in members):
        mine = [s for s in members if s.source == source]
        times = [s.seen_at for s in mine]
        found.append((source, len(mine), max(s.confidence for s in mine), min(times), max(times)))
    return tuple(found)


def _degrees(place: LatLon) -> dict[str, str]:
    return {
        language: text("places.nothing", language, lat_deg=place.lat_deg, lon_deg=place.lon_deg)
        for language in LANGUAGES
    }
