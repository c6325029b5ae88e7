"""What the vehicle does by itself when the ground falls silent or the battery runs low."""

import pytest

from sim.autopilot.dialect import mav
from tests.sim.gcs import Station


def flying(**params: float) -> Station:
    """Return a station that beats and whose drone is under way in AUTO."""
    station = Station()
    for name, value in params.items():
        station.parameter(name, value)
    station.beats = True
    station.fly()
    station.wait_for(lambda: station.vehicle.drone.at.east_m > 20)
    return station


def test_silence_means_nothing_by_default() -> None:
    station = flying()
    station.fall_silent()
    station.wait(20)
    assert station.pilot.mode == 3


def test_with_fs_gcs_enable_silence_brings_it_home_after_five_seconds() -> None:
    station = flying(FS_GCS_ENABLE=1, FS_OPTIONS=0)
    station.fall_silent()
    station.wait(4.5)
    assert station.pilot.mode == 3
    station.wait(1.5)
    assert station.pilot.mode == 6
    assert "GCS Failsafe" in station.texts()


def test_it_stays_in_rtl_when_the_link_returns() -> None:
    station = flying(FS_GCS_ENABLE=1, FS_OPTIONS=0)
    station.fall_silent()
    station.wait(8)
    station.beats = True
    station.wait(5)
    assert "GCS Failsafe Cleared" in station.texts()
    assert station.pilot.mode == 6


def test_fs_options_2_goes_on_in_auto() -> None:
    station = flying(FS_GCS_ENABLE=1, FS_OPTIONS=2)
    station.fall_silent()
    station.wait(15)
    assert station.pilot.mode == 3
    assert "GCS Failsafe - Continuing Auto Mode" in station.texts()


def test_the_timeout_is_a_parameter() -> None:
    station = flying(FS_GCS_ENABLE=1, FS_OPTIONS=0, FS_GCS_TIMEOUT=12)
    station.fall_silent()
    station.wait(11)
    assert station.pilot.mode == 3
    station.wait(2)
    assert station.pilot.mode == 6


def test_only_the_ground_stations_own_id_counts() -> None:
    station = flying(FS_GCS_ENABLE=1, FS_OPTIONS=0, SYSID_MYGCS=250)
    station.wait(10)
    assert station.pilot.mode == 3  # 250 was never heard, so it is not missed


def test_a_low_battery_brings_it_home_after_about_five_seconds() -> None:
    station = flying(BATT_FS_LOW_ACT=2)
    station.vehicle.drone.battery.energy_wh *= 0.04
    station.wait(4)
    assert station.pilot.mode == 3
    station.wait(2)
    assert station.pilot.mode == 6
    assert [t for t in station.texts() if t.startswith("Battery 1 is low")]
    assert station.mode(3) == 0  # AUTO is still accepted after


def test_a_critical_battery_lands_and_does_not_arm_again() -> None:
    station = flying(BATT_FS_LOW_ACT=2, BATT_FS_CRT_ACT=1, BATT_CRT_VOLT=41)
    station.vehicle.drone.battery.energy_wh = 12
    station.wait(6)
    assert station.pilot.mode == 9
    station.wait_for(lambda: not station.pilot.armed)
    station.mode(4)
    assert station.arm() == mav.MAV_RESULT_FAILED


def test_a_charged_battery_lets_it_arm_again() -> None:
    station = flying(BATT_FS_LOW_ACT=1)
    station.vehicle.drone.battery.energy_wh = 12
    station.wait_for(lambda: not station.pilot.armed)
    station.vehicle.drone.charge(500)
    station.mode(4)
    station.wait(1)
    assert station.arm() == 0


def test_by_default_a_low_battery_is_only_told() -> None:
    station = flying()
    station.vehicle.drone.battery.energy_wh *= 0.04
    station.wait(8)
    assert station.pilot.mode == 3
    assert [t for t in station.texts() if t.startswith("Battery 1 is low")]


def test_another_stations_heartbeat_is_passed_on_as_it_came() -> None:
    """Unfiltered it looks like a disarm: type 6, base_mode 0, from the system that sent it."""
    from sim.autopilot.dialect import Forwarded

    station = Station()
    station.heartbeat()
    (forwarded,) = [r for _, r in station.heard if isinstance(r, Forwarded)]
    (message,) = mav.MAVLink(None).parse_buffer(forwarded.data)
    assert (message.get_srcSystem(), message.type, message.base_mode) == (255, 6, 0)
    assert forwarded.came_from == 0


@pytest.mark.parametrize("speed", [1, 20])
def test_all_times_are_simulated(speed: int) -> None:
    """The machine is told the time and knows no other, so the speed cannot matter."""
    station = flying(FS_GCS_ENABLE=1, FS_OPTIONS=0, SIM_SPEEDUP=speed)
    station.fall_silent()
    assert station.wait_for(lambda: station.pilot.mode == 6) == pytest.approx(5.2, abs=0.5)
