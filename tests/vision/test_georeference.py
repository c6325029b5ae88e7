"""Pixels to the ground and back."""

import math
from dataclasses import replace

import cv2
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from missions.geo import LatLon, bearing_deg, distance_m
from missions.model import Camera, CameraPose, PoseError, Sensor
from vision.footprint import footprint, ground_m2, outlines
from vision.georeference import FlatGround, Located, Unplaced, locate, locate_many, to_pixel
from vision.model import Ellipse
from vision.pinhole import ROUND_TRIP_PX, basis, distorted, undistorted
from vision.tangent import Tangent
from vision.uncertainty import to_covariance, to_ellipse

CAMERA = Camera("t", Sensor.THERMAL, 640, 512, 758.3333, 320, 256)
WIDE = Camera("w", Sensor.RGB, 4000, 3000, 2300.0, 2010.0, 1490.0, (-0.12, 0.08, 0.0004, -0.0003, -0.01))
HERE = LatLon(30.28, 119.42)


class Hill:
    """A cone 80 m high, 400 m north of the camera, on a plain at 100 m."""

    source = "a hill"
    resolution_m = 5.0
    error_m = 0.0

    def elevation_m(self, lat_deg, lon_deg):
        point = Tangent(LatLon(HERE.lat_deg + 400 / 110_850, HERE.lon_deg), 0.0).local(lat_deg, lon_deg, 0.0)
        return 100.0 + np.maximum(80.0 - np.hypot(point[..., 0], point[..., 1]) * 0.5, 0.0)


class Patch(FlatGround):
    """Level ground that is known only 100 m around the camera."""

    def elevation_m(self, lat_deg, lon_deg):
        point = Tangent(HERE, 0.0).local(lat_deg, lon_deg, 0.0)
        return np.where(np.hypot(point[..., 0], point[..., 1]) < 100.0, 100.0, np.nan)


def found(answer: Located | Unplaced) -> Located:
    assert isinstance(answer, Located), answer
    return answer


def test_straight_down_the_middle_pixel_is_the_place_below(camera, pose, ground):
    at = found(locate(camera, pose, 320, 256, ground=ground))
    assert distance_m(at.place, pose.place) < 0.01
    assert at.distance_m == pytest.approx(120.0, abs=0.01)
    assert at.elevation_m == pytest.approx(100.0, abs=0.01)


def test_straight_down_the_top_of_the_picture_points_to_the_heading(camera, pose, ground):
    """256 px / 758.33 px x 120 m = 40.51 m, to the east; the right edge then lies south."""
    top = found(locate(camera, pose, 320, 0, ground=ground))
    assert distance_m(pose.place, top.place) == pytest.approx(40.51, abs=0.02)
    assert bearing_deg(pose.place, top.place) == pytest.approx(90.0, abs=0.05)
    right = found(locate(camera, pose, 640, 256, ground=ground))
    assert distance_m(pose.place, right.place) == pytest.approx(50.64, abs=0.02)
    assert bearing_deg(pose.place, right.place) == pytest.approx(180.0, abs=0.05)


def test_at_forty_five_degrees_the_axis_lands_as_far_ahead_as_the_drone_is_high(camera, pose, ground):
    at = found(locate(camera, replace(pose, pitch_deg=-45.0, heading_deg=30.0), 320, 256, ground=ground))
    assert distance_m(pose.place, at.place) == pytest.approx(120.0, abs=0.05)
    assert bearing_deg(pose.place, at.place) == pytest.approx(30.0, abs=0.05)


def test_a_roll_to_the_right_moves_what_is_seen_ahead_to_the_left_of_the_picture(camera, level_pose):
    """The camera turns clockwise as seen from behind it, so what was above turns anticlockwise."""
    turned = replace(level_pose, roll_deg=10.0, heading_deg=0.0)
    high = Tangent(HERE, 220.0).geodetic(np.array([0.0, 100.0, 20.0]))
    x, y = to_pixel(camera, turned, LatLon(float(high[0]), float(high[1])), elevation_m=float(high[2]))
    assert x < 320
    assert y < 256


def test_the_camera_axes_are_at_right_angles(level_pose):
    axes = basis(replace(level_pose, heading_deg=33.0, pitch_deg=-57.0, roll_deg=12.0))
    assert axes @ axes.T == pytest.approx(np.eye(3), abs=1e-12)
    assert np.cross(axes[0], axes[1]) == pytest.approx(axes[2], abs=1e-12)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])  # a busy machine is no fault
