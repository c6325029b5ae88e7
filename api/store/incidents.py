"""Incidents as rows: read by whoever may see them, saved, and announced to whom they concern.

What an agency may see is what `api.store.tenancy` says: the incidents on its ground
and of its hazards, and what others share with it. How observations become incidents
stands in `api.store.absorbing`, the words of witnesses in `api.store.witnesses`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import defer, selectinload

from api import alerts, views
from api.discretion import named_place
from api.errors import Forbidden, NotFound
from api.store import alerting, events, standings
from api.store.live import LiveIncidents, Shown, details, details_text, one_at_a_time, to_incident
from api.store.models import IncidentRow, ObservationRow
from api.store.rows import columns_of, insert_many, update_many
from api.store.tenancy import seen_incidents
from api.store.tokens import Caller
from missions.geo import LatLon, distance_m
from missions.model import Severity, Site
from vision.model import Ellipse, Incident

MOVED_M = 3.0
"""A place is worded anew when the best estimate has moved so far; wordings tell metres."""


__all__ = ["one_at_a_time", "to_incident"]  # beside what stands below: both belong to `api.store.live`


@dataclass(frozen=True, slots=True)
class Changed:
    """An incident as it is now; `best_frame` is the picture that shows it best, where that is news."""

    incident: Incident
    best_frame: str | None = None


async def incidents(session: AsyncSession, caller: Caller) -> Sequence[IncidentRow]:
    """Return the incidents the caller may see, latest first, alerts loaded."""
    query = _visible(_with_alerts(), caller).order_by(IncidentRow.opened_at.desc(), IncidentRow.id)
    return (await session.scalars(query)).all()


async def incident(
    session: AsyncSession, incident_id: str, caller: Caller
) -> tuple[IncidentRow, Sequence[ObservationRow]]:
    """Return one incident and every look at it and at those that grew into it, oldest first.

    Raises:
        NotFound: there is none, or it is not the caller's.
    """
    row = await session.scalar(_visible(_with_alerts(), caller).where(IncidentRow.id == incident_id))
    if row is None:
        raise NotFound("incident", incident_id)
    whole = select(IncidentRow.details).where(IncidentRow.id == incident_id)
    merged = (await session.scalar(whole) or {}).get("merged", [])
    looks = select(ObservationRow).where(ObservationRow.incident.in_([incident_id, *merged]))
    return row, (await session.scalars(looks.order_by(ObservationRow.seen_at, ObservationRow.id))).all()


async def save_incident(session: AsyncSession, incident: Incident, frame: str | None) -> IncidentRow:
    """Return the row of an incident as it now is; `frame` is the picture that shows it, if one does."""
    row = await session.get(IncidentRow, incident.id)
    if row is None:
        row = IncidentRow(id=incident.id, place_name={}, best_frame=frame, best_confidence=0.0)
        session.add(row)
    if frame is not None and incident.best_confidence > (row.best_confidence or 0.0):
        row.best_frame = frame
    for name, value in _values(incident, Severity(row.severity) if row.severity else None).items():
        setattr(row, name, value)
    row.details = details(incident)
    await session.flush()
    return row


async def save_all(
    session: AsyncSession, live: LiveIncidents, changed: Sequence[Changed], *, site: Site
) -> list[IncidentRow]:
    """Write many incidents as they now are; return their rows, which belong to no session."""
    new: list[dict[str, Any]] = []
    known: list[dict[str, Any]] = []
    rows = []
    for one in changed:
        incident, before = one.incident, live.shown.get(one.incident.id)
        values = _values(incident, Severity(before.severity) if before else None)
        now = _shown(live, one, values["severity"], site)
        values |= {"place_name": now.place_name, "best_frame": now.best_frame}
        rows.append(IncidentRow(id=incident.id, **values))
        row = {**values, "details": details_text(incident), "id": incident.id}
        (new if before is None else known).append(row)
    if new:
        await insert_many(session, IncidentRow, columns_of(new))
    if known:
        await update_many(session, IncidentRow, columns_of(known), key="id")
    return rows


async def announce(
    session: AsyncSession, incident_id: str, *, site: Site, now: datetime, public_url: str | None
) -> list[str]:
    """Name the incident's place, tell whom it concerns, and put it into the event stream."""
    row = await session.get_one(IncidentRow, incident_id)
    row.place_name = named_place(row.hazard, LatLon(row.lat_deg, row.lon_deg), site.layers)
    await session.flush()
    told = await announce_all(session, [row], site=site, now=now, public_url=public_url)
    return list(told)


