"""A plan put right when something happens: the smallest change, and why each part of it.

What is in the air stays as it is. Of the other sorties those whose dock is up, whose
drone is there and whose ways are still open stay too; the tasks of the rest, and looks
that have become urgent, are put where they fit best. Only the sorties which that
touches are searched again. The result is proven by `missions.check` like any plan.
"""

import itertools
import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

from missions import check
from missions.airspace import Ground
from missions.coverage import airspace_of, tasks_of
from missions.flights import end_flown, problem_of
from missions.model import Demand, NoFly, Plan, Site, Sortie, Task, Unserved
from missions.network import Network
from missions.planner import LONGEST_S, SOLVER_SHARE, TRIES, PlanRefused
from missions.reach import Limits, reachable, unflown
from missions.routing import problem as routing
from missions.routing.effort import Effort
from missions.routing.insertion import inserted
from missions.routing.parts import part
from missions.routing.problem import Tour, is_within_limits, measure
from missions.routing.repair import repair
from missions.singles import proven, singles
from missions.solver import Problem, to_routing
from missions.terrain import Terrain
from missions.timetable import timetable
from missions.volumes import is_shut
from missions.words import text

# Rounds of the search for each task of the sorties that change.
ROUNDS_PER_TASK = 40
MOST_ROUNDS = 8

# Zones that shut within this count when what is left to fly is put right.
SOON_S = 3 * 3600.0


@dataclass(frozen=True, slots=True)
class News:
    """What has happened since a plan was made, which of its sorties are in the air, and what time it is.

    `at_s` is in seconds after the site's midnight; nothing new starts before it.
    """

    docks_down: frozenset[str] = frozenset()
    drones_late: frozenset[str] = frozenset()
    zones: tuple[NoFly, ...] = ()
    urgent: tuple[Demand, ...] = ()
    in_the_air: frozenset[str] = frozenset()
    at_s: float = 0.0


class Fate(StrEnum):
    """What became of a sortie."""

    IN_THE_AIR = "in_the_air"
    KEPT = "kept"
    CHANGED = "changed"
    NEW = "new"
    DROPPED = "dropped"


@dataclass(frozen=True, slots=True)
class Change:
    """What became of one sortie, and why, in words."""

    sortie: str
    fate: Fate
    why: str


@dataclass(frozen=True, slots=True)
class Replanned:
    """The plan as it is now, the site it holds for, and every sortie's fate."""

    plan: Plan
    site: Site
    changes: tuple[Change, ...] = field(default=())


def replan(
    site: Site,
    old: Plan,
    news: News,
    *,
    terrain: Terrain,
    seed: int = 1,
    longest_s: float = LONGEST_S,
    language: str = "en-US",
) -> Replanned:
    """Return the plan after the news, its sorties in the air untouched.

    Raises:
        PlanRefused: the independent checker found a fault (a defect of ours).
    """
    now = after(site, news)
    wanted = tuple(now.demands)
    flying = tuple(s for s in old.sorties if s.id in news.in_the_air)
    over = {task for sortie in flying for task in sortie.tasks}
    fresh, unserved = _urgent_tasks(now, terrain, news, old, language)
    tasks = (*(t for t in old.tasks if t.id not in over), *fresh)
    told = (*(u for u in old.unserved), *unserved)
    limits = Limits(longest_s, SOLVER_SHARE)
    network = _network(now, terrain, tasks, wanted, news)
    faults: tuple[str, ...] = ()
    for _ in range(TRIES):
        sorties = _sorties(network, old, flying, limits, seed)
        sorties = (*sorties, *_alone(network, (*flying, *sorties), old, now, terrain, limits, news))
        left = unflown(network, wanted, (*flying, *sorties), limits, {u.demand for u in told}, language)
        every = tuple(t for t in old.tasks if t.id in over) + tasks
        made = Plan(old.site, seed, (*flying, *sorties), every, (*told, *left))
        made = _timed(made, old, flying, now, site, news, language)
        faults = _faults(made, site, now, terrain, longest_s, news)
        if not faults:
            return Replanned(made, now, _changes(old, made, news, site, language))
        limits = replace(limits, share=limits.share * 0.97)
        if any("no-fly zone" in fault for fault in faults):
            network = _network(now, terrain, tasks, wanted, None)
    raise PlanRefused(faults)


