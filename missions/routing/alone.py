"""PyVRP as it comes: its own loop and settings, every must required.

It stands beside ours in the bench, and long searches begin with it: on a problem that
suits it, it is at the best known value within seconds.
"""

import warnings
from collections.abc import Callable, Sequence

import pyvrp
from pyvrp import IteratedLocalSearchParams
from pyvrp.exceptions import PenaltyBoundWarning
from pyvrp.IteratedLocalSearch import IteratedLocalSearchCallbacks

from missions.routing.data import to_pyvrp, to_solution, tours_of
from missions.routing.effort import Effort, Meter
from missions.routing.pool import HARVEST, Pool
from missions.routing.problem import Answer, Problem, Tour, total_cost


def search_alone(problem: Problem, effort: Effort, *, seed: int = 1) -> Answer:
    """Return what `pyvrp.solve` finds with the same effort."""
    meter = Meter(effort)
    best = run_alone(problem, lambda cost: meter.count(cost) >= 1, seed=seed)
    tours = tours_of(best, problem)
    return Answer(tours, total_cost(problem, tours), meter.rounds)


def run_alone(
    problem: Problem,
    stop: Callable[[int], bool],
    *,
    seed: int,
    pool: Pool | None = None,
    start: Sequence[Tour] = (),
) -> pyvrp.Solution:
    """Return what `pyvrp.solve` finds until `stop` says so, the tours it met in the pool.

    It begins from the tours of `start` when given.
    """
    data = to_pyvrp(problem, all_fit=True)
    calls = IteratedLocalSearchCallbacks() if pool is None else _Harvest(pool)
    params = IteratedLocalSearchParams(callbacks=calls)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PenaltyBoundWarning)
        result = pyvrp.solve(
            data,
            lambda best_cost: stop(best_cost),
            seed=seed,
            collect_stats=False,
            display=False,
            params=pyvrp.SolveParams(ils=params),
            initial_solution=to_solution(data, start, problem) if start else None,
        )
    return result.best


class _Harvest(IteratedLocalSearchCallbacks):
    """Puts the tours of good answers into the pool as PyVRP meets them."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._seen: set[int] = set()

    def on_iteration(
        self,
        current: pyvrp.Solution,
        candidate: pyvrp.Solution,
        best: pyvrp.Solution,
        cost_evaluator: pyvrp.CostEvaluator,
    ) -> None:
        cost, least = cost_evaluator.penalised_cost(candidate), cost_evaluator.penalised_cost(best)
        # An answer of the same cost is nearly always the same answer.
        if cost <= least * (1 + HARVEST) and cost not in self._seen:
            self._seen.add(cost)
            self._pool.harvest(candidate, cost)
