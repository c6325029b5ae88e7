"""Observations joined into incidents: one event seen in many pictures is one incident.

`absorb` is pure: it is handed what is open and one observation and answers with a
decision and its reason; whoever keeps the incidents stores it. An observation joins the incident of
its hazard that it is nearest to, in squared deviations of both ellipses and of what it looks
like. It is compared with every source of an incident, so a fire line is one incident however
long, while two sources 50 m apart stay two even when seen badly (`spots.FARTHEST_M`).

Incidents merge when an observation's body lies over both, or when further looks bring them to
the same place. The older one goes on and keeps both histories; the other ends in it.
"""

import math
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from functools import reduce

from missions.model import Hazard
from vision import spots, told
from vision.model import Incident, IncidentState, Observation, Spot
from vision.spots import Nearness

MOST_CERTAIN = 0.99
GROWN, GROWN_M2, GROWN_AFTER_S = 1.5, 10.0, 60.0
"""An incident grows when its area is half as large again and 10 m² more than a minute and more before."""

_NAMES = uuid.UUID("6f1c0b1e-6f52-5a37-9d3f-0f2f7f6e7a11")
_NEVER_ALONE = frozenset({Hazard.HOT_SPOT})
_UNLIKE_MOST = 6.0
_AREA_FACTOR, _TEMP_C = math.log(10.0), 200.0


class DecisionKind(StrEnum):
    """What an observation did."""

    OPENED = "opened"
    JOINED = "joined"
    MERGED = "merged"
    IGNORED = "ignored"


@dataclass(frozen=True, slots=True)
class Decision:
    """What an observation did to the open incidents; `incident` is the new or changed one.

    `ended` are the incidents that went on in it, closed.
    """

    kind: DecisionKind
    incident: Incident | None
    reason: str
    ended: tuple[Incident, ...] = ()


def absorb(open_incidents: Iterable[Incident], observation: Observation, *, now: datetime) -> Decision:
    """Return what one more observation means for the incidents that are open."""
    if observation.hazard in _NEVER_ALONE:
        return Decision(DecisionKind.IGNORED, None, "a hot spot is no incident by itself")
    same = [i for i in open_incidents if i.hazard is observation.hazard and i.state.is_live]
    if known := next((i for i in same if observation.id in i.observations), None):
        return Decision(DecisionKind.IGNORED, known, "this observation is already counted")
    near = [n for i in same if (n := spots.nearness(i, observation)) is not None]
    if not near:
        return Decision(DecisionKind.OPENED, _opened(observation, now), "no open incident is near enough")
    near.sort(key=lambda n: n.squared + _unlike(n.incident, observation))
    joined = _joined(near[0], observation, now)
    others = [n for n in near[1:] if _is_one_with(joined, near[0], n)]
    if others:
        return _merged(joined, near[0], others)
    return Decision(DecisionKind.JOINED, joined, _why(near[0]))


def _is_one_with(joined: Incident, first: Nearness, other: Nearness) -> bool:
    """Return whether an incident that was joined and another that is near are one event."""
    if first.overlaps and other.overlaps and not _is_coarse(other) and not _is_coarse(first):
        return True
    return spots.same_place(joined, other.incident)


def _is_coarse(near: Nearness) -> bool:
    return near.incident.ellipse.major_m > spots.COARSE_M


def _why(near: Nearness) -> str:
    """Return why an observation joined."""
    if near.overlaps:
        return f"{near.apart_m:.1f} m from the incident, their ground overlaps"
    many = (
        f", at its source {near.spot + 1} of {len(near.incident.spots)}"
        if len(near.incident.spots) > 1
        else ""
    )
    return (
        f"{near.apart_m:.1f} m from the incident{many}: {math.sqrt(near.squared):.1f} deviations, "
        f"{math.sqrt(spots.GATE):.1f} allowed"
    )


def _unlike(incident: Incident, seen: Observation) -> float:
    """Return how unlike the two look, in squared deviations; it weighs, but never decides alone."""
    total = 0.0
    if incident.area_m2 and seen.area_m2:
        total += (math.log(incident.area_m2 / seen.area_m2) / _AREA_FACTOR) ** 2
    if incident.temp_max_c is not None and seen.temp_max_c is not None:
        total += ((incident.temp_max_c - seen.temp_max_c) / _TEMP_C) ** 2
    return min(total, _UNLIKE_MOST)


