"""Rows `day200.*`: a day of 200 docks, 120,000 frames, through the rules that decide who is told.

The world is drawn from a seed: 200 docks in 20 counties, a forestry and an emergency office in each,
three sorties a dock and 200 frames a sortie. What the detectors do with it is drawn from what was
measured of them (docs/measurements/valley-seeds.md: 20 demos, 17,160 pictures, 201 of 201 fires found,
none of 311 hot things that are no fire told as one). Where nothing went wrong in so many, the rate taken
here is not nought but the highest that is still likely (95 %): three in so many.

    a false detection somewhere in a picture          3 in 17,160 frames
    a roof, kiln or chimney that is taken for fire    3 in 311, and then on every pass
    a fire that one look does not show                3 in 201 looks

Ten hot things stand around every dock, forty fires begin in the day. Everything then runs through
the code that runs in service: `vision.openincidents` (identity), `api.routing`, `api.alerts`
(thresholds with hysteresis, storms, what is told again). The agencies ask for the confidence they are given
when their site file says nothing; what stays below waits in the review queue and counts as told to nobody.
With 0.75 instead, which one weak look does not reach, officers hear half as much that is false, and of 800
fires one was left in the queue: it burned late, and its only looks were two weak ones.

A false alarm is a message to an officer about an incident in which nothing burned; a fire is missed when
no officer of its county was told of it by the end of the day.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import numpy as np

from api import alerts
from api.alerts import Told
from api.routing import Grounds, Places
from missions.geo import Area, LatLon
from missions.measure import Job, Row, at_most, measured
from missions.model import LEAST_CONFIDENCE, Agency, Hazard, Severity, Subscription
from vision.incidents import DecisionKind
from vision.model import Ellipse, Incident, Observation
from vision.openincidents import OpenIncidents

DOCKS, SORTIES, FRAMES = 200, 3, 200
FALSE_A_FRAME, MISTAKEN, OVERLOOKED = 3 / 17_160, 3 / 311, 3 / 201
HOT_THINGS, FIRES = 10, 40
LOOKS_A_PASS = (2, 5)
"""Pictures of one pass in which a place lies: lanes overlap by 30 %, pictures along a lane by 35 %."""

SHIFT_S = 12 * 3600.0
DAYS, QUICK_DAYS = 20, 2
SEED = 20261122
SOUTH, WEST, SPACING_DEG, ROW = 29.0, 118.0, 0.06, 20
NOISE_DEG = 1.5e-5
BEGAN = datetime(2026, 6, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Look:
    """One detection: when, where it was put, how sure, how large, and which fire it shows, if one."""

    at: datetime
    place: LatLon
    confidence: float
    area_m2: float
    fire: int | None


@dataclass(slots=True)
class Day:
    """What a day came to: false messages by (agency, shift), fires told and fires that burned."""

    false: Counter[tuple[str, int]] = field(default_factory=Counter)
    told: set[int] = field(default_factory=set)
    burned: int = 0
    looks: int = 0
    reviews: int = 0


def rows(job: Job) -> Iterator[Row]:
    """Yield `day200.false_per_officer_shift`, `.true_missed` and what stands beside them."""
    agencies = counties()
    days = [
        simulate(np.random.default_rng(SEED + n), agencies) for n in range(QUICK_DAYS if job.quick else DAYS)
    ]
    shifts = len(agencies) * 2 * len(days)
    false = sum(sum(day.false.values()) for day in days)
    missed = sum(day.burned - len(day.told) for day in days)
    for number, day in enumerate(days):
        by_officer = {f"{agency}/{shift}": many for (agency, shift), many in day.false.items()}
        facts = {"burned": day.burned, "told": len(day.told), "looks": day.looks, "reviews": day.reviews}
        job.raw.write("day200", {"day": number, **facts, "false": by_officer})
    anchor = "1 false alarm per 100 frames would be 1,200 a day"
    unit = f"in 12 h, {len(agencies)} officers, {len(days)} days"
    yield at_most(
        "day200.false_per_officer_shift", false / shifts, 2, unit=unit, clock="simulated", anchor=anchor
    )
    burned = sum(day.burned for day in days)
    yield at_most("day200.true_missed", missed, 0, unit=f"of {burned} fires", clock="simulated")
    worst = max((max(day.false.values(), default=0) for day in days), default=0)
    yield measured("day200.worst_officer_shift", worst, unit="false in 12 h", clock="simulated")
    yield measured("day200.false_a_day", false / len(days), unit="messages", clock="simulated")
    looks, reviews = sum(day.looks for day in days), sum(day.reviews for day in days)
    yield measured("day200.detections_a_day", looks / len(days), unit="", clock="simulated")
    yield measured("day200.reviews_a_day", reviews / len(days), unit="waiting", clock="simulated")


def simulate(rng: np.random.Generator, agencies: tuple[Agency, ...]) -> Day:
    """Return one day: every detection in the order of its time, decided as in service."""
    day, grounds, live = Day(burned=FIRES), Grounds(agencies), OpenIncidents()
    shows: dict[str, int | None] = {}
    told: dict[tuple[str, str], Told] = {}
    waiting: set[tuple[str, str]] = set()
    storms: dict[str, str] = {}
    for number, look in enumerate(sorted(looks(rng), key=lambda look: look.at)):
        day.looks += 1
        decision = live.absorb(_observation(number, look), now=look.at)
        incident = decision.incident
        if incident is None or decision.kind is DecisionKind.IGNORED:
            continue
        incident = replace(incident, observations=())
        live.put(incident)
        shows[incident.id] = look.fire if look.fire is not None else shows.get(incident.id)
        _, found = grounds.touched(Places.of([(incident.place, incident.ellipse)]))
        for index in found:
            agency = agencies[index]
            history = told.get((incident.id, agency.id))
            storm = None if history else alerts.storm_of(incident, live, storms)
            made = alerts.decide(incident, agency, history, look.at, is_on_ground=True, storm=storm)
            if made.notify is alerts.NotifyReason.TOO_UNCERTAIN:
                waiting.add((incident.id, agency.id))
            if made.notify is alerts.NotifyReason.PART_OF_STORM and storm is not None:
                if (storm, agency.id) in told:
                    storms[incident.id] = storm
                    _count(day, agency, shows[incident.id], None)
                    continue
                made = replace(made, notify=alerts.NotifyReason.FIRST)
            if made.notify.tells:
                waiting.discard((incident.id, agency.id))
                told[incident.id, agency.id] = _told(history, incident, look.at)
                _count(day, agency, shows[incident.id], look.at)
    day.reviews = len(waiting)
    return day


def looks(rng: np.random.Generator) -> Iterator[Look]:
    """Yield every detection of a day: what is false once, what is false on every pass, and fires."""
    frames = DOCKS * SORTIES * FRAMES
    for _ in range(rng.binomial(frames, FALSE_A_FRAME)):
        at = BEGAN + timedelta(seconds=float(rng.uniform(0, 2 * SHIFT_S)))
        yield Look(at, _somewhere(rng, int(rng.integers(DOCKS))), float(rng.uniform(0.6, 0.75)), 0.4, None)
    for dock in range(DOCKS):
        passes = _passes(rng)
        for _ in range(rng.binomial(HOT_THINGS, MISTAKEN)):
            place, area = _somewhere(rng, dock), float(rng.uniform(0.3, 1.8))
            for began in passes:
                yield from _pass(rng, place, began, area, None, shown=1.0)
    for fire in range(FIRES):
        dock = int(rng.integers(DOCKS))
        passes = _passes(rng)
        place, area = _somewhere(rng, dock), float(np.exp(rng.normal(1.0, 1.2)))
        seen_from = int(rng.integers(len(passes)))
        for grown, began in enumerate(passes[seen_from:]):
            yield from _pass(rng, place, began, area * 1.5**grown, fire, shown=1 - OVERLOOKED)


def counties() -> tuple[Agency, ...]:
    """Return a forestry and an emergency office for every ten docks, their grounds side by side."""
    found = []
    for county in range(DOCKS // 10):
        row, column = divmod(county, ROW // 2)
        south, west = SOUTH + row * 5 * SPACING_DEG, WEST + column * 2 * SPACING_DEG
        north, east = south + 5 * SPACING_DEG, west + 2 * SPACING_DEG
        ring = (LatLon(south, west), LatLon(south, east), LatLon(north, east), LatLon(north, west))
        for name, floor in (("forestry", Severity.BLUE), ("emergency", Severity.ORANGE)):
            wants = (Subscription(frozenset({Hazard.FIRE, Hazard.SMOKE}), floor, LEAST_CONFIDENCE),)
            office = f"{name}-{county}"
            found.append(Agency(office, {"en-US": office}, "en-US", (Area(ring),), wants))
    return tuple(found)


def _count(day: Day, agency: Agency, fire: int | None, at: datetime | None) -> None:
    """Count a message: a fire as told, anything else as a false alarm of the shift it came in."""
    if fire is not None:
        day.told.add(fire)
    elif at is not None:
        day.false[agency.id, int((at - BEGAN).total_seconds() // SHIFT_S)] += 1


def _told(history: Told | None, incident: Incident, at: datetime) -> Told:
    worst = max(
        (alerts.severity(incident), *([history.severity] if history else [])), key=lambda level: level.rank
    )
    largest = max(incident.area_m2 or 0.0, (history.area_m2 or 0.0) if history else 0.0)
    return Told(worst, largest, at)


def _observation(number: int, look: Look) -> Observation:
    return Observation(
        f"o{number}",
        Hazard.FIRE,
        look.confidence,
        look.place,
        Ellipse(5.0, 4.0, 30.0),
        look.at,
        f"f{number}",
        "measured",
        look.area_m2,
        400.0,
    )


def _pass(
    rng: np.random.Generator, place: LatLon, began: datetime, area: float, fire: int | None, *, shown: float
) -> Iterator[Look]:
    for number in range(int(rng.integers(*LOOKS_A_PASS))):
        if rng.uniform() <= shown:
            lat, lon = rng.normal(0, NOISE_DEG, 2)
            at = began + timedelta(seconds=4.0 * number)
            there = LatLon(place.lat_deg + float(lat), place.lon_deg + float(lon))
            yield Look(at, there, float(rng.uniform(0.6, 0.98)), area, fire)


def _passes(rng: np.random.Generator) -> list[datetime]:
    starts = np.sort(rng.uniform(0, 2 * SHIFT_S - 3600.0, SORTIES))
    return [BEGAN + timedelta(seconds=float(s)) for s in starts]


def _somewhere(rng: np.random.Generator, dock: int) -> LatLon:
    row, column = divmod(dock, ROW)
    lat, lon = rng.uniform(0.05, 0.95, 2) * SPACING_DEG
    return LatLon(SOUTH + row * SPACING_DEG + float(lat), WEST + column * SPACING_DEG + float(lon))
