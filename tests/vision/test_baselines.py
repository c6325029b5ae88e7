"""Baselines: the first of a place stands, later ones wait for a person; what is asked is answered or said."""

import json
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest
import rasterio

from missions.errors import InputWrong
from tests.vision.grounds_drawn import ELSEWHERE, GRID, chart, texture
from vision.baselines import Before, Missing
from vision.baselines.mosaic import Mosaic
from vision.baselines.opening import LateBaseline, opened
from vision.baselines.store import Store
from vision.chart import RGB

NOW = datetime(2026, 6, 1, 6, 0, tzinfo=UTC)


def flight(level: float) -> Mosaic:
    ground = np.stack([level + 10 * texture()] * 3, axis=-1)
    return Mosaic(chart(ground, RGB), frames=12, registered=11, moved_m=0.8)


def test_the_first_version_stands_and_the_second_waits_for_a_person(tmp_path):
    store = Store(tmp_path)
    assert store.add("wood", flight(90), now=NOW).standing == "stands"
    second = store.add("wood", flight(160), now=NOW)
    assert second.standing == "candidate"
    assert _mean(store) == pytest.approx(90, abs=5)
    store.confirm("wood", second.version, by="Li Na", now=NOW)
    assert _mean(store) == pytest.approx(160, abs=5)
    assert [(v.version, v.standing) for v in store.versions("wood")] == [
        ("v0001", "superseded"),
        ("v0002", "stands"),
    ]
    kept = json.loads((tmp_path / "wood" / "v0002" / "baseline.json").read_text())
    assert kept["confirmed_by"] == "Li Na"


def test_ground_that_no_version_shows_is_said_to_have_none(tmp_path):
    store = Store(tmp_path)
    assert isinstance(store.before(GRID), Missing)
    store.add("wood", flight(90), now=NOW)
    answer = store.before(ELSEWHERE)
    assert isinstance(answer, Missing)
    assert "other ground" in answer.reason


def test_what_is_kept_is_a_cloud_optimised_geotiff_with_its_masks(tmp_path):
    Store(tmp_path).add("wood", flight(90), now=NOW)
    with rasterio.open(tmp_path / "wood" / "v0001" / "orthophoto.tif") as raster:
        assert raster.tags(ns="IMAGE_STRUCTURE")["LAYOUT"] == "COG"
        assert raster.crs.to_epsg() == 32650
    found = opened(tmp_path).before(GRID)
    assert isinstance(found, Before)
    assert found.water is not None
    assert found.canopy is not None


def test_thermal_norms_are_kept_by_the_hour(tmp_path):
    store = Store(tmp_path)
    warm = replace(
        chart(np.zeros((*GRID.shape, 1)), ("celsius",)), values=np.full((*GRID.shape, 1), 24.5, np.float32)
    )
    store.add("wood", flight(90), now=NOW, thermal={6: warm})
    norm = store.thermal_norm(GRID, 6)
    assert not isinstance(norm, Missing)
    assert float(np.nanmedian(norm)) == pytest.approx(24.5)
    assert isinstance(store.thermal_norm(GRID, 7), Missing)


def test_nobody_and_nothing_are_not_confirmed(tmp_path):
    store = Store(tmp_path)
    store.add("wood", flight(90), now=NOW)
    with pytest.raises(InputWrong, match="a person confirms"):
        store.confirm("wood", "v0001", by=" ", now=NOW)
    with pytest.raises(InputWrong, match="no version v0009"):
        store.confirm("wood", "v0009", by="Li Na", now=NOW)
    with pytest.raises(InputWrong, match="--place"):
        store.add("../etc", flight(90), now=NOW)


def test_a_baseline_whose_file_is_yet_to_be_written_is_missing_until_then(tmp_path):
    late = LateBaseline(tmp_path / "before.tif")
    assert isinstance(late.before(GRID), Missing)


def _mean(store: Store) -> float:
    found = store.before(GRID)
    assert isinstance(found, Before)
    return float(found.chart.values.mean())


@pytest.mark.parametrize("spoilt", ["baseline.json", "orthophoto.tif"])
@pytest.mark.parametrize("with_what", [b"", b"{}", None])
def test_a_damaged_version_is_passed_over_and_the_others_answer(tmp_path, spoilt, with_what):
    """One bad file on the disk must not end the search of every frame."""
    store = Store(tmp_path)
    store.add("old-wood", flight(90), now=NOW)
    store.add("wood", flight(160), now=NOW.replace(day=2))
    file = tmp_path / "wood" / "v0001" / spoilt
    file.unlink() if with_what is None else file.write_bytes(with_what)
    assert _mean(Store(tmp_path)) == pytest.approx(90, abs=5)
    for path in (tmp_path / "old-wood").rglob("*.tif"):
        path.write_bytes(b"")
    answer = Store(tmp_path).before(replace(GRID, width=GRID.width - 1))
    assert isinstance(answer, Missing)


def test_parts_of_a_place_that_one_flight_cannot_show_stand_side_by_side(tmp_path):
    """Each is replaced by later flights of its own part alone."""
    store, beside = Store(tmp_path), flight(200)
    beside = replace(beside, chart=replace(beside.chart, grid=ELSEWHERE))
    assert store.add("wood", flight(90), now=NOW).standing == "stands"
    assert store.add("wood", beside, now=NOW).standing == "stands"
    later = store.add("wood", flight(160), now=NOW)
    assert later.standing == "candidate"
    store.confirm("wood", later.version, by="Li Na", now=NOW)
    assert [v.standing for v in store.versions("wood")] == ["superseded", "stands", "stands"]
    assert isinstance(store.before(ELSEWHERE), Before)
    assert _mean(store) == pytest.approx(160, abs=5)
