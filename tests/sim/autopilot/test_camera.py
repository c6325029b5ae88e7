"""Pictures: who tells of them, how, and how a lost record is had again."""

import math
from typing import Any

import pytest

from missions.geo import distance_m
from sim.autopilot.dialect import Outgoing, mav
from tests.sim.gcs import HOME, PAD_AMSL_M, RETURN, TAKEOFF, WAYPOINT, Station, item

CAPTURED = mav.MAVLINK_MSG_ID_CAMERA_IMAGE_CAPTURED


def by_component(station: Station, kind: str) -> dict[int, list[Any]]:
    found: dict[int, list[Any]] = {}
    for _, reply in station.heard:
        if isinstance(reply, Outgoing) and reply.message.get_type() == kind:
            found.setdefault(reply.component, []).append(reply.message)
    return found


def flown() -> Station:
    station = Station()
    station.fly()
    station.wait_for(lambda: not station.pilot.armed)
    return station


def test_each_shot_is_told_by_both_cameras_and_by_the_autopilot() -> None:
    station = flown()
    captured = by_component(station, "CAMERA_IMAGE_CAPTURED")
    assert {c: [m.image_index for m in ms] for c, ms in captured.items()} == {100: [0, 1, 2], 101: [0, 1, 2]}
    assert len(station.messages("CAMERA_FEEDBACK")) == 3


def test_the_address_names_the_file() -> None:
    captured = by_component(flown(), "CAMERA_IMAGE_CAPTURED")
    urls = [captured[c][1].file_url for c in (100, 101)]
    assert urls == ["http://127.0.0.1:9/drones/1/GP_0002_W.JPG", "http://127.0.0.1:9/drones/1/GP_0002_T.TIF"]


def test_the_reported_pose_differs_from_the_true_one_by_the_drones_errors() -> None:
    station = flown()
    exposures = station.vehicle.taken()
    assert len(exposures) == 3
    for exposure, waypoint in zip(exposures, (60, 120, 180), strict=True):
        east, north = station.vehicle.estimate.tangent.to_local(
            exposure.truth.place.lat_deg, exposure.truth.place.lon_deg
        )
        assert (east, north) == pytest.approx((waypoint, 50), abs=1.5)
        assert 0 < distance_m(exposure.truth.place, exposure.reported.place) < 12
        assert exposure.truth.pitch_deg == -90
        assert exposure.reported.roll_deg != 0
        assert 0 < abs(exposure.reported_s - exposure.taken_s) < 0.3


def test_a_lost_record_is_sent_again_when_asked_for() -> None:
    station = flown()
    assert station.command(mav.MAV_CMD_REQUEST_MESSAGE, CAPTURED, 1, component=101) == 0
    again = station.messages("CAMERA_IMAGE_CAPTURED")[-1]
    first = by_component(station, "CAMERA_IMAGE_CAPTURED")[101][1]
    assert (again.image_index, again.time_utc, again.lat) == (1, first.time_utc, first.lat)
    assert station.command(mav.MAV_CMD_REQUEST_MESSAGE, CAPTURED, 7, component=101) == mav.MAV_RESULT_FAILED


def test_the_count_of_pictures_can_be_asked_for() -> None:
    station = flown()
    status = mav.MAVLINK_MSG_ID_CAMERA_CAPTURE_STATUS
    assert station.command(mav.MAV_CMD_REQUEST_MESSAGE, status, component=100) == 0
    assert station.messages("CAMERA_CAPTURE_STATUS")[-1].image_count == 3


def test_a_camera_describes_itself_and_beats() -> None:
    station = Station()
    information = mav.MAVLINK_MSG_ID_CAMERA_INFORMATION
    assert station.command(mav.MAV_CMD_REQUEST_MESSAGE, information, component=101) == 0
    told = station.messages("CAMERA_INFORMATION")[-1]
    assert (told.resolution_h, told.resolution_v) == (640, 512)
    assert math.isnan(told.focal_length)
    station.wait(2)
    beats = by_component(station, "HEARTBEAT")
    assert {beats[c][-1].type for c in (100, 101)} == {mav.MAV_TYPE_CAMERA}


def test_without_a_camera_type_at_boot_nothing_is_taken_or_told() -> None:
    station = Station()
    station.parameter("CAM1_TYPE", 0)
    station.command(mav.MAV_CMD_PREFLIGHT_REBOOT_SHUTDOWN, 1)
    station.wait(44)
    station.fly()
    station.wait_for(lambda: not station.pilot.armed)
    assert station.messages("CAMERA_FEEDBACK") == []
    assert station.vehicle.taken() == []


