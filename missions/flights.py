"""The flights over one network of tasks: the routing problem, its search, and the answer as sorties."""

import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest

from missions.crossing import crossed
from missions.items import MOST_ITEMS
from missions.model import Dock, DroneModel, Sensor, Site, Sortie, Task
from missions.network import Network
from missions.passes import Pass
from missions.reach import Limits, drones, reachable
from missions.solver import Best, Fleet, Flight, Problem, Progress, solve

# A flight controller's list and a dock's link bound the pictures of one sortie.
MOST_SHOTS = 300

# Items a sortie has beside its tasks, and those each task adds on the way to it.
ITEMS_OF_A_SORTIE, ITEMS_OF_A_WAY = 10, 4
ITEMS_OF_A_TURN = 3

# A must is worth so many times what it would be otherwise.
MUST = 100

# How often the drones fly at most within the hours planned for, and how many such numbers are tried.
MOST_ROUNDS = 96
TRIED_ROUNDS = 3

# Where flights do not serve or hold as they should, another try may take such a part of the seconds.
TRY_AGAIN = 0.25


@dataclass(frozen=True, slots=True)
class Search:
    """How to look for flights: so long or so many rounds, from which seed, in how many processes.

    It ends early within `gap` of a proven bound, or when `cancelled` says so; `best` hears the cost so far.
    """

    seconds: float = 10.0
    iterations: int | None = None
    seed: int = 1
    workers: int = 1
    longest_s: float = 1320.0
    land_elsewhere: bool = False
    gap: float = 0.0
    cancelled: Callable[[], bool] | None = None
    best: Best | None = None

    @property
    def is_cancelled(self) -> bool:
        """Whether somebody has asked for what there is so far."""
        return self.cancelled is not None and self.cancelled()

    def tried(self, number: int) -> "Search":
        """Return the search of try `number`, 0 for the first: each after it takes a part of the seconds."""
        return replace(self, seconds=self.seconds * TRY_AGAIN) if number else self


def found(
    network: Network,
    limits: Limits,
    search: Search,
    *,
    hours_s: float,
    tell: Progress,
    start: Sequence[Sortie] = (),
) -> list[Sortie]:
    """Return the sorties, with as few rounds of all drones as serve everything within reach.

    `hours_s` is how long there is to fly them; `start` are sorties to begin from.
    """
    within = reachable(network, limits)
    if not within:
        return []
    best: tuple[int, list[Sortie]] = (-1, [])
    choices = _rounds(network, limits, within, hours_s)
    if start:
        choices = [_rounds_of(start, network.site, choices[-1])]
    for number, rounds in enumerate(choices):
        if search.is_cancelled and rounds < choices[-1]:
            continue
        problem, numbers = problem_of(network, limits, within, rounds)
        flights = solve(
            problem,
            seconds=search.tried(number).seconds,
            iterations=search.iterations,
            seed=search.seed,
            workers=search.workers,
            start=_started(network, problem, numbers, start),
            gap=search.gap,
            cancelled=search.cancelled,
            best=search.best,
            progress=tell,
        )
        served = sum(len(f.nodes) for f in flights)
        if served > best[0]:
            ended = [(f, network.site.docks[problem.fleets[f.fleet].dock]) for f in flights]
            if search.land_elsewhere:
                ended = crossed(network, problem, flights, limits)
            best = served, [_sortie(network, problem, numbers, f, end) for f, end in ended]
        if served == len(within):
            break
    return best[1]


def _sortie(network: Network, problem: Problem, numbers: Sequence[int], flight: Flight, end: Dock) -> Sortie:
    return network.sortie(flown(network, problem, numbers, flight), end=end)


def flown(
    network: Network, problem: Problem, numbers: Sequence[int], flight: Flight
) -> tuple[Dock, DroneModel, tuple[Pass, ...]]:
    """Return a flight's dock, model and passes."""
    site, docks = network.site, problem.docks
    fleet = problem.fleets[flight.fleet]
    passes = tuple(network.nodes[numbers[node - docks]] for node in flight.nodes)
    return site.docks[fleet.dock], site.models[fleet.model], passes


