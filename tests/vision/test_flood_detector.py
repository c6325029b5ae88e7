"""Water that should not be there: grown ponds are found by their size, and what is in its bed is not."""

import json
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from affine import Affine
from shapely.geometry import box

from missions.geo import LatLon
from missions.layers import NamedArea, ReferenceLayers, River
from missions.model import Camera, CameraPose, Hazard, Sensor, Shot
from missions.program import main
from tests.vision.grounds_drawn import GRID, chart, frame_of, ponds, texture, written
from vision import orthophoto
from vision.baselines.single import ChartBaseline
from vision.chart import RGB, Grid
from vision.charted import area_m2
from vision.detectors import Abstained
from vision.detectors.flood import LEAST_SURE, Flood, _edge, excess
from vision.expected import permanent_water, reached
from vision.frame import Frame
from vision.georeference import FlatGround
from vision.metadata import of_parts
from vision.scene import Scene
from vision.water import by_index, threshold

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


def test_a_lake_the_site_names_is_no_flood_and_what_leaves_it_is():
    scene = Scene(references=ReferenceLayers(waters=(_lake(POND),)))
    assert Flood().detect(frame_of(ponds(POND)), scene) == ()
    (found,) = Flood().detect(frame_of(ponds(GROWN)), scene)
    assert found.hazard is Hazard.FLOOD


def test_a_floods_edge_is_read_every_four_metres_whatever_a_pixel_is():
    for times, many in ((1, 40), (2, 80)):
        ring = _edge(box(50, 50, 58, 58), GRID.coarser(times), near=np.ones(GRID.coarser(times).shape, bool))
        assert len(ring) == many


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


def test_a_pale_crust_is_no_water_though_its_index_is_over_zero():
    """Salt and concrete send back a little more green than infrared; both are as bright as the land."""
    crusted = ponds(POND)
    crusted.values[5:25, 5:25] = (190, 200, 195, 160)
    wet = by_index(crusted)
    assert not wet[5:25, 5:25].any()
    assert (wet == by_index(ponds(POND))).all()


def test_ground_that_is_hardly_likely_water_is_not_told(monkeypatch):
    """What only hangs together with a river by its colour is told from the segmenter's own word on."""
    scene = Scene(baseline=ChartBaseline(ponds(POND)))
    (found,) = Flood().detect(frame_of(ponds(GROWN, noise=2)), scene)
    assert found.confidence >= LEAST_SURE
    monkeypatch.setattr("vision.detectors.flood._certainty", lambda shape, looked: LEAST_SURE - 0.01)
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


@pytest.mark.parametrize(
    ("water", "is_river", "is_known", "told"),
    [
        (np.s_[:, 100:140], True, True, ()),
        (np.s_[:, 100:140], True, False, ()),
        (np.s_[60:140, 60:110], True, False, "a flood"),
        (np.s_[:0], False, True, ()),
        (np.s_[:0], False, False, "no baseline of this place yet"),
        (np.s_[60:140, 60:110], False, True, "may be a field or a roof"),
    ],
)
def test_a_cameras_picture_is_clear_where_it_shows_no_water_out_of_a_river(
    monkeypatch, water, is_river, is_known, told
):
    """It is not laid on its baseline for that, which must be there; fields look like water too."""
    monkeypatch.setattr("vision.water_model.shipped", lambda: lambda seen: _is_grey(seen).astype(np.float32))
    values = np.array((80.0, 140.0, 60.0)) + 8 * texture(seed=4)[..., None]
    for wet in (np.s_[:, 100:140], water) if is_river else (water,):
        values[wet] = GREY + texture(seed=5)[wet][..., None]
    camera = Camera("c", Sensor.RGB, 240, 200, 300.0, 120.0, 100.0)
    middle = LatLon(30.28, 119.42)
    shot = Shot("s", camera, None, CameraPose(middle, 150.0, 0.0, -90.0), "s.jpg")
    pixels = np.clip(values, 0, 255).astype(np.uint8)
    frame = Frame(shot, of_parts(None, b"", width_px=240, height_px=200, thermal=False), pixels=pixels)
    ends = (replace(middle, lat_deg=30.27), replace(middle, lat_deg=30.29))
    rivers = (River("r", {}, ends, 0.0, 10.0),) if is_river else ()
    ground = FlatGround(0.0)
    past = orthophoto.rectified(frame, ground)
    scene = Scene(ground, ChartBaseline(past) if is_known else None, ReferenceLayers(rivers=rivers))
    found = Flood().detect(frame, scene)
    if told == "a flood":
        assert len(found) == 1
    elif told:
        assert isinstance(found, Abstained)
        assert told in found.reason
    else:
        assert found == told


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
    wet = _is_grey(chart.values)
    return wet, wet.astype(np.float32)


def _is_grey(values):
    return np.abs(values.astype(float) - GREY).max(-1) < 20


def _lake(circle: tuple[int, int, int]) -> NamedArea:
    x, y, radius = circle
    turn = np.linspace(0, 2 * np.pi, 40, endpoint=False)
    ring = np.column_stack([x + 0.5 + radius * np.cos(turn), y + 0.5 + radius * np.sin(turn)])
    from missions.geo import Area
    from vision.expected import along

    return NamedArea("pond", "water", {"en-US": "Pond"}, Area(along(GRID, ring)))
