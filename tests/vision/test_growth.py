"""How a spread is followed, and when it reaches what has a name."""

import math
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from missions.geo import Area, LatLon, moved
from missions.model import NamedArea, PowerLine, ReferenceLayers, Road
from vision import flood, forecast
from vision.growth import Extent, Thing, arrivals, extents, measure
from vision.model import Ellipse
from vision.tangent import Scale

HERE = LatLon(30.28, 119.42)
NOW = datetime(2026, 6, 1, 2, 0, tzinfo=UTC)
SHARP = Ellipse(2.4, 2.4, 0.0)  # one metre each way


def disc(radius_m: float, *, east_m: float = 0.0) -> Area:
    scale, turns = Scale.at(HERE), np.linspace(0, 2 * math.pi, 48, endpoint=False)
    return Area(tuple(scale.to_place(east_m + radius_m * math.sin(t), radius_m * math.cos(t)) for t in turns))


def at(minutes: float, area: Area, ellipse: Ellipse = SHARP) -> Extent:
    return Extent(NOW + timedelta(minutes=minutes), (area,), ellipse)


@pytest.fixture
def eastward():
    """A fire that runs east by 0.1 m/s: its disc grows and moves, its west edge stays."""
    looks = [at(m, disc(20 + 3 * m, east_m=3 * m)) for m in (0, 10, 20)]
    growth = measure(looks)
    assert growth is not None
    return growth


def test_one_look_tells_no_growth():
    assert measure([at(0, disc(20))]) is None


def test_the_head_runs_where_the_edge_moved_most(eastward):
    """Along east the edge goes from 20 to 140 m in 20 minutes: 0.1 m/s."""
    assert eastward.bearing_deg == 90.0
    assert eastward.speed_m_s == pytest.approx(0.1, rel=0.05)
    assert eastward.speed_low_m_s < 0.1 < eastward.speed_high_m_s
    assert eastward.edge_towards(270.0).speed_m_s == pytest.approx(0.0, abs=0.01)


def test_the_area_and_its_rate_are_those_of_the_looks(eastward):
    """From 20 m to 80 m radius in a third of an hour."""
    assert eastward.area_m2 == pytest.approx(math.pi * 80**2, rel=0.01)
    assert eastward.area_m2_per_h == pytest.approx(3 * math.pi * (80**2 - 20**2), rel=0.01)


def test_the_interval_widens_with_time_and_never_reaches_behind_the_edge(eastward):
    soon, late = eastward.head.after(300.0), eastward.head.after(3600.0)
    assert late[2] - late[1] > soon[2] - soon[1]
    assert eastward.edge_towards(270.0).after(7200.0)[1] > 10.0


def test_another_look_narrows_the_speed():
    looks = [at(m, disc(20 + 3 * m, east_m=3 * m)) for m in (0, 10, 20, 30, 40)]
    few, many = measure(looks[:2]), measure(looks)
    assert few is not None
    assert many is not None
    assert many.speed_high_m_s - many.speed_low_m_s < few.speed_high_m_s - few.speed_low_m_s


def test_things_ahead_are_reached_in_time_and_things_behind_are_not(eastward):
    """The edge stands at 140 m east; a village begins at 500 m: 360 m at 0.1 m/s is an hour."""
    village = Thing({"en-US": "V"}, disc(100, east_m=600).outer, is_area=True)
    behind = Thing({"en-US": "B"}, (moved(HERE, 270.0, 800.0),))
    under = Thing({"en-US": "U"}, (moved(HERE, 90.0, 50.0),))
    there, soon, never = arrivals(eastward, [behind, village, under])
    assert (there.name["en-US"], there.after_s) == ("U", 0.0)
    assert soon.name["en-US"] == "V"
    assert soon.distance_m == pytest.approx(360.0, abs=15.0)
    assert soon.after_s == pytest.approx(3600.0, rel=0.1)
    assert soon.earliest_s is not None
    assert soon.earliest_s < soon.after_s
    assert soon.latest_s is None or soon.latest_s > soon.after_s
    assert never.after_s is None


def test_a_road_is_reached_where_it_is_nearest(eastward):
    road = Thing({"en-US": "R"}, (moved(moved(HERE, 90.0, 400.0), 0.0, 500.0), moved(HERE, 90.0, 400.0)))
    (arrival,) = arrivals(eastward, [road])
    assert arrival.distance_m == pytest.approx(260.0, abs=10.0)


def test_observations_of_one_pass_are_one_extent(seen_fire):
    """Five pieces of a front in one minute and one an hour later: two looks; what has no size is left out."""
    pieces = [
        replace(
            seen_fire,
            id=f"o{i}",
            place=moved(HERE, 90.0, 15.0 * i),
            area_m2=80.0,
            seen_at=NOW + timedelta(seconds=10 * i),
        )
        for i in range(5)
    ]
    later = replace(seen_fire, id="late", area_m2=9000.0, seen_at=NOW + timedelta(hours=1))
    nothing = replace(seen_fire, id="none", area_m2=None, seen_at=NOW + timedelta(hours=2))
    found = extents([later, nothing, *pieces])
    assert [len(e.parts) for e in found] == [5, 1]
    growth = measure(found)
    assert growth is not None
    assert growth.looks == 2


