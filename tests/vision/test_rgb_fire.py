"""Fire and smoke in colour pictures, by a detector whose answers are known."""

import json
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest

from missions.geo import LatLon
from missions.model import Camera, CameraPose, Hazard, Sensor
from missions.program import main
from tests.vision.detecting import PALE, meadow, painted, tiny_model, write
from vision.detectors import Abstained, runtime
from vision.detectors.rgb_fire import RgbFire, look
from vision.frame import Frame, load
from vision.scene import Scene


@pytest.fixture
def detector(tmp_path):
    return RgbFire(tiny_model(tmp_path))


@pytest.fixture
def frame(tmp_path):
    """Return a function from pixels to a frame."""
    return lambda pixels: load(write(tmp_path / "pictures" / "a.png", pixels))


def test_a_flame_is_fire_where_it_is(detector, frame):
    (fire,) = detector.detect(frame(painted(meadow(), 96, 64, 32)), Scene())
    assert fire.hazard is Hazard.FIRE
    assert (fire.box.left_px, fire.box.top_px, fire.box.right_px) == (96, 64, 128)
    assert fire.sensor is Sensor.RGB
    assert fire.confidence > 0.9


def test_every_score_carries_its_model_and_version(detector, frame):
    (fire,) = detector.detect(frame(painted(meadow(), 96, 64, 32)), Scene())
    assert fire.detector == detector.name == "rgb-fire tiny 7"
    assert fire.sources == ("rgb-fire tiny 7",)


def test_smoke_is_told_from_fire(detector, frame):
    (smoke,) = detector.detect(frame(painted(meadow(), 96, 64, 32, PALE)), Scene())
    assert smoke.hazard is Hazard.SMOKE


def test_a_meadow_holds_nothing(detector, frame):
    assert detector.detect(frame(meadow()), Scene()) == ()


def test_in_the_dark_it_abstains(detector, frame):
    said = detector.detect(frame(np.full((384, 512, 3), 5, np.uint8)), Scene())
    assert isinstance(said, Abstained)
    assert "dark" in said.reason


def test_without_a_model_it_says_so(frame, tmp_path, monkeypatch):
    monkeypatch.setattr(runtime, "SHIPPED", tmp_path / "none.onnx")
    said = RgbFire().detect(frame(meadow()), Scene())
    assert said == Abstained("no colour model is installed: give one with --model FILE")


def test_it_reads_colour_pictures_and_no_others(detector, frame):
    colour = frame(meadow())
    assert detector.reads(colour)
    assert not detector.reads(replace(colour, pixels=colour.pixels[..., 0]))
    thermal = replace(colour.shot, camera=replace(colour.shot.camera, sensor=Sensor.THERMAL))
    assert not detector.reads(replace(colour, shot=thermal))


def test_a_flame_too_small_for_the_whole_picture_is_found_in_its_piece(detector, frame):
    large = painted(meadow(2400, 1800), 1600, 992, 40)
    found = detector.detect(frame(large), Scene())
    assert found
    assert all(1560 <= fire.box.left_px < fire.box.right_px <= 1680 for fire in found)


def test_a_piece_counts_from_its_own_threshold_on(tmp_path, frame):
    large = frame(painted(meadow(2400, 1800), 1600, 992, 40))
    limits = {"fire": 0.5, "smoke": 0.5}
    strict = RgbFire(tiny_model(tmp_path, piece=dict.fromkeys(limits, 0.9999)))
    assert strict.detect(large, Scene()) == ()


def camera_of(sensor: Sensor, width: int, height: int, focal: float) -> Camera:
    return Camera("test", sensor, width, height, focal, width / 2, height / 2)


def posed(frame: Frame, *, pitch_deg: float) -> Frame:
    """Return the frame with a camera 100 m up that looks so far below the horizon."""
    height, width = frame.pixels.shape[:2]
    pose = CameraPose(LatLon(30.0, 110.0), 100.0, 0.0, pitch_deg)
    shot = replace(frame.shot, camera=camera_of(Sensor.RGB, width, height, width * 0.8), pose=pose)
    return replace(frame, shot=shot)


def test_a_glow_in_the_sky_is_not_searched_in_pieces(detector, frame):
    glow = painted(meadow(2400, 1800), 1600, 40, 40)
    assert detector.detect(posed(frame(glow), pitch_deg=-60.0), Scene())
    assert detector.detect(posed(frame(glow), pitch_deg=8.0), Scene()) == ()


def test_pieces_that_the_thermal_eye_saw_cold_are_left_out(detector, frame):
    seen = posed(frame(painted(meadow(2400, 1800), 1600, 992, 40)), pitch_deg=-90.0)
    celsius = np.full((512, 640), 21.0, np.float32)
    thermal = camera_of(Sensor.THERMAL, 640, 512, 640 * 0.8)
    shot = replace(seen.shot, camera=thermal, taken_at=datetime(2026, 7, 1, tzinfo=UTC))
    cold = Frame(shot, seen.metadata, celsius=celsius)
    assert detector.detect(seen, Scene(pair=cold)) == ()
    warm = celsius.copy()
    warm[round(1012 * 512 / 1800), round(1620 * 640 / 2400)] = 300.0
    assert detector.detect(seen, Scene(pair=replace(cold, celsius=warm)))


def test_what_a_mask_blacks_out_is_neither_searched_nor_told(tmp_path, capsys):
    picture = write(tmp_path / "a.png", painted(meadow(), 96, 64, 32))
    wish = ["inspect", str(picture), "--hazard", "fire", "--model", str(tiny_model(tmp_path)), "--json"]
    found = []
    for black in (slice(8, 24), slice(0, 8)):
        cells = np.full((24, 32, 3), 255, np.uint8)
        cells[black] = 0
        mask = write(tmp_path / "mask.png", cells)
        assert main([*wish, "--mask", str(mask)]) == 0
        found.append(len(json.loads(capsys.readouterr().out)["frames"][0]["detections"]))
    assert found == [1, 0]
    assert main([*wish, "--mask", str(tmp_path / "none.png")]) == 2


def test_one_look_tells_the_hundred_surest_of_a_class(tmp_path):
    """A hundred and fifty small flames side by side, each a little less sure than the one before."""
    at, sure = np.arange(150), np.linspace(0.99, 0.6, 150)
    ones = np.ones(150)
    table = np.stack([at % 15 * 30 + 16, at // 15 * 30 + 16, 20 * ones, 20 * ones, sure, 0 * ones])[None]
    model = replace(
        runtime.load(tiny_model(tmp_path)), run=lambda _: (np.float32(table), np.float32([[0.9, 0.1]]))
    )
    found = look(model, meadow())
    assert len(found.scores) == 100
    assert found.scores.min() ** 2 == pytest.approx(0.9 * sure[99], abs=1e-4)
