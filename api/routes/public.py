"""For everybody, without a token: what was released, what to do, what can be learnt."""

from fastapi import APIRouter, Request, Response

from api import public
from api.auth import Built, address_of
from api.errors import NotFound
from api.schemas_public import Advice, Lessons, PublicIncident, PublicIncidents, Statistics
from api.store import public as kept
from api.store import reports
from api.store.models import IncidentRow
from missions.geo import LatLon
from missions.model import ReferenceLayers
from missions.places import describe_all

router = APIRouter(prefix="/public", tags=["public"])


@router.get("/incidents")
async def released(request: Request, response: Response, built: Built) -> PublicIncidents:
    """List what agencies have released, each at a rounded place and a rounded time."""
    _count(request, response, built)
    async with built.database.read() as session:
        rows = await kept.released(session)
    return PublicIncidents(incidents=[_shown(row, built.site.layers) for row in rows])


@router.get("/advice/{hazard}")
async def what_to_do(hazard: str, request: Request, response: Response, built: Built) -> Advice:
    """Say what to do about fire or flood, in both languages."""
    _count(request, response, built)
    sentences = public.advice(hazard)
    if not sentences:
        raise NotFound("advice on", hazard)
    return Advice(hazard=hazard, sentences=sentences)


@router.get("/statistics")
async def statistics(request: Request, response: Response, built: Built) -> Statistics:
    """Count what was released, what it turned out to be, and how far reports have come."""
    _count(request, response, built)
    async with built.database.read() as session:
        counted = await kept.counts(session)
        told = await reports.counts(session)
    return Statistics(
        incidents_by_hazard=counted["hazard"],
        incidents_by_state=counted["state"],
        verdicts=counted["verdict"],
        reports_by_state=told,
    )


@router.get("/lessons")
async def lessons(request: Request, response: Response, built: Built) -> Lessons:
    """Give the lessons on fire, floods and power lines, each with a question to check oneself."""
    _count(request, response, built)
    return Lessons.model_validate({"lessons": [public.lesson(name) for name in public.LESSONS]})


def _count(request: Request, response: Response, built: Built) -> None:
    built.rates.count_stranger(address_of(request))
    response.headers["Cache-Control"] = "public, max-age=60"


def _shown(row: IncidentRow, layers: ReferenceLayers) -> PublicIncident:
    near = public.rounded(LatLon(row.lat_deg, row.lon_deg))
    return PublicIncident(
        hazard=row.hazard,
        severity=row.severity,
        state=row.state,
        near=describe_all(near, layers),
        lat_deg=near.lat_deg,
        lon_deg=near.lon_deg,
        within_deg=public.ROUNDED_DEG / 2,
        opened_at=public.rounded_time(row.opened_at),
        has_advice=row.hazard in public.ADVICE,
    )
