"""GeoTIFFs as frames: placed by their own transform, their bands told apart, areas as on the globe."""

from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest
import rasterio
from affine import Affine

from missions.model import Hazard
from tests.vision.grounds_drawn import ELSEWHERE, GRID, forest, ponds, written
from vision import chart
from vision.charted import area_m2
from vision.inspection import examine


def test_bands_without_names_are_told_apart_by_which_stands_alone(tmp_path):
    """Infrared goes its own way over plants and water; where it stands names the order."""
    aerial = chart.read(written(ponds((60, 60, 25)), tmp_path / "a_2018_0716.tif", named=False))
    assert aerial.bands == ("red", "green", "blue", "nir")
    assert "no names" in (aerial.note or "")
    satellite = chart.read(written(forest(), tmp_path / "b.tif", named=False))
    assert satellite.bands == ("swir1", "nir", "red", "green")


def test_a_date_in_the_name_is_taken_and_said(tmp_path):
    read = chart.read(written(ponds((60, 60, 25)), tmp_path / "place_2018_0716.tif"))
    assert read.taken_at is not None
    assert read.taken_at.date().isoformat() == "2018-07-16"
    assert "2018_0716" in (read.note or "")


@pytest.mark.parametrize(
    ("stated", "hour", "note"), [("2026-06-01T10:00:00+08:00", 2, ""), ("2026:06:01 10:00:00", 10, "as UTC")]
)
def test_a_clock_counts_in_its_zone_and_without_one_in_utc_which_is_said(tmp_path, stated, hour, note):
    path = written(ponds((60, 60, 25)), tmp_path / "a.tif")
    with rasterio.open(path, "r+") as raster:
        raster.update_tags(ACQUISITION_DATETIME=stated)
    read = chart.read(path)
    assert read.taken_at == datetime(2026, 6, 1, hour, tzinfo=UTC)
    assert note in str(read.note)


@pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")
@pytest.mark.parametrize("crs", [None, 'LOCAL_CS["Here",UNIT["metre",1]]', "EPSG:4326", GRID.crs])
def test_a_raster_from_nowhere_on_earth_is_refused_in_words(tmp_path, crs):
    one = ponds((60, 60, 25))
    if crs == GRID.crs:
        one = replace(one, grid=replace(GRID, transform=Affine.identity()))
    result = examine(written(one, tmp_path / "lost.tif", crs=crs), hazards={Hazard.FLOOD})
    assert result.skipped is not None
    assert "coordinate system" in result.skipped


def test_a_polygon_counts_its_pixels_and_leaves_its_holes_out():
    mask = np.zeros(GRID.shape, bool)
    mask[20:60, 30:90] = True
    mask[30:40, 50:70] = False
    (found,) = chart.polygons(mask)
    assert found.area == 40 * 60 - 10 * 20
    assert len(found.interiors) == 1
    assert area_m2(GRID.area(found)) == pytest.approx(found.area * GRID.pixel_m2, rel=1e-3)


def test_pixels_of_degrees_have_the_size_they_have_on_the_globe():
    """A thousandth of a degree of longitude is 96 m wide at 30° north; of latitude 110.9 m high."""
    grid = chart.Grid("EPSG:4326", Affine(1e-3, 0, 119.0, 0, -1e-3, 30.05), 100, 100)
    assert grid.pixel_m2 == pytest.approx(96.5 * 110.85, rel=2e-3)


def test_places_and_pixels_undo_each_other():
    at = np.array([[0.0, 0.0], [12.5, 99.0], [239.0, 1.5]])
    assert GRID.to_pixels(*GRID.to_places(at)) == pytest.approx(at, abs=1e-6)


def test_a_chart_on_another_grid_is_unknown_where_it_shows_nothing():
    one = ponds((60, 60, 25))
    assert not GRID.meets(ELSEWHERE)
    moved = chart.warped(one, replace(GRID, transform=GRID.transform @ Affine.translation(120, 0)))
    assert moved.known[:, :115].all()
    assert not moved.known[:, 125:].any()


def test_counts_beyond_bytes_keep_their_indices(tmp_path):
    """Reflectance in ten thousandths is stretched alike in all bands, so that water stays water."""
    one = ponds((60, 60, 25))
    path = tmp_path / "counts.tif"
    shape = {"width": GRID.width, "height": GRID.height, "count": 4, "dtype": "uint16"}
    with rasterio.open(path, "w", driver="GTiff", crs=GRID.crs, transform=GRID.transform, **shape) as raster:
        raster.write(np.moveaxis(one.values.astype(np.uint16) * 40, -1, 0))
        raster.descriptions = one.bands
    from vision import water

    assert np.mean(water.by_index(chart.read(path)) == water.by_index(one)) > 0.99


@pytest.mark.parametrize("many", [2, 5])
def test_two_or_five_unnamed_bands_are_refused(tmp_path, many):
    odd = ponds((60, 60, 25))
    odd = replace(odd, values=np.dstack([odd.values] * 2)[..., :many])
    result = examine(written(odd, tmp_path / "odd.tif", named=False))
    assert f"{many} bands without names" in str(result.skipped)
