"""Observations from whoever looks at pictures outside: a gateway's own detector, another analyst."""

from datetime import UTC

from fastapi import APIRouter, Request, Response

from api.auth import Gateway
from api.observing import Observing
from api.schemas_work import ObservationIn, ObservationTaken
from api.store.absorbing import Seen
from missions.geo import LatLon
from vision.model import Ellipse, Observation

router = APIRouter(tags=["observations"])


@router.post("/observations", status_code=201)
async def hand_in(
    told: ObservationIn, request: Request, response: Response, caller: Gateway
) -> ObservationTaken:
    """Hand in one observation: 201 when it is kept with all that follows from it, 200 when it was before."""
    observing: Observing = request.app.state.observing
    outcome = await observing.take_in(Seen(str(told.frame), _observation(told)))
    if outcome.was_known:
        response.status_code = 200
    return ObservationTaken(
        id=told.id, incident=outcome.incident, decision=outcome.decision, reason=outcome.reason
    )


def _observation(told: ObservationIn) -> Observation:
    return Observation(
        id=told.id,
        hazard=told.hazard,
        confidence=told.confidence,
        place=LatLon(told.lat_deg, told.lon_deg),
        ellipse=Ellipse(told.ellipse.major_m, told.ellipse.minor_m, told.ellipse.bearing_deg),
        seen_at=told.seen_at.astimezone(UTC),
        shot=str(told.frame),
        detector=told.detector,
        area_m2=told.area_m2,
        temp_max_c=told.temp_max_c,
        drone=told.drone,
        sortie=told.sortie,
    )
