"""Crops that vehicles are learnt from: a box goes where its pixels go, and none lies on another."""

from pathlib import Path

import cv2
import numpy as np
import pytest

pytest.importorskip("torch", reason="needs the extra train")

from vision.train import vehicles as training
from vision.train.warm import CROP_PX
from vision.vehicle_pictures import LEARNT, VehiclePicture

PIXEL_M = 0.1


@pytest.fixture
def lot(tmp_path: Path) -> VehiclePicture:
    """Grey ground with three white cars on it, round at the corners, a pixel to ten centimetres."""
    pixels = np.random.default_rng(2).integers(50, 70, (600, 600, 3)).astype(np.uint8)
    boxes = np.array([[100, 100, 142, 120], [300, 250, 320, 292], [430, 460, 472, 480]], np.float32)
    for box in boxes:
        middle, size = (box[:2] + box[2:]) / 2, box[2:] - box[:2]
        cv2.ellipse(pixels, (tuple(map(float, middle)), tuple(map(float, size)), 0.0), (230, 230, 230), -1)
    path = tmp_path / "lot.png"
    cv2.imwrite(str(path), pixels)
    return VehiclePicture(path, "lot", LEARNT, boxes, PIXEL_M)


def inside(boxes: np.ndarray) -> np.ndarray:
    """Return the boxes that lie in a crop whole."""
    return boxes[((boxes >= 2) & (boxes <= CROP_PX - 2)).all(1)].round().astype(int)


def test_a_views_boxes_lie_on_its_vehicles(lot):
    one, shown = training._loaded(lot), 0
    for seed in range(20):
        crop, boxes = training.view(one, True, np.random.default_rng(seed))
        for left, top, right, bottom in inside(boxes):
            shown += 1
            assert crop[top:bottom, left:right].mean() > 160
            assert crop[top:bottom, max(0, left - 6) : left - 3].mean() < 100
    assert shown > 15


def test_vehicles_are_cut_out_and_set_down_beside_each_other(lot):
    cuts = training.cuts_of(lot)
    assert len(cuts) == len(lot.boxes)
    ground = np.full((CROP_PX, CROP_PX, 3), 40.0, np.float32)
    for seed in range(20):
        crop, boxes = training.set_down(
            ground, np.zeros((0, 4), np.float32), cuts, np.random.default_rng(seed)
        )
        assert 1 <= len(boxes) <= 4
        assert all(
            np.ptp(crop[top:bottom, left:right]) > 20 for left, top, right, bottom in boxes.astype(int)
        )
        for i, mine in enumerate(boxes):
            apart = (boxes[:i, :2] >= mine[2:]) | (boxes[:i, 2:] <= mine[:2])
            assert apart.any(1).all()
    assert (ground == 40).all()
