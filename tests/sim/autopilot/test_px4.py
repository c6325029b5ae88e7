"""The PX4 personality: modes, arming, missions, failsafes and lists as PX4 has them."""

import struct
from typing import Any

import pytest

from sim.autopilot.dialect import mav
from sim.autopilot.personality import PX4
from sim.autopilot.px4_modes import Px4Mode
from tests.sim.gcs import RETURN, SHOOT, SPEED, TAKEOFF, WAYPOINT, Station, item

AUTO, HOLD, MISSION, RTL, LAND = 4, 3, 4, 5, 6
ACCEPTED, LATER, DENIED, UNSUPPORTED = 0, 1, 2, 3
TAKE_OFF_COMMAND, ARM, SET_MODE, START = 22, 400, 176, 300


def px4(**changes: Any) -> Station:
    station = Station(personality=PX4, **changes)
    station.beats = True
    return station


def mission(shots: int = 3) -> list[dict[str, Any]]:
    """Return a small mission as PX4 wants it: no home, DO items and the return without a place."""
    items = [item(TAKEOFF, up_m=40), item(SPEED, params=(1, 8, -1, 0))]
    for n in range(shots):
        items += [item(WAYPOINT, 60 * (n + 1), 50, 60), item(SHOOT, params=(0, 0, 1, n + 1))]
    return [*items, item(RETURN)]


def change(station: Station, sub: int) -> int:
    return station.command(SET_MODE, 1, AUTO, sub)


def ids(station: Station) -> tuple[int, ...]:
    """Return the extension of MISSION_CURRENT: the ids of mission, fence and rally points."""
    station.command(512, 42)
    payload = bytes(station.messages("MISSION_CURRENT")[-1].pack(mav.MAVLink(None)))[10:-2]
    return struct.unpack("<III", payload.ljust(18, b"\0")[6:18])


def flying(east_m: float = 30.0) -> Station:
    station = px4()
    assert station.upload(mission()) == 0
    assert station.command(START) == ACCEPTED
    station.wait_for(lambda: station.vehicle.drone.at.east_m > east_m)
    return station


def test_it_says_it_is_a_px4_and_stands_in_hold() -> None:
    station = px4()
    beat = [m for m in station.messages("HEARTBEAT") if m.type == mav.MAV_TYPE_QUADROTOR][-1]
    assert (beat.autopilot, beat.custom_mode) == (mav.MAV_AUTOPILOT_PX4, 4 << 16 | 3 << 24)
    assert beat.base_mode & mav.MAV_MODE_FLAG_CUSTOM_MODE_ENABLED


def test_mission_start_arms_and_flies_the_whole_mission_home() -> None:
    station = px4()
    assert station.upload(mission()) == 0
    assert station.command(START) == ACCEPTED
    station.wait(0.5)
    assert station.pilot.armed
    station.wait_for(lambda: not station.pilot.armed)
    assert station.pilot.mode is Px4Mode.RETURN
    assert len(station.vehicle.taken()) == 3
    assert abs(station.vehicle.drone.at.east_m) < 1
    reached = [m.seq for m in station.messages("MISSION_ITEM_REACHED")]
    assert reached == sorted(reached)
    assert set(reached) == {1, 3, 5, 7}  # what ends in the same moment is told of once
    assert reached.count(1) > 1  # PX4 says it again for some seconds
    assert station.messages("CAMERA_FEEDBACK") == []
    assert len(station.messages("CAMERA_IMAGE_CAPTURED")) == 6


def test_it_takes_off_in_mission_as_soon_as_it_is_armed() -> None:
    station = px4()
    station.upload(mission())
    assert change(station, MISSION) == ACCEPTED
    assert station.arm() == ACCEPTED
    station.wait(10)
    assert station.vehicle.drone.airborne


def test_hold_pauses_a_mission_and_mission_goes_on() -> None:
    station = flying()
    before = station.pilot.run.current
    assert change(station, HOLD) == ACCEPTED
    station.wait(8)
    assert station.vehicle.drone.ground_speed_m_s < 0.3
    assert change(station, MISSION) == ACCEPTED
    assert station.pilot.run.current == before
    station.wait_for(lambda: not station.pilot.armed)
    assert len(station.vehicle.taken()) == 3


@pytest.mark.parametrize("number", [193, 224, 17])
def test_commands_px4_does_not_know_are_unsupported(number: int) -> None:
    """DO_PAUSE_CONTINUE, DO_SET_MISSION_CURRENT, NAV_LOITER_UNLIM."""
    assert px4().command(number, 1) == UNSUPPORTED


def test_what_cannot_be_now_is_temporarily_rejected() -> None:
    station = Station(personality=PX4, ready=False)
    station.wait(5)
    assert station.arm() == LATER
    assert station.command(TAKE_OFF_COMMAND, 0, 0, 0, 0, 0, 0, 100) == ACCEPTED  # only a mode, on the ground
    flown = flying()
    assert flown.command(ARM, 0) == LATER
    assert "Disarming denied: not landed" in flown.texts()


