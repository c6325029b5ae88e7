"""Sites drawn at random: every plan holds, and what a single flight could serve is served.

GRIDPATROL_SITES says which are drawn, `12` or `250-500`; `make sites` draws a thousand, a block at a time.
What each block came to is kept in the file GRIDPATROL_SITES_DONE, and what stands there is not drawn again.
"""

import json
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from missions import check, check_day
from missions.air import Aloft, NoPhoto, Obstacle
from missions.airspace import Airspace, Ground
from missions.coverage import airspace_of
from missions.errors import WorkFailed
from missions.geo import Area, Corridor, LatLon
from missions.model import (
    Demand,
    Dock,
    Drone,
    DroneModel,
    NoFly,
    Plan,
    ReferenceLayers,
    Sensor,
    Site,
    Slot,
    Task,
    Wind,
)
from missions.network import Network
from missions.periods import Hours, own_hours
from missions.planner import LONGEST_S, plan
from missions.terrain import Terrain
from missions.view import PLAIN, Side, View
from tests.missions.tiny import FIRE, FRAME, ORIGIN

SITES = os.environ.get("GRIDPATROL_SITES", "12")
DONE = os.environ.get("GRIDPATROL_SITES_DONE")
BLOCK = 25  # sites drawn from one seed
MANY = 100  # a share of 99 in a hundred says nothing of a dozen sites, where one site is a tenth of all tasks
DAY_S = 86_400.0


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


def views(where: LatLon | Corridor | Area) -> st.SearchStrategy[View]:
    """Most demands are looked at from straight above; the others as their shape allows."""
    if isinstance(where, LatLon):
        heading = st.sampled_from([None, 0.0, 135.0])
        beside = st.builds(
            View, st.sampled_from([0.0, 25.0, 60.0]), heading_deg=heading, dwell_s=st.just(10.0)
        )
        return st.one_of(st.just(PLAIN), st.just(PLAIN), beside)
    if isinstance(where, Corridor):
        over = st.builds(View, wire_m=st.just(30.0), sag_m=st.just(5.0))
        aside = st.builds(
            View, st.just(40.0), side=st.sampled_from([Side.LEFT, Side.RIGHT, Side.BOTH]),
            wire_m=st.sampled_from([None, 30.0]),
        )  # fmt: skip
        return st.one_of(st.just(PLAIN), st.just(PLAIN), st.just(PLAIN), over, aside)
    return st.one_of(*[st.just(PLAIN)] * 4, st.builds(View, reach_m=st.sampled_from([200.0, 400.0])))


# Hypothesis likes the first best, and little is to be learnt of none.
FEW = st.sampled_from([2, 1, 3, 4, 1, 2, 3, 4, 0])
HOURS = st.sampled_from([None, None, None, (5 * 3600.0, 19 * 3600.0), (17 * 3600.0, 7 * 3600.0)])


@st.composite
def demands(draw: st.DrawFn, number: int) -> Demand:
    where = draw(st.one_of(places(), corridors(), areas()))
    return Demand(
        f"d{number}",
        draw(st.sampled_from(["forestry", "water", "power", "emergency"])),
        FIRE,
        where,
        frozenset(draw(st.sets(st.sampled_from([Sensor.THERMAL, Sensor.RGB]), min_size=1))),
        float(draw(st.sampled_from([20, 60, 90, 120]))),
        DAY_S,
        priority=draw(st.integers(1, 5)),
        window=draw(HOURS),
        must=draw(st.booleans()),
        view=draw(views(where)),
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
            Drone(f"D{n}", model.name, draw(st.sampled_from(docks)).id, n + 1) for n in range(draw(FEW))
        ),
        models=(replace(model, battery_wh=float(draw(st.sampled_from([250, 80, 500, 25])))),),
        agencies=agencies,
        demands=tuple(draw(demands(n)) for n in range(draw(FEW))),
        no_fly=tuple(
            NoFly(
                f"z{n}",
                draw(areas(20, 250)),
                floor_m=draw(st.sampled_from([None, None, None, 260.0])),
                ceiling_m=draw(st.sampled_from([None, None, 230.0])),
                hours=draw(HOURS),
            )
            for n in range(draw(st.integers(0, 3)))
        ),
        layers=ReferenceLayers(),
        wind=draw(winds()),
        forecast=tuple(draw(winds()) for _ in range(draw(st.sampled_from([0, 0, 1, 2])))),
        no_photo=tuple(
            NoPhoto(f"p{n}", draw(areas(20, 150))) for n in range(draw(st.sampled_from([0, 0, 1])))
        ),
        obstacles=tuple(draw(obstacles(n)) for n in range(draw(st.sampled_from([0, 0, 1, 2])))),
    )


@st.composite
def winds(draw: st.DrawFn) -> Wind:
    speed, bearing = float(draw(st.sampled_from([0, 3, 6, 8, 11, 15]))), float(draw(st.integers(0, 359)))
    aloft = (Aloft(300.0, min(11.0, 1.3 * speed), (bearing + 20) % 360),) if draw(st.booleans()) else ()
    return Wind(speed, bearing, 100.0, aloft)


@st.composite
def obstacles(draw: st.DrawFn, number: int) -> Obstacle:
    line = draw(st.lists(places(), min_size=1, max_size=3, unique_by=lambda p: (p.lat_deg, p.lon_deg)))
    return Obstacle(f"o{number}", tuple(line), float(draw(st.sampled_from([30, 60, 120]))))


def on_the_ground(site: Site, terrain: Terrain) -> Site:
    docks = tuple(replace(d, elevation_m=terrain.elevation_at(d.place)) for d in site.docks)
    return replace(site, docks=docks)


