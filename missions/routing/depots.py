"""Whole tours flown from the depot that suits them best.

A local search moves jobs one by one: a tour that should start at another depot stays where it
is, because the first of its jobs to move would need a tour of its own. Small sites with two docks
ended there as often as not, 6 to 8 % worse than need be.
"""

from collections import Counter
from collections.abc import Sequence

import numpy as np

from missions.routing.orient import oriented
from missions.routing.problem import Problem, Tour, is_within_limits, measure


def from_better_depots(problem: Problem, tours: Sequence[Tour]) -> tuple[Tour, ...]:
    """Return the tours, each from the fleet that flies it cheapest among those with tours to spare.

    The jobs keep their order around; where it is opened for the depot is chosen anew, and the ends
    of strips after that. Every limit a tour kept is kept.
    """
    used = Counter(tour.fleet for tour in tours)
    made = []
    for tour in tours:
        spare = [k for k, fleet in enumerate(problem.fleets) if k != tour.fleet and used[k] < fleet.tours]
        choices = [_opened(problem, tour.nodes, k) for k in spare]
        fit = [tour, *(choice for choice in choices if is_within_limits(problem, choice))]
        best = min(fit, key=lambda each: measure(problem, each).cost)
        used[tour.fleet] -= 1
        used[best.fleet] += 1
        made.append(best)
    return tuple(made)


def _opened(problem: Problem, nodes: Sequence[int], number: int) -> Tour:
    """Return the jobs in their order around as a tour of a fleet, opened where that is cheapest."""
    fleet = problem.fleets[number]
    after = np.array(nodes)
    before = np.roll(after, 1)
    time, energy = problem.time[fleet.profile], problem.energy[fleet.profile]
    more = sum(
        price * (arcs[fleet.start, after] + arcs[before, fleet.end] - arcs[before, after])
        for price, arcs in ((problem.per_time, time), (problem.per_energy, energy))
    )
    at = int(np.argmin(more))
    return oriented(problem, Tour(number, (*nodes[at:], *nodes[:at])))
