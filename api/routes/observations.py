"""Observations from whoever looks at pictures outside: a gateway's own detector, another analyst."""

from datetime import UTC
from typing import Any

from fastapi import APIRouter, Request, Response

from api.auth import Gateway
from api.confirming import Seen
from api.observing import Observing
from api.schemas_work import ObservationIn, ObservationTaken
from api.store.absorbing import Outcome
from missions.geo import LatLon
from vision.model import Ellipse, Observation

router = APIRouter(tags=["observations"])


@router.post("/observations", status_code=201)
async def hand_in(
    told: ObservationIn, request: Request, response: Response, caller: Gateway
) -> ObservationTaken:
    """Hand in one observation: 201 when it is kept with all that follows from it, 200 when it was before."""
    observing: Observing = request.app.state.observing
    outcome = await observing.take_in(seen_in(told))
    if outcome.was_known:
        response.status_code = 200
    kind, _, token = request.headers.get("authorization", "").partition(" ")
    if kind.lower() == "bearer":
        request.app.state.keys.remember(token)
    return ObservationTaken(**taken(told.id, outcome))


def taken(observation: str, outcome: Outcome) -> dict[str, Any]:
    """Return what the one who handed an observation in is told, as `ObservationTaken` has it."""
    return {
        "id": observation,
        "incident": outcome.incident,
        "decision": outcome.decision,
        "reason": outcome.reason,
    }


def seen_in(told: ObservationIn) -> Seen:
    """Return what was handed in as the value that is absorbed."""
    frame = str(told.frame)
    observation = Observation(
        id=told.id,
        hazard=told.hazard,
        confidence=told.confidence,
        place=LatLon(told.lat_deg, told.lon_deg),
        ellipse=Ellipse(told.ellipse.major_m, told.ellipse.minor_m, told.ellipse.bearing_deg),
        seen_at=told.seen_at.astimezone(UTC),
        shot=frame,
        detector=told.detector,
        area_m2=told.area_m2,
        temp_max_c=told.temp_max_c,
        drone=told.drone,
        sortie=told.sortie,
    )
    return Seen(frame, observation)