async def announce_all(
    session: AsyncSession,
    rows: Sequence[IncidentRow],
    *,
    site: Site,
    now: datetime,
    public_url: str | None,
    live: LiveIncidents | None = None,
) -> tuple[str, ...]:
    """Tell whom incidents concern, and put them into the event stream; return the ids of alerts told."""
    telling = alerting.Telling(site=site, now=now, public_url=public_url)
    told = await alerting.tell_all(session, [(row, _known(live, row)) for row in rows], telling, live)
    standing = await standings.standings(session, [row.id for row in rows])
    said = [
        (views.plain(views.incident(row, told.knowing[row.id], standing.get(row.id))), told.seeing[row.id])
        for row in rows
    ]
    await events.append_all(session, "incident", said, now=now)
    return told.alerts


def ellipse_values(ellipse: Ellipse) -> dict[str, Any]:
    """Return an ellipse's columns."""
    return {"major_m": ellipse.major_m, "minor_m": ellipse.minor_m, "bearing_deg": ellipse.bearing_deg}


def _known(live: LiveIncidents | None, row: IncidentRow) -> Incident:
    """Return an incident as it is known already, or else from its row, without its sources."""
    return (live.by_id.get(row.id) if live else None) or to_incident(row, whole=False)


def _values(incident: Incident, before: Severity | None) -> dict[str, Any]:
    return {
        "hazard": incident.hazard.value,
        "severity": alerts.severity(incident, before).value,
        "state": incident.state.value,
        "lat_deg": incident.place.lat_deg,
        "lon_deg": incident.place.lon_deg,
        **ellipse_values(incident.ellipse),
        "confidence": incident.confidence,
        "best_confidence": incident.best_confidence,
        "area_m2": incident.area_m2,
        "temp_max_c": incident.temp_max_c,
        "opened_at": incident.opened_at,
        "seen_at": incident.seen_at,
        "looks": incident.looks,
        "facts": dict(incident.facts) or None,
    }


def _shown(live: LiveIncidents, one: Changed, severity: str, site: Site) -> Shown:
    """Return what is shown beside an incident; its place is worded anew when it has moved."""
    incident, before = one.incident, live.shown.get(one.incident.id)
    if before is not None and distance_m(before.named_at, incident.place) < MOVED_M:
        now = replace(before, severity=severity, best_frame=one.best_frame or before.best_frame)
    else:
        frame = one.best_frame or (before.best_frame if before else None)
        named = named_place(incident.hazard, incident.place, site.layers)
        now = Shown(incident.place, named, frame, severity)
    live.shown[incident.id] = now
    return now


async def check_own(session: AsyncSession, incident_id: str, caller: Caller) -> None:
    """Return if an incident is the caller's own: what others share is read and never changed.

    Raises:
        NotFound: there is no such incident, or it is not the caller's to see.
        Forbidden: another agency shares it.
    """
    if not await may_see(session, incident_id, caller):
        raise NotFound("incident", incident_id)
    if not await may_see(session, incident_id, replace(caller, shared=())):
        raise Forbidden("this incident is another agency's, which shares it to be read")


async def may_see(session: AsyncSession, incident_id: str | None, caller: Caller) -> bool:
    """Return whether there is such an incident and it is the caller's to see."""
    if incident_id is None:
        return False
    query = select(IncidentRow.id).where(IncidentRow.id == incident_id)
    return await session.scalar(_visible(query, caller)) is not None


def _with_alerts() -> Select[IncidentRow]:
    loaded = select(IncidentRow).options(selectinload(IncidentRow.alerts), defer(IncidentRow.details))
    return loaded.execution_options(populate_existing=True)


def _visible(query: Select[Any], caller: Caller) -> Select[Any]:
    seen = seen_incidents(caller)
    return query if seen is None else query.where(IncidentRow.id.in_(seen))
