"""The JSON of reports: what their reporters see, what their agencies see."""

from datetime import datetime
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from api.schemas import Names
from api.schemas_work import Text


def _like(**example: Any) -> ConfigDict:
    return ConfigDict(extra="forbid", json_schema_extra={"examples": [example]})


_STEP = {"state": "received", "at": "2026-06-01T02:00:00Z", "note": None}


class ReportReceipt(BaseModel):
    """A report as taken; `code` is the reporter's own key to it, `repaired` says what was mended."""

    model_config = _like(id="7b1e", code="7KQM-2WXR-9PLA", state="received", agency="forestry", repaired=[])

    id: str
    code: str
    state: str
    agency: str | None
    repaired: list[str]


class TrackedStep(BaseModel):
    model_config = _like(**_STEP)

    state: str
    at: datetime
    note: str | None


class TrackedReport(BaseModel):
    """A report as its reporter sees it."""

    model_config = _like(
        state="accepted",
        service="smoke",
        place_name={"en-US": "compartment 12", "zh-CN": "12林班"},
        rating=None,
        received_at="2026-06-01T02:00:00Z",
        steps=[_STEP],
    )

    state: str
    service: str
    place_name: Names
    rating: int | None
    received_at: datetime
    steps: list[TrackedStep]


class ReportStepOut(TrackedStep):
    model_config = _like(**_STEP, by="reporter")

    by: str


class ReportOut(BaseModel):
    """A report as the agency sees it that answers it."""

    model_config = _like(
        id="7b1e",
        service="smoke",
        hazard="smoke",
        state="accepted",
        version=2,
        lat_deg=30.281,
        lon_deg=119.42,
        within_m=150.0,
        place_name={"en-US": "compartment 12", "zh-CN": "12林班"},
        text="浓烟",
        language="zh-CN",
        has_picture=False,
        agency="forestry",
        incident="5b0c",
        order="9d1f",
        rating=None,
        received_at="2026-06-01T02:00:00Z",
        changed_at="2026-06-01T02:03:00Z",
        steps=[{**_STEP, "by": "reporter"}],
    )

    id: str
    service: str
    hazard: str
    state: str
    version: int
    lat_deg: float
    lon_deg: float
    within_m: float
    place_name: Names
    text: str
    language: str
    has_picture: bool
    agency: str | None
    incident: str | None
    order: str | None
    rating: int | None
    received_at: datetime
    changed_at: datetime
    steps: list[ReportStepOut]


class Reports(BaseModel):
    reports: list[ReportOut]


class RateIn(BaseModel):
    """How well a report was dealt with."""

    model_config = _like(rating=5, comment="they came at once")

    rating: Annotated[int, Field(ge=1, le=5)]
    comment: Text | None = None


class PointsEntry(BaseModel):
    model_config = _like(report="7b1e", points=10, reason="verified", at="2026-06-01T09:00:00Z")

    report: str
    points: int
    reason: str
    at: datetime


class Points(BaseModel):
    """The ledger of a reporter."""

    model_config = _like(
        total=10,
        entries=[{"report": "7b1e", "points": 10, "reason": "verified", "at": "2026-06-01T09:00:00Z"}],
    )

    total: int
    entries: list[PointsEntry]
