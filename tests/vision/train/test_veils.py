"""Drawn weather: it hides with distance, has its colour, and turns leaves alone."""

import cv2
import numpy as np
import pytest

from vision.train import veils

SIZE = (120, 160, 3)


@pytest.fixture
def rough():
    """Ground of all greys, rough everywhere."""
    return np.random.default_rng(4).integers(0, 255, SIZE).astype(np.uint8)


def roughness(pixels: np.ndarray) -> float:
    return float(np.abs(np.diff(pixels.astype(float), axis=1)).mean())


@pytest.mark.parametrize("veil", [veils.fogged, veils.dusty, veils.hazy])
def test_a_veil_takes_contrast_and_the_same_seed_draws_the_same(rough, veil):
    for seed in range(8):
        drawn = veil(rough, np.random.default_rng(seed))
        assert drawn.shape == SIZE
        assert roughness(drawn) < roughness(rough)
        assert np.array_equal(drawn, veil(rough, np.random.default_rng(seed)))


def test_haze_leaves_more_to_be_seen_than_fog_does(rough):
    fog, haze = (
        np.mean([roughness(veil(rough, np.random.default_rng(seed))) for seed in range(12)])
        for veil in (veils.fogged, veils.hazy)
    )
    assert haze > 1.5 * fog


def test_dust_is_brown_and_fog_is_grey(rough):
    for seed in range(8):
        red, _, blue = veils.dusty(rough, np.random.default_rng(seed)).reshape(-1, 3).mean(0)
        assert red > blue + 10
        means = veils.fogged(rough, np.random.default_rng(seed)).reshape(-1, 3).mean(0)
        assert np.ptp(means) < 25


def test_leaves_turn_and_what_is_no_leaf_keeps_its_colour(rough):
    wood = np.full(SIZE, (60, 120, 40), np.uint8)
    wood[:, 80:] = (120, 120, 125)
    for seed in range(8):
        drawn = veils.autumnal(wood, np.random.default_rng(seed))
        assert drawn is not None
        hue = cv2.cvtColor(drawn, cv2.COLOR_RGB2HSV)[..., 0]
        assert np.median(hue[:, :80]) < 45
        assert np.abs(drawn[:, 80:].astype(int) - wood[:, 80:]).max() <= 2
    grey = np.repeat(rough.mean(2, keepdims=True), 3, axis=2).astype(np.uint8)
    assert veils.autumnal(grey, np.random.default_rng(1)) is None
