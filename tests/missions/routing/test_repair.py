"""Loose jobs are put in where they fit best, within every limit."""

from dataclasses import replace

from missions.routing.effort import Effort
from missions.routing.insertion import inserted
from missions.routing.problem import Tour, is_within_limits, measure, total_cost
from missions.routing.repair import repair
from tests.missions.routing.tiny import ring, strips


def test_a_loose_point_goes_between_its_neighbours() -> None:
    problem = ring()
    kept = (Tour(0, (1, 2, 3, 5, 6, 7, 8, 9, 10, 11, 12)),)
    assert inserted(problem, kept) == (Tour(0, tuple(range(1, 13))),)


def test_what_fits_in_no_kept_tour_gets_a_new_one() -> None:
    problem = ring(most_time=3700)
    kept = (Tour(0, (1, 2, 3, 4)), Tour(0, (5, 6, 7, 8)))
    tours = inserted(problem, kept)
    assert {frozenset(t.nodes) for t in tours} >= {frozenset((1, 2, 3, 4)), frozenset((5, 6, 7, 8))}
    assert sorted(node for tour in tours for node in tour.nodes) == list(range(1, 13))
    assert all(is_within_limits(problem, tour) for tour in tours)


def test_what_fits_nowhere_is_left_out() -> None:
    problem = ring(most_time=3700, tours=2)
    tours = inserted(problem, (Tour(0, (1, 2, 3, 4)), Tour(0, (5, 6, 7, 8))))
    assert sorted(node for tour in tours for node in tour.nodes) == list(range(1, 9))


def test_a_dock_without_tours_gets_none() -> None:
    problem = ring(docks=2)
    down = replace(problem, fleets=(replace(problem.fleets[0], tours=0), problem.fleets[1]))
    for tours in (inserted(down, ()), repair(down, (), Effort(rounds=200)).tours):
        assert {tour.fleet for tour in tours} == {1}
        assert sorted(node for tour in tours for node in tour.nodes) == list(range(2, 14))


def test_a_strip_goes_in_where_and_from_the_end_that_is_cheapest() -> None:
    problem = strips(3)
    found = inserted(problem, (Tour(0, (1, 4)),))[0]
    choices = [Tour(0, (*(1, 4)[:k], node, *(1, 4)[k:])) for k in range(3) for node in (5, 6)]
    assert measure(problem, found).cost == min(measure(problem, tour).cost for tour in choices)


def test_going_on_from_the_repair_makes_it_no_worse() -> None:
    problem = ring(30, docks=3, most_time=4200)
    kept = (Tour(0, tuple(range(3, 9))), Tour(2, tuple(range(14, 20))))
    first = inserted(problem, kept)
    assert repair(problem, kept, Effort(rounds=300)).cost <= total_cost(problem, first)
