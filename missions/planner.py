"""The front door: one site, one plan.

    demands -> tasks (coverage) -> ways of flying them (passes, airspace)
            -> time and energy between all of them (network) -> sorties (solver)
            -> proof (check)

A plan that the checker does not accept is never returned.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest

from missions import check
from missions.airspace import Ground
from missions.coverage import airspace_of, tasks_of
from missions.energy import usable_wh
from missions.errors import WorkFailed
from missions.geo import distance_m
from missions.items import MOST_ITEMS
from missions.model import Demand, Dock, DroneModel, Plan, Sensor, Site, Sortie, Task, Unserved
from missions.network import Network
from missions.passes import Pass
from missions.solver import Fleet, Flight, Problem, Progress, solve
from missions.terrain import Terrain
from missions.words import text

# Everything the agencies watch is looked at afresh within one such sortie, launched together.
LONGEST_S = 22 * 60.0

# A flight controller's list and a dock's link bound the pictures of one sortie.
MOST_SHOTS = 300

# Items a sortie has beside its tasks, and those each task adds on the way to it.
ITEMS_OF_A_SORTIE, ITEMS_OF_A_WAY = 10, 4

# Part of the limits the solver may use: distances are rounded, turns onto a climb simplified.
SOLVER_SHARE = 0.985
TRIES = 4
MOST_ROUNDS = 4


@dataclass
class PlanRefused(WorkFailed):
    """The checker found a fault in what the planner made."""

    faults: tuple[str, ...]

    def __str__(self) -> str:
        return "the plan does not hold: " + "; ".join(self.faults[:5])


def plan(
    site: Site,
    *,
    terrain: Terrain,
    seconds: float = 10.0,
    iterations: int | None = None,
    seed: int = 1,
    demands: Sequence[Demand] | None = None,
    progress: Progress | None = None,
    workers: int = 1,
    longest_s: float = LONGEST_S,
    language: str = "en-US",
) -> Plan:
    """Return sorties that serve the demands (the site's unless given), and what they leave and why.

    With `iterations` the same seed gives the same plan on every machine;
    without, planning stops after `seconds`, or earlier when nothing gets better.
    `progress` is told what is done and how much of it, 0 to 1.

    Raises:
        PlanRefused: the independent checker found a fault (a defect of ours).
    """
    tell = progress or _silent
    wanted = tuple(site.demands if demands is None else demands)
    tell("laying out looks", 0.0)
    tasks, unserved = tasks_of(site, terrain, wanted, language=language)
    network = Network(site, airspace_of(site, Ground.of(site, terrain, wanted), wanted), tasks, wanted)
    network.measure(tell)
    limits = _Limits(longest_s, SOLVER_SHARE)
    faults: tuple[str, ...] = ()
    for _ in range(TRIES):
        flights = _flights(
            network, limits, seconds=seconds, iterations=iterations, seed=seed, workers=workers, tell=tell
        )
        sorties = _ordered([network.sortie(flight) for flight in flights], site)
        explained = {u.demand for u in unserved}
        left = _unflown(network, wanted, sorties, limits, explained, language)
        made = Plan(site.id, seed, sorties, tasks, (*unserved, *left))
        faults = check.faults(made, site, terrain, demands=wanted, longest_s=longest_s)
        if not faults:
            return made
        limits = replace(limits, share=limits.share * 0.97)
    raise PlanRefused(faults)


def _silent(what: str, share: float) -> None:
    pass


@dataclass(frozen=True, slots=True)
class _Limits:
    """What a sortie may take: the longest flight, and the share of it and of the energy to plan with."""

    longest_s: float
    share: float

    @property
    def time_s(self) -> float:
        return self.longest_s * self.share

    def energy_wh(self, model: DroneModel) -> float:
        return usable_wh(model) * self.share


def _flights(
    network: Network,
    limits: _Limits,
    *,
    seconds: float,
    iterations: int | None,
    seed: int,
    workers: int,
    tell: Progress,
) -> list[tuple[Dock, DroneModel, tuple[Pass, ...]]]:
    """Return the flights, with as few rounds of all drones as serve everything within reach."""
    site, reachable = network.site, _reachable(network, limits)
    found: tuple[Flight, ...] = ()
    for rounds in range(_rounds_needed(network, limits, reachable), MOST_ROUNDS + 1):
        problem, numbers = _problem(network, limits, reachable, rounds)
        found = solve(
            problem, seconds=seconds, iterations=iterations, seed=seed, workers=workers, progress=tell
        )
        if sum(len(f.nodes) for f in found) == len(reachable):
            break
    docks = len(site.docks)
    return [
        (
            site.docks[problem.fleets[f.fleet].dock],
            site.models[problem.fleets[f.fleet].model],
            tuple(network.nodes[numbers[node - docks]] for node in f.nodes),
        )
        for f in found
    ]


def _reachable(network: Network, limits: _Limits) -> list[int]:
    """Return the tasks that some drone can fly there and back within its limits."""
    return [
        task
        for task in range(len(network.tasks))
        if any(_fits(network, limits, task, drone) for drone in _drones(network.site))
    ]


def _drones(site: Site) -> list[tuple[int, int, int]]:
    """Return (dock, model, how many drones) as indices, leaving out what the wind keeps down."""
    found = []
    for d, dock in enumerate(site.docks):
        for m, model in enumerate(site.models):
            count = sum(x.dock == dock.id and x.model == model.name for x in site.drones)
            if count and site.wind.speed_m_s <= min(dock.max_wind_m_s, model.max_wind_m_s):
                found.append((d, m, count))
    return found


def _fits(network: Network, limits: _Limits, task: int, drone: tuple[int, int, int]) -> bool:
    d, m, _ = drone
    model = network.site.models[m]
    if not all(model.camera(s) for s in network.tasks[task].sensors):
        return False
    docks = len(network.site.docks)
    time_s, energy_wh = network.time_s[m], network.energy_wh[m]
    return any(
        time_s[d, n] + time_s[n, d] <= limits.time_s
        and energy_wh[d, n] + energy_wh[n, d] <= limits.energy_wh(model)
        for n in (docks + k for k in network.node_numbers(task))
    )


def _rounds_needed(network: Network, limits: _Limits, reachable: list[int]) -> int:
    """Return how often every drone must fly at least, going by the time over the tasks alone."""
    drones = sum(count for _, _, count in _drones(network.site))
    over_s = sum(network.alone_s(task) for task in reachable)
    return max(1, math.ceil(over_s / (limits.time_s * max(1, drones))))


def _problem(network: Network, limits: _Limits, tasks: list[int], rounds: int) -> tuple[Problem, list[int]]:
    """Return the routing problem of these tasks, and which pass each of its nodes stands for."""
    site, docks = network.site, len(network.site.docks)
    numbers = [n for task in tasks for n in network.node_numbers(task)]
    keep = [*range(docks), *(docks + n for n in numbers)]
    ways, first = [], docks
    for task in tasks:
        ways.append(tuple(range(first, first + len(network.ways[task]))))
        first += len(network.ways[task])
    return Problem(
        docks=docks,
        fleets=tuple(_fleet(site, limits, drone, rounds) for drone in _drones(site)),
        time_s=tuple(matrix[keep][:, keep] for matrix in network.time_s),
        energy_wh=tuple(matrix[keep][:, keep] for matrix in network.energy_wh),
        ways=tuple(ways),
        prizes=tuple(network.tasks[t].prize for t in tasks),
        loads=tuple(_load(network.tasks[t], network.ways[t][0]) for t in tasks),
        longest_s=limits.time_s,
    ), numbers


def _fleet(site: Site, limits: _Limits, drone: tuple[int, int, int], rounds: int) -> Fleet:
    d, m, count = drone
    model = site.models[m]
    carried = tuple(MOST_SHOTS * bool(model.camera(sensor)) for sensor in Sensor)
    items = math.floor((MOST_ITEMS - ITEMS_OF_A_SORTIE) * limits.share)
    return Fleet(d, m, count * rounds, limits.energy_wh(model), (items, *carried))


def _load(task: Task, way: Pass) -> tuple[int, ...]:
    """Return the mission items a task takes, and its pictures for each sensor it needs."""
    items = len(way.steps) + len(task.looks) + ITEMS_OF_A_WAY
    return (items, *(len(task.looks) * (sensor in task.sensors) for sensor in Sensor))


def _ordered(sorties: list[Sortie], site: Site) -> tuple[Sortie, ...]:
    """Return the sorties in the order to start them: the docks in turn, the longest first."""
    queues = [
        sorted((s for s in sorties if s.dock == dock.id), key=lambda s: -s.flight_s) for dock in site.docks
    ]
    turns = [s for turn in zip_longest(*queues) for s in turn if s is not None]
    return tuple(replace(s, id=f"S{number}") for number, s in enumerate(turns, start=1))


def _unflown(
    network: Network,
    demands: Sequence[Demand],
    sorties: tuple[Sortie, ...],
    limits: _Limits,
    explained: set[str],
    language: str,
) -> list[Unserved]:
    """Return the demands whose looks are not all flown, each with the reason and a remedy."""
    flown = {task for sortie in sorties for task in sortie.tasks}
    left = []
    for demand in demands:
        missing = [k for k, t in enumerate(network.tasks) if demand.id in t.demands and t.id not in flown]
        if missing and demand.id not in explained:
            why, values = _why(network, missing, limits)
            values["looks"] = _looks(network, demand, missing)
            values["all"] = _looks(network, demand, range(len(network.tasks)))
            left.append(
                Unserved(
                    demand.id,
                    text(f"unserved.{why}", language, **values),
                    text(f"unserved.{why}.help", language, **values),
                )
            )
    return left


def _looks(network: Network, demand: Demand, tasks: Sequence[int]) -> int:
    return sum(demand.id in look.demands for k in tasks for look in network.tasks[k].looks)


def _why(network: Network, tasks: list[int], limits: _Limits) -> tuple[str, dict[str, object]]:
    """Return why the worst of these tasks is not flown, with the numbers that show it."""
    site = network.site
    if not _drones(site):
        return "wind", {"wind": site.wind.speed_m_s}
    alone = [(network.there_and_back(task), task) for task in tasks]
    if any(found is None for found, _ in alone):
        return "no_way", {}
    reachable = set(_reachable(network, limits))
    far = [(found, task) for found, task in alone if found is not None and task not in reachable]
    if not far:
        return "no_time", {}
    (cost, dock), task = max(far, key=lambda each: each[0][0].time_s)
    away_m = distance_m(dock.place, network.tasks[task].looks[0].place)
    model = max(site.models, key=usable_wh)
    within = min(limits.time_s / cost.time_s, limits.energy_wh(model) / cost.energy_wh)
    return "too_far", {
        "distance": away_m / 1000,
        "needed": cost.energy_wh,
        "minutes": cost.time_s / 60,
        "usable": usable_wh(model),
        "longest": limits.longest_s / 60,
        "within": away_m * within / 1000,
    }


def saving(
    shared: Plan,
    site: Site,
    *,
    terrain: Terrain,
    seconds: float = 10.0,
    iterations: int | None = None,
    seed: int = 1,
    workers: int = 1,
    progress: Progress | None = None,
) -> float | None:
    """Return the share of flight time that flying together saves over each agency flying alone.

    None when the agencies alone would not fly at all.
    """
    alone_s = 0.0
    for agency in dict.fromkeys(d.agency for d in site.demands):
        alone_s += plan(
            site,
            terrain=terrain,
            seconds=seconds,
            iterations=iterations,
            seed=seed,
            workers=workers,
            progress=progress,
            demands=[d for d in site.demands if d.agency == agency],
        ).flight_s
    return round(1 - shared.flight_s / alone_s, 4) if alone_s else None
