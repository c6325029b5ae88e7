"""The JSON that the service speaks: one model a thing, with an example each.

Degrees are WGS84; GeoJSON order (longitude first) is found only where the name
says so (`path`, `corners`, GeoJSON itself). Times are ISO 8601 with a zone.
"""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

Name = Annotated[str, StringConstraints(min_length=1, max_length=200)]
Names = dict[str, str]


def _like(**example: Any) -> ConfigDict:
    return ConfigDict(extra="forbid", json_schema_extra={"examples": [example]})


class Problem(BaseModel):
    """What went wrong, as a word for programs and a sentence for people."""

    model_config = _like(error="not_found", message="there is no incident x, or it is not yours to see")

    error: str
    message: str
    allowed: list[str] | None = None


class Login(BaseModel):
    """The token that a session begins with."""

    model_config = _like(token="gp_…")

    token: Annotated[str, StringConstraints(min_length=1, max_length=500)]


class Me(BaseModel):
    """Who the token belongs to."""

    model_config = _like(role="agency", agency="forestry", name="forestry duty desk")

    role: Literal["operator", "agency", "gateway", "system", "security", "auditor"]
    agency: str | None
    name: str


class Health(BaseModel):
    """Whether the service can answer."""

    model_config = _like(status="ok", now="2026-06-01T02:00:00Z")

    status: Literal["ok"]
    now: datetime


class DockOut(BaseModel):
    """A dock as last heard of."""

    model_config = _like(
        id="dock-east",
        name={"en-US": "East dock", "zh-CN": "东机巢"},
        lat_deg=30.28,
        lon_deg=119.43,
        elevation_m=84.0,
        door="closed",
        charger="on",
        drones=["D1"],
        updated_at="2026-06-01T02:00:00Z",
    )

    id: str
    name: Names
    lat_deg: float
    lon_deg: float
    elevation_m: float
    door: str | None
    charger: str | None
    drones: list[str]
    updated_at: datetime | None


class Docks(BaseModel):
    docks: list[DockOut]


class DroneOut(BaseModel):
    """A drone as last heard of."""

    model_config = _like(
        id="D1",
        model="GP-1",
        dock="dock-east",
        system_id=1,
        state="flying",
        lat_deg=30.281,
        lon_deg=119.428,
        altitude_m=212.0,
        above_home_m=128.0,
        heading_deg=241.0,
        speed_m_s=11.9,
        battery_percent=71.0,
        sortie="P1-S1",
        updated_at="2026-06-01T02:06:10Z",
    )

    id: str
    model: str
    dock: str
    system_id: int
    state: str
    lat_deg: float | None
    lon_deg: float | None
    altitude_m: float | None
    above_home_m: float | None
    heading_deg: float | None
    speed_m_s: float | None
    battery_percent: float | None
    sortie: str | None
    updated_at: datetime | None


class Drones(BaseModel):
    drones: list[DroneOut]


class AgencyOut(BaseModel):
    """An agency and the hazards it asked to hear of."""

    model_config = _like(
        id="forestry",
        name={"en-US": "Forestry bureau", "zh-CN": "林业局"},
        language="zh-CN",
        hazards=["fire"],
    )

    id: str
    name: Names
    language: str
    hazards: list[str]


class Agencies(BaseModel):
    agencies: list[AgencyOut]


class WebhookIn(BaseModel):
    """Where the agency's own program listens."""

    model_config = _like(url="https://alerts.forestry.example/gridpatrol")

    url: Annotated[str, StringConstraints(min_length=1, max_length=2000)]


