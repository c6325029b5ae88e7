"""What was found: an agency sees the incidents it was alerted to, the operator all."""

from typing import Any

from fastapi import APIRouter, Response
from fastapi.responses import JSONResponse

from api import views
from api.auth import Built, Watcher
from api.schemas import GrowthOut, IncidentOut, Incidents, IncidentWhole
from api.services import Services
from api.spreading import spread
from api.store import incidents
from api.store.models import IncidentRow
from api.store.tokens import Caller

router = APIRouter(tags=["incidents"])


@router.get("/incidents")
async def list_incidents(caller: Watcher, built: Built) -> Incidents:
    """List incidents, latest first."""
    return Incidents(incidents=await _seen(built, caller))


@router.get("/incidents.geojson", response_class=Response)
async def as_geojson(caller: Watcher, built: Built) -> Response:
    """Give the incidents as a GeoJSON FeatureCollection of points."""
    collection: dict[str, Any] = {
        "type": "FeatureCollection",
        "features": [views.incident_feature(seen) for seen in await _seen(built, caller)],
    }
    return JSONResponse(collection, media_type="application/geo+json")


@router.get("/incidents/{incident_id}")
async def one_incident(incident_id: str, caller: Watcher, built: Built) -> IncidentWhole:
    """Give one incident with every look at it."""
    async with built.database.read() as session:
        row, looks = await incidents.incident(session, incident_id, caller)
    whole = _shown(row, caller)
    told = spread(row, looks, site=built.site, ground=built.terrain)
    return IncidentWhole(
        **whole.model_dump(),
        observations=[views.observation(look) for look in looks],
        growth=GrowthOut(**told) if told else None,
    )


async def _seen(built: Services, caller: Caller) -> list[IncidentOut]:
    async with built.database.read() as session:
        rows = await incidents.incidents(session, caller)
    return [_shown(row, caller) for row in rows]


def _shown(row: IncidentRow, caller: Caller) -> IncidentOut:
    """One agency is not told who else knows."""
    return views.incident(row, [caller.agency] if caller.agency else [alert.agency for alert in row.alerts])
