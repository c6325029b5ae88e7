"""From which score on a model's word counts."""

from dataclasses import replace

import numpy as np
import pytest

from tests.vision.detecting import GREEN, meadow, painted, tiny_model, write
from vision.detectors import runtime
from vision.labelled import LabelledPicture, load_rgb
from vision.train import thresholds


@pytest.fixture
def model(tmp_path):
    return runtime.load(tiny_model(tmp_path))


@pytest.fixture
def pictures(tmp_path):
    """Meadows with ever redder squares: the tiny detector is ever surer of them."""
    some = []
    for n in range(12):
        colour = (GREEN[0] + 15 * n, GREEN[1], GREEN[2])
        path = write(tmp_path / "images" / f"{n}.png", painted(meadow(), 128, 128, 64, colour))
        some.append(LabelledPicture(path, path.name, "test", path.stem, int(n > 6), 0, None))
    return some


def rounded(model, by):
    """Return a model that is less sure than another of all it says, as 8 bits may make it."""

    def run(planes):
        table, picture = model.run(planes)
        return table, picture * by

    return replace(model, run=run)


def scores(*values):
    return np.array(values, np.float32)


def test_the_threshold_is_the_lowest_that_is_as_good_as_the_best():
    said, truth = scores(0.1, 0.2, 0.6, 0.9), np.array([(0, 0), (0, 0), (1, 0), (1, 0)])
    assert thresholds.threshold(said, truth, 0) == pytest.approx(0.205, abs=0.006)


def test_a_threshold_that_alarms_too_often_is_passed_over_however_good():
    quiet = [0.5] * 10 + [0.1] * 90
    said, truth = scores(0.4, 0.45, 0.9, *quiet), np.array([(1, 0)] * 3 + [(0, 0)] * 100)
    assert 0.5 < thresholds.threshold(said, truth, 0) <= 0.9


def test_what_is_not_known_says_nothing_about_a_class():
    said, truth = scores(0.3, 0.6, 0.9), np.array([(0, 0), (-1, 1), (1, 0)])
    assert thresholds.threshold(said, truth, 0) < 0.4


def test_the_best_thresholds_part_the_pictures_with_from_those_without(model, pictures):
    limits = thresholds.best(model, pictures)
    said = [model.see_whole(pixels_of(p))[0].picture[0] for p in pictures]
    assert [score >= limits["fire"] for score in said] == [p.fire == 1 for p in pictures]


def test_pieces_pass_as_often_by_a_network_that_is_less_sure(model, pictures):
    limits = {"fire": 0.5, "smoke": 0.5}
    weaker = rounded(model, 0.6)
    found = thresholds.as_often(model, weaker, limits, pictures)
    assert found["fire"] < limits["fire"]
    said = np.array([weaker.see(pixels_of(p)).picture[0] for p in pictures])
    before = np.array([model.see(pixels_of(p)).picture[0] for p in pictures])
    assert abs(int((said >= found["fire"]).sum()) - int((before >= 0.5).sum())) <= 1


def pixels_of(picture):
    return load_rgb(picture.path)
