"""Flight logs written by pymavlink, read without it."""

import math
import struct
from pathlib import Path

import pytest
from pymavlink.dialects.v20 import common as mav

from missions.errors import InputWrong
from missions.geo import LatLon, distance_m
from missions.model import CameraPose, PoseError
from tests.vision.conftest import meadow, write_thermal
from vision.inspection import inspect
from vision.metadata.tlog import read

HERE = LatLon(30.28, 119.42)


def position(boot_ms: int, east_steps: int = 0) -> mav.MAVLink_message:
    return mav.MAVLink_global_position_int_message(
        boot_ms, 302800000, 1194200000 + 100 * east_steps, 220000, 120000, 0, 1000, 0, 9000
    )


def captured(boot_ms: int, name: str, q=(0.0,) * 4, at_us=1780279205_000000) -> mav.MAVLink_message:
    return mav.MAVLink_camera_image_captured_message(
        boot_ms, at_us, 1, 0, 0, 0, 0, list(q), 7, 1, f"http://{name}".encode()
    )


def gimbal(boot_ms: int, q=(0.7071068, 0.0, -0.7071068, 0.0), flags: int = 12) -> mav.MAVLink_message:
    """Straight down: half of -90° about the pitch axis."""
    return mav.MAVLink_gimbal_device_attitude_status_message(0, 0, boot_ms, flags, list(q), 0.0, 0.0, 0.0, 0)


def write(path: Path, *messages: mav.MAVLink_message, signed: bool = False) -> Path:
    link = mav.MAVLink(None, srcSystem=1)
    if signed:
        link.signing.secret_key, link.signing.sign_outgoing = b"k" * 32, True
    packets = (struct.pack(">Q", 1780279200_000000) + m.pack(link) for m in messages)
    path.write_bytes(b"".join(packets))
    return path


FLIGHT = (position(1000), gimbal(900), position(2000, 10), gimbal(2100), captured(1500, "d/A.TIF"))


@pytest.mark.parametrize("signed", [False, True])
def test_a_picture_lies_between_the_fixes_around_it(tmp_path, signed):
    pose = read(write(tmp_path / "f.tlog", *FLIGHT, signed=signed)).pose_of("A.TIF", error=PoseError())
    assert isinstance(pose, CameraPose)
    assert distance_m(pose.place, LatLon(30.28, 119.42 + 5e-5)) < 1.0
    assert pose.altitude_m == pytest.approx(220.0)
    assert (pose.heading_deg, pose.pitch_deg) == pytest.approx((90.0, -90.0), abs=0.01)


def test_the_cameras_own_attitude_is_taken(tmp_path):
    level = captured(1500, "d/1/B.TIF", (1.0, 0.0, 0.0, 0.0))
    pose = read(write(tmp_path / "f.tlog", *FLIGHT, level)).pose_of("B.TIF", error=PoseError())
    assert isinstance(pose, CameraPose)
    assert (pose.heading_deg, pose.pitch_deg) == pytest.approx((0.0, 0.0))


@pytest.mark.parametrize(("flags", "heading"), [(12, 180), (16 | 32, 180), (16, 90), (64, 90)])
def test_a_gimbals_yaw_counts_from_the_nose_or_from_north_as_its_flags_say(tmp_path, flags, heading):
    east = (gimbal(ms, (0.7071068, 0.0, 0.0, 0.7071068), flags) for ms in (900, 2100))
    log = read(write(tmp_path / "f.tlog", position(1000), *east, position(2000), FLIGHT[-1]))
    assert log.pose_of("A.TIF", error=PoseError()).heading_deg == pytest.approx(heading)


@pytest.mark.parametrize(
    "odd",
    [
        gimbal(1400, (0.0,) * 4),
        gimbal(1400, (math.nan,) * 4),
        mav.MAVLink_mount_orientation_message(1400, 0.0, -45.0, math.nan),
        captured(1500, "d/A.TIF", (math.nan,) * 4),
        captured(1500, "d/A.TIF", at_us=2**63),
        captured(1500, "[d/A.TIF"),
    ],
)
def test_what_is_no_attitude_time_or_address_changes_nothing(tmp_path, odd):
    logs = [read(write(tmp_path / "f.tlog", *FLIGHT, *more)) for more in ((), (odd,))]
    assert logs[0].pose_of("A.TIF", error=PoseError()) == logs[1].pose_of("A.TIF", error=PoseError())


def test_a_picture_the_log_does_not_know_is_said_to_be_unknown(tmp_path):
    log = read(write(tmp_path / "f.tlog", *FLIGHT))
    assert "no record of a picture" in str(log.pose_of("Z.TIF", error=PoseError()))


def test_a_packet_with_a_wrong_checksum_is_passed_over(tmp_path):
    path = write(tmp_path / "f.tlog", *FLIGHT)
    data = bytearray(path.read_bytes())
    data[8 + 10 + 4] ^= 0xFF  # the first position's latitude
    path.write_bytes(data)
    assert len(read(path).track.fixes) == 1


def test_a_stray_byte_and_a_torn_end_cost_no_whole_packet(tmp_path):
    path = write(tmp_path / "f.tlog", *FLIGHT)
    path.write_bytes(b"\0" + path.read_bytes()[:-30])
    assert len(read(path).track.fixes) == 2


@pytest.mark.parametrize("content", [b"", b"not a log at all, only text", b"\x00" * 500])
def test_what_is_no_flight_log_is_refused(tmp_path, content):
    path = tmp_path / "x.tlog"
    path.write_bytes(content)
    with pytest.raises(InputWrong, match="expected a flight log"):
        read(path)


def test_a_missing_log_is_refused(tmp_path):
    with pytest.raises(InputWrong, match="cannot be read"):
        read(tmp_path / "none.tlog")


def test_inspect_places_a_bare_picture_by_the_flight_log(tmp_path):
    write_thermal(tmp_path / "A.TIF", meadow(), None)
    log = write(tmp_path / "f.tlog", *FLIGHT)
    (frame,) = inspect([tmp_path / "A.TIF"], tlog=log).frames
    assert frame.shot is not None
    assert frame.shot.pose is not None
    assert "flight log" in str(frame.note)
    assert frame.shot.taken_at.timestamp() == 1780279205
    (unknown,) = inspect([write_thermal(tmp_path / "C.TIF", meadow(), None)], tlog=log).frames
    assert "no record of a picture" in str(unknown.note)
