"""How ArduCopter stores a mission and is told what to do."""

from dataclasses import replace

import pytest

from fleet.autopilots import Flying, Step
from fleet.autopilots.ardupilot import ArduCopter
from fleet.messages import Item
from tests.fleet.builders import DOCK, mission

COPTER = ArduCopter()
SENT = Item(5, 16, 6, (0.0, 0.0, 0.0, 0.0), 30.1234567, 119.7654321, 52.34)


def test_home_comes_first_and_ours_begin_at_one():
    """Item 0 is overwritten by the vehicle."""
    items = COPTER.mission(mission(2), DOCK)
    assert [i.seq for i in items] == list(range(len(items)))
    assert (items[0].command, items[0].lat_deg) == (16, DOCK.lat_deg)
    assert items[COPTER.first].command == 22


@pytest.mark.parametrize(
    ("change", "same"),
    [
        ({"frame": 3}, True),
        ({"altitude_m": 52.3400001}, True),
        ({"params": (0.0, 9.0, 9.0, 9.0)}, True),
        ({"lat_deg": 30.1234568}, False),
        ({"altitude_m": 52.4}, False),
        ({"command": 22}, False),
        ({"seq": 6}, False),
        ({"frame": 10}, False),
        ({"params": (4.0, 0.0, 0.0, 0.0)}, False),
    ],
)
def test_an_item_is_compared_as_it_is_stored(change, same):
    """Frame 6 comes back as 3, centimetres, and only the values it keeps."""
    assert COPTER.same(SENT, replace(SENT, **change)) is same


def test_a_command_without_a_place_comes_back_in_frame_0():
    """Its place means nothing."""
    sent = Item(2, 2000, 2, (0.0, 0.0, 1.0, 7.0), 0.0, 0.0, 0.0)
    assert COPTER.same(sent, replace(sent, frame=0))
    assert not COPTER.same(sent, replace(sent, params=(0.0, 0.0, 1.0, 8.0)))


def test_it_starts_by_auto_and_then_the_mission():
    """Whatever AUTO_OPTIONS says."""
    (mode,) = COPTER.commands(Step.START, 4)
    (start,) = COPTER.commands(Step.START, 3)
    assert (mode.number, mode.params[1]) == (176, 3.0)
    assert start.number == 300


@pytest.mark.parametrize(("mode", "meaning"), [(3, "mission"), (4, "ready"), (6, "return"), (5, "other")])
def test_modes_mean_something_to_a_sortie(mode, meaning):
    """LAND counts as coming home, LOITER as neither."""
    assert COPTER.flying(mode) is Flying(meaning)


def test_every_step_has_a_command():
    """No step is forgotten."""
    assert all(COPTER.commands(step, 3) for step in Step)
