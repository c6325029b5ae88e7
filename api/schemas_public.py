"""The JSON that everybody may read."""

from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict

from api.schemas import Names


def _like(**example: Any) -> ConfigDict:
    return ConfigDict(extra="forbid", json_schema_extra={"examples": [example]})


class PublicIncident(BaseModel):
    """A released incident: the middle of the square in which it lies, and the hour in which it began."""

    model_config = _like(
        hazard="fire",
        severity="orange",
        state="open",
        near={"en-US": "Heping", "zh-CN": "和平村"},
        lat_deg=30.285,
        lon_deg=119.425,
        within_deg=0.005,
        opened_at="2026-06-01T02:00:00Z",
        has_advice=True,
    )

    hazard: str
    severity: str
    state: str
    near: Names
    lat_deg: float
    lon_deg: float
    within_deg: float
    opened_at: datetime
    has_advice: bool


class PublicIncidents(BaseModel):
    incidents: list[PublicIncident]


class Advice(BaseModel):
    """What to do, sentence by sentence."""

    model_config = _like(hazard="fire", sentences=[{"en-US": "Do not go near.", "zh-CN": "不要靠近。"}])

    hazard: str
    sentences: list[Names]


class Statistics(BaseModel):
    """Counts of what was released, of what it turned out to be, and of reports."""

    model_config = _like(
        incidents_by_hazard={"fire": 3},
        incidents_by_state={"closed": 2, "open": 1},
        verdicts={"forest_fire": 2},
        reports_by_state={"done": 4},
    )

    incidents_by_hazard: dict[str, int]
    incidents_by_state: dict[str, int]
    verdicts: dict[str, int]
    reports_by_state: dict[str, int]


class AnswerOut(BaseModel):
    model_config = _like(text={"en-US": "Leave the bank", "zh-CN": "离开河岸"}, is_right=True)

    text: Names
    is_right: bool


class LessonOut(BaseModel):
    model_config = _like(
        id="river", title={"en-US": "Rising rivers"}, text={"en-US": "…"}, question={"en-US": "…"}, answers=[]
    )

    id: str
    title: Names
    text: Names
    question: Names
    answers: list[AnswerOut]


class Lessons(BaseModel):
    lessons: list[LessonOut]
