"""The seeded world: how many hazards, where, how far apart, and what is said of them."""

import itertools
import json
import math
import pickle
from datetime import timedelta

import pytest
from shapely.geometry import Point

from missions.errors import InputWrong
from missions.model import Hazard
from sim.hazards import FIRE_LARGEST_M2, DecoyKind
from sim.landscape import SAG_M
from sim.scenarios import APART_M, EDGE_M, watched_for
from sim.sky import Sky
from sim.world import World
from tests.sim.hills import EPOCH_AT, FRAME, fire, site, slope, stove, world

SEEDS = range(1, 6)


@pytest.mark.parametrize("seed", SEEDS)
def test_there_are_eight_fires_and_twelve_decoys_of_all_kinds_at_least(seed):
    made = world(seed)
    assert len(made.fires) >= 8
    assert len(made.decoys) >= 12
    assert {d.kind for d in made.decoys} == set(DecoyKind)


@pytest.mark.parametrize("seed", SEEDS)
def test_fires_keep_sixty_metres_from_each_other_and_from_decoys(seed):
    made = world(seed)
    fires = [(f.east_m, f.north_m) for f in made.fires]
    decoys = [(d.east_m, d.north_m) for d in made.decoys]
    pairs = [*itertools.combinations(fires, 2), *itertools.product(fires, decoys)]
    assert min(math.dist(a, b) for a, b in pairs) >= APART_M


@pytest.mark.parametrize("seed", SEEDS)
def test_everything_lies_in_ground_watched_for_fire_and_half_the_fires_near_its_edges(seed):
    made = world(seed)
    watched = watched_for(Hazard.FIRE, site(), FRAME)
    spots = [Point(f.east_m, f.north_m) for f in made.fires]
    assert all(watched.contains(s) for s in spots)
    assert all(watched.contains(Point(d.east_m, d.north_m)) for d in made.decoys)
    rims = [FRAME.polygon(d.where).exterior for d in site().demands[:2]]
    near = [min(r.distance(s) for r in rims) <= EDGE_M or abs(s.y - 20) <= 40 for s in spots]
    assert sum(near) >= len(spots) // 2


@pytest.mark.parametrize("seed", SEEDS)
def test_fires_have_the_sizes_ages_and_heat_that_are_promised(seed):
    made = world(seed)
    for one in made.fires:
        for minutes in (0, 60, 600):
            assert 0.3 <= one.area_m2(EPOCH_AT + timedelta(minutes=minutes)) <= FIRE_LARGEST_M2
        assert 350 <= one.temp_c <= 800
        assert timedelta(0) <= EPOCH_AT - one.ignited_at <= timedelta(minutes=20)
    areas = sorted(f.area_at_epoch_m2 for f in made.fires)
    assert areas[0] < 0.6
    assert areas[-1] > 6


def test_decoys_are_as_warm_as_such_things_are():
    ranges = {
        DecoyKind.METAL_ROOF: (50, 75),
        DecoyKind.CHIMNEY: (80, 160),
        DecoyKind.VEHICLE: (60, 110),
        DecoyKind.WARM_ROCK: (40, 58),
        DecoyKind.STOVE: (150, 250),
    }
    noon = Sky.over(site().origin, EPOCH_AT + timedelta(hours=2))
    for decoy in (d for seed in SEEDS for d in world(seed).decoys):
        low, high = ranges[decoy.kind]
        assert low <= decoy.temp_under(noon) <= high


def test_what_the_sun_warms_is_cold_at_night_and_a_stove_is_not():
    night = Sky.over(site().origin, EPOCH_AT + timedelta(hours=14))
    assert night.beam == 0
    by_kind = {d.kind: d for d in world().decoys}
    assert by_kind[DecoyKind.METAL_ROOF].temp_under(night) < night.air_c
    assert by_kind[DecoyKind.STOVE].temp_under(night) >= 150


def test_the_same_seed_gives_the_same_world_and_another_seed_another():
    again = World.build(site(), slope(), seed=1, epoch_at=EPOCH_AT)
    assert again.fires == world(1).fires
    assert again.decoys == world(1).decoys
    assert again.fires != world(2).fires


