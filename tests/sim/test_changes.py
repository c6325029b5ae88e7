"""Changed ground: floods beside the river, fellings inside the wood, the same for the same seed."""

import json

import numpy as np
import pytest
import rasterio
import shapely
from shapely.geometry import Point, box, shape

from missions.errors import InputWrong
from missions.geo import LocalFrame
from missions.program import main
from missions.terrain import Terrain
from sim.changes import FELLED_M2, SMALLEST_FLOOD_M2, fellings, flood
from sim.landscape import Landscape
from sim.orthophoto import write_before
from sim.relief import Relief
from sim.world import World
from tests.builders import valley

EVERYWHERE = box(-1500, -1300, 1500, 1300)


@pytest.fixture(scope="module")
def ground() -> tuple[Landscape, Relief]:
    site = valley()
    frame = LocalFrame(site.origin)
    relief = Relief.sampled(Terrain.open(site.terrain), frame)
    return Landscape.of(site, frame, relief), relief


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_flood_lies_beside_its_river_and_under_its_level(ground, seed):
    landscape, relief = ground
    risen = flood("W1", landscape, relief, np.random.default_rng(seed), within=EVERYWHERE)
    assert risen is not None
    assert risen.area_m2 >= SMALLEST_FLOOD_M2
    (line, half_m), *_ = landscape.rivers
    assert risen.shape.intersection(line.buffer(half_m - 1.0)).area < 0.02 * risen.area_m2
    assert risen.shape.distance(line) <= half_m + 2.0
    again = flood("W1", landscape, relief, np.random.default_rng(seed), within=EVERYWHERE)
    assert again is not None
    assert again.shape.equals(risen.shape)


def test_fellings_lie_in_the_wood_apart_from_each_other(ground):
    landscape, _ = ground
    felled = fellings(4, landscape, np.random.default_rng(3), within=EVERYWHERE, apart_m=60.0)
    assert len(felled) == 4
    for one in felled:
        assert any(wood.contains(one.patch) for wood in landscape.compartments)
        assert FELLED_M2[0] <= one.patch.area <= FELLED_M2[1]
    assert min(a.patch.distance(b.patch) for a in felled for b in felled if a is not b) >= 60.0


def test_a_site_that_watches_no_forest_for_logging_is_told_so(ground):
    site = valley()
    from dataclasses import replace

    unwatched = replace(site, demands=tuple(d for d in site.demands if d.agency == "water"))
    with pytest.raises(InputWrong, match="no demand watches for logging"):
        World.build(unwatched, Terrain.open(site.terrain), scenario="logging", epoch_at=_noon())


def test_the_truth_of_a_flood_says_where_and_how_large():
    site = valley()
    world = World.build(site, Terrain.open(site.terrain), scenario="flood", epoch_at=_noon())
    (risen,) = world.changes.floods
    (told,) = world.truth(_noon())["features"]
    assert told["properties"]["hazard"] == "flood"
    assert told["properties"]["area_m2"] == pytest.approx(risen.area_m2, abs=0.1)
    assert risen.shape.contains(Point(risen.middle))
    outline = shape(told["properties"]["outline"])
    local = shapely.transform(outline, lambda at: np.column_stack(world.frame.east_north(at[:, 1], at[:, 0])))
    assert local.symmetric_difference(risen.shape).area < 0.05 * risen.area_m2


def test_last_years_orthophoto_shows_the_houses(tmp_path):
    site = valley()
    world = World.build(site, Terrain.open(site.terrain), scenario="flood", epoch_at=_noon())
    written = write_before(world, tmp_path / "before.tif")
    assert written is not None
    with rasterio.open(written) as raster:
        red, _, blue = (band.astype(int) for band in raster.read())
        inside = box(*raster.bounds).buffer(-20)
        tiled = [h for h in world.landscape.houses if h.roof[2] > 2 * h.roof[0]]
        seen = [h for h in tiled if inside.contains(Point(h.east_m, h.north_m))]
        at = [raster.index(h.east_m, h.north_m) for h in seen]
    assert len(at) >= 5
    assert np.mean([red[i] > 1.3 * blue[i] for i in at]) > 0.9


def test_an_unknown_gallery_and_seeds_that_are_none_are_refused(tmp_path, capsys):
    assert main(["sim", "--gallery", "dreams", "--out", str(tmp_path)]) == 2
    assert "flood or logging" in capsys.readouterr().err
    assert main(["sim", "--gallery", "flood", "--seeds", "many", "--out", str(tmp_path)]) == 2
    assert "--seeds" in capsys.readouterr().err


def test_a_gallery_writes_pictures_and_what_is_in_their_view(tmp_path, capsys):
    assert main(["sim", "--gallery", "logging", "--seeds", "3", "--out", str(tmp_path), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["pictures"] == 2
    before, after = json.loads((tmp_path / "truth.json").read_text())["pictures"]
    assert before["changes"] == []
    assert after["changes"]
    for change in after["changes"]:
        assert 0 <= change["in_view_m2"] <= change["area_m2"] * 1.02
    assert (tmp_path / after["file"]).is_file()


def _noon():
    from sim.gallery import NOON_AT

    return NOON_AT
