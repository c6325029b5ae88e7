"""What witnesses say and what was looked at, as the JSON that enters and leaves the service."""

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

Names = dict[str, str]

REPORT_EXAMPLE: dict[str, Any] = {
    "service_code": "smoke",
    "lat": 30.2812,
    "long": 119.4217,
    "datum": "GCJ-02",
    "place_by": "pin",
    "description": "white smoke over the bamboo",
    "requested_datetime": "2026-06-01T10:12:00+08:00",
}


def _like(**example: Any) -> ConfigDict:
    return ConfigDict(json_schema_extra={"examples": [example]})


class ReportIn(BaseModel):
    """A person's word, with Open311's field names; other fields are those of docs/witnesses.md."""

    model_config = ConfigDict(extra="allow", json_schema_extra={"examples": [REPORT_EXAMPLE]})

    service_code: str = Field(max_length=100)
    lat: float | str | None = None
    long: float | str | None = None
    datum: str | None = Field(None, max_length=40)
    place_by: Literal["gps", "pin"] | None = None
    accuracy_m: float | None = None
    description: str | None = Field(None, max_length=20_000)
    requested_datetime: str | None = Field(None, max_length=60)
    witness: Literal["resident", "ranger"] | None = None
    service_request_id: str | None = Field(None, max_length=100)


class ReportTaken(BaseModel):
    """What became of a report: its incident, what is known of the place, what was mended."""

    id: str
    incident: str | None
    is_new: bool
    note: Names | None
    repaired: list[str]


class LookIn(BaseModel):
    """What a look is to tell."""

    model_config = _like(purpose="confirm")

    purpose: Literal["confirm", "over", "watch"] = "confirm"


class LookRequestOut(BaseModel):
    """A look that was asked for, and what it told."""

    model_config = _like(
        id="51c3",
        incident="5b0c",
        purpose="over",
        asked_by="order 9d1f",
        asked_at="2026-06-01T02:40:00Z",
        state="asked",
        reason=None,
        sortie=None,
        outcome=None,
        decided_at=None,
    )

    id: str
    incident: str
    purpose: str
    asked_by: str
    asked_at: datetime
    state: str
    reason: Names | None
    sortie: str | None
    outcome: str | None
    decided_at: datetime | None


class LookRequests(BaseModel):
    looks: list[LookRequestOut]


class SightingOut(BaseModel):
    """One word of one witness, as it was told and what was mended in it."""

    model_config = _like(
        id="firms:1",
        witness="satellite",
        source="VIIRS NOAA-20",
        hazard="fire",
        confidence=0.8,
        lat_deg=30.2812,
        lon_deg=119.4217,
        major_m=650.0,
        minor_m=480.0,
        bearing_deg=98.0,
        seen_at="2026-06-01T01:58:00Z",
        received_at="2026-06-01T03:20:00Z",
        decision="opened",
        reason="nothing open within its reach",
        facts={"frp": 6.2},
        notes=None,
    )

    id: str
    witness: str
    source: str
    hazard: str
    confidence: float
    lat_deg: float
    lon_deg: float
    major_m: float
    minor_m: float
    bearing_deg: float
    seen_at: datetime
    received_at: datetime
    decision: str
    reason: str
    facts: dict[str, Any]
    notes: list[str] | None


class Sightings(BaseModel):
    sightings: list[SightingOut]


class ReadingOut(BaseModel):
    """The newest reading of a station."""

    model_config = _like(
        station="Heping bridge",
        at="2026-06-01T02:00:00Z",
        lat_deg=30.279,
        lon_deg=119.428,
        facts={"level_m": 3.42},
    )

    station: str
    at: datetime
    lat_deg: float
    lon_deg: float
    facts: dict[str, Any]


class Readings(BaseModel):
    readings: list[ReadingOut]


class VisitOut(BaseModel):
    """What the last look at a place showed: how much of what is around it, and whether anything was found."""

    model_config = _like(
        at="2026-06-01T02:06:40Z", share=0.94, sensor="thermal", drone="D1", pictures=3, is_clean=True
    )

    at: datetime
    share: float
    sensor: str
    drone: str
    pictures: int
    is_clean: bool


class PlaceCoverage(BaseModel):
    """What is known of a place; without a visit nobody looked, and nothing is known."""

    visit: VisitOut | None
    words: Names
