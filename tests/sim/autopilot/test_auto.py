"""Flying a mission: start, progress, pause, resume, replacing, end."""

from typing import Any

import pytest

from sim.autopilot.dialect import mav
from tests.sim.gcs import HOME, RETURN, SPEED, TAKEOFF, WAYPOINT, Station, item, small_mission

NONE, NOT_STARTED, ACTIVE, PAUSED, COMPLETE = 1, 2, 3, 4, 5


def flying(east_m: float = 20) -> Station:
    """Return a station whose drone flies the small mission and is so far on its way."""
    station = Station()
    station.fly()
    station.wait_for(lambda: station.vehicle.drone.at.east_m > east_m)
    return station


def current(station: Station) -> Any:
    station.command(mav.MAV_CMD_REQUEST_MESSAGE, mav.MAVLINK_MSG_ID_MISSION_CURRENT)
    return station.messages("MISSION_CURRENT")[-1]


def reached(station: Station) -> list[int]:
    return [m.seq for m in station.messages("MISSION_ITEM_REACHED")]


def test_guided_arm_auto_start_flies_the_mission_home_and_disarms_in_auto() -> None:
    station = Station()
    station.fly()
    station.wait_for(lambda: not station.pilot.armed)
    at = station.vehicle.drone.at
    assert (abs(at.east_m) < 1, abs(at.north_m) < 1, at.up_m) == (True, True, 0)
    assert station.messages("HEARTBEAT")[-3].custom_mode == 3
    assert not station.vehicle.drone.crashed


def test_with_auto_options_0_arming_in_auto_is_refused() -> None:
    station = Station()
    station.upload(small_mission())
    assert station.mode(3) == 0
    assert station.arm() == mav.MAV_RESULT_FAILED


def test_with_auto_options_3_it_climbs_before_mission_start() -> None:
    station = Station()
    station.parameter("AUTO_OPTIONS", 3)
    station.upload(small_mission())
    station.mode(3)
    assert station.arm() == 0
    station.wait(5)
    assert station.flying_s


def test_auto_waits_on_the_ground_for_mission_start() -> None:
    station = Station()
    station.upload(small_mission())
    assert (station.mode(4), station.arm(), station.mode(3)) == (0, 0, 0)
    station.wait(5)
    assert not station.flying_s
    assert station.command(mav.MAV_CMD_MISSION_START) == 0
    station.wait(5)
    assert station.flying_s


def test_auto_without_a_mission_is_refused() -> None:
    assert Station().mode(3) == mav.MAV_RESULT_FAILED


def test_take_off_before_a_change_of_speed_reports_2_not_1() -> None:
    station = Station()
    station.fly(
        [
            HOME,
            item(TAKEOFF, up_m=20),
            item(SPEED, params=(1, 8, -1, 0)),
            item(WAYPOINT, 50, 0, 20),
            item(RETURN),
        ]
    )
    station.wait_for(lambda: not station.pilot.armed)
    assert reached(station)[0] == 2
    assert 1 not in reached(station)


def test_camera_items_never_report() -> None:
    station = Station()
    station.fly()
    station.wait_for(lambda: not station.pilot.armed)
    assert reached(station) == [3, 4, 6, 8, 10]  # 5, 7, 9 are IMAGE_START_CAPTURE


def test_waypoints_are_passed_without_a_stop() -> None:
    station = flying()
    slowest = 99.0
    while station.vehicle.drone.at.east_m < 150:
        station.wait(0.2)
        slowest = min(slowest, station.vehicle.drone.ground_speed_m_s)
    assert slowest > 3.5


def test_a_hold_time_is_hovered() -> None:
    station = Station()
    station.fly([HOME, item(TAKEOFF, up_m=20), item(WAYPOINT, 50, 0, 20, params=(7, 0, 0, 0)), item(RETURN)])
    station.wait_for(lambda: station.vehicle.drone.at.east_m > 49)
    took = station.wait_for(lambda: 2 in reached(station))
    assert took == pytest.approx(8, abs=2)


def test_change_speed_is_flown() -> None:
    station = Station()
    speed = item(SPEED, params=(1, 7, -1, 0))
    station.fly([HOME, item(TAKEOFF, up_m=20), speed, item(WAYPOINT, 300, 0, 20), item(RETURN)])
    station.wait_for(lambda: station.vehicle.drone.at.east_m > 100)
    assert station.vehicle.drone.ground_speed_m_s == pytest.approx(7, abs=0.3)


def test_mission_current_counts_without_home_and_tells_the_state() -> None:
    station = Station()
    assert current(station).mission_state == NONE
    station.upload(small_mission())
    assert current(station).mission_state == NOT_STARTED
    assert current(station).total == len(small_mission()) - 1
    station.fly()
    station.wait(5)
    assert (current(station).mission_state, current(station).seq) == (ACTIVE, 1)
    station.wait_for(lambda: not station.pilot.armed)
    assert (current(station).mission_state, current(station).seq) == (COMPLETE, 0)


