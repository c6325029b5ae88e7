"""The JSON of work: observations handed in, orders, mutes, reviews, reports, and what the public is shown."""

from datetime import datetime
from typing import Annotated, Any, ClassVar
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from api.alerts import AlertState
from api.etags import Stamped
from api.moments import Moment
from api.orders import Verdict
from api.schemas import IncidentOut, Names
from missions.model import Hazard

Id = Annotated[str, StringConstraints(min_length=1, max_length=100, pattern=r"^[\w.:-]+$")]
Word = Annotated[str, StringConstraints(min_length=1, max_length=200, strip_whitespace=True)]
Text = Annotated[str, StringConstraints(min_length=1, max_length=2000, strip_whitespace=True)]
Lat = Annotated[float, Field(ge=-90, le=90, allow_inf_nan=False)]
Lon = Annotated[float, Field(ge=-180, le=180, allow_inf_nan=False)]
Metres = Annotated[float, Field(ge=0, le=100_000, allow_inf_nan=False)]


def _like(**example: Any) -> ConfigDict:
    return ConfigDict(extra="forbid", json_schema_extra={"examples": [example]})


class EllipseIn(BaseModel):
    """Where the truth lies with 95 % probability: semi-axes in metres, true bearing of the major one."""

    model_config = _like(major_m=6.1, minor_m=4.0, bearing_deg=30.0)

    major_m: Metres
    minor_m: Metres
    bearing_deg: Annotated[float, Field(ge=-360, le=360, allow_inf_nan=False)]


class ObservationIn(BaseModel):
    """A hazard that a picture shows, placed on the ground; the picture was handed in before."""

    model_config = _like(
        id="g1:P1-S1:31:0",
        frame="0d4f6f5e-6c0e-5a5e-9d0c-3f0c6f1b7a11",
        hazard="fire",
        confidence=0.93,
        lat_deg=30.2812,
        lon_deg=119.4217,
        ellipse={"major_m": 6.1, "minor_m": 4.0, "bearing_deg": 30.0},
        seen_at="2026-06-01T02:06:40Z",
        detector="thermal-contextual 1",
        area_m2=6.5,
        temp_max_c=512.0,
        drone="D1",
        sortie="P1-S1",
    )

    id: Id
    frame: UUID
    hazard: Hazard
    confidence: Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
    lat_deg: Lat
    lon_deg: Lon
    ellipse: EllipseIn
    seen_at: Moment
    detector: Word
    area_m2: Annotated[float, Field(ge=0, le=1e9, allow_inf_nan=False)] | None = None
    temp_max_c: Annotated[float, Field(ge=-100, le=5000, allow_inf_nan=False)] | None = None
    drone: Annotated[str, StringConstraints(max_length=200)] = ""
    sortie: Annotated[str, StringConstraints(max_length=200)] = ""


class ObservationTaken(BaseModel):
    """What became of an observation, and the incident it opened or joined."""

    model_config = _like(
        id="g1:P1-S1:31:0", incident="5b0c", decision="joined", reason="2.1 m from the incident"
    )

    id: str
    incident: str | None
    decision: str
    reason: str


class NoteIn(BaseModel):
    """Why, or what was seen."""

    model_config = _like(note="the farmer has a permit, we spoke to him")

    note: Text | None = None


class ShelfIn(BaseModel):
    """Until when an alert is put aside, and why."""

    model_config = _like(until_at="2026-06-01T06:00:00Z", note="controlled burning until noon")

    until_at: Moment
    note: Text | None = None


class AlertStepOut(BaseModel):
    """One thing that happened to an alert."""

    model_config = _like(
        act="acknowledge", state="acknowledged", by="desk", at="2026-06-01T02:08:00Z", note=None
    )

    act: str
    state: str
    by: str
    at: datetime
    note: str | None


class AlertHistory(BaseModel):
    """Everything that happened to an alert, oldest first; nothing of it is ever changed."""

    model_config = _like(
        id="7c3d9a4e",
        state="acknowledged",
        allowed=["acknowledge", "shelve", "cancel"],
        steps=[
            {
                "act": "acknowledge",
                "state": "acknowledged",
                "by": "forestry desk",
                "at": "2026-06-01T02:08:00Z",
                "note": None,
            }
        ],
    )

    id: str
    state: AlertState
    allowed: list[str]
    steps: list[AlertStepOut]


class OrderIn(BaseModel):
    """A new order: for which agency (the operator says it), by when, and what to know first."""

    model_config = _like(note="access from the north, gate 4", respond_by="2026-06-01T02:30:00Z")

    agency: Id | None = None
    respond_by: Moment | None = None
    resolve_by: Moment | None = None
    note: Text | None = None


class OrderChange(BaseModel):
    """Who works on an order and by when; what is left out stays."""

    model_config = _like(assignee="Team 3")

    assignee: Word | None = None
    respond_by: Moment | None = None
    resolve_by: Moment | None = None


class ActIn(BaseModel):
    """What an act needs: dispatch an assignee, resolve a verdict, rate a rating, reopen a note."""

    model_config = _like(verdict="forest_fire", note="out, watch left until dark")

    note: Text | None = None
    assignee: Word | None = None
    verdict: Verdict | None = None
    rating: Annotated[int, Field(ge=1, le=5)] | None = None


