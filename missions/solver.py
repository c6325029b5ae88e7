"""Which tasks fly together, and in which order: flights as tours of `missions.routing`.

Time and energy are counted in whole numbers, and both limits hold at once. Leaving a
task out costs more than any flying, and a plan comes even when not everything can be
flown. A strip is a job of two nodes, one for each end it may be flown from; what
flying it takes is part of the arc into it. The matrices need not be symmetric: wind
and climbing are in them.
"""

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from missions.geo import Floats
from missions.routing import problem as routing
from missions.routing.bound import lower_bound
from missions.routing.effort import Effort
from missions.routing.insertion import inserted
from missions.routing.problem import Answer, Job, Tour, Whole, total_cost
from missions.routing.search import search
from missions.routing.workers import together

# Tenths of a second and hundredths of a watt hour.
PER_S = 10
PER_WH = 100

# One more sortie costs a dock's door twice, a battery cycle and a landing.
SORTIE_S = 120.0

# Rounds for each task after which nothing more is found (docs/design/planner.md).
ROUNDS_PER_TASK = 100
LEAST_ROUNDS = 1_000

Progress = Callable[[str, float], None]

# Told the share of the search that is done, and the cost so far: seconds of flying, a sortie's
# opening and what leaving tasks out is worth counted.
Best = Callable[[float, float], None]


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
    `ways[t]` are the nodes of task t; `loads[t]` what it takes of each capacity;
    `worth_s[t]` the flying it is worth, None for as much as there is.
    """

    docks: int
    fleets: tuple[Fleet, ...]
    time_s: tuple[Floats, ...]
    energy_wh: tuple[Floats, ...]
    ways: tuple[tuple[int, ...], ...]
    prizes: tuple[int, ...]
    loads: tuple[tuple[int, ...], ...]
    longest_s: float
    worth_s: tuple[float | None, ...] = ()


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
    start: Sequence[Flight] = (),
    gap: float = 0.0,
    cancelled: Callable[[], bool] | None = None,
    best: Best | None = None,
    progress: Progress | None = None,
) -> tuple[Flight, ...]:
    """Return the sorties; a task that is in none did not fit.

    With `iterations` the answer depends on them, the seed and the workers alone;
    without, also on how fast the machine is. Each worker searches from a seed
    of its own, and the best answer is taken. `start` are flights to begin from.
    The search ends early when its answer is proven to be within `gap` of the best
    there can be, or when `cancelled` says so; `best` hears the cost so far. What is
    cancelled early is no worse than each task put in where it fits best.
    """
    if not problem.ways or not problem.fleets:
        return ()
    told = to_routing(problem)
    begun = [Tour(flight.fleet, flight.nodes) for flight in start]
    if cancelled is not None and cancelled():
        return tuple(Flight(tour.fleet, tour.nodes) for tour in inserted(told, begun))
    search_one = partial(
        _search,
        told,
        begun,
        math.inf if iterations else seconds,
        iterations or max(LEAST_ROUNDS, ROUNDS_PER_TASK * len(told.jobs)),
        lower_bound(told) / (1 - gap) if gap else -math.inf,
    )

    def tell(share: float, cost: float) -> None:
        if progress:
            progress("choosing sorties", share)
        if best:
            best(share, cost / PER_S)

    if workers <= 1:
        answer = search_one(seed, cancelled, tell)
    else:
        seeds = [seed + k * 1000 for k in range(workers)]
        answer = min(together(search_one, seeds, cancelled=cancelled, tell=tell), key=lambda each: each.cost)
    found = answer.tours
    if cancelled is not None and cancelled():
        found = min(found, inserted(told, begun), key=partial(total_cost, told))
    return tuple(Flight(tour.fleet, tour.nodes) for tour in found)


def to_routing(problem: Problem) -> routing.Problem:
    """Return the flights to choose as a routing problem in whole numbers."""
    most_wh = max(fleet.usable_wh for fleet in problem.fleets)
    return routing.Problem(
        depots=problem.docks,
        fleets=tuple(
            routing.Fleet(
                start=fleet.dock,
                end=fleet.dock,
                tours=fleet.sorties,
                most_time=math.floor(problem.longest_s * PER_S),
                most_energy=math.floor(fleet.usable_wh * PER_WH),
                capacity=fleet.capacity,
                profile=fleet.model,
                fixed=round(SORTIE_S * PER_S),
            )
            for fleet in problem.fleets
        ),
        jobs=tuple(_job(problem, task) for task in range(len(problem.ways))),
        time=tuple(_whole(matrix, PER_S, problem.longest_s) for matrix in problem.time_s),
        energy=tuple(_whole(matrix, PER_WH, most_wh) for matrix in problem.energy_wh),
    )


def _search(
    problem: routing.Problem,
    start: Sequence[Tour],
    seconds: float,
    rounds: float,
    enough: float,
    seed: int,
    cancelled: Callable[[], bool] | None,
    tell: Best,
) -> Answer:
    effort = Effort(
        seconds=seconds,
        rounds=rounds,
        clock=time.monotonic,
        enough=enough,
        cancelled=cancelled,
        progress=tell,
    )
    return search(problem, effort, seed=seed, start=start)


def _job(problem: Problem, task: int) -> Job:
    ways, load = problem.ways[task], problem.loads[task]
    worth_s = problem.worth_s[task] if problem.worth_s else None
    if worth_s is not None:
        return Job(ways, round(worth_s * PER_S), load, must=False)
    return Job(ways, _prize(problem, problem.prizes[task]), load)


def _prize(problem: Problem, prize: int) -> int:
    """Return a prize worth more than a whole sortie, and the more the more is seen."""
    return round(problem.longest_s * PER_S) * (1 + prize)


def _whole(matrix: Floats, per: int, limit: float) -> Whole:
    """Return the matrix in whole numbers, rounded up; what cannot be is beyond every limit."""
    whole = np.ceil(np.where(np.isfinite(matrix), matrix, 4 * limit) * per).astype(np.int64)
    np.fill_diagonal(whole, 0)
    return np.asarray(whole)
