"""What must never be sent is refused before the first byte, naming the item."""

import math

import pytest

from fleet.errors import PlanRefused
from fleet.order import check, order_from
from missions.items import MissionItem
from tests.fleet.builders import NONE, item, mission, order

HOME = MissionItem(20, 2, NONE)


def refusal(items) -> str:
    with pytest.raises(PlanRefused) as caught:
        check(items)
    return str(caught.value)


def test_a_speed_no_drone_has_is_refused():
    """It would be written to the vehicle."""
    with pytest.raises(PlanRefused, match="climb_m_s is 400"):
        order_from(order().to_json() | {"climb_m_s": 400})


def test_a_sound_mission_passes():
    """Take-off, pictures, home."""
    check(mission(10))


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"lat_deg": 95.0}, "item 2 has latitude 95"),
        ({"lon_deg": 181.0}, "item 2 has longitude 181"),
        ({"altitude_m": -3.0}, "item 2 lies 3 m under the dock"),
        ({"altitude_m": math.nan}, "item 2 has a value that is no number"),
        ({"lat_deg": 0.0, "lon_deg": 0.0}, "item 2 has no place"),
        ({"frame": 0}, "item 2 has frame 0"),
    ],
)
def test_a_wrong_item_is_named_with_the_reason(wrong, words):
    """Counted from 1, as the vehicle counts: 0 is home."""
    assert words in refusal([item(22), item(16, **wrong), HOME])
    assert "item 2 is command 185, which no sortie" in refusal([item(22), item(185), HOME])


def test_more_items_than_the_autopilot_stores_are_refused():
    """650 with home."""
    check([item(22)] + [item(16)] * 647 + [HOME])
    assert "651 items with home" in refusal([item(22)] + [item(16)] * 648 + [HOME])


def test_a_mission_begins_with_a_take_off_and_ends_at_home():
    """ArduPilot says "Missing Takeoff Cmd" only when it is armed already."""
    assert "begins with a take-off" in refusal([item(16), HOME])
    assert "ends by coming home" in refusal([item(22), item(16)])
    assert "no items" in refusal([])


def test_many_problems_are_told_briefly():
    """The first five and how many more."""
    assert "and 3 more" in refusal([item(22)] + [item(16, lat_deg=95.0)] * 8 + [HOME])


def test_an_order_survives_json():
    """It travels from the hub and lies in the journal."""
    assert order_from(order().to_json()) == order()


@pytest.mark.parametrize("missing", ["id", "dock", "items", "shots"])
def test_an_order_without_a_value_is_refused(missing):
    """In words, not with a trace."""
    body = order().to_json()
    del body[missing]
    with pytest.raises(PlanRefused, match="cannot be read"):
        order_from(body)


@pytest.mark.parametrize(
    "wrong",
    [
        {"id": "../S1"},
        {"id": "S" * 300},
        {"expected_s": math.nan},
        {"max_wind_m_s": "nan"},
        {"battery_percent": -5},
    ],
)
def test_a_value_that_guards_nothing_is_refused(wrong):
    """A limit that is no number is never passed."""
    with pytest.raises(PlanRefused, match="cannot be read"):
        order_from(order().to_json() | wrong)


def test_a_picture_is_taken_at_the_last_place_before_it():
    """The capture item itself has no place."""
    places = order(2).shot_places()
    assert places[0].lat_deg < places[1].lat_deg
    assert places[0].lat_deg > 30.28
