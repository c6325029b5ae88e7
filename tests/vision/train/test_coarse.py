"""Weights in few steps stay near what they were."""

import numpy as np

from vision.train.coarse import PLACES, STEPS, compensated, rounded, short, step_of

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


def test_what_rounding_changes_is_made_good_by_inputs_that_vary_together():
    rng = np.random.default_rng(5)
    seen = rng.normal(size=(40, 6)) @ rng.normal(size=(6, 500)) + 0.1 * rng.normal(size=(40, 500))
    together = seen @ seen.T
    step = step_of(WEIGHTS, np.diag(together), steps=7)
    plain = np.clip(np.round(WEIGHTS / step), -7, 7)
    made_good = compensated(WEIGHTS, together, steps=7, step=step)
    assert np.abs(made_good).max() <= 7
    assert (made_good == np.round(made_good)).all()
    off, off_plain = (((counts * step - WEIGHTS) @ seen).std() for counts in (made_good, plain))
    assert off < 0.4 * off_plain


def test_inputs_that_are_never_seen_do_not_stop_it():
    together = np.diag(np.r_[np.ones(20), np.zeros(20)])
    step = step_of(WEIGHTS, np.maximum(np.diag(together), 1e-9), steps=7)
    assert np.isfinite(compensated(WEIGHTS, together, steps=7, step=step)).all()


def test_a_short_number_is_the_same_to_a_thousandth():
    values = np.array([3.14159, -1e-9, 0.0, 12345.678])
    assert np.allclose(short(values), values, rtol=2.0**-PLACES, atol=0)
    assert len({float(v) for v in short(np.linspace(1, 2, 5000))}) <= 2 ** (PLACES - 1) + 1
