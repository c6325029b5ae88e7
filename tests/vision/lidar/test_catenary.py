"""A wire as a curve: fitted through points, and how far things are from it."""

import math

import numpy as np
import pytest

from vision.lidar.catenary import STRAIGHT_M, fit


def _hung(constant_m: float, *, length_m: float = 300.0, heading_deg: float = 30.0, noise_m: float = 0.03):
    rng = np.random.default_rng(2)
    s = rng.uniform(-length_m / 2, length_m / 2, 900)
    z = 12 + constant_m * (np.cosh((s - 20) / constant_m) - 1)
    turn = math.radians(heading_deg)
    points = np.column_stack([s * math.sin(turn), s * math.cos(turn), z])
    return points + rng.normal(0, noise_m, points.shape)


@pytest.mark.parametrize("constant_m", [150.0, 800.0, 2000.0])
@pytest.mark.parametrize("heading_deg", [0.0, 30.0, 90.0, 200.0])
def test_a_fit_gives_back_the_pull_and_the_lowest_point(constant_m, heading_deg):
    curve = fit(_hung(constant_m, length_m=min(300.0, constant_m), heading_deg=heading_deg))
    assert curve is not None
    assert curve.constant_m == pytest.approx(constant_m, rel=0.03)
    assert curve.low_m == pytest.approx(12.0, abs=0.05)


def test_a_fit_does_not_listen_to_a_few_points_far_off():
    points = _hung(900.0)
    points[:40, 2] += 4.0
    curve = fit(points)
    assert curve is not None
    assert curve.low_m == pytest.approx(12.0, abs=0.1)


def test_what_bends_upwards_is_no_wire():
    """A roof's ridge that arches, or the rim of a crown."""
    points = _hung(200.0)
    points[:, 2] = 60 - points[:, 2]
    assert fit(points) is None


def test_a_straight_piece_has_no_sag_that_could_be_told():
    points = np.column_stack([np.linspace(0, 10, 40), np.zeros(40), np.full(40, 9.0)])
    curve = fit(points)
    assert curve is not None
    assert curve.constant_m == STRAIGHT_M
    assert curve.sag_m == pytest.approx(0, abs=0.01)


def test_distance_is_the_shortest_one_and_ends_where_the_wire_ends():
    curve = fit(_hung(900.0, heading_deg=90.0, noise_m=0.0))
    assert curve is not None
    on_wire = curve.points_m(np.array([0.0]))[0]
    beyond = curve.points_m(np.array([curve.end_m]))[0]
    steps = np.array([[0, 3, 0], [0, 0, -2], [4 * curve.dir_east, 0, 0]])
    asked = np.array([on_wire, on_wire, beyond]) + steps
    fine = curve.points_m(np.linspace(curve.begin_m, curve.end_m, 40_001))
    brute = np.min(np.linalg.norm(fine[None] - asked[:, None], axis=2), axis=1)
    assert curve.distance_m(asked) == pytest.approx(brute, abs=0.005)


def test_sag_is_measured_from_the_chord():
    curve = fit(_hung(1500.0, heading_deg=90.0, noise_m=0.0))
    assert curve is not None
    assert curve.sag_m == pytest.approx(300.0**2 / (8 * 1500.0), rel=0.02)