def test_the_landscape_does_not_depend_on_the_seed():
    assert world(1).landscape.houses == world(2).landscape.houses
    assert len(world(1).landscape.houses) > 20


def test_a_fire_grows():
    later = EPOCH_AT + timedelta(hours=1)
    grown = [f.area_m2(later) / f.area_m2(EPOCH_AT) for f in world().fires]
    assert all(g > 1 for g in grown)


def test_the_truth_is_a_feature_collection_of_points():
    truth = world().truth(EPOCH_AT + timedelta(minutes=5))
    assert json.loads(json.dumps(truth)) == truth
    fires = [f for f in truth["features"] if f["properties"]["hazard"] == "fire"]
    decoys = [f for f in truth["features"] if f["properties"]["hazard"] == "none"]
    assert len(fires) == len(world().fires)
    assert len(decoys) == len(world().decoys)
    assert set(fires[0]["properties"]) == {"hazard", "id", "area_m2", "temp_c", "ignited_at"}
    assert set(decoys[0]["properties"]) == {"hazard", "decoy", "id"}
    lon, lat = fires[0]["geometry"]["coordinates"]
    east, north = FRAME.east_north(lat, lon)
    first = world().fires[0]
    assert (float(east), float(north)) == pytest.approx((first.east_m, first.north_m), abs=0.01)


def test_the_truth_leaves_out_what_does_not_burn_yet():
    truth = world().truth(EPOCH_AT - timedelta(hours=1))
    assert all(f["properties"]["hazard"] == "none" for f in truth["features"])


def test_a_calm_world_holds_nothing():
    assert world(scenario="calm").truth(EPOCH_AT)["features"] == []


def test_an_unknown_scenario_is_refused_with_those_there_are():
    with pytest.raises(
        InputWrong, match="found 'earthquake', expected one of fire, report, calm, flood, logging"
    ):
        World.build(site(), slope(), scenario="earthquake", epoch_at=EPOCH_AT)


def test_a_world_can_be_handed_to_another_process():
    made = world()
    assert made.frame.to_local(made.site.origin) == pytest.approx((0, 0), abs=1e-6)
    assert pickle.loads(pickle.dumps(made)).truth(EPOCH_AT) == made.truth(EPOCH_AT)


def test_the_sun_stands_high_at_noon_and_in_the_south_in_winter():
    """Solar noon at 119.42 E is at 04:02 UTC; at the solstices the sun stands 90 - 30.28 +- 23.44 high."""
    winter = Sky.over(site().origin, EPOCH_AT.replace(month=12, day=21, hour=4, minute=0))
    assert winter.sun_elevation_deg == pytest.approx(90 - 30.28 - 23.44, abs=0.3)
    assert winter.sun_azimuth_deg == pytest.approx(180, abs=2)
    summer = Sky.over(site().origin, EPOCH_AT.replace(month=6, day=21, hour=4, minute=4))
    assert summer.sun_elevation_deg == pytest.approx(90 - 30.28 + 23.44, abs=0.5)


def test_helpers_of_the_tests_make_what_they_say():
    assert fire(0, 0, area_m2=4.0).area_m2(EPOCH_AT + timedelta(hours=1)) == pytest.approx(4.0)
    assert stove(0, 0, area_m2=0.25, temp_c=200.0).length_m == pytest.approx(0.5)


def test_the_truth_tells_each_wire_as_it_hangs():
    """Three conductors a span, from tower to tower, lowest in between, well over the ground."""
    made = world()
    told = made.truth(EPOCH_AT)["wires"]
    assert len(told) == 3 * sum(len(span) - 1 for span in made.landscape.spans) > 0
    for strand in told:
        lon, lat, up = zip(*strand, strict=True)
        chord = (up[0] + up[-1]) / 2
        assert chord - up[len(up) // 2] == pytest.approx(SAG_M, abs=0.05)
        east, north = FRAME.east_north(list(lat), list(lon))
        ground = made.relief.height_m(east, north)
        assert min(u - g for u, g in zip(up, ground, strict=True)) > 5.0
