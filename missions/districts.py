"""A large site, searched district by district: no matrix is ever larger than a district's.

Every task first belongs to its nearest dock, and docks with few tasks share a district. Then districts
are drawn anew around other docks, and searched again from the sorties they have, so that tasks move to
a neighbouring dock where that is shorter. Districts are searched side by side in processes.
"""

import math
import signal
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, wait
from dataclasses import dataclass, replace
from multiprocessing import get_context
from multiprocessing.synchronize import Event

import numpy as np
from scipy.spatial import cKDTree

from missions.airspace import Airspace
from missions.flights import Search, found
from missions.geo import Floats, LocalFrame
from missions.model import Demand, Site, Sortie, Task, Unserved
from missions.network import Network
from missions.reach import Limits, not_looked_at, unflown
from missions.singles import singles
from missions.solver import Progress

# From so many tasks on a site is searched by districts.
LARGE = 1_500

# Most tasks of one district, as long as each has one dock at least.
DISTRICT = 250

# Part of the time for the first districts; the rest is for those drawn anew, in so many turns.
FIRST_SHARE, TURNS = 0.5, 2

LOOK_EVERY_S = 0.1

# A district's search takes so long at least, in each turn.
LEAST_S = 0.5

# Once a search is cancelled, the districts left get a quick plan each, those that so long suffices for.
HURRY_S = 6.0


@dataclass(frozen=True, slots=True)
class Land:
    """What all districts of a site share."""

    site: Site
    airspace: Airspace
    demands: tuple[Demand, ...]
    limits: Limits
    hours_s: float
    language: str


@dataclass(frozen=True, slots=True)
class _District:
    docks: tuple[int, ...]
    tasks: tuple[Task, ...]
    sorties: tuple[Sortie, ...]
    search: Search


