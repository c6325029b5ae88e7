"""PyVRP's local search on a problem, and travelling by it from answer to answer.

PyVRP's own loop accepts what is better than its answer of some rounds ago. When the
effort is known beforehand, annealing finds more: what is worse by d is accepted with
the chance exp(-d/T), and T falls to nearly nothing at the end. Penalties for broken
limits begin where a job out of its place costs as much as a way to the next one:
PyVRP's own start so high that a search of a minute never sees a broken limit.
docs/design/planner.md has the measurements.
"""

import math
import random
import warnings
from collections.abc import Callable, Sequence

import numpy as np
import pyvrp
from pyvrp import PenaltyManager, PenaltyParams, RandomNumberGenerator, Solution
from pyvrp.exceptions import PenaltyBoundWarning
from pyvrp.search import (
    OPERATORS,
    LocalSearch,
    NeighbourhoodParams,
    PerturbationManager,
    PerturbationParams,
    compute_neighbours,
)

from missions.routing.data import is_required, pays_time, to_pyvrp, to_solution, tours_of
from missions.routing.parts import side_by_side
from missions.routing.pool import HARVEST, Pool
from missions.routing.problem import Problem, Tour, Whole
from missions.routing.strings import Strings

# T at the end, as a share of T at the beginning.
COOLED = 0.01

# A round takes out and puts back so many jobs at most; more where jobs may be left out, since
# a better choice of them changes whole tours.
MOST_MOVED, MOST_MOVED_OPTIONAL = 20, 30

# Of the rounds that may, such a part takes strings out instead; so many neighbours do to mend them.
STRINGS = 0.4
NEIGHBOURS_TO_MEND = 15

# The penalties are set anew after so many rounds, and may be as small as this.
ROUNDS_A_PENALTY = 100
LEAST_PENALTY = 1e-4

# Jobs whose ways to each other tell how long a way is.
NEAR = 10

# Told the best answer so far; says which share of this travel is spent, 0 to 1.
Share = Callable[[Solution], float]


