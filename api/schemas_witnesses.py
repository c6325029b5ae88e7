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


class ReportIn(BaseModel):
    """A person's word, with Open311's field names; other fields are those of docs/witnesses.md."""

    model_config = ConfigDict(extra="allow", json_schema_extra={"example": REPORT_EXAMPLE})

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

    purpose: Literal["confirm", "over", "watch"] = "confirm"


class LookRequestOut(BaseModel):
    """A look that was asked for, and what it told."""

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

    station: str
    at: datetime
    lat_deg: float
    lon_deg: float
    facts: dict[str, Any]


class Readings(BaseModel):
    readings: list[ReadingOut]


class VisitOut(BaseModel):
    """What the last look at a place showed: how much of what is around it, and whether anything was found."""

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