def _network(
    now: Site, terrain: Terrain, tasks: tuple[Task, ...], wanted: Sequence[Demand], news: News | None
) -> Network:
    """Return the ways between all tasks; with news, zones that have hours count in those from now on."""
    ground = Ground.of(now, terrain, wanted)
    hours = (news.at_s, news.at_s + SOON_S) if news else None
    network = Network(now, airspace_of(now, ground, wanted, hours=hours), tasks, wanted)
    network.measure(lambda what, share: None)
    return network


def _timed(
    made: Plan, old: Plan, flying: Sequence[Sortie], now: Site, site: Site, news: News, language: str
) -> Plan:
    """Return the plan with a timetable, if the old one had one, what finds no place in it left out."""
    if not old.slots:
        return made
    known = {slot.sortie: slot for slot in old.slots}
    held = [(known[s.id], s) for s in flying if s.id in known]
    fresh = replace(made, sorties=tuple(s for s in made.sorties if s not in flying))
    table = timetable(fresh, now, starts_s=news.at_s, after=held, language=language)
    lost = {each.sortie: each for each in table.unplaced}
    demands = {t.id: t.demands for t in made.tasks}
    late = {
        demand: Unserved(
            demand,
            text("unserved.no_place", language, sortie=s.id, why=lost[s.id].reason),
            lost[s.id].would_help,
        )
        for s in fresh.sorties
        if s.id in lost
        for task in s.tasks
        for demand in demands[task]
    }
    left = {u.demand: u for u in (*late.values(), *made.unserved)}
    return replace(
        made,
        sorties=tuple(s for s in made.sorties if s.id not in lost),
        slots=(*(slot for slot, _ in held), *table.slots),
        unserved=tuple(left.values()),
    )


def after(site: Site, news: News) -> Site:
    """Return the site as it is after the news."""
    return replace(
        site,
        drones=tuple(
            d for d in site.drones if d.dock not in news.docks_down and d.id not in news.drones_late
        ),
        no_fly=(*site.no_fly, *news.zones),
        demands=(*site.demands, *news.urgent),
    )


def _urgent_tasks(
    now: Site, terrain: Terrain, news: News, old: Plan, language: str
) -> tuple[tuple[Task, ...], tuple[Unserved, ...]]:
    """Return the tasks of the urgent looks, numbered on, and what of them cannot be seen."""
    if not news.urgent:
        return (), ()
    tasks, unserved = tasks_of(now, terrain, news.urgent, language=language)
    taken = {task.id for task in old.tasks}
    free = (name for name in (f"T{n:03d}" for n in range(1, 100_000)) if name not in taken)
    return tuple(replace(task, id=next(free)) for task in tasks), unserved


def _sorties(
    network: Network, old: Plan, flying: Sequence[Sortie], limits: Limits, seed: int
) -> tuple[Sortie, ...]:
    """Return the sorties that are not in the air, changed as little as the news allow."""
    within = reachable(network, limits)
    standing = [s for s in old.sorties if s not in flying]
    tours: tuple[Tour, ...] = ()
    problem, numbers = problem_of(network, limits, within, 1)
    for rounds in range(_rounds(network.site, standing), MOST_ROUNDS + 1):
        problem, numbers = problem_of(network, limits, within, rounds)
        if not problem.ways or not problem.fleets:
            return ()
        told = to_routing(problem)
        kept = _kept(network, problem, told, numbers, standing)
        tours = _searched_again(told, kept, inserted(told, kept), seed)
        if sum(len(t.nodes) for t in tours) == len(within):
            break
    return _named(network, problem, numbers, tours, old, flying)


