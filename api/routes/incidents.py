"""What was found: an agency sees the incidents it was alerted to, the operator all."""

from typing import Any

from fastapi import APIRouter, Response
from fastapi.responses import JSONResponse

from api import views
from api.auth import Built, Watcher
from api.discretion import is_rough
from api.schemas import GrowthOut, IncidentOut, Incidents, IncidentWhole
from api.services import Services
from api.spreading import covered, spread
from api.store import confirming, incidents, standings
from api.store.models import IncidentRow
from api.store.tables.witnesses import StandingRow
from api.store.tokens import Caller

router = APIRouter(tags=["incidents"])


@router.get("/incidents")
async def list_incidents(caller: Watcher, built: Built) -> Incidents:
    """List incidents, latest first."""
    return Incidents(incidents=await _seen(built, caller))


@router.get("/incidents.geojson", response_class=Response)
async def as_geojson(caller: Watcher, built: Built) -> Response:
    """Give the incidents as a GeoJSON FeatureCollection of points; those a look has cleared are left out."""
    collection: dict[str, Any] = {
        "type": "FeatureCollection",
        "features": [
            views.incident_feature(seen)
            for seen in await _seen(built, caller)
            if seen.standing != standings.CLEARED
        ],
    }
    return JSONResponse(collection, media_type="application/geo+json")


@router.get("/incidents/{incident_id}")
async def one_incident(incident_id: str, caller: Watcher, built: Built) -> IncidentWhole:
    """Give one incident with every look at it."""
    async with built.database.read() as session:
        row, looks = await incidents.incident(session, incident_id, caller)
        standing = await standings.standing(session, row.id)
        places = await confirming.of_incidents(session, {row.id, *(o.incident for o in looks if o.incident)})
    whole = _shown(row, caller, standing)
    rough = is_rough(row.hazard, caller.knows)
    told = None if rough else spread(row, looks, site=built.site)
    return IncidentWhole(
        **whole.model_dump(),
        observations=[views.observation(look, knows=caller.knows) for look in looks],
        confirmations=[views.confirmation(place) for place in places],
        growth=GrowthOut(**told) if told else None,
        ground=None if rough else covered(looks),
    )


async def _seen(built: Services, caller: Caller) -> list[IncidentOut]:
    async with built.database.read() as session:
        rows = await incidents.incidents(session, caller)
        known = await standings.standings(session, [row.id for row in rows])
    return [_shown(row, caller, known.get(row.id)) for row in rows]


def _shown(row: IncidentRow, caller: Caller, standing: StandingRow | None) -> IncidentOut:
    """One agency is not told who else knows."""
    agencies = [caller.agency] if caller.agency else [alert.agency for alert in row.alerts]
    return views.incident(row, agencies, standing, knows=caller.knows)
