"""A city: thousands of points, searched region by region, several at a time in processes.

The matrices of ten thousand points would fill gigabytes, and a search over all of them
at once gets nowhere. First every dock plans the points nearest to it. Then regions, the
tours around one of them with the docks near by, are searched again from what they are,
so that points move between neighbouring docks; no two regions worked on at the same
time share a tour. No matrix is ever larger than a region's.
"""

import os
import random
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from dataclasses import dataclass, field
from multiprocessing import get_context

import numpy as np
from scipy.spatial import cKDTree

from missions import memory
from missions.routing.cases import PER_S, Case, problem_of
from missions.routing.effort import Effort
from missions.routing.problem import Tour, measure
from missions.routing.quick import giant_tour, tightened
from missions.routing.search import Manner, Stage, search

# From so many points on a problem is searched by regions.
LARGE = 1_500

# Points of a region, and CPU seconds it is searched for.
REGION_POINTS, REGION_S = 330, 3.5

# Part of the time for the first plans, dock by dock, and for handing back the last ones.
TERRITORIES, LAST_S = 0.18, 1.0

# Docks nearest to a region that may start tours in it.
NEAR_DOCKS = 6

FIRST = Manner(stages=(Stage(1.0, 1.8),))
AGAIN = Manner(stages=(Stage(1.0, 1.2),), spare_tours=1)

# Told the share of the time spent, and the tours' seconds so far.
Progress = Callable[[float, float], None]


@dataclass(frozen=True, slots=True)
class Flown:
    """One tour: its dock and its points in order, by the case's numbers, and how long it takes."""

    dock: int
    points: tuple[int, ...]
    seconds: float


@dataclass(frozen=True, slots=True)
class Region:
    """Docks, points and the tours over them to begin from, if there are any yet."""

    docks: tuple[int, ...]
    points: tuple[int, ...]
    tours: tuple[Flown, ...]
    effort_s: float
    seed: int


@dataclass(slots=True)
class Found:
    """The tours, and the most memory each worker held, by its process."""

    tours: list[Flown] = field(default_factory=list)
    peak_bytes: dict[int, int] = field(default_factory=dict)
    cpu_s: float = 0.0  # of the workers' searches

    @property
    def seconds(self) -> float:
        """How long all tours take together."""
        return sum(tour.seconds for tour in self.tours)


def plan_regions(
    case: Case, *, seconds: float, workers: int, seed: int, progress: Progress | None = None
) -> Found:
    """Return tours over all points that some dock can reach, found in so many seconds by the clock."""
    began_s = time.monotonic()
    ends_s = began_s + seconds - LAST_S
    dice, found = random.Random(seed), Found()
    tell = progress or (lambda share, cost: None)
    context = get_context("spawn")
    with ProcessPoolExecutor(workers, context, _begin, (case, ends_s)) as pool:
        for done in pool.map(_searched, _territories(case, TERRITORIES * seconds * workers, dice)):
            found.tours += done.tours
            _book(found, done)
            tell((time.monotonic() - began_s) / seconds, found.seconds)
        working: dict[Future[_Done], Region] = {}
        while (left_s := ends_s - time.monotonic()) > 0 or working:
            while left_s > 0 and len(working) < workers:
                region = region_of(case, found.tours, list(working.values()), min(REGION_S, left_s), dice)
                if region is None:
                    break
                working[pool.submit(_searched, region)] = region
            if not working:
                break
            for future in wait(working, return_when=FIRST_COMPLETED).done:
                region, done = working.pop(future), future.result()
                _exchange(found, region, done)
                tell((time.monotonic() - began_s) / seconds, found.seconds)
    return found


@dataclass(frozen=True, slots=True)
class _Done:
    tours: tuple[Flown, ...]
    process: int
    peak_bytes: int
    cpu_s: float


def _book(found: Found, done: _Done) -> None:
    found.peak_bytes[done.process] = done.peak_bytes
    found.cpu_s += done.cpu_s


def _exchange(found: Found, region: Region, done: _Done) -> None:
    """Put a region's new tours in the place of its old ones, if they are better."""
    _book(found, done)
    points = sum(len(t.points) for t in done.tours) - len(region.points)
    if points > 0 or (
        points == 0 and sum(t.seconds for t in done.tours) < sum(t.seconds for t in region.tours)
    ):
        old = set(region.tours)
        found.tours = [tour for tour in found.tours if tour not in old]
        found.tours += done.tours


def _territories(case: Case, effort_s: float, dice: random.Random) -> Iterator[Region]:
    """Yield each dock with the points nearest to it."""
    _, nearest = cKDTree(case.docks[:, :2]).query(case.points[:, :2])
    for dock in range(len(case.docks)):
        points = tuple(int(k) for k in np.flatnonzero(nearest == dock))
        if points:
            share = len(points) / len(case.points)
            yield Region((dock,), points, (), effort_s * share, dice.randrange(2**31))


def region_of(
    case: Case, tours: list[Flown], working: list[Region], effort_s: float, dice: random.Random
) -> Region | None:
    """Return the tours around one of them, with the docks near by, that nobody works on.

    None when every tour is being worked on, or none could be flown at all.
    """
    busy = {tour for region in working for tour in region.tours}
    free = [tour for tour in tours if tour not in busy]
    if not free:
        return None
    middles = np.array([case.points[list(t.points), :2].mean(axis=0) for t in free])
    centre = middles[dice.randrange(len(free))]
    chosen: list[Flown] = []
    for k in np.argsort(np.hypot(*(middles - centre).T), kind="stable"):
        if chosen and sum(len(t.points) for t in chosen) + len(free[k].points) > REGION_POINTS:
            break
        chosen.append(free[k])
    near = np.argsort(np.hypot(*(case.docks[:, :2] - centre).T), kind="stable")[:NEAR_DOCKS]
    docks = tuple(sorted({int(d) for d in near} | {t.dock for t in chosen}))
    points = tuple(sorted(p for t in chosen for p in t.points))
    return Region(docks, points, tuple(chosen), effort_s, dice.randrange(2**31))


_CASE: list[tuple[Case, float]] = []  # a worker's own case and end, set once when it starts


def _begin(case: Case, ends_s: float) -> None:
    _CASE[:] = [(case, ends_s)]


def _searched(region: Region) -> _Done:
    """Return the best tours over a region, those it had if nothing better is found."""
    case, ends_s = _CASE[0]
    began_s = time.process_time()
    used = Counter(tour.dock for tour in region.tours)
    problem = problem_of(
        case,
        region.docks,
        region.points,
        tours=[used[d] + 2 if used else len(region.points) for d in region.docks],
    )
    number = {p: len(region.docks) + k for k, p in enumerate(region.points)}
    start = [Tour(region.docks.index(t.dock), tuple(number[p] for p in t.points)) for t in region.tours]
    if not start:
        start = list(giant_tour(problem))
        problem = tightened(problem, start)
    answer = search(
        problem,
        Effort(seconds=region.effort_s, cancelled=lambda: time.monotonic() > ends_s),
        seed=region.seed,
        start=start,
        manner=AGAIN if used else FIRST,
    )
    first = len(region.docks)
    tours = tuple(
        Flown(
            region.docks[t.fleet],
            tuple(region.points[n - first] for n in t.nodes),
            measure(problem, t).time / PER_S,
        )
        for t in answer.tours
    )
    return _Done(tours, os.getpid(), memory.peak_bytes(), time.process_time() - began_s)