def _opened(seen: Observation, now: datetime) -> Incident:
    """Return a new incident of one observation; its id follows from the observation's."""
    at = min(now, seen.seen_at)  # a camera's clock may run ahead
    return Incident(
        id=str(uuid.uuid5(_NAMES, seen.id)),
        hazard=seen.hazard,
        place=seen.place,
        ellipse=seen.ellipse,
        confidence=seen.confidence,
        opened_at=at,
        seen_at=at,
        looks=1,
        area_m2=seen.area_m2,
        temp_max_c=seen.temp_max_c,
        best_shot=seen.shot,
        best_confidence=seen.confidence,
        observations=(seen.id,),
        spots=spots.with_end((spots.new_spot(seen),), seen),
        base_area_m2=seen.area_m2,
        base_at=at,
        facts=seen.facts,
    )


def _joined(near: Nearness, seen: Observation, now: datetime) -> Incident:
    """Return the incident with one more observation in it."""
    incident, at = near.incident, min(now, seen.seen_at)
    parts = spots.with_look(spots.spots_of(incident), near, seen)
    place, ellipse = spots.middle(parts)
    better = seen.confidence > incident.best_confidence
    # Looks of one flight repeat each other's mistakes: each counts half towards certainty.
    doubt = (1 - incident.confidence) * math.sqrt(1 - seen.confidence)
    grown = Incident(
        id=incident.id,
        hazard=incident.hazard,
        place=place,
        ellipse=ellipse,
        confidence=max(incident.confidence, min(MOST_CERTAIN, 1 - doubt)),
        opened_at=min(incident.opened_at, at),
        seen_at=max(incident.seen_at, at),
        looks=incident.looks + 1,
        area_m2=_area(incident.hazard, _largest(incident.area_m2, seen.area_m2), parts),
        temp_max_c=_largest(incident.temp_max_c, seen.temp_max_c),
        best_shot=seen.shot if better else incident.best_shot,
        best_confidence=max(incident.best_confidence, seen.confidence),
        observations=(*incident.observations, seen.id),
        spots=parts,
        merged=incident.merged,
        base_area_m2=incident.base_area_m2,
        base_at=incident.base_at,
        facts=told.joined(seen.facts, incident.facts) if better else told.joined(incident.facts, seen.facts),
    )
    return _marked_growth(grown, incident.state)


def _marked_growth(incident: Incident, before: IncidentState) -> Incident:
    """Return the incident as growing where its area grew, with the area it is measured against next."""
    base, area, since = incident.base_area_m2, incident.area_m2, incident.base_at
    if area is None or since is None or (incident.seen_at - since).total_seconds() < GROWN_AFTER_S:
        still = before is IncidentState.GROWING
        return replace(incident, state=IncidentState.GROWING) if still else incident
    grows = area >= GROWN * (base or 0.0) and area - (base or 0.0) >= GROWN_M2
    state = IncidentState.GROWING if grows else IncidentState.OPEN
    return replace(incident, state=state, base_area_m2=area, base_at=incident.seen_at)


def _area(hazard: Hazard, largest: float | None, parts: Sequence[Spot]) -> float | None:
    """Return the area of the event: its largest look's, or all sources' where looks do not overlap."""
    if largest is None or len(parts) == 1 or hazard in spots.OVERLAPPING:
        return largest
    return max(largest, spots.area_m2(parts))


def _merged(joined: Incident, first: Nearness, others: Sequence[Nearness]) -> Decision:
    """Return the oldest of several incidents with the histories of all."""
    whole = sorted([joined, *(n.incident for n in others)], key=lambda i: (i.opened_at, i.id))
    parts = spots.thinned(tuple(s for i in whole for s in spots.spots_of(i)))
    place, ellipse = spots.middle(parts)
    best = max(whole, key=lambda i: i.best_confidence)
    survivor = replace(
        whole[0],
        place=place,
        ellipse=ellipse,
        confidence=max(i.confidence for i in whole),
        seen_at=max(i.seen_at for i in whole),
        looks=sum(i.looks for i in whole),
        area_m2=_area(joined.hazard, max(i.area_m2 or 0.0 for i in whole), parts),
        temp_max_c=max((i.temp_max_c for i in whole if i.temp_max_c is not None), default=None),
        best_shot=best.best_shot,
        best_confidence=best.best_confidence,
        observations=tuple(o for i in whole for o in i.observations),
        state=joined.state,
        spots=parts,
        facts=reduce(told.joined, (i.facts for i in whole), best.facts),
        merged=(*(m for i in whole for m in i.merged), *(i.id for i in whole[1:])),
    )
    ended = tuple(replace(i, state=IncidentState.CLOSED) for i in whole[1:])
    how = (
        "its ground lies over both" if all(n.overlaps for n in (first, *others)) else "both are at one place"
    )
    return Decision(
        DecisionKind.MERGED,
        survivor,
        f"{how}: {', '.join(i.id for i in ended)} goes on in {survivor.id}",
        ended,
    )


def _largest(a: float | None, b: float | None) -> float | None:
    return max((v for v in (a, b) if v is not None), default=None)
