"""The errors: their spread, their memory, their seed."""

import numpy as np
import pytest

from sim.noise import Gusts, PoseNoise


def drifts(seed: int, seconds: float, count: int) -> np.ndarray:
    noise = PoseNoise(seed)
    found = []
    for _ in range(count):
        noise.advance(seconds)
        found.append(noise.drift().east_m)
    return np.array(found)


def test_drift_keeps_its_spread() -> None:
    assert drifts(1, 60.0, 4000).std() == pytest.approx(1.5, rel=0.1)


def test_drift_is_forgotten_over_a_minute() -> None:
    path = drifts(2, 1.0, 40000)
    assert np.corrcoef(path[:-1], path[1:])[0, 1] == pytest.approx(np.exp(-1 / 60), abs=0.01)
    assert np.corrcoef(path[:-60], path[60:])[0, 1] == pytest.approx(np.exp(-1), abs=0.1)


def test_a_single_fix_has_white_noise_on_top() -> None:
    noise = PoseNoise(3)
    spread = np.std([noise.sample().up_m - noise.drift().up_m for _ in range(4000)])
    assert spread == pytest.approx(2.0, rel=0.1)


def test_the_same_seed_gives_the_same_errors() -> None:
    assert (drifts(7, 1.0, 50) == drifts(7, 1.0, 50)).all()
    assert (drifts(7, 1.0, 50) != drifts(8, 1.0, 50)).any()


def test_gusts_swell_around_the_wind() -> None:
    gusts = Gusts(6.0, 0.0, seed=1)
    air = np.array([gusts.advance(1.0) for _ in range(8000)])
    assert air.mean(axis=0) == pytest.approx([6.0, 0.0], abs=0.15)
    assert air.std(axis=0) == pytest.approx([0.9, 0.9], rel=0.1)
