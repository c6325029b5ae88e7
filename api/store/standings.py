"""Whose word an incident rests on: told by witnesses, confirmed by a look, or cleared by one.

An incident that our own drones found needs no standing: it has none. One that somebody told of begins
`unconfirmed` (a ranger's or an instrument's word counts as seen), and a look ends that.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import bindparam, select
from sqlalchemy.ext.asyncio import AsyncSession

from api.store.models import IncidentRow
from api.store.tables.witnesses import StandingRow
from missions.geo import LatLon
from missions.model import Site
from missions.words import LANGUAGES, text
from vision.model import Observation
from vision.witnesses.sighting import Witness

UNCONFIRMED, CONFIRMED, CLEARED = "unconfirmed", "confirmed", "cleared"

FEW = 500
"""As many as one statement names; more are picked from all."""

TOLD_NEAR_DEG = 0.06
"""About 6 km: no witness's error ellipse reaches farther."""


_TABLE = StandingRow.__table__.c
_STANDING = select(_TABLE.incident).where(_TABLE.incident.in_(bindparam("ids", expanding=True))).limit(1)


def incident_id_of(sighting_id: str) -> str:
    """Return the id of the incident that a witness's word opens."""
    return f"w-{sighting_id}"


async def standing(session: AsyncSession, incident_id: str) -> StandingRow | None:
    """Return the standing of one incident, None for one that our drones found by themselves."""
    return await session.get(StandingRow, incident_id)


async def standings(session: AsyncSession, incidents: Iterable[str]) -> dict[str, StandingRow]:
    """Return the standings of many incidents, by incident."""
    ids = list(incidents)
    if not await _some_stand(session, ids):
        return {}
    query = select(StandingRow)
    rows = await session.scalars(query.where(StandingRow.incident.in_(ids)) if len(ids) <= FEW else query)
    wanted = set(ids)
    return {row.incident: row for row in rows if row.incident in wanted}


async def _some_stand(session: AsyncSession, ids: list[str]) -> bool:
    """Return whether any of these has a standing; most often none has, and this is cheap to ask."""
    if len(ids) > FEW:
        return True
    await session.flush()
    return (await session.execute(_STANDING, {"ids": ids})).first() is not None


async def told_near(session: AsyncSession, place: LatLon) -> list[tuple[IncidentRow, StandingRow]]:
    """Return the open incidents near a place that nobody has confirmed yet."""
    query = (
        select(IncidentRow, StandingRow)
        .join(StandingRow, StandingRow.incident == IncidentRow.id)
        .where(StandingRow.standing == UNCONFIRMED, IncidentRow.state != "closed")
        .where(IncidentRow.lat_deg.between(place.lat_deg - TOLD_NEAR_DEG, place.lat_deg + TOLD_NEAR_DEG))
        .where(IncidentRow.lon_deg.between(place.lon_deg - TOLD_NEAR_DEG, place.lon_deg + TOLD_NEAR_DEG))
        .order_by(IncidentRow.opened_at, IncidentRow.id)
    )
    return [(row, told) for row, told in (await session.execute(query)).all()]


def with_word(
    sources: list[Any],
    witness: Witness,
    source: str,
    confidence: float,
    *,
    first_at: datetime,
    last_at: datetime,
    count: int = 1,
) -> list[dict[str, Any]]:
    """Return the provenance with one more word, or several of one source."""
    mine = next((s for s in sources if (s["witness"], s["source"]) == (witness.value, source)), None)
    begins, ends = first_at.isoformat(), last_at.isoformat()
    if mine is None:
        entry = {"witness": witness.value, "source": source, "count": count, "confidence": confidence}
        return [*sources, {**entry, "first_at": begins, "last_at": ends}]
    entry = {
        **mine,
        "count": mine["count"] + count,
        "confidence": max(confidence, mine["confidence"]),
        "first_at": min(begins, mine["first_at"]),
        "last_at": max(ends, mine["last_at"]),
    }
    return [entry if s is mine else s for s in sources]


def surest(sources: Iterable[Mapping[str, Any]], witness: Witness) -> float:
    """Return how sure the surest word of a class is, 0 without any."""
    return max((float(s["confidence"]) for s in sources if s["witness"] == witness.value), default=0.0)


def confirm(told: StandingRow, seen: Observation, apart_m: float, *, site: Site, now: datetime) -> None:
    """Note that a drone has seen what somebody told of."""
    at = f"{seen.seen_at.astimezone(ZoneInfo(site.timezone)):%H:%M}"
    told.standing, told.changed_at = CONFIRMED, now
    told.reason = {
        language: text("witness.seen", language, drone=seen.drone, time=at, metres=round(apart_m))
        for language in LANGUAGES
    }
