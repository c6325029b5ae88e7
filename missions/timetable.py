"""Which drone flies which sortie, and when: recharging in between, demands' hours kept.

Sorties belong to their docks, so each dock and drone model is a timetable of its own.
Time is cut into steps; a sortie starts in one of them and keeps a drone busy until its
battery is full again, and at no step are more drones busy than there are. HiGHS finds
the starts with the least waiting in all; drones of one dock being alike, any free one
flies. A sortie starts and lands within the hours of every demand it looks for.
"""

import heapq
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import lil_matrix

from missions.model import Plan, Site, Sortie
from missions.words import text

STEP_S = 120.0
# Door, swap of pictures and a look over the drone before it charges.
TURNAROUND_S = 90.0
DAY_S = 86_400.0
SOLVE_S = 20.0


@dataclass(frozen=True, slots=True)
class Slot:
    """One sortie in the timetable, in seconds after local midnight."""

    sortie: str
    drone: str
    starts_s: float
    lands_s: float
    ready_s: float


@dataclass(frozen=True, slots=True)
class Unplaced:
    """A sortie that no drone can fly in time, why, and what would help."""

    sortie: str
    reason: str
    would_help: str


@dataclass(frozen=True, slots=True)
class Timetable:
    """When each sortie flies and with which drone, by start; and what found no place."""

    slots: tuple[Slot, ...]
    unplaced: tuple[Unplaced, ...]


def timetable(
    plan: Plan, site: Site, *, starts_s: float = 0.0, ends_s: float = DAY_S, language: str = "en-US"
) -> Timetable:
    """Return when each sortie of a plan flies between two times of the day, and with which drone."""
    slots: list[Slot] = []
    unplaced: list[Unplaced] = []
    for dock, model in sorted({(s.dock, s.model) for s in plan.sorties}):
        mine = [s for s in plan.sorties if (s.dock, s.model) == (dock, model)]
        drones = [d.id for d in site.drones if (d.dock, d.model) == (dock, model)]
        open_s = {s.id: hours(s, plan, site, starts_s, ends_s) for s in mine}
        begun = _starts(mine, site, open_s, len(drones), starts_s)
        slots += _manned([(begun[s.id], s) for s in mine if s.id in begun], drones, site)
        unplaced += [_unplaced(s, open_s[s.id], language) for s in mine if s.id not in begun]
    return Timetable(tuple(sorted(slots, key=lambda slot: (slot.starts_s, slot.sortie))), tuple(unplaced))


def hours(sortie: Sortie, plan: Plan, site: Site, starts_s: float, ends_s: float) -> tuple[float, float]:
    """Return between which times a sortie may start and land, for all demands it looks for."""
    demands = {d for task in plan.tasks if task.id in sortie.tasks for d in task.demands}
    windows = [d.window for d in site.demands if d.id in demands and d.window is not None]
    return max([starts_s, *(w[0] for w in windows)]), min([ends_s, *(w[1] for w in windows)])


def busy_s(sortie: Sortie, site: Site) -> float:
    """Return how long a sortie keeps a drone: its flight, and charging what it used."""
    model = site.model(sortie.model)
    used = sortie.energy_wh / (model.battery_wh * model.health)
    return sortie.flight_s + TURNAROUND_S + site.dock(sortie.dock).charge_s * min(1.0, used)


def _starts(
    sorties: Sequence[Sortie],
    site: Site,
    open_s: dict[str, tuple[float, float]],
    drones: int,
    starts_s: float,
) -> dict[str, float]:
    """Return the start of each sortie that can be placed, the least waiting in all."""
    choices = [
        (k, step)
        for k, sortie in enumerate(sorties)
        for step in _steps(sortie, open_s[sortie.id], starts_s, busy_s(sortie, site) * len(sorties))
    ]
    if not choices or not drones:
        return {}
    most = 1 + max(step + _length(sorties[k], site) for k, step in choices)
    rows = lil_matrix((len(sorties) + most, len(choices)))
    for column, (k, step) in enumerate(choices):
        rows[k, column] = 1
        rows[len(sorties) + step : len(sorties) + step + _length(sorties[k], site), column] = 1
    # To be placed at all is worth more than any waiting of all sorties together.
    placed = float(most * len(sorties) + 1)
    found = milp(
        np.array([step - placed for _, step in choices]),
        integrality=np.ones(len(choices)),
        bounds=Bounds(0, 1),
        constraints=LinearConstraint(
            rows.tocsc(), ub=np.r_[np.ones(len(sorties)), np.full(most, float(drones))]
        ),
        options={"time_limit": SOLVE_S},
    )
    if found.x is None:
        return {}
    return {
        sorties[k].id: starts_s + step * STEP_S
        for (k, step), x in zip(choices, found.x, strict=True)
        if x > 0.5
    }


def _steps(sortie: Sortie, open_s: tuple[float, float], starts_s: float, within_s: float) -> Iterator[int]:
    """Yield the steps in which a sortie may start; none so late that an earlier one must be free."""
    first = math.ceil((open_s[0] - starts_s) / STEP_S)
    last_s = min(open_s[1] - sortie.flight_s, open_s[0] + within_s)
    yield from range(first, math.floor((last_s - starts_s) / STEP_S) + 1)


def _length(sortie: Sortie, site: Site) -> int:
    return math.ceil(busy_s(sortie, site) / STEP_S)


def _manned(begun: Sequence[tuple[float, Sortie]], drones: Sequence[str], site: Site) -> Iterator[Slot]:
    """Yield the slots with a drone each: the one that has been ready for longest."""
    ready = [(-math.inf, drone) for drone in drones]
    heapq.heapify(ready)
    for start_s, sortie in sorted(begun, key=lambda each: (each[0], each[1].id)):
        _, drone = heapq.heappop(ready)
        ready_s = start_s + busy_s(sortie, site)
        heapq.heappush(ready, (ready_s, drone))
        yield Slot(sortie.id, drone, start_s, start_s + sortie.flight_s, ready_s)


def _unplaced(sortie: Sortie, open_s: tuple[float, float], language: str) -> Unplaced:
    why = "contradict" if open_s[1] <= open_s[0] else "short"
    if open_s[1] - open_s[0] >= sortie.flight_s:
        why = "busy"
    minutes = {"needed": sortie.flight_s / 60, "open": max(0.0, open_s[1] - open_s[0]) / 60}
    return Unplaced(
        sortie.id,
        text(f"timetable.{why}", language, dock=sortie.dock, **minutes),
        text(f"timetable.{why}.help", language, dock=sortie.dock, **minutes),
    )
