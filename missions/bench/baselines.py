"""What simpler planners make of a case: nearest neighbour, k-means with 2-opt, giant tour and split.

Each starts from the docks' territories (every point belongs to its nearest dock by
time) and keeps the limit of a sortie. A sortie is a list of nodes of the matrix,
its dock left out.
"""

from collections.abc import Sequence

import numpy as np
from scipy.cluster.vq import kmeans2

from missions.routing.problem import Problem, Tour, Whole
from missions.routing.quick import Order, chain, giant_tour, territories, two_opt


def nearest_neighbour(problem: Problem) -> tuple[Tour, ...]:
    """Return tours that go on to the nearest point until the way home would be too long."""
    return tuple(tour for dock, mine in territories(problem) for tour in _nearest(problem, dock, mine))


def clusters(problem: Problem, places: Whole) -> tuple[Tour, ...]:
    """Return tours over clusters of points, as few a dock as keep the limit, each improved by 2-opt."""
    return tuple(
        tour for dock, mine in territories(problem) for tour in _clustered(problem, dock, mine, places)
    )


def _nearest(problem: Problem, dock: int, points: Sequence[int]) -> list[Tour]:
    time, limit = problem.time[0], problem.fleets[dock].most_time or np.iinfo(np.int64).max
    left, made = set(points), []
    while left:
        order, here, spent = [], dock, 0
        while left:
            there = min(left, key=lambda k: int(time[here, k]))
            if spent + time[here, there] + time[there, dock] > limit:
                break
            order.append(there)
            spent, here = spent + int(time[here, there]), there
            left.remove(there)
        if not order:
            break  # what is left cannot be reached at all
        made.append(Tour(dock, tuple(order)))
    return made


def _clustered(problem: Problem, dock: int, points: list[int], places: Whole) -> list[Tour]:
    limit = problem.fleets[dock].most_time or np.iinfo(np.int64).max
    for count in range(1, len(points) + 1):
        _, label = kmeans2(places[points].astype(float), count, minit="++", seed=1, missing="warn")
        groups = [[p for p, k in zip(points, label, strict=True) if k == c] for c in range(count)]
        orders = [two_opt(problem.time[0], dock, chain(problem.time[0], dock, g)) for g in groups if g]
        if all(_length(problem.time[0], dock, order) <= limit for order in orders):
            return [Tour(dock, tuple(order)) for order in orders]
    return _nearest(problem, dock, points)


def _length(time: Whole, dock: int, order: Order) -> int:
    stops = np.array([dock, *order, dock])
    return int(time[stops[:-1], stops[1:]].sum())


__all__ = ["clusters", "giant_tour", "nearest_neighbour", "two_opt"]