@given(
    x=st.floats(0, 1),
    y=st.floats(0, 1),
    heading=st.floats(0, 360),
    pitch=st.floats(-90, -40),
    roll=st.floats(-15, 15),
    height=st.floats(20, 400),
    lat=st.floats(-70, 70),
    camera=st.sampled_from([CAMERA, WIDE]),
)
def test_pixel_to_ground_to_pixel_is_where_it_began(x, y, heading, pitch, roll, height, lat, camera):
    """Within a twentieth of a pixel, with distortion, at any place and heading."""
    pose = CameraPose(LatLon(lat, 12.5), 100.0 + height, heading, pitch, roll)
    x_px, y_px = x * camera.width_px, y * camera.height_px
    answer = locate(camera, pose, x_px, y_px, ground=FlatGround(100.0))
    if isinstance(answer, Unplaced):
        assert pitch > -60  # the upper corners may look over the horizon
        return
    back = to_pixel(camera, pose, answer.place, elevation_m=answer.elevation_m)
    assert back == pytest.approx((x_px, y_px), abs=0.05)


def test_a_ray_stops_at_the_hill_in_front_of_the_plain(camera, pose):
    """The 30 m high camera looks level-ish north: the cone's near side stops it, not the plain."""
    low = CameraPose(HERE, 130.0, 0.0, -1.0)
    at = found(locate(camera, low, 320, 256, ground=Hill()))
    assert at.elevation_m > 115
    assert 240 < distance_m(HERE, at.place) < 400


def test_a_look_over_the_horizon_says_so(camera, level_pose, ground):
    answer = locate(camera, level_pose, 320, 100, ground=ground)
    assert isinstance(answer, Unplaced)
    assert "horizon" in answer.reason


def test_a_look_out_of_the_elevation_model_says_so(camera, pose):
    answer = locate(camera, replace(pose, pitch_deg=-30.0), 320, 256, ground=Patch(100.0, "the patch"))
    assert isinstance(answer, Unplaced)
    assert "leaves the patch" in answer.reason


def test_a_camera_under_the_ground_is_not_believed(camera, pose):
    answer = locate(camera, pose, 320, 256, ground=FlatGround(250.0))
    assert isinstance(answer, Unplaced)
    assert "30 m under the ground" in answer.reason


def test_a_camera_of_unknown_view_places_nothing(camera, pose, ground):
    answer = locate(replace(camera, focal_px=math.nan), pose, 320, 256, ground=ground)
    assert isinstance(answer, Unplaced)
    assert "field of view" in answer.reason


def test_the_ellipse_adds_up_the_errors_of_the_pose(camera, pose, ground):
    """Straight down: place 2 m, and tilt 1° x 120 m = 2.09 m, each way; heading does nothing."""
    exact = PoseError(horizontal_m=2.0, vertical_m=3.0, tilt_deg=1.0, yaw_deg=5.0)
    at = found(locate(camera, replace(pose, error=exact), 320, 256, ground=ground))
    one = math.hypot(2.0, 120 * math.radians(1.0), 0.5 * 120 / 758.33)
    assert at.ellipse.major_m == pytest.approx(one * math.sqrt(5.991), rel=0.01)
    assert at.ellipse.minor_m == pytest.approx(one * math.sqrt(5.991), rel=0.01)


def test_the_ellipse_holds_the_truth_as_often_as_it_says(camera, pose, ground):
    """400 poses drawn from the stated errors: 92 to 98 in a hundred true places lie inside."""
    rng = np.random.default_rng(5)
    oblique = replace(pose, pitch_deg=-60.0, velocity_m_s=(0.0, 0.0, 0.0))
    ground = replace(ground, error_m=0.0)
    at = found(locate(camera, oblique, 500, 400, ground=ground))
    inverse = np.linalg.inv(to_covariance(at.ellipse))
    inside = 0
    for _ in range(400):
        e, d = oblique.error, rng.normal(size=8)
        lat, lon, _ = Tangent(HERE, 0.0).geodetic(np.array([*(d[:2] * e.horizontal_m), 0.0]))
        true = CameraPose(
            LatLon(float(lat), float(lon)),
            oblique.altitude_m + d[2] * e.vertical_m,
            oblique.heading_deg + d[3] * e.yaw_deg,
            oblique.pitch_deg + d[4] * e.tilt_deg,
            oblique.roll_deg + d[5] * e.tilt_deg,
        )
        there = found(locate(camera, true, 500 + d[6] * 0.5, 400 + d[7] * 0.5, ground=ground))
        off = Tangent(at.place, 0.0).local(there.place.lat_deg, there.place.lon_deg, 0.0)[:2]
        inside += off @ inverse @ off <= 5.991
    assert 0.92 <= inside / 400 <= 0.98


@given(st.floats(0.5, 50), st.floats(0.1, 1.0), st.floats(0, 179))
def test_an_ellipse_survives_its_covariance(major, share, bearing):
    back = to_ellipse(to_covariance(Ellipse(major, major * share, bearing)))
    assert back.major_m == pytest.approx(major, rel=1e-6)
    assert back.minor_m == pytest.approx(major * share, rel=1e-6)
    if share < 0.99:
        assert math.sin(math.radians(2 * (back.bearing_deg - bearing))) == pytest.approx(0, abs=1e-4)


def test_a_pixel_covers_its_ground_sampling_distance_squared(camera, pose, ground):
    at = found(locate(camera, pose, 320, 256, ground=ground))
    assert at.pixel_m2 == pytest.approx((120 / 758.333) ** 2, rel=1e-3)


