"""Forest that is gone: told from a river that moved, from seasons and snow, and from what a permit covers."""

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest
from affine import Affine
from shapely.geometry import box

from missions.geo import Area
from missions.layers import NamedArea, Permit, ReferenceLayers
from missions.model import Hazard
from tests.vision.grounds_drawn import GRID, SEEN_AT, chart, forest, frame_of, texture
from vision import canopy, timber
from vision.baselines import Before
from vision.baselines.single import ChartBaseline
from vision.canopy import Loss, Untold
from vision.charted import area_m2
from vision.comparison import Compared, Laid
from vision.detectors import Abstained
from vision.detectors.logging import Felling, is_an_end
from vision.expected import along
from vision.orthophoto import Projection
from vision.registration import Registered
from vision.scene import Scene

CLEARED = np.s_[80:110, 120:170]
CLEARED_M2 = 30 * 50 * 25.0


def looked(now, before, **known):
    return Felling().detect(frame_of(now), Scene(baseline=ChartBaseline(before), **known))


def test_cleared_forest_is_found_with_area_trees_and_timber_in_intervals():
    (found,) = looked(forest(cleared=CLEARED), forest())
    assert found.hazard is Hazard.LOGGING
    assert area_m2(found.ground) == pytest.approx(CLEARED_M2, rel=0.1)
    for name in ("area_m2", "trees", "timber_m3"):
        low, middle, high = found.facts[name]
        assert low < middle < high
    assert found.facts["compared_with"] == "drawn.tif"
    assert found.facts["not_told"][0] == "tracks"  # five metres a pixel


def test_intact_forest_is_no_felling():
    assert looked(forest(), forest()) == ()


def test_forest_that_the_river_took_is_not_felled():
    """The river moved by its own width: what it drowned and the bank it cut are its own work."""
    loss = canopy.lost(forest(river_x=40), forest(river_x=52))
    assert isinstance(loss, Loss)
    assert loss.river.sum() > 1000
    assert not loss.felled.any()


def test_another_season_moves_the_whole_forest_and_is_no_felling():
    loss = canopy.lost(forest(), forest(season=0.35))
    assert isinstance(loss, Untold) or not loss.felled.any()


def test_felling_shows_through_a_slight_change_of_season():
    loss = canopy.lost(forest(), forest(cleared=CLEARED, season=0.1))
    assert isinstance(loss, Loss)
    assert loss.felled[CLEARED].mean() > 0.9


LEAVES, TURNED, SOIL = (45.0, 80.0, 35.0), (105.0, 60.0, 28.0), (170.0, 140.0, 105.0)
CROP = (48.0, 92.0, 38.0)
FINE = replace(GRID, transform=Affine(0.5, 0.0, 732_000.0, 0.0, -0.5, 3_352_000.0))


def wood(**patches):
    """Return a colour chart of crowns, half a metre a pixel, with patches that turned or lie bare."""
    light = 1 + 0.22 * texture(seed=5, wave_px=1.5)[..., None]
    bands = np.array(LEAVES) * light
    for colour, where in patches.values():
        rough = 0.03 if colour in (SOIL, CROP) else 0.22
        bands[where] = np.array(colour) * (1 + rough * texture(seed=6)[where][..., None])
    return chart(bands, ("red", "green", "blue"), FINE)


def test_a_stand_that_autumn_turns_is_not_felled_and_bare_ground_beside_it_is():
    turned, bare = np.s_[40:90, 30:90], np.s_[120:160, 140:190]
    loss = canopy.lost(wood(), wood(autumn=(TURNED, turned), felled=(SOIL, bare)))
    assert isinstance(loss, Loss)
    assert loss.felled[bare].mean() > 0.8
    assert not loss.felled[turned].any()


@pytest.mark.parametrize(("was", "share"), [(CROP, 0.0), (LEAVES, 1.0)])
def test_a_field_at_the_woods_edge_that_lies_bare_is_not_felled_and_forest_there_is(was, share):
    """Near crowns a field's brightness scatters as theirs does, but to one side it is smooth."""
    strip = np.s_[60:150, 100:124]
    loss = canopy.lost(wood(before=(was, strip)), wood(now=(SOIL, strip)))
    assert isinstance(loss, Loss)
    assert loss.stood[strip].mean() > 0.5
    assert loss.felled[strip].mean() == pytest.approx(share, abs=0.15)


@pytest.mark.parametrize(
    ("left_m", "side_m", "is_by_camera", "is_end"),
    [(0.0, 10.0, True, True), (9.0, 10.0, True, False), (0.0, 13.0, True, False), (0.0, 10.0, False, False)],
)
def test_a_small_bit_that_a_pictures_border_cuts_is_left_to_the_next_picture(
    left_m, side_m, is_by_camera, is_end
):
    now = wood()
    by = Projection(FINE, *(np.zeros(FINE.shape, np.float32),) * 2, now.known) if is_by_camera else None
    before = Before(now, "before.tif", SEEN_AT)
    pair = Compared(before, now, Registered(np.eye(3), 0.1, 1.0, 9, 0.0), Laid(now, by))
    shape = box(*(np.array([left_m, 20.0, left_m + side_m, 20.0 + side_m]) / FINE.pixel_m))
    assert is_an_end(shape, pair) is is_end


