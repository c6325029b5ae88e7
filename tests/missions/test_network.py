"""The matrices of a site say what flying leg by leg says: in wind by height, round a zone, over a ridge."""

import math
from dataclasses import replace
from itertools import product

import numpy as np
import pytest

from missions import energy, legs, passes
from missions.air import Aloft, NoFly, Wind
from missions.airspace import Ground, Spot
from missions.coverage import airspace_of, tasks_of
from missions.energy import UnflyableLeg
from missions.legs import Legs
from missions.model import DroneModel, Site
from missions.network import Network
from missions.ridges import strings
from missions.terrain import Terrain
from tests.missions.tiny import square

WINDS = (
    Wind(6.0, 300.0, 100.0, (Aloft(200.0, 8.0, 330.0), Aloft(400.0, 10.0, 10.0))),
    Wind(9.0, 250.0),
)


@pytest.fixture(scope="module")
def network(site: Site, terrain: Terrain) -> Network:
    """The tiny world with a zone in the way and two winds that may blow."""
    zone = NoFly("hut", square(0, 150, 200))
    windy = replace(site, no_fly=(zone,), wind=WINDS[0], forecast=WINDS[1:])
    tasks, _ = tasks_of(windy, terrain, windy.demands, language="en-US")
    ground = Ground.of(windy, terrain, windy.demands)
    made = Network(windy, airspace_of(windy, ground, windy.demands), tasks, windy.demands)
    made.measure(lambda what, share: None)
    return made


def test_each_arc_is_what_its_legs_take_one_by_one(network: Network) -> None:
    """From take-off or the last picture of a pass, through the next pass or onto a dock."""
    site, docks = network.site, len(network.site.docks)
    model, size = site.models[0], len(network.nodes) + docks
    flown = 0
    for i, j in product(range(0, size, 3), range(1, size, 3)):
        before = (network.over_docks[i],) if i < docks else network.nodes[i - docks].spots
        after = (network.over_docks[j],) if j < docks else network.nodes[j - docks].spots
        same = i >= docks <= j and network.nodes[i - docks].task is network.nodes[j - docks].task
        way = network.way(before[-1], after[0])
        if way is None or same or (i < docks and j < docks):
            assert math.isinf(network.time_s[0][i, j])
            continue
        whole = passes.worst(model, (*before, *way[1:], *after[1:]), site.winds)
        begun = passes.worst(model, before, site.winds)
        time_s, energy_wh = whole.time_s - begun.time_s, whole.energy_wh - begun.energy_wh
        if i < docks:
            up = energy.takeoff(model, rise_m=before[0].altitude_m - site.docks[i].elevation_m)
            time_s, energy_wh = time_s + up.time_s, energy_wh + up.energy_wh
        if j < docks:
            down = energy.landing(model, fall_m=after[0].altitude_m - site.docks[j].elevation_m)
            time_s, energy_wh = time_s + down.time_s, energy_wh + down.energy_wh
        assert network.time_s[0][i, j] == pytest.approx(time_s)
        assert network.energy_wh[0][i, j] == pytest.approx(energy_wh)
        flown += 1
    assert flown > 50


def test_strings_drawn_together_are_the_ways_drawn_one_by_one(network: Network) -> None:
    """Over the ridge with all their corners; where no ground is known there is no way."""
    bare = replace(network.airspace, volumes=())
    dice = np.random.default_rng(2)
    starts, ends = dice.uniform(-1900, 1900, (2, 60, 3))
    starts[:, 2], ends[:, 2] = dice.uniform(160, 300, (2, 60))
    ends[:5, 0] = 9000.0  # beyond the elevation model
    told = strings(bare.ground, starts, ends)
    kinds = set()
    for k, (a, b) in enumerate(zip(starts, ends, strict=True)):
        way = bare.way(*(Spot(*(float(x) for x in p)) for p in (a, b)))
        kinds.add(len(way) if way else 0)
        assert bool(told.is_known[k]) == (way is not None)
        if way:
            points = [(s.east_m, s.north_m, s.altitude_m) for s in way]
            assert told.corners[told.way == k] == pytest.approx(np.array(points))
    assert kinds >= {0, 2, 3, 4}


@pytest.mark.parametrize(
    "wind", [*WINDS, Wind(), Wind(11.9, 90.0), Wind(5.0, 0.0, 300.0, (Aloft(500.0, 30.0, 90.0),))]
)
def test_many_legs_at_once_take_what_each_takes_alone(model: DroneModel, wind: Wind) -> None:
    """And where one cannot be flown at all, its figures are infinite."""
    dice = np.random.default_rng(3)
    starts, ends = dice.uniform(-3000, 3000, (2, 300, 3))
    starts[:, 2], ends[:, 2] = dice.uniform(100, 450, (2, 300))
    starts[:20, :2] = ends[:20, :2]  # straight up or down
    starts[20:40] = ends[20:40] + dice.uniform(-5, 5, (20, 3))
    time_s, energy_wh = legs.worst(model, Legs.of(starts, ends), (wind, Wind(3.0, 45.0)))
    for k, (a, b) in enumerate(zip(starts, ends, strict=True)):
        spots = tuple(Spot(*(float(x) for x in p)) for p in (a, b))
        try:
            alone = passes.worst(model, spots, (wind, Wind(3.0, 45.0)))
        except UnflyableLeg:
            assert math.isinf(time_s[k])
            assert math.isinf(energy_wh[k])
        else:
            assert time_s[k] == pytest.approx(alone.time_s)
            assert energy_wh[k] == pytest.approx(alone.energy_wh)


def test_turns_of_many_are_turns_of_each(model: DroneModel) -> None:
    by_deg = np.array([-400.0, -180.0, -90.0, 0.0, 30.0, 270.0, 359.0, np.nan])
    told = legs.turns_s(by_deg)
    assert told[:-1] == pytest.approx([energy.turn(model, by_deg=float(x)).time_s for x in by_deg[:-1]])
    assert told[-1] == 0.0
