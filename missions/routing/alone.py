"""PyVRP as it comes, for comparison: its own loop and settings, every must required."""

import warnings

import pyvrp
from pyvrp.exceptions import PenaltyBoundWarning

from missions.routing.data import to_pyvrp, tours_of
from missions.routing.effort import Effort, Meter
from missions.routing.problem import Answer, Problem, total_cost


def search_alone(problem: Problem, effort: Effort, *, seed: int = 1) -> Answer:
    """Return what `pyvrp.solve` finds with the same effort."""
    meter = Meter(effort)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PenaltyBoundWarning)
        result = pyvrp.solve(
            to_pyvrp(problem, all_fit=True),
            lambda best: meter.count(best) >= 1,
            seed=seed,
            collect_stats=False,
            display=False,
        )
    tours = tours_of(result.best, problem)
    return Answer(tours, total_cost(problem, tours), meter.rounds)
