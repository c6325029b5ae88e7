"""Rotations put together, and poses between two moments of a flight."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from missions.geo import LatLon, distance_m, moved
from missions.model import CameraPose, PoseError
from vision.attitude import Attitude, between, composed, from_quaternion, gimbal_of, matrix, to_attitude
from vision.track import Fix, Track, Turn, pose_at

HERE = LatLon(30.28, 119.42)
BUSY = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])  # a busy machine is no fault
ANGLES = st.tuples(st.floats(0, 359.9), st.floats(-89, 89), st.floats(-179, 179))


def same(a: Attitude, b: Attitude) -> bool:
    return bool(abs(matrix(a) - matrix(b)).max() < 1e-9)


@BUSY
@given(ANGLES)
def test_angles_survive_their_rotation(angles):
    assert same(to_attitude(matrix(Attitude(*angles))), Attitude(*angles))


@BUSY
@given(ANGLES)
def test_the_rotation_is_the_one_others_compute(angles):
    """scipy's intrinsic Z-Y-X is the same convention."""
    yaw, pitch, roll = angles
    other = Rotation.from_euler("ZYX", [yaw, pitch, roll], degrees=True).as_matrix()
    assert abs(matrix(Attitude(*angles)) - other).max() < 1e-12


@BUSY
@given(ANGLES, ANGLES)
def test_taking_the_aircraft_away_gives_the_gimbal_back(platform, camera):
    whole = composed(Attitude(*platform), Attitude(*camera))
    assert same(gimbal_of(whole, Attitude(*platform)), Attitude(*camera))


def test_a_level_aircraft_only_adds_its_heading():
    over = composed(Attitude(90.0, 0.0, 0.0), Attitude(10.0, -45.0, 3.0))
    assert (over.yaw_deg, over.pitch_deg, over.roll_deg) == pytest.approx((100.0, -45.0, 3.0))


def test_a_banked_aircraft_turns_a_steep_camera():
    """Rolled right by 10° with the camera straight down in its own frame: it looks 10° left of down."""
    over = composed(Attitude(0.0, 0.0, 10.0), Attitude(0.0, -90.0, 0.0))
    assert over.pitch_deg == pytest.approx(-80.0)
    assert over.yaw_deg == pytest.approx(270.0)


def test_a_pitched_aircraft_adds_its_pitch_to_a_camera_ahead():
    assert composed(Attitude(0, -5, 0), Attitude(0, -40, 0)).pitch_deg == pytest.approx(-45.0)


def test_a_quaternion_of_any_length_gives_its_angles():
    x, y, z, w = Rotation.from_euler("ZYX", [123.0, -56.0, 7.0], degrees=True).as_quat()
    found = from_quaternion(2 * w, 2 * x, 2 * y, 2 * z)
    assert (found.yaw_deg, found.pitch_deg, found.roll_deg) == pytest.approx((123.0, -56.0, 7.0))


def test_the_way_between_two_headings_is_the_short_one():
    assert between(Attitude(350, 0, 0), Attitude(20, 0, 0), 0.5).yaw_deg == pytest.approx(5.0)
    assert between(Attitude(10, -30, 0), Attitude(10, -30, 0), 0.5) == Attitude(10, -30, 0)


@pytest.fixture
def flight() -> Track:
    """Ten metres a second to the east, climbing one, the nose swinging through north, the gimbal tilting."""
    fixes = tuple(Fix(float(s), moved(HERE, 90.0, 10.0 * s), 200.0 + s, 350.0 + 20.0 * s) for s in range(3))
    turns = tuple(Turn(float(s), Attitude(0.0, -40.0 - 10.0 * s, 0.0)) for s in range(3))
    return Track(fixes, turns)


def found(answer: CameraPose | str) -> CameraPose:
    assert isinstance(answer, CameraPose), answer
    return answer


def test_a_pose_between_two_fixes_lies_between_them(flight):
    pose = found(pose_at(flight, 0.5, error=PoseError()))
    assert distance_m(pose.place, moved(HERE, 90.0, 5.0)) < 0.01
    assert pose.altitude_m == pytest.approx(200.5)
    assert pose.heading_deg == pytest.approx(0.0, abs=1e-6)
    assert pose.pitch_deg == pytest.approx(-45.0)
    assert pose.velocity_m_s == pytest.approx((10.0, 0.0, 1.0), abs=0.01)


def test_the_pictures_own_attitude_counts_before_the_gimbals(flight):
    pose = found(pose_at(flight, 0.5, error=PoseError(), turn=Attitude(77.0, -88.0, 1.0)))
    assert (pose.heading_deg, pose.pitch_deg, pose.roll_deg) == (77.0, -88.0, 1.0)


@pytest.mark.parametrize("at_s", [-1.0, 2.5, 100.0])
def test_a_picture_outside_the_log_has_no_pose(flight, at_s):
    assert "no two positions" in str(pose_at(flight, at_s, error=PoseError()))


def test_a_gap_in_the_log_is_not_bridged():
    gap = Track((Fix(0.0, HERE, 200.0, 0.0), Fix(5.0, HERE, 200.0, 0.0)), ())
    assert "within 2 s" in str(pose_at(gap, 2.0, error=PoseError()))


def test_without_any_attitude_there_is_no_pose(flight):
    bare = Track(flight.fixes, ())
    assert "neither" in str(pose_at(bare, 0.5, error=PoseError()))
