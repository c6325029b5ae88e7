"""Observations joined into incidents: one event seen in many pictures is one incident.

`absorb` is pure: it is handed what is open and one observation and answers with a
decision; whoever keeps the incidents stores it. An observation joins the nearest
incident of its hazard whose place it may share given both ellipses, but never
one more than `FARTHEST_M` away edge to edge, so that two sources 50 m apart stay
two even when seen badly.

Places are fused by inverse covariance. Half of an observation's variance is taken as drift that
the looks of one flight share (slow GPS and gimbal error): it does not average out, so the fused
ellipse never shrinks below it however often the drone looks.
"""

import math
import uuid
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

import numpy as np

from missions.geo import Floats, LatLon, bearing_deg, distance_m
from missions.model import Hazard
from vision.model import Incident, Observation
from vision.tangent import Tangent
from vision.uncertainty import to_covariance, to_ellipse

GATE = 13.8
"""Squared deviations within which two places may be one: 99.9 % in two dimensions."""

FARTHEST_M = 30.0
DRIFT_SHARE = 0.5
MOST_CERTAIN = 0.99
_NAMES = uuid.UUID("6f1c0b1e-6f52-5a37-9d3f-0f2f7f6e7a11")
_NEVER_ALONE = frozenset({Hazard.HOT_SPOT})


class DecisionKind(StrEnum):
    """What an observation did."""

    OPENED = "opened"
    JOINED = "joined"
    IGNORED = "ignored"


@dataclass(frozen=True, slots=True)
class Decision:
    """What an observation did to the open incidents; `incident` is the new or changed one."""

    kind: DecisionKind
    incident: Incident | None
    reason: str


def absorb(open_incidents: Iterable[Incident], observation: Observation, *, now: datetime) -> Decision:
    """Return what one more observation means for the incidents that are open."""
    if observation.hazard in _NEVER_ALONE:
        return Decision(DecisionKind.IGNORED, None, "a hot spot is no incident by itself")
    same = [i for i in open_incidents if i.hazard is observation.hazard]
    if known := next((i for i in same if observation.id in i.observations), None):
        return Decision(DecisionKind.IGNORED, known, "this observation is already counted")
    near = [(deviations, i) for i in same if (deviations := _deviations(i, observation)) is not None]
    if not near:
        return Decision(DecisionKind.OPENED, _opened(observation, now), "no open incident is near enough")
    _, nearest = min(near, key=lambda pair: pair[0])
    apart = distance_m(nearest.place, observation.place)
    return Decision(DecisionKind.JOINED, _joined(nearest, observation), f"{apart:.1f} m from the incident")


def _deviations(incident: Incident, observation: Observation) -> float | None:
    """Return how many squared deviations lie between the two edges, None when too many."""
    apart = distance_m(incident.place, observation.place)
    gap = max(0.0, apart - _radius_m(incident.area_m2) - _radius_m(observation.area_m2))
    if gap > FARTHEST_M:
        return None
    bearing = math.radians(bearing_deg(incident.place, observation.place)) if apart > 0 else 0.0
    step = gap * np.array([math.sin(bearing), math.cos(bearing)])
    both = to_covariance(incident.ellipse) + to_covariance(observation.ellipse)
    squared = float(step @ np.linalg.solve(both + 1e-6 * np.eye(2), step))
    return squared if squared <= GATE else None


def _radius_m(area_m2: float | None) -> float:
    return math.sqrt((area_m2 or 0.0) / math.pi)


def _opened(observation: Observation, now: datetime) -> Incident:
    """Return a new incident of one observation; its id follows from the observation's."""
    return Incident(
        id=str(uuid.uuid5(_NAMES, observation.id)),
        hazard=observation.hazard,
        place=observation.place,
        ellipse=observation.ellipse,
        confidence=observation.confidence,
        opened_at=min(now, observation.seen_at),  # a camera's clock may run ahead
        seen_at=observation.seen_at,
        looks=1,
        area_m2=observation.area_m2,
        temp_max_c=observation.temp_max_c,
        best_shot=observation.shot,
        best_confidence=observation.confidence,
        observations=(observation.id,),
    )


def _joined(incident: Incident, observation: Observation) -> Incident:
    """Return the incident with one more observation in it."""
    place, covariance = _fused(incident, observation)
    better = observation.confidence > incident.best_confidence
    # Looks of one flight repeat each other's mistakes: each counts half towards certainty.
    doubt = (1 - incident.confidence) * math.sqrt(1 - observation.confidence)
    return replace(
        incident,
        place=place,
        ellipse=to_ellipse(covariance),
        confidence=max(incident.confidence, min(MOST_CERTAIN, 1 - doubt)),
        opened_at=min(incident.opened_at, observation.seen_at),
        seen_at=max(incident.seen_at, observation.seen_at),
        looks=incident.looks + 1,
        area_m2=_largest(incident.area_m2, observation.area_m2),
        temp_max_c=_largest(incident.temp_max_c, observation.temp_max_c),
        best_shot=observation.shot if better else incident.best_shot,
        best_confidence=max(incident.best_confidence, observation.confidence),
        observations=(*incident.observations, observation.id),
    )


def _fused(incident: Incident, observation: Observation) -> tuple[LatLon, Floats]:
    """Return the place and covariance of both: what is white is averaged, the drift stays."""
    seen = to_covariance(observation.ellipse)
    drift = DRIFT_SHARE * seen
    white = seen - drift
    settled = _at_least(to_covariance(incident.ellipse) - drift, 0.02 * white)
    gain = settled @ np.linalg.inv(settled + white)
    level = Tangent(incident.place, 0.0)
    there = level.local(observation.place.lat_deg, observation.place.lon_deg, 0.0)[:2]
    lat, lon, _ = level.geodetic(np.array([*(gain @ there), 0.0]))
    return LatLon(float(lat), float(lon)), (np.eye(2) - gain) @ settled + drift


def _at_least(covariance: Floats, floor: Floats) -> Floats:
    """Return the covariance with no direction tighter than the floor's tightest."""
    values, vectors = np.linalg.eigh((covariance + covariance.T) / 2)
    lowest = float(np.linalg.eigvalsh(floor)[0])
    return np.asarray(vectors @ np.diag(np.maximum(values, lowest)) @ vectors.T)


def _largest(a: float | None, b: float | None) -> float | None:
    return max((v for v in (a, b) if v is not None), default=None)
