"""How an incident ends: not seen for long, or looked at and not there.

`absorb` opens incidents and lets them grow; here they fade and close. Silence is not proof: an
incident that nobody looked at fades after hours by its hazard, while looks that would have shown
it and did not close it as soon as it is unlikely that all of them overlooked it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from missions.model import Hazard
from vision.model import Incident, IncidentState

SURELY_GONE = 0.05
"""The chance that every clean look overlooked it, below which an incident is closed."""

_HOUR_S = 3600.0


@dataclass(frozen=True, slots=True)
class Silence:
    """After how long without a sight an incident fades, and closes (None: never by itself)."""

    fades_s: float
    closes_s: float | None


_USUAL = Silence(12 * _HOUR_S, None)
SILENCE: Mapping[Hazard, Silence] = {
    Hazard.FIRE: Silence(2 * _HOUR_S, 24 * _HOUR_S),
    Hazard.SMOKE: Silence(0.5 * _HOUR_S, 6 * _HOUR_S),
    Hazard.BURNING: Silence(1 * _HOUR_S, 12 * _HOUR_S),
    Hazard.FLOOD: Silence(12 * _HOUR_S, 72 * _HOUR_S),
    Hazard.PERSON: Silence(0.25 * _HOUR_S, 2 * _HOUR_S),
    Hazard.WILDLIFE: Silence(0.25 * _HOUR_S, 2 * _HOUR_S),
    Hazard.INTRUSION: Silence(1 * _HOUR_S, 24 * _HOUR_S),
}
"""What is not named fades after half a day and stays until somebody looks: a cleared forest, a hot joint."""


@dataclass(frozen=True, slots=True)
class Change:
    """An incident in its new state, and why."""

    incident: Incident
    reason: str


def aged(incident: Incident, *, now: datetime) -> Change | None:
    """Return the incident faded or closed by time, None where nothing changes."""
    silent_s = (now - incident.seen_at).total_seconds()
    limits = SILENCE.get(incident.hazard, _USUAL)
    if not incident.state.is_live:
        return None
    if limits.closes_s is not None and silent_s >= limits.closes_s:
        return _changed(incident, IncidentState.CLOSED, f"not seen for {silent_s / _HOUR_S:.1f} h")
    if silent_s >= limits.fades_s and incident.state is not IncidentState.FADING:
        return _changed(incident, IncidentState.FADING, f"not seen for {silent_s / _HOUR_S:.1f} h")
    return None


def looked(incident: Incident, *, at: datetime, chance: float) -> Change | None:
    """Return the incident after a look that showed its place and not it.

    `chance` (0 to 1) is how likely that look would have shown it. None where the look is older
    than the last sight of it or counted already, or the incident is over.
    """
    counted_at = max(incident.seen_at, incident.looked_at or incident.seen_at)
    if at <= counted_at or not incident.state.is_live:
        return None
    missed = incident.clean_miss * (1.0 - chance)
    quieter = replace(incident, clean_miss=missed, looked_at=at)
    if missed < SURELY_GONE:
        return _changed(
            quieter, IncidentState.CLOSED, f"looked at and not there: overlooked {missed:.0%} at most"
        )
    return _changed(
        quieter, IncidentState.FADING, f"looked at and not seen: it may have been overlooked ({missed:.0%})"
    )


def _changed(incident: Incident, state: IncidentState, reason: str) -> Change:
    return Change(replace(incident, state=state), reason)
