"""The JSON of work: observations handed in, orders, mutes, reviews, reports, and what the public is shown."""

from typing import Annotated, Any
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

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
    seen_at: AwareDatetime
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
