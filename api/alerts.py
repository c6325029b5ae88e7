"""Who is told what, and why: decided here as values, acted on elsewhere.

An agency hears of an incident when it may lie on its ground, is of a hazard it
asked for, and is bad enough. Afterwards it hears again only when the incident
has got worse or has grown much; a duty officer who is told too often stops
listening. Every answer carries its reason, which goes into the log and the tests.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from api.shapes import touches
from missions.model import Agency, Hazard, Severity
from missions.words import LANGUAGES, text
from vision.model import Incident

GROWTH = 2.0
"""An area twice what was told is news; the size of a fire in a picture swings by less from look to look."""

REST = timedelta(minutes=10)
"""Growth alone is told no more often than this; a higher severity is told at once."""


class NotifyReason(StrEnum):
    """Why an agency is told, or why not."""

    FIRST = "first"
    WORSE = "worse"
    GROWN = "grown"
    NOT_ITS_GROUND = "not its ground"
    NOT_ITS_HAZARD = "not its hazard"
    BELOW_FLOOR = "below its floor"
    KNOWN = "known"
    RESTING = "told a moment ago"

    @property
    def tells(self) -> bool:
        """Whether a message goes out."""
        return self in (NotifyReason.FIRST, NotifyReason.WORSE, NotifyReason.GROWN)


@dataclass(frozen=True, slots=True)
class Told:
    """What an agency was last told of an incident."""

    severity: Severity
    area_m2: float | None
    told_at: datetime


def decide(incident: Incident, agency: Agency, history: Told | None, now: datetime) -> NotifyReason:
    """Return whether the agency is told of the incident as it now is, and why.

    An agency that was told once keeps hearing of the incident even when a
    better estimate moves it off its ground: it may have people on the way.
    """
    if history is not None:
        return _again(incident, history, now)
    floors = [s.floor for s in agency.subscriptions if incident.hazard in s.hazards]
    if not floors:
        return NotifyReason.NOT_ITS_HAZARD
    if not any(severity(incident).reaches(floor) for floor in floors):
        return NotifyReason.BELOW_FLOOR
    if not touches(agency.jurisdiction, incident.place, incident.ellipse):
        return NotifyReason.NOT_ITS_GROUND
    return NotifyReason.FIRST


def severity(incident: Incident) -> Severity:
    """Return how bad an incident is, from its hazard, its size and its heat.

    The limits are those a duty officer can act on. Open fire is never less than
    yellow: under 2 m² one ranger puts it out, from 2 m² it takes a crew, from
    50 m² it crowns and runs. A hot joint follows the two temperature limits for
    connectors of the Chinese infrared rule DL/T 664 (serious over 90 °C, critical
    over 130 °C). What has no size is taken for the smallest.
    """
    area_m2, temp_c = incident.area_m2 or 0.0, incident.temp_max_c or 0.0
    match incident.hazard:
        case Hazard.FIRE:
            return _step(area_m2, (50.0, Severity.RED), (2.0, Severity.ORANGE), else_=Severity.YELLOW)
        case Hazard.FLOOD:
            return _step(area_m2, (10_000.0, Severity.RED), (500.0, Severity.ORANGE), else_=Severity.YELLOW)
        case Hazard.HOT_JOINT:
            return _step(temp_c, (130.0, Severity.ORANGE), (90.0, Severity.YELLOW), else_=Severity.BLUE)
        case Hazard.SMOKE | Hazard.BURNING | Hazard.INTRUSION | Hazard.LOGGING | Hazard.PERSON:
            return Severity.YELLOW
        case _:
            return Severity.BLUE


def title(hazard: Hazard, place_name: Mapping[str, str]) -> dict[str, str]:
    """Return the headline in every language; a fire nobody has confirmed is a suspected fire."""
    return {
        language: text("alert.title", language, event=event(hazard, language), place=place_name[language])
        for language in LANGUAGES
    }


def event(hazard: Hazard, language: str) -> str:
    """Return what the hazard is called in messages to agencies."""
    return text(f"alert.event.{hazard}", language)


def _again(incident: Incident, history: Told, now: datetime) -> NotifyReason:
    if severity(incident).rank > history.severity.rank:
        return NotifyReason.WORSE
    if (incident.area_m2 or 0.0) < GROWTH * (history.area_m2 or 0.0) or not incident.area_m2:
        return NotifyReason.KNOWN
    return NotifyReason.GROWN if now - history.told_at >= REST else NotifyReason.RESTING


def _step(value: float, *limits: tuple[float, Severity], else_: Severity) -> Severity:
    """Return the first severity whose lower limit the value reaches."""
    return next((level for limit, level in limits if value >= limit), else_)
