"""The thermal and the colour frame of one moment: laid over each other, and what they say together."""

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from missions.model import Camera, Hazard, Sensor
from tests.vision.conftest import meadow, write_thermal
from vision import two_eyes
from vision.frame import Frame, load
from vision.model import Box, Detection
from vision.two_eyes import Overlay

COLOUR = Camera("W", Sensor.RGB, 1280, 960, 1200.0, 640.0, 480.0)


def seen(hazard: Hazard, box: Box, confidence: float = 0.7, detector: str = "rgb-fire 1") -> Detection:
    sensor = Sensor.THERMAL if detector.startswith("thermal") else Sensor.RGB
    return Detection(hazard, confidence, box, detector, sensor)


@pytest.fixture
def overlay(camera) -> Overlay:
    return Overlay(camera, COLOUR)


@pytest.fixture
def heat() -> Detection:
    return seen(Hazard.FIRE, Box(318, 254, 322, 258), 0.8, "thermal-contextual 2")


def test_names_of_one_moment_are_a_pair_both_ways():
    files = [
        Path("a/GP_0001_T.TIF"),
        Path("a/GP_0001_W.JPG"),
        Path("a/GP_0002_T.TIF"),
        Path("b/GP_0002_W.JPG"),
    ]
    assert two_eyes.pairs(files) == {files[0]: files[1], files[1]: files[0]}


def test_the_middle_of_one_eye_is_the_middle_of_the_other_and_angles_stay(overlay):
    at = overlay.pixels(np.array([[320.0, 256.0], [320.0 + 758.3333 * 0.1, 256.0]]))
    assert at == pytest.approx(np.array([[640.0, 480.0], [760.0, 480.0]]), abs=0.01)


def test_a_fire_seen_by_both_outranks_either_and_names_both(overlay, heat):
    flame = seen(Hazard.FIRE, Box(630, 470, 650, 490), 0.7)
    (hot,), (colour,) = two_eyes.together([heat], [flame], overlay)
    assert hot.confidence == colour.confidence == pytest.approx(0.94)
    assert set(hot.sources) == set(colour.sources) == {"thermal-contextual 2", "rgb-fire 1"}


def test_smoke_over_heat_raises_both_by_less_than_flame_does(overlay, heat):
    smoke = seen(Hazard.SMOKE, Box(600, 380, 700, 470), 0.7)
    (hot,), (above,) = two_eyes.together([heat], [smoke], overlay)
    assert 0.8 < hot.confidence < 0.94
    assert above.hazard is Hazard.SMOKE
    assert above.confidence > 0.7


def test_smoke_without_heat_and_heat_without_smoke_keep_name_and_confidence(overlay, heat):
    smoke = seen(Hazard.SMOKE, Box(200, 200, 260, 260), 0.7)
    (hot,), (alone,) = two_eyes.together([heat], [smoke], overlay)
    assert (hot.hazard, hot.confidence, hot.sources) == (Hazard.FIRE, 0.8, ("thermal-contextual 2",))
    assert (alone.hazard, alone.confidence, alone.kind) == (Hazard.SMOKE, 0.7, "without heat")


def test_where_the_thermal_eye_did_not_look_nothing_is_without_heat(overlay, heat):
    beside = seen(Hazard.SMOKE, Box(20, 20, 60, 60), 0.7)
    _, (alone,) = two_eyes.together([heat], [beside], overlay)
    assert alone.kind == ""


PICTURE_PX = 1280 * 960


def told(colour: Detection, thermal: list[Detection], overlay: Overlay, *, warm_c: bool = True) -> bool:
    _, (found,) = two_eyes.together(thermal, [colour], overlay)
    return two_eyes.is_told(found, warm_c=warm_c, picture_px=PICTURE_PX)


def test_what_lies_over_heat_is_told_by_the_thermal_eye_alone(overlay, heat):
    assert two_eyes.is_told(heat, warm_c=False, picture_px=PICTURE_PX)
    assert not told(seen(Hazard.FIRE, Box(630, 470, 650, 490), 0.9), [heat], overlay)
    assert not told(seen(Hazard.SMOKE, Box(600, 380, 700, 470), 0.9), [heat], overlay)


