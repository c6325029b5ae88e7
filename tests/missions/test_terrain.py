"""The one raster reader: bilinear, in any coordinate system, NaN where there is nothing."""

from pathlib import Path

import numpy as np
import pytest
import rasterio
from rasterio.errors import NotGeoreferencedWarning
from rasterio.transform import from_origin

from missions.errors import InputWrong, OutsideTerrain
from missions.geo import LatLon
from missions.terrain import Terrain

VALLEY_DEM = Path(__file__).parents[2] / "examples" / "valley" / "valley_dem.tif"


def write(path: Path, heights: np.ndarray, crs: str | None = "EPSG:4326") -> Path:
    size = {"height": heights.shape[0], "width": heights.shape[1]}
    where = {"crs": crs, "transform": from_origin(120.0, 30.0, 0.001, 0.001)} if crs else {}
    options = {"driver": "GTiff", "count": 1, "dtype": "float32", "nodata": -9999.0}
    with rasterio.open(path, "w", **options, **size, **where) as raster:
        raster.write(heights.astype("float32"), 1)
    return path


def test_between_pixel_centres_the_ground_is_bilinear(tmp_path: Path) -> None:
    """A plane is given back exactly, everywhere between the outer centres."""
    rows, columns = np.mgrid[0:5, 0:6]
    terrain = Terrain.open(write(tmp_path / "plane.tif", 100 + 3 * columns - 7 * rows))
    lat, lon = np.array([29.9990, 29.9973, 29.9961]), np.array([120.0010, 120.0023, 120.0049])
    wanted = 100 + 3 * ((lon - 120.0) / 0.001 - 0.5) - 7 * ((30.0 - lat) / 0.001 - 0.5)
    assert terrain.elevation_m(lat, lon) == pytest.approx(wanted, abs=1e-3)


def test_outside_and_in_holes_there_is_no_height(tmp_path: Path) -> None:
    """NaN among many, an error that names the place for one."""
    heights = np.full((5, 5), 50.0)
    heights[2, 2] = -9999.0
    terrain = Terrain.open(write(tmp_path / "hole.tif", heights))
    assert np.isnan(terrain.elevation_m([31.0, 29.9975], [120.002, 120.0025])).all()
    with pytest.raises(OutsideTerrain, match=r"no height at 31\.000000, 120\.002000"):
        terrain.elevation_at(LatLon(31.0, 120.002))


def test_a_projected_model_says_its_bounds_in_degrees() -> None:
    """The valley's model is in UTM, 10 m a pixel."""
    terrain = Terrain.open(VALLEY_DEM)
    assert terrain.bounds == pytest.approx((119.4004, 30.2657, 119.4396, 30.2943), abs=1e-3)
    assert terrain.resolution_m == pytest.approx(10.0, rel=0.01)


def test_what_is_no_elevation_model_is_refused(tmp_path: Path) -> None:
    """No file, no raster, no coordinate system: each by name."""
    text = tmp_path / "text.tif"
    text.write_text("hello")
    for path in (tmp_path / "none.tif", text):
        with pytest.raises(InputWrong, match=path.name):
            Terrain.open(path)
    with pytest.warns(NotGeoreferencedWarning):
        bare = write(tmp_path / "bare.tif", np.ones((3, 3)), crs=None)
    with pytest.raises(InputWrong, match="no coordinate system"):
        Terrain.open(bare)
