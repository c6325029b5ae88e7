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
from missions.errors import WorkFailed
from missions.items import MOST_ITEMS
from missions.model import Demand, Dock, DroneModel, Plan, Sensor, Site, Sortie, Task
from missions.network import Network
from missions.passes import Pass
from missions.reach import Limits, drones, reachable, unflown
from missions.solver import Fleet, Flight, Problem, Progress, solve
from missions.terrain import Terrain

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
    limits = Limits(longest_s, SOLVER_SHARE)
    faults: tuple[str, ...] = ()
    for _ in range(TRIES):
        flights = _flights(
            network, limits, seconds=seconds, iterations=iterations, seed=seed, workers=workers, tell=tell
        )
        sorties = _ordered([network.sortie(flight) for flight in flights], site)
        explained = {u.demand for u in unserved}
        left = unflown(network, wanted, sorties, limits, explained, language)
        made = Plan(site.id, seed, sorties, tasks, (*unserved, *left))
        faults = check.faults(made, site, terrain, demands=wanted, longest_s=longest_s)
        if not faults:
            return made
        limits = replace(limits, share=limits.share * 0.97)
    raise PlanRefused(faults)


def _silent(what: str, share: float) -> None:
    pass


def _flights(
    network: Network,
    limits: Limits,
    *,
    seconds: float,
    iterations: int | None,
    seed: int,
    workers: int,
    tell: Progress,
) -> list[tuple[Dock, DroneModel, tuple[Pass, ...]]]:
    """Return the flights, with as few rounds of all drones as serve everything within reach."""
    site, within = network.site, reachable(network, limits)
    found: tuple[Flight, ...] = ()
    for rounds in range(_rounds_needed(network, limits, within), MOST_ROUNDS + 1):
        problem, numbers = problem_of(network, limits, within, rounds)
        found = solve(
            problem, seconds=seconds, iterations=iterations, seed=seed, workers=workers, progress=tell
        )
        if sum(len(f.nodes) for f in found) == len(within):
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


def _rounds_needed(network: Network, limits: Limits, tasks: list[int]) -> int:
    """Return how often every drone must fly at least, going by the time over the tasks alone."""
    available = sum(count for _, _, count in drones(network.site))
    over_s = sum(network.alone_s(task) for task in tasks)
    return max(1, math.ceil(over_s / (limits.time_s * max(1, available))))


def problem_of(network: Network, limits: Limits, tasks: list[int], rounds: int) -> tuple[Problem, list[int]]:
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
        fleets=tuple(_fleet(site, limits, drone, rounds) for drone in drones(site)),
        time_s=tuple(matrix[keep][:, keep] for matrix in network.time_s),
        energy_wh=tuple(matrix[keep][:, keep] for matrix in network.energy_wh),
        ways=tuple(ways),
        prizes=tuple(network.tasks[t].prize for t in tasks),
        loads=tuple(_load(network.tasks[t], network.ways[t][0]) for t in tasks),
        longest_s=limits.time_s,
    ), numbers


def _fleet(site: Site, limits: Limits, drone: tuple[int, int, int], rounds: int) -> Fleet:
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
