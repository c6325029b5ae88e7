"""A cost that no tours can undercut, cheap to find: how far an answer may still be from the best.

Without its way home each tour is a chain from its depot, and all chains together join every job to
some depot: the least tree that does so, counting for two jobs the cheaper leg between them, is no
dearer than they are. Jobs that may be left out need not be joined: for each, the cheaper of its prize
and the cheapest leg into it is counted. What is flown on a job is part of the legs into it.
"""

import numpy as np
from scipy.sparse.csgraph import minimum_spanning_tree

from missions.geo import Floats
from missions.routing.problem import Problem


def lower_bound(problem: Problem) -> float:
    """Return a cost that every answer has at least, what it leaves out counted."""
    if not problem.jobs:
        return 0.0
    legs = _between_jobs(problem)
    prizes = np.array([float(job.prize) for job in problem.jobs])
    into = np.minimum(prizes, legs[:, 1:].min(axis=0)).sum()
    if not all(job.must for job in problem.jobs) or (legs[0, 1:] > prizes).any():
        return float(into)
    joined = np.minimum(legs, legs.T)
    joined[0, 1:] = joined[1:, 0] = legs[0, 1:]  # a tour without its way home still begins at a depot
    tree = minimum_spanning_tree(joined + 1.0).sum() - len(problem.jobs)  # 0 would be read as no leg
    home = legs[1:, 0].min() + min(fleet.fixed for fleet in problem.fleets)
    return float(max(into, min(tree + home, prizes.sum())))


def _between_jobs(problem: Problem) -> Floats:
    """Return the least cost of a leg from each job to each other, all depots being the first of them."""
    starts = np.r_[0, problem.depots, problem.depots + np.cumsum([len(j.nodes) for j in problem.jobs])[:-1]]
    costs = [
        problem.per_time * time.astype(float) + problem.per_energy * energy
        for time, energy in zip(problem.time, problem.energy, strict=True)
    ]
    cost = np.minimum.reduce(costs)
    legs = np.minimum.reduceat(np.minimum.reduceat(cost, starts, axis=0), starts, axis=1)
    np.fill_diagonal(legs, np.inf)
    return np.asarray(legs)
