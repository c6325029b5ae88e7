"""A plan in a part of a second: one tour over each dock's own points, cut where that is best.

Every point belongs to its nearest dock by time. The search for better tours starts from
it and learns from it how many tours there will be about: spare ones mislead it.
"""

import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from missions.routing.problem import Problem, Tour, Whole

Order = list[int]

LEAST_TOURS = 3


def tightened(problem: Problem, tours: Sequence[Tour], *, spare: float = 1.0) -> Problem:
    """Return the problem with about as many tours for each fleet as these ones use."""
    used = Counter(tour.fleet for tour in tours)
    return replace(
        problem,
        fleets=tuple(
            replace(fleet, tours=min(fleet.tours, max(LEAST_TOURS, math.ceil(used[k] * spare))))
            for k, fleet in enumerate(problem.fleets)
        ),
    )


def giant_tour(problem: Problem) -> tuple[Tour, ...]:
    """Return for each dock one tour over all its points, cut at the best places, each piece improved."""
    made = []
    for dock, mine in territories(problem):
        whole = two_opt(problem.time[0], dock, chain(problem.time[0], dock, mine))
        made += [
            Tour(dock, tuple(two_opt(problem.time[0], dock, piece))) for piece in _split(problem, dock, whole)
        ]
    return tuple(made)


def two_opt(time: Whole, dock: int, order: Order) -> Order:
    """Return the order after reversing pieces, and moving single points, as long as that is shorter."""
    stops = np.array([dock, *order, dock])
    while len(stops) > 4:
        gain, change = max((_best_reversal(time, stops), _best_move(time, stops)), key=lambda g: g[0])
        if gain <= 0:
            break
        stops = change()
    return [int(k) for k in stops[1:-1]]


def _best_reversal(time: Whole, stops: Whole) -> tuple[int, Callable[[], Whole]]:
    """Return the most that reversing one piece gains (legs there and back may differ a little)."""
    ahead, behind = time[np.ix_(stops, stops)], time[np.ix_(stops, stops)].T
    forth = np.r_[0, np.cumsum(ahead[np.arange(len(stops) - 1), np.arange(1, len(stops))])]
    back = np.r_[0, np.cumsum(behind[np.arange(len(stops) - 1), np.arange(1, len(stops))])]
    i, j = np.triu_indices(len(stops) - 1, 1)
    i, j = i[i >= 0] + 1, j[i >= 0]
    keep = i < j
    i, j = i[keep], j[keep]
    before = ahead[i - 1, i] + forth[j] - forth[i] + ahead[j, j + 1]
    after = ahead[i - 1, j] + back[j] - back[i] + ahead[i, j + 1]
    if not len(i):
        return 0, lambda: stops
    k = int(np.argmax(before - after))
    a, b = int(i[k]), int(j[k])
    return int((before - after)[k]), lambda: np.r_[stops[:a], stops[a : b + 1][::-1], stops[b + 1 :]]


def _best_move(time: Whole, stops: Whole) -> tuple[int, Callable[[], Whole]]:
    """Return the most that moving one point elsewhere in the tour gains."""
    legs = time[stops[:-1], stops[1:]]
    at = np.arange(1, len(stops) - 1)
    out = legs[at - 1] + legs[at] - time[stops[at - 1], stops[at + 1]]
    into = time[stops[:-1]][:, stops[at]] + time[np.ix_(stops[at], stops[1:])].T - legs[:, None]
    into[at - 1, at - 1] = into[at, at - 1] = np.iinfo(np.int64).max // 2
    gain = out[None, :] - into
    leg, k = np.unravel_index(int(np.argmax(gain)), gain.shape)
    point = int(at[k])

    def moved() -> Whole:
        rest = np.delete(stops, point)
        place = leg + 1 if leg + 1 <= point else leg
        return np.insert(rest, place, stops[point])

    return int(gain[leg, k]), moved


def territories(problem: Problem) -> list[tuple[int, list[int]]]:
    """Return each dock that has a tour to fly with the points nearest to it."""
    time, docks = problem.time[0], problem.depots
    open_ = [d for d in range(docks) if problem.fleets[d].tours > 0]
    there_and_back = time[open_, docks:] + time[docks:, open_].T
    nearest = there_and_back.argmin(axis=0)
    return [(d, [int(k) + docks for k in np.flatnonzero(nearest == row)]) for row, d in enumerate(open_)]


def chain(time: Whole, dock: int, points: Sequence[int]) -> Order:
    """Return the points from nearest to nearest."""
    order, left, here = [], set(points), dock
    while left:
        here = min(left, key=lambda k: int(time[here, k]))
        left.remove(here)
        order.append(here)
    return order


def _split(problem: Problem, dock: int, order: Order) -> list[Order]:
    """Return the pieces of an order whose tours are the shortest in all (Beasley, 1983)."""
    time, limit = problem.time[0], problem.fleets[dock].most_time or np.iinfo(np.int64).max
    best, came = [0] + [np.iinfo(np.int64).max // 2] * len(order), [0] * (len(order) + 1)
    for i in range(len(order)):
        spent = int(time[dock, order[i]])
        for j in range(i, len(order)):
            spent += int(time[order[j - 1], order[j]]) if j > i else 0
            whole = spent + int(time[order[j], dock])
            if whole > limit:
                break
            if best[i] + whole < best[j + 1]:
                best[j + 1], came[j + 1] = best[i] + whole, i
    pieces, end = [], len(order)
    while end:
        pieces.append(order[came[end] : end])
        end = came[end]
    return pieces
