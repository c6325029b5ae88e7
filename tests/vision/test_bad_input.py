"""What a look at water, woods, rivers and lines cannot be told from is said by the command, and not searched.

What point clouds cannot tell (classes, units, datums) is in `lidar/test_survey.py`.
"""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import rasterio

from missions.program import main
from tests.vision.grounds_drawn import chart, forest, ponds, texture, written
from tests.vision.test_discharge import frame as river
from tests.vision.test_discharge import scene as with_outfall
from tests.vision.test_flood_detector import GROWN, POND
from tests.vision.test_foreign_object import GRID, SHEET, SIDE_PX, meadow
from vision.chart import Chart
from vision.detectors import Abstained
from vision.detectors.discharge import Discharge

COMPARED = ("flood", "logging", "tree_health")
SIZE = (SIDE_PX, SIDE_PX)
RGB = ("red", "green", "blue")
NOWHERE = "without a coordinate system"


@pytest.fixture(scope="module")
def drawn(tmp_path_factory) -> Path:
    """One place as it was, as it is, and as it cannot be seen; another place; and rasters from nowhere."""
    out = tmp_path_factory.mktemp("bad")
    away = replace(GRID, transform=GRID.transform.translation(100_000, 0) * GRID.transform)
    fog = np.full((*SIZE, 3), 170.0) + np.random.default_rng(1).normal(0, 1, (*SIZE, 3))
    snow = 228 + 12 * texture(SIZE)[..., None] + np.zeros(3)
    charts: dict[str, Chart] = {
        "before": meadow(),
        "now": meadow(SHEET, seed=2),
        "elsewhere": replace(meadow(), grid=away),
        "night": meadow(light=0.1),
        "fog": chart(fog, RGB, GRID),
        "snow": chart(snow, RGB, GRID),
    }
    for name, one in charts.items():
        written(one, out / f"{name}.tif")
    with rasterio.open(out / "now.tif") as raster:
        values, profile = raster.read(), raster.profile
    bare = {k: v for k, v in profile.items() if k not in ("crs", "transform")}
    with (
        pytest.warns(rasterio.errors.NotGeoreferencedWarning),
        rasterio.open(out / "nowhere.tif", "w", **bare) as raster,
    ):
        raster.write(values)
    return out


def inspected(capsys, *arguments: object) -> dict:
    """Return the row of the one file that the command was asked about."""
    assert main(["inspect", *map(str, arguments), "--json"]) == 0
    (row,) = json.loads(capsys.readouterr().out)["frames"]
    assert row["detections"] == []
    return row


@pytest.mark.parametrize("hazard", COMPARED)
@pytest.mark.parametrize(
    ("now", "before", "words"),
    [
        ("now", None, "no baseline of this place yet"),
        ("now", "elsewhere", "shows another place"),
        ("night", "before", "night"),
        ("fog", "before", "fog"),
        ("snow", "before", "snow"),
    ],
)
def test_what_cannot_be_compared_is_said_and_not_searched(drawn, capsys, hazard, now, before, words):
    asked = ("--baseline", drawn / f"{before}.tif") if before else ()
    row = inspected(capsys, drawn / f"{now}.tif", "--hazard", hazard, *asked)
    assert f"not searched for {hazard.replace('_', ' ')}: " in row["note"]
    assert words in row["note"]


@pytest.mark.parametrize("hazard", COMPARED)
def test_a_picture_from_nowhere_is_skipped_and_a_baseline_from_nowhere_refused(drawn, capsys, hazard):
    row = inspected(capsys, drawn / "nowhere.tif", "--baseline", drawn / "before.tif", "--hazard", hazard)
    assert NOWHERE in row["skipped"]
    wrong = ["inspect", str(drawn / "now.tif"), "--baseline", str(drawn / "nowhere.tif"), "--hazard", hazard]
    assert main(wrong) == 2
    assert NOWHERE in capsys.readouterr().err


@pytest.mark.parametrize(
    "hazard", ["discharge", "foreign_object", "intrusion", "line_clearance", "hot_joint"]
)
def test_a_picture_that_cannot_tell_a_hazard_at_all_is_not_searched_for_it(drawn, capsys, hazard):
    """No outfall, no line, no temperatures: without what the answer needs there is none."""
    row = inspected(capsys, drawn / "now.tif", "--hazard", hazard, "--baseline", drawn / "before.tif")
    assert f"not searched for {hazard.replace('_', ' ')}" in row["note"]


@pytest.mark.parametrize("celsius", [12.0, -1.0])
def test_a_river_under_fog_or_snow_of_one_temperature_is_not_searched_for_a_plume(celsius):
    noise = np.random.default_rng(2).normal(0, 0.15, (512, 640))
    flat = replace(river(), celsius=(celsius + noise).astype(np.float32))
    assert isinstance(Discharge().detect(flat, with_outfall()), Abstained)


@pytest.mark.parametrize("hazard", ["logging", "tree_health"])
def test_a_wood_that_another_season_turned_as_a_whole_tells_nothing(tmp_path, capsys, hazard):
    now, before = (
        written(forest(season=0.7), tmp_path / "now.tif"),
        written(forest(), tmp_path / "before.tif"),
    )
    inspected(capsys, now, "--baseline", before, "--hazard", hazard)


def test_where_most_of_a_wood_looks_different_at_once_the_season_is_named_and_no_felling(tmp_path, capsys):
    now = written(forest(cleared=np.s_[:, 90:220]), tmp_path / "now.tif")
    row = inspected(capsys, now, "--baseline", written(forest(), tmp_path / "b.tif"), "--hazard", "logging")
    assert "not searched for logging: " in row["note"]
    assert "another season" in row["note"]


def test_another_season_beside_water_is_no_flood_and_hides_none(tmp_path, capsys):
    """Fields turn from green to straw; the pond is the same, and then it has grown."""
    before = written(ponds(POND), tmp_path / "before.tif")
    for name, pond, many in (("same", POND, 0), ("grown", GROWN, 1)):
        later = ponds(pond, noise=2)
        dry = later.values[..., 3] > 100
        later.values[dry] = np.clip(later.values[dry] * (1.4, 0.85, 0.7, 0.85), 1, 255)
        now = written(later, tmp_path / f"{name}.tif")
        assert main(["inspect", str(now), "--baseline", str(before), "--hazard", "flood", "--json"]) == 0
        (row,) = json.loads(capsys.readouterr().out)["frames"]
        assert len(row["detections"]) == many
