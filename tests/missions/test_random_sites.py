"""Sites drawn at random: every plan holds, and what a single flight could serve is served.

GRIDPATROL_SITES names how many are drawn (12); `make sites` draws a thousand.
"""

import os
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from missions import check
from missions.airspace import Ground
from missions.coverage import airspace_of
from missions.geo import Area, Corridor, LatLon
from missions.model import Demand, Dock, Drone, DroneModel, NoFly, Plan, ReferenceLayers, Sensor, Site, Wind
from missions.network import Network
from missions.planner import LONGEST_S, plan
from missions.reach import Limits, reachable
from missions.terrain import Terrain
from tests.missions.tiny import FIRE, FRAME, ORIGIN

SITES = int(os.environ.get("GRIDPATROL_SITES", "12"))
DAY_S = 86_400.0
served_of: list[tuple[int, int]] = []


def metres(most: float) -> st.SearchStrategy[float]:
    return st.integers(-int(most), int(most)).map(float)


@st.composite
def places(draw: st.DrawFn, most_m: float = 1200) -> LatLon:
    return FRAME.to_place(draw(metres(most_m)), draw(metres(most_m)))


@st.composite
def areas(draw: st.DrawFn, smallest_m: int = 40, largest_m: int = 350) -> Area:
    east, north = draw(metres(1000)), draw(metres(1000))
    wide, tall = draw(st.integers(smallest_m, largest_m)), draw(st.integers(smallest_m, largest_m))
    lean = draw(st.integers(-wide // 2, wide // 2))  # so that not every field is square
    corners = (
        (east, north),
        (east + wide, north),
        (east + wide + lean, north + tall),
        (east + lean, north + tall),
    )
    return Area(tuple(FRAME.to_place(x, y) for x, y in corners))


@st.composite
def corridors(draw: st.DrawFn) -> Corridor:
    line = draw(st.lists(places(), min_size=2, max_size=4, unique_by=lambda p: (p.lat_deg, p.lon_deg)))
    return Corridor(tuple(line), float(draw(st.integers(10, 50))))


@st.composite
def demands(draw: st.DrawFn, number: int) -> Demand:
    return Demand(
        f"d{number}",
        draw(st.sampled_from(["forestry", "water", "power", "emergency"])),
        FIRE,
        draw(st.one_of(places(), corridors(), areas())),
        frozenset(draw(st.sets(st.sampled_from([Sensor.THERMAL, Sensor.RGB]), min_size=1))),
        float(draw(st.sampled_from([20, 60, 90, 120]))),
        DAY_S,
        priority=draw(st.integers(1, 5)),
    )


@st.composite
def sites(draw: st.DrawFn, agencies: Any, model: DroneModel) -> Site:
    docks = tuple(
        Dock(f"dock-{n}", {"en-US": f"Dock {n}"}, draw(places(900)), 100.0, 1200, 12)
        for n in range(draw(st.integers(1, 3)))
    )
    return Site(
        id="random",
        name={"en-US": "Random"},
        timezone="Asia/Shanghai",
        terrain="",
        origin=ORIGIN,
        docks=docks,
        drones=tuple(
            Drone(f"D{n}", model.name, draw(st.sampled_from(docks)).id, n + 1)
            for n in range(draw(st.integers(0, 4)))
        ),
        models=(replace(model, battery_wh=float(draw(st.sampled_from([25, 80, 250, 500])))),),
        agencies=agencies,
        demands=tuple(draw(demands(n)) for n in range(draw(st.integers(0, 4)))),
        no_fly=tuple(
            NoFly(f"z{n}", draw(areas(20, 250)), ceiling_m=draw(st.sampled_from([None, None, 230.0])))
            for n in range(draw(st.integers(0, 3)))
        ),
        layers=ReferenceLayers(),
        wind=Wind(float(draw(st.sampled_from([0, 3, 8, 11, 15]))), float(draw(st.integers(0, 359)))),
    )


def on_the_ground(site: Site, terrain: Terrain) -> Site:
    docks = tuple(replace(d, elevation_m=terrain.elevation_at(d.place)) for d in site.docks)
    return replace(site, docks=docks)


def within_reach(site: Site, terrain: Terrain, tasks: Any) -> set[str]:
    """Return the tasks that one flight of their own could serve."""
    airspace = airspace_of(site, Ground.of(site, terrain, site.demands), site.demands)
    network = Network(site, airspace, tasks, site.demands)
    network.measure(lambda what, share: None)
    return {tasks[k].id for k in reachable(network, Limits(LONGEST_S, 0.985))}


def promised(made: Plan, site: Site, terrain: Terrain) -> None:
    assert check.faults(made, site, terrain, longest_s=LONGEST_S) == ()
    flown = {task for sortie in made.sorties for task in sortie.tasks}
    could = within_reach(site, terrain, made.tasks)
    served_of.append((len(could & flown), len(could)))
    assert all(u.reason and u.would_help for u in made.unserved)


@pytest.mark.slow
def test_every_plan_of_a_random_site_holds(site: Site, model: DroneModel, terrain: Terrain) -> None:
    served_of.clear()
    drawn = settings(
        max_examples=SITES,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
        phases=(Phase.explicit, Phase.generate, Phase.shrink),
    )

    @drawn
    @given(sites(site.agencies, model))
    def one(made: Site) -> None:
        placed = on_the_ground(made, terrain)
        promised(plan(placed, terrain=terrain, iterations=30), placed, terrain)

    one()
    served, could = (sum(column) for column in zip(*served_of, strict=True))
    assert served >= 0.99 * could, f"{served} of {could} tasks within reach are served"