class WebhookOut(BaseModel):
    """The receiver as kept; the secret is shown this once."""

    model_config = _like(
        url="https://alerts.forestry.example/gridpatrol", secret="whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    )

    url: str
    secret: str


class UnservedOut(BaseModel):
    """A demand that no sortie serves, why, and what would help."""

    model_config = _like(demand="river", reason="beyond the reach of every dock", would_help="a dock nearer")

    demand: str
    reason: str
    would_help: str


class PlanOut(BaseModel):
    """A plan in one line."""

    model_config = _like(
        id="P1",
        made_at="2026-06-01T02:00:00Z",
        sorties=4,
        shared_tasks=17,
        flight_s=4310.0,
        energy_wh=590.0,
        unserved=[],
    )

    id: str
    made_at: datetime
    sorties: int
    shared_tasks: int
    flight_s: float
    energy_wh: float
    unserved: list[UnservedOut]


class Plans(BaseModel):
    plans: list[PlanOut]


class PlanIn(BaseModel):
    """What a new plan starts from."""

    model_config = _like(seed=1)

    seed: Annotated[int, Field(ge=0, lt=2**31)] | None = None


class Accepted(BaseModel):
    """The wish was taken; what comes of it is told by the event stream."""

    model_config = _like(accepted=True, reason=None)

    accepted: bool
    reason: str | None = None


class ShotCount(BaseModel):
    planned: int
    taken: int
    files: int


class StepOut(BaseModel):
    """One thing the gateway reported of a sortie."""

    at: datetime
    state: str
    evidence: str


class SortieOut(BaseModel):
    """A sortie, how far it has come, and its path as [longitude, latitude]."""

    model_config = _like(
        id="P1-S1",
        plan="P1",
        dock="dock-east",
        drone="D1",
        state="flying",
        agencies=["forestry", "power"],
        flight_s=1130.0,
        started_at="2026-06-01T02:01:00Z",
        landed_at=None,
        landed_from_dock_m=None,
        shots={"planned": 120, "taken": 31, "files": 58},
        steps=[{"at": "2026-06-01T02:00:40Z", "state": "verified", "evidence": "142 items read back"}],
        path=[[119.43, 30.28], [119.42, 30.285]],
    )

    id: str
    plan: str
    dock: str
    drone: str | None
    state: str
    agencies: list[str]
    flight_s: float
    started_at: datetime | None
    landed_at: datetime | None
    landed_from_dock_m: float | None
    shots: ShotCount
    steps: list[StepOut]
    path: list[list[float]]


class Sorties(BaseModel):
    sorties: list[SortieOut]


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

    model_config = _like(**_INCIDENT)

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


class Incidents(BaseModel):
    incidents: list[IncidentOut]


class ObservationOut(BaseModel):
    """One look at an incident."""

    id: str
    frame: str
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
    bearing_deg: float
    speed_m_s: float
    speed_90_m_s: list[float]
    rise_m_per_h: float | None
    rise_90_m_per_h: list[float] | None
    arrivals: list[ArrivalOut]
    text: dict[str, str]


class IncidentWhole(IncidentOut):
    """An incident with every look at it, and how it spreads where two looks or more tell."""

    model_config = _like(**_INCIDENT, observations=[], growth=None)

    observations: list[ObservationOut]
    growth: GrowthOut | None = None


class DeliveryOut(BaseModel):
    """How far a message has come on one channel."""

    channel: str
    state: str
    attempts: int
    last_error: str | None
    delivered_at: datetime | None


class AlertOut(BaseModel):
    """One incident told to one agency."""

    model_config = _like(
        id="7c3d9a4e",
        incident="5b0c",
        agency="forestry",
        state="raised",
        hazard="fire",
        severity="orange",
        title={"en-US": "Suspected fire: compartment 12", "zh-CN": "疑似火情：12林班"},
        place_name=_INCIDENT["place_name"],
        raised_at="2026-06-01T02:06:41Z",
        deliveries=[
            {
                "channel": "webhook",
                "state": "delivered",
                "attempts": 1,
                "last_error": None,
                "delivered_at": "2026-06-01T02:06:42Z",
            }
        ],
    )

    id: str
    incident: str
    agency: str
    state: str
    hazard: str
    severity: str
    title: Names
    place_name: Names
    raised_at: datetime
    deliveries: list[DeliveryOut]


class Alerts(BaseModel):
    alerts: list[AlertOut]


class PoseIn(BaseModel):
    """Where the drone says it was at the moment of the picture."""

    model_config = ConfigDict(allow_inf_nan=False)

    lat_deg: Annotated[float, Field(ge=-90, le=90)]
    lon_deg: Annotated[float, Field(ge=-180, le=180)]
    altitude_m: float
    heading_deg: float
    pitch_deg: float
    roll_deg: float


FRAME_EXAMPLE: dict[str, Any] = {
    "id": "0d4f6f5e-6c0e-5a5e-9d0c-3f0c6f1b7a11",
    "gateway": "g1",
    "drone": "D1",
    "sortie": "P1-S1",
    "shot": 31,
    "sensor": "thermal",
    "taken_at": "2026-06-01T02:06:40Z",
    "sha256": "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "name": "GP_0031_T.TIF",
    "bytes": 1310720,
    "pose": None,
}


class FrameIn(BaseModel):
    """What a gateway says of a picture it hands over."""

    model_config = ConfigDict(json_schema_extra={"examples": [FRAME_EXAMPLE]})

    id: UUID
    gateway: Name
    drone: Name
    sortie: Name
    shot: Annotated[int, Field(ge=0, lt=2**31)]
    sensor: Literal["thermal", "rgb"]
    taken_at: AwareDatetime
    sha256: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
    name: Name
    bytes: Annotated[int, Field(gt=0, lt=2**31)]
    pose: PoseIn | None = None


class DetectionOut(BaseModel):
    """A region of a frame in which something was found; the box is left, top, right, bottom in pixels."""

    hazard: str
    confidence: float
    box_px: list[float]
    temp_max_c: float | None
    background_c: float | None
    detector: str


class FrameOut(BaseModel):
    """A picture that was taken, and what was found in it."""

    model_config = _like(
        id="0d4f6f5e-6c0e-5a5e-9d0c-3f0c6f1b7a11",
        sortie="P1-S1",
        drone="D1",
        shot=31,
        sensor="thermal",
        taken_at="2026-06-01T02:06:40Z",
        name="GP_0031_T.TIF",
        bytes=1310720,
        analysed_at="2026-06-01T02:06:41Z",
        skipped=None,
        detections=[],
    )

    id: str
    sortie: str
    drone: str
    shot: int
    sensor: str
    taken_at: datetime
    name: str
    bytes: int
    analysed_at: datetime | None
    skipped: str | None
    detections: list[DetectionOut]


class Frames(BaseModel):
    frames: list[FrameOut]
