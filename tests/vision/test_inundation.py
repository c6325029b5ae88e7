"""A flood beside a river: measured by the river's own look, its polygon moved onto it, trees filled in."""

from dataclasses import replace

import cv2
import numpy as np
import pytest
from affine import Affine

from tests.vision.grounds_drawn import chart, texture
from vision.chart import RGB, Grid, Mask
from vision.inundation import Day, aligned, bed_of, may_be_risen, risen
from vision.orthophoto import Projection

GRID = Grid("EPSG:32650", Affine(0.5, 0.0, 732_000.0, 0.0, -0.5, 3_352_000.0), 240, 200)
TEAL, BROWN, GREEN, PADDY = (70, 110, 105), (135, 115, 85), (80, 140, 60), (95, 115, 120)
RIVER, PADDIES = np.s_[:, 100:140], np.s_[20:80, 160:230]
FLOODED = np.s_[60:150, 70:100]


def day(water: tuple[int, int, int], *, flooded: bool = False, seed: int = 1) -> Day:
    """Return a picture of a river between meadows, a paddy beside it, and what a segmenter would say."""
    values = np.array(GREEN, float) + 3 * texture(GRID.shape, seed=4)[..., None]
    wet = np.zeros(GRID.shape, bool)
    for place, colour in ((PADDIES, PADDY), (RIVER, water), *(((FLOODED, water),) if flooded else ())):
        values[place] = np.array(colour) + texture(GRID.shape, seed=seed)[place][..., None]
        wet[place] = True
    return Day(chart(values, RGB, GRID), cv2.blur(wet.astype(np.float32), (5, 5)))


def polygon(*, off_px: int = 0) -> Mask:
    """Return the site's river, drawn so many pixels beside where it runs."""
    drawn = np.zeros(GRID.shape, bool)
    drawn[:, 100 + off_px : 140 + off_px] = True
    return drawn


def test_water_beyond_the_bed_is_found_to_its_edge_and_the_paddy_is_none_of_it():
    found = risen(day(BROWN, flooded=True), day(TEAL, seed=2), polygon(off_px=8), None)
    assert found is not None
    assert found.flooded[FLOODED].mean() > 0.9
    assert found.flooded.sum() == pytest.approx(90 * 30, rel=0.08)
    assert not found.flooded[PADDIES].any()


def test_a_river_in_its_bed_is_no_flood_whatever_its_colour_and_however_far_off_its_polygon():
    for now in (day(TEAL), day(BROWN)):
        for past in (day(TEAL, seed=2), None):
            found = risen(now, past, polygon(off_px=-10), None)
            assert found is not None
            assert not found.flooded.any()


def test_what_may_be_a_flood_is_told_without_the_past_and_a_river_in_its_bed_needs_none():
    for off_px in (-8, 0, 8):
        assert may_be_risen(day(BROWN, flooded=True), polygon(off_px=off_px)) is True
        assert may_be_risen(day(BROWN), polygon(off_px=off_px)) is False
    assert may_be_risen(day(BROWN), np.roll(polygon(), 119, axis=1)) is None, "hardly any of it is in sight"


def test_a_river_of_two_waters_is_not_every_colour_between_them():
    """Mud came into the clear river; a field has the colour between, and the segmenter errs on it."""
    now = day(BROWN)
    between = [(a + b) / 2 for a, b in zip(TEAL, BROWN, strict=True)]
    for place, colour in ((np.s_[100:, 100:140], TEAL), (FLOODED, between)):
        now.chart.values[place] = np.array(colour) + texture(GRID.shape, seed=6)[place][..., None]
    now.likely[FLOODED] = 0.6
    found = risen(now, day(TEAL, seed=2), polygon(), None)
    assert found is not None
    assert not found.flooded.any()


def test_without_an_earlier_picture_only_what_reaches_beyond_a_pose_counts():
    found = risen(day(BROWN, flooded=True), None, polygon(off_px=6), None)
    assert found is not None
    assert found.flooded[60:150, 72:90].mean() > 0.9


def test_a_tree_that_hides_the_edge_is_filled_where_the_ground_lies_below_the_water():
    now = day(BROWN, flooded=True)
    rows, columns = np.mgrid[: GRID.height, : GRID.width]
    tree = np.hypot(rows - 105, columns - 72) < 9
    crown = np.array((40, 80, 30)) + 18 * texture(GRID.shape, seed=8)[..., None]
    values = np.where(tree[..., None], np.clip(crown, 1, 255), now.chart.values).astype(np.uint8)
    now = Day(replace(now.chart, values=values), np.where(tree, 0, now.likely).astype(np.float32))
    height_m = (np.abs(columns - 120) * 0.05).astype(np.float32)
    found = risen(now, day(TEAL, seed=2), polygon(), height_m)
    assert found is not None
    assert found.flooded[tree & (columns > 74)].mean() > 0.95
    assert found.flooded[tree & (columns < 67)].mean() < 0.2


def test_the_bed_is_where_the_river_ran_and_not_where_its_polygon_was_drawn():
    bed = bed_of(day(TEAL), polygon(off_px=10))
    assert bed is not None
    assert (bed & polygon()).sum() / (bed | polygon()).sum() > 0.88


def test_too_little_river_in_the_picture_tells_nothing():
    assert risen(day(BROWN), None, np.zeros(GRID.shape, bool), None) is None


def test_a_polygon_is_moved_no_further_than_a_pose_can_be_off():
    everywhere = np.ones(GRID.shape, bool)
    moved = aligned(polygon(off_px=-90), polygon(), everywhere, 0.5)
    assert np.flatnonzero(moved[100]).min() <= 10 + 31


def test_a_ring_of_very_many_points_is_laid_into_the_picture():
    """OpenCV's own remapping ends at 32,767 points."""
    x, y = np.meshgrid(np.arange(240, dtype=np.float32), np.arange(200, dtype=np.float32))
    laid = Projection(GRID, 2 * x, 3 * y, np.ones(GRID.shape, bool))
    ring = np.full((40_000, 2), (10.5, 20.5))
    assert laid.to_picture(ring)[-1] == pytest.approx((20.0, 60.0))
