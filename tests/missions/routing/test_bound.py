"""A lower bound is never above what is flown, and meets it where a problem is a single way."""

from dataclasses import replace

import pytest

from missions.routing.bound import lower_bound
from missions.routing.effort import Effort
from missions.routing.problem import Job, Problem
from missions.routing.search import search
from tests.missions.routing.tiny import ring, strips


def test_there_and_back_to_a_single_point_is_the_bound_itself() -> None:
    problem = ring(1)
    assert lower_bound(problem) == search(problem, Effort(rounds=20)).cost == 2000


@pytest.mark.parametrize(
    "problem", [ring(), ring(30, docks=3, most_time=4200), ring(most_time=3700), strips()]
)
def test_no_answer_undercuts_the_bound_and_it_is_not_empty(problem: Problem) -> None:
    cost = search(problem, Effort(rounds=300)).cost
    assert cost / 2 < lower_bound(problem) <= cost


def test_optional_jobs_are_worth_no_more_than_their_prizes_to_it() -> None:
    problem = ring()
    cheap = replace(problem, jobs=tuple(Job(j.nodes, 10, j.load, must=False) for j in problem.jobs))
    assert lower_bound(cheap) == 12 * 10 == search(cheap, Effort(rounds=100)).cost


def test_a_must_beyond_reach_is_not_counted_as_flown() -> None:
    problem = ring(most_time=4000)
    problem.time[0][5, :], problem.time[0][:, 5] = 10**7, 10**7
    assert lower_bound(problem) <= search(problem, Effort(rounds=300)).cost


def test_nothing_to_do_costs_nothing() -> None:
    problem = ring()
    empty = replace(problem, jobs=(), time=(problem.time[0][:1, :1],), energy=(problem.energy[0][:1, :1],))
    assert lower_bound(empty) == 0
