"""Scores per picture and per box on a folder whose answers are known."""

import json

import pytest

from missions.errors import InputWrong
from missions.model import Hazard
from tests.vision.detecting import PALE, meadow, painted, tiny_model, write
from vision import labelled
from vision.detectors import runtime
from vision.evaluate import Request, boxes, image


@pytest.fixture
def dataset(tmp_path):
    """Four pictures: fire, smoke, a meadow, and a meadow with a flame that the labels deny."""
    folder = tmp_path / "data"
    pictures = {
        "fire": painted(meadow(), 96, 64, 32),
        "smoke": painted(meadow(), 96, 64, 32, PALE),
        "plain": meadow(),
        "decoy": painted(meadow(), 320, 64, 32, (255, 0, 0)),
    }
    for name, pixels in pictures.items():
        write(folder / "a" / "images" / f"{name}.png", pixels)
    rows = ["file,fire,smoke,boxes,source"]
    rows += ["a/images/fire.png,1,-1,1,a", "a/images/smoke.png,0,1,1,a"]
    rows += ["a/images/plain.png,0,0,1,b", "a/images/decoy.png,0,0,1,b"]
    (folder / "image_labels.csv").write_text("\n".join(rows) + "\n", "utf-8")
    labels = folder / "a" / "labels"
    labels.mkdir()
    (labels / "fire.txt").write_text("0 0.21875 0.20833 0.0625 0.08333\n", "utf-8")
    (labels / "smoke.txt").write_text("1 0.21875 0.20833 0.0625 0.08333\n1 0.8 0.8 0.1 0.1\n", "utf-8")
    return folder


@pytest.fixture
def request_of(tmp_path, dataset):
    model = tiny_model(tmp_path)
    return lambda **more: Request(dataset, lambda words: None, model=model, **more)


def test_each_class_has_its_precision_and_recall_and_negatives_their_false_alarms(request_of):
    scores = image.evaluate(request_of())
    fire = {key: scores["fire"][key] for key in ("precision", "recall", "f1")}
    assert fire == {"precision": 0.5, "recall": 1.0, "f1": 0.6667}
    assert scores["smoke"]["f1"] == 1.0
    assert (scores["false_alarm_rate"], scores["negatives"], scores["images"]) == (0.5, 2, 4)
    assert (scores["fire"]["false_alarm_rate"], scores["smoke"]["false_alarm_rate"]) == (0.5, 0.0)


def test_what_is_not_known_is_left_out(request_of):
    """The first picture's smoke is -1: it is neither a hit nor a miss nor a false alarm."""
    assert image.evaluate(request_of())["smoke"]["positives"] == 1


def test_sources_are_scored_apart(request_of):
    by_source = image.evaluate(request_of())["by_source"]
    assert by_source["a"]["fire"]["f1"] == 1.0
    assert by_source["b"]["false_alarm_rate"] == 0.5
    assert by_source["b"]["fire"]["recall"] is None


def test_day_and_night_are_scored_apart(request_of):
    by_light = image.evaluate(request_of())["by_light"]
    assert (by_light["day"]["images"], by_light["night"]["images"]) == (4, 0)


def test_one_hazard_has_its_scores_on_top(request_of):
    scores = image.evaluate(request_of(hazard=Hazard.SMOKE))
    assert (scores["precision"], scores["recall"], scores["false_alarm_rate"]) == (1.0, 1.0, 0.0)
    assert scores["negatives"] == 2


def test_another_hazard_is_refused(request_of):
    with pytest.raises(InputWrong, match="scored for fire, smoke and logging"):
        image.evaluate(request_of(hazard=Hazard.WILDLIFE))


def test_curves_and_answers_are_written(request_of, tmp_path):
    image.evaluate(request_of(out=tmp_path))
    assert (tmp_path / "image_fire.png").stat().st_size > 5000
    lines = (tmp_path / "image.csv").read_text("utf-8").splitlines()
    assert lines[0].startswith("file,source,fire,smoke,fire_likely")
    assert len(lines) == 5


def test_boxes_are_matched_surest_first_and_each_truth_once(request_of):
    scores = boxes.evaluate(request_of())
    assert scores["fire"]["boxes"] == 1
    assert scores["fire"]["ap50"] == pytest.approx(0.5, abs=0.01)  # the decoy is surer than the fire
    assert scores["smoke"]["ap50"] == pytest.approx(0.5, abs=0.01)  # one of two plumes
    assert scores["by_source"]["b"]["fire"] == {"ap50": None, "ap30": None, "boxes": 0}


def test_without_a_model_the_way_to_name_one_is_told(dataset, tmp_path, monkeypatch):
    monkeypatch.setattr(runtime, "SHIPPED", tmp_path / "none.onnx")
    with pytest.raises(InputWrong, match="--model FILE"):
        image.evaluate(Request(dataset, print))


def test_a_folder_without_a_table_is_refused(tmp_path, request_of):
    with pytest.raises(InputWrong, match=r"expected image_labels\.csv"):
        image.evaluate(Request(tmp_path, print, model=request_of().model))


def test_to_learn_from_every_picture_must_be_there(dataset):
    (dataset / "a" / "images" / "plain.png").unlink()
    with pytest.raises(InputWrong, match=r"line 4: a/images/plain\.png is not there"):
        labelled.read(dataset)


def test_a_picture_that_cannot_be_had_counts_against_us_and_the_rest_is_scored(dataset, request_of, tmp_path):
    (dataset / "a" / "images" / "fire.png").write_bytes(b"")
    (dataset / "a" / "images" / "plain.png").unlink()
    scores = image.evaluate(request_of(out=tmp_path))
    assert json.loads(json.dumps(scores))["skipped"] == 2
    assert (scores["images"], scores["by_light"]["night"]["images"]) == (4, 0)
    assert (scores["fire"]["recall"], scores["smoke"]["recall"]) == (0.0, 1.0)
    assert (scores["false_alarm_rate"], scores["fire"]["false_alarm_rate"]) == (1.0, 1.0)
    found = boxes.evaluate(request_of())
    assert (found["fire"]["ap50"], found["smoke"]["boxes"]) == (0.0, 2)