def test_pause_hovers_in_auto_and_continue_flies_on() -> None:
    station = flying()
    assert station.command(mav.MAV_CMD_DO_PAUSE_CONTINUE, 0) == 0
    station.wait(10)
    stopped = station.vehicle.drone.at
    station.wait(20)
    assert station.vehicle.drone.at == pytest.approx(stopped, abs=0.5)
    assert station.pilot.mode == 3
    assert current(station).mission_state == PAUSED
    assert station.command(mav.MAV_CMD_DO_PAUSE_CONTINUE, 1) == 0
    station.wait_for(lambda: not station.pilot.armed)
    assert reached(station)[-1] == 10


@pytest.mark.parametrize("between", [17, 4, 6])
def test_auto_goes_on_at_the_same_item_after_another_mode(between: int) -> None:
    station = flying(80)
    seq = current(station).seq
    assert seq > 4
    station.mode(between)
    station.wait(10)
    assert current(station).mission_state == PAUSED
    assert station.mode(3) == 0
    assert current(station).seq == seq
    station.wait_for(lambda: not station.pilot.armed)
    assert seq in reached(station)


def test_brake_holds_height_and_loiter_without_a_radio_sinks() -> None:
    station = flying()
    station.mode(17)
    station.wait(10)
    height = station.vehicle.drone.at.up_m
    station.wait(20)
    assert station.vehicle.drone.at.up_m == pytest.approx(height, abs=1)
    station.mode(5)
    station.wait(10)
    assert station.vehicle.drone.at.up_m < height - 10


def test_rtl_climbs_returns_and_lands() -> None:
    station = flying(100)
    station.parameter("RTL_ALT", 9000)
    assert station.command(mav.MAV_CMD_NAV_RETURN_TO_LAUNCH) == 0
    highest = 0.0
    while station.pilot.armed:
        station.wait(0.2)
        highest = max(highest, station.vehicle.drone.at.up_m)
    assert highest == pytest.approx(90, abs=1)
    assert abs(station.vehicle.drone.at.east_m) < 1
    assert station.pilot.mode == 6


def test_land_lands_where_it_is_and_disarms() -> None:
    station = flying(60)
    assert station.command(mav.MAV_CMD_NAV_LAND) == 0
    station.wait_for(lambda: not station.pilot.armed)
    assert station.vehicle.drone.at.east_m > 55


def test_disarming_resets_the_current_item() -> None:
    station = flying(80)
    station.mode(9)
    station.wait_for(lambda: not station.pilot.armed)
    assert current(station).seq == 0


def test_the_next_sortie_can_begin_at_an_item_by_way_of_guided() -> None:
    station = flying(80)
    station.mode(6)
    station.wait_for(lambda: not station.pilot.armed)
    before = len(reached(station))
    assert station.command(mav.MAV_CMD_DO_SET_MISSION_CURRENT, 8) == 0
    assert (station.mode(4), station.arm()) == (0, 0)
    assert station.command(mav.MAV_CMD_NAV_TAKEOFF, 0, 0, 0, 0, 0, 0, 40) == 0
    station.wait_for(lambda: station.vehicle.drone.at.up_m > 39)
    assert station.mode(3) == 0
    station.wait_for(lambda: not station.pilot.armed)
    assert reached(station)[before:] == [8, 10]


def test_a_mid_list_item_and_auto_on_the_ground_is_refused_though_start_says_yes() -> None:
    station = Station()
    station.upload(small_mission())
    station.command(mav.MAV_CMD_DO_SET_MISSION_CURRENT, 6)
    station.mode(4)
    station.arm()
    assert station.mode(3) == mav.MAV_RESULT_FAILED
    assert "Auto: Missing Takeoff Cmd" in station.texts()
    assert station.command(mav.MAV_CMD_MISSION_START) == 0
    station.wait(5)
    assert not station.flying_s


def test_mission_set_current_has_no_ack_and_an_item_past_the_end_is_denied() -> None:
    station = Station()
    station.upload(small_mission())
    answers = station.tell(mav.MAVLink_mission_set_current_message(1, 1, 4))
    assert [m.get_type() for m in answers] == ["MISSION_CURRENT"]
    assert station.command(mav.MAV_CMD_DO_SET_MISSION_CURRENT, 99) == mav.MAV_RESULT_DENIED


def test_a_plan_replaced_in_guided_keeps_the_old_current_item() -> None:
    station = flying(80)
    seq = current(station).seq
    station.mode(4)
    station.upload([*small_mission()[:-1], item(WAYPOINT, 200, 100, 60), item(RETURN)])
    assert current(station).seq == seq
    station.mode(3)
    station.wait_for(lambda: not station.pilot.armed)
    assert reached(station)[-2:] == [10, 11]


def test_a_plan_replaced_in_auto_is_accepted_and_restarts_the_current_item() -> None:
    station = flying(80)
    leg = station.pilot.run.manoeuvre
    assert station.upload(small_mission()) == 0
    assert station.pilot.run.manoeuvre is not leg
    station.wait_for(lambda: not station.pilot.armed)
    assert reached(station)[-1] == 10


