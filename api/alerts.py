"""Who is told what, and why: decided here as values, acted on elsewhere. Pure.

An agency hears of an incident when it may lie on its ground, is of a hazard it
asked for, is bad enough and sure enough (`api.routing`). Afterwards it hears again
only when the incident has got worse or has grown much; a duty officer who is told
too often stops listening. What is too uncertain goes silently to a review queue,
what somebody muted stays silent until the mute ends, and many incidents of one
hazard close together are one storm with one alert. Every answer carries its reason,
which goes into the log, the database and the tests.

An alert, one incident told to one agency, moves by the table `MOVES`:

    raised, updated ──acknowledge──> acknowledged ──(news)──> updated
    raised, updated, acknowledged ──shelve──> shelved ──(time, or it gets worse)──> updated
    any of them ──cancel──> cancelled ──(it gets worse)──> updated
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from api.errors import Forbidden, IllegalMove
from api.mutes import Mute
from api.orders import By
from api.routing import KEEPS_AT, Concern, Route, route
from api.shapes import touches
from missions.geo import distance_m
from missions.model import Agency, Hazard, Severity
from missions.words import LANGUAGES, text
from vision.model import Incident

GROWTH = 2.0
"""An area twice what was told is news; the size of a fire in a picture swings by less from look to look."""

REST = timedelta(minutes=10)
"""Growth alone is told no more often than this; a higher severity is told at once."""

STORM_COUNT, STORM_M, STORM_WITHIN = 5, 300.0, timedelta(minutes=30)
"""So many incidents of one hazard within so many metres and so long of each other are a storm."""

_STORM_DEG = STORM_M / 110_000.0  # a degree of latitude is at least this long


class NotifyReason(StrEnum):
    """Why an agency is told, or why not."""

    FIRST = "first"
    WORSE = "worse"
    GROWN = "grown"
    NOT_ITS_GROUND = "not its ground"
    NOT_ITS_HAZARD = "not its hazard"
    BELOW_FLOOR = "below its floor"
    TOO_UNCERTAIN = "too uncertain"
    MUTED = "muted"
    PART_OF_STORM = "part of a storm"
    SHELVED = "shelved"
    REMINDER = "nobody has acknowledged"
    CANCELLED = "cancelled"
    KNOWN = "known"
    RESTING = "told a moment ago"

    @property
    def tells(self) -> bool:
        """Whether a message goes out."""
        return self in (NotifyReason.FIRST, NotifyReason.WORSE, NotifyReason.GROWN)


class AlertState(StrEnum):
    """How an alert stands."""

    RAISED = "raised"
    UPDATED = "updated"
    ACKNOWLEDGED = "acknowledged"
    SHELVED = "shelved"
    CANCELLED = "cancelled"

    @property
    def waits(self) -> bool:
        """Whether somebody still has to take it in hand."""
        return self in (AlertState.RAISED, AlertState.UPDATED)


class AlertAct(StrEnum):
    """What moves an alert."""

    TELL = "tell"
    ACKNOWLEDGE = "acknowledge"
    SHELVE = "shelve"
    UNSHELVE = "unshelve"
    CANCEL = "cancel"


_DESK = frozenset({By.OFFICER, By.CHIEF})
_ITSELF = frozenset({By.SERVICE})
_LIVE = (AlertState.RAISED, AlertState.UPDATED, AlertState.ACKNOWLEDGED, AlertState.SHELVED)

MOVES: Mapping[tuple[AlertState, AlertAct], tuple[AlertState, frozenset[By]]] = {
    **{(state, AlertAct.TELL): (AlertState.UPDATED, _ITSELF) for state in AlertState},
    **{(state, AlertAct.ACKNOWLEDGE): (AlertState.ACKNOWLEDGED, _DESK) for state in _LIVE},
    **{(state, AlertAct.SHELVE): (AlertState.SHELVED, _DESK) for state in _LIVE},
    (AlertState.SHELVED, AlertAct.UNSHELVE): (AlertState.UPDATED, _DESK | _ITSELF),
    **{(state, AlertAct.CANCEL): (AlertState.CANCELLED, _DESK | _ITSELF) for state in _LIVE},
}
"""From a state by an act: where it leads, and who may do it."""


@dataclass(frozen=True, slots=True)
class Told:
    """What an agency was last told of an incident."""

    severity: Severity
    area_m2: float | None
    told_at: datetime
    state: AlertState = AlertState.RAISED


@dataclass(frozen=True, slots=True)
class Decision:
    """What an incident is to an agency, and whether it is told of it now."""

    route: Route
    notify: NotifyReason


def decide(
    incident: Incident,
    agency: Agency,
    history: Told | None,
    now: datetime,
    *,
    is_on_ground: bool | None = None,
    mutes: Sequence[Mute] = (),
    storm: str | None = None,
) -> Decision:
    """Return whether the agency is told of the incident as it now is, and why.

    An agency that was told once keeps hearing of the incident even when a
    better estimate moves it off its ground: it may have people on the way.

    is_on_ground: where the caller has looked it up for many at once already.
    storm: the incident whose alert speaks for this one too.
    """
    worst = history.severity if history else None
    if is_on_ground is None:
        is_on_ground = touches(agency.jurisdiction, incident.place, incident.ellipse)
    found = route(
        agency,
        is_on_ground=is_on_ground,
        hazard=incident.hazard,
        severity=severity(incident, worst),
        confidence=incident.confidence,
        was_told=history is not None,
    )
    if history is not None:
        return Decision(found, _again(incident, history, now))
    if found.concern is not Concern.TELL:
        return Decision(found, NotifyReason(found.concern.value))
    if any(mute.covers(incident.hazard, incident.place, now, area_m2=incident.area_m2) for mute in mutes):
        return Decision(found, NotifyReason.MUTED)
    return Decision(found, NotifyReason.PART_OF_STORM if storm else NotifyReason.FIRST)


def moved(state: AlertState, act: AlertAct, *, by: Iterable[By]) -> AlertState:
    """Return the state of an alert after an act.

    Raises:
        IllegalMove: the alert is in no state for it; it names the acts there are.
        Forbidden: there is such an act, and it is not for whoever asks.
    """
    move = MOVES.get((state, act))
    if move is None:
        raise IllegalMove(
            "alert", state, act, [a for (s, a) in MOVES if s is state and a is not AlertAct.TELL]
        )
    to, who = move
    if not who & set(by):
        raise Forbidden(f"to {act} an alert is for {' or '.join(sorted(who))}, not for you")
    return to


def storm_of(incident: Incident, others: Iterable[Incident], storms: Mapping[str, str]) -> str | None:
    """Return the incident whose alert is to speak for a new one too, None when it stands alone.

    `others` are live incidents of any hazard, `storms` says which of them are part of which storm.
    The oldest of the crowd is the storm; one that was joined already takes the next in as well.
    """
    lat, lon = incident.place.lat_deg, incident.place.lon_deg
    crowd = [
        other
        for other in others
        if abs(other.place.lat_deg - lat) <= _STORM_DEG
        and other.hazard is incident.hazard
        and abs(other.place.lon_deg - lon) <= _STORM_DEG / max(math.cos(math.radians(lat)), 0.01)
        and other.id != incident.id
        and abs(other.opened_at - incident.opened_at) <= STORM_WITHIN
        and distance_m(other.place, incident.place) <= STORM_M
    ]
    if len(crowd) < STORM_COUNT:
        return None
    oldest = min(crowd, key=lambda other: (other.opened_at, other.id))
    return storms.get(oldest.id, oldest.id)


def severity(incident: Incident, before: Severity | None = None) -> Severity:
    """Return how bad an incident is, from its hazard, its size and its heat.

    The limits are those a duty officer can act on. Open fire is never less than
    yellow: under 2 m² one ranger puts it out, from 2 m² it takes a crew, from
    50 m² it crowns and runs. A hot joint follows the two temperature limits for
    connectors of the Chinese infrared rule DL/T 664 (serious over 90 °C, critical
    over 130 °C). What has no size is taken for the smallest. With `before`, a level
    that was reached holds until the value falls to four fifths of its limit.
    """
    area_m2, temp_c = incident.area_m2 or 0.0, incident.temp_max_c or 0.0
    match incident.hazard:
        case Hazard.FIRE:
            steps = ((50.0, Severity.RED), (2.0, Severity.ORANGE))
            return _step(area_m2, *steps, else_=Severity.YELLOW, before=before)
        case Hazard.FLOOD:
            steps = ((10_000.0, Severity.RED), (500.0, Severity.ORANGE))
            return _step(area_m2, *steps, else_=Severity.YELLOW, before=before)
        case Hazard.HOT_JOINT:
            steps = ((130.0, Severity.ORANGE), (90.0, Severity.YELLOW))
            return _step(temp_c, *steps, else_=Severity.BLUE, before=before)
        case Hazard.SMOKE | Hazard.BURNING | Hazard.INTRUSION | Hazard.LOGGING | Hazard.PERSON:
            return Severity.YELLOW
        case _:
            return Severity.BLUE


def storm_news(part: Incident, told: Told, parts: int, now: datetime) -> NotifyReason:
    """Return whether a storm's alert is told again because one more incident is part of it."""
    if severity(part).rank > told.severity.rank:
        return NotifyReason.WORSE
    has_doubled = (
        parts > STORM_COUNT
        and parts % (STORM_COUNT + 1) == 0
        and (parts // (STORM_COUNT + 1)).bit_count() == 1
    )
    if not has_doubled:
        return NotifyReason.KNOWN
    return NotifyReason.GROWN if now - told.told_at >= REST else NotifyReason.RESTING


def title(hazard: Hazard, place_name: Mapping[str, str], parts: int = 1) -> dict[str, str]:
    """Return the headline in every language; a fire nobody has confirmed is a suspected fire.

    parts: how many incidents the alert speaks for; from two on the headline says so.
    """
    key = "alert.title" if parts == 1 else "alert.title_storm"
    return {
        language: text(key, language, event=event(hazard, language), place=place_name[language], parts=parts)
        for language in LANGUAGES
    }


def event(hazard: Hazard, language: str) -> str:
    """Return what the hazard is called in messages to agencies."""
    return text(f"alert.event.{hazard}", language)


def _again(incident: Incident, history: Told, now: datetime) -> NotifyReason:
    if severity(incident).rank > history.severity.rank:
        return NotifyReason.WORSE
    if history.state in (AlertState.SHELVED, AlertState.CANCELLED):
        return NotifyReason.SHELVED
    if (incident.area_m2 or 0.0) < GROWTH * (history.area_m2 or 0.0) or not incident.area_m2:
        return NotifyReason.KNOWN
    return NotifyReason.GROWN if now - history.told_at >= REST else NotifyReason.RESTING


def _step(
    value: float, *limits: tuple[float, Severity], else_: Severity, before: Severity | None
) -> Severity:
    """Return the first severity whose lower limit the value reaches."""
    for limit, level in limits:
        holds = before is not None and before.rank >= level.rank
        if value >= limit * (KEEPS_AT if holds else 1.0):
            return level
    return else_
