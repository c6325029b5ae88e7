"""The search for tours: limits kept, nothing lost without need, the same for the same seed."""

import itertools
import math
from dataclasses import replace

import pytest

from missions.routing.alone import run_alone
from missions.routing.data import tours_of
from missions.routing.effort import Effort
from missions.routing.problem import Job, Tour, is_within_limits, measure, total_cost
from missions.routing.search import Manner, Stage, search
from tests.missions.routing.tiny import ring, strips

ROUNDS = Effort(rounds=400)


def visited(tours: tuple[Tour, ...]) -> list[int]:
    return sorted(node for tour in tours for node in tour.nodes)


def test_a_ring_is_flown_round_once() -> None:
    problem = ring()
    answer = search(problem, ROUNDS)
    assert visited(answer.tours) == list(range(1, 13))
    assert len(answer.tours) == 1
    assert answer.cost == 2 * 1000 + 11 * math.ceil(2000 * math.sin(math.pi / 12))


def test_each_tour_keeps_its_time() -> None:
    problem = ring(most_time=3700)
    answer = search(problem, ROUNDS)
    assert visited(answer.tours) == list(range(1, 13))
    assert len(answer.tours) == 3
    assert all(is_within_limits(problem, tour) for tour in answer.tours)


def test_energy_limits_a_tour_as_time_does() -> None:
    """Energy is twice the time here, so 7400 of it are 3700 of time."""
    limits = {"most_time": None, "most_energy": 7400}
    problem = replace(ring(), fleets=tuple(replace(f, **limits) for f in ring().fleets))
    assert len(search(problem, ROUNDS).tours) == 3


def test_the_same_seed_and_rounds_give_the_same_tours() -> None:
    problem = ring(30, docks=3, most_time=4200)
    assert search(problem, ROUNDS, seed=7) == search(problem, ROUNDS, seed=7)


def test_what_cannot_be_flown_is_left_out_and_the_rest_is_flown() -> None:
    """One point is further away than the limit: the answer pays its prize and serves the others."""
    problem = ring(most_time=4000)
    problem.time[0][5, :], problem.time[0][:, 5] = 9000, 9000
    answer = search(problem, Effort(rounds=600))
    assert visited(answer.tours) == [n for n in range(1, 13) if n != 5]
    assert answer.cost == total_cost(problem, answer.tours)


def test_an_optional_job_is_flown_only_where_its_prize_pays_the_way() -> None:
    problem = ring()
    cheap = replace(problem, jobs=tuple(Job(j.nodes, 10, j.load, must=False) for j in problem.jobs))
    dear = replace(problem, jobs=tuple(Job(j.nodes, 2000, j.load, must=False) for j in problem.jobs))
    assert search(cheap, ROUNDS).tours == ()
    assert len(visited(search(dear, ROUNDS).tours)) == 12


def test_strips_are_flown_to_and_fro() -> None:
    """Each other strip from its far end: six strips and five steps of 50 m between them."""
    answer = search(strips(), ROUNDS)
    assert answer.cost == 6 * 300 + 5 * 50 + 100 + round(math.hypot(100, 250))


def test_a_search_begins_from_what_it_is_given() -> None:
    """With no time at all the answer is the start itself."""
    problem = ring(most_time=3700)
    start = tuple(Tour(0, tuple(range(k, k + 4))) for k in (1, 5, 9))
    answer = search(problem, Effort(rounds=1, cancelled=lambda: True), start=start)
    assert visited(answer.tours) == list(range(1, 13))
    assert answer.cost <= total_cost(problem, start)


def test_of_a_start_with_more_tours_than_there_are_the_first_are_taken() -> None:
    problem = ring(tours=1)
    start = tuple(Tour(0, tuple(range(k, k + 4))) for k in (1, 5, 9))
    assert visited(search(problem, ROUNDS, start=start).tours) == list(range(1, 13))


def test_it_stops_when_the_cost_is_good_enough_and_when_told() -> None:
    problem = ring()
    assert search(problem, Effort(rounds=50_000, enough=1e9)).rounds < 10
    assert search(problem, Effort(rounds=50_000, cancelled=lambda: True)).rounds < 10


def test_a_search_whose_musts_do_not_all_fit_stops_when_told() -> None:
    """Giving musts up after the end once began a stage that was over before it began, and never ended."""
    asked = itertools.count()

    def cancelled() -> bool:
        assert next(asked) < 100, "it goes on"
        return next(asked) > 6

    problem = ring(most_time=3700, tours=1)
    search(problem, Effort(rounds=50_000, cancelled=cancelled))


def test_the_last_choice_among_the_tours_is_made_within_the_time() -> None:
    """By a clock that goes on by a second each time it is looked at."""
    seconds = itertools.count()
    answer = search(
        ring(30, docks=3, most_time=4200), Effort(seconds=800, clock=lambda: float(next(seconds)))
    )
    assert len(visited(answer.tours)) == 30
    assert 400 < next(seconds) <= 800


def test_progress_hears_the_share_spent_and_the_best_cost() -> None:
    heard: list[tuple[float, float]] = []
    search(ring(), Effort(rounds=200, progress=lambda share, cost: heard.append((share, cost))))
    assert heard
    assert all(0 < share <= 1 for share, _ in heard)


@pytest.mark.parametrize(
    "stages",
    [
        (Stage(0.5, None, fresh=True), Stage(1.0, 1.0)),
        (Stage(0.4, 1.8, fresh=True), Stage(1.0, 1.0, jobs=12)),
    ],
)
def test_every_kind_of_stage_serves_all_within_limits(stages: tuple[Stage, ...]) -> None:
    problem = ring(40, docks=2, most_time=4200, tours=8)
    answer = search(problem, ROUNDS, manner=Manner(stages=stages))
    assert visited(answer.tours) == list(range(2, 42))
    assert all(is_within_limits(problem, tour) for tour in answer.tours)
    assert answer.cost == sum(measure(problem, tour).cost for tour in answer.tours)


def test_no_jobs_are_no_tours() -> None:
    problem = ring()
    empty = replace(problem, jobs=(), time=(problem.time[0][:1, :1],), energy=(problem.energy[0][:1, :1],))
    assert search(empty, ROUNDS).tours == ()


def test_a_way_of_searching_that_is_not_clearly_better_hands_on_to_pyvrps_own() -> None:
    """The ring is at its best at once, so a trial finds nothing better; the rest is the same each time."""
    trial = Manner(stages=(Stage(0.2, None, fresh=True, trial=Stage(0.4, 0.9, fresh=True)), Stage(1.0, 0.25)))
    problem = ring(30, docks=3, most_time=4200)
    answers = [search(problem, ROUNDS, seed=7, manner=trial) for _ in range(2)]
    assert answers[0] == answers[1]
    assert visited(answers[0].tours) == list(range(3, 33))
    assert (
        answers[0].cost
        <= search(problem, ROUNDS, seed=7, manner=Manner(stages=(Stage(0.2, None, fresh=True),))).cost
    )


def test_pyvrps_own_loop_begins_from_what_it_is_given() -> None:
    problem = ring(most_time=3700)
    start = tuple(Tour(0, tuple(range(k, k + 4))) for k in (1, 5, 9))
    found = tours_of(run_alone(problem, lambda cost: True, seed=1, start=start), problem)
    assert total_cost(problem, found) <= total_cost(problem, start)
