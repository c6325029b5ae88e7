"""Laying today on before: right fits are found, wrong places refused."""

import cv2
import numpy as np
import pytest

from tests.vision.grounds_drawn import texture
from vision import registration
from vision.registration import Registered, Unregistered, edges, register, window_shift

SIZE = (400, 480)
EVERYWHERE = np.ones(SIZE, bool)


def picture(seed: int = 1) -> np.ndarray:
    return np.clip(120 + 28 * texture(SIZE, seed=seed, wave_px=2.5), 0, 255).astype(np.uint8)


def laid(today: np.ndarray, before: np.ndarray, known: np.ndarray = EVERYWHERE) -> Registered | Unregistered:
    return register(today, before, known=known, pixel_m=0.25, within_m=15.0)


@pytest.mark.parametrize(
    ("turn_deg", "scale", "shift"), [(0, 1, (9, -14)), (2.5, 1.02, (-12, 6)), (-4, 0.97, (3, 20))]
)
def test_a_turned_scaled_and_shifted_picture_is_laid_within_half_a_pixel(turn_deg, scale, shift):
    before = picture()
    move = cv2.getRotationMatrix2D((SIZE[1] / 2, SIZE[0] / 2), turn_deg, scale)
    move[:, 2] += shift
    today = cv2.warpAffine(before, move, SIZE[::-1], flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP)
    rng = np.random.default_rng(5)
    today = np.clip(0.7 * today + 30 + rng.normal(0, 6, SIZE), 0, 255).astype(np.uint8)
    fit = laid(today, before)
    assert isinstance(fit, Registered)
    at = np.array([[[100.0, 100.0], [380.0, 90.0], [240.0, 300.0]]])
    truly = cv2.transform(at, move)
    assert np.abs(cv2.perspectiveTransform(at, fit.matrix) - truly).max() < 0.6
    assert fit.error_m < 0.25


def test_light_from_the_other_side_is_no_reason_to_refuse():
    """Edges keep their direction when bright and dark change places."""
    before = picture()
    assert isinstance(laid(255 - before, before), Registered)


@pytest.mark.parametrize("seed", range(2, 8))
def test_another_place_is_refused_with_a_reason(seed):
    fit = laid(picture(seed), picture(1))
    assert isinstance(fit, Unregistered)
    assert fit.reason


def test_a_fit_further_than_the_pose_can_be_wrong_is_refused():
    before = picture()
    today = np.roll(before, 110, axis=1)
    known = np.ones(SIZE, bool)
    known[:, :110] = False
    assert isinstance(laid(today, before, known), Unregistered)


def test_pictures_that_hardly_overlap_are_refused():
    known = np.zeros(SIZE, bool)
    known[:, :30] = True
    fit = laid(picture(), picture(), known)
    assert isinstance(fit, Unregistered)
    assert "less than a tenth" in fit.reason


def test_a_window_without_structure_says_nothing():
    flat = edges(np.zeros((64, 64), np.float32))
    assert window_shift(flat, flat) is None


def test_a_picture_that_features_laid_askew_is_bent_along_what_its_windows_say(monkeypatch):
    """Features that all lie in one corner fix shift there and leave turn, scale and shear to chance."""
    before = picture()
    askew = np.array([[1.03, -0.02, -8.0], [0.025, 0.97, 3.0], [0.0, 0.0, 1.0]])
    monkeypatch.setattr(registration, "_starts", lambda *_: iter([askew]))
    monkeypatch.setattr(registration, "_refined", lambda _today, _before, _known, start: start)
    fit = laid(before, before)
    assert isinstance(fit, Registered)
    assert fit.share > registration.SURE_SHARE
    at = np.array([[[100.0, 100.0], [380.0, 90.0], [240.0, 300.0]]])
    assert np.abs(cv2.perspectiveTransform(at, fit.matrix) - at).max() < 0.5
