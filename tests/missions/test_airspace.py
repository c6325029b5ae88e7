"""Ways round zones and over ridges."""

from dataclasses import replace

import numpy as np
import pytest
from shapely.geometry import LineString

from missions.airspace import CLEARANCE_M, ZONE_MARGIN_M, Airspace, Ground, Spot, length_m
from missions.model import NoFly, Site
from missions.terrain import Terrain
from tests.missions.tiny import square


@pytest.fixture(scope="module")
def ground(site: Site, terrain: Terrain) -> Ground:
    return Ground.of(site, terrain, site.demands)


@pytest.fixture(scope="module")
def zoned(site: Site, ground: Ground) -> Airspace:
    zone = NoFly("gas", square(-600, -100, 200))
    return Airspace.of(replace(site, no_fly=(zone,)), ground, top_m=400)


def test_an_open_way_high_over_the_ground_is_straight(site: Site, ground: Ground) -> None:
    a, b = Spot(-900, 0, 300), Spot(-300, 0, 320)
    assert Airspace.of(site, ground, top_m=400).way(a, b) == (a, b)


def test_a_way_over_the_ridge_rises_just_as_far_as_it_must(site: Site, ground: Ground) -> None:
    way = Airspace.of(site, ground, top_m=400).way(Spot(-900, 0, 145), Spot(900, 0, 145))
    assert way is not None
    heights = [s.altitude_m for s in way]
    assert max(heights) == pytest.approx(260 + CLEARANCE_M, abs=2)
    peak = heights.index(max(heights))
    assert heights[: peak + 1] == sorted(heights[: peak + 1])
    assert heights[peak:] == sorted(heights[peak:], reverse=True)
    along = np.linspace(-900, 900, 500)
    flown = np.interp(along, [s.east_m for s in way], heights)
    assert (flown - ground.exact_m(along, np.zeros(500)) > 30).all()


def test_a_way_goes_round_a_zone_with_a_margin_and_no_further(zoned: Airspace) -> None:
    a, b = Spot(-900, 0, 200), Spot(-300, 0, 200)
    way = zoned.way(a, b)
    assert way is not None
    flown = LineString([(s.east_m, s.north_m) for s in way])
    assert flown.distance(zoned.zones) == pytest.approx(ZONE_MARGIN_M, abs=1)
    assert 600 < length_m(way) < 700
    assert zoned.way(b, a) == way[::-1]


def test_there_is_no_way_into_a_zone(zoned: Airspace) -> None:
    assert zoned.way(Spot(-900, 0, 200), Spot(-500, 0, 200)) is None


def test_there_is_no_way_off_the_elevation_model(zoned: Airspace) -> None:
    assert zoned.way(Spot(-900, 0, 200), Spot(-900, 9000, 200)) is None


def test_a_zone_far_above_everything_flown_is_no_obstacle(site: Site, ground: Ground) -> None:
    zone = NoFly("airway", square(-600, -100, 200), floor_m=1000)
    airspace = Airspace.of(replace(site, no_fly=(zone,)), ground, top_m=400)
    a, b = Spot(-900, 0, 200), Spot(-300, 0, 200)
    assert airspace.way(a, b) == (a, b)
