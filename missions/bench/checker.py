"""Plans broken at random in the ways a planner with a defect could break them: the checker must refuse them.

A few random damages do no harm (a picture moved by a hand, a zone beside the
way), so the promise is 99 in 100.
"""

import random
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

from missions import check
from missions.geo import Altitude, Area, Datum, moved
from missions.measure import Job, Row, at_least
from missions.model import NoFly, Plan, Site, Sortie, Waypoint
from missions.planner import plan
from missions.site import load_site
from missions.terrain import Terrain

MUTANTS, TELL_EVERY = 1000, 100
VALLEY = Path(__file__).parents[2] / "examples" / "valley" / "site.yaml"

Mutation = Callable[[Plan, Site, random.Random], tuple[Plan, Site]]


def in_one_sortie(change: Callable[[Sortie, random.Random], Sortie]) -> Mutation:
    def mutate(plan: Plan, site: Site, chance: random.Random) -> tuple[Plan, Site]:
        sorties = list(plan.sorties)
        number = chance.randrange(len(sorties))
        sorties[number] = change(sorties[number], chance)
        return replace(plan, sorties=tuple(sorties)), site

    return mutate


def raised(waypoint: Waypoint, by_m: float) -> Waypoint:
    height = Altitude(waypoint.altitude.metres + by_m, Datum.AMSL)
    return replace(waypoint, altitude=height, above_dock_m=waypoint.above_dock_m + by_m)


def drop_task(sortie: Sortie, chance: random.Random) -> Sortie:
    task = chance.choice(sortie.tasks)
    left = tuple(w for w in sortie.waypoints if w.task != task)
    return replace(sortie, waypoints=left, tasks=tuple(t for t in sortie.tasks if t != task))


def double_task(plan: Plan, site: Site, chance: random.Random) -> tuple[Plan, Site]:
    return replace(plan, sorties=(*plan.sorties, replace(chance.choice(plan.sorties), id="S99"))), site


def swap_pictures(sortie: Sortie, chance: random.Random) -> Sortie:
    points = list(sortie.waypoints)
    shots = [k for k, w in enumerate(points) if w.shoots]
    a, b = chance.sample(shots, 2)
    points[a], points[b] = points[b], points[a]
    return replace(sortie, waypoints=tuple(points))


def over_energy(sortie: Sortie, chance: random.Random) -> Sortie:
    return replace(sortie, energy_wh=sortie.energy_wh * chance.uniform(0.3, 0.95))


def over_time(sortie: Sortie, chance: random.Random) -> Sortie:
    return replace(sortie, flight_s=sortie.flight_s * chance.choice((0.5, 0.9, 1.1, 2.0)))


def under_terrain(sortie: Sortie, chance: random.Random) -> Sortie:
    points = list(sortie.waypoints)
    number = chance.randrange(1, len(points) - 1)
    points[number] = raised(points[number], -chance.uniform(100, 300))
    return replace(sortie, waypoints=tuple(points))


def move_picture(sortie: Sortie, chance: random.Random) -> Sortie:
    points = list(sortie.waypoints)
    number = chance.choice([k for k, w in enumerate(points) if w.shoots])
    place = moved(points[number].place, chance.uniform(0, 360), chance.uniform(5, 200))
    points[number] = replace(points[number], place=place)
    return replace(sortie, waypoints=tuple(points))


def through_a_zone(plan: Plan, site: Site, chance: random.Random) -> tuple[Plan, Site]:
    place = chance.choice(chance.choice(plan.sorties).waypoints).place
    corners = tuple(moved(place, bearing, chance.uniform(5, 40)) for bearing in (0, 90, 180, 270))
    return plan, replace(site, no_fly=(*site.no_fly, NoFly("new", Area(corners))))


def another_dock(plan: Plan, site: Site, chance: random.Random) -> tuple[Plan, Site]:
    def change(sortie: Sortie, chance: random.Random) -> Sortie:
        return replace(sortie, dock=chance.choice([d.id for d in site.docks if d.id != sortie.dock]))

    return in_one_sortie(change)(plan, site, chance)


def without_a_camera(plan: Plan, site: Site, chance: random.Random) -> tuple[Plan, Site]:
    used = {sensor for task in plan.tasks for sensor in task.sensors}
    gone = chance.choice(sorted(used))
    models = tuple(
        replace(m, cameras=tuple(c for c in m.cameras if c.sensor is not gone)) for m in site.models
    )
    return plan, replace(site, models=models)


def weaker_battery(plan: Plan, site: Site, chance: random.Random) -> tuple[Plan, Site]:
    share = chance.uniform(0.05, 0.5)
    most_wh = max(s.energy_wh for s in plan.sorties)
    models = tuple(replace(m, battery_wh=most_wh * share / (1 - m.reserve)) for m in site.models)
    return plan, replace(site, models=models)


def forget_unserved(plan: Plan, site: Site, chance: random.Random) -> tuple[Plan, Site]:
    gone = chance.choice(plan.sorties)
    return replace(plan, sorties=tuple(s for s in plan.sorties if s is not gone), unserved=()), site


MUTATIONS: dict[str, Mutation] = {
    "a task dropped": in_one_sortie(drop_task),
    "a sortie doubled": double_task,
    "two pictures swapped": in_one_sortie(swap_pictures),
    "energy understated": in_one_sortie(over_energy),
    "time misstated": in_one_sortie(over_time),
    "a waypoint under the terrain": in_one_sortie(under_terrain),
    "a picture moved": in_one_sortie(move_picture),
    "a no-fly zone on the way": through_a_zone,
    "another dock": another_dock,
    "a camera gone": without_a_camera,
    "a weaker battery": weaker_battery,
    "a sortie left out": forget_unserved,
}


def rows(job: Job) -> Iterator[Row]:
    """Yield the share of a thousand broken plans of the valley that the checker refuses."""
    site = load_site(VALLEY)
    terrain = Terrain.open(site.terrain)
    whole = plan(site, terrain=terrain, iterations=200)
    mutants = 100 if job.quick else MUTANTS
    refused, tried = refusals(whole, site, terrain, mutants=mutants, seed=1, tell=job.say)
    for kind, many in tried.items():
        job.say(f"{kind}: {refused[kind]} of {many} refused")
        job.raw.write("checker", {"kind": kind, "mutants": many, "refused": refused[kind]})
    yield at_least("checker.refused", refused.total() / mutants, 0.99, unit="1", clock="none")


def refusals(
    plan: Plan,
    site: Site,
    terrain: Terrain,
    *,
    mutants: int,
    seed: int,
    tell: Callable[[str], None] = lambda _text: None,
) -> tuple[Counter[str], Counter[str]]:
    """Return, for each kind of damage, how many broken plans the checker refused, and how many it was shown.

    The kinds take turns, so that a run that is ended has tried them all alike. `tell` hears of each hundred.
    """
    chance = random.Random(seed)
    kinds = sorted(MUTATIONS)
    refused: Counter[str] = Counter(dict.fromkeys(kinds, 0))
    tried: Counter[str] = Counter(dict.fromkeys(kinds, 0))
    for number in range(mutants):
        kind = kinds[number % len(kinds)]
        broken, broken_site = MUTATIONS[kind](plan, site, chance)
        tried[kind] += 1
        refused[kind] += bool(check.faults(broken, broken_site, terrain, demands=site.demands))
        if (number + 1) % TELL_EVERY == 0:
            tell(f"checker: {refused.total()} of {number + 1} broken plans refused")
    return refused, tried
