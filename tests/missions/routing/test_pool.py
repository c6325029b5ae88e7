"""The best choice among all tours met."""

from missions.routing.pool import Pool
from missions.routing.problem import Tour, total_cost
from tests.missions.routing.tiny import ring, strips

ALL = frozenset(range(12))


def test_halves_of_two_answers_make_a_better_one() -> None:
    """One answer is good in the north, the other in the south; the choice takes the good halves."""
    problem = ring(most_time=6000)
    north, south = Tour(0, (1, 2, 3, 4, 5, 6)), Tour(0, (7, 8, 9, 10, 11, 12))
    bad_north, bad_south = Tour(0, (1, 6, 2, 5, 3, 4)), Tour(0, (7, 9, 8, 11, 10, 12))
    pool = Pool(problem)
    for tour in (north, bad_south):
        pool.add(tour, 1.0)
    apart = Tour(0, (1, 3, 2, 4, 6)), Tour(0, (5,))
    for tour in (*apart, south):
        pool.add(tour, 2.0)
    least = min(total_cost(problem, (north, bad_south)), total_cost(problem, (*apart, south)))
    chosen = pool.best(least, seconds=10, musts=ALL)
    assert chosen is not None
    assert set(chosen) == {north, south}
    assert total_cost(problem, chosen) < least
    assert bad_north not in chosen


def test_nothing_better_is_none() -> None:
    problem = ring()
    pool = Pool(problem)
    pool.add(whole := Tour(0, tuple(range(1, 13))), 1.0)
    assert pool.best(total_cost(problem, (whole,)), seconds=10, musts=ALL) is None


def test_of_two_orders_over_the_same_jobs_the_cheaper_is_kept() -> None:
    problem = ring()
    pool = Pool(problem)
    pool.add(Tour(0, (1, 3, 2)), 1.0)
    pool.add(Tour(0, (1, 2, 3)), 2.0)
    assert [tour for tour, _ in pool.tours()] == [Tour(0, (1, 2, 3))]


def test_strips_of_a_tour_are_turned_round_for_the_best() -> None:
    problem = strips(2)
    pool = Pool(problem)
    pool.add(Tour(0, (1, 3)), 1.0)  # both from the near end
    assert [tour for tour, _ in pool.tours()] == [Tour(0, (1, 4))]
