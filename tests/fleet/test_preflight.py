"""May it fly, and why not."""

import pytest

from fleet.messages import Fix, Motion
from fleet.preflight import findings
from tests.fleet.builders import dock, order, vehicle

NOW = 100.0


def told(*, has_dock=False, dock_state=None, sortie=None, **values):
    found = findings(vehicle(NOW, **values), sortie or order(), dock_state, has_dock=has_dock, now=NOW)
    return [f.what for f in found]


def test_a_healthy_drone_on_its_dock_may_fly():
    """Nothing speaks against it."""
    assert told() == []
    assert told(has_dock=True, dock_state=dock(NOW)) == []


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"heard_s": NOW - 5}, "no heartbeat"),
        ({"armed": True}, "armed already"),
        ({"on_ground": False}, "not on the ground"),
        ({"has_position": False}, "no position estimate"),
        ({"fix": Fix(1, 3)}, "no satellite position"),
        ({"ready_to_arm": False}, "not ready to arm"),
        ({"ready_to_arm": None}, "health not reported"),
        ({"battery_percent": 12.0}, "battery at 12 %"),
        ({"battery_percent": None}, "charge is unknown"),
        ({"motion": Motion(30.3, 119.42, 82, 0, 0, 0, 0)}, "from dock-east"),
    ],
)
def test_each_reason_is_named(values, words):
    """What is not known is a reason, too."""
    assert any(words in what for what in told(**values))


@pytest.mark.parametrize(
    ("state", "words"),
    [
        (None, "is not heard"),
        (dock(NOW - 100), "is not heard"),
        (dock(NOW, door="stuck"), "is stuck"),
        (dock(NOW, wind_m_s=14.0), "wind 14.0 m/s"),
        (dock(NOW, rain_mm_h=9.0), "rain 9.0 mm/h"),
    ],
)
def test_the_dock_has_a_say(state, words):
    """Fail-safe: a silent dock opens for nobody."""
    assert any(words in what for what in told(has_dock=True, dock_state=state))


def test_every_reason_names_what_would_help():
    """A person reads it."""
    found = findings(None, order(), None, has_dock=False, now=NOW)
    assert all(f.fix for f in found)


def test_a_drone_that_still_looks_for_itself_is_not_far_from_its_dock():
    """Before its estimate settles an autopilot may name any place: that is waited for, not failed on."""
    found = told(has_position=False, motion=Motion(0.0, 0.0, 0, 0, 0, 0, 0))
    assert found == ["no position estimate yet"]