def _rounds(network: Network, limits: Limits, tasks: list[int], hours_s: float) -> list[int]:
    """Return how often each drone may fly: as few times as the work needs, then more."""
    available = sum(count for _, _, count in drones(network.site))
    over_s = sum(network.alone_s(task) for task in tasks)
    least = max(1, math.ceil(over_s / (limits.time_s * max(1, available))))
    turn_s = min((_turn_s(network.site, limits, drone) for drone in drones(network.site)), default=hours_s)
    most = max(least, min(MOST_ROUNDS, math.floor(hours_s / turn_s) or 1))
    return sorted({least, min(least + 1, most), most})[:TRIED_ROUNDS]


def _turn_s(site: Site, limits: Limits, drone: tuple[int, int, int]) -> float:
    """Return how long a drone needs at least to empty its battery and to fill it again."""
    d, m, _ = drone
    model = site.models[m]
    most_w = max(model.hover_w, model.climb_w, model.cruise_w, model.descent_w)
    return min(limits.time_s, limits.energy_wh(model) / most_w * 3600) + site.docks[d].charge_s


def _rounds_of(start: Sequence[Sortie], site: Site, most: int) -> int:
    """Return how often each drone may fly so that the sorties to begin from are among the choices."""
    held = Counter((d.dock, d.model) for d in site.drones)
    used = Counter((s.dock, s.model) for s in start)
    return max([most, *(math.ceil(n / held[key]) for key, n in used.items() if held[key])])


def _started(
    network: Network, problem: Problem, numbers: Sequence[int], start: Sequence[Sortie]
) -> list[Flight]:
    """Return sorties as flights of the problem, by the ends their tasks are flown from."""
    nodes: dict[str, list[int]] = {}
    for i, k in enumerate(numbers):
        nodes.setdefault(network.nodes[k].task.id, []).append(problem.docks + i)
    site, made = network.site, []
    for sortie in start:
        kinds = [
            k
            for k, f in enumerate(problem.fleets)
            if (site.docks[f.dock].id, site.models[f.model].name) == (sortie.dock, sortie.model)
        ]
        if kinds and all(task in nodes for task in sortie.tasks):
            ends = [end_flown(network, numbers, problem.docks, nodes[t], sortie) for t in sortie.tasks]
            made.append(Flight(kinds[0], tuple(ends)))
    return made


def end_flown(
    network: Network, numbers: Sequence[int], docks: int, nodes: Sequence[int], sortie: Sortie
) -> int:
    """Return the node of a task that begins with the picture the sortie takes first."""
    for node in nodes:
        passing = network.nodes[numbers[node - docks]]
        look = next(step.look for step in passing.steps if step.look)
        first = next(w for w in sortie.shots if w.task == passing.task.id)
        if look.place == first.place:
            return node
    return nodes[0]


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
        prizes=tuple(prize(network.tasks[t]) for t in tasks),
        loads=tuple(_load(network.tasks[t], network.ways[t][0]) for t in tasks),
        longest_s=limits.time_s,
        worth_s=tuple(network.tasks[t].worth_s for t in tasks),
    ), numbers


def prize(task: Task) -> int:
    """Return what a task is worth beside others."""
    return task.prize * (MUST if task.must else 1)


def _fleet(site: Site, limits: Limits, drone: tuple[int, int, int], rounds: int) -> Fleet:
    d, m, count = drone
    model = site.models[m]
    carried = tuple(MOST_SHOTS * bool(model.camera(sensor)) for sensor in Sensor)
    items = math.floor((MOST_ITEMS - ITEMS_OF_A_SORTIE) * limits.share)
    return Fleet(d, m, count * rounds, limits.energy_wh(model), (items, *carried))


def _load(task: Task, way: Pass) -> tuple[int, ...]:
    """Return the mission items a task takes, and its pictures for each sensor it needs."""
    turns = sum(look.heading_deg is not None or look.dwell_s > 0 for look in task.looks)
    items = len(way.steps) + len(task.looks) + ITEMS_OF_A_WAY + ITEMS_OF_A_TURN * turns
    return (items, *(len(task.looks) * (sensor in task.sensors) for sensor in Sensor))


def ordered(sorties: Sequence[Sortie], site: Site, *, first: int = 1) -> tuple[Sortie, ...]:
    """Return the sorties in the order to start them, named: the docks in turn, the longest first."""
    queues = [
        sorted((s for s in sorties if s.dock == dock.id), key=lambda s: -s.flight_s) for dock in site.docks
    ]
    turns = [s for turn in zip_longest(*queues) for s in turn if s is not None]
    return tuple(replace(s, id=f"S{number}") for number, s in enumerate(turns, start=first))
