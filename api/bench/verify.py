"""Row `verify.minutes_saved`: a look dispatched for an unconfirmed report, against the next scheduled pass.

Simulated on the site's own plan. Patrols begin every shortest revisit time; a report comes at a random
minute of such a cycle about a random place in ground that is watched for fire. Waiting, the place is
seen when the next patrol's picture shows it. Dispatched, it is seen when the look that
`api.looks.smallest` really plans gets there: from the nearest dock whose drone is back and charged enough
by then, with the measured time of planning and the time from order to take-off. Wind, failures and a
second report at once are left out.
"""

import random
import statistics
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise

from api.looks import CannotLook, Sought, demand, smallest
from api.schedule import LAUNCH_GAP, Heard
from api.settings import read
from missions.geo import Area, LatLon, distance_m
from missions.measure import Job, Row, measured
from missions.model import Hazard, Plan, Site, Sortie, Waypoint
from missions.planner import plan
from missions.site import load_site
from missions.terrain import Terrain
from vision.model import Ellipse

REPORTS, FEW = 60, 8
RADIUS_M = 60.0  # a resident's pin
PREPARE_S = 75.0  # door, upload, read-back and arming, as the simulated docks and drones take it
SEES_M = 38.0  # half the narrower side of a thermal picture from 120 m
STEP_S = 60.0
_EPOCH_AT = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Patrol:
    """One flight of every cycle: by which drone, when after the cycle begins, what it shows when."""

    drone: str
    starts_s: float
    sortie: Sortie
    passes: tuple[tuple[LatLon, float], ...]


def rows(job: Job) -> Iterator[Row]:
    """Yield how many minutes a dispatched look saves, and after how many it is there."""
    site = load_site(read().site)
    terrain = Terrain.open(site.terrain)
    cycle_s = min(d.revisit_s for d in site.demands if Hazard.FIRE in d.hazards)
    patrols = _patrols(site, plan(site, terrain=terrain, iterations=200, seed=1))
    chance = random.Random(7)
    events = []
    for number in range(FEW if job.quick else REPORTS):
        place, at_s = _somewhere(site, patrols, chance), chance.uniform(0.0, cycle_s)
        waits_s = _next_pass_s(place, at_s, patrols, cycle_s)
        looks_s = _dispatched_s(site, terrain, place, at_s, patrols)
        events.append(
            {
                "report": number,
                "lat_deg": place.lat_deg,
                "lon_deg": place.lon_deg,
                "at_min": at_s / 60,
                "scheduled_min": waits_s / 60,
                "dispatched_min": looks_s / 60,
            }
        )
        job.say(f"  report {number + 1}: {looks_s / 60:.1f} min instead of {waits_s / 60:.0f}")
    job.raw.write("verify", *events)
    saved = [e["scheduled_min"] - e["dispatched_min"] for e in events]
    there = [e["dispatched_min"] for e in events]
    yield measured("verify.minutes_saved", round(statistics.median(saved), 1), unit="min", clock="simulated")
    yield measured(
        "verify.minutes_to_look", round(statistics.median(there), 1), unit="min", clock="simulated"
    )
    yield measured("verify.minutes_to_look_most", round(max(there), 1), unit="min", clock="simulated")


def _patrols(site: Site, made: Plan) -> list[Patrol]:
    """Return the flights of a cycle; each dock launches its own, a gap apart, each drone once."""
    free = {dock.id: [d.id for d in site.drones if d.dock == dock.id] for dock in site.docks}
    launched = dict.fromkeys(free, 0)
    found = []
    for sortie in made.sorties:
        turn = launched[sortie.dock]
        drones = free[sortie.dock]
        rounds = turn // len(drones)
        starts = turn * LAUNCH_GAP.total_seconds() + rounds * 3600.0 + PREPARE_S
        launched[sortie.dock] += 1
        passes = tuple((w.place, starts + at_s) for w, at_s in _times(sortie) if w.shoots)
        found.append(Patrol(drones[turn % len(drones)], starts, sortie, passes))
    return found


def _times(sortie: Sortie) -> list[tuple[Waypoint, float]]:
    """Return each waypoint with when it is passed, the flight's time shared out by distance."""
    legs = [0.0, *(distance_m(a.place, b.place) + 1.0 for a, b in pairwise(sortie.waypoints))]
    whole, gone, found = sum(legs), 0.0, []
    for waypoint, leg in zip(sortie.waypoints, legs, strict=True):
        gone += leg
        found.append((waypoint, sortie.flight_s * gone / whole))
    return found


def _somewhere(site: Site, patrols: Sequence[Patrol], chance: random.Random) -> LatLon:
    """Return a place in an area that is watched for fire and that the patrols show."""
    areas = [d.where for d in site.demands if Hazard.FIRE in d.hazards and isinstance(d.where, Area)]
    while True:
        ring = chance.choice(areas).outer
        lats, lons = [p.lat_deg for p in ring], [p.lon_deg for p in ring]
        place = LatLon(chance.uniform(min(lats), max(lats)), chance.uniform(min(lons), max(lons)))
        if _first_shown_s(place, patrols) is not None:
            return place


def _first_shown_s(place: LatLon, patrols: Sequence[Patrol]) -> float | None:
    times = [at_s for p in patrols for where, at_s in p.passes if distance_m(where, place) <= SEES_M]
    return min(times, default=None)


def _next_pass_s(place: LatLon, at_s: float, patrols: Sequence[Patrol], cycle_s: float) -> float:
    """Return how long after the report the next scheduled picture shows the place."""
    shown_s = _first_shown_s(place, patrols)
    assert shown_s is not None
    return shown_s - at_s if shown_s > at_s else shown_s + cycle_s - at_s


def _dispatched_s(
    site: Site, terrain: Terrain, place: LatLon, at_s: float, patrols: Sequence[Patrol]
) -> float:
    """Return how long after the report a look that is dispatched for it shows the place."""
    wanted = demand("look:bench", Sought(place, Ellipse(RADIUS_M, RADIUS_M, 0.0), Hazard.SMOKE), site)
    waited_s = 0.0
    while True:
        began = time.perf_counter()
        made = smallest(site, terrain, wanted, _ready(site, patrols, at_s + waited_s))
        planning_s = time.perf_counter() - began
        if not isinstance(made, CannotLook):
            break
        waited_s += STEP_S
    first = made.sorties[0]
    shots = [at for w, at in _times(first) if w.shoots]
    near = [at for w, at in _times(first) if w.shoots and distance_m(w.place, place) <= SEES_M]
    return waited_s + planning_s + PREPARE_S + (min(near) if near else max(shots))


def _ready(site: Site, patrols: Sequence[Patrol], at_s: float) -> list[Heard]:
    """Return the drones that stand in their docks at a moment of the cycle, with their charge."""
    found = []
    for drone in site.drones:
        model, dock = site.model(drone.model), site.dock(drone.dock)
        used_percent, idle_s = 0.0, at_s
        mine = [p for p in patrols if p.drone == drone.id and p.starts_s <= at_s]
        if mine:
            last = max(mine, key=lambda p: p.starts_s)
            back_s = last.starts_s + last.sortie.flight_s
            if back_s > at_s:
                continue
            used_percent, idle_s = 100.0 * last.sortie.energy_wh / model.battery_wh, at_s - back_s
        charge = min(100.0, 100.0 - used_percent + 100.0 * idle_s / dock.charge_s)
        found.append(Heard(drone.id, drone.dock, drone.model, "docked", charge, _EPOCH_AT))
    return found
