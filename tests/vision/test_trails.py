"""Tracks: long narrow strips of felled ground; clearings, ragged edges and coarse pixels are none."""

import cv2
import numpy as np
import pytest

from vision.trails import trails

PIXEL_M = 0.2


def ground(*lines: tuple[tuple[float, float], tuple[float, float], float], clearing_m: float = 0.0):
    """Return a mask of 60 m with strips (from, to, width in metres) and a round clearing in its middle."""
    mask = np.zeros((300, 300), np.uint8)
    for start, end, wide_m in lines:
        ends = [tuple(round(v / PIXEL_M) for v in at) for at in (start, end)]
        cv2.line(mask, *ends, 1, round(wide_m / PIXEL_M))
    if clearing_m:
        cv2.circle(mask, (150, 150), round(clearing_m / PIXEL_M), 1, -1)
    return mask > 0


def test_a_strip_out_of_a_clearing_is_a_track_with_its_length_and_width():
    (found,) = trails(ground(((30, 30), (56, 30), 3.4), clearing_m=9.0), PIXEL_M)
    assert found.long_m == pytest.approx(56 - 30 - 9, abs=2.0)
    assert found.wide_m == pytest.approx(3.4, abs=0.4)
    assert 39.0 < found.middle.x * PIXEL_M < 56.0


@pytest.mark.parametrize(
    "mask",
    [
        ground(clearing_m=9.0),
        ground(((5, 30), (55, 30), 12.0)),
        ground(((30, 30), (44, 30), 3.4), clearing_m=9.0),
        ground(((5, 30), (55, 30), 1.0)),
    ],
    ids=["a clearing", "a broad lane", "a short spur", "a footpath"],
)
def test_what_is_too_broad_too_short_or_too_thin_is_no_track(mask):
    assert trails(mask, PIXEL_M) == []


def test_pixels_too_coarse_to_show_one_tell_none():
    assert trails(ground(((5, 30), (55, 30), 3.4)), 1.5) == []
