"""The bench of tiles: what it says where it cannot run, and what it counts as found."""

import numpy as np
import pytest

from missions.measure import Job, Raw
from vision.bench import tiles
from vision.detectors.rgb_fire import Candidates


def test_without_the_pictures_its_rows_are_skipped_with_the_reason(tmp_path, monkeypatch):
    monkeypatch.setattr(tiles, "DATA", tmp_path)
    rows = list(tiles.rows(Job(Raw(None), print, quick=True)))
    assert [row.name for row in rows] == ["tiles.mp_s_ratio", "tiles.recall_loss"]
    assert all("../shared/data" in str(row.skipped) for row in rows)


@pytest.mark.parametrize(("left", "kind", "is_found"), [(100, 0, True), (150, 0, False), (100, 1, False)])
def test_an_object_is_found_by_a_box_of_its_class_that_overlaps_enough(left, kind, is_found):
    truth = np.array([[100, 100, 180, 180, 0]], np.float32)
    box = np.array([[left, 100, left + 80, 180]], np.float32)
    answer = Candidates(box, np.ones(1, np.float32), np.array([kind]))
    assert tiles.found_of(answer, truth).tolist() == [is_found]
