"""Builders of the tiny world: a frame as a gateway hands it in, a fire as an analyst reports it."""

import hashlib
import json
from datetime import UTC, datetime
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from api.analysis import Analysis
from api.schemas import FrameIn
from api.services import Services
from api.store import frames
from api.store.absorbing import Recorded, record_observations
from missions.geo import LatLon
from missions.model import Hazard, Sensor
from vision.model import Box, Detection, Ellipse, Incident, Observation

NOW = datetime(2026, 6, 1, 2, 0, tzinfo=UTC)

FOREST = LatLon(30.28, 119.415)
VILLAGE = LatLon(30.28, 119.425)
BORDER = LatLon(30.28, 119.42)

PICTURE = b"not really a picture, but bytes all the same"


def frame_id(number: int) -> str:
    return str(uuid5(NAMESPACE_URL, f"frame {number}"))


def frame_meta(number: int = 1, data: bytes = PICTURE, **changes: Any) -> dict[str, Any]:
    return {
        "id": frame_id(number),
        "gateway": "g1",
        "drone": "D1",
        "sortie": "P1-S1",
        "shot": number,
        "sensor": "thermal",
        "taken_at": NOW.isoformat(),
        "sha256": hashlib.sha256(data).hexdigest(),
        "name": f"GP_{number:04}_T.TIF",
        "bytes": len(data),
        "pose": None,
        **changes,
    }


def frame_form(number: int = 1, data: bytes = PICTURE, **changes: Any) -> dict[str, Any]:
    """The arguments of a request that hands in a frame."""
    meta = frame_meta(number, data, **changes)
    return {"data": {"meta": json.dumps(meta)}, "files": {"file": (meta["name"], data, "image/tiff")}}


def detection() -> Detection:
    return Detection(Hazard.FIRE, 0.9, Box(10, 10, 20, 20), "test 1", Sensor.THERMAL, 500.0, 25.0, 40)


def fire(number: int, place: LatLon, *, area_m2: float = 1.0, major_m: float = 5.0) -> Observation:
    return Observation(
        id=f"fire {number}",
        hazard=Hazard.FIRE,
        confidence=0.9,
        place=place,
        ellipse=Ellipse(major_m, 3.0, 30.0),
        seen_at=NOW,
        shot=frame_id(number),
        detector="test 1",
        area_m2=area_m2,
        temp_max_c=500.0,
        drone="D1",
        sortie="P1-S1",
    )


def incident(place: LatLon, **changes: Any) -> Incident:
    """A small fire, or what the changes make of it."""
    values: dict[str, Any] = {
        "id": "I1",
        "hazard": Hazard.FIRE,
        "place": place,
        "ellipse": Ellipse(5.0, 3.0, 30.0),
        "confidence": 0.9,
        "opened_at": NOW,
        "seen_at": NOW,
        "looks": 1,
        "area_m2": 1.0,
        "temp_max_c": 500.0,
    }
    return Incident(**{**values, **changes})


async def report(services: Services, number: int, *seen: Observation) -> Recorded:
    """Accept a frame and record what was seen in it, as gateway, analyst and coordinator do."""
    now = services.clock.now()
    analysis = Analysis(frame_id(number), tuple(detection() for _ in seen), tuple(seen))
    async with services.database.write() as session:
        meta = FrameIn(**frame_meta(number))
        await frames.accept_frame(session, meta, key=f"frames/{number}.tif", now=now)
        return await record_observations(session, analysis, site=services.site, now=now)