class Descent:
    """A problem made ready for PyVRP's local search."""

    def __init__(self, problem: Problem, *, all_fit: bool, seed: int, neighbours: int) -> None:
        self._part = side_by_side(problem)
        problem = self._part.problem
        self.data = to_pyvrp(problem, all_fit=all_fit)
        self._rng = RandomNumberGenerator(seed=seed)
        self._dice = random.Random(seed)
        moved = MOST_MOVED if any(job.must for job in problem.jobs) else MOST_MOVED_OPTIONAL
        self._search = self._searcher(problem, neighbours, PerturbationParams(max_perturbations=moved))
        # What PyVRP puts back by itself are musts alone; jobs of two ends gained nothing from strings.
        self._strings = None
        if all(is_required(job, all_fit=all_fit) and len(job.nodes) == 1 for job in problem.jobs):
            self._strings = Strings.of(problem, self.data, self._dice)
            once = PerturbationParams(max_perturbations=1)
            self._mend = self._searcher(problem, min(neighbours, NEIGHBOURS_TO_MEND), once)
        self._penalties = _penalties(problem)
        self._is_choice = not any(job.must for job in problem.jobs)
        # PyVRP counts the prize of each node that is not visited, also where one of a job's is enough.
        self._idle = _idle(problem, all_fit=all_fit)

    def fresh(self) -> Solution:
        """Return a local optimum near a random answer."""
        return self._search(
            Solution.make_random(self.data, self._rng), self._penalties.max_cost_evaluator(), exhaustive=True
        )

    def settled(self, tours: Sequence[Tour]) -> Solution:
        """Return the local optimum near tours."""
        return self._search(self.of(tours), self._penalties.max_cost_evaluator(), exhaustive=True)

    def better(self, *answers: Solution) -> Solution:
        """Return the cheapest answer, broken limits dear."""
        return min(answers, key=self._penalties.max_cost_evaluator().penalised_cost)

    def _searcher(self, problem: Problem, neighbours: int, moved: PerturbationParams) -> LocalSearch:
        # A job of two nodes has each of them among the neighbours.
        per_job = problem.size / max(1, len(problem.jobs))
        near = NeighbourhoodParams(num_neighbours=round(neighbours * per_job))
        found = LocalSearch(
            self.data, self._rng, compute_neighbours(self.data, near), PerturbationManager(moved)
        )
        for operator in OPERATORS:
            if operator.supports(self.data):
                found.add_operator(operator(self.data))
        return found

    def of(self, tours: Sequence[Tour]) -> Solution:
        """Return tours as an answer to travel from."""
        return to_solution(self.data, self._part.inside(tours), self._part.problem)

    def tours(self, answer: Solution) -> tuple[Tour, ...]:
        """Return the tours of an answer that keep their limits."""
        return self._part.outside(tours_of(answer, self._part.problem))

    def travel(self, first: Solution, *, warmth: float, pool: Pool, share: Share) -> Solution:
        """Return the best answer met from the first one on, its tours and others' in the pool.

        T begins at `warmth` times what an answer costs for each of its jobs: its flying, or where
        every job may be left out, what they are worth.
        """
        with warnings.catch_warnings():
            # A must that nothing can fit makes PyVRP try ever higher penalties; it is given up in time.
            warnings.simplefilter("ignore", PenaltyBoundWarning)
            return self._travel(first, warmth, pool, share)

    def _travel(self, first: Solution, warmth: float, pool: Pool, share: Share) -> Solution:
        current = best = first
        self._take(current)
        spent = share(best)
        while spent < 1:
            costs = self._penalties.cost_evaluator()
            found = self._next(current, costs)
            self._penalties.register(found)
            cost, least = costs.penalised_cost(found), costs.penalised_cost(best)
            if found.is_feasible() and (cost < least or not best.is_feasible()):
                found, cost = self._polished(found, costs)
                best, least = found, cost
            flown = least - best.uncollected_prizes()
            worth = best.prizes() if self._is_choice else flown
            held = costs.penalised_cost(current)
            warm = warmth * COOLED**spent * worth / max(1, best.num_clients())
            if cost - held < -math.log(1 - self._dice.random()) * warm and found != current:
                current = found
                self._take(current)
                if cost <= least + HARVEST * worth:
                    pool.harvest(found, cost - self._idle, self._part)
            spent = share(best)
        return best

    def _take(self, answer: Solution) -> None:
        if self._strings:
            self._strings.take(answer)

    def _next(self, current: Solution, costs: pyvrp.CostEvaluator) -> Solution:
        """Return a local optimum near the answer."""
        if self._strings and self._dice.random() < STRINGS:
            return self._mend(self._strings.ruined(), costs)
        return self._search(current, costs)

    def _polished(self, found: Solution, costs: pyvrp.CostEvaluator) -> tuple[Solution, int]:
        """Return what a search of all neighbours makes of an answer, if that is no worse."""
        better = self._search(found, costs, exhaustive=True)
        cost, least = costs.penalised_cost(better), costs.penalised_cost(found)
        return (better, cost) if better.is_feasible() and cost <= least else (found, least)


def _idle(problem: Problem, *, all_fit: bool) -> int:
    """Return the prizes that no answer collects: a job's other nodes' when one of them is visited."""
    return sum(
        (len(job.nodes) - 1) * job.prize for job in problem.jobs if not is_required(job, all_fit=all_fit)
    )


def _penalties(problem: Problem) -> PenaltyManager:
    """Return penalties that begin at the price of a job for a job's load, duration or distance."""
    inside = slice(problem.depots, None)
    time, energy = (matrix[0][inside, inside] for matrix in (problem.time, problem.energy))
    cost = problem.per_time * time + problem.per_energy * energy
    near = np.argpartition(cost, min(NEAR, len(cost) - 1), axis=1)[:, :NEAR]
    prizes = [job.prize for job in problem.jobs if not job.must]
    price = max(_mean(np.take_along_axis(cost, near, 1)), _mean(prizes))
    loads = [_mean(column) for column in zip(*(job.load for job in problem.jobs), strict=True)]
    took = [_mean(np.take_along_axis(matrix, near, 1)) for matrix in (time, energy)]
    start = [price / max(1.0, each) for each in (*loads, *(took[::-1] if pays_time(problem) else took))]
    params = PenaltyParams(solutions_between_updates=ROUNDS_A_PENALTY, min_penalty=LEAST_PENALTY)
    return PenaltyManager((start[:-2], start[-2], start[-1]), params)


def _mean(values: Sequence[int] | Whole) -> float:
    return float(np.mean(values)) if len(values) else 0.0
