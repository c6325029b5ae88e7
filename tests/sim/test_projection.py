"""The simulator's camera against values worked out by hand."""

import math

import numpy as np
import pytest

from missions.model import Camera, Sensor
from sim.projection import Plane, TruePose, View, camera_axes
from sim.relief import Relief
from tests.sim.hills import FRAME

CAMERA = Camera("test", Sensor.THERMAL, 640, 512, 1000.0, 320.0, 256.0)


def view(heading_deg: float, pitch_deg: float, roll_deg: float = 0.0, *, up_m: float = 100.0) -> View:
    pose = TruePose(FRAME.to_place(0, 0), up_m, heading_deg, pitch_deg, roll_deg)
    return View.of(pose, CAMERA, FRAME)


def relief(rise: float) -> Relief:
    """A plane that rises to the north, 0 at the origin, every 10 m."""
    north = np.arange(-1000.0, 1001.0, 10.0)
    return Relief(np.repeat(north[:, None] * rise, 201, axis=1), -1000.0, -1000.0, 10.0)


@pytest.mark.parametrize(
    ("heading", "pitch", "roll", "point", "pixel"),
    [
        # Straight down from 100 m: ten pixels a metre, top of the picture to the heading.
        (0, -90, 0, (10, 20, 0), (420, 56)),
        (90, -90, 0, (10, 20, 0), (120, 156)),
        (180, -90, 0, (10, 20, 0), (220, 456)),
        # A thing 20 m high is 80 m below the camera, so it lies farther out.
        (0, -90, 0, (10, 20, 20), (445, 6)),
        # 45 degrees down: the axis meets level ground 100 m ahead, 141.42 m away.
        (0, -45, 0, (0, 100, 0), (320, 256)),
        (0, -45, 0, (20, 100, 0), (320 + 1000 * 20 / 141.4214, 256)),
        # 30 degrees down to the south: 100 / tan 30 = 173.2 m ahead.
        (180, -30, 0, (0, -173.2051, 0), (320, 256)),
        # Level: 1 m below the axis at 50 m is 20 pixels down.
        (90, 0, 0, (50, 0, 99), (320, 276)),
        # The camera rolled 10 degrees clockwise sees what is to its right higher up.
        (
            0,
            0,
            10,
            (50, 100, 100),
            (320 + 500 * math.cos(math.radians(10)), 256 - 500 * math.sin(math.radians(10))),
        ),
        # Straight down and rolled 90 degrees clockwise as the camera sees it: the picture's right is behind.
        (0, -90, 90, (0, -10, 0), (420, 256)),
    ],
)
def test_a_point_is_seen_at_the_pixel_worked_out_by_hand(heading, pitch, roll, point, pixel):
    pixels, depth = view(heading, pitch, roll).pixels(np.array([point], float))
    assert depth[0] > 0
    assert pixels[0] == pytest.approx(pixel, abs=1e-3)


def test_axes_are_at_right_angles_and_of_length_one():
    axes = camera_axes(37.0, -63.0, 11.0)
    assert axes @ axes.T == pytest.approx(np.eye(3), abs=1e-12)
    assert np.cross(axes[0], axes[1]) == pytest.approx(axes[2])


def test_what_is_behind_the_camera_has_no_positive_depth():
    _, depth = view(0, 0).pixels(np.array([[0.0, -10.0, 100.0]]))
    assert depth[0] < 0


@pytest.mark.parametrize("pose", [(0, -90, 0), (137, -88, 2), (220, -60, -3), (45, -25, 0)])
@pytest.mark.parametrize("rise", [0.0, 0.2, -0.3])
def test_a_pixel_of_the_ground_is_seen_at_that_pixel(pose, rise):
    """Out and back: steep rays are found by substitution, flat ones by walking."""
    looking = view(*pose)
    x, y = np.meshgrid([40.0, 320.0, 600.0], [300.0, 400.0, 500.0])
    met = looking.ground(relief(rise), x, y)
    back, _ = looking.pixels(met.reshape(-1, 3))
    assert back == pytest.approx(np.column_stack([x.ravel(), y.ravel()]), abs=0.05)
    assert met[..., 2] == pytest.approx(met[..., 1] * rise, abs=0.05)


def test_a_pixel_of_the_sky_meets_no_ground():
    met = view(0, 0).ground(relief(0.0), np.array([320.0, 320.0]), np.array([100.0, 500.0]))
    assert np.isnan(met[0]).all()
    assert met[1, 1] == pytest.approx(1000 * 100 / 244, rel=1e-3)


def test_a_ray_meets_a_slope_where_the_slope_is():
    plane = Plane(np.array([0.0, 0.0, 0.0]), rise_north=0.5)
    met = view(0, -90).on_plane(np.array(320.0), np.array(156.0), plane)
    # 100 pixels up is 0.1 m north for each metre of depth: north = 0.1 (100 - north / 2).
    assert met[1] == pytest.approx(10 / 1.05)
    assert met[2] == pytest.approx(5 / 1.05)


def test_a_bent_lens_bends_out_and_back():
    bent = Camera("bent", Sensor.RGB, 640, 512, 600.0, 320.0, 256.0, (-0.1, 0.02, 0.001, -0.002, 0.0))
    looking = View.of(TruePose(FRAME.to_place(0, 0), 100.0, 30.0, -80.0), bent, FRAME)
    x, y = np.array([30.0, 320.0, 610.0]), np.array([20.0, 256.0, 490.0])
    ground = looking.ground(relief(0.0), x, y)
    pixels, _ = looking.pixels(ground)
    assert pixels == pytest.approx(np.column_stack([x, y]), abs=0.02)
