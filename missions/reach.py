"""What the drones of a site can reach, and for what they cannot, why and what would help."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from missions.air import strongest_m_s
from missions.energy import usable_wh
from missions.geo import distance_m
from missions.model import Demand, DroneModel, Site, Sortie, Unserved
from missions.network import Network
from missions.words import text


@dataclass(frozen=True, slots=True)
class Limits:
    """What a sortie may take: the longest flight, and the share of it and of the energy to plan with."""

    longest_s: float
    share: float

    @property
    def time_s(self) -> float:
        return self.longest_s * self.share

    def energy_wh(self, model: DroneModel) -> float:
        return usable_wh(model) * self.share


def reachable(network: Network, limits: Limits) -> list[int]:
    """Return the tasks that some drone can fly there and back within its limits."""
    return [
        task
        for task in range(len(network.tasks))
        if any(_fits(network, limits, task, drone) for drone in drones(network.site))
    ]


def drones(site: Site) -> list[tuple[int, int, int]]:
    """Return (dock, model, how many drones) as indices, leaving out what the wind keeps down."""
    found = []
    for d, dock in enumerate(site.docks):
        for m, model in enumerate(site.models):
            count = sum(x.dock == dock.id and x.model == model.name for x in site.drones)
            if count and strongest_m_s(site.winds) <= min(dock.max_wind_m_s, model.max_wind_m_s):
                found.append((d, m, count))
    return found


def _fits(network: Network, limits: Limits, task: int, drone: tuple[int, int, int]) -> bool:
    d, m, _ = drone
    model = network.site.models[m]
    if not all(model.camera(s) for s in network.tasks[task].sensors):
        return False
    docks = len(network.site.docks)
    time_s, energy_wh = network.time_s[m], network.energy_wh[m]
    return any(
        time_s[d, n] + time_s[n, d] <= limits.time_s
        and energy_wh[d, n] + energy_wh[n, d] <= limits.energy_wh(model)
        for n in (docks + k for k in network.node_numbers(task))
    )


def unflown(
    network: Network,
    demands: Sequence[Demand],
    sorties: tuple[Sortie, ...],
    limits: Limits,
    explained: set[str],
    language: str,
    *,
    stopped: bool = False,
) -> list[Unserved]:
    """Return the demands whose looks are not all flown, each with the reason and a remedy.

    `stopped` says that the search was ended before it could find room for all.
    """
    flown = {task for sortie in sorties for task in sortie.tasks}
    left = []
    for demand in demands:
        mine = [k for k, t in enumerate(network.tasks) if demand.id in t.demands]
        missing = [k for k in mine if network.tasks[k].id not in flown]
        # That a part of it cannot be seen does not say why nobody flies to the rest.
        if missing and (demand.id not in explained or missing == mine):
            why, values = _why(network, missing, limits)
            if stopped and why == "no_time":
                left.append(not_looked_at(demand.id, language))
                continue
            values["looks"] = _looks(network, demand, missing)
            values["all"] = _looks(network, demand, range(len(network.tasks)))
            left.append(
                Unserved(
                    demand.id,
                    text(f"unserved.{why}", language, **values),
                    text(f"unserved.{why}.help", language, **values),
                )
            )
    return left


def not_looked_at(demand: str, language: str) -> Unserved:
    """Return that a demand was left because planning was stopped."""
    return Unserved(demand, text("unserved.stopped", language), text("unserved.stopped.help", language))


def _looks(network: Network, demand: Demand, tasks: Sequence[int]) -> int:
    return sum(demand.id in look.demands for k in tasks for look in network.tasks[k].looks)


def _why(network: Network, tasks: list[int], limits: Limits) -> tuple[str, dict[str, object]]:
    """Return why the worst of these tasks is not flown, with the numbers that show it."""
    site = network.site
    wind_m_s = strongest_m_s(site.winds)
    manned = {(d.dock, d.model) for d in site.drones} & {
        (d.id, m.name) for d in site.docks for m in site.models
    }
    if not manned:
        return "no_drone", {}
    if not drones(site):
        return "wind", {"wind": wind_m_s}
    carried = [site.models[m] for _, m, _ in drones(site)]
    needed = [network.tasks[task].sensors for task in tasks]
    if lacking := [s for s in needed if not any(all(m.camera(k) for k in s) for m in carried)]:
        return "no_carrier", {"sensors": " + ".join(sorted(lacking[0]))}
    alone = [(network.there_and_back(task), task) for task in tasks]
    if any(found is None for found, _ in alone):
        return _why_no_way(network, tasks, wind_m_s)
    within_reach = set(reachable(network, limits))
    far = [(found, task) for found, task in alone if found is not None and task not in within_reach]
    if not far:
        is_optional = all(network.tasks[task].worth_s is not None for task in tasks)
        return ("worth" if is_optional else "no_time"), {}
    (cost, dock), task = max(far, key=lambda each: each[0][0].time_s)
    away_m = distance_m(dock.place, network.tasks[task].looks[0].place)
    model = max(site.models, key=usable_wh)
    within = min(limits.time_s / cost.time_s, limits.energy_wh(model) / cost.energy_wh)
    return "too_far", {
        "distance": away_m / 1000,
        "needed": cost.energy_wh,
        "minutes": cost.time_s / 60,
        "usable": usable_wh(model),
        "longest": limits.longest_s / 60,
        "within": away_m * within / 1000,
    }


def _why_no_way(network: Network, tasks: list[int], wind_m_s: float) -> tuple[str, dict[str, object]]:
    """Return whether it is the docks, the wind or what lies in between that leaves no way."""
    site, airspace = network.site, network.airspace
    used = sorted({d for d, _, _ in drones(site)})
    over = [network.over_docks[d] for d in used]
    is_open = airspace.is_open(
        *(np.array(v) for v in zip(*((s.east_m, s.north_m) for s in over), strict=True))
    )
    if not is_open.any() and airspace.volumes:
        return "docks_shut", {"docks": ", ".join(site.docks[d].id for d in used)}
    first = [network.nodes[n].spots[0] for task in tasks for n in network.node_numbers(task)]
    if first and any(airspace.way(dock, spot) for dock in over for spot in first):
        return "wind_way", {"wind": wind_m_s, "cruise": max(m.cruise_m_s for m in site.models)}
    return "no_way", {}
