"""Water that should not be there: grown ponds are found by their size, and what is in its bed is not."""

import json
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from affine import Affine

from missions.layers import NamedArea, ReferenceLayers, River
from missions.model import Hazard
from missions.program import main
from tests.vision.grounds_drawn import ELSEWHERE, GRID, chart, frame_of, ponds, texture, written
from vision.baselines.single import ChartBaseline
from vision.chart import RGB, Grid
from vision.charted import area_m2
from vision.comparison import unseen
from vision.detectors import Abstained
from vision.detectors.flood import Flood, excess
from vision.expected import permanent_water, reached
from vision.scene import Scene
from vision.water import by_index, threshold
from vision.water_model import LIKELY

POND, GROWN = (80, 90, 25), (80, 90, 38)
GREY = np.array((100.0, 104.0, 108.0))


def test_grown_water_is_found_with_its_area():
    (found,) = Flood().detect(frame_of(ponds(GROWN, noise=2)), Scene(baseline=ChartBaseline(ponds(POND))))
    truth_m2 = (
        cv2.circle(np.zeros(GRID.shape), GROWN[:2], GROWN[2], 1, -1).sum()
        - cv2.circle(np.zeros(GRID.shape), POND[:2], POND[2], 1, -1).sum()
    ) * GRID.pixel_m2
    assert found.hazard is Hazard.FLOOD
    assert area_m2(found.ground) == pytest.approx(truth_m2, rel=0.05)
    assert len(found.ground.holes) == 1  # the pond that was there before


def test_the_same_water_a_year_later_is_no_flood():
    assert Flood().detect(frame_of(ponds(POND, noise=2)), Scene(baseline=ChartBaseline(ponds(POND)))) == ()


def test_without_baseline_and_permanent_water_it_abstains():
    answer = Flood().detect(frame_of(ponds(POND)), Scene())
    assert isinstance(answer, Abstained)
    assert "no baseline" in answer.reason


def test_a_baseline_of_another_place_is_said():
    elsewhere = replace(ponds(POND), grid=ELSEWHERE)
    answer = Flood().detect(frame_of(ponds(GROWN)), Scene(baseline=ChartBaseline(elsewhere)))
    assert isinstance(answer, Abstained)
    assert "another place" in answer.reason


def test_a_lake_the_site_names_is_no_flood_and_what_leaves_it_is():
    scene = Scene(references=ReferenceLayers(waters=(_lake(POND),)))
    assert Flood().detect(frame_of(ponds(POND)), scene) == ()
    (found,) = Flood().detect(frame_of(ponds(GROWN)), scene)
    assert found.hazard is Hazard.FLOOD


def test_night_and_fog_are_said_and_daylight_is_seen():
    frame = frame_of(ponds(POND))
    assert unseen(frame) is None
    assert "night" in (unseen(replace(frame, pixels=np.full((200, 240, 3), 6, np.uint8))) or "")
    assert "fog" in (unseen(replace(frame, pixels=np.full((200, 240, 3), 170, np.uint8))) or "")


def test_slivers_along_a_bank_are_no_excess_however_long():
    """A bank seen two pixels off makes a long thin strip; a real flood reaches further out."""
    belongs = np.zeros((100, 300), bool)
    belongs[40:60] = True
    shifted = np.roll(belongs, 2, axis=0)
    assert not excess(shifted, belongs, error_px=3.0).any()
    risen = shifted.copy()
    risen[60:80, 100:180] = True
    assert excess(risen, belongs, error_px=3.0).sum() >= 20 * 80


def test_haze_that_lifts_dry_land_over_zero_does_not_make_it_water():
    index = np.random.default_rng(1).normal(0.04, 0.03, 20_000).astype(np.float32)
    index[:4000] = 0.6
    assert 0.08 < threshold(index) < 0.6


def test_single_wet_pixels_are_no_water():
    one = ponds()
    one.values[50, 50] = (50, 70, 80, 15)
    assert not by_index(one).any()


