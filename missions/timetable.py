"""Which drone flies which sortie, and when: recharging in between, demands' hours kept.

Sorties belong to their docks, so each dock and drone model is a timetable of its own.
Time is cut into steps; a sortie starts in one of them and keeps a drone busy until its
battery is full again, and at no step are more drones busy than there are. HiGHS finds
the starts with the least waiting in all; drones of one dock being alike, any free one
flies. A sortie starts and lands within the hours of every demand it looks for, and
while the zones that it crosses are open.

Sorties that land elsewhere come in pairs, there and back, that start together: each
finds the other's place free, and every dock has as many drones as before. Docks with
such sorties, or with very many, are placed one sortie after the other (`_queued`).
"""

import heapq
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import lil_matrix

from missions.geo import LocalFrame
from missions.model import Drone, Plan, Site, Slot, Sortie
from missions.periods import clock, own_hours
from missions.quiet import without_c_output
from missions.words import text

STEP_S = 120.0
# Door, swap of pictures and a look over the drone before it charges.
TURNAROUND_S = 90.0
DAY_S = 86_400.0
SOLVE_S = 20.0
# More sorties of a dock are not put to HiGHS: a column each for every minute or two.
MOST_EXACT = 24
# A sortie worth more than this looks for something that must be seen.
MUST_WORTH = 2.0


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
    plan: Plan,
    site: Site,
    *,
    starts_s: float = 0.0,
    ends_s: float = DAY_S,
    within: Mapping[str, tuple[float, float]] | None = None,
    after: Sequence[tuple[Slot, Sortie]] = (),
    language: str = "en-US",
) -> Timetable:
    """Return when each sortie of a plan flies between two times of the day, and with which drone.

    `within` narrows the hours of some sorties further; `after` are sorties in the air,
    whose drones are free again when they are charged, where they land.
    """
    open_s = {s.id: hours(s, plan, site, *(within or {}).get(s.id, (starts_s, ends_s))) for s in plan.sorties}
    slots: list[Slot] = []
    worth = _worths(plan)
    linked = {d for s in plan.sorties if s.end for d in (s.dock, s.end)}
    queued = [s for s in plan.sorties if after or s.dock in linked or _is_large(s, plan)]
    slots += _queued(queued, site, open_s, after, worth)
    for dock, model in sorted({(s.dock, s.model) for s in plan.sorties if s not in queued}):
        mine = [s for s in plan.sorties if (s.dock, s.model) == (dock, model)]
        drones = [d.id for d in site.drones if (d.dock, d.model) == (dock, model)]
        begun = _starts(mine, site, open_s, len(drones), starts_s, worth)
        slots += _manned([(begun[s.id], s) for s in mine if s.id in begun], drones, site)
    placed = {slot.sortie for slot in slots}
    unplaced = [_unplaced(s, open_s[s.id], language) for s in plan.sorties if s.id not in placed]
    return Timetable(tuple(sorted(slots, key=lambda slot: (slot.starts_s, slot.sortie))), tuple(unplaced))


def hours(sortie: Sortie, plan: Plan, site: Site, starts_s: float, ends_s: float) -> tuple[float, float]:
    """Return between which times a sortie may start and land, for all demands it looks for."""
    demands = {d for task in plan.tasks if task.id in sortie.tasks for d in task.demands}
    frame = LocalFrame(site.origin)
    open_s = [own_hours(d, site, (starts_s, ends_s), frame) for d in site.demands if d.id in demands]
    return max([starts_s, *(w[0] for w in open_s)]), min([ends_s, *(w[1] for w in open_s)])


def _worths(plan: Plan) -> dict[str, float]:
    """Return what placing each sortie is worth: 1 to 2 by its tasks' prizes, a must more than all others."""
    tasks = {task.id: task for task in plan.tasks}
    flown = {s.id: [tasks[t] for t in s.tasks if t in tasks] for s in plan.sorties}
    total = sum(task.prize for mine in flown.values() for task in mine) or 1
    musts = 2.0 * len(plan.sorties)
    return {
        name: 1.0 + sum(task.prize for task in mine) / total + musts * any(task.must for task in mine)
        for name, mine in flown.items()
    }


def _is_large(sortie: Sortie, plan: Plan) -> bool:
    alike = sum((s.dock, s.model) == (sortie.dock, sortie.model) for s in plan.sorties)
    return alike > MOST_EXACT