class TickIn(BaseModel):
    """Whether an item of the checklist is done."""

    model_config = _like(done=True)

    done: bool


class CheckOut(BaseModel):
    """One item of a checklist, in both languages."""

    model_config = _like(
        item="wind", text={"en-US": "Wind checked", "zh-CN": "已查明风向"}, done_at=None, done_by=None
    )

    item: str
    text: Names
    done_at: datetime | None
    done_by: str | None


class OrderStepOut(BaseModel):
    """One thing done to an order."""

    model_config = _like(
        act="arrive",
        state="on_site",
        by="Team 3",
        agency="forestry",
        at="2026-06-01T02:20:00Z",
        note=None,
        facts={},
    )

    act: str
    state: str
    by: str
    agency: str | None
    at: datetime
    note: str | None
    facts: dict[str, Any]


class OrderPictureOut(BaseModel):
    """A picture from the ground."""

    model_config = _like(
        id="3c", sha256="e3b0c44298fc1c14", bytes=120000, by="Team 3", at="2026-06-01T02:21:00Z"
    )

    id: str
    sha256: str
    bytes: int
    by: str
    at: datetime


class OrderOut(BaseModel):
    """One agency's work on one incident. `allowed` are the acts that are the caller's now."""

    model_config = _like(
        id="9d1f",
        incident="5b0c",
        agency="forestry",
        lead="forestry",
        hazard="fire",
        severity="orange",
        place_name={"en-US": "compartment 12", "zh-CN": "12林班"},
        state="dispatched",
        version=2,
        assignee="Team 3",
        respond_by="2026-06-01T02:30:00Z",
        resolve_by="2026-06-01T10:00:00Z",
        is_late=False,
        verdict=None,
        look="none",
        rating=None,
        allowed=["arrive"],
        checklist=[],
        pictures=[],
        steps=[],
        created_at="2026-06-01T02:08:00Z",
        changed_at="2026-06-01T02:09:00Z",
    )

    id: str
    incident: str
    agency: str
    lead: str | None
    hazard: str
    severity: str
    place_name: Names
    state: str
    version: int
    assignee: str | None
    respond_by: datetime
    resolve_by: datetime
    is_late: bool
    verdict: str | None
    look: str
    rating: int | None
    allowed: list[str]
    checklist: list[CheckOut]
    pictures: list[OrderPictureOut]
    steps: list[OrderStepOut]
    created_at: datetime
    changed_at: datetime


class Orders(BaseModel):
    orders: list[OrderOut]


class LeadIn(BaseModel):
    """The agency that is to lead."""

    model_config = _like(agency="emergency")

    agency: Id


class LeadOut(Stamped):
    """Which agency leads the work on an incident."""

    model_config = _like(
        incident="5b0c", agency="forestry", named_by="forestry desk", named_at="2026-06-01T02:08:00Z"
    )

    incident: str
    agency: str
    named_by: str
    named_at: datetime


class MuteIn(BaseModel):
    """Silence about some hazards, within a radius of a place or on all the agency's ground, until a time."""

    model_config = _like(
        hazards=["fire"],
        lat_deg=30.281,
        lon_deg=119.421,
        radius_m=60,
        reason="brick kiln, fired until Friday",
        ends_at="2026-06-05T10:00:00Z",
    )

    hazards: Annotated[list[Hazard], Field(min_length=1, max_length=len(Hazard))]
    reason: Text
    ends_at: Moment
    lat_deg: Lat | None = None
    lon_deg: Lon | None = None
    radius_m: Annotated[float, Field(gt=0, le=50_000, allow_inf_nan=False)] | None = None
    agency: Id | None = None


class MuteOut(Stamped):
    """A mute with its owner and its end."""

    model_config = _like(
        id="3a7c",
        agency="forestry",
        hazards=["fire"],
        lat_deg=30.281,
        lon_deg=119.421,
        radius_m=60.0,
        reason="brick kiln, fired until Friday",
        owner="forestry desk",
        begins_at="2026-06-01T02:00:00Z",
        ends_at="2026-06-05T10:00:00Z",
    )

    id: str
    agency: str
    hazards: list[str]
    lat_deg: float | None
    lon_deg: float | None
    radius_m: float | None
    reason: str
    owner: str
    begins_at: datetime
    ends_at: datetime


class Mutes(BaseModel):
    mutes: list[MuteOut]


class ReviewOut(Stamped):
    """An incident that nobody was told of, because nobody can be sure of it yet."""

    model_config = _like(
        agency="forestry",
        reason="confidence 0.41 is below its 0.50",
        decided_at="2026-06-01T02:06:41Z",
        incident={},
    )

    UNSTAMPED: ClassVar[frozenset[str]] = frozenset({"incident"})

    agency: str
    reason: str
    decided_at: datetime
    incident: IncidentOut


class Reviews(BaseModel):
    reviews: list[ReviewOut]


class AlarmOut(BaseModel):
    """Who must be heard of, when that was last, and since when it is too long ago."""

    model_config = _like(
        kind="drone", name="D1", seen_at="2026-06-01T02:00:00Z", patience_s=60.0, silent_since=None
    )

    kind: str
    name: str
    seen_at: datetime
    patience_s: float
    silent_since: datetime | None


class Alarms(BaseModel):
    alarms: list[AlarmOut]