def _alone(
    network: Network,
    made: Sequence[Sortie],
    old: Plan,
    now: Site,
    terrain: Terrain,
    limits: Limits,
    news: News,
) -> Iterator[Sortie]:
    """Yield flights of their own for tasks that are in none and that one flight can serve, named on."""
    flown = {task for sortie in made for task in sortie.tasks}
    left = [k for k, task in enumerate(network.tasks) if task.id not in flown]
    hours = news.at_s, news.at_s + SOON_S
    shut = replace(now, no_fly=tuple(replace(z, hours=None) for z in now.no_fly if is_shut(z, hours)))

    def holds(sortie: Sortie) -> bool:
        return bool(proven([sortie], network.tasks, shut, terrain, longest_s=limits.longest_s))

    taken = {sortie.id for sortie in (*made, *old.sorties)}
    free = (name for name in (f"S{n}" for n in itertools.count(1)) if name not in taken)
    for sortie in singles(network, left, holds, longest_s=limits.longest_s):
        yield replace(sortie, id=next(free))


def _rounds(site: Site, standing: Sequence[Sortie]) -> int:
    """Return how often the drones of a dock must fly for the sorties that stand already."""
    drones = Counter((d.dock, d.model) for d in site.drones)
    needed = Counter((s.dock, s.model) for s in standing)
    return max([1, *(math.ceil(n / drones[key]) for key, n in needed.items() if drones[key])])


def _kept(
    network: Network,
    problem: Problem,
    told: routing.Problem,
    numbers: Sequence[int],
    standing: Sequence[Sortie],
) -> tuple[Tour, ...]:
    """Return the sorties that can still be flown, as tours, short of what no longer fits."""
    docks = problem.docks
    by_task: dict[str, list[int]] = {}
    for i, k in enumerate(numbers):
        by_task.setdefault(network.nodes[k].task.id, []).append(docks + i)
    site, tours = network.site, []
    for sortie in standing:
        fleet = next(
            (
                k
                for k, f in enumerate(problem.fleets)
                if site.docks[f.dock].id == sortie.dock and site.models[f.model].name == sortie.model
            ),
            None,
        )
        if fleet is None:
            continue
        nodes = [end_flown(network, numbers, docks, by_task[t], sortie) for t in sortie.tasks if t in by_task]
        tour = _shortened(told, Tour(fleet, tuple(nodes)))
        if tour.nodes:
            tours.append(tour)
    return tuple(tours)


def _shortened(problem: routing.Problem, tour: Tour) -> Tour:
    """Return the tour without the nodes whose going saves most, until it keeps its limits."""
    while tour.nodes and not is_within_limits(problem, tour):
        shorter = [replace(tour, nodes=tour.nodes[:k] + tour.nodes[k + 1 :]) for k in range(len(tour.nodes))]
        tour = min(shorter, key=lambda t: measure(problem, t).time)
    return tour


def _searched_again(
    problem: routing.Problem, kept: Sequence[Tour], tours: tuple[Tour, ...], seed: int
) -> tuple[Tour, ...]:
    """Return the tours with those that are not as they were kept searched by themselves."""
    touched = [tour for tour in tours if tour not in kept]
    if not touched:
        return tours
    rest = [tour for tour in tours if tour in kept]
    job_of = problem.job_of()
    jobs = sorted(int(job_of[node]) for tour in touched for node in tour.nodes)
    mine = part(
        problem,
        jobs,
        used=Counter(t.fleet for t in touched),
        elsewhere=Counter(t.fleet for t in rest),
        spare=0,
    )
    effort = Effort(rounds=max(200, ROUNDS_PER_TASK * len(jobs)))
    return (*rest, *mine.outside(repair(mine.problem, mine.inside(touched), effort, seed=seed).tours))


