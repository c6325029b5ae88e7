"""Tracks over a flight's frames: how fast and which way, and what is only said to stand."""

import numpy as np
import pytest

from vision import moving
from vision.following import sighted
from vision.moving import DRIFT_M, slope


def walked(seconds: int, east_m_s: float, *, noise_m: float = 1.5, seed: int = 3) -> np.ndarray:
    """Return rows of (seconds, east, north) of somebody going east, off by the errors of poses."""
    at_s = np.arange(float(seconds))
    off = np.random.default_rng(seed).normal(0, noise_m, (seconds, 2))
    return np.column_stack([at_s, east_m_s * at_s + off[:, 0], off[:, 1]])


def test_a_walkers_speed_is_told_with_an_error_that_holds_it():
    off = []
    for seed in range(40):
        velocity, error = slope(walked(20, 1.5, seed=seed))
        off.append(np.hypot(velocity[0] - 1.5, velocity[1]) / error)
    assert np.quantile(off, 0.95) < 3.0


def test_only_the_last_part_of_a_long_way_tells_how_it_goes_now():
    """Somebody who walked and then stood is standing."""
    way = walked(60, 0.0, noise_m=0.3)
    way[:30, 1] -= 1.5 * (30 - way[:30, 0])
    velocity, error = slope(way)
    assert np.hypot(*velocity) < 3 * error


@pytest.mark.parametrize("seconds", [1, 2])
def test_two_looks_tell_no_speed(seconds):
    assert slope(walked(seconds, 1.5))[1] == np.inf


def test_a_drifting_pose_alone_makes_nobody_walk():
    """What stands still and drifts as far as poses do is not said to move."""
    at_s = np.arange(20.0)
    velocity, error = slope(np.column_stack([at_s, DRIFT_M * at_s / 60.0, 0 * at_s]))
    assert velocity @ velocity < moving.SURELY * error**2


def test_frames_without_anybody_make_no_track():
    assert moving.tracks(()) == ()
    assert sighted((), None) == ()
