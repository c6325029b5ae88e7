"""Proves a plan from its waypoints alone, by other means than those that made it.

Nothing of the planner is imported: distances are geodesic, wind is a vector
equation, the terrain is asked directly, zones are cut in degrees. A fault is a
sentence; no faults means that the plan may be flown as far as can be known
beforehand.
"""

import math
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from itertools import chain

from missions import check_air, check_day, check_energy
from missions.check_views import shown
from missions.geo import distance_m
from missions.model import Demand, Plan, Site, Sortie, Task, Waypoint
from missions.terrain import Terrain

MOST_SHOTS = 300
MOST_ITEMS = 650

# Points of ours that lie on the very rim of a demand may miss the last picture by a hand.
LEAST_SHOWN = 0.99


def faults(
    plan: Plan,
    site: Site,
    terrain: Terrain,
    *,
    demands: Sequence[Demand] | None = None,
    longest_s: float | None = None,
) -> tuple[str, ...]:
    """Return what is wrong with a plan, nothing when it holds.

    `demands` are what it was asked for (the site's unless given), `longest_s`
    the longest flight allowed.
    """
    wanted = site.demands if demands is None else demands
    found = [*_served(plan, wanted), *_seen(plan, site, terrain, wanted)]
    for sortie, problems in sortie_faults(plan, site, terrain, longest_s=longest_s).items():
        found += [f"sortie {sortie}: {problem}" for problem in problems]
    return (*found, *check_day.faults(plan, site, wanted))


def sortie_faults(
    plan: Plan, site: Site, terrain: Terrain, *, longest_s: float | None = None
) -> dict[str, list[str]]:
    """Return what is wrong with each sortie by itself, nothing for those that hold."""
    slots = {slot.sortie: slot for slot in plan.slots}
    found = {
        sortie.id: [
            *_shape(sortie, plan, site),
            *check_air.faults(sortie, site, terrain, slots.get(sortie.id)),
            *check_energy.faults(sortie, site, terrain, longest_s),
        ]
        for sortie in plan.sorties
    }
    return {sortie: problems for sortie, problems in found.items() if problems}


def _served(plan: Plan, demands: Sequence[Demand]) -> Iterator[str]:
    """Yield demands that are neither flown in full nor admitted as unserved, and tasks flown twice."""
    names = Counter(sortie.id for sortie in plan.sorties)
    yield from (f"{n} sorties are called {name}" for name, n in names.items() if n > 1)
    times = Counter(task for sortie in plan.sorties for task in sortie.tasks)
    yield from (f"task {name} is flown {n} times" for name, n in times.items() if n > 1)
    admitted = {u.demand for u in plan.unserved}
    needed: defaultdict[str, set[str]] = defaultdict(set)
    for task in plan.tasks:
        for name in task.demands:
            needed[name].add(task.id)
    for demand in demands:
        if demand.id not in admitted and (not needed[demand.id] or needed[demand.id] - times.keys()):
            yield f"demand {demand.id} is neither served nor listed as unserved"


def _seen(plan: Plan, site: Site, terrain: Terrain, demands: Sequence[Demand]) -> Iterator[str]:
    """Yield demands that are said to be served and whose ground is not in the pictures."""
    admitted = {u.demand for u in plan.unserved}
    claimed = [d for d in demands if d.id not in admitted]
    for demand, (share, points) in shown(plan, site, terrain, claimed).items():
        if share < LEAST_SHOWN:
            yield f"demand {demand}: {1 - share:.0%} of its {points} points on the ground are in no picture"


def _shape(sortie: Sortie, plan: Plan, site: Site) -> Iterator[str]:
    """Yield what is wrong with a sortie as a list: its ends, heights, pictures and agencies."""
    dock, points = site.dock(sortie.dock), sortie.waypoints
    if len(points) < 3 or len(sortie.shots) == 0:
        yield "it looks at nothing"
        return
    for place, at, name in ((points[0], dock, "start"), (points[-1], site.dock(sortie.lands_at), "end")):
        if distance_m(place.place, at.place) > 2.0:
            yield f"it does not {name} over dock {at.id}"
    if any(abs(w.altitude.metres - dock.elevation_m - w.above_dock_m) > 0.02 for w in points):
        yield "a height over the dock does not fit the height over the sea"
    if not any(d.dock == sortie.dock and d.model == sortie.model for d in site.drones):
        yield f"dock {sortie.dock} has no drone of model {sortie.model}"
    if len(sortie.shots) > MOST_SHOTS or len(points) + len(sortie.shots) + 6 > MOST_ITEMS:
        yield f"{len(sortie.shots)} pictures and {len(points)} waypoints are more than an autopilot holds"
    if set(sortie.agencies) != {a for w in points for a in w.agencies}:
        yield "its agencies are not those of its pictures"
    figures = (sortie.flight_s, sortie.energy_wh, sortie.reserve_min, sortie.spare_wh)
    told = ((w.altitude.metres, w.above_dock_m, w.pitch_deg, w.heading_deg or 0, w.dwell_s) for w in points)
    if not all(map(math.isfinite, (*figures, sortie.worst_s, sortie.worst_wh, *chain(*told)))):
        yield "a value of it is no number"
    known = {t.id: t for t in plan.tasks}
    if {w.task for w in sortie.shots} != set(sortie.tasks):
        yield "the tasks it names are not those it looks at"
    model = site.model(sortie.model)
    if not all(abs(w.speed_m_s - model.cruise_m_s) < 0.01 for w in points):
        yield f"it is not flown at the {model.cruise_m_s:g} m/s that time and energy are counted with"
    for task in (known[t] for t in sortie.tasks if t in known):
        if not all(model.camera(sensor) for sensor in task.sensors):
            yield f"model {model.name} lacks a camera that task {task.id} needs"
        shots = [w for w in sortie.shots if w.task == task.id]
        if not _is_flown(task, shots):
            yield f"the pictures of task {task.id} are not where the task has them"
        if not {a for w in shots for a in w.agencies} <= set(task.agencies):
            yield f"pictures of task {task.id} are for agencies that it does not serve"
    yield from (f"task {t} is not in the plan" for t in sortie.tasks if t not in known)


def _is_flown(task: Task, shots: list[Waypoint]) -> bool:
    """Return whether the pictures are the task's looks, one after the other from either end."""
    if len(shots) != len(task.looks):
        return False
    return any(
        all(
            distance_m(shot.place, look.place) <= 1.0
            and abs(shot.altitude.metres - look.altitude.metres) <= 0.1
            and (shot.pitch_deg, shot.heading_deg, shot.dwell_s)
            == (look.pitch_deg, look.heading_deg, look.dwell_s)
            for shot, look in zip(shots, looks, strict=True)
        )
        for looks in (task.looks, task.looks[::-1])
    )
