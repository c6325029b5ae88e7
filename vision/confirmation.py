"""Confirmation over the frames of a moving camera: seen again at the same place on the ground, or not.

Each place where something was seen is a candidate. Every further frame that shows the place and was searched
for the hazard is a look that should have seen it: a hit if it did, a miss if it did not. Hits and misses move
log-odds, as in Wald's sequential test: a hit by `log(Pd / Pf)`, more for a surer one, a miss by
`log((1 - Pd) / (1 - Pf))`, Pd and Pf being how often a look shows a real one and repeats a false one. Two
limits hold a verdict (hysteresis): confirmed from `CONFIRMED_AT` up until below `DOUBTED_AT`, denied from
`DENIED_AT` down until above `WAITING_AT`.

The ground decides, not the pixels: the sun's flash in glass is gone in the next frame, and what stays at the
same pixel while the camera moves on rides with the camera (a bad cell, dirt on the lens) and counts as
missed. A place that nobody looked at again waits: it is neither confirmed nor denied.

Pure: looks go in, candidates come out.
"""

import math
import uuid
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from missions.geo import LatLon, distance_m
from missions.model import Hazard
from vision.model import Observation

FOUND, FALSE = 0.9, 0.12
HIT, MISS = math.log(FOUND / FALSE), math.log((1 - FOUND) / (1 - FALSE))
CONFIRMED_AT, DOUBTED_AT = 3.0, 0.0
DENIED_AT, WAITING_AT = -1.0, 0.5
MOST, LEAST = 8.0, -6.0
NEAREST_GATE_M = 4.0
RIDES_PX, MOVED_M = 3.0, 4.0
FORGOTTEN_S = 1800.0

_GATE_OF_ELLIPSE = 0.75
"""Two looks of one flight share most of their error, so they lie nearer than their ellipses say."""

_NAMES = uuid.UUID("1a1f5d52-6a2e-5a39-8f0d-70f0b9c5d3aa")


class Verdict(StrEnum):
    """What the looks so far say."""

    WAITING = "waiting"
    CONFIRMED = "confirmed"
    DENIED = "denied"


@dataclass(frozen=True, slots=True)
class Seen:
    """One observation of a look, and the pixel it was seen at (None where nobody told)."""

    observation: Observation
    pixel: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True)
class Look:
    """One frame: what it saw, what it was searched for, which ground it shows, and where the camera was."""

    seen_at: datetime
    seen: tuple[Seen, ...]
    searched: frozenset[Hazard]
    shows: Callable[[LatLon], bool]
    camera: LatLon | None = None


@dataclass(frozen=True, slots=True)
class Candidate:
    """A place where something was seen; `looks` are those that should have seen it, `hits` those that did.

    `confirmed_after` is the number of looks it took, None while it is not confirmed.
    """

    id: str
    hazard: Hazard
    place: LatLon
    gate_m: float
    first_at: datetime
    seen_at: datetime
    log_odds: float
    looks: int = 1
    hits: int = 1
    verdict: Verdict = Verdict.WAITING
    confirmed_after: int | None = None
    observations: tuple[str, ...] = ()
    last_pixel: tuple[float, float] | None = None
    last_camera: LatLon | None = None

    @property
    def misses(self) -> int:
        """How many looks showed the place and not the thing."""
        return self.looks - self.hits

    @property
    def certainty(self) -> float:
        """The probability that the log-odds stand for."""
        return 1 / (1 + math.exp(-self.log_odds))


def after(candidates: Iterable[Candidate], look: Look) -> tuple[Candidate, ...]:
    """Return the candidates after one more look, the forgotten ones left out."""
    left = list(look.seen)
    done = []
    for candidate in sorted(candidates, key=lambda c: -c.log_odds):
        if (look.seen_at - candidate.seen_at).total_seconds() > FORGOTTEN_S:
            continue
        match = _nearest(candidate, left)
        if match is not None:
            left.remove(match)
            done.append(_rode(candidate, match, look) or _hit(candidate, match, look))
        elif candidate.hazard in look.searched and look.shows(candidate.place):
            done.append(_judged(replace(candidate, looks=candidate.looks + 1), MISS))
        else:
            done.append(candidate)
    return (*done, *(_new(one, look) for one in left))


