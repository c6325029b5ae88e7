"""The tours met on the way, and the best choice among them.

A search looks at thousands of good answers and keeps one; the best tours of many
answers often fit together better than those of any one. Which do is a set
partitioning problem: choose tours so that every job is in exactly one. HiGHS solves
it: first as a linear program, whose reduced costs rule out most tours, then whole.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pyvrp
from scipy.optimize import Bounds, LinearConstraint, linprog, milp
from scipy.sparse import csc_matrix

from missions.geo import Floats
from missions.quiet import without_c_output
from missions.routing.data import tour_of
from missions.routing.orient import oriented
from missions.routing.parts import Part
from missions.routing.problem import Problem, Tour, measure

# Answers up to this much worse than the best give their tours to the pool.
HARVEST = 0.03

# Tours given to the linear program: those from the cheapest answers. Its time grows faster.
MOST_TOURS = 12_000
# Of the tours it leaves, the most promising are tried first: few are settled at once. More are tried
# where those took such a part of the time left at most: HiGHS may run twenty times over its limit.
WHOLE, SOON = (1_000, 2_500, 6_000), 0.1
NODES = 2_000

Indices = npt.NDArray[np.intp]


@dataclass(slots=True)
class _Met:
    tour: Tour
    cost: int
    jobs: frozenset[int]
    seen_at: float


@dataclass(slots=True)
class Pool:
    """Tours that keep their limits, each once, with the cheapest answer it was part of."""

    problem: Problem
    _signs: dict[tuple[int, int, int, int], _Met | None] = field(default_factory=dict)
    _by_jobs: dict[tuple[int, frozenset[int]], _Met] = field(default_factory=dict)
    _job_of: list[int] = field(default_factory=list)
    _may_turn: bool = False

    def __post_init__(self) -> None:
        self._job_of = [int(job) for job in self.problem.job_of()]
        self._may_turn = any(len(job.nodes) > 1 for job in self.problem.jobs)

    def __len__(self) -> int:
        return len(self._by_jobs)

    def harvest(self, solution: pyvrp.Solution, cost: float, part: Part | None = None) -> None:
        """Take in the tours of an answer of this cost that keep their limits.

        The answer is the `part`'s when given.
        """
        for route in solution.routes():
            # Two tours of the same length, time and number of jobs are the same one for our purpose.
            sign = (route.vehicle_type(), route.distance(), route.duration(), route.num_clients())
            met = self._signs.get(sign)
            if met is not None:
                met.seen_at = min(met.seen_at, cost)
            elif sign not in self._signs and route.num_clients():
                self._signs[sign] = (
                    self.add(self._outside(route, part), cost) if route.is_feasible() else None
                )

    def _outside(self, route: pyvrp.Route, part: Part | None) -> Tour:
        if part is None:
            return tour_of(route, self.problem)
        return part.outside([tour_of(route, part.problem)])[0]

    def add(self, tour: Tour, cost: float) -> _Met:
        """Take in a tour from an answer of this cost; return what is kept of its jobs."""
        if self._may_turn:
            tour = oriented(self.problem, tour)
        jobs = frozenset(self._job_of[node] for node in tour.nodes)
        new = _Met(tour, measure(self.problem, tour).cost, jobs, cost)
        old = self._by_jobs.get((tour.fleet, jobs))
        if old is None or new.cost < old.cost:
            new.seen_at = min(cost, old.seen_at) if old else cost
            self._by_jobs[tour.fleet, jobs] = new
            return new
        old.seen_at = min(cost, old.seen_at)
        return old

    def tours(self) -> list[tuple[Tour, float]]:
        """Return the tours, and how much worse than the best the answers they come from were."""
        least = min((m.seen_at for m in self._by_jobs.values()), default=1.0)
        return [(m.tour, m.seen_at / least - 1) for m in self._by_jobs.values()]

    def best(self, least: int, *, seconds: float, musts: frozenset[int]) -> tuple[Tour, ...] | None:
        """Return tours that together cost less than `least`, or None when no choice is found.

        `musts` are the jobs that every choice must serve.
        """
        met = sorted(self._by_jobs.values(), key=lambda m: m.seen_at)[:MOST_TOURS]
        if not met:
            return None
        ends_s = time.process_time() + seconds
        choice = _Choice.of(self.problem, met, musts)
        reduced = choice.reduced(least, seconds)
        if reduced is None:
            return None
        # A tour whose reduced cost is more than what there is to gain is in no better choice.
        order = np.argsort(reduced, kind="stable")
        order = order[: np.searchsorted(reduced[order], 0.0)]
        took_s = 0.0
        for count in WHOLE:
            began_s = time.process_time()
            if took_s >= SOON * (ends_s - began_s):
                break
            chosen = choice.whole(order[:count], least, ends_s - began_s)
            took_s = time.process_time() - began_s
            if chosen is not None:
                return tuple(met[k].tour for k in chosen)
            if count >= len(order):
                break
        return None


@dataclass(frozen=True, slots=True)
class _Choice:
    """Costs, rows and limits: each job once (a must) or at most once, each fleet at most its tours.

    A tour is paid for by the prizes of its jobs, so that leaving a job out costs its prize.
    """

    cost: Floats
    rows: csc_matrix
    low: Floats
    high: Floats
    prizes: float

    @classmethod
    def of(cls, problem: Problem, met: Sequence[_Met], musts: frozenset[int]) -> "_Choice":
        jobs = len(problem.jobs)
        prize = np.array([0.0 if j in musts else float(job.prize) for j, job in enumerate(problem.jobs)])
        columns = [[*m.jobs, jobs + m.tour.fleet] for m in met]
        rows = csc_matrix(
            (
                np.ones(sum(map(len, columns))),
                np.concatenate([np.array(column, dtype=np.int64) for column in columns]),
                np.cumsum([0, *map(len, columns)]),
            ),
            shape=(jobs + len(problem.fleets), len(met)),
        )
        return cls(
            cost=np.array([m.cost - prize[list(m.jobs)].sum() for m in met]),
            rows=rows,
            low=np.r_[[1.0 if j in musts else 0.0 for j in range(jobs)], np.zeros(len(problem.fleets))],
            high=np.r_[np.ones(jobs), [float(fleet.tours) for fleet in problem.fleets]],
            prizes=float(prize.sum()),
        )

    def reduced(self, least: int, seconds: float) -> Floats | None:
        """Return each tour's reduced cost less what there is to gain; None where nothing is."""
        equal = self.low == 1
        linear = linprog(
            self.cost,
            A_eq=self.rows[equal],
            b_eq=self.high[equal],
            A_ub=self.rows[~equal],
            b_ub=self.high[~equal],
            bounds=(0, None),
            method="highs",
            options={"time_limit": seconds},
        )
        if linear.status != 0 or linear.fun + self.prizes >= least - 0.5:
            return None
        duals = np.zeros(len(equal))
        duals[equal], duals[~equal] = linear.eqlin.marginals, linear.ineqlin.marginals
        return np.asarray(self.cost - self.rows.T @ duals - (least - self.prizes - linear.fun))

    def whole(self, keep: Indices, least: int, seconds: float) -> Indices | None:
        """Return the best choice among the tours to keep that costs less than `least`."""
        if not len(keep):
            return None
        cost = self.cost[keep]
        constraints = [
            LinearConstraint(self.rows[:, keep], self.low, self.high),
            LinearConstraint(cost[None, :], ub=least - self.prizes - 1),
        ]
        with without_c_output():
            found = milp(
                cost,
                integrality=np.ones(len(keep)),
                bounds=Bounds(0, 1),
                constraints=constraints,
                options={"time_limit": seconds, "node_limit": NODES},
            )
        return None if found.x is None else keep[np.flatnonzero(found.x > 0.5)]
