"""The other way to train, by ultralytics: what it learns from, its card, and a training to its end."""

import importlib.util
import json
import shutil

import cv2
import numpy as np
import pytest

from missions.errors import InputWrong
from missions.program import main
from vision import labelled
from vision.detectors import runtime
from vision.train import commands, yolo

ROWS = ("near/a1.png,1,0", "near/a2.png,-1,0", "near/a3.png,0,0", "far/b1.png,1,1", "far/b2.png,0,0")


@pytest.fixture
def pictures(tmp_path):
    folder = tmp_path / "pictures"
    rng = np.random.default_rng(1)
    for source in ("near", "far"):
        (folder / source / "images").mkdir(parents=True)
        (folder / source / "labels").mkdir()
    lines = ["file,fire,smoke,boxes"]
    for row in ROWS:
        name = row.split(",")[0].replace("/", "/images/")
        cv2.imwrite(str(folder / name), rng.integers(0, 255, (64, 64, 3), np.uint8))
        lines.append(f"{name},{row.split(',', 1)[1]},1")
    (folder / "near/labels/a1.txt").write_text("0 0.5 0.5 0.25 0.5\n")
    (folder / "far/labels/b1.txt").write_text("0 0.5 0.5 0.5 0.5\n1 0.5 0.25 0.5 0.5\n")
    (folder / "image_labels.csv").write_text("\n".join(lines) + "\n")
    return folder


def course(pictures, tmp_path, **more):
    start = tmp_path / "start.pt"
    return yolo.Course((pictures,), tmp_path / "run", start, **{"held_out": ("far",), "side_px": 64} | more)


def test_what_is_not_known_is_left_out_and_a_source_is_on_one_side_only(pictures, tmp_path):
    learnt, aside = yolo.pictures_of(course(pictures, tmp_path))
    assert {p.path.name for p in learnt} <= {"a1.png", "a3.png"}
    assert {"b1.png", "b2.png"} <= {p.path.name for p in aside}
    assert not {p.group for p in learnt} & {p.group for p in aside}


def test_fire_without_its_box_teaches_no_boxes(pictures):
    (pictures / "near/labels/a1.txt").write_text("")
    taught = {p.path.name for p in labelled.read(pictures) if yolo.teaches_boxes(p)}
    assert taught == {"a3.png", "b1.png", "b2.png"}


def test_a_dataset_has_a_label_file_for_each_picture_empty_where_nothing_burns(pictures, tmp_path):
    near, far = (
        [p for p in labelled.read(pictures) if p.source == s and yolo.teaches_boxes(p)]
        for s in ("near", "far")
    )
    said = json.loads(yolo.written(tmp_path / "set", near, far).read_text())
    assert said["names"] == ["fire", "smoke"]
    labels = tmp_path / "set/labels"
    assert (labels / "train/000000.txt").read_text() == "0 0.500000 0.500000 0.250000 0.500000\n"
    assert (labels / "train/000001.txt").read_text() == ""
    assert len((labels / "val/000000.txt").read_text().splitlines()) == 2
    assert (tmp_path / "set/images/train/000000.png").read_bytes() == near[0].path.read_bytes()


def test_with_nothing_kept_aside_no_training_begins(pictures, tmp_path):
    with pytest.raises(InputWrong, match="--held-out"):
        yolo.pictures_of(course(pictures, tmp_path, held_out=("near", "far")))


def test_a_card_names_the_licence_and_is_one_that_models_are_loaded_by(tmp_path):
    model = tmp_path / "yolo.onnx"
    shutil.copyfile(runtime.SHIPPED, tmp_path / "ours.onnx.xz")
    model.write_bytes(runtime.unpacked(tmp_path / "ours.onnx.xz", runtime.SHIPPED.read_bytes()))
    limits = {"fire": 0.5, "smoke": 0.25}
    yolo.write_card(model, name="yolo", version="1", side_px=320, picture=limits)
    card = runtime.load(model).card
    assert (card.licence, card.longest_px, card.picture) == ("AGPL-3.0", 320, limits)


def test_without_ultralytics_the_way_to_get_it_is_told(pictures, tmp_path, capsys, monkeypatch):
    found = importlib.util.find_spec
    monkeypatch.setattr(
        commands.importlib.util, "find_spec", lambda name: None if name == "ultralytics" else found(name)
    )
    start = tmp_path / "start.pt"
    start.write_bytes(b"")
    asked = ["train", str(pictures), "--task", "fire", "--with", "ultralytics", "--start", str(start)]
    assert main(asked) == 2
    said = capsys.readouterr().err
    assert "ultralytics" in said
    assert "pip install 'gridpatrol[train]'" in said


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["--with", "dreams"], "--with: found dreams, expected own or ultralytics"),
        (["--with", "ultralytics"], "expected --start FILE"),
        (["--side", "100"], "--side: found 100, expected a multiple of 64"),
    ],
)
def test_a_wrong_option_is_refused(pictures, more, said, capsys):
    assert main(["train", str(pictures), "--task", "fire", *more]) == 2
    assert said in capsys.readouterr().err


@pytest.mark.filterwarnings("ignore")  # PyTorch and ultralytics warn of each other
def test_a_training_resumes_and_what_it_exports_is_loaded(pictures, tmp_path):
    torch = pytest.importorskip("torch", reason="needs the extra train")
    pytest.importorskip("ultralytics", reason="needs the extra train")
    began = course(pictures, tmp_path, rounds=1, batch=2)
    yolo._offline(began.out)
    from ultralytics.nn.tasks import DetectionModel

    state = DetectionModel("yolov5n.yaml", nc=80, verbose=False).state_dict()
    torch.save({name: tensor.half() for name, tensor in state.items()}, began.start)
    told = []
    yolo.train(began, resume=False, told=told.append)
    assert any("yolov5n.yaml, loaded by name" in line for line in told)
    last = yolo.train(course(pictures, tmp_path, rounds=2, batch=2), resume=True, told=told.append)
    assert yolo._rounds_done(last) == 2
    (tmp_path / "model").mkdir()
    path = yolo.ship(began.out, tmp_path / "model", name="yolo", version="1", told=told.append)
    seen, _ = runtime.load(path).see_whole(np.zeros((64, 96, 3), np.uint8))
    assert seen.scores.shape[1] == len(yolo.CLASSES)
