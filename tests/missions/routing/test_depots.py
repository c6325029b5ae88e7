"""A tour is flown from the depot that suits it, as long as that has a tour to spare."""

from dataclasses import replace

from missions.routing.depots import from_better_depots
from missions.routing.effort import Effort
from missions.routing.problem import Problem, Tour, is_within_limits, measure
from missions.routing.search import search
from tests.missions.routing.tiny import ring


def apart() -> Problem:
    """Return a ring round the second of two docks; the first lies 5,000 beside it."""
    made = ring(6, docks=2)
    far = made.time[0].copy()
    far[0, :] += 5000
    far[:, 0] += 5000
    far[0, 0] = 0
    return replace(made, time=(far,), energy=(2 * far,))


def test_a_tour_changes_to_the_depot_that_flies_it_cheapest() -> None:
    """Opened where that is shortest; no job is lost."""
    problem = apart()
    (tour,) = from_better_depots(problem, [Tour(0, (4, 5, 6, 7, 2, 3))])
    assert tour.fleet == 1
    assert sorted(tour.nodes) == [2, 3, 4, 5, 6, 7]
    assert is_within_limits(problem, tour)
    assert measure(problem, tour).cost < measure(problem, Tour(0, (4, 5, 6, 7, 2, 3))).cost - 9000


def test_a_tour_stays_where_the_better_depot_has_none_to_spare() -> None:
    """Nor does it change to one whose drones would not hold out."""
    problem = apart()
    none = replace(problem, fleets=(problem.fleets[0], replace(problem.fleets[1], tours=0)))
    weak = replace(problem, fleets=(problem.fleets[0], replace(problem.fleets[1], most_time=3000)))
    for shut in (none, weak):
        tours = (Tour(0, (2, 3, 4, 5, 6, 7)),)
        assert from_better_depots(shut, tours) == tours


def test_two_tours_do_not_take_the_same_last_tour_of_a_depot() -> None:
    """The fleet keeps its number."""
    problem = apart()
    one = replace(problem, fleets=(problem.fleets[0], replace(problem.fleets[1], tours=1)))
    moved = from_better_depots(one, [Tour(0, (2, 3, 4)), Tour(0, (5, 6, 7))])
    assert [tour.fleet for tour in moved] == [1, 0]


def test_a_search_ends_with_tours_from_the_right_depot() -> None:
    """Whatever its seed and however short it is."""
    problem = apart()
    for seed in range(5):
        answer = search(problem, Effort(rounds=20), seed=seed)
        assert {tour.fleet for tour in answer.tours} == {1}
