"""Rows `identity` and `neighbours50`: whether observations of one source, and only those, are one incident.

Sources burn on true hills, some of them exactly 50 m apart. Two drones fly over them three times each,
twice in every flight, with hours in between, and every picture shows whatever lies in it.
"""

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from missions.geo import Floats
from missions.measure import Job, Row, at_least, measured
from missions.model import Hazard
from vision.bench import truth
from vision.georeference import Located, locate
from vision.incidents import DecisionKind
from vision.model import Observation
from vision.openincidents import OpenIncidents

APART_M = 50.0
_ALONE_M = 150.0
_IN_VIEW_M = 250.0
_DRONES, _FLIGHTS, _PASSES, _LOOKS = ("D1", "D2"), 3, 2, 3
_FLIGHT_EVERY_S, _PASS_EVERY_S, _LOOK_EVERY_S = 3600.0, 240.0, 4.0
_SOURCES, _PAIRS = 120, 210


@dataclass(frozen=True, slots=True)
class Told:
    """One observation: of which source, and into which incident it went."""

    source: int
    incident: str


def identity(job: Job) -> Iterator[Row]:
    """Yield pair precision and recall over repeated passes, flights and drones."""
    rng = np.random.default_rng(81)
    told, opened = _fly(rng, _scatter(rng, _SOURCES // (6 if job.quick else 1)))
    job.raw.write("identity", *({"source": t.source, "incident": t.incident} for t in told))
    precision, recall = pairs(told)
    anchor = "one fire → three alerts"
    yield at_least("identity.precision", precision, 0.98, unit="", clock="none", anchor=anchor)
    yield at_least("identity.recall", recall, 0.95, unit="", clock="none", anchor=anchor)
    sources = len({t.source for t in told})
    yield measured("identity.incidents_per_source", opened / sources, unit="", clock="none")


def neighbours(job: Job) -> Iterator[Row]:
    """Yield the share of sources 50 m apart that end as incidents of their own."""
    rng = np.random.default_rng(82)
    kept, count = 0, _PAIRS // (10 if job.quick else 1)
    for n in range(count):
        turn = rng.uniform(0, 2 * math.pi)
        one = rng.uniform(-300, 300, 2)
        both = np.stack([one, one + APART_M * np.array([math.sin(turn), math.cos(turn)])])
        told, _ = _fly(rng, both)
        mixed = {t.incident for t in told if t.source == 0} & {t.incident for t in told if t.source == 1}
        kept += not mixed
        job.raw.write("neighbours50", {"pair": n, "kept": not mixed, "observations": len(told)})
    yield at_least("neighbours50.kept", kept / count, 0.99, unit="", clock="none")


def pairs(told: Sequence[Told]) -> tuple[float, float]:
    """Return precision and recall over all pairs of observations: same incident against same source."""
    both = Counter((t.source, t.incident) for t in told)
    sources, incidents = Counter(t.source for t in told), Counter(t.incident for t in told)
    right = sum(math.comb(n, 2) for n in both.values())
    return (
        right / sum(math.comb(n, 2) for n in incidents.values()),
        right / sum(math.comb(n, 2) for n in sources.values()),
    )


def _scatter(rng: np.random.Generator, count: int) -> Floats:
    """Return level places of sources: a third of them pairs 50 m apart, the others by themselves."""
    side = math.sqrt(count) * _ALONE_M
    places: list[Floats] = []
    while len(places) < count:
        one = rng.uniform(-side, side, 2)
        if any(np.hypot(*(one - p)) < _ALONE_M for p in places):
            continue
        places.append(one)
        if len(places) % 6 == 0:
            turn = rng.uniform(0, 2 * math.pi)
            places.append(one + APART_M * np.array([math.sin(turn), math.cos(turn)]))
    return np.array(places)


def _fly(rng: np.random.Generator, level: Floats) -> tuple[list[Told], int]:
    """Return every observation of all flights with its incident at the end, and how many incidents opened."""
    hills = truth.hills(rng)
    ground = truth.model(rng, hills)
    targets = [truth.on_ground(p, hills) for p in level]
    areas = np.exp(rng.normal(math.log(3.0), 0.8, len(targets)))
    temps = rng.uniform(150, 500, len(targets))
    seen = [
        (source, observation)
        for flight in range(_FLIGHTS)
        for drone in _DRONES
        for source, observation in _flight(rng, targets, areas, temps, hills, ground, flight, drone)
    ]
    seen.sort(key=lambda pair: pair[1].seen_at)
    live, went, into, opened = OpenIncidents(), {}, {}, 0
    for source, observation in seen:
        decision = live.absorb(observation, now=observation.seen_at)
        assert decision.incident is not None
        opened += decision.kind is DecisionKind.OPENED
        for ended in decision.ended:
            into[ended.id] = decision.incident.id
        went[observation.id] = (source, decision.incident.id)
    return [Told(source, _at_last(incident, into)) for source, incident in went.values()], opened


def _flight(
    rng: np.random.Generator,
    targets: Sequence[Floats],
    areas: Floats,
    temps: Floats,
    hills: truth.Waves,
    ground: truth.Model,
    flight: int,
    drone: str,
) -> Iterator[tuple[int, Observation]]:
    """Yield what one flight sees: it passes every source twice and takes a few pictures each time."""
    drifts = truth.Drifts(rng)
    begins_s = flight * _FLIGHT_EVERY_S + (0.5 * _FLIGHT_EVERY_S if drone == _DRONES[1] else 0.0)
    at_s = begins_s
    above = rng.uniform(60.0, 120.0)
    for sweep in range(_PASSES):
        at_s = max(at_s, begins_s + sweep * _PASS_EVERY_S)
        for aim in rng.permutation(len(targets)):
            azimuth, angle = rng.uniform(0, 360), rng.uniform(0.0, 45.0)
            for _ in range(_LOOKS):
                at_s += _LOOK_EVERY_S
                taken = truth.take(
                    rng,
                    drifts,
                    targets[int(aim)],
                    hills,
                    azimuth_deg=azimuth,
                    off_nadir_deg=angle,
                    above_m=above,
                    at_s=at_s,
                    drone=drone,
                )
                if taken is not None:
                    yield from _shown(rng, taken, targets, areas, temps, hills, ground, f"{drone}-{at_s:.0f}")


def _shown(
    rng: np.random.Generator,
    taken: truth.Taken,
    targets: Sequence[Floats],
    areas: Floats,
    temps: Floats,
    hills: truth.Waves,
    ground: truth.Model,
    shot: str,
) -> Iterator[tuple[int, Observation]]:
    """Yield an observation of every source that one picture shows."""
    for source, target in enumerate(targets):
        if np.hypot(*(target[:2] - taken.view.at_m[:2])) > 250 or not truth.is_seen(
            taken.view, target, hills
        ):
            continue
        pixel = truth.pixel_of(taken.view.at_m, taken.view.turn, target) + rng.normal(size=2) * truth.PIXEL_PX
        at = locate(truth.CAMERA, taken.pose, pixel[0], pixel[1], ground=ground)
        if not isinstance(at, Located):
            continue
        yield (
            source,
            Observation(
                id=f"{shot}#{source}",
                hazard=Hazard.FIRE,
                confidence=0.8,
                place=at.place,
                ellipse=at.ellipse,
                seen_at=taken.seen_at,
                shot=shot,
                detector="bench",
                area_m2=float(areas[source] * math.exp(rng.normal(0, 0.3))),
                temp_max_c=float(temps[source] + rng.normal(0, 30)),
                drone=taken.drone,
                sight=at.sight,
            ),
        )


def _at_last(incident: str, into: dict[str, str]) -> str:
    """Return the incident in which one that merged goes on."""
    while incident in into:
        incident = into[incident]
    return incident
