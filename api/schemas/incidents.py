"""What was found: incidents, the looks at them, how they grow."""

from datetime import datetime
from typing import Any

from pydantic import BaseModel, Field

from api.schemas.base import Names, like


class EllipseOut(BaseModel):
    """Where the truth lies with 95 % probability: semi-axes, true bearing of the major one."""

    major_m: float
    minor_m: float
    bearing_deg: float


_INCIDENT: dict[str, Any] = {
    "id": "5b0c",
    "hazard": "fire",
    "severity": "orange",
    "state": "open",
    "place_name": {"en-US": "compartment 12, 40 m west of tower 7", "zh-CN": "12林班，7号塔以西40米"},
    "lat_deg": 30.2812,
    "lon_deg": 119.4217,
    "ellipse": {"major_m": 6.1, "minor_m": 4.0, "bearing_deg": 30.0},
    "confidence": 0.93,
    "area_m2": 6.5,
    "temp_max_c": 512.0,
    "opened_at": "2026-06-01T02:06:40Z",
    "seen_at": "2026-06-01T02:06:52Z",
    "looks": 3,
    "frame": "0d4f6f5e-6c0e-5a5e-9d0c-3f0c6f1b7a11",
    "agencies": ["emergency", "forestry"],
}


class SourceOut(BaseModel):
    """One source that told of an incident, how often, and how sure its surest word is."""

    witness: str
    source: str
    count: int
    confidence: float
    first_at: datetime
    last_at: datetime


class IncidentOut(BaseModel):
    """One event on the ground, best estimate first; `frame` is the picture that shows it best.

    `standing` is "unconfirmed", "confirmed" or "cleared" where others than our drones told of it, `sources`
    who they are; `note` says what the place looked like before.
    """

    model_config = like(**_INCIDENT)

    id: str
    hazard: str
    severity: str
    state: str
    place_name: Names
    lat_deg: float
    lon_deg: float
    ellipse: EllipseOut
    confidence: float
    area_m2: float | None
    temp_max_c: float | None
    opened_at: datetime
    seen_at: datetime
    looks: int
    frame: str | None
    agencies: list[str]
    standing: str | None = None
    standing_reason: Names | None = None
    sources: list[SourceOut] = []
    note: Names | None = None
    facts: dict[str, Any] = Field(
        {}, description="what its best look says besides, and what any look says it reached"
    )
    said: list[Names] = Field([], description="the facts as sentences for people")


class Incidents(BaseModel):
    incidents: list[IncidentOut]


class ObservationOut(BaseModel):
    """One look at an incident."""

    id: str
    frame: str | None
    confidence: float
    lat_deg: float
    lon_deg: float
    ellipse: EllipseOut
    seen_at: datetime
    detector: str
    area_m2: float | None
    temp_max_c: float | None
    decision: str
    reason: str
    kind: str | None = None
    sources: list[str] = Field([], description="the detectors with their versions that the score rests on")
    power_w: float | None = Field(
        None, description="radiated power above the ground's, where temperatures tell"
    )
    facts: dict[str, Any] = Field({}, description="what the detector says besides, units in the names")


class ConfirmationOut(BaseModel):
    """What one camera says of a place: how many looks should have shown it, how many did and did not."""

    model_config = like(
        drone="D1",
        sensor="thermal",
        verdict="confirmed",
        looks=3,
        hits=2,
        misses=1,
        seen_at="2026-06-01T02:06:41Z",
    )

    drone: str
    sensor: str
    verdict: str
    looks: int
    hits: int
    misses: int
    seen_at: datetime


class ArrivalOut(BaseModel):
    """When an incident reaches a named thing, in seconds after its last look; null where that is not told."""

    name: dict[str, str]
    distance_m: float
    after_s: float | None
    earliest_s: float | None
    latest_s: float | None


class GrowthOut(BaseModel):
    """How an incident spreads; the pairs ending in 90 hold the truth with 90 %.

    `rise_m_per_h` is there for floods alone.
    """

    seen_at: datetime
    looks: int
    area_m2: float
    area_m2_per_h: float
    area_90_m2_per_h: list[float]
    bearing_deg: float
    speed_m_s: float
    speed_90_m_s: list[float]
    rise_m_per_h: float | None
    rise_90_m_per_h: list[float] | None
    arrivals: list[ArrivalOut]
    text: dict[str, str]


class IncidentWhole(IncidentOut):
    """An incident with every look at it, and how it spreads where two looks or more tell."""

    model_config = like(**_INCIDENT, observations=[], confirmations=[], growth=None, ground=None)

    observations: list[ObservationOut]
    confirmations: list[ConfirmationOut] = []
    growth: GrowthOut | None = None
    ground: dict[str, Any] | None = Field(
        None, description="what the last look outlined: a GeoJSON MultiPolygon"
    )