def test_without_a_mission_nothing_starts() -> None:
    station = px4()
    assert station.command(START) == DENIED
    assert change(station, MISSION) == LATER
    far = [item(TAKEOFF, up_m=40, x=0, y=0), item(RETURN)]
    assert station.upload(far) == 0
    assert station.command(START) == LATER  # 12,000 km to its first place


def test_take_off_by_command_ends_in_hold() -> None:
    station = px4()
    assert station.arm() == ACCEPTED
    assert station.command(TAKE_OFF_COMMAND, 0, 0, 0, 0, 0, 0, 80 + 25) == ACCEPTED
    station.wait(25)
    assert station.vehicle.drone.at.up_m == pytest.approx(25, abs=1)
    assert station.pilot.mode is Px4Mode.HOLD


def test_a_cut_mission_goes_on_from_its_item_after_another_take_off() -> None:
    """Disarming keeps the place, and a mission begun on the ground climbs first."""
    station = flying(70)
    station.command(20)
    station.wait_for(lambda: not station.pilot.armed)
    taken = len(station.vehicle.taken())
    assert 0 < taken < 3
    assert station.command(START) == ACCEPTED
    station.wait_for(lambda: station.vehicle.drone.at.up_m > 30)
    assert abs(station.vehicle.drone.at.east_m) < 2
    station.wait_for(lambda: not station.pilot.armed)
    assert taken + len(station.vehicle.taken()) in (3, 4)


def test_set_current_moves_without_an_ack() -> None:
    station = px4()
    station.upload(mission())
    answers = station.tell(mav.MAVLink_mission_set_current_message(1, 1, 4))
    assert [m.get_type() for m in answers] == ["MISSION_CURRENT"]
    assert answers[0].seq == 4


def test_idle_after_arming_it_disarms() -> None:
    station = px4()
    station.arm()
    station.wait(9)
    assert station.pilot.armed
    station.wait(2)
    assert not station.pilot.armed


# --- lists ---


def test_an_upload_is_asked_for_with_integers_and_acknowledged_with_its_id() -> None:
    station = px4()
    answers = station.tell(mav.MAVLink_mission_count_message(1, 1, 2, 0))
    assert [m.get_type() for m in answers] == ["MISSION_REQUEST_INT"]
    items = mission(1)
    station.tell(station.item_message(0, items[0]))
    (ack,) = station.tell(station.item_message(1, items[1]))
    assert (ack.get_type(), ack.type) == ("MISSION_ACK", 0)
    assert ack.opaque_id == ids(station)[0] != 0


def test_the_same_list_has_the_same_id_and_another_one_another() -> None:
    station, other = px4(), px4()
    station.upload(mission())
    other.upload(mission())
    assert ids(station)[0] == ids(other)[0]
    other.upload(mission(2))
    assert ids(station)[0] != ids(other)[0]
    station.tell(mav.MAVLink_mission_clear_all_message(1, 1, 255))
    assert ids(station) == (0, 0, 0)


def test_the_last_item_again_is_acknowledged_again() -> None:
    station = px4()
    items = mission()
    station.upload(items)
    (ack,) = station.tell(station.item_message(len(items) - 1, items[-1]))
    assert (ack.type, ack.opaque_id) == (0, ids(station)[0])
    (text, refused) = station.tell(station.item_message(1, items[1]))
    assert (text.get_type(), refused.type) == ("STATUSTEXT", mav.MAV_MISSION_ERROR)


def test_a_wrong_number_is_passed_over_and_the_right_one_asked_for_again() -> None:
    station = px4()
    items = mission()
    station.tell(mav.MAVLink_mission_count_message(1, 1, len(items), 0))
    assert station.tell(station.item_message(3, items[3])) == []
    requests = [m for m in station.wait(0.6) if m.get_type() == "MISSION_REQUEST_INT"]
    assert [m.seq for m in requests] == [0]


def test_the_old_list_stays_until_the_new_one_is_whole() -> None:
    station = px4()
    station.upload(mission())
    before = ids(station)
    station.tell(mav.MAVLink_mission_count_message(1, 1, 9, 0))
    station.tell(station.item_message(0, mission()[0]))
    station.wait(6)
    assert "Operation timeout" in station.texts()
    assert ids(station) == before
    assert len(station.vehicle.transfers.lists[0]) == len(mission())


@pytest.mark.parametrize(
    ("wrong", "result"),
    [
        (item(RETURN, frame=3), mav.MAV_MISSION_UNSUPPORTED),
        (item(WAYPOINT, 10, 10, 30, frame=2), mav.MAV_MISSION_UNSUPPORTED),
        (item(WAYPOINT, 10, 10, 30, frame=10), mav.MAV_MISSION_UNSUPPORTED_FRAME),
        (item(WAYPOINT, 10, 10, 30) | {"command": 5001}, mav.MAV_MISSION_ERROR),
    ],
)
def test_items_px4_does_not_take_are_refused(wrong: dict[str, Any], result: int) -> None:
    station = px4()
    station.tell(mav.MAVLink_mission_count_message(1, 1, 1, 0))
    ack = station.tell(station.item_message(0, wrong))[-1]
    assert (ack.get_type(), ack.type) == ("MISSION_ACK", result)


