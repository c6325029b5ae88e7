"""Which tasks fly together, and in which order: the routing problem, solved by PyVRP.

A sortie is a vehicle of PyVRP, energy is its distance and time its duration, so
both limits hold at once. Every task is optional with a prize that outweighs any
flying, because a plan must come even when not everything can be flown. A strip
is a group of two clients of which at most one is visited: one for each end it
may be flown from. What flying a strip takes is part of the arc into it. The
matrices need not be symmetric: wind and climbing are in them.
"""

import math
import time
import warnings
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from typing import Any

import numpy as np
import pyvrp
from pyvrp.exceptions import PenaltyBoundWarning

from missions.geo import Floats

# PyVRP counts in whole numbers: tenths of a second and hundredths of a watt hour.
PER_S = 10
PER_WH = 100

# One more sortie costs a dock's door twice, a battery cycle and a landing.
SORTIE_S = 120.0

# On the valley (58 tasks) no gain in 2,500 rounds came later than 970 rounds after the one before.
PATIENCE = 2000

Progress = Callable[[str, float], None]


@dataclass(frozen=True, slots=True)
class Fleet:
    """Sorties alike: from one dock, with one model, so many at most."""

    dock: int
    model: int
    sorties: int
    usable_wh: float
    capacity: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Problem:
    """Nodes are the docks, then each task's ways of being flown.

    `time_s[m][i, j]` and `energy_wh[m][i, j]` are, for model m, the cost of
    going from the end of i to the end of j; infinite where it cannot be.
    `ways[t]` are the nodes of task t; `loads[t]` what it takes of each capacity.
    """

    docks: int
    fleets: tuple[Fleet, ...]
    time_s: tuple[Floats, ...]
    energy_wh: tuple[Floats, ...]
    ways: tuple[tuple[int, ...], ...]
    prizes: tuple[int, ...]
    loads: tuple[tuple[int, ...], ...]
    longest_s: float


@dataclass(frozen=True, slots=True)
class Flight:
    """The nodes of one sortie in order, docks left out."""

    fleet: int
    nodes: tuple[int, ...]


def solve(
    problem: Problem,
    *,
    seconds: float,
    iterations: int | None,
    seed: int,
    workers: int = 1,
    progress: Progress | None = None,
) -> tuple[Flight, ...]:
    """Return the sorties; a task that is in none did not fit.

    With `iterations` the answer depends on them, the seed and the workers alone;
    without, also on how fast the machine is. Each worker searches from a seed
    of its own, and the best answer is taken.
    """
    if not problem.ways or not problem.fleets:
        return ()
    search = partial(_search, problem, seconds, iterations)
    if workers <= 1:
        return search(seed, progress)[1]
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        answers = list(pool.map(search, [seed + k * 1000 for k in range(workers)]))
    return min(answers, key=lambda answer: answer[0])[1]


def _search(
    problem: Problem,
    seconds: float,
    iterations: int | None,
    seed: int,
    progress: Progress | None = None,
) -> tuple[float, tuple[Flight, ...]]:
    stop = _Stop(seconds, iterations, progress)
    with warnings.catch_warnings():
        # A task nobody can fit makes PyVRP try ever higher penalties; it is left out all the same.
        warnings.simplefilter("ignore", PenaltyBoundWarning)
        result = pyvrp.solve(_data(problem), stop, seed=seed, collect_stats=False, display=False)
    # Every route that keeps its limits is good by itself, whatever the others do.
    routes = [route for route in result.best.routes() if route.is_feasible()]
    flights = tuple(
        Flight(
            route.vehicle_type(),
            tuple(a.idx + problem.docks for a in route.schedule() if a.is_client()),
        )
        for route in routes
    )
    cost = sum(r.duration() + r.fixed_vehicle_cost() - r.prizes() for r in routes)
    return float(cost), flights


class _Stop:
    """Says when to stop: after the iterations, or the seconds, or long without a better plan."""

    def __init__(self, seconds: float, iterations: int | None, progress: Progress | None) -> None:
        self._iterations, self._progress = iterations, progress
        self._began_s, self._seconds = time.monotonic(), seconds
        self._done = self._since = 0
        self._best = math.inf
        self._told_s = -math.inf

    def __call__(self, best_cost: float) -> bool:
        self._done += 1
        self._since = 0 if best_cost < self._best else self._since + 1
        self._best = min(self._best, best_cost)
        spent_s = time.monotonic() - self._began_s
        share = self._done / self._iterations if self._iterations else spent_s / self._seconds
        if self._progress and spent_s - self._told_s >= 0.2:
            self._told_s = spent_s
            self._progress("choosing sorties", min(1.0, share))
        return share >= 1 or (self._iterations is None and self._since >= PATIENCE)


def _data(problem: Problem) -> pyvrp.ProblemData:
    nodes = problem.docks + sum(len(w) for w in problem.ways)
    clients: list[pyvrp.Client] = []
    groups: list[pyvrp.ClientGroup] = []
    dimensions = range(len(problem.loads[0]))
    for ways, prize, load in zip(problem.ways, problem.prizes, problem.loads, strict=True):
        group = len(groups) if len(ways) > 1 else None
        for node in ways:
            clients.append(
                pyvrp.Client(
                    node,
                    delivery=[load[d] for d in dimensions],
                    prize=_prize(problem, prize),
                    required=False,
                    group=group,
                )
            )
        if group is not None:
            members = [way - problem.docks for way in ways]
            groups.append(pyvrp.ClientGroup(members, required=False))
    return pyvrp.ProblemData(
        [pyvrp.Location(0, 0) for _ in range(nodes)],
        clients,
        [pyvrp.Depot(dock) for dock in range(problem.docks)],
        [_vehicles(problem, fleet) for fleet in problem.fleets],
        [_whole(matrix, PER_WH, _most_wh(problem)) for matrix in problem.energy_wh],
        [_whole(matrix, PER_S, problem.longest_s) for matrix in problem.time_s],
        groups,
    )


def _vehicles(problem: Problem, fleet: Fleet) -> pyvrp.VehicleType:
    return pyvrp.VehicleType(
        num_available=fleet.sorties,
        capacity=list(fleet.capacity),
        start_depot=fleet.dock,
        end_depot=fleet.dock,
        fixed_cost=round(SORTIE_S * PER_S),
        shift_duration=math.floor(problem.longest_s * PER_S),
        max_distance=math.floor(fleet.usable_wh * PER_WH),
        unit_distance_cost=0,
        unit_duration_cost=1,
        profile=fleet.model,
    )


def _prize(problem: Problem, prize: int) -> int:
    """Return a prize worth more than a whole sortie, and the more the more is seen."""
    return round(problem.longest_s * PER_S) * (1 + prize)


def _most_wh(problem: Problem) -> float:
    return max(fleet.usable_wh for fleet in problem.fleets)


def _whole(matrix: Floats, per: int, limit: float) -> Any:  # PyVRP's stub types no array rightly
    """Return the matrix in whole numbers, rounded up; what cannot be is beyond every limit."""
    whole = np.ceil(np.where(np.isfinite(matrix), matrix, 4 * limit) * per).astype(np.int64)
    np.fill_diagonal(whole, 0)
    return whole
