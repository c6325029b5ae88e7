"""Loose jobs put into tours one after another: a whole plan in a part of a second, with every limit kept.

First comes the job that would lose most by waiting (regret), each at the cheapest place there is.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from missions.routing.problem import Problem, Tour, Whole

FAR = np.iinfo(np.int64).max // 4


def inserted(problem: Problem, kept: Sequence[Tour]) -> tuple[Tour, ...]:
    """Return the kept tours with the loose jobs put in, in new tours too where any are left."""
    tours = [_Open.of(problem, tour) for tour in kept]
    served = {int(problem.job_of()[node]) for tour in kept for node in tour.nodes}
    loose = [k for k in range(len(problem.jobs)) if k not in served]
    fresh = [
        _Open.of(problem, Tour(k, ()))
        for k, fleet in enumerate(problem.fleets)
        if fleet.tours > sum(tour.fleet == k for tour in kept)
    ]
    offers = {id(t): t.offers(problem, loose) for t in (*tours, *fresh)}
    while loose:
        choices = [*tours, *fresh]
        if not choices:
            break
        gains = np.array([offers[id(t)][0] for t in choices])  # a row a tour, a column a loose job
        order = np.sort(gains, axis=0)
        second = order[1] if len(order) > 1 else np.full(len(loose), FAR)
        fits = order[0] < FAR
        if not fits.any():
            break
        k = int(np.argmax(np.where(fits, second - order[0], -1)))
        chosen = choices[int(np.argmin(gains[:, k]))]
        node, place = (int(x) for x in offers[id(chosen)][1][k])
        job = loose.pop(k)
        offers = {
            key: (np.delete(cost, k), np.delete(where, k, axis=0)) for key, (cost, where) in offers.items()
        }
        chosen.put(problem, job, node, place)
        if chosen in fresh:
            fresh.remove(chosen)
            tours.append(chosen)
            if problem.fleets[chosen.fleet].tours > sum(t.fleet == chosen.fleet for t in tours):
                fresh.append(_Open.of(problem, Tour(chosen.fleet, ())))
                offers[id(fresh[-1])] = fresh[-1].offers(problem, loose)
        offers[id(chosen)] = chosen.offers(problem, loose)
    return tuple(Tour(t.fleet, tuple(t.stops[1:-1])) for t in tours if len(t.stops) > 2)


@dataclass(slots=True, eq=False)
class _Open:
    """A tour that jobs are being put into: its stops, and what is left of its limits."""

    fleet: int
    stops: list[int]
    time_left: float
    energy_left: float
    loads_left: list[int]

    @classmethod
    def of(cls, problem: Problem, tour: Tour) -> "_Open":
        fleet = problem.fleets[tour.fleet]
        stops = [fleet.start, *tour.nodes, fleet.end]
        job_of = problem.job_of()
        carried = [problem.jobs[job_of[node]].load for node in tour.nodes]
        time, energy = _arcs(problem, tour.fleet)
        return cls(
            tour.fleet,
            stops,
            (FAR if fleet.most_time is None else fleet.most_time) - _along(time, stops),
            (FAR if fleet.most_energy is None else fleet.most_energy) - _along(energy, stops),
            [most - sum(load[k] for load in carried) for k, most in enumerate(fleet.capacity)],
        )

    def offers(self, problem: Problem, loose: Sequence[int]) -> tuple[Whole, Whole]:
        """Return for each loose job what it costs here at the least (`FAR`: too much), and (node, place)."""
        time, energy = _arcs(problem, self.fleet)
        cost = np.full(len(loose), FAR, dtype=np.int64)
        where = np.zeros((len(loose), 2), dtype=np.int64)
        opening = problem.fleets[self.fleet].fixed if len(self.stops) == 2 else 0
        for way in range(max((len(problem.jobs[j].nodes) for j in loose), default=0)):
            nodes = np.array([problem.jobs[j].nodes[min(way, len(problem.jobs[j].nodes) - 1)] for j in loose])
            more_s, more_e = (_detours(arcs, np.array(self.stops), nodes) for arcs in (time, energy))
            total = problem.per_time * more_s + problem.per_energy * more_e + opening
            total = np.where((more_s <= self.time_left) & (more_e <= self.energy_left), total, FAR)
            place = total.argmin(axis=1)
            least = total[np.arange(len(nodes)), place]
            better = least < cost
            cost[better] = least[better]
            where[better] = np.column_stack([nodes, place + 1])[better]
        heavy = [
            any(x > most for x, most in zip(problem.jobs[j].load, self.loads_left, strict=True))
            for j in loose
        ]
        cost[np.array(heavy, dtype=bool)] = FAR
        return cost, where

    def put(self, problem: Problem, job: int, node: int, place: int) -> None:
        """Put a job in at a place among the stops."""
        before = self.stops[:]
        self.stops.insert(place, node)
        time, energy = _arcs(problem, self.fleet)
        self.time_left -= _along(time, self.stops) - _along(time, before)
        self.energy_left -= _along(energy, self.stops) - _along(energy, before)
        self.loads_left = [most - x for most, x in zip(self.loads_left, problem.jobs[job].load, strict=True)]


def _arcs(problem: Problem, fleet: int) -> tuple[Whole, Whole]:
    profile = problem.fleets[fleet].profile
    return problem.time[profile], problem.energy[profile]


def _along(arcs: Whole, stops: Sequence[int]) -> int:
    return int(arcs[stops[:-1], stops[1:]].sum())


def _detours(arcs: Whole, stops: Whole, nodes: Whole) -> Whole:
    """Return what each node adds between each pair of stops: a row a node, a column a place."""
    into, onward = arcs[np.ix_(stops[:-1], nodes)].T, arcs[np.ix_(nodes, stops[1:])]
    return np.asarray(into + onward - arcs[stops[:-1], stops[1:]][None, :])