def test_the_footprint_straight_down_is_the_pictures_rectangle(camera, pose, ground):
    ring = footprint(camera, pose, ground=ground)
    assert isinstance(ring, tuple)
    assert distance_m(ring[0], ring[5]) == pytest.approx(640 / 758.333 * 120, rel=1e-3)
    assert distance_m(ring[5], ring[10]) == pytest.approx(512 / 758.333 * 120, rel=1e-3)


def test_the_footprint_of_a_level_look_ends_at_the_last_ground_seen(camera, level_pose, ground):
    ring = footprint(camera, replace(level_pose, pitch_deg=-5.0), ground=ground)
    assert isinstance(ring, tuple)
    assert 1000 < max(distance_m(level_pose.place, p) for p in ring) < 6000


def test_a_look_at_the_sky_has_no_footprint(camera, level_pose, ground):
    sky = footprint(camera, replace(level_pose, pitch_deg=40.0), ground=ground)
    assert isinstance(sky, Unplaced)


def test_an_outline_is_the_ground_inside_a_ring_of_pixels(camera, pose, ground):
    ring = np.array([[300.0, 240.0], [340.0, 240.0], [340.0, 270.0]])
    area, none = outlines(camera, pose, [ring, np.empty((0, 2))], ground=ground)
    assert none is None
    assert area is not None
    assert distance_m(area.outer[0], area.outer[1]) == pytest.approx(40 / 758.333 * 120, rel=1e-3)
    assert ground_m2(area.outer) == pytest.approx(600 * (120 / 758.333) ** 2, rel=1e-3)


def test_many_pixels_give_one_answer_each(camera, pose, ground):
    answers = locate_many(camera, pose, np.array([[0.0, 0.0], [320.0, 256.0]]), ground=ground)
    assert len(answers) == 2
    assert distance_m(found(answers[1]).place, pose.place) < 0.01


@pytest.mark.parametrize("camera", [CAMERA, WIDE])
def test_distortion_goes_both_ways(camera):
    """Every pixel of the picture comes back to within a hundredth of itself, corners too."""
    xs, ys = np.meshgrid(np.linspace(0, camera.width_px, 33), np.linspace(0, camera.height_px, 25))
    pixels = np.column_stack([xs.ravel(), ys.ravel()])
    back = distorted(camera, undistorted(camera, pixels)) * camera.focal_px
    centre = np.array([camera.centre_x_px, camera.centre_y_px])
    assert np.abs(back + centre - pixels).max() < ROUND_TRIP_PX


def test_opencv_distorts_alike():
    """The same coefficients, OpenCV's own projection."""
    points = np.random.default_rng(1).uniform(-0.6, 0.6, (50, 2))
    matrix = np.array([[WIDE.focal_px, 0, WIDE.centre_x_px], [0, WIDE.focal_px, WIDE.centre_y_px], [0, 0, 1]])
    seen, _ = cv2.projectPoints(
        np.column_stack([points, np.ones(50)]), np.zeros(3), np.zeros(3), matrix, np.array(WIDE.distortion)
    )
    ours = distorted(WIDE, points) * WIDE.focal_px + (WIDE.centre_x_px, WIDE.centre_y_px)
    assert ours == pytest.approx(seen[:, 0], abs=1e-6)


def test_a_pixel_past_the_fold_of_the_lens_is_not_placed(pose, ground):
    """A polynomial fitted to the middle folds over further out; such a pixel has no ray."""
    strong = replace(WIDE, distortion=(-0.9, 0.0, 0.0, 0.0, 0.0))
    assert np.isnan(undistorted(strong, np.array([[0.0, 0.0]]))).all()
    answer = locate(strong, pose, 0.0, 0.0, ground=ground)
    assert isinstance(answer, Unplaced)
    assert "distortion cannot be undone" in answer.reason
    assert isinstance(locate(strong, pose, 2010.0, 1490.0, ground=ground), Located)


def test_the_ground_and_the_clock_are_part_of_the_ellipse(camera, pose, ground):
    """At 45° a model off by 2 m moves the place by 2 m, 50 ms at 20 m/s by 1 m."""
    exact = PoseError(horizontal_m=1e-6, vertical_m=1e-6, tilt_deg=1e-6, yaw_deg=1e-6)
    oblique = replace(pose, pitch_deg=-45.0, heading_deg=0.0, error=exact, velocity_m_s=(20.0, 0.0, 0.0))
    at = found(locate(camera, oblique, 320, 256, ground=replace(ground, error_m=2.0)))
    assert at.ellipse.major_m / math.sqrt(5.991) == pytest.approx(2.0, rel=0.01)
    assert at.ellipse.minor_m / math.sqrt(5.991) == pytest.approx(1.0, rel=0.01)
    assert at.ellipse.bearing_deg == pytest.approx(0.0, abs=0.5)
    assert at.sight.drift_share == 0.5