def test_a_plan_cut_short_in_flight_leaves_the_drone_hovering() -> None:
    station = flying(100)
    station.upload([HOME, item(TAKEOFF, up_m=40)])
    station.wait(30)
    assert station.flying_s
    assert station.vehicle.drone.ground_speed_m_s < 0.5


def test_a_mission_that_ends_in_the_air_hovers() -> None:
    station = Station()
    station.fly([HOME, item(TAKEOFF, up_m=20), item(WAYPOINT, 50, 0, 20)])
    station.wait_for(lambda: current(station).mission_state == COMPLETE)
    station.wait(20)
    assert station.flying_s
    assert station.vehicle.drone.at.east_m == pytest.approx(50, abs=2)


def test_a_jump_flies_a_part_again() -> None:
    station = Station()
    mission = [HOME, item(TAKEOFF, up_m=20), item(WAYPOINT, 40, 0, 20), item(WAYPOINT, 40, 40, 20)]
    station.fly([*mission, item(177, params=(2, 2, 0, 0)), item(RETURN)])
    station.wait_for(lambda: not station.pilot.armed)
    assert reached(station) == [1, 2, 3, 2, 3, 2, 3, 5]


def test_guided_flies_to_a_point() -> None:
    station = Station()
    station.mode(4)
    station.arm()
    assert station.command(mav.MAV_CMD_NAV_TAKEOFF, 0, 0, 0, 0, 0, 0, 20) == 0
    station.wait_for(lambda: station.vehicle.drone.at.up_m > 19)
    there = item(WAYPOINT, 80, -60, 35)
    station.tell(
        mav.MAVLink_set_position_target_global_int_message(
            0, 1, 1, 6, 0b110111111000, there["x"], there["y"], 35, *[0] * 8
        )
    )
    station.wait(30)
    assert tuple(station.vehicle.drone.at) == pytest.approx((80, -60, 35), abs=1)


def test_a_mission_flown_to_its_end_begins_anew() -> None:
    station = Station()
    station.fly()
    station.wait_for(lambda: not station.pilot.armed)
    station.mode(4)
    station.fly()
    station.wait_for(lambda: not station.pilot.armed)
    assert reached(station) == [3, 4, 6, 8, 10] * 2


def test_mis_restart_begins_anew_after_another_mode() -> None:
    station = flying(80)
    station.parameter("MIS_RESTART", 1)
    station.mode(17)
    station.wait(5)
    station.mode(3)
    assert current(station).seq == 1


def test_a_take_off_is_not_paused() -> None:
    """Seen on a real ArduCopter: refused with FAILED; taken once it flies along."""
    station = Station()
    station.fly()
    station.wait(4)
    assert station.command(mav.MAV_CMD_DO_PAUSE_CONTINUE, 0) == mav.MAV_RESULT_FAILED
    assert "Failed to pause" in station.texts()
    station.wait_for(lambda: station.vehicle.drone.at.east_m > 10)
    assert station.command(mav.MAV_CMD_DO_PAUSE_CONTINUE, 0) == 0


def test_partial_writing_changes_the_named_items_only() -> None:
    station = Station()
    station.upload(small_mission())
    before = station.download()
    answers = station.tell(mav.MAVLink_mission_write_partial_list_message(1, 1, 4, 4, 0))
    assert answers[0].seq == 4
    (ack, _) = station.tell(station.item_message(4, item(WAYPOINT, 90, 10, 33)))
    assert ack.type == 0
    after = station.download()
    assert [m.seq for m, n in zip(before, after, strict=True) if (m.x, m.z) != (n.x, n.z)] == [4]
    assert station.tell(mav.MAVLink_mission_write_partial_list_message(1, 1, 4, 400, 0))[0].type == 1


def test_a_picture_behind_a_turn_waits_until_the_nose_is_there() -> None:
    """As ArduCopter does: a turn is a condition, and what comes behind it waits while the drone hovers."""
    heading_deg = 250.0
    station = Station()
    station.upload(
        [
            HOME,
            item(TAKEOFF, up_m=40),
            item(WAYPOINT, 60, 0, 40),
            item(115, params=(heading_deg, 0, 0, 0)),
            item(2000, params=(0, 0, 1, 1)),
            item(93, params=(20, -1, -1, -1)),
            item(RETURN),
        ]
    )
    assert (station.mode(4), station.arm(), station.mode(3)) == (0, 0, 0)
    assert station.command(mav.MAV_CMD_MISSION_START) == 0
    station.wait_for(lambda: bool(station.messages("CAMERA_IMAGE_CAPTURED")))
    assert abs((station.vehicle.drone.heading_deg - heading_deg + 180) % 360 - 180) < 4
    assert station.vehicle.drone.at.east_m == pytest.approx(60, abs=2)
    station.wait_for(lambda: not station.pilot.armed)
    shots = {m.image_index for m in station.messages("CAMERA_IMAGE_CAPTURED")}
    assert len(shots) == 1
