"""Animals in flown worlds: with truth, seen by the thermal camera, and no fire to anybody."""

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest
from shapely.geometry import Point

from missions.geo import LatLon, distance_m
from sim.animals import APART_M
from sim.camera import Cameras
from sim.projection import TruePose
from sim.scenarios import Sowing, sow, watched_ground
from tests.sim.hills import EPOCH_AT, FRAME, THERMAL, job, site, world

SEEDS = (1, 2, 3)


@pytest.mark.parametrize("seed", SEEDS)
def test_herds_stand_on_watched_ground_under_open_sky_and_away_from_what_is_hot(seed):
    made = world(seed)
    assert 4 <= len(made.animals) <= 10
    near = watched_ground(site(), FRAME).difference(made.landscape.compartments[0]).buffer(30.0)
    for animal in made.animals:
        assert near.contains(Point(animal.middle_m))
        assert animal.speed_m_s <= 0.3
        for hot in (*made.fires, *made.decoys):
            east, north = animal.middle_m
            assert np.hypot(hot.east_m - east, hot.north_m - north) > APART_M - 45.0


@pytest.mark.parametrize("seed", SEEDS)
def test_they_change_nothing_else_of_a_seed(seed):
    made = world(seed)
    sowing = Sowing(FRAME, made.relief, made.landscape, EPOCH_AT, np.random.default_rng(seed))
    assert sow("fire", site(), sowing) == (made.fires, made.decoys)
    assert world.__wrapped__(seed).animals == made.animals


def test_the_truth_says_where_they_stand_and_calls_them_no_hazard_that_is_missed():
    truth = world().truth(EPOCH_AT)
    assert {f["properties"]["hazard"] for f in truth["features"]} == {"fire", "none"}
    told, later = truth["animals"], world().truth(EPOCH_AT + timedelta(seconds=40))["animals"]
    assert {f["properties"]["id"] for f in told} == {a.id for a in world().animals}
    for one, then in zip(told, later, strict=True):
        (lon, lat), (lon_then, lat_then) = (f["geometry"]["coordinates"] for f in (one, then))
        assert 0.0 < distance_m(LatLon(lat, lon), LatLon(lat_then, lon_then)) < 13.0


def test_the_thermal_camera_sees_an_animal_as_warm_as_its_coat():
    """By its truth at the moment of the picture, straight below the camera."""
    animal = replace(world().animals[0], middle_m=(0.0, -60.0), kind="cow", over_air_k=12.0)
    at = EPOCH_AT + timedelta(seconds=60)
    here = animal.at(at, world().relief)
    pose = TruePose(FRAME.to_place(here.east_m, here.north_m), here.ground_m + 60.0, 0.0, -90.0)
    pictures = [
        Cameras(replace(world(scenario="calm"), animals=there)).thermal(job(pose), THERMAL)
        for there in ((), (animal,))
    ]
    added = pictures[1] - pictures[0]
    row, column = np.unravel_index(int(np.argmax(np.abs(added))), added.shape)
    assert abs(row - 256) < 12
    assert abs(column - 320) < 12
    assert 20 < np.count_nonzero(np.abs(added) > 0.5) < 1500
