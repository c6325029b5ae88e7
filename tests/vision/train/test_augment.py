"""Changed views keep their truth: what is in the pixels is in the boxes."""

import numpy as np
import pytest

from tests.vision.detecting import FLAME, meadow, painted
from vision.train import augment
from vision.train.augment import HEIGHT_PX, SMOKE, WIDTH_PX, View


@pytest.fixture
def burning() -> View:
    """A flame 60 pixels wide, 200 right and 100 down."""
    boxes = np.array([[0, 200, 100, 260, 160]], np.float32)
    return View(painted(meadow(), 200, 100, 60), boxes, (1, 0))


def flame_box(pixels: np.ndarray) -> list[int]:
    """Return where the flame's colour is."""
    rows, columns = np.nonzero(np.abs(pixels.astype(int) - FLAME).sum(2) < 60)
    return [int(v) for v in (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1)]


@pytest.mark.parametrize("quarters", [0, 1, 2, 3])
def test_turning_turns_the_boxes(burning, quarters):
    view = augment.turned(burning, quarters)
    assert view.boxes[0, 1:].tolist() == flame_box(view.pixels)


def test_mirroring_mirrors_the_boxes(burning):
    view = augment.mirrored(burning)
    assert view.boxes[0, 1:].tolist() == flame_box(view.pixels)


def test_shrinking_shrinks_the_boxes(burning):
    view = augment.shrunk(burning, np.random.default_rng(3))
    assert view.pixels.shape == (HEIGHT_PX, WIDTH_PX, 3)
    assert view.boxes[0, 1:] == pytest.approx(flame_box(view.pixels), abs=2)


def test_a_mosaic_holds_every_views_boxes(burning):
    plain = View(meadow(), np.zeros((0, 5), np.float32), (0, -1))
    view = augment.mosaic([burning, plain, plain, plain], np.random.default_rng(4))
    assert view.boxes[0, 1:] == pytest.approx(flame_box(view.pixels), abs=2)
    assert view.labels == (1, -1)


def test_a_mosaic_with_smoke_that_has_no_box_has_none_of_smoke(burning):
    smoking = View(meadow(), np.array([[1, 50, 50, 90, 90]], np.float32), (0, 1))
    unboxed = View(meadow(), np.zeros((0, 5), np.float32), (0, 1))
    view = augment.mosaic([burning, smoking, unboxed], np.random.default_rng(4))
    assert view.boxes[:, 0].tolist() == [0]
    assert view.labels == (1, 1)


def test_a_cut_without_the_fire_does_not_claim_fire(burning):
    for seed in range(40):
        view = augment.cut(burning, np.random.default_rng(seed))
        assert view.labels[0] == (1 if len(view.boxes) else -1)


def test_a_drawn_plume_is_labelled_smoke_and_lies_in_its_box():
    plain = View(meadow(), np.zeros((0, 5), np.float32), (0, 0))
    view = augment.plumed(plain, np.random.default_rng(8))
    assert view.labels == (0, 1)
    (kind, left, top, right, bottom) = view.boxes[0]
    changed = np.abs(view.pixels.astype(int) - plain.pixels).sum(2) > 100
    rows, columns = np.nonzero(changed)
    assert kind == SMOKE
    assert left <= columns.min() <= columns.max() <= right
    assert top <= rows.min() <= rows.max() <= bottom


def test_fog_has_no_edge_and_changes_no_truth(burning):
    pixels = augment.veiled(burning.pixels, np.random.default_rng(6))
    change = pixels.astype(int)[:, :100].mean(2) - burning.pixels.astype(int)[:, :100].mean(2)
    assert np.abs(np.diff(change, axis=0)).max() < 6


def test_the_same_seed_gives_the_same_light():
    one, two = (augment.in_other_light(meadow(), np.random.default_rng(7)) for _ in range(2))
    assert (one == two).all()
