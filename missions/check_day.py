"""Proves a plan's timetable: drones where they are needed, charged, in the demands' hours, home in the end.

The day is played through, slot by slot. Nothing of the planner is imported.
"""

from collections import Counter
from collections.abc import Iterator, Sequence

from missions.model import Demand, Plan, Site, Slot, Sortie

DAY_S = 86_400.0


def faults(plan: Plan, site: Site, demands: Sequence[Demand]) -> Iterator[str]:
    """Yield what is wrong with when a plan's sorties fly; nothing to say of a plan without a timetable."""
    if not plan.slots:
        return
    sorties = {s.id: s for s in plan.sorties}
    times = Counter(slot.sortie for slot in plan.slots)
    yield from (f"sortie {s} has {times[s]} places in the timetable" for s in sorties if times[s] != 1)
    yield from (f"the timetable has a sortie {s} that the plan has not" for s in times if s not in sorties)
    known = [slot for slot in plan.slots if slot.sortie in sorties]
    yield from _played(known, sorties, site)
    for slot in known:
        yield from _hours(slot, sorties[slot.sortie], plan, demands)


def _played(slots: Sequence[Slot], sorties: dict[str, Sortie], site: Site) -> Iterator[str]:
    """Yield drones that are not where they start from, not charged, or of another model."""
    drones = {d.id: d for d in site.drones}
    stands = {d.id: d.dock for d in site.drones}
    ready_s = dict.fromkeys(drones, -DAY_S)
    for slot in sorted(slots, key=lambda s: s.starts_s):
        sortie, drone = sorties[slot.sortie], drones.get(slot.drone)
        if drone is None:
            yield f"sortie {sortie.id}: the site has no drone {slot.drone}"
            continue
        if drone.model != sortie.model:
            yield f"sortie {sortie.id}: drone {drone.id} is no {sortie.model}"
        if stands[drone.id] != sortie.dock:
            yield f"sortie {sortie.id}: drone {drone.id} is at {stands[drone.id]}, not at {sortie.dock}"
        if slot.starts_s < ready_s[drone.id] - 1:
            yield f"sortie {sortie.id}: drone {drone.id} flies or charges when it is to start"
        if slot.lands_s - slot.starts_s < sortie.flight_s - 1:
            yield f"sortie {sortie.id}: it has less time than it takes"
        model = site.model(sortie.model)
        full_s = site.dock(sortie.lands_at).charge_s
        charge_s = full_s * min(1.0, sortie.energy_wh / (model.battery_wh * model.health))
        if slot.ready_s < slot.lands_s + charge_s - 1:
            yield f"sortie {sortie.id}: drone {drone.id} is said to be ready before it is charged"
        stands[drone.id], ready_s[drone.id] = sortie.lands_at, slot.ready_s
    before, after = Counter(d.dock for d in site.drones), Counter(stands.values())
    if before != after:
        yield f"in the end the docks hold {dict(after)} drones, and began with {dict(before)}"


def _hours(slot: Slot, sortie: Sortie, plan: Plan, demands: Sequence[Demand]) -> Iterator[str]:
    """Yield demands whose pictures are taken outside their hours."""
    looked = {d for task in plan.tasks if task.id in sortie.tasks for d in task.demands}
    for demand in demands:
        if demand.id in looked and demand.window is not None:
            begin, end = demand.window
            length_s = (end - begin) % DAY_S or DAY_S
            after_s = (slot.starts_s - begin) % DAY_S
            if after_s + (slot.lands_s - slot.starts_s) > length_s + 1:
                yield f"sortie {sortie.id} flies outside the hours of demand {demand.id}"
