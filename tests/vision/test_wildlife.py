"""Warm bodies: told by contrast, size and heat, and never where the ground is as warm as a coat."""

from dataclasses import replace

import cv2
import numpy as np
import pytest

from missions.model import Hazard
from tests.vision.conftest import meadow, write_thermal
from vision.detectors import Abstained, registry
from vision.detectors.warm_bodies import WarmBodies
from vision.detectors.wildlife import COARSEST_M, GROUND_C, MOST, Wildlife
from vision.frame import Frame, load
from vision.scene import Scene

PIXEL_M = 0.12
DEER = (12, 4)  # pixels: 1.4 m by 0.5 m


@pytest.fixture
def told(tmp_path, pose):
    """What the detector says of a picture in °C, its pixels so large on the ground."""

    def search(celsius: np.ndarray, pixel_m: float = PIXEL_M):
        return Wildlife().detect(framed(tmp_path, pose, celsius, pixel_m), Scene())

    return search


def framed(folder, pose, celsius: np.ndarray, pixel_m: float = PIXEL_M) -> Frame:
    return replace(load(write_thermal(folder / "a_T.tif", celsius, pose)), pixel_m2=pixel_m**2)


def with_oval(celsius: np.ndarray, at: tuple[int, int], size: tuple[int, int], more_k: float) -> np.ndarray:
    """Return the picture with a warm oval, blurred as by a lens."""
    shape = np.zeros(celsius.shape, np.float32)
    cv2.ellipse(shape, at, (size[0] // 2, max(size[1] // 2, 1)), 30.0, 0, 360, 1.0, -1)
    return celsius + more_k * cv2.GaussianBlur(shape, (0, 0), 0.8)


def cool_meadow(seed: int = 1) -> np.ndarray:
    return meadow(seed) * 0.2 + 10.0


def test_a_deer_is_a_warm_body_with_its_place_size_and_heat(told):
    (body,) = told(with_oval(cool_meadow(), (300, 200), DEER, 9.0))
    assert (body.hazard, body.kind) == (Hazard.WILDLIFE, "warm body")
    assert np.hypot(body.box.middle_px[0] - 300, body.box.middle_px[1] - 200) < 2
    assert 1.0 < body.facts["length_m"] < 2.0
    assert body.temp_max_c == pytest.approx(23.5, abs=2.0)
    assert body.background_c == pytest.approx(14.4, abs=1.0)


def test_a_bare_meadow_has_no_animals_on_it(told):
    assert told(cool_meadow()) == ()


@pytest.mark.parametrize(
    ("size", "more_k", "pixel_m"),
    [
        ((4, 4), 9.0, PIXEL_M),  # a person standing, a hare
        ((60, 40), 9.0, PIXEL_M),  # a pond, a roof
        ((120, 4), 9.0, PIXEL_M),  # a pipe, a path
        (DEER, 1.5, PIXEL_M),  # hardly warmer than the ground
        (DEER, 60.0, PIXEL_M),  # hotter than any coat
        (DEER, 9.0, 0.03),  # a cat
    ],
)
def test_what_has_another_size_or_heat_is_no_animal(told, size, more_k, pixel_m):
    assert told(with_oval(cool_meadow(), (300, 200), size, more_k), pixel_m) == ()


def test_the_warm_ground_around_a_fire_is_no_animal(told):
    picture = with_oval(cool_meadow(), (300, 200), DEER, 9.0)
    assert told(picture)
    assert told(with_oval(picture, (318, 200), (8, 8), 400.0)) == ()


def test_ground_as_warm_as_a_coat_is_not_searched(told):
    at_noon = meadow() + (GROUND_C - 20.0)
    found = told(with_oval(at_noon, (300, 200), DEER, 9.0))
    assert isinstance(found, Abstained)
    assert "as warm as" in found.reason


def test_ground_full_of_warm_patches_is_not_searched(told):
    picture = cool_meadow()
    for i in range(MOST + 10):
        picture = with_oval(picture, (40 + 60 * (i % 10), 40 + 70 * (i // 10)), DEER, 9.0)
    assert isinstance(told(picture), Abstained)


def test_nothing_is_told_without_a_scale_or_with_pixels_too_coarse(told, tmp_path, pose):
    assert isinstance(told(cool_meadow(), COARSEST_M * 1.1), Abstained)
    bare = replace(framed(tmp_path, pose, cool_meadow()), pixel_m2=None)
    assert isinstance(Wildlife().detect(bare, Scene()), Abstained)


def test_a_picture_without_temperatures_is_searched_by_contrast(tmp_path, pose):
    celsius = with_oval(cool_meadow(), (300, 200), DEER, 9.0)
    frame = framed(tmp_path, pose, celsius)
    relative = replace(frame, celsius=None, warmth=(celsius * 8).astype(np.float32), warmth_limit=255.0)
    (body,) = Wildlife().detect(relative, Scene())
    assert body.temp_max_c is None
    assert body.box.middle_px[0] == pytest.approx(300, abs=2)


def test_wildlife_is_on_trial(tmp_path, pose):
    assert registry.chosen([Hazard.WILDLIFE]) == ()
    assert [d.name for d in registry.chosen([Hazard.WILDLIFE], with_trials=True)] == [Wildlife.name]


def test_a_stove_and_a_roof_are_no_people(tmp_path, pose, monkeypatch):
    frame = framed(tmp_path, pose, with_oval(cool_meadow(), (300, 200), (6, 6), 120.0))
    detector = WarmBodies()
    (one,) = [replace(d, kind="person") for d in [_boxed(frame, 295, 195, 305, 205)]]
    monkeypatch.setattr(detector, "bodies", lambda _: [one])
    assert detector.detect(frame, Scene()) == ()
    cool = replace(frame, celsius=cool_meadow())
    assert detector.detect(cool, Scene()) == (one,)
    assert detector.detect(replace(cool, pixel_m2=1.0), Scene()) == ()


def _boxed(frame: Frame, *corners: float):
    from vision.model import Box, Detection

    return Detection(Hazard.PERSON, 0.8, Box(*corners), "x", frame.shot.camera.sensor)