def _queued(
    sorties: Sequence[Sortie],
    site: Site,
    open_s: dict[str, tuple[float, float]],
    after: Sequence[tuple[Slot, Sortie]],
    worth: Mapping[str, float],
) -> Iterator[Slot]:
    """Yield the slots of sorties placed one after the other, those that must be over soonest first."""
    stands = {d.id: d.dock for d in site.drones}
    ready_s = dict.fromkeys(stands, -math.inf)
    for slot, flying in after:
        stands[slot.drone], ready_s[slot.drone] = flying.lands_at, slot.ready_s
    for unit in sorted(_units(sorties), key=lambda unit: _urgency(unit, open_s, worth)):
        crew = _crew(unit, site.drones, stands, ready_s)
        if crew is None:
            continue
        start_s = max([*(open_s[s.id][0] for s in unit), *(ready_s[d] for d in crew)])
        if any(start_s + s.flight_s > open_s[s.id][1] for s in unit):
            continue
        for sortie, drone in zip(unit, crew, strict=True):
            stands[drone], ready_s[drone] = sortie.lands_at, start_s + busy_s(sortie, site)
            yield Slot(sortie.id, drone, start_s, start_s + sortie.flight_s, ready_s[drone])


def _units(sorties: Sequence[Sortie]) -> list[tuple[Sortie, ...]]:
    """Return the sorties, those that land elsewhere with one that comes from there."""
    alone = [(s,) for s in sorties if not s.end]
    away = [s for s in sorties if s.end]
    pairs: list[tuple[Sortie, ...]] = []
    while away:
        one = away.pop(0)
        back = next((s for s in away if (s.dock, s.end, s.model) == (one.end, one.dock, one.model)), None)
        if back is not None:
            away.remove(back)
            pairs.append((one, back))
    return [*pairs, *alone]


def _urgency(
    unit: Sequence[Sortie], open_s: dict[str, tuple[float, float]], worth: Mapping[str, float]
) -> tuple[float, float, float, float]:
    return (
        min(open_s[s.id][1] for s in unit),
        -max(worth[s.id] > MUST_WORTH for s in unit),
        max(open_s[s.id][0] for s in unit),
        -max(s.flight_s for s in unit),
    )


def _crew(
    unit: Sequence[Sortie], drones: Sequence[Drone], stands: dict[str, str], ready_s: dict[str, float]
) -> list[str] | None:
    """Return the drone ready first for each sortie of a unit, None where a dock has none."""
    crew: list[str] = []
    for sortie in unit:
        fit = [d.id for d in drones if stands[d.id] == sortie.dock and d.model == sortie.model]
        free = [d for d in fit if d not in crew]
        if not free:
            return None
        crew.append(min(free, key=lambda d: ready_s[d]))
    return crew


def busy_s(sortie: Sortie, site: Site) -> float:
    """Return how long a sortie keeps a drone: its flight, and charging what it used."""
    model = site.model(sortie.model)
    used = sortie.energy_wh / (model.battery_wh * model.health)
    return sortie.flight_s + TURNAROUND_S + site.dock(sortie.lands_at).charge_s * min(1.0, used)


def _starts(
    sorties: Sequence[Sortie],
    site: Site,
    open_s: dict[str, tuple[float, float]],
    drones: int,
    starts_s: float,
    worth: Mapping[str, float],
) -> dict[str, float]:
    """Return the start of each sortie that can be placed: what is worth most, the least waiting in all."""
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
    with without_c_output():
        found = milp(
            np.array([step - placed * worth[sorties[k].id] for k, step in choices]),
            integrality=np.ones(len(choices)),
            bounds=Bounds(0, 1),
            constraints=LinearConstraint(
                rows.tocsc(), ub=np.r_[np.ones(len(sorties)), np.full(most, float(drones))]
            ),
            options={"time_limit": SOLVE_S, "mip_rel_gap": 1e-6},
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
    values = {
        "dock": sortie.dock,
        "needed": sortie.flight_s / 60,
        "open": max(0.0, open_s[1] - open_s[0]) / 60,
        "from": clock(open_s[0]),
        "until": clock(open_s[1]),
    }
    return Unplaced(
        sortie.id,
        text(f"timetable.{why}", language, **values),
        text(f"timetable.{why}.help", language, **values),
    )
