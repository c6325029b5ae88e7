"""Felled ground in single pictures: how cells are described, judged, learnt and scored."""

import csv
from pathlib import Path

import cv2
import numpy as np
import pytest

from missions.errors import InputWrong
from missions.model import LEAST_CONFIDENCE, Hazard
from vision import felled_cells, felled_ground, water_model
from vision.detectors import Abstained
from vision.detectors.felled import FelledLook, patches
from vision.evaluate import Request, evaluate
from vision.felled_ground import Judge
from vision.frame import load
from vision.scene import Scene
from vision.train import felled

WOOD = ("logging/drone_frames/I1_0018_043e7c82.jpg", "I1")
BRASH = ("logging/drone_frames/C_0085_c73e86d7.jpg", "C")


def drawn(*, trunks, seed=1):
    """Return a picture of rough green, or of brown with pale straight trunks."""
    rng = np.random.default_rng(seed)
    base = np.array((105, 88, 70) if trunks else (48, 92, 40), float)
    rough = cv2.GaussianBlur(rng.normal(0, 60, (256, 320)), (0, 0), 1.5)[..., None] * 3
    picture = np.clip(base + rough, 0, 255).astype(np.uint8)
    for x, y in rng.integers(0, 250, (40 if trunks else 0, 2)):
        cv2.line(picture, (int(x), int(y)), (int(x) + 60, int(y) + 22), (205, 195, 180), 2)
    return picture


def test_a_picture_is_cut_into_whole_cells_and_each_has_its_numbers():
    cells = felled_cells.described(drawn(trunks=False), water_model.shipped())
    assert cells.shape == (12, 16, 385)
    assert np.isfinite(cells).all()


def test_green_is_green_and_trunks_run_straight():
    shares = [
        [float(felled_cells.in_cells(b).mean()) for b in felled_cells._bands(felled_cells.fitted(p))][:2]
        for p in (drawn(trunks=False), drawn(trunks=True))
    ]
    (wood_green, wood_brown), (felled_green, felled_brown) = shares
    assert wood_green > felled_green
    assert felled_brown > wood_brown
    wood, brash = (
        np.mean(list(felled_cells._straightness(light)), axis=(1, 2))
        for light in (felled_cells._colours(drawn(trunks=t))[0][..., 0][:256, :320] for t in (False, True))
    )
    assert (brash > wood).all()


def test_a_judge_weighs_numbers_in_deviations_and_no_number_is_stranger_than_four():
    judge = Judge(np.float32([1, 0]), np.float32([2, 1]), np.float32([1, -1]), 0.5)
    likely = judge.likely(np.float32([[[1, 0], [3, 0], [1000, 0]]]))
    assert likely[0] == pytest.approx([1 / (1 + np.exp(-v)) for v in (0.5, 1.5, 4.5)], rel=1e-5)


def test_cells_are_labelled_by_boxes_and_rings(tmp_path: Path):
    boxes = tmp_path / "one.txt"
    boxes.write_text("0 0.25 0.5 0.5 1.0\n2 0.9 0 1 0 1 1 0.9 1", "utf-8")
    labels = felled.cleared(boxes, (8, 10))
    assert (labels[:, :5] == 1).all()
    assert (labels[:, 6:8] == -1).all()
    assert (labels[:, 9] == 0).all()


def test_a_judge_learns_to_tell_brash_from_wood():
    model = water_model.shipped()
    seen = [
        (trunks, felled_cells.described(drawn(trunks=trunks, seed=seed), model))
        for seed in range(4)
        for trunks in (False, True)
    ]
    every = [
        felled.Example("", str(i), t, True, cells, np.full(cells.shape[:2], int(t), np.int8))
        for i, (t, cells) in enumerate(seen)
    ]
    judge = felled.fit(every[:6])
    wood, brash = (felled_ground.share_of(judge.likely(e.cells)) for e in every[6:])
    assert wood < 0.05 < 0.95 < brash


def test_the_share_is_the_lowest_that_keeps_false_alarms_within_a_tenth():
    said, truth = [0.1] * 9 + [0.3] + [0.2, 0.4], [False] * 10 + [True] * 2
    limit = felled.share(said, truth)
    assert 0.1 < limit < 0.2


def test_patches_are_told_apart_the_largest_first():
    likely = np.zeros((10, 10), np.float32)
    likely[1:3, 1:3] = likely[5:9, 5:9] = 0.9
    likely[0, 9] = 0.9
    assert [p.sum() for p in patches(likely)] == [16, 4]


@pytest.mark.parametrize(
    ("index", "words"),
    [
        (None, "expected index.csv"),
        ("file,video\n", "expected rows with the columns"),
        ("file,video,cleared_by_eye,felled_logs_by_eye,machinery_by_eye\nnot_there,A,1,,\n", "not_there"),
    ],
)
def test_a_folder_that_cannot_be_scored_is_refused(index, words, tmp_path: Path):
    if index is not None:
        (tmp_path / "index.csv").write_text(index, "utf-8")
    with pytest.raises(InputWrong, match=words):
        evaluate("image", Request(tmp_path, lambda _: None, hazard=Hazard.LOGGING))


def test_a_picture_never_learnt_from_is_put_to_the_shipped_judge(tmp_path: Path):
    folder = tmp_path / "x" / "frames"
    folder.mkdir(parents=True)
    for name, trunks in (("wood", False), ("brash", True)):
        cv2.imwrite(str(folder / f"{name}.jpg"), drawn(trunks=trunks)[..., ::-1])
    rows = "file,video,cleared_by_eye,felled_logs_by_eye,machinery_by_eye\nwood,V,0,,\nbrash,A,,1,\n"
    (folder / "index.csv").write_text(rows, "utf-8")
    scores = evaluate("image", Request(folder, lambda _: None, hazard=Hazard.LOGGING, out=tmp_path / "out"))
    assert (scores["positives"], scores["negatives"]) == (1, 1)
    assert (scores["never_learnt_from"], scores["judged_without_their_video"]) == (1, 1)
    assert set(scores["by_video"]) == {"A", "V"}
    with (tmp_path / "out" / "logging.csv").open(encoding="utf-8") as file:
        assert [row["judged_without"] for row in csv.DictReader(file)] == ["", "A"]


@pytest.mark.shared_data
def test_a_clearing_is_told_from_a_wood_by_judges_that_saw_neither(shared: Path):
    model = felled_ground.shipped()
    shares = []
    for file, video in (WOOD, BRASH):
        pixels = cv2.imread(str(shared / file))[..., ::-1]
        shares.append(felled_ground.share_of(model.cells(np.ascontiguousarray(pixels), without=video)))
    assert shares[0] < model.share < shares[1]


@pytest.mark.shared_data
def test_without_a_baseline_a_clearing_is_a_suspicion_and_a_wood_says_nothing(shared: Path):
    look = FelledLook()
    found = look.detect(load(shared / BRASH[0]), Scene())
    assert not isinstance(found, Abstained)
    assert found
    assert all(0 < d.confidence < LEAST_CONFIDENCE and d.kind == "looks felled" for d in found)
    silent = look.detect(load(shared / WOOD[0]), Scene())
    assert isinstance(silent, Abstained)
    assert "without a baseline" in silent.reason
