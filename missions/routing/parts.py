"""A part of a problem: some tours of an answer with their jobs, to be searched by itself.

On hundreds of jobs a local search spends its time far from where the last change was.
Tours that lie near each other are taken out as a problem of their own, which is
searched from what it is and put back (route-based decomposition; Santini, Schneider,
Vidal and Vigo, 2023).
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from missions.geo import Floats
from missions.routing.problem import Problem, Tour, Whole


@dataclass(frozen=True, slots=True)
class Part:
    """A problem of its own, and the number that each of its nodes has in the whole."""

    problem: Problem
    nodes: Whole

    def inside(self, tours: Sequence[Tour]) -> tuple[Tour, ...]:
        """Return tours of the whole by the part's numbers."""
        number = {int(node): k for k, node in enumerate(self.nodes)}
        return tuple(Tour(t.fleet, tuple(number[node] for node in t.nodes)) for t in tours)

    def outside(self, tours: Sequence[Tour]) -> tuple[Tour, ...]:
        """Return tours of the part by the whole's numbers."""
        return tuple(Tour(t.fleet, tuple(int(self.nodes[k]) for k in t.nodes)) for t in tours)


def part(
    problem: Problem, jobs: Sequence[int], *, used: Counter[int], elsewhere: Counter[int], spare: int
) -> Part:
    """Return the part with these jobs, and the tours they use with a few to spare.

    `elsewhere` are the tours of each fleet that the rest of the answer uses.
    """
    first = np.cumsum([problem.depots, *(len(job.nodes) for job in problem.jobs)])
    nodes = [*range(problem.depots)]
    members = []
    for j in jobs:
        members.append(
            replace(problem.jobs[j], nodes=tuple(range(len(nodes), len(nodes) + len(problem.jobs[j].nodes))))
        )
        nodes += range(int(first[j]), int(first[j + 1]))
    keep = np.array(nodes)
    return Part(
        replace(
            problem,
            jobs=tuple(members),
            fleets=tuple(
                replace(fleet, tours=max(0, min(fleet.tours - elsewhere[k], used[k] + spare)))
                for k, fleet in enumerate(problem.fleets)
            ),
            time=tuple(matrix[np.ix_(keep, keep)] for matrix in problem.time),
            energy=tuple(matrix[np.ix_(keep, keep)] for matrix in problem.energy),
        ),
        keep,
    )


def side_by_side(problem: Problem) -> Part:
    """Return the whole problem, its jobs numbered so that each is followed by the nearest one left.

    A local search compares jobs near each other: with their arcs and nodes side by side in memory
    it makes a quarter more rounds a second.
    """
    first = np.array([job.nodes[0] for job in problem.jobs])
    cost = problem.per_time * problem.time[0] + problem.per_energy * problem.energy[0]
    cost = cost[np.ix_(first, first)]
    here, order = 0, [0]
    left = np.ones(len(first), dtype=bool)
    for _ in range(len(first) - 1):
        left[here] = False
        here = int(np.argmin(np.where(left, cost[here], np.iinfo(np.int64).max)))
        order.append(here)
    every = Counter({k: fleet.tours for k, fleet in enumerate(problem.fleets)})
    return part(problem, order, used=every, elsewhere=Counter(), spare=0)


def apart(problem: Problem, tours: Sequence[Tour]) -> Floats:
    """Return how far tours are from each other: the mean way from a job to the other's nearest."""
    arcs = problem.time[0] if problem.per_time else problem.energy[0]
    nodes = np.concatenate([np.array(tour.nodes, dtype=np.int64) for tour in tours])
    starts = np.cumsum([0, *(len(tour.nodes) for tour in tours[:-1])])
    between = arcs[np.ix_(nodes, nodes)]
    nearest = np.minimum.reduceat(np.minimum(between, between.T), starts, axis=1)
    mean = np.add.reduceat(nearest, starts, axis=0) / np.diff([*starts, len(nodes)])[:, None]
    return np.asarray((mean + mean.T) / 2)


def around(far: Floats, sizes: Sequence[int], seed: int, most: int) -> list[int]:
    """Return the tour `seed` with the nearest others, as many as have at most so many jobs together."""
    chosen: list[int] = []
    jobs = 0
    for k in np.argsort(far[seed], kind="stable"):
        if chosen and jobs + sizes[k] > most:
            break
        chosen.append(int(k))
        jobs += sizes[k]
    return chosen