def test_a_list_is_read_in_order_only() -> None:
    station = px4()
    station.upload(mission())
    (count,) = station.tell(mav.MAVLink_mission_request_list_message(1, 1, 0))
    assert (count.count, count.opaque_id) == (len(mission()), ids(station)[0])

    def ask(seq: int) -> list[Any]:
        return station.tell(mav.MAVLink_mission_request_int_message(1, 1, seq, 0))

    (first,), (again,) = ask(0), ask(0)
    assert (first.seq, again.seq, first.frame) == (0, 0, mav.MAV_FRAME_GLOBAL_RELATIVE_ALT_INT)
    assert ask(3)[0].type == mav.MAV_MISSION_ERROR
    assert ask(1) == []


def test_an_upload_over_an_open_download_is_told_busy() -> None:
    station = px4()
    station.upload(mission())
    station.tell(mav.MAVLink_mission_request_list_message(1, 1, 0))
    answers = station.tell(mav.MAVLink_mission_count_message(1, 1, 3, 0))
    assert [m.get_type() for m in answers] == ["STATUSTEXT", "MISSION_ACK"]


# --- parameters ---


def test_whole_numbers_travel_as_bytes_and_the_hash_knows_every_change() -> None:
    station = px4()
    (before,) = station.tell(mav.MAVLink_param_request_read_message(1, 1, b"_HASH_CHECK", -1))
    as_float = struct.unpack("<f", struct.pack("<i", 3))[0]
    (told,) = station.tell(mav.MAVLink_param_set_message(1, 1, b"COM_LOW_BAT_ACT", as_float, 6))
    assert struct.unpack("<i", struct.pack("<f", told.param_value))[0] == 3
    assert station.vehicle.params["COM_LOW_BAT_ACT"] == 3
    (after,) = station.tell(mav.MAVLink_param_request_read_message(1, 1, b"_HASH_CHECK", -1))
    assert struct.pack("<f", before.param_value) != struct.pack("<f", after.param_value)


# --- failsafes ---


def set_whole(station: Station, name: str, value: int) -> None:
    station.vehicle.params.set(name, value)


@pytest.mark.parametrize(("action", "mode"), [(1, HOLD), (2, RTL), (3, LAND)])
def test_a_lost_ground_station_is_acted_on_after_a_hold(action: int, mode: int) -> None:
    station = flying()
    set_whole(station, "NAV_DLL_ACT", action)
    station.fall_silent()
    station.wait(9)
    assert station.pilot.mode is Px4Mode.MISSION
    station.wait(3)
    assert station.pilot.mode is Px4Mode.HOLD
    station.wait(5)
    assert station.pilot.mode.value == (AUTO, mode)
    station.beats = True
    station.wait(3)
    assert station.pilot.mode.value == (AUTO, mode)


def test_com_dll_except_lets_the_mission_go_on() -> None:
    station = flying()
    set_whole(station, "NAV_DLL_ACT", 2)
    set_whole(station, "COM_DLL_EXCEPT", 1)
    station.fall_silent()
    station.wait(20)
    assert station.pilot.mode is Px4Mode.MISSION


@pytest.mark.parametrize(
    ("act", "share", "mode"), [(3, 0.06, RTL), (3, 0.04, LAND), (2, 0.06, LAND), (0, 0.04, MISSION)]
)
def test_a_low_battery_does_what_com_low_bat_act_says(act: int, share: float, mode: int) -> None:
    station = flying()
    set_whole(station, "COM_LOW_BAT_ACT", act)
    battery = station.vehicle.drone.battery
    battery.energy_wh = battery.capacity_wh * share
    station.wait(7)
    assert station.pilot.mode.value == (AUTO, mode)


@pytest.mark.parametrize(("action", "mode"), [(2, HOLD), (3, RTL), (5, LAND)])
def test_a_crossed_fence_does_what_gf_action_says(action: int, mode: int) -> None:
    station = flying()
    set_whole(station, "GF_ACTION", action)
    station.vehicle.params.set("GF_MAX_HOR_DIST", 60)
    station.wait(6)
    assert "Geofence violated" in station.texts()
    assert station.pilot.mode.value == (AUTO, mode)


def test_the_way_home_is_as_high_as_its_cone_or_rtl_return_alt() -> None:
    station = flying(100)
    station.command(20)
    highest = 0.0
    while station.pilot.armed:
        station.wait(0.5)
        highest = max(highest, station.vehicle.drone.at.up_m)
    assert highest == pytest.approx(60, abs=1.5)
    assert abs(station.vehicle.drone.at.east_m) < 1
