"""What witnesses say, told to the service; looks that are asked for; gauges and fire weather."""

from typing import Annotated
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Query, Response

from api.auth import Built, Operator, Watcher
from api.discretion import is_rough, told_ellipse, told_place
from api.schemas_witnesses import (
    LookIn,
    LookRequestOut,
    LookRequests,
    ReadingOut,
    Readings,
    ReportIn,
    ReportTaken,
    SightingOut,
    Sightings,
)
from api.services import Services
from api.store import incidents, orders, readings, standings, witnesses
from api.store.tables.witnesses import LookRequestRow, ReadingRow, SightingRow
from api.store.tokens import Caller
from api.verification import Purpose, request_look, requests, requests_of
from missions.geo import LatLon
from missions.model import Hazard
from vision.model import Ellipse
from vision.witnesses.report import read_report

router = APIRouter(tags=["witnesses"])


@router.post("/witnesses/reports", status_code=201)
async def report(told: ReportIn, response: Response, caller: Watcher, built: Built) -> ReportTaken:
    """Take a report that somebody phoned in or a patrol sent: 201 when it is new, 200 when it was known."""
    now = built.clock.now()
    fields = told.model_dump(exclude_none=True)
    read = read_report(fields, now=now, zone=ZoneInfo(built.site.timezone), near=built.site.origin)
    async with built.database.write() as session:
        imported = await witnesses.record_sightings(
            session, [read.sighting], site=built.site, now=now, public_url=built.options.public_url
        )
        row = await session.get_one(SightingRow, read.sighting.id)
        incident = row.incident if await incidents.may_see(session, row.incident, caller) else None
        standing = await standings.standing(session, incident) if incident else None
        taken = ReportTaken(
            id=row.id,
            incident=incident,
            is_new=imported.new > 0,
            note=standing.note if standing else None,
            repaired=list(read.sighting.notes),
        )
    built.feed.wake()
    if not taken.is_new:
        response.status_code = 200
    return taken


@router.get("/incidents/{incident_id}/sightings")
async def sightings(incident_id: str, caller: Watcher, built: Built) -> Sightings:
    """List what witnesses said of an incident, oldest first."""
    async with built.database.read() as session:
        await incidents.incident(session, incident_id, caller)
        rows = await witnesses.sightings_of(session, incident_id)
    return Sightings(sightings=[_sighting(row, caller.knows) for row in rows])


@router.post("/incidents/{incident_id}/looks", status_code=202)
async def ask_for_a_look(
    incident_id: str, caller: Watcher, built: Built, wish: LookIn | None = None
) -> LookRequestOut:
    """Ask that a drone looks at an incident; one that is still to come is answered instead of a second."""
    async with built.database.write() as session:
        await incidents.check_own(session, incident_id, caller)
        request = await request_look(
            session,
            incident_id,
            purpose=Purpose(wish.purpose if wish else "confirm"),
            asked_by=caller.name,
            now=built.clock.now(),
        )
        shown = _as_seen(_request(request), caller, set())
    built.feed.wake()
    return shown


@router.get("/incidents/{incident_id}/looks")
async def looks_of(incident_id: str, caller: Watcher, built: Built) -> LookRequests:
    """List the looks that were asked for at an incident, oldest first."""
    async with built.database.read() as session:
        await incidents.incident(session, incident_id, caller)
        rows = await requests_of(session, incident_id)
        known = {f"order {row.id}" for row in await orders.orders_of(session, caller, incident=incident_id)}
    return LookRequests(looks=[_as_seen(_request(row), caller, known) for row in rows])


@router.get("/looks")
async def list_looks(
    caller: Operator, built: Built, limit: Annotated[int, Query(ge=1, le=1000)] = 200
) -> LookRequests:
    """List the looks that were asked for anywhere, newest first."""
    async with built.database.read() as session:
        rows = await requests(session, limit=limit)
    return LookRequests(looks=[_request(row) for row in rows])


@router.get("/weather")
async def weather(caller: Watcher, built: Built) -> Readings:
    """Give each station's newest day with its fire-weather index."""
    return await _latest(built, readings.WEATHER)


@router.get("/gauges")
async def gauges(caller: Watcher, built: Built) -> Readings:
    """Give each river gauge's newest level."""
    return await _latest(built, readings.GAUGE)


async def _latest(built: Services, kind: str) -> Readings:
    async with built.database.read() as session:
        rows = await readings.latest(session, kind)
    return Readings(readings=[_reading(row) for row in rows])


def _reading(row: ReadingRow) -> ReadingOut:
    return ReadingOut(
        station=row.station, at=row.at, lat_deg=row.lat_deg, lon_deg=row.lon_deg, facts=row.facts
    )


def _request(row: LookRequestRow) -> LookRequestOut:
    return LookRequestOut(**{name: getattr(row, name) for name in LookRequestOut.model_fields})


def _as_seen(look: LookRequestOut, caller: Caller, known: set[str]) -> LookRequestOut:
    """Return a look without who asked for it, where that is another agency's person or order."""
    if caller.is_operator or look.asked_by == caller.name or look.asked_by in known:
        return look
    return look.model_copy(update={"asked_by": "another"})


def _sighting(row: SightingRow, knows: frozenset[Hazard]) -> SightingOut:
    """Return a witness's word; with a rough place, what else may tell the place is left out."""
    whole = SightingOut(**{name: getattr(row, name) for name in SightingOut.model_fields})
    if not is_rough(row.hazard, knows):
        return whole
    place = told_place(row.hazard, LatLon(row.lat_deg, row.lon_deg))
    around = told_ellipse(row.hazard, Ellipse(row.major_m, row.minor_m, row.bearing_deg))
    told = {"lat_deg": place.lat_deg, "lon_deg": place.lon_deg, "major_m": around.major_m}
    rest = {"minor_m": around.minor_m, "bearing_deg": around.bearing_deg, "facts": {}, "notes": None}
    return whole.model_copy(update={**told, **rest})