def test_the_front_of_pieces_has_no_gaps(seen_fire):
    pieces = [
        replace(seen_fire, id=f"o{i}", place=moved(HERE, 90.0, 40.0 * i), area_m2=80.0) for i in range(5)
    ]
    (one,) = extents(pieces)
    growth = measure([one, replace(one, seen_at=NOW + timedelta(hours=1))])
    assert growth is not None
    assert growth.area_m2 == pytest.approx(160 * 2 * 5.05 + math.pi * 5.05**2, rel=0.05)


def test_a_spread_is_told_in_both_languages(eastward):
    line = PowerLine("l", {"en-US": "Jingle line", "zh-CN": "京乐线"}, 110.0, (("45", moved(HERE, 90, 300)),))
    village = NamedArea("v", "village", {"en-US": "Upper", "zh-CN": "上村"}, disc(50, east_m=900))
    road = Road("r", {"en-US": "G235", "zh-CN": "235国道"}, (moved(HERE, 90, 80), moved(HERE, 0, 80)))
    layers = ReferenceLayers(lines=(line,), villages=(village,), roads=(road,))
    reached = arrivals(eastward, forecast.things(layers))
    english = forecast.worded(eastward, reached, "en-US")
    chinese = forecast.worded(eastward, reached, "zh-CN")
    assert english.startswith("the front runs east at 6")
    assert "has reached G235" in english
    assert "reaches tower 45 of Jingle line in " in english
    assert "火头向东推进" in chinese
    assert "京乐线45号塔" in chinese


def test_a_front_that_may_stand_is_not_said_to_run(eastward):
    unsure = replace(eastward, speed_low_m_s=0.0)
    assert forecast.worded(unsure, (), "en-US").startswith("the front may run east, at most ")
    assert forecast.worded(unsure, (), "zh-CN").startswith("火头可能向东推进")


class Slope:
    """Ground that rises by one metre in ten to the east."""

    source, resolution_m, error_m = "a slope", 5.0, 2.0

    def elevation_m(self, lat_deg, lon_deg):
        scale = Scale.at(HERE)
        return 100.0 + (np.asarray(lon_deg) - HERE.lon_deg) * scale.east_m / 10


def shore(east_m: float, *, off_m: float = 0.0) -> list[tuple[float, float]]:
    """Return places along a contour, as far beside it as a pose is off."""
    places = (Scale.at(HERE).to_place(east_m + off_m, n) for n in np.arange(-200.0, 200.0, flood.EVERY_M))
    return [(p.lat_deg, p.lon_deg) for p in places]


def told_level(seen_fire, east_m, minutes, *, off_m=0.0):
    level = flood.level(shore(east_m, off_m=off_m), ground=Slope())
    return replace(seen_fire, seen_at=NOW + timedelta(minutes=minutes), facts={"level_m": level})


def test_a_level_is_the_height_of_the_waters_edge_within_what_the_pose_may_be_off():
    """On a slope of 1:10 a place 3 m off is a height 0.3 m off; 90 % of them lie within 0.5 m."""
    low, level, high = flood.level(shore(50.0), ground=Slope())
    assert level == pytest.approx(105.0, abs=0.01)
    assert high - level == pytest.approx(level - low) == pytest.approx(0.5, abs=0.02)


def test_water_that_creeps_up_a_slope_rises(seen_fire):
    """Ten metres to the east each half hour on a slope of 1:10 is two metres an hour."""
    rise = flood.rise_over([told_level(seen_fire, 10.0 * i, 30 * i) for i in range(3)])
    assert rise is not None
    assert rise.m_per_h == pytest.approx(2.0, abs=0.01)
    assert rise.low_m_per_h < 2.0 < rise.high_m_per_h


def test_nine_in_ten_intervals_of_a_rise_hold_it_when_each_pass_is_off(seen_fire):
    rng = np.random.default_rng(5)
    held = 0
    for _ in range(200):
        first, second = rng.normal(0.0, flood.PLACE_M, 2)
        passes = [told_level(seen_fire, 0.0, 0, off_m=first), told_level(seen_fire, 10.0, 30, off_m=second)]
        rise = flood.rise_over(passes)
        held += rise.low_m_per_h <= 2.0 <= rise.high_m_per_h
    assert 170 <= held <= 195


def test_pictures_of_one_pass_are_one_level_and_tell_no_rise(seen_fire):
    assert flood.rise_over([told_level(seen_fire, 0.0, 0), told_level(seen_fire, 1.0, 1)]) is None
    assert flood.rise_over([seen_fire]) is None
    assert flood.level(shore(0.0)[:3], ground=Slope()) is None


def test_a_flood_is_told_by_its_rise(eastward):
    told = forecast.worded(eastward, [], "en-US", rise=flood.Rise(0.4, 0.2, 0.6))
    assert told.startswith("the water rises by 0.40 m in an hour (0.20 to 0.60)")
