"""Sorties that start at one dock and land at its neighbour, in pairs, so that no dock loses a drone.

From flights that all come home, two of neighbouring docks exchange their ends: one flies on where the
other would have, and lands there; the other comes back for it. With a line between the docks that is
the way out of the one and the way home of the other saved. An exchange is made where it pays, the
best first; a flight takes part in one.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from missions.geo import distance_m
from missions.model import Dock
from missions.network import Network
from missions.reach import Limits
from missions.solver import Flight, Problem

# Docks further apart than this do not exchange drones.
NEIGHBOURS_M = 10_000.0

# An exchange must save this share of the two flights: a drone away from home costs somebody a thought.
LEAST_SAVING = 0.02


@dataclass(frozen=True, slots=True)
class _Exchange:
    saved_s: float
    one: int
    two: int
    nodes: tuple[tuple[int, ...], tuple[int, ...]]


def crossed(
    network: Network, problem: Problem, flights: Sequence[Flight], limits: Limits
) -> list[tuple[Flight, Dock]]:
    """Return the flights with the dock each lands at, some pairs of them having exchanged their ends."""
    docks = network.site.docks
    ended = [(flight, docks[problem.fleets[flight.fleet].dock]) for flight in flights]
    choices = [
        e
        for a, b in combinations(range(len(flights)), 2)
        for e in _exchanges(problem, flights, a, b, docks, limits)
    ]
    done: set[int] = set()
    for each in sorted(choices, key=lambda e: -e.saved_s):
        if not done & {each.one, each.two}:
            done |= {each.one, each.two}
            (one, home), (two, there) = ended[each.one], ended[each.two]
            ended[each.one] = Flight(one.fleet, each.nodes[0]), there
            ended[each.two] = Flight(two.fleet, each.nodes[1]), home
    return ended


def _exchanges(
    problem: Problem, flights: Sequence[Flight], a: int, b: int, docks: Sequence[Dock], limits: Limits
) -> Iterator[_Exchange]:
    """Yield the best exchange between two flights, if there is one that pays."""
    fleets = problem.fleets[flights[a].fleet], problem.fleets[flights[b].fleet]
    home, there = fleets[0].dock, fleets[1].dock
    is_far = distance_m(docks[home].place, docks[there].place) > NEIGHBOURS_M
    if home == there or fleets[0].model != fleets[1].model or is_far:
        return
    one, two = flights[a].nodes, flights[b].nodes
    time, energy = (m[fleets[0].model] for m in (problem.time_s, problem.energy_wh))
    before_s = _sum(time, (home, *one, home)) + _sum(time, (there, *two, there))
    usable_wh = min(fleet.usable_wh for fleet in fleets)
    best: _Exchange | None = None
    for i in range(len(one) + 1):
        for j in range(len(two) + 1):
            left, right = one[:i] + two[j:], two[:j] + one[i:]
            if not left or not right:
                continue
            ways = (home, *left, there), (there, *right, home)
            spent_s = [_sum(time, way) for way in ways]
            saved_s = before_s - sum(spent_s)
            if saved_s < LEAST_SAVING * before_s or (best and saved_s <= best.saved_s):
                continue
            energy_wh = max(_sum(energy, way) for way in ways)
            is_light = _fits(problem, flights[a], left) and _fits(problem, flights[b], right)
            if is_light and max(spent_s) <= limits.time_s and energy_wh <= usable_wh:
                best = _Exchange(saved_s, a, b, (left, right))
    if best is not None:
        yield best


def _sum(matrix: np.ndarray, way: Sequence[int]) -> float:
    return float(matrix[list(way[:-1]), list(way[1:])].sum())


def _fits(problem: Problem, flight: Flight, nodes: Sequence[int]) -> bool:
    """Return whether a flight can carry what the nodes take."""
    task_of = {node: task for task, ways in enumerate(problem.ways) for node in ways}
    capacity = problem.fleets[flight.fleet].capacity
    loads = [problem.loads[task_of[node]] for node in nodes]
    return all(sum(load[k] for load in loads) <= most for k, most in enumerate(capacity))
