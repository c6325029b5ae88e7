"""Booting, arming and disarming, as seen on ArduCopter 4.5.5 SITL."""

import pytest

from sim.autopilot.dialect import mav
from tests.sim.gcs import Station

PREARM = mav.MAV_SYS_STATUS_PREARM_CHECK


def prearm(station: Station) -> bool:
    station.command(mav.MAV_CMD_REQUEST_MESSAGE, mav.MAVLINK_MSG_ID_SYS_STATUS)
    return bool(station.messages("SYS_STATUS")[-1].onboard_control_sensors_health & PREARM)


def flags(station: Station) -> int:
    station.command(mav.MAV_CMD_REQUEST_MESSAGE, mav.MAVLINK_MSG_ID_EKF_STATUS_REPORT)
    return int(station.messages("EKF_STATUS_REPORT")[-1].flags)


def test_the_prearm_bit_turns_healthy_at_23_seconds_in_stabilize() -> None:
    station = Station(ready=False)
    station.wait(22)
    assert not prearm(station)
    station.wait(1.5)
    assert prearm(station)


def test_guided_needs_a_position_estimate_until_42_seconds() -> None:
    station = Station(ready=False)
    station.wait(30)
    assert station.mode(4) == 0
    assert not prearm(station)
    assert station.arm() == mav.MAV_RESULT_FAILED
    assert "Arm: Need Position Estimate" in station.texts()
    assert not flags(station) & 16
    station.wait(12.5)
    assert prearm(station)
    assert flags(station) == 831
    assert station.arm() == 0


def test_heartbeat_says_copter_mode_and_armed() -> None:
    station = Station()
    station.mode(4)
    station.arm()
    station.wait(1.2)
    beat = [m for m in station.messages("HEARTBEAT") if m.type == mav.MAV_TYPE_QUADROTOR][-1]
    assert beat.autopilot == mav.MAV_AUTOPILOT_ARDUPILOTMEGA
    assert beat.custom_mode == 4
    assert beat.base_mode & mav.MAV_MODE_FLAG_SAFETY_ARMED
    assert beat.base_mode & mav.MAV_MODE_FLAG_CUSTOM_MODE_ENABLED


def test_a_drone_left_armed_on_the_ground_disarms_after_ten_seconds() -> None:
    station = Station()
    station.mode(4)
    station.arm()
    station.wait(9)
    assert station.pilot.armed
    station.wait(2)
    assert not station.pilot.armed


@pytest.mark.parametrize("mode", [6, 9, 17])
def test_modes_that_only_end_a_flight_do_not_arm(mode: int) -> None:
    station = Station()
    station.mode(mode)
    assert station.arm() == mav.MAV_RESULT_FAILED
    assert "not armable" in station.texts()[-1]


def test_disarming_in_flight_is_refused_and_force_is_obeyed() -> None:
    station = Station()
    station.fly()
    station.wait(30)
    assert station.command(mav.MAV_CMD_COMPONENT_ARM_DISARM, 0) == mav.MAV_RESULT_FAILED
    assert station.command(mav.MAV_CMD_COMPONENT_ARM_DISARM, 0, 21196) == 0
    assert not station.pilot.armed


def test_take_off_of_a_disarmed_drone_fails() -> None:
    station = Station()
    station.mode(4)
    assert station.command(mav.MAV_CMD_NAV_TAKEOFF, 0, 0, 0, 0, 0, 0, 20) == mav.MAV_RESULT_FAILED


def test_unknown_commands_are_unsupported() -> None:
    assert Station().command(31010) == mav.MAV_RESULT_UNSUPPORTED


def test_a_reboot_is_refused_when_armed_and_forgets_the_streams() -> None:
    station = Station()
    station.tell(mav.MAVLink_request_data_stream_message(1, 1, 6, 4, 1))
    station.mode(4)
    station.arm()
    assert station.command(mav.MAV_CMD_PREFLIGHT_REBOOT_SHUTDOWN, 1) == mav.MAV_RESULT_FAILED
    station.command(mav.MAV_CMD_COMPONENT_ARM_DISARM, 0)
    assert station.command(mav.MAV_CMD_PREFLIGHT_REBOOT_SHUTDOWN, 1) == 0
    station.wait(1)
    assert not [m for m in station.wait(3) if m.get_type() == "GLOBAL_POSITION_INT"]
    assert not prearm(station)


def test_what_is_meant_for_another_system_is_not_answered() -> None:
    station = Station()
    assert station.tell(mav.MAVLink_command_long_message(7, 1, 400, 0, 1, 0, 0, 0, 0, 0, 0)) == []
