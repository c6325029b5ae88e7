"""Which models are run: those whose card speaks of the very file."""

import hashlib
import json
import lzma

import numpy as np
import pytest

from missions.errors import InputWrong
from missions.program import main
from tests.vision.detecting import FLAME, meadow, painted, tiny_model, write
from vision.detectors import runtime


def test_any_detector_with_a_card_is_run(tmp_path):
    model = runtime.load(tiny_model(tmp_path))
    seen = model.see(painted(meadow(), 64, 32, 64))
    assert model.title == "tiny 7"
    assert seen.boxes.shape == (16 * 12, 4)
    assert seen.boxes[seen.scores[:, 0].argmax()].tolist() == [64, 32, 96, 64]
    assert seen.picture[0] > 0.9 > 0.1 > seen.picture[1]


def test_a_model_that_is_not_its_cards_is_not_loaded(tmp_path):
    path = tiny_model(tmp_path)
    path.write_bytes(path.read_bytes() + b"\n")
    with pytest.raises(InputWrong, match="not loaded: its SHA-256"):
        runtime.load(path)


def packed_model(folder, data=None):
    """Return the tiny detector packed, with its card."""
    plain = tiny_model(folder)
    path = folder / "tiny.onnx.xz"
    path.write_bytes(lzma.compress(plain.read_bytes()) if data is None else data)
    card = json.loads(plain.with_suffix(".json").read_text("utf-8"))
    card["sha256"] = hashlib.sha256(path.read_bytes()).hexdigest()
    plain.with_suffix(".json").write_text(json.dumps(card), "utf-8")
    plain.unlink()
    return path


def test_a_packed_model_is_run(tmp_path):
    seen = runtime.load(packed_model(tmp_path)).see(painted(meadow(), 64, 32, 64))
    assert seen.boxes[seen.scores[:, 0].argmax()].tolist() == [64, 32, 96, 64]


@pytest.mark.parametrize("data", [b"not packed", lzma.compress(b"0" * 4096)[:60]])
def test_a_packed_model_that_cannot_be_unpacked_is_told(tmp_path, data):
    with pytest.raises(InputWrong, match="not unpacked"):
        runtime.load(packed_model(tmp_path, data))


def test_a_packed_model_without_bounds_is_not_unpacked(tmp_path, monkeypatch):
    monkeypatch.setattr(runtime, "LARGEST", 1000)
    with pytest.raises(InputWrong, match="larger than"):
        runtime.load(packed_model(tmp_path))


def test_a_model_without_a_card_is_not_loaded(tmp_path):
    path = tiny_model(tmp_path)
    path.with_suffix(".json").unlink()
    with pytest.raises(InputWrong, match=r"expected its card tiny\.json"):
        runtime.load(path)


@pytest.mark.parametrize("card", ["", "[]", "{}", '{"name": 1}', '{"classes": 3}'])
def test_a_card_that_is_none_is_told(tmp_path, card):
    path = tiny_model(tmp_path)
    path.with_suffix(".json").write_text(card, "utf-8")
    with pytest.raises(InputWrong, match="no model card"):
        runtime.load(path)


def test_a_file_that_is_no_model_is_told(tmp_path):
    path = tiny_model(tmp_path)
    card = json.loads(path.with_suffix(".json").read_text("utf-8"))
    path.write_bytes(b"not a model")
    card["sha256"] = "de0b0a8c5ef5b2b2a5f2e0e6d5a1d1b6f7ab39c7ea1e1b6b1a5b7ae1de0b0a8c"
    path.with_suffix(".json").write_text(json.dumps(card), "utf-8")
    with pytest.raises(InputWrong, match="not loaded"):
        runtime.load(path)


def test_a_model_is_named_to_inspect_by_its_file(tmp_path, capsys):
    picture = write(tmp_path / "a.png", painted(meadow(), 64, 32, 64))
    path = tiny_model(tmp_path)
    path.write_bytes(path.read_bytes() + b"\n")
    assert main(["inspect", str(picture), "--hazard", "smoke", "--model", str(path)]) == 2
    assert "not loaded" in capsys.readouterr().err


def test_a_picture_is_scaled_and_padded_to_whole_steps():
    canvas, scale = runtime.fitted(meadow(1000, 700), 640)
    assert canvas.shape == (448, 640, 3)
    assert scale == pytest.approx(0.64)


def test_night_is_dark_and_a_flame_in_it_is_not():
    night = np.full((400, 600, 3), 4, np.uint8)
    assert runtime.is_dark(night, 12.0)
    assert not runtime.is_dark(painted(night, 300, 200, 60, FLAME), 12.0)
    assert not runtime.is_dark(meadow(), 12.0)


def test_a_card_with_a_canvas_has_every_picture_shown_in_it(tmp_path):
    card = runtime.load(tiny_model(tmp_path, canvases_px=[[512, 384]])).card
    for width, height, scale in ((1000, 700, 0.512), (400, 800, 0.48), (100, 100, 3.84)):
        [(canvas, found)] = runtime.shown(meadow(width, height), card)
        assert canvas.shape == (384, 512, 3)
        assert found == pytest.approx(scale)


def test_a_picture_shown_large_and_small_is_answered_by_the_mean_of_their_log_odds(tmp_path):
    model = runtime.load(tiny_model(tmp_path, canvases_px=[[256, 192], [512, 384]]))
    picture = painted(meadow(), 256, 192, 3)
    said = np.array([model.see(canvas).picture for canvas, _ in runtime.shown(picture, model.card)])
    odds = np.sqrt(np.prod(said / (1 - said), axis=0))
    seen, scale = model.see_whole(picture)
    assert not np.allclose(said[0], said[1])
    assert np.allclose(seen.picture, odds / (1 + odds), atol=1e-4)
    assert scale == 1.0


def test_the_boxes_of_all_canvases_are_told_each_where_it_lies_in_the_picture(tmp_path):
    model = runtime.load(tiny_model(tmp_path, canvases_px=[[256, 192], [512, 384]]))
    picture = painted(meadow(), 256, 192, 32)
    small, large = (model.see(canvas) for canvas, _ in runtime.shown(picture, model.card))
    seen, scale = model.see_whole(picture)
    assert np.allclose(seen.boxes / scale, np.concatenate([small.boxes * 2, large.boxes]))
    assert np.array_equal(seen.scores, np.concatenate([small.scores, large.scores]))


def test_a_canvas_of_odd_sides_is_no_card(tmp_path):
    with pytest.raises(InputWrong, match="multiples of 64"):
        runtime.load(tiny_model(tmp_path, canvases_px=[[500, 384]]))
