"""Strings taken out of tours near each other, and what the search makes of what is left."""

import random

import pyvrp

from missions.routing.data import to_pyvrp, to_solution, tours_of
from missions.routing.problem import Problem, Tour
from missions.routing.strings import LONGEST, Strings
from tests.missions.routing.tiny import ring

QUARTERS = tuple(Tour(0, tuple(range(k, k + 10))) for k in (1, 11, 21, 31))


def strings_of(problem: Problem, tours: tuple[Tour, ...]) -> Strings:
    data = to_pyvrp(problem, all_fit=True)
    strings = Strings.of(problem, data, random.Random(3))
    strings.take(to_solution(data, tours, problem))
    return strings


def order(answer: pyvrp.Solution, problem: Problem) -> list[tuple[int, ...]]:
    return [tour.nodes for tour in tours_of(answer, problem)]


def test_a_string_of_each_of_a_few_tours_side_by_side_is_missing_and_the_rest_is_in_order() -> None:
    problem = ring(40)
    strings = strings_of(problem, QUARTERS)
    gone_of = []
    for _ in range(200):
        left = {node for nodes in order(strings.ruined(), problem) for node in nodes}
        kept = [[n for n in tour.nodes if n in left] for tour in QUARTERS]
        assert all(kept[k] == sorted(kept[k]) for k in range(4))
        gone = [[n for n in tour.nodes if n not in left] for tour in QUARTERS]
        assert all(not g or g[-1] - g[0] <= len(g) <= LONGEST for g in gone)  # one spared inside at most
        gone_of.append([k for k in range(4) if gone[k]])
    assert {len(cut) for cut in gone_of} == {1, 2, 3}


def test_the_next_answer_taken_up_is_the_one_that_is_cut() -> None:
    """Also where a tour looks as an earlier one did: as long, with as many jobs."""
    problem = ring(40)
    strings = strings_of(problem, QUARTERS)
    turned = tuple(Tour(0, tour.nodes[::-1]) for tour in QUARTERS)
    strings.take(to_solution(strings.data, turned, problem))
    for nodes in order(strings.ruined(), problem):
        assert list(nodes) == sorted(nodes, reverse=True)


def test_a_tour_of_one_job_is_left_out_whole() -> None:
    problem = ring(2)
    strings = strings_of(problem, (Tour(0, (1,)), Tour(0, (2,))))
    assert {len(order(strings.ruined(), problem)) for _ in range(50)} == {0, 1}
