"""An answer with strings of neighbouring jobs taken out of a few tours near each other.

PyVRP's own perturbation takes whole patches of a tour out and most of its small ones come
back as they were. Strings taken from a few tours side by side leave room in each of
them, so that jobs change tours (slack induction by string removals; Christiaens and Vanden
Berghe, 2020). PyVRP's local search puts back what is missing and goes on from there.
"""

import random
from dataclasses import dataclass, field

import numpy as np
import pyvrp

from missions.routing.problem import Problem

# Jobs taken out in the mean, and the longest string.
MEAN_OUT, LONGEST = 10, 10

# So many nodes near the first one are looked at for further tours.
NEAR = 100

# Whether two routes are the same can be asked only of routes that look so.
_Sign = tuple[int, int, int]


@dataclass(slots=True)
class Strings:
    """Takes strings out of one answer after another; `data` is the problem as PyVRP has it."""

    data: pyvrp.ProblemData
    near: list[list[int]]
    dice: random.Random
    _routes: list[pyvrp.Route] = field(default_factory=list)
    _visits: list[list[int]] = field(default_factory=list)
    _where: list[int] = field(default_factory=list)
    _known: dict[_Sign, tuple[pyvrp.Route, list[int]]] = field(default_factory=dict)

    @classmethod
    def of(cls, problem: Problem, data: pyvrp.ProblemData, dice: random.Random) -> "Strings":
        """Return what takes strings out of this problem's answers."""
        inside = slice(problem.depots, None)
        cost = problem.per_time * problem.time[0] + problem.per_energy * problem.energy[0]
        there_or_back = np.minimum(cost, cost.T)[inside, inside]
        np.fill_diagonal(there_or_back, -1)
        near = np.argsort(there_or_back, axis=1, kind="stable")[:, :NEAR]
        return cls(data, near.tolist(), dice)

    def take(self, answer: pyvrp.Solution) -> None:
        """Take up the answer to take strings out of, until the next one."""
        known, self._known = self._known, {}
        self._routes, self._visits = answer.routes(), []
        self._where = [-1] * len(self.near)
        for number, route in enumerate(self._routes):
            sign = (route.vehicle_type(), route.distance(), route.num_clients())
            seen = known.get(sign)
            if seen is None or seen[0] != route:
                seen = route, [visit.idx for visit in route][1:-1]
            self._known[sign] = seen
            self._visits.append(seen[1])
            for node in seen[1]:
                self._where[node] = number

    def ruined(self) -> pyvrp.Solution:
        """Return the answer without a string of each of a few tours near one node."""
        dice = self.dice.random
        longest = min(LONGEST, max(1.0, len(self.near) / max(1, len(self._routes))))
        most = int(dice() * (4 * MEAN_OUT / (1 + longest) - 1)) + 1
        routes: list[pyvrp.Route | None] = list(self._routes)
        cut: set[int] = set()
        for node in self.near[int(dice() * len(self.near))]:
            number = self._where[node]
            if number < 0 or number in cut:
                continue
            left = self._without(self._visits[number], node, longest)
            routes[number] = (
                pyvrp.Route(self.data, left, self._routes[number].vehicle_type()) if left else None
            )
            cut.add(number)
            if len(cut) >= most:
                break
        return pyvrp.Solution(self.data, [route for route in routes if route is not None])

    def _without(self, visits: list[int], node: int, longest: float) -> list[int]:
        """Return the visits without a string that has the node in it; half the strings spare one inside."""
        dice = self.dice.random
        size = int(dice() * min(len(visits), longest)) + 1
        spares = 1 < size < len(visits) and dice() < 0.5
        span = size + spares
        at = visits.index(node)
        first, last = max(0, at - span + 1), min(at, len(visits) - span)
        begin = first + int(dice() * (last - first + 1))
        spared = begin + 1 + int(dice() * (span - 2))
        return [*visits[:begin], *([visits[spared]] if spares else []), *visits[begin + span :]]
