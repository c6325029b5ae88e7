"""Flights for one task alone: for what a search leaves.

A search plans with a part of the limits, counts turns more simply than they are flown, and gives up what
does not fit together. A task at the very rim of what a drone reaches is tried here as it would be flown.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from missions import check
from missions.energy import usable_wh
from missions.model import Plan, Site, Sortie, Task
from missions.network import Network
from missions.reach import drones
from missions.solver import SORTIE_S
from missions.terrain import Terrain

# What is further over the limits than this by the network's count is not tried.
HOPELESS = 1.05


def singles(
    network: Network, tasks: Sequence[int], holds: Callable[[Sortie], bool], *, longest_s: float
) -> list[Sortie]:
    """Return a flight for each of these tasks that one flight can serve, what is worth most first."""
    order = sorted(tasks, key=lambda k: (not network.tasks[k].must, -network.tasks[k].prize))
    found = (next(filter(holds, ways(network, k, longest_s=longest_s)), None) for k in order)
    return [sortie for sortie in found if sortie is not None]


def ways(network: Network, task: int, *, longest_s: float) -> Iterator[Sortie]:
    """Yield flights for one task alone, the shortest first, as far as its worth allows."""
    site, asked, docks = network.site, network.tasks[task], len(network.site.docks)
    most_s = math.inf if asked.worth_s is None else asked.worth_s - SORTIE_S
    choices = []
    for d, m, _ in drones(site):
        model = site.models[m]
        time_s, energy_wh = network.time_s[m], network.energy_wh[m]
        if not all(model.camera(sensor) for sensor in asked.sensors):
            continue
        for node in network.node_numbers(task):
            there = docks + node
            takes_s = float(time_s[d, there] + time_s[there, d])
            takes_wh = float(energy_wh[d, there] + energy_wh[there, d])
            if takes_s <= min(most_s, longest_s * HOPELESS) and takes_wh <= usable_wh(model) * HOPELESS:
                choices.append((takes_s, d, m, node))
    for _, d, m, node in sorted(choices):
        yield network.sortie((site.docks[d], site.models[m], (network.nodes[node],)))


def proven(
    sorties: Sequence[Sortie], tasks: tuple[Task, ...], site: Site, terrain: Terrain, *, longest_s: float
) -> tuple[Sortie, ...]:
    """Return the sorties that hold by themselves, as the checker has it."""
    named = [replace(s, id=f"S{k}") for k, s in enumerate(sorties)]
    made = Plan(site.id, 0, tuple(named), tasks, ())
    wrong = check.sortie_faults(made, site, terrain, longest_s=longest_s).keys()
    return tuple(s for s, name in zip(sorties, (n.id for n in named), strict=True) if name not in wrong)