def test_ground_that_is_hardly_likely_water_is_not_told(monkeypatch):
    """What only hangs together with a river by its colour is told from the segmenter's own word on."""
    scene = Scene(baseline=ChartBaseline(ponds(POND)))
    (found,) = Flood().detect(frame_of(ponds(GROWN, noise=2)), scene)
    assert found.confidence >= LIKELY
    monkeypatch.setattr("vision.detectors.flood._certainty", lambda shape, looked: LIKELY - 0.01)
    assert Flood().detect(frame_of(ponds(GROWN, noise=2)), scene) == ()


@pytest.mark.parametrize(("side_px", "told"), [(24, 0), (60, 1)])
def test_a_new_roof_is_no_flood_where_no_river_is_in_sight(monkeypatch, side_px, told):
    """By colour alone a grey roof of 144 m² is water as much as 900 m² of it."""
    monkeypatch.setattr("vision.water_model.extent", _grey_is_water)
    grid = Grid("EPSG:32650", Affine(0.5, 0.0, 732_000.0, 0.0, -0.5, 3_352_000.0), 240, 200)
    meadow = np.array((80.0, 140.0, 60.0)) + 8 * texture(seed=4)[..., None]
    changed = meadow.copy()
    changed[60 : 60 + side_px, 80 : 80 + side_px] = GREY
    now, before = (chart(values, RGB, grid) for values in (changed, meadow))
    found = Flood().detect(frame_of(now), Scene(baseline=ChartBaseline(before)))
    assert isinstance(found, tuple)
    assert len(found) == told


def test_what_a_flood_touches_is_named():
    middle = GRID.middle
    village = NamedArea("v", "village", {"en-US": "Heping", "zh-CN": "和平村"}, _lake((120, 100, 30)).area)
    layers = ReferenceLayers(villages=(village,))
    (found,) = reached(layers, GRID, GRID.polygon(_lake((110, 100, 10)).area))
    assert found == {"kind": "village", "id": "v", "name": village.name}
    river = River("r", {"en-US": "r"}, (middle, replace(middle, lat_deg=middle.lat_deg + 1e-3)), 0.0, 20.0)
    mask = permanent_water(ReferenceLayers(rivers=(river,)), GRID)
    assert mask is not None
    assert mask.sum() * GRID.pixel_m2 == pytest.approx(111 * 40 + 3.14 * 20**2, rel=0.1)


def test_the_command_tells_grown_water_as_polygons(tmp_path: Path, capsys):
    now = written(ponds(GROWN, noise=2), tmp_path / "now.tif")
    before = written(ponds(POND), tmp_path / "before.tif")
    assert main(["inspect", str(now), "--baseline", str(before), "--hazard", "flood", "--json"]) == 0
    (frame,) = json.loads(capsys.readouterr().out)["frames"]
    (found,) = frame["detections"]
    assert found["geometry"]["type"] == "Polygon"
    assert found["area_m2"] > 50_000


def test_a_baseline_that_is_no_chart_is_refused(tmp_path: Path, capsys):
    (tmp_path / "b.tif").write_bytes(b"no picture")
    now = written(ponds(GROWN), tmp_path / "now.tif")
    assert main(["inspect", str(now), "--baseline", str(tmp_path / "b.tif")]) == 2
    assert "--baseline" in capsys.readouterr().err


def _grey_is_water(chart, model=None):
    wet = np.abs(chart.values.astype(float) - GREY).max(-1) < 20
    return wet, wet.astype(np.float32)


def _lake(circle: tuple[int, int, int]) -> NamedArea:
    x, y, radius = circle
    turn = np.linspace(0, 2 * np.pi, 40, endpoint=False)
    ring = np.column_stack([x + 0.5 + radius * np.cos(turn), y + 0.5 + radius * np.sin(turn)])
    from missions.geo import Area
    from vision.expected import along

    return NamedArea("pond", "water", {"en-US": "Pond"}, Area(along(GRID, ring)))