def within_reach(site: Site, terrain: Terrain, made: Plan) -> set[str]:
    """Return the tasks that one flight of their own could serve, whether or not there is time for all.

    What is flown together could be flown alone. For each other task flights are made from every dock,
    at the beginning of the hours in which its demands are open, and the checker says whether one holds.
    """
    flown = {task for sortie in made.sorties for task in sortie.tasks}
    left = [task for task in made.tasks if task.id not in flown]
    ground = Ground.of(site, terrain, site.demands)
    open_s = {d.id: own_hours(d, site, (0.0, DAY_S), ground.frame) for d in site.demands}
    found = set(flown)
    for hours in {common_hours(task, open_s) for task in left}:
        airspace = airspace_of(site, ground, site.demands, hours=hours)
        alike = [task for task in left if common_hours(task, open_s) == hours]
        found |= {task.id for task in alike if could_be_flown(task, site, terrain, airspace, hours)}
    return found


def common_hours(task: Task, open_s: dict[str, Hours]) -> Hours:
    return max(open_s[d][0] for d in task.demands), min(open_s[d][1] for d in task.demands)


def could_be_flown(task: Task, site: Site, terrain: Terrain, airspace: Airspace, hours: Hours) -> bool:
    asked = [d for d in site.demands if d.id in task.demands]
    network = Network(site, airspace, (task,), asked)
    for drone in {(d.dock, d.model): d for d in site.drones}.values():
        for way in network.nodes:
            try:
                sortie = network.sortie((site.dock(drone.dock), site.model(drone.model), (way,)))
            except WorkFailed:  # too much wind along it
                continue
            if sortie.spare_wh < 0:  # the checker takes its word for that
                continue
            named = replace(sortie, id="S1")
            lands_s = hours[0] + named.flight_s
            slot = Slot("S1", drone.id, hours[0], lands_s, lands_s + DAY_S)
            alone = Plan(site.id, 1, (named,), (task,), (), slots=(slot,))
            wrong = check.sortie_faults(alone, site, terrain, longest_s=LONGEST_S)
            if not wrong and not tuple(check_day.faults(alone, site, asked)):
                return True
    return False


def plain(site: Site) -> Site:
    """Return a site without hours, obstacles, no-photo ground, winds aloft and looks from beside.

    Hours bound what a day's flying can serve, however well a single task lies within reach.
    """
    demands = tuple(replace(d, window=None, must=True, view=PLAIN) for d in site.demands)
    no_fly = tuple(replace(z, floor_m=None, hours=None) for z in site.no_fly)
    wind = replace(site.wind, aloft=())
    return replace(site, demands=demands, no_fly=no_fly, wind=wind, forecast=(), no_photo=(), obstacles=())


def promised(made: Plan, site: Site, terrain: Terrain) -> tuple[int, int]:
    """Hold a plan to what every plan promises; return how many tasks it serves of those within reach."""
    assert check.faults(made, site, terrain, longest_s=LONGEST_S) == ()
    assert all(u.reason and u.would_help for u in made.unserved)
    flown = {task for sortie in made.sorties for task in sortie.tasks}
    return len(flown), len(within_reach(site, terrain, made))


Block = tuple[str, int, int]  # what kind of sites, the first of them, and how many
KINDS: dict[str, Callable[[Site], Site]] = {"plain": plain, "whole": lambda site: site}
WHOLE_PART = 3  # a third as many with hours, wires, winds aloft and looks from beside: each costs far more


def done() -> list[dict[str, Any]]:
    """Return what blocks of earlier runs came to."""
    kept = Path(DONE) if DONE else None
    return [json.loads(row) for row in kept.read_text().splitlines()] if kept and kept.exists() else []


def blocks(span: str) -> list[Block]:
    """Return the blocks that a span of sites asks for and that are not done yet."""
    begins, _, ends = span.rpartition("-")
    first, last = int(begins or 0), int(ends)
    parts = (("plain", first, last), ("whole", first // WHOLE_PART, max(1, last // WHOLE_PART)))
    wanted = [
        (kind, at, min(BLOCK, until - at))
        for kind, since, until in parts
        for at in range(since, until, BLOCK)
    ]
    had = {(row["kind"], row["first"], row["sites"]) for row in done()}
    return [block for block in wanted if block not in had]


TOTALS = done()


def note(block: Block, counts: list[tuple[int, int]]) -> None:
    """Keep and tell what a block came to, and hold all blocks so far to what is promised of many."""
    kind, first, sites = block
    served, could = (sum(column) for column in zip(*counts, strict=True))
    row = {"kind": kind, "first": first, "sites": sites, "served": served, "could": could}
    TOTALS.append(row)
    if DONE:
        with Path(DONE).open("a") as kept:
            kept.write(json.dumps(row) + "\n")
    drawn, served, could = (sum(row[key] for row in TOTALS) for key in ("sites", "served", "could"))
    print(f"{row}; so far {drawn} sites, {served} of {could} tasks within reach are served", flush=True)
    assert drawn < MANY or served >= 0.99 * could


@pytest.mark.slow
@pytest.mark.parametrize("block", blocks(SITES), ids=lambda b: f"{b[0]}-{b[1]}")
def test_every_plan_of_a_random_site_holds_and_serves_what_one_flight_could(
    block: Block, site: Site, model: DroneModel, terrain: Terrain
) -> None:
    kind, first, count = block
    counts: list[tuple[int, int]] = []

    @seed(first)
    @settings(
        max_examples=count,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
        phases=(Phase.explicit, Phase.generate, Phase.shrink),
    )
    @given(sites(site.agencies, model))
    def one(made: Site) -> None:
        placed = on_the_ground(KINDS[kind](made), terrain)
        counts.append(promised(plan(placed, terrain=terrain, iterations=30), placed, terrain))

    one()
    note(block, counts)