def over(looks: Iterable[Look]) -> tuple[Candidate, ...]:
    """Return the candidates of a whole flight, its looks in the order of time, the forgotten ones too."""
    candidates: tuple[Candidate, ...] = ()
    forgotten: list[Candidate] = []
    for look in sorted(looks, key=lambda one: one.seen_at):
        before, candidates = candidates, after(candidates, look)
        left = {c.id for c in candidates}
        forgotten += [c for c in before if c.id not in left]
    return (*forgotten, *candidates)


def weight(confidence: float) -> float:
    """Return by how much a hit of some confidence counts: 0.75 at 0.5, 1.25 at 1."""
    return 0.25 + max(0.0, min(confidence, 1.0))


def _nearest(candidate: Candidate, seen: Sequence[Seen]) -> Seen | None:
    """Return the observation of the same hazard that lies nearest, within both looks' error."""
    near = [
        (distance_m(candidate.place, one.observation.place), i)
        for i, one in enumerate(seen)
        if one.observation.hazard is candidate.hazard
    ]
    near = [(d, i) for d, i in near if d <= max(candidate.gate_m, _gate(seen[i].observation))]
    return seen[min(near)[1]] if near else None


def _gate(observation: Observation) -> float:
    size_m = math.sqrt((observation.area_m2 or 0.0) / math.pi)
    return max(NEAREST_GATE_M, _GATE_OF_ELLIPSE * observation.ellipse.major_m + size_m)


def _rode(candidate: Candidate, match: Seen, look: Look) -> Candidate | None:
    """Return the candidate with a miss if it stayed at its pixel while the camera moved on."""
    before, now, was, at = candidate.last_pixel, match.pixel, candidate.last_camera, look.camera
    if before is None or now is None or was is None or at is None:
        return None
    if math.dist(before, now) > RIDES_PX or distance_m(was, at) < MOVED_M:
        return None
    place = match.observation.place
    moved = replace(candidate, place=place, looks=candidate.looks + 1, last_pixel=now, last_camera=at)
    return _judged(replace(moved, seen_at=look.seen_at), MISS)


def _hit(candidate: Candidate, match: Seen, look: Look) -> Candidate:
    """Return the candidate seen again, its place moved towards the new one."""
    seen = match.observation
    share = 1 / (candidate.hits + 1)
    place = LatLon(
        candidate.place.lat_deg + share * (seen.place.lat_deg - candidate.place.lat_deg),
        candidate.place.lon_deg + share * (seen.place.lon_deg - candidate.place.lon_deg),
    )
    again = replace(
        candidate,
        place=place,
        gate_m=max(NEAREST_GATE_M, min(candidate.gate_m, _gate(seen))),
        seen_at=look.seen_at,
        looks=candidate.looks + 1,
        hits=candidate.hits + 1,
        observations=(*candidate.observations, seen.id),
        last_pixel=match.pixel,
        last_camera=look.camera,
    )
    return _judged(again, HIT * weight(seen.confidence))


def _new(one: Seen, look: Look) -> Candidate:
    seen = one.observation
    return Candidate(
        id=str(uuid.uuid5(_NAMES, seen.id)),
        hazard=seen.hazard,
        place=seen.place,
        gate_m=_gate(seen),
        first_at=look.seen_at,
        seen_at=look.seen_at,
        log_odds=min(HIT * weight(seen.confidence), CONFIRMED_AT - 0.1),
        observations=(seen.id,),
        last_pixel=one.pixel,
        last_camera=look.camera,
    )


def _judged(candidate: Candidate, moved: float) -> Candidate:
    """Return the candidate with its log-odds moved and its verdict held or changed."""
    odds = max(LEAST, min(MOST, candidate.log_odds + moved))
    verdict = candidate.verdict
    if odds >= CONFIRMED_AT:
        verdict = Verdict.CONFIRMED
    elif odds <= DENIED_AT:
        verdict = Verdict.DENIED
    elif (verdict is Verdict.CONFIRMED and odds < DOUBTED_AT) or (
        verdict is Verdict.DENIED and odds > WAITING_AT
    ):
        verdict = Verdict.WAITING
    first = candidate.confirmed_after
    if verdict is Verdict.CONFIRMED and first is None:
        first = candidate.looks
    return replace(candidate, log_odds=odds, verdict=verdict, confirmed_after=first)
