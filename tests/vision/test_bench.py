"""The ground bench: its truth is true, and a short run holds its targets."""

import math

import numpy as np
import pytest
from shapely.geometry import Polygon

from missions.measure import Job, Raw, suite
from vision.bench import enrol, fronts, identity, photos, places, speed, truth
from vision.bench.identity import Told, pairs


@pytest.fixture
def job(tmp_path) -> Job:
    return Job(Raw(tmp_path), lambda _: None, quick=True)


def test_every_row_of_the_bench_has_a_group():
    enrol()
    wanted = {"single", "fused", "ellipse", "photos", "identity", "neighbours50", "absorb", "growth"}
    assert wanted <= set(suite("ground").groups)


def test_one_look_is_as_far_off_as_its_bound_allows():
    """225 looks, errors drawn: the mean square is the Cramér-Rao bound's within a fifth."""
    answers = places.singles(quick=True)
    measured = math.sqrt(float(np.mean([a.off_m**2 for a in answers])))
    allowed = math.sqrt(float(np.mean([a.bound_m2 for a in answers])))
    assert 0.8 < measured / allowed < 1.2


def test_the_bound_of_a_look_straight_down_is_the_errors_added():
    """100 m up: place 1.5·√2, tilt 0.5°·√2 of 100 m, half a pixel, each way; height and ground do nothing."""
    target = np.array([0.0, 0.0, 300.0])
    flat = truth.Waves(np.zeros(1), np.zeros((1, 2)), np.zeros(1))
    rng = np.random.default_rng(1)
    taken = truth.take(
        rng, truth.Drifts(rng), target, flat, azimuth_deg=0.0, off_nadir_deg=0.0, above_m=100.0, at_s=0.0
    )
    assert taken is not None
    each = math.hypot(1.5 * math.sqrt(2), math.radians(0.5 * math.sqrt(2)) * 100, 0.5 * 100 / 758)
    along = math.hypot(each, 0.5)  # 50 ms at 10 m/s
    assert truth.bound_m2([taken], target, flat) == pytest.approx(each**2 + along**2, rel=0.02)


def test_eight_looks_reach_their_bound_and_their_ellipses_hold():
    """Fifty objects: nine in ten inside at the least, and none of the ellipses is wide."""
    answers = places.fusions(True, 0)
    assert np.mean([a.is_inside for a in answers]) >= 0.9
    assert all(a.ellipse.major_m < 15 for a in answers)


def test_pair_precision_and_recall_count_pairs():
    """Source 1 in two incidents, source 2 mixed into one of them: 1 right pair of 2 together, of 1 + 1."""
    told = [Told(1, "a"), Told(1, "a"), Told(1, "b"), Told(2, "b")]
    precision, recall = pairs(told)
    assert precision == pytest.approx(1 / 2)
    assert recall == pytest.approx(1 / 3)


def test_a_short_run_keeps_fires_apart_and_together(job):
    rows = {r.name: r for r in identity.identity(job)}
    assert rows["identity.precision"].ok
    assert rows["identity.recall"].ok


def test_absorbing_is_measured(job):
    rows = {r.name: r for r in speed.rows(job)}
    assert rows["absorb.per_s"].value > 100
    assert rows["absorb.open"].value > 4_000


def test_the_simulated_fire_grows_downwind_and_never_shrinks():
    edges = fronts._burn(np.random.default_rng(4), [300.0, 1500.0, 3000.0])
    areas = [Polygon(e).area for e in edges]
    assert areas[0] < areas[1] < areas[2]


@pytest.mark.shared_data
def test_tie_points_of_real_photos_agree(job):
    if photos.data_folder() is None:
        pytest.skip("the real pictures in ../shared/data are not here")
    rows = {r.name: r for r in photos.rows(job)}
    assert rows["photos.ties"].value >= 30
    assert rows["photos.tie_inside"].ok
    assert rows["photos.footprints_drawn"].value == 3