def _named(
    network: Network,
    problem: Problem,
    numbers: Sequence[int],
    tours: Sequence[Tour],
    old: Plan,
    flying: Sequence[Sortie],
) -> tuple[Sortie, ...]:
    """Return the tours as sorties; each has the name of the old one whose tasks it flies most of."""
    site, docks = network.site, problem.docks
    taken = {sortie.id for sortie in flying}
    number = max((int(s.id[1:]) for s in old.sorties if s.id[1:].isdecimal()), default=0)
    made = []
    for tour in sorted(tours, key=lambda t: -len(t.nodes)):
        fleet = problem.fleets[tour.fleet]
        sortie = network.sortie(
            (
                site.docks[fleet.dock],
                site.models[fleet.model],
                tuple(network.nodes[numbers[node - docks]] for node in tour.nodes),
            )
        )
        same = [s for s in old.sorties if s.id not in taken and s.dock == sortie.dock]
        like = max(same, key=lambda s: len(set(s.tasks) & set(sortie.tasks)), default=None)
        if like is not None and set(like.tasks) & set(sortie.tasks):
            sortie = like if like.tasks == sortie.tasks and like.waypoints == sortie.waypoints else sortie
            name = like.id
        else:
            number += 1
            name = f"S{number}"
        taken.add(name)
        made.append(replace(sortie, id=name))
    return tuple(sorted(made, key=lambda s: int(s.id[1:]) if s.id[1:].isdecimal() else 0))


def _faults(
    made: Plan, site: Site, now: Site, terrain: Terrain, longest_s: float, news: News
) -> tuple[str, ...]:
    """Return what is wrong with the plan; what is in the air is as it was, and not ours to change."""
    # A sortie in the air may come from a dock that is down by now.
    proven = replace(now, drones=site.drones)
    found = check.faults(made, proven, terrain, longest_s=longest_s)
    return tuple(f for f in found if not f.startswith(tuple(f"sortie {s}: " for s in news.in_the_air)))


def _changes(old: Plan, made: Plan, news: News, site: Site, language: str) -> tuple[Change, ...]:
    """Return every sortie's fate, the old ones' and the new ones', with the reason."""
    before = {s.id: s for s in old.sorties}
    home = {task: s.id for s in old.sorties for task in s.tasks}
    found = []
    for sortie in made.sorties:
        was = before.get(sortie.id)
        if sortie.id in news.in_the_air:
            fate, why = Fate.IN_THE_AIR, text("replan.in_the_air", language)
        elif was is not None and was.tasks == sortie.tasks and was.waypoints == sortie.waypoints:
            fate, why = Fate.KEPT, text("replan.kept", language)
        else:
            fate = Fate.CHANGED if was else Fate.NEW
            why = _why(sortie, was, home, before, news, language)
        found.append(Change(sortie.id, fate, why))
    for sortie in old.sorties:
        if sortie.id not in {s.id for s in made.sorties}:
            found.append(Change(sortie.id, Fate.DROPPED, _why_dropped(sortie, site, news, language)))
    return tuple(found)


def _why(
    sortie: Sortie,
    was: Sortie | None,
    home: dict[str, str],
    before: dict[str, Sortie],
    news: News,
    language: str,
) -> str:
    """Return where what is new in a sortie comes from."""
    reasons = []
    came = Counter(home[t] for t in sortie.tasks if t in home and home[t] != sortie.id)
    for origin, count in sorted(came.items()):
        reasons.append(text("replan.takes", language, count=count, origin=origin, dock=before[origin].dock))
    if urgent := sum(t not in home for t in sortie.tasks):
        reasons.append(text("replan.urgent", language, count=urgent))
    if was is not None and (gone := len(set(was.tasks) - set(sortie.tasks))):
        reasons.append(text("replan.gives", language, count=gone))
    if not reasons and news.zones:
        reasons.append(text("replan.round", language, zones=", ".join(z.id for z in news.zones)))
    return "; ".join(reasons) or text("replan.order", language)


def _why_dropped(sortie: Sortie, site: Site, news: News, language: str) -> str:
    if sortie.dock in news.docks_down:
        return text("replan.dock_down", language, dock=sortie.dock)
    late = sorted(d.id for d in site.drones if d.id in news.drones_late and d.dock == sortie.dock)
    if late:
        return text("replan.late", language, drones=", ".join(late))
    return text("replan.elsewhere", language)