def test_a_look_without_bare_ground_in_the_wood_needs_no_comparing():
    bare, elsewhere = np.zeros(FINE.shape, bool), np.zeros(FINE.shape, bool)
    bare[60:100, 100:140], elsewhere[150:190, 10:60] = True, True
    now = wood(felled=(SOIL, np.s_[60:100, 100:140]))
    assert canopy.may_be_lost(now, bare)
    assert not canopy.may_be_lost(now, elsewhere)
    assert not canopy.may_be_lost(wood(autumn=(TURNED, np.s_[60:100, 100:140])), elsewhere)


def test_snow_is_said():
    white = replace(forest(), values=np.full((*GRID.shape, 4), 230, np.uint8))
    loss = canopy.lost(forest(), white)
    assert isinstance(loss, Untold)
    assert "snow" in loss.reason


def test_without_a_baseline_it_abstains():
    answer = Felling().detect(frame_of(forest()), Scene())
    assert isinstance(answer, Abstained)
    assert "no baseline" in answer.reason


def test_a_permit_in_force_allows_and_one_that_ended_does_not():
    ring = np.array([[100, 60], [200, 60], [200, 130], [100, 130]], float)
    area = Area(along(GRID, ring))
    permit = Permit("p", {"en-US": "p"}, area, SEEN_AT - timedelta(days=9), SEEN_AT + timedelta(days=1))
    assert looked(forest(cleared=CLEARED), forest(), references=ReferenceLayers(permits=(permit,))) == ()
    over = replace(permit, until_at=SEEN_AT - timedelta(hours=1))
    (found,) = looked(forest(cleared=CLEARED), forest(), references=ReferenceLayers(permits=(over,)))
    assert "none covers" in str(found.facts["permits"])


def test_of_a_felling_across_a_permits_border_only_the_rest_is_told():
    """The permit ends in the middle of the cleared ground, 25 of its 50 columns."""
    ring = np.array([[100, 60], [145, 60], [145, 130], [100, 130]], float)
    permit = Permit(
        "p", {}, Area(along(GRID, ring)), SEEN_AT - timedelta(days=1), SEEN_AT + timedelta(days=1)
    )
    (found,) = looked(forest(cleared=CLEARED), forest(), references=ReferenceLayers(permits=(permit,)))
    outside = 30 * (25 - 6.0 / GRID.pixel_m) * GRID.pixel_m2
    assert area_m2(found.ground) == pytest.approx(outside, rel=0.1)
    assert found.facts["area_m2"][1] == pytest.approx(outside, rel=0.1)
    west = GRID.polygon(found.ground).bounds[0]
    assert west >= 145


def test_a_crop_cut_outside_the_sites_forest_is_no_felling():
    """The compartment ends in the middle of the cleared ground, 25 of its 50 columns."""
    corners = np.array([[0, 0], [145, 0], [145, 200], [0, 200]], float)
    for ring, share in ((corners, 0.5), (corners - (400, 0), 0.0)):
        wood = NamedArea("c", "compartment", {"en-US": "c"}, Area(along(GRID, ring)))
        told = looked(forest(cleared=CLEARED), forest(), references=ReferenceLayers(compartments=(wood,)))
        assert sum(area_m2(one.ground) for one in told) == pytest.approx(share * CLEARED_M2, rel=0.15)


def test_a_permit_holds_from_its_first_moment_to_before_its_last():
    ring = np.array([[100, 60], [200, 60], [200, 130], [100, 130]], float)
    area, a_moment = Area(along(GRID, ring)), timedelta(seconds=1)
    for begins, ends, is_silent in (
        (SEEN_AT, SEEN_AT + a_moment, True),
        (SEEN_AT - a_moment, SEEN_AT, False),
        (SEEN_AT + a_moment, SEEN_AT + 2 * a_moment, False),
    ):
        layers = ReferenceLayers(permits=(Permit("p", {}, area, begins, ends),))
        assert (looked(forest(cleared=CLEARED), forest(), references=layers) == ()) is is_silent


def test_a_track_out_of_a_clearing_is_told_and_what_was_not_learnt_is_named():
    clearing, strip = np.s_[60:110, 60:110], np.s_[82:90, 110:160]
    felled = wood(clearing=(SOIL, clearing), strip=(SOIL, strip))
    (found,) = looked(felled, wood())
    assert found.facts["track_m"] == pytest.approx(25.0, abs=6.0)
    assert 2.0 < found.facts["track_wide_m"] < 6.0
    assert found.kind == ""
    assert "stacks" in found.facts["not_told"]
    (alone,) = looked(wood(strip=(SOIL, np.s_[82:90, 40:200])), wood())
    assert alone.kind == "track"


def test_crowns_are_counted_where_pixels_are_fine_enough():
    grey = np.full((100, 100), 60, np.uint8)
    for y in range(10, 100, 20):
        for x in range(10, 100, 20):
            grey[y - 3 : y + 4, x - 3 : x + 4] = 160
    everywhere = np.ones((100, 100), bool)
    assert timber.crowns(grey, everywhere, 0.3) == 25
    assert timber.crowns(grey, everywhere, 2.0) is None


def test_intervals_keep_their_order():
    area = timber.area_interval(1000.0, 140.0, 0.8)
    assert area[0] < 1000.0 < area[2]
    assert timber.trees(area, None) == tuple(sorted(timber.trees(area, None)))
    assert timber.trees(area, 40)[1] == round(40 * timber.TREES_A_TOP[1])