def searched(land: Land, tasks: Sequence[Task], search: Search, tell: Progress) -> list[Sortie]:
    """Return sorties over the tasks, as far as they can be flown."""
    frame = LocalFrame(land.site.origin)
    docks = np.array([frame.to_local(d.place) for d in land.site.docks])
    at = np.array([frame.to_local(t.looks[len(t.looks) // 2].place) for t in tasks])
    districts = list(_first(docks, at, tasks, search))
    with _pool(land, search.workers) as run:
        sorties = [s for made in run(districts, tell, 0.0) for s in made]
        for turn in range(TURNS):
            if search.is_cancelled:
                break
            again = list(_again(docks, tasks, sorties, search, frame, turn))
            for before, after in zip(again, run(again, tell, (turn + 1) / (TURNS + 1)), strict=True):
                if _is_better(after, before.sorties):
                    gone = {id(s) for s in before.sorties}
                    sorties = [s for s in sorties if id(s) not in gone] + list(after)
    return sorties


def _first(docks: Floats, at: Floats, tasks: Sequence[Task], search: Search) -> Iterator[_District]:
    """Yield districts of docks with the tasks nearest to them."""
    _, nearest = cKDTree(docks).query(at)
    counts = np.bincount(nearest, minlength=len(docks))
    for group in _grouped(docks, counts, 0):
        mine = tuple(tasks[int(k)] for k in np.flatnonzero(np.isin(nearest, group)))
        if mine:
            yield _District(group, mine, (), part(search, len(mine) / len(tasks), FIRST_SHARE))


def _again(
    docks: Floats,
    tasks: Sequence[Task],
    sorties: Sequence[Sortie],
    search: Search,
    frame: LocalFrame,
    turn: int,
) -> Iterator[_District]:
    """Yield districts drawn from other docks: their sorties, and the tasks near them that nobody flies."""
    by_id = {t.id: t for t in tasks}
    flown = {t for s in sorties for t in s.tasks}
    where = cKDTree(docks)
    left = defaultdict(list)
    for task in tasks:
        if task.id not in flown:
            left[int(where.query(frame.to_local(task.looks[0].place))[1])].append(task)
    home: dict[int, list[Sortie]] = defaultdict(list)
    for sortie in sorties:
        first = sortie.waypoints[0].place
        home[int(where.query(frame.to_local(first))[1])].append(sortie)
    counts = np.array([sum(len(s.tasks) for s in home[d]) + len(left[d]) for d in range(len(docks))])
    for group in _grouped(docks, counts, turn + 1):
        mine = tuple(s for d in group for s in home[d])
        over = [by_id[t] for s in mine for t in s.tasks] + [t for d in group for t in left[d]]
        if over and len(group) > 1:
            share = (1 - FIRST_SHARE) / TURNS
            yield _District(group, tuple(over), mine, part(search, len(over) / len(tasks), share))


def _grouped(docks: Floats, counts: np.ndarray, turn: int) -> Iterator[tuple[int, ...]]:
    """Yield neighbouring docks together as long as their tasks are not too many.

    Each turn begins from another side.
    """
    angle = 2 * np.pi * turn / 3
    order = list(np.argsort(docks @ np.array([np.cos(angle), np.sin(angle)]), kind="stable"))
    while order:
        seed = order[0]
        near = sorted(order, key=lambda d: float(np.hypot(*(docks[d] - docks[seed]))))
        group, total = [int(seed)], int(counts[seed])
        for dock in near[1:]:
            if total + counts[dock] > DISTRICT:
                break
            group.append(int(dock))
            total += int(counts[dock])
        order = [d for d in order if d not in group]
        yield tuple(sorted(group))


def part(search: Search, of_tasks: float, of_time: float) -> Search:
    """Return the search of one district: its part of the time of all workers together."""
    seconds = max(LEAST_S, search.seconds * max(1, search.workers) * of_time * of_tasks)
    return replace(search, seconds=seconds, workers=1, best=None)


def _is_better(after: Sequence[Sortie], before: Sequence[Sortie]) -> bool:
    """Return whether sorties fly more tasks, or the same in less time."""
    tasks = sum(len(s.tasks) for s in after), sum(len(s.tasks) for s in before)
    return tasks[0] > tasks[1] or (
        tasks[0] == tasks[1] and sum(s.flight_s for s in after) < sum(s.flight_s for s in before)
    )


class _pool:
    """Runs districts: in this process, or side by side in others that know the land."""

    def __init__(self, land: Land, workers: int) -> None:
        self._land = land
        context = get_context("spawn")
        self._end = context.Event()
        self._cancelled_s = math.inf
        self._pool = (
            ProcessPoolExecutor(workers, context, _settle, (land, self._end)) if workers > 1 else None
        )

    def __enter__(self) -> "_pool":
        return self

    def __exit__(self, *_: object) -> None:
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)

    def __call__(
        self, districts: Sequence[_District], tell: Progress, done: float
    ) -> Iterator[tuple[Sortie, ...]]:
        """Yield the sorties of each district, in their order."""
        many, part = len(districts), 1 / (TURNS + 1)

        def told(k: int) -> Progress:
            return lambda what, share: tell(
                f"district {k + 1} of {many}: {what}", done + (k + share / 2) * part / many
            )

        if self._pool is not None:
            tell(f"searching {many} districts side by side", done)
        results = (
            self._side_by_side(districts)
            if self._pool is not None
            else (self._flown_here(d, told(k)) for k, d in enumerate(districts))
        )
        for k, made in enumerate(results):
            if self._pool is not None:
                told(k)("searched", 2.0)
            yield made

    def _flown_here(self, district: _District, tell: Progress) -> tuple[Sortie, ...]:
        return district.sorties if self._is_late(district.search) else _flown_over(self._land, district, tell)

    def _side_by_side(self, districts: Sequence[_District]) -> Iterator[tuple[Sortie, ...]]:
        """Yield the sorties as the others find them; hands on that the search is cancelled."""
        assert self._pool is not None
        sent = [replace(d, search=replace(d.search, cancelled=None)) for d in districts]
        running: list[Future[tuple[Sortie, ...]]] = [self._pool.submit(_flown, d) for d in sent]
        for district, future in zip(districts, running, strict=True):
            while wait([future], timeout=LOOK_EVERY_S).not_done:
                if district.search.is_cancelled:
                    self._end.set()
                if self._is_late(district.search) and future.cancel():
                    break
            yield district.sorties if future.cancelled() else future.result()

    def _is_late(self, search: Search) -> bool:
        """Return whether the search was cancelled so long ago that no more districts are begun."""
        if search.is_cancelled:
            self._cancelled_s = min(self._cancelled_s, time.monotonic())
        return time.monotonic() - self._cancelled_s > HURRY_S


@dataclass(slots=True)
class _Settled:
    """What a worker process knows, set once when it starts."""

    land: Land
    end: Event


_SETTLED: list[_Settled] = []


def _settle(land: Land, end: Event) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the waiting process's to hear
    _SETTLED[:] = [_Settled(land, end)]


def _flown(district: _District) -> tuple[Sortie, ...]:
    (mine,) = _SETTLED
    handed = replace(district, search=replace(district.search, cancelled=mine.end.is_set))
    return _flown_over(mine.land, handed, _silent)


def _silent(what: str, share: float) -> None:
    pass


def _flown_over(land: Land, district: _District, tell: Progress) -> tuple[Sortie, ...]:
    """Return the sorties of one district, over a network of its own docks and tasks."""
    network = network_of(land, district.docks, district.tasks, tell, cancelled=district.search.cancelled)
    return tuple(
        found(
            network,
            land.limits,
            district.search,
            hours_s=land.hours_s,
            tell=lambda what, share: tell(what, 1.0 + share),
            start=district.sorties,
        )
    )


def network_of(
    land: Land,
    docks: Sequence[int],
    tasks: Sequence[Task],
    tell: Progress = _silent,
    *,
    cancelled: Callable[[], bool] | None = None,
) -> Network:
    """Return the network of some docks and tasks, measured."""
    near = replace(land.site, docks=tuple(land.site.docks[d] for d in docks))
    network = Network(near, land.airspace, tuple(tasks), land.demands)
    network.measure(tell, cancelled=cancelled)
    return network


def flown_alone(
    land: Land, tasks: Sequence[Task], sorties: Sequence[Sortie], holds: Callable[[Sortie], bool]
) -> list[Sortie]:
    """Return flights of their own for tasks that the districts left and one flight can serve."""
    missing = _left(tasks, sorties)[:DISTRICT]
    if not missing:
        return []
    network = _network_near(land, missing)
    return singles(network, range(len(missing)), holds, longest_s=land.limits.longest_s)


def left_over(
    land: Land, tasks: Sequence[Task], sorties: Sequence[Sortie], *, stopped: bool
) -> list[Unserved]:
    """Return why demands have tasks that nobody flies, asked of the docks nearest to those.

    Where the search was stopped, that is the reason for what was not looked at, and no more tasks than one
    district has are asked about.
    """
    missing, found = _left(tasks, sorties), dict[str, Unserved]()
    for first in range(0, len(missing), DISTRICT):
        some = missing[first : first + DISTRICT]
        asked = {name for task in some for name in task.demands} - found.keys()
        if stopped and first:
            found |= {name: not_looked_at(name, land.language) for name in asked}
            continue
        network = _network_near(land, some, cancelled=lambda: stopped)
        wanted = [d for d in land.demands if d.id in asked]
        left = unflown(network, wanted, (), land.limits, set(), land.language, stopped=stopped)
        found |= {each.demand: each for each in left}
    return list(found.values())


def _left(tasks: Sequence[Task], sorties: Sequence[Sortie]) -> list[Task]:
    flown = {t for s in sorties for t in s.tasks}
    return [t for t in tasks if t.id not in flown]


def _network_near(
    land: Land, tasks: Sequence[Task], *, cancelled: Callable[[], bool] | None = None
) -> Network:
    """Return the network of some tasks and the docks nearest to them."""
    frame = LocalFrame(land.site.origin)
    where = cKDTree(np.array([frame.to_local(d.place) for d in land.site.docks]))
    near = {int(where.query(frame.to_local(t.looks[0].place))[1]) for t in tasks}
    return network_of(land, sorted(near), tasks, cancelled=cancelled)
