"""Proves routing answers by plain arithmetic on what the files say; knows no solver.

Public problems are counted again from their matrices, leg by leg; our own cases from
their coordinates, with the legs' way round the zones cut by Shapely, not by a matrix.
"""

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import pairwise

import shapely
from shapely.geometry import LineString

from missions.routing.cases import Case
from missions.routing.problem import Problem, Tour

# Lengths are rounded when they are counted in whole numbers: so much of a limit may come of it.
ROUNDED = 1e-5


def faults(problem: Problem, tours: Sequence[Tour]) -> tuple[str, ...]:
    """Return what is wrong with an answer to a public problem, nothing when it holds."""
    return tuple(_faults(problem, tours))


def _faults(problem: Problem, tours: Sequence[Tour]) -> Iterator[str]:
    owner = {node: k for k, job in enumerate(problem.jobs) for node in job.nodes}
    visits = Counter(owner[node] for tour in tours for node in tour.nodes)
    yield from (f"job {k} is visited {n} times" for k, n in visits.items() if n > 1)
    left = [k for k, job in enumerate(problem.jobs) if job.must and k not in visits]
    if left:
        yield f"{len(left)} jobs are not visited"
    for k, n in Counter(tour.fleet for tour in tours).items():
        if n > problem.fleets[k].tours:
            yield f"fleet {k} flies {n} tours and has {problem.fleets[k].tours}"
    for number, tour in enumerate(tours):
        fleet = problem.fleets[tour.fleet]
        legs = list(pairwise((fleet.start, *tour.nodes, fleet.end)))
        for arcs, most, what in (
            (problem.time, fleet.most_time, "time"),
            (problem.energy, fleet.most_energy, "energy"),
        ):
            took = sum(int(arcs[fleet.profile][a, b]) for a, b in legs)
            if most is not None and took > most * (1 + ROUNDED):
                yield f"tour {number} takes {took} of {what} and may take {most}"
        for kind, most in enumerate(fleet.capacity):
            carried = sum(problem.jobs[owner[node]].load[kind] for node in tour.nodes)
            if carried > most:
                yield f"tour {number} carries {carried} and may carry {most}"


def case_faults(case: Case, sorties: Sequence[tuple[int, Sequence[int]]]) -> tuple[str, ...]:
    """Return what is wrong with sorties (dock, points in order) over a case."""
    return tuple(_case_faults(case, sorties))


def _case_faults(case: Case, sorties: Sequence[tuple[int, Sequence[int]]]) -> Iterator[str]:
    visits = Counter(point for _, points in sorties for point in points)
    yield from (f"point {p} is visited {n} times" for p, n in visits.items() if n > 1)
    if missing := len(case.points) - len(visits):
        yield f"{missing} points are not visited"
    for number, (dock, points) in enumerate(sorties):
        seconds = sortie_s(case, dock, points)
        if seconds > case.endurance_s + 1e-6:
            yield f"sortie {number} takes {seconds:.1f} s and may take {case.endurance_s:g} s"


def sortie_s(case: Case, dock: int, points: Sequence[int]) -> float:
    """Return how long a sortie takes, its service included; infinite where a leg cannot be flown."""
    stops = [case.docks[dock], *(case.points[p] for p in points), case.docks[dock]]
    return sum(_leg_s(case, a, b) for a, b in pairwise(stops)) + case.service_s * len(points)


def _leg_s(case: Case, a: Sequence[float], b: Sequence[float]) -> float:
    rise = b[2] - a[2]
    height_s = rise / case.climb_m_s if rise > 0 else -rise / case.descent_m_s
    return max(_way_m(case, (a[0], a[1]), (b[0], b[1])) / case.speed_m_s, height_s)


def _way_m(case: Case, a: tuple[float, float], b: tuple[float, float]) -> float:
    """Return the length of the shortest way between two places that enters no zone."""
    line = LineString([a, b])
    if not any(_enters(line, zone) for zone in case.no_fly):
        return float(line.length)
    corners = [
        corner
        for zone in case.no_fly
        for corner in zone.buffer(5.0, join_style="mitre", mitre_limit=5.0).exterior.coords[:-1]
    ]
    nodes = [a, *corners, b]
    best = dict.fromkeys(range(len(nodes)), math.inf) | {0: 0.0}
    todo = set(best)
    while todo:  # Dijkstra over the corners, each leg looked at when it is needed
        here = min(todo, key=lambda k: best[k])
        if here == len(nodes) - 1 or math.isinf(best[here]):
            break
        todo.remove(here)
        for there in todo:
            far = best[here] + math.dist(nodes[here], nodes[there])
            if far < best[there]:
                leg = LineString([nodes[here], nodes[there]])
                if not any(_enters(leg, zone) for zone in case.no_fly):
                    best[there] = far
    return best[len(nodes) - 1]


def _enters(line: LineString, zone: shapely.Polygon) -> bool:
    return bool(line.intersection(zone).length > 0.01)
