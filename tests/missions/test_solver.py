"""A problem in, flights out: the same for a seed and rounds; told when to end, and telling how far it is."""

import time
from dataclasses import replace

import numpy as np
import pytest
from scipy.spatial.distance import cdist

from missions.solver import Fleet, Flight, Problem, solve

POINTS = 40


@pytest.fixture(scope="module")
def problem() -> Problem:
    """Forty looks around two docks; each takes ten seconds, a sortie ten minutes and 60 Wh at most."""
    dice = np.random.default_rng(4)
    at = np.vstack([[[-800.0, 0.0], [800.0, 0.0]], dice.uniform(-1500, 1500, (POINTS, 2))])
    time_s = cdist(at, at) / 12
    time_s[:, 2:] += 10
    return Problem(
        docks=2,
        fleets=tuple(Fleet(dock, 0, 6, 60.0, (30,)) for dock in (0, 1)),
        time_s=(time_s,),
        energy_wh=(time_s * 0.11,),
        ways=tuple((2 + k,) for k in range(POINTS)),
        prizes=(1,) * POINTS,
        loads=((1,),) * POINTS,
        longest_s=600.0,
    )


def nodes(flights: tuple[Flight, ...]) -> list[int]:
    return sorted(node for flight in flights for node in flight.nodes)


@pytest.mark.parametrize("workers", [1, 2])
def test_a_seed_and_a_number_of_rounds_give_one_answer(problem: Problem, workers: int) -> None:
    """However fast the machine is, and with workers beside each other too."""
    first, again = (solve(problem, seconds=0.01, iterations=300, seed=3, workers=workers) for _ in range(2))
    assert first == again
    assert nodes(first) == list(range(2, 2 + POINTS))


def test_both_limits_hold_in_every_sortie(problem: Problem) -> None:
    tight = replace(problem, energy_wh=(problem.energy_wh[0] * np.linspace(0.8, 1.2, 2 + POINTS),))
    for flight in solve(tight, seconds=1, iterations=400, seed=1):
        stops = [tight.fleets[flight.fleet].dock, *flight.nodes, tight.fleets[flight.fleet].dock]
        assert tight.time_s[0][stops[:-1], stops[1:]].sum() <= tight.longest_s
        assert tight.energy_wh[0][stops[:-1], stops[1:]].sum() <= tight.fleets[flight.fleet].usable_wh


def test_the_best_cost_so_far_is_told_and_never_rises(problem: Problem) -> None:
    heard: list[tuple[float, float]] = []
    solve(
        problem, seconds=1, iterations=2000, seed=1,
        best=lambda share, cost: heard.append((share, cost)),
    )  # fmt: skip
    costs = [cost for _, cost in heard]
    assert costs == sorted(costs, reverse=True)
    assert all(0 <= share <= 1 for share, _ in heard)
    assert 300 < costs[-1] < 10_000  # seconds of flying


@pytest.mark.parametrize("workers", [1, 2])
def test_told_to_end_it_ends_with_what_it_has(problem: Problem, workers: int) -> None:
    """A minute is asked for; once a first answer is told of, it is cancelled."""
    heard: list[float] = []
    began_s = time.monotonic()
    flights = solve(
        problem, seconds=600, iterations=10**9, seed=1, workers=workers,
        best=lambda share, cost: heard.append(cost), cancelled=lambda: bool(heard),
    )  # fmt: skip
    assert time.monotonic() - began_s < 300
    assert nodes(flights) == list(range(2, 2 + POINTS))


def test_it_ends_where_the_answer_is_proven_good_enough(problem: Problem) -> None:
    """Within four fifths of the bound is soon reached; without a gap it would take a billion rounds."""
    flights = solve(problem, seconds=600, iterations=10**9, seed=1, gap=0.8)
    assert nodes(flights) == list(range(2, 2 + POINTS))


def test_it_begins_from_the_flights_given(problem: Problem) -> None:
    """A good plan is not lost: one round from it is as good, where one round from nothing is not."""
    good = solve(problem, seconds=1, iterations=600, seed=1)
    heard: list[float] = []
    solve(problem, seconds=1, iterations=1, seed=9, start=good, best=lambda share, cost: heard.append(cost))
    known: list[float] = []
    solve(problem, seconds=1, iterations=600, seed=1, best=lambda share, cost: known.append(cost))
    assert heard[-1] <= known[-1]


def test_nothing_to_fly_is_no_flight(problem: Problem) -> None:
    assert solve(replace(problem, fleets=()), seconds=1, iterations=10, seed=1) == ()
