"""Boxes learnt from drawn pictures in a handful of steps: stopped, resumed, shipped."""

import json

import cv2
import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs the extra train")
pytest.importorskip("onnx", reason="needs the extra train")

from tests.vision.detecting import meadow  # noqa: E402
from tests.vision.train.tables import write_labels, write_scored  # noqa: E402
from vision import labelled  # noqa: E402
from vision.detectors import runtime  # noqa: E402
from vision.train import box_fit, box_shipping  # noqa: E402

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore:Constant folding:UserWarning")

SMALL = ((256, 192), (192, 128))


@pytest.fixture
def course(tmp_path, monkeypatch):
    """Six pictures of a meadow with an orange rectangle, the last of them listed as scored."""
    monkeypatch.setattr(box_fit, "ROUNDS", SMALL)
    folder = tmp_path / "pictures"
    (folder / "made/images").mkdir(parents=True)
    (folder / "made/labels").mkdir()
    rows = []
    for i in range(6):
        pixels = np.array(meadow(256, 192))
        pixels[40 + i : 100, 60 + 8 * i : 140] = (255, 140, 0)
        name = f"made/images/p{i}.png"
        cv2.imwrite(str(folder / name), pixels[..., ::-1])
        left, top, right, bottom = (60 + 8 * i) / 256, (40 + i) / 192, 140 / 256, 100 / 192
        box = f"0 {(left + right) / 2} {(top + bottom) / 2} {right - left} {bottom - top}\n"
        (folder / f"made/labels/p{i}.txt").write_text(box, "utf-8")
        rows.append({"file": name, "fire": 1, "smoke": 0, "boxes": 1, "source": "made"})
    write_labels(folder, rows)
    listed = write_scored(tmp_path / "TRAINING.csv", folder / "made/images/p5.png", fire=1)
    return box_fit.Course((folder,), tmp_path / "run", runtime.SHIPPED, listed, steps=4, batch=3)


def test_what_is_listed_as_scored_is_never_learnt_from(course):
    learnt, aside = box_fit.pictures_of(course)
    assert [p.name for p in aside] == ["made/images/p5.png"]
    assert len(learnt) == 5


def test_without_boxes_to_learn_from_it_says_what_is_missing(course):
    for labels in (course.folders[0] / "made/labels").iterdir():
        labels.unlink()
    with pytest.raises(box_fit.InputWrong, match="complete boxes"):
        box_fit.pictures_of(course)


def test_a_training_that_was_stopped_goes_on_and_ends_where_it_would_have(course, tmp_path, monkeypatch):
    monkeypatch.setattr(box_fit, "_EVERY", 2)
    box_fit.train(course, resume=False, told=str)
    whole = box_fit.trained(course.out).state_dict()
    cut = box_fit.Course(**{**_fields(course), "out": tmp_path / "cut"})
    saved = box_fit.running.save

    def stopping(path, *parts, done, unit):
        saved(path, *parts, done=done, unit=unit)
        if done == 2:
            raise KeyboardInterrupt

    monkeypatch.setattr(box_fit.running, "save", stopping)
    with pytest.raises(KeyboardInterrupt):
        box_fit.train(cut, resume=True, told=str)
    box_fit.train(cut, resume=True, told=str)
    again = box_fit.trained(cut.out).state_dict()
    assert all(torch.allclose(whole[name].float(), again[name].float(), atol=1e-5) for name in whole)


def test_what_ships_is_its_cards_and_keeps_the_thresholds_for_pictures(course, tmp_path):
    box_fit.train(course, resume=False, told=str)
    path = box_shipping.ship(course.out, tmp_path, name="fire", version="9", told=str)
    model = runtime.load(path)
    old = json.loads(runtime.card_beside(runtime.SHIPPED).read_text("utf-8"))
    assert model.title == "fire 9"
    assert model.card.picture == old["picture"]
    assert model.card.piece == old["piece"]
    uses = {row[labelled.HASH]: row["use"] for row in labelled.listed(tmp_path / "TRAINING.csv")}
    assert sorted(uses.values()) == ["learnt"] * 5 + ["scored"]


def test_scores_are_bent_to_the_spread_of_those_before():
    before = np.linspace(0.3, 0.9, 50)
    odds = (np.log(before / (1 - before)) + 1.0) / 2
    slope, lift = box_shipping.bending(1 / (1 + np.exp(-odds)), before)
    assert (slope, lift) == pytest.approx((2.0, -1.0), abs=1e-6)
    assert box_shipping.bending(before[:2], before) == (1.0, 0.0)


def test_as_many_boxes_count_as_before():
    before, now = np.array([0.9, 0.5, 0.2, 0.1]), np.linspace(0.01, 0.5, 50)
    assert box_shipping.as_many(now, before, 0.15) == pytest.approx(0.48)
    assert box_shipping.as_many(now, before, 0.95) == 0.95


def _fields(course):
    return {name: getattr(course, name) for name in course.__slots__}
