"""Parts of a problem and their numbers."""

import numpy as np

from missions.routing.parts import side_by_side
from missions.routing.problem import Tour, measure
from tests.missions.routing.tiny import ring, strips


def test_jobs_side_by_side_are_numbered_one_after_another() -> None:
    """Round the ring, every third point at a time: put side by side, each leg is the shortest there is."""
    problem = ring(10)
    mixed = np.array([0, *(1 + 3 * np.arange(10) % 10)])
    problem.time[0][:] = problem.time[0][np.ix_(mixed, mixed)]
    near = side_by_side(problem)
    legs = [int(near.problem.time[0][k, k + 1]) for k in range(1, 10)]
    assert legs == [int(problem.time[0][1:, 1:][problem.time[0][1:, 1:] > 0].min())] * 9


def test_a_tour_is_the_same_by_the_new_numbers() -> None:
    problem = strips()
    near = side_by_side(problem)
    tour = Tour(0, (1, 6, 9))
    (inside,) = near.inside([tour])
    assert measure(near.problem, inside) == measure(problem, tour)
    assert near.outside([inside]) == (tour,)
