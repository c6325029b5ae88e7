"""Pieces of large pictures: they cover it, they are few, and doubles from their seams become one."""

import itertools

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from vision.tiling import LEAST_OVERLAP_PX, SIDE_PX, agreed, below_horizon, both, kept_by_mask, merged, tiles


@given(width=st.integers(1, 9000), height=st.integers(1, 7000))
@settings(max_examples=60, deadline=None)
def test_every_pixel_lies_in_some_piece_and_no_piece_leaves_the_picture(width, height):
    pieces = tiles(width, height)
    assert min(p.left_px for p in pieces) == min(p.top_px for p in pieces) == 0
    assert max(p.right_px for p in pieces) == width
    assert max(p.bottom_px for p in pieces) == height
    columns = sorted({(p.left_px, p.right_px) for p in pieces})
    rows = sorted({(p.top_px, p.bottom_px) for p in pieces})
    for cuts in (columns, rows):
        for (_, end), (begin, _) in itertools.pairwise(cuts):
            assert end - begin >= LEAST_OVERLAP_PX
    assert len(pieces) == len(columns) * len(rows)


def test_twelve_megapixels_take_fewer_pieces_than_a_fixed_overlap_of_a_fifth():
    assert len(tiles(4000, 3000)) == 35 < 48


def test_a_small_picture_is_one_piece():
    (piece,) = tiles(500, 300)
    assert (piece.right_px, piece.bottom_px) == (500, 300)


def test_pieces_of_mere_sky_are_left_out_but_for_the_share_that_smoke_rises_into():
    level = below_horizon(lambda x: 1500.0, margin_px=200)
    kept = tiles(4000, 3000, keeps=level)
    assert min(p.bottom_px for p in kept) > 1300
    assert len(kept) < len(tiles(4000, 3000))


def test_a_mask_keeps_the_pieces_that_touch_it():
    mask = np.zeros((3, 4), bool)
    mask[2, 3] = True
    kept = tiles(4000, 3000, keeps=kept_by_mask(mask, 4000, 3000))
    assert kept
    assert all(p.right_px > 3000 and p.bottom_px > 2000 for p in kept)


def test_two_tests_must_both_be_passed():
    nothing = both(lambda tile: True, lambda tile: False)
    assert tiles(4000, 3000, keeps=nothing) == ()
    assert len(tiles(4000, 3000, keeps=both(None, None))) == 35


def test_an_object_cut_by_a_seam_is_one_box_and_two_objects_stay_two():
    boxes = np.array([[0, 0, 100, 100], [60, 0, 100, 100], [300, 0, 400, 100], [5, 5, 100, 100]], np.float32)
    scores = np.array([0.9, 0.6, 0.8, 0.7], np.float32)
    kept = merged(boxes, scores, np.zeros(4, np.int64))
    assert kept.tolist() == [0, 2]


def test_smoke_over_its_fire_is_not_a_double_of_it():
    boxes = np.array([[0, 0, 100, 100], [0, 0, 100, 100]], np.float32)
    assert len(merged(boxes, np.array([0.9, 0.8], np.float32), np.array([0, 1]))) == 2


def test_no_boxes_give_none():
    empty = np.zeros((0, 4), np.float32)
    assert merged(empty, np.zeros(0, np.float32), np.zeros(0, np.int64)).tolist() == []


def test_the_side_suits_the_network():
    assert SIDE_PX % 64 == 0


def test_where_a_box_lies_is_agreed_by_all_nearly_as_sure_that_lie_there():
    """The surest is too small; what is unsure, elsewhere or of another class has no say."""
    boxes = np.array(
        [
            [20, 20, 90, 90],
            [0, 0, 90, 90],
            [10, 10, 100, 100],
            [0, 0, 60, 60],
            [300, 300, 400, 400],
            [0, 0, 99, 99],
        ],
        np.float32,
    )
    scores = np.array([0.9, 0.9, 0.9, 0.1, 0.8, 0.8], np.float32)
    kinds = np.array([0, 0, 0, 0, 0, 1])
    assert np.allclose(agreed(boxes, scores, kinds, 0), [10, 10, 280 / 3, 280 / 3], atol=0.1)
    assert np.allclose(agreed(boxes, scores, kinds, 4), boxes[4])
