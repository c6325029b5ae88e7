"""Which incident a sighting belongs to, and which told incident a drone has just seen.

Both are pure decisions on what is open. A witness is far less exact than a drone: what counts is whether
the two places may be one given both errors, not a fixed distance. Smoke, fire and burning straw
are kin: a resident tells of smoke where the drone then sees fire.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import timedelta

import numpy as np

from missions.geo import LatLon, bearing_deg, distance_m
from missions.model import Hazard
from vision.model import Ellipse, Incident, Observation
from vision.tangent import Tangent
from vision.uncertainty import to_covariance, to_ellipse
from vision.witnesses.agreement import MOST_CERTAIN
from vision.witnesses.sighting import Sighting

GATE = 13.8  # squared deviations within which two places may be one: 99.9 % in two dimensions

_KIN = (frozenset({Hazard.FIRE, Hazard.BURNING, Hazard.SMOKE, Hazard.HOT_SPOT}),)
_WORST_FIRST = (Hazard.FIRE, Hazard.BURNING, Hazard.SMOKE, Hazard.HOT_SPOT)

# A word so much later than the last one tells of something new.
LASTS = {Hazard.FLOOD: timedelta(hours=72)}
LASTS_ELSE = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Told:
    """An open incident; `is_exact` says that a drone has seen it, so that words do not move it."""

    incident: Incident
    is_exact: bool


@dataclass(frozen=True, slots=True)
class Attribution:
    """The incident a sighting joined, changed by it; None when it tells of a new one. With the reason."""

    incident: Incident | None
    reason: str


def attribute(open_incidents: Iterable[Told], sighting: Sighting) -> Attribution:
    """Return which open incident a sighting tells of; confidence is not changed here."""
    near = [
        (deviations, told)
        for told in open_incidents
        if are_kin(told.incident.hazard, sighting.hazard)
        and _are_of_one_time(told.incident, sighting)
        and (deviations := _deviations(told.incident, sighting)) <= GATE
    ]
    if not near:
        return Attribution(None, "no open incident is where this one may be")
    _, told = min(near, key=lambda pair: (pair[0], pair[1].incident.opened_at))
    apart = distance_m(told.incident.place, sighting.place)
    reason = f"{apart:.0f} m from the incident, within both errors"
    return Attribution(_joined(told, sighting), reason)


def claimed(told: Iterable[Incident], seen: Observation, opened: Incident) -> Incident | None:
    """Return the incident that a drone's observation confirms, as what the observation opened otherwise.

    It keeps its id, its beginning and the confidence that witnesses gave it, to which the drone's adds.
    """
    near = [
        (deviations, incident)
        for incident in told
        if are_kin(incident.hazard, seen.hazard) and (deviations := _deviations(incident, seen)) <= GATE
    ]
    if not near:
        return None
    _, incident = min(near, key=lambda pair: (pair[0], pair[1].opened_at))
    return replace(
        opened,
        id=incident.id,
        opened_at=min(incident.opened_at, opened.opened_at),
        seen_at=max(incident.seen_at, opened.seen_at),
        confidence=min(MOST_CERTAIN, 1 - (1 - incident.confidence) * (1 - opened.confidence)),
    )


def are_kin(one: Hazard, other: Hazard) -> bool:
    """Return whether two names may be given to one event."""
    return one is other or any(one in kin and other in kin for kin in _KIN)


def worse(one: Hazard, other: Hazard) -> Hazard:
    """Return the worse name of one event that two witnesses name differently."""
    if one not in _WORST_FIRST or other not in _WORST_FIRST:
        return one
    return min(one, other, key=_WORST_FIRST.index)


def fused(place: LatLon, ellipse: Ellipse, other: LatLon, other_ellipse: Ellipse) -> tuple[LatLon, Ellipse]:
    """Return the place and error of two words that err independently."""
    level = Tangent(place, 0.0)
    there = level.local(other.lat_deg, other.lon_deg, 0.0)[:2]
    mine, theirs = to_covariance(ellipse), to_covariance(other_ellipse)
    gain = mine @ np.linalg.inv(mine + theirs)
    lat, lon, _ = level.geodetic(np.array([*(gain @ there), 0.0]))
    return LatLon(float(lat), float(lon)), to_ellipse((np.eye(2) - gain) @ mine)


def _joined(told: Told, sighting: Sighting) -> Incident:
    incident = replace(
        told.incident,
        opened_at=min(told.incident.opened_at, sighting.seen_at),
        seen_at=max(told.incident.seen_at, sighting.seen_at),
    )
    if told.is_exact:
        return incident
    place, ellipse = fused(incident.place, incident.ellipse, sighting.place, sighting.ellipse)
    return replace(incident, place=place, ellipse=ellipse, hazard=worse(incident.hazard, sighting.hazard))


def _are_of_one_time(incident: Incident, sighting: Sighting) -> bool:
    lasts = LASTS.get(sighting.hazard, LASTS_ELSE)
    return incident.opened_at - lasts <= sighting.seen_at <= incident.seen_at + lasts


def _deviations(incident: Incident, word: Sighting | Observation) -> float:
    """Return how many squared deviations lie between two places, given both errors."""
    apart = distance_m(incident.place, word.place)
    if apart == 0:
        return 0.0
    bearing = math.radians(bearing_deg(incident.place, word.place))
    step = apart * np.array([math.sin(bearing), math.cos(bearing)])
    both = to_covariance(incident.ellipse) + to_covariance(word.ellipse)
    return float(step @ np.linalg.solve(both + 1e-6 * np.eye(2), step))
