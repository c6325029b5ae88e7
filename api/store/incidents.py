"""From what was seen to who is told: one transaction.

`record_observations` takes an analyst's word on one frame and, in the caller's
transaction, keeps it, opens or grows incidents, raises or updates alerts, puts
messages into the outbox and events into the stream. Either all of it is there
after a crash or none, and the same frame a second time changes nothing.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, select, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import selectinload

from api import alerts, views
from api.analysis import Analysis, area_to_json, detection_to_json, ring_to_json
from api.errors import NotFound
from api.store import coverage, events, standings
from api.store.alerting import tell
from api.store.models import AlertRow, DetectionRow, FrameRow, IncidentRow, ObservationRow
from api.store.tables.witnesses import StandingRow
from api.store.tokens import Caller, Role
from missions.geo import LatLon, distance_m
from missions.model import Hazard, Site
from missions.places import describe_all
from vision.incidents import Decision, DecisionKind, absorb
from vision.model import Ellipse, Incident, Observation
from vision.witnesses import joining

NEAR_DEG = 0.02
"""About 2 km: an observation is compared with the open incidents within this, far beyond any ellipse."""

OPEN = "open"

_DECIDING = 7177003


@dataclass(frozen=True, slots=True)
class Recorded:
    """What one frame changed: ids of incidents and alerts that are new or different now."""

    repeated: bool = False
    incidents: tuple[str, ...] = ()
    alerts: tuple[str, ...] = ()


async def record_observations(
    session: AsyncSession, analysis: Analysis, *, site: Site, now: datetime, public_url: str | None = None
) -> Recorded:
    """Keep everything an analyst found in one frame and act on it; repeating is harmless.

    To be called by the one active coordinator: two at once could open two
    incidents for one fire.

    Raises:
        NotFound: the frame was never accepted.
    """
    frame = await session.get(FrameRow, analysis.frame, with_for_update=True, populate_existing=True)
    if frame is None:
        raise NotFound("frame", analysis.frame)
    if frame.analysed_at is not None:
        return Recorded(repeated=True)
    await one_at_a_time(session)
    await _keep_analysis(session, frame, analysis, now)
    changed: dict[str, None] = {}
    for seen in analysis.observations:
        incident = await _absorb(session, frame.id, seen, site=site, now=now)
        if incident is not None:
            changed[incident] = None
    told: list[str] = []
    for incident_id in changed:
        told += await announce(session, incident_id, site=site, now=now, public_url=public_url)
    return Recorded(incidents=tuple(changed), alerts=tuple(told))


async def one_at_a_time(session: AsyncSession) -> None:
    """Let no other transaction decide on incidents until this one is over; SQLite has one writer anyway."""
    if session.get_bind().dialect.name == "postgresql":
        await session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _DECIDING})


async def incidents(session: AsyncSession, caller: Caller) -> Sequence[IncidentRow]:
    """Return the incidents the caller may see, latest first, alerts loaded."""
    query = _visible(_with_alerts(), caller).order_by(IncidentRow.opened_at.desc(), IncidentRow.id)
    return (await session.scalars(query)).all()


async def incident(
    session: AsyncSession, incident_id: str, caller: Caller
) -> tuple[IncidentRow, Sequence[ObservationRow]]:
    """Return one incident and every look at it, oldest first.

    Raises:
        NotFound: there is none, or it is not the caller's.
    """
    row = await session.scalar(_visible(_with_alerts(), caller).where(IncidentRow.id == incident_id))
    if row is None:
        raise NotFound("incident", incident_id)
    looks = select(ObservationRow).where(ObservationRow.incident == incident_id)
    return row, (await session.scalars(looks.order_by(ObservationRow.seen_at, ObservationRow.id))).all()


def to_incident(row: IncidentRow, observations: Iterable[str] = ()) -> Incident:
    """Return a row as the value that decisions are made on."""
    return Incident(
        id=row.id,
        hazard=Hazard(row.hazard),
        place=LatLon(row.lat_deg, row.lon_deg),
        ellipse=Ellipse(row.major_m, row.minor_m, row.bearing_deg),
        confidence=row.confidence,
        opened_at=row.opened_at,
        seen_at=row.seen_at,
        looks=row.looks,
        area_m2=row.area_m2,
        temp_max_c=row.temp_max_c,
        best_shot=row.best_frame or "",
        best_confidence=row.best_confidence,
        observations=tuple(observations),
    )


async def _keep_analysis(session: AsyncSession, frame: FrameRow, analysis: Analysis, now: datetime) -> None:
    frame.analysed_at, frame.skipped, frame.note = now, analysis.skipped, analysis.note
    frame.footprint = ring_to_json(analysis.footprint) if analysis.footprint else None
    for position, found in enumerate(analysis.detections):
        session.add(DetectionRow(frame=frame.id, position=position, **detection_to_json(found)))
    told = {
        "id": frame.id,
        "sortie": frame.sortie,
        "drone": frame.drone,
        "detections": len(analysis.detections),
    }
    await events.append(session, "frame", told, now=now)
    await coverage.keep_look(session, frame, analysis)


async def _absorb(
    session: AsyncSession, frame: str, seen: Observation, *, site: Site, now: datetime
) -> str | None:
    """Keep one observation; return the id of the incident it opened or joined."""
    decision = absorb(await _open_near(session, seen), seen, now=now)
    if decision.kind is DecisionKind.OPENED:
        decision = await _claimed(session, seen, site=site, now=now) or decision
    found = None
    if decision.incident is not None and decision.kind is not DecisionKind.IGNORED:
        found = decision.incident.id
        await save_incident(session, decision.incident, frame)
    session.add(
        ObservationRow(
            id=seen.id,
            frame=frame,
            incident=found,
            decision=decision.kind.value,
            reason=decision.reason,
            hazard=seen.hazard.value,
            confidence=seen.confidence,
            lat_deg=seen.place.lat_deg,
            lon_deg=seen.place.lon_deg,
            **_ellipse(seen.ellipse),
            seen_at=seen.seen_at,
            detector=seen.detector,
            area_m2=seen.area_m2,
            temp_max_c=seen.temp_max_c,
            outline=area_to_json(seen.outline) if seen.outline else None,
            drone=seen.drone,
            sortie=seen.sortie,
        )
    )
    return found


async def _claimed(session: AsyncSession, seen: Observation, *, site: Site, now: datetime) -> Decision | None:
    """Return the incident that somebody had told of and that this observation confirms, if there is one."""
    told = await standings.told_near(session, seen.place)
    before = {row.id: LatLon(row.lat_deg, row.lon_deg) for row, _ in told}
    found = joining.claimed([standings.to_told(row) for row, _ in told], seen)
    if found is None:
        return None
    apart_m = distance_m(before[found.id], seen.place)
    standing = next(standing for row, standing in told if row.id == found.id)
    standings.confirm(standing, seen, apart_m, site=site, now=now)
    return Decision(DecisionKind.JOINED, found, f"confirms what was told of {apart_m:.0f} m away")


async def _open_near(session: AsyncSession, seen: Observation) -> tuple[Incident, ...]:
    lat, lon = seen.place.lat_deg, seen.place.lon_deg
    near = select(IncidentRow).where(
        IncidentRow.state == OPEN,
        IncidentRow.hazard == seen.hazard.value,
        # What was only told of is no place to be near to: it is confirmed, or not (`_claimed`).
        IncidentRow.id.not_in(
            select(StandingRow.incident).where(StandingRow.standing == standings.UNCONFIRMED)
        ),
        IncidentRow.lat_deg.between(lat - NEAR_DEG, lat + NEAR_DEG),
        IncidentRow.lon_deg.between(lon - NEAR_DEG, lon + NEAR_DEG),
    )
    rows = (await session.scalars(near.order_by(IncidentRow.opened_at, IncidentRow.id))).all()
    looks: dict[str, list[str]] = {row.id: [] for row in rows}
    joined = select(ObservationRow.incident, ObservationRow.id).where(ObservationRow.incident.in_(looks))
    for incident_id, observation in await session.execute(joined.order_by(ObservationRow.seen_at)):
        looks[str(incident_id)].append(observation)
    return tuple(to_incident(row, looks[row.id]) for row in rows)


async def save_incident(session: AsyncSession, incident: Incident, frame: str | None) -> IncidentRow:
    """Return the row of an incident as it now is; `frame` is the picture that shows it, if one does."""
    row = await session.get(IncidentRow, incident.id)
    if row is None:
        row = IncidentRow(id=incident.id, state=OPEN, place_name={}, best_frame=frame)
        session.add(row)
    if frame is not None and incident.best_confidence > (row.best_confidence or 0.0):
        row.best_frame = frame
    row.hazard, row.severity = incident.hazard.value, alerts.severity(incident).value
    row.lat_deg, row.lon_deg = incident.place.lat_deg, incident.place.lon_deg
    for name, value in _ellipse(incident.ellipse).items():
        setattr(row, name, value)
    row.confidence, row.best_confidence = incident.confidence, incident.best_confidence
    row.area_m2, row.temp_max_c = incident.area_m2, incident.temp_max_c
    row.opened_at, row.seen_at, row.looks = incident.opened_at, incident.seen_at, incident.looks
    await session.flush()
    return row


async def announce(
    session: AsyncSession, incident_id: str, *, site: Site, now: datetime, public_url: str | None
) -> list[str]:
    """Name the incident's place, tell whom it concerns, and put it into the event stream."""
    row = await session.get_one(IncidentRow, incident_id)
    where = LatLon(row.lat_deg, row.lon_deg)
    row.place_name = describe_all(where, site.layers)
    told, agencies = await tell(session, row, to_incident(row), site=site, now=now, public_url=public_url)
    standing = await standings.standing(session, incident_id)
    shown = views.plain(views.incident(row, agencies, standing))
    await events.append(session, "incident", shown, now=now, agencies=agencies)
    return told


def _ellipse(ellipse: Ellipse) -> dict[str, Any]:
    return {"major_m": ellipse.major_m, "minor_m": ellipse.minor_m, "bearing_deg": ellipse.bearing_deg}


def _with_alerts() -> Select[IncidentRow]:
    loaded = select(IncidentRow).options(selectinload(IncidentRow.alerts))
    return loaded.execution_options(populate_existing=True)


def _visible(query: Select[IncidentRow], caller: Caller) -> Select[IncidentRow]:
    if caller.role is not Role.AGENCY:
        return query
    told = select(AlertRow.incident).where(AlertRow.agency == caller.agency)
    return query.where(IncidentRow.id.in_(told))
