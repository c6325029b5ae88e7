"""Weights in few steps stay near what they were."""

import numpy as np

from vision.train.coarse import STEPS, rounded

WEIGHTS = np.random.default_rng(2).normal(size=(6, 40)).astype(np.float32)


def test_a_channel_has_no_more_values_than_steps():
    assert max(len(np.unique(row)) for row in rounded(WEIGHTS * 50)) <= 2 * STEPS + 1


def test_no_step_costs_more_than_the_plain_one():
    step = np.abs(WEIGHTS).max(1, keepdims=True) / STEPS
    plain = np.round(WEIGHTS / step) * step
    assert (((rounded(WEIGHTS) - WEIGHTS) ** 2).sum(1) <= ((plain - WEIGHTS) ** 2).sum(1) + 1e-6).all()


def test_shape_and_a_channel_of_zeros_are_kept():
    weights = np.zeros((3, 4, 1, 1), np.float32)
    weights[0, 0] = 2.0
    assert rounded(weights).tolist() == weights.tolist()
