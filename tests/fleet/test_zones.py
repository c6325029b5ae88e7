"""Where a sortie may fly, and what is refused before the first byte."""

import math
from dataclasses import asdict, replace

import numpy as np
import pytest

from fleet.errors import PlanRefused
from fleet.order import check_ground, order_from
from fleet.zones import Fence, Zone
from missions.geo import moved
from missions.items import NAV_LAND, NAV_TAKEOFF, NAV_WAYPOINT
from tests.fleet.builders import DOCK, MEADOW, WEST, order


def around(radius_m: float, *, inside: bool = True) -> Zone:
    return Zone(inside, tuple(moved(DOCK.place, b, radius_m) for b in (0.0, 90.0, 180.0, 270.0)))


def test_a_mission_that_leaves_its_fence_is_refused_with_the_item():
    """The third picture lies 180 m to the north."""
    with pytest.raises(PlanRefused, match=r"item 7 leaves the fence on its way from item 5"):
        order_from(order(fence=(around(150.0),)).to_json())
    order_from(order(fence=(around(400.0),)).to_json())


def test_a_leg_through_an_area_to_keep_out_of_is_refused_though_both_ends_are_outside():
    """A pond between the second and the third picture."""
    pond = Zone(False, (moved(DOCK.place, 0.0, 150.0),), 20.0)
    with pytest.raises(PlanRefused, match="item 7 enters an area"):
        order_from(order(fence=(pond,)).to_json())


def test_the_way_home_and_a_landing_beside_the_dock_are_watched_too():
    """A return to launch flies straight, wherever the last item left it."""
    last, *_ = [i for i in reversed(order().items) if i.command == NAV_WAYPOINT]
    body = order().to_json()
    down = asdict(replace(last, command=NAV_LAND, lat_deg=last.lat_deg + 0.1, altitude_m=0.0, shot=None))
    with pytest.raises(PlanRefused, match=f"item {len(body['items'])} leaves the fence"):
        order_from(body | {"items": [*body["items"][:-1], down], "fence": [asdict(around(4000.0))]})
    cut = next(
        k for k, i in enumerate(order().items) if i.command == NAV_WAYPOINT and i.lat_deg != DOCK.lat_deg
    )
    far = asdict(replace(order().items[cut], lat_deg=DOCK.lat_deg + 0.01, lon_deg=DOCK.lon_deg))
    beside = asdict(replace(order().items[cut], lat_deg=DOCK.lat_deg + 0.01, lon_deg=DOCK.lon_deg + 0.01))
    aside = asdict(replace(order().items[cut], lat_deg=DOCK.lat_deg, lon_deg=DOCK.lon_deg + 0.01))
    pond = asdict(Zone(False, (moved(DOCK.place, 0.0, 500.0),), 50.0))
    body["items"] = [body["items"][0], aside, beside, far, body["items"][-1]]
    with pytest.raises(PlanRefused, match="the way home enters an area"):
        order_from(body | {"fence": [pond]})


def test_a_landing_outside_the_fence_is_refused():
    """A diverted drone must not break it either."""
    with pytest.raises(PlanRefused, match="landing dock-west leaves the fence"):
        order_from(order(fence=(around(400.0),), landings=(WEST,)).to_json())


@pytest.mark.parametrize("wrong", [{"corners": []}, {"radius_m": -1}, {"corners": [[95, 0], [0, 1], [1, 1]]}])
def test_a_zone_that_is_none_is_refused(wrong):
    """In one sentence."""
    zone = {
        "inside": True,
        "corners": [[30.0, 119.0], [30.0, 120.0], [31.0, 119.0]],
        "radius_m": None,
    } | wrong
    with pytest.raises(PlanRefused, match="cannot be read"):
        order_from(order().to_json() | {"fence": [zone]})


def test_an_order_keeps_its_fence_and_landings_over_json():
    """It stays in the journal."""
    whole = order(fence=(around(4000.0), Zone(False, (WEST.place,), 10.0)), landings=(MEADOW,))
    assert order_from(whole.to_json()) == whole


def test_a_height_under_the_ground_is_refused_with_the_item():
    """A hill that the plan did not know."""
    with pytest.raises(PlanRefused, match="item 3 lies 18 m under the ground"):
        check_ground(order(), lambda lat, lon: np.full_like(lat, 150.0))
    check_ground(order(), lambda lat, lon: np.full_like(lat, 100.0))
    check_ground(order(), lambda lat, lon: np.full_like(lat, math.nan))


def test_the_ways_to_the_landings_stand_behind_the_way_home():
    """Up as high as the sortie flies, over it, down on it; heights above the dock."""
    whole = replace(order(), landings=(MEADOW, WEST))
    items, starts = whole.flown(climbs_in_place=True)
    home = len(whole.items) - 1
    assert items[: home + 1] == whole.items
    assert starts == {"meadow": home + 1, "dock-west": home + 4}
    assert [i.command for i in items[home + 1 :]] == [NAV_TAKEOFF, NAV_WAYPOINT, NAV_LAND] * 2
    assert items[-1].altitude_m == pytest.approx(WEST.elevation_m - DOCK.elevation_m)
    _, without = whole.flown(climbs_in_place=False)
    assert without == {"meadow": home + 1, "dock-west": home + 3}


def test_nobody_is_diverted_to_a_rally_point_that_no_way_leads_to():
    """It is the autopilot's own to return to; the mission stays as it was exported."""
    told = order_from(order(landings=(replace(MEADOW, has_way=False),)).to_json())
    assert told.rally
    assert told.flown(climbs_in_place=True) == (told.items, {})
    assert told.landing("meadow") is None


def test_an_empty_fence_breaks_nothing():
    """There is none."""
    assert Fence(()).breach(DOCK.place) is None


def test_ways_to_land_that_find_no_room_are_left_out():
    """The mission matters more than a way out of it."""
    many = order(320, landings=(MEADOW, WEST))
    assert len(many.items) == 643
    assert order_from(many.to_json()).landings == (MEADOW, WEST)
    more = order(322, landings=(MEADOW, WEST))
    assert order_from(more.to_json()).landings == ()
