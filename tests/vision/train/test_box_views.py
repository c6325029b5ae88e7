"""Views that boxes are learnt from: framed as the detector frames them, their truth moved along."""

import cv2
import numpy as np
import pytest

from vision.labelled import LabelledPicture
from vision.train import box_views
from vision.train.augment import GREY, View

CANVAS = (128, 64)


@pytest.fixture
def pictures(tmp_path):
    """Three pictures of 200 × 100, a box of fire over the right half of each."""
    result = []
    for i in range(3):
        pixels = np.full((100, 200, 3), 40 * i, np.uint8)
        pixels[:, 100:] = (0, 128, 255)
        cv2.imwrite(str(tmp_path / f"{i}.png"), pixels)
        boxes = np.array([[0, 0.75, 0.5, 0.5, 1.0]], np.float32)
        result.append(LabelledPicture(tmp_path / f"{i}.png", f"{i}.png", "made", f"made/{i}", 1, 0, boxes))
    return result


def brightness(pixels):
    """Stand for the frozen network: counts at stride 8."""
    return {"fine8": pixels[::8, ::8].transpose(2, 0, 1)}


def test_a_varied_view_keeps_its_box_about_what_it_was_drawn_around(pictures):
    for i in range(20):
        view = box_views.varied(pictures[0], CANVAS, np.random.default_rng(i))
        assert view.pixels.shape == (64, 128, 3)
        for _, left, top, right, bottom in view.boxes.astype(int):
            red, _, blue = view.pixels[top + 1 : bottom - 1, left + 1 : right - 1].mean((0, 1))
            assert red - blue > 15


def test_what_lies_outside_is_cut_off_and_the_rest_is_grey():
    view = View(np.zeros((100, 200, 3), np.uint8), np.array([[0, 0, 0, 200, 100]], np.float32), (1, 0))
    framed = box_views.framed(view, CANVAS, 0.5, 64.0, -10.0)
    assert framed.boxes.tolist() == [[0, 64, 0, 128, 40]]
    assert (framed.pixels[:, :64] == GREY).all()
    assert (framed.pixels[40:, 64:] == GREY).all()
    assert (framed.pixels[:40, 64:] == 0).all()


def test_a_class_whose_boxes_are_nearly_all_cut_off_is_not_known():
    view = View(np.zeros((100, 200, 3), np.uint8), np.array([[1, 150, 0, 200, 100]], np.float32), (0, 1))
    framed = box_views.framed(view, CANVAS, 0.5, 48.0, 0.0)
    assert framed.labels == (0, -1)
    assert framed.boxes.shape == (0, 5)


def test_a_round_that_was_cut_short_goes_on_where_it_stopped(pictures, tmp_path):
    whole = box_views.round_of(tmp_path / "one", "r", pictures, brightness, canvas=CANVAS, seed=5, told=str)
    shown = []

    def stopping(pixels):
        shown.append(1)
        return brightness(pixels)

    folder = tmp_path / "two"
    box_views.round_of(folder, "r", pictures, stopping, canvas=CANVAS, seed=5, told=str)
    lines = (folder / "r.jsonl").read_text("utf-8").splitlines()
    (folder / "r.jsonl").write_text(lines[0] + "\n", "utf-8")
    shown.clear()
    again = box_views.round_of(folder, "r", pictures, stopping, canvas=CANVAS, seed=5, told=str)
    assert len(shown) == 1 + 2  # one to know the shapes, two that were missing
    assert np.array_equal(again.features["fine8"], whole.features["fine8"])
    assert all(np.array_equal(a, b) for a, b in zip(again.boxes, whole.boxes, strict=True))