def test_a_flame_that_is_not_warm_in_celsius_is_not_told_and_sure_smoke_is(overlay):
    flame, smoke = (seen(h, Box(630, 470, 650, 490), 0.9) for h in (Hazard.FIRE, Hazard.SMOKE))
    assert not told(flame, [], overlay)
    assert told(flame, [], overlay, warm_c=False)
    assert told(smoke, [], overlay)
    outside = replace(flame, box=Box(20, 20, 60, 60))
    assert told(outside, [], overlay)


def test_colour_alone_is_told_where_it_is_sure_enough(overlay):
    smoke = seen(Hazard.SMOKE, Box(630, 470, 650, 490), 0.55)
    assert told(smoke, [], overlay)
    assert not told(replace(smoke, confidence=0.54), [], overlay)
    flame = replace(smoke, hazard=Hazard.FIRE, confidence=0.5)
    assert told(flame, [], overlay, warm_c=False)
    assert not told(replace(flame, confidence=0.49), [], overlay, warm_c=False)
    assert two_eyes.is_told(
        replace(smoke, hazard=Hazard.FLOOD, confidence=0.3), warm_c=True, picture_px=PICTURE_PX
    )


def test_smoke_all_over_a_picture_without_heat_has_no_place(overlay):
    smoke = seen(Hazard.SMOKE, Box(40, 90, 1160, 870), 0.9)
    assert not told(smoke, [], overlay)
    assert told(smoke, [], overlay, warm_c=False)
    assert told(replace(smoke, box=Box(40, 90, 640, 870)), [], overlay)


def test_a_hot_spot_is_raised_by_nothing(overlay, heat):
    spot = replace(heat, hazard=Hazard.HOT_SPOT)
    flame = seen(Hazard.FIRE, Box(630, 470, 650, 490))
    (hot,), _ = two_eyes.together([spot], [flame], overlay)
    assert hot == spot


def fields(seed: int = 4) -> np.ndarray:
    """Return patches of ground with edges, as large as a colour picture."""
    rng = np.random.default_rng(seed)
    ground = np.full((960, 1280), 90, np.uint8)
    for _ in range(60):
        x, y, w, h = rng.integers((0, 0, 40, 40), (1200, 900, 300, 250))
        cv2.rectangle(ground, (int(x), int(y)), (int(x + w), int(y + h)), int(rng.integers(20, 235)), -1)
    return ground


def test_lenses_that_sit_apart_are_laid_over_each_other_by_their_edges(tmp_path, pose, camera):
    """The colour picture is moved by 12 and -8 pixels, and dark where the ground is warm."""
    ground = fields()
    overlay = Overlay(camera, COLOUR)
    x, y = np.meshgrid(np.arange(640) + 0.5, np.arange(512) + 0.5)
    at = overlay.pixels(np.column_stack([x.ravel(), y.ravel()])).astype(np.float32).reshape(512, 640, 2)
    warm = 40.0 - 0.1 * cv2.remap(ground, at[..., 0], at[..., 1], cv2.INTER_LINEAR).astype(np.float32)
    thermal = load(write_thermal(tmp_path / "a_T.tif", warm + 0.02 * meadow(), pose))
    moved = cv2.warpAffine(
        ground, np.float32([[1, 0, 12], [0, 1, -8]]), (1280, 960), borderMode=cv2.BORDER_REPLICATE
    )
    shot = replace(thermal.shot, camera=COLOUR)
    colour = Frame(shot, thermal.metadata, pixels=cv2.cvtColor(moved, cv2.COLOR_GRAY2RGB))
    found = two_eyes.overlaid(thermal, colour)
    assert found.shift_px == pytest.approx((12.0, -8.0), abs=2.0)


def test_where_the_pictures_have_nothing_in_common_the_cameras_word_stands(tmp_path, pose):
    thermal = load(write_thermal(tmp_path / "a_T.tif", meadow(), pose))
    colour = Frame(
        replace(thermal.shot, camera=COLOUR),
        thermal.metadata,
        pixels=np.random.default_rng(1).integers(0, 255, (960, 1280, 3)).astype(np.uint8),
    )
    assert two_eyes.overlaid(thermal, colour).shift_px == (0.0, 0.0)


def test_a_lens_nobody_knows_lays_nothing(tmp_path, pose):
    thermal = load(write_thermal(tmp_path / "a_T.tif", meadow(), None))
    assert two_eyes.overlaid(thermal, thermal) is None
