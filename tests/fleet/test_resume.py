"""What is left of a cut sortie, and how it is flown."""

import random
from dataclasses import replace

import pytest

from fleet.errors import PlanRefused
from fleet.order import DockPlace
from fleet.resume import rest_of
from fleet.zones import Zone
from missions.geo import LatLon, moved
from missions.items import DO_CHANGE_SPEED, DO_MOUNT_CONTROL, NAV_TAKEOFF, NAV_WAYPOINT, MissionItem
from tests.fleet.builders import DOCK, NONE, WEST, item, order


def gimbal(pitch_deg: float) -> MissionItem:
    return MissionItem(DO_MOUNT_CONTROL, 2, (pitch_deg, 0.0, 0.0, 0.0))


def speed(m_s: float) -> MissionItem:
    return MissionItem(DO_CHANGE_SPEED, 2, (1.0, m_s, -1.0, 0.0))


def patrol(shots: int = 8, **values):
    """Return a sortie north, looking down, then ahead and slower from its middle on."""
    items = [item(22), speed(12.0), gimbal(-90.0)]
    for shot in range(shots):
        if shot == shots // 2:
            items += [gimbal(-30.0), speed(6.0)]
        place = moved(DOCK.place, 0.0, (shot + 1) * 60.0)
        items.append(item(16, lat_deg=round(place.lat_deg, 7), altitude_m=50.0 + shot))
        items.append(MissionItem(2000, 2, (0.0, 0.0, 1.0, shot + 1.0), shot=shot))
    return order(shots, items=(*items, MissionItem(20, 2, NONE)), **values)


def shots(rest) -> list[int]:
    return [i.shot for i in rest.items if i.shot is not None]


def test_nothing_missing_leaves_nothing_to_fly():
    """And nobody flies it."""
    assert rest_of(patrol(), range(8), id="R") is None


def test_the_rest_takes_the_missing_shots_in_their_order_and_no_other():
    """Also where one in the middle was lost."""
    rest = rest_of(patrol(), {0, 1, 3, 7}, id="R", drone="D2")
    assert shots(rest) == [2, 4, 5, 6]
    assert (rest.id, rest.drone, rest.shots) == ("R", "D2", 4)


def test_the_camera_looks_and_the_drone_flies_as_it_did_at_the_cut():
    """The last attitude and speed ordered before the cut are ordered again first."""
    rest = rest_of(patrol(), range(6), id="R")
    before = rest.items[: next(n for n, i in enumerate(rest.items) if i.shot == 6)]
    assert [i.params[1] for i in before if i.command == DO_CHANGE_SPEED] == [6.0]
    assert [i.params[0] for i in before if i.command == DO_MOUNT_CONTROL] == [-30.0]


def test_it_begins_one_waypoint_before_the_first_missing_shot():
    """So that the drone comes along the planned leg; high over that waypoint first."""
    whole = patrol()
    rest = rest_of(whole, range(5), id="R")
    takeoff, over, entry, first = [i for i in rest.items if i.command in (NAV_TAKEOFF, NAV_WAYPOINT)][:4]
    assert takeoff.altitude_m == over.altitude_m == whole.highest_m
    assert (over.lat_deg, entry.altitude_m) == (entry.lat_deg, 54.0)
    assert first.altitude_m == 55.0


def test_from_another_dock_it_flies_at_the_same_height_over_the_ground():
    """The other dock lies 20 m higher."""
    west = DockPlace("dock-west", 30.281, 119.419, DOCK.elevation_m + 20.0)
    rest = rest_of(patrol(), range(5), id="R", dock=west)
    assert rest.items[0].lat_deg == west.lat_deg
    last = [i for i in rest.items if i.command == NAV_WAYPOINT][-1]
    assert last.altitude_m == pytest.approx(57.0 - 20.0)
    assert rest.dock == west


def test_a_dock_above_the_sortie_is_refused():
    """The drone would have to fly below its start, and our own check says no."""
    with pytest.raises(PlanRefused, match="under the dock"):
        rest_of(patrol(), range(5), id="R", dock=DockPlace("top", 30.281, 119.419, DOCK.elevation_m + 80.0))


def test_where_the_fence_stands_between_it_flies_the_planned_way():
    """There and back, without the camera."""
    pond = moved(DOCK.place, 0.0, 200.0)
    keep_out = Zone(False, (pond,), 30.0)
    way = [item(22), speed(12.0)]
    for n, (bearing, away_m) in enumerate([(60.0, 120.0), (20.0, 320.0), (0.0, 420.0), (-20.0, 320.0)]):
        place = moved(DOCK.place, bearing, away_m)
        way.append(item(16, lat_deg=round(place.lat_deg, 7), lon_deg=round(place.lon_deg, 7)))
        way.append(MissionItem(2000, 2, (0.0, 0.0, 1.0, n + 1.0), shot=n))
    around = item(16, **_at(moved(DOCK.place, -60.0, 120.0)))
    whole = order(4, items=(*way, around, MissionItem(20, 2, NONE)), fence=(keep_out,))
    rest = rest_of(whole, {0, 1, 3}, id="R")
    assert shots(rest) == [2]
    places = [LatLon(i.lat_deg, i.lon_deg) for i in rest.items if i.command == NAV_WAYPOINT]
    assert len(places) >= 3


def _at(place) -> dict:
    return {"lat_deg": round(place.lat_deg, 7), "lon_deg": round(place.lon_deg, 7)}


def test_the_rest_of_a_rest_is_the_rest():
    """Cut again and again, every shot is taken once: 200 random histories."""
    rng = random.Random(4)
    for _ in range(200):
        left, taken = patrol(12), []
        while left is not None:
            planned = shots(left)
            done = set(rng.sample(planned, rng.randint(1, len(planned))))
            taken += sorted(done)
            left = rest_of(left, done, id="R")
        assert sorted(taken) == list(range(12))


def test_the_time_of_the_rest_is_a_share_of_the_whole():
    """Never nothing, for the climb takes its time too."""
    whole = patrol(expected_s=600.0)
    late = rest_of(whole, range(7), id="R").expected_s
    early = rest_of(whole, range(1), id="R").expected_s
    assert 60.0 <= early <= 700.0
    assert late <= 700.0


def test_the_own_dock_is_no_other_landing_of_the_rest():
    """It starts there."""
    whole = replace(patrol(), landings=(WEST,))
    west = DockPlace("dock-west", WEST.lat_deg, WEST.lon_deg, DOCK.elevation_m)
    assert rest_of(whole, range(5), id="R", dock=west).landings == ()