@pytest.mark.parametrize(
    "params",
    [
        (mav.MAV_CMD_IMAGE_START_CAPTURE, 0, 0, 1, 1),
        (mav.MAV_CMD_DO_DIGICAM_CONTROL, 0, 0, 0, 0, 1),
        (mav.MAV_CMD_DO_SET_CAM_TRIGG_DIST, 10, 0, 1),
    ],
)
def test_every_way_to_shoot_is_fed_back(params: tuple[float, ...]) -> None:
    station = Station()
    assert station.command(*params) == 0
    assert len(station.messages("CAMERA_FEEDBACK")) == 1


def test_a_digicam_item_keeps_its_shot_flag_in_x() -> None:
    station = Station()
    shot = item(mav.MAV_CMD_DO_DIGICAM_CONTROL, x=1)
    station.fly([HOME, item(TAKEOFF, up_m=20), item(WAYPOINT, 40, 0, 20), shot, item(RETURN)])
    assert station.download()[3].x == 1
    station.wait_for(lambda: not station.pilot.armed)
    assert len(station.messages("CAMERA_FEEDBACK")) == 1


def test_shots_by_distance_come_every_so_many_metres() -> None:
    station = Station()
    every = item(mav.MAV_CMD_DO_SET_CAM_TRIGG_DIST, params=(20, 0, 1, 0))
    stop = item(mav.MAV_CMD_DO_SET_CAM_TRIGG_DIST, params=(0, 0, 0, 0))
    lane = [item(TAKEOFF, up_m=20), every, item(WAYPOINT, 200, 0, 20), stop, item(RETURN)]
    station.fly([HOME, *lane])
    station.wait_for(lambda: not station.pilot.armed)
    assert len(station.vehicle.taken()) == pytest.approx(10, abs=1)


def test_a_series_by_interval_ends_after_its_count() -> None:
    station = Station()
    assert station.command(mav.MAV_CMD_IMAGE_START_CAPTURE, 0, 2, 3, 1, component=100) == 0
    station.wait(20)
    assert len(station.vehicle.taken()) == 3


def test_the_gimbal_turns_in_its_own_time() -> None:
    station = Station()
    station.command(mav.MAV_CMD_DO_MOUNT_CONTROL, -45)
    assert station.vehicle.payload.gimbal.pitch_deg == -90
    station.wait(1)
    assert station.vehicle.payload.gimbal.pitch_deg == -45
    station.command(mav.MAV_CMD_DO_GIMBAL_MANAGER_PITCHYAW, -80, float("nan"))
    station.wait(1)
    assert station.vehicle.payload.gimbal.pitch_deg == -80


def looks(station: Station, east_m: float, north_m: float) -> int:
    place = station.vehicle.estimate.tangent.to_place(east_m, north_m)
    at = (round(place[0] * 1e7), round(place[1] * 1e7), PAD_AMSL_M)
    message = mav.MAVLink_command_int_message(1, 1, 0, mav.MAV_CMD_DO_SET_ROI_LOCATION, 0, 0, 0, 0, 0, 0, *at)
    (ack,) = station.tell(message)
    return int(ack.result)


def test_told_to_look_at_a_place_the_cameras_stay_on_it_while_the_drone_flies_on() -> None:
    """On the way along y = 50 m past a place 40 m to its side; afterwards the mount hangs level."""
    station = Station()
    station.fly()
    station.wait_for(lambda: station.pilot.run.current >= 4)  # behind the mission's own gimbal item
    assert looks(station, 120.0, 90.0) == 0
    station.wait_for(lambda: not station.pilot.armed)
    poses = [e.truth for e in station.vehicle.taken()]
    assert poses[0].heading_deg == pytest.approx(56.0, abs=4.0)
    assert (poses[1].heading_deg + 90.0) % 360.0 == pytest.approx(90.0, abs=4.0)
    assert poses[2].heading_deg == pytest.approx(304.0, abs=4.0)
    assert all(-65.0 < pose.pitch_deg < -20.0 for pose in poses)
    assert station.command(mav.MAV_CMD_DO_SET_ROI_NONE) == 0
    station.wait(3.0)
    assert station.vehicle.payload.gimbal.pitch_deg == 0.0
