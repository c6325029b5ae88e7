"""Ways round zones and over ridges."""

from dataclasses import replace

import numpy as np
import pytest
from shapely.geometry import LineString

from missions.airspace import CLEARANCE_M, Airspace, Ground, Spot, length_m
from missions.model import NoFly, Obstacle, Site
from missions.terrain import Terrain
from missions.volumes import HEIGHT_MARGIN_M, ZONE_MARGIN_M
from tests.missions.tiny import FRAME, line, square


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
    assert flown.distance(FRAME.polygon(square(-600, -100, 200))) == pytest.approx(ZONE_MARGIN_M, abs=1)
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


def test_a_low_zone_is_passed_over_where_that_is_shorter(site: Site, ground: Ground) -> None:
    """A wide zone with a low ceiling: over it, high enough; a narrow one with a high ceiling: round it."""
    wide = NoFly("wide", square(-600, -900, 200, tall_m=1800), ceiling_m=160)
    over = Airspace.of(replace(site, no_fly=(wide,)), ground, top_m=400).way(
        Spot(-900, 0, 145), Spot(-300, 0, 145)
    )
    assert over is not None
    assert {round(s.north_m) for s in over} == {0}
    assert max(s.altitude_m for s in over) == pytest.approx(160 + HEIGHT_MARGIN_M, abs=0.1)
    narrow = NoFly("narrow", square(-600, -30, 60), ceiling_m=600)
    beside = Airspace.of(replace(site, no_fly=(narrow,)), ground, top_m=900).way(
        Spot(-900, 0, 145), Spot(-300, 0, 145)
    )
    assert beside is not None
    assert max(s.altitude_m for s in beside) == 145


def test_a_zone_with_a_floor_is_passed_under_or_gone_round(site: Site, ground: Ground) -> None:
    airway = NoFly("airway", square(-600, -200, 200, tall_m=400), floor_m=250)
    airspace = Airspace.of(replace(site, no_fly=(airway,)), ground, top_m=400)
    low, high = (
        airspace.way(Spot(-900, 0, 145), Spot(-300, 0, 145)),
        airspace.way(Spot(-900, 0, 300), Spot(-300, 0, 300)),
    )
    assert low == (Spot(-900, 0, 145), Spot(-300, 0, 145))
    assert high is not None
    assert len(high) > 2


def test_a_zone_counts_only_in_its_hours(site: Site, ground: Ground) -> None:
    zone = NoFly("range", square(-600, -100, 200), hours=(22 * 3600.0, 4 * 3600.0))
    timed = replace(site, no_fly=(zone,))
    a, b = Spot(-900, 0, 200), Spot(-300, 0, 200)
    at = {
        hours: Airspace.of(timed, ground, top_m=400, hours=(hours * 3600.0, (hours + 2) * 3600.0)).way(a, b)
        for hours in (1, 3, 8, 21)
    }
    assert at[8] == (a, b)
    assert all(way is not None and len(way) > 2 for hour, way in at.items() if hour != 8)


def test_wires_are_crossed_above_their_poles_and_their_margin(site: Site, ground: Ground) -> None:
    wires = Obstacle("wires", line((-600, -2000), (-600, 2000)), height_m=60, margin_m=25)
    way = Airspace.of(replace(site, obstacles=(wires,)), ground, top_m=400).way(
        Spot(-900, 0, 145), Spot(-300, 0, 145)
    )
    assert way is not None
    over = np.interp(np.linspace(-625, -575, 50), [s.east_m for s in way], [s.altitude_m for s in way])
    assert over.min() >= 100 + 60 + 25 - 1


def test_a_zone_of_thousands_of_corners_is_gone_round_all_the_same(site: Site, ground: Ground) -> None:
    angles = np.linspace(0, 2 * np.pi, 50_000, endpoint=False)
    radii = 150 + 4 * np.sin(400 * angles)
    rim = line(*zip(radii * np.cos(angles) - 600, radii * np.sin(angles), strict=True))
    zone = NoFly("round", replace(square(0, 0, 1), outer=rim))
    way = Airspace.of(replace(site, no_fly=(zone,)), ground, top_m=400).way(
        Spot(-900, 0, 200), Spot(-300, 0, 200)
    )
    assert way is not None
    assert LineString([(s.east_m, s.north_m) for s in way]).distance(FRAME.polygon(zone.area)) > 15
