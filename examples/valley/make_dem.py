"""Make the valley's elevation model: `python examples/valley/make_dem.py`.

A made-up place. A ridge runs south-west to north-east between two valley
floors; a river lies in a shallow bed along the south-eastern floor; the ground
is rough at every scale from 400 m down. The same seed gives the same heights.
"""

import json
from pathlib import Path

import numpy as np
import rasterio
from pyproj import Transformer
from rasterio.transform import from_origin
from scipy.ndimage import gaussian_filter
from shapely import distance, points
from shapely.geometry import LineString

from missions.geo import Floats, LatLon, LocalFrame

HERE = Path(__file__).parent
ORIGIN = LatLon(30.28, 119.42)
SEED = 20260601
CELL_M = 10.0
HALF_WIDTH_M, HALF_HEIGHT_M = 1850.0, 1550.0
FLOOR_M, RIDGE_M = 80.0, 175.0
RIDGE_BEARING_DEG = 51.0
RIDGE_SIGMA_M, RIDGE_HALF_LENGTH_M = 270.0, 1250.0
BED_M, BED_SIGMA_M = 5.0, 18.0
UTM = "EPSG:32650"


def heights_m(east: Floats, north: Floats, river: LineString) -> Floats:
    """Return the made-up heights on a grid of local metres."""
    bearing = np.radians(RIDGE_BEARING_DEG)
    along = east * np.sin(bearing) + north * np.cos(bearing)
    across = north * np.sin(bearing) - east * np.cos(bearing)
    # The crest wanders and its height swells, so that no two stretches look alike.
    crest = 60.0 * np.sin(along / 330.0) + 25.0 * np.sin(along / 127.0 + 1.0)
    swell = 1.0 + 0.08 * np.sin(along / 240.0 + 0.5)
    ridge = RIDGE_M * swell * np.exp(-0.5 * ((across - crest) / RIDGE_SIGMA_M) ** 2)
    ridge *= np.exp(-((along / RIDGE_HALF_LENGTH_M) ** 4))
    floor = FLOOR_M + 0.004 * along + 0.010 * np.maximum(across, 0.0)
    bed = BED_M * np.exp(-0.5 * (distance(points(east, north), river) / BED_SIGMA_M) ** 2)
    return np.asarray(floor + ridge - bed + _roughness(east.shape) * (0.15 + ridge / RIDGE_M))


def _roughness(shape: tuple[int, ...]) -> Floats:
    rng = np.random.default_rng(SEED)
    rough = np.zeros(shape)
    for wave_m, height_m in ((400.0, 5.0), (160.0, 2.5), (60.0, 1.0)):
        noise = gaussian_filter(rng.standard_normal(shape), wave_m / CELL_M / 3.0, mode="wrap")
        rough += noise / noise.std() * height_m
    return rough


def main() -> None:
    """Write valley_dem.tif beside this file."""
    frame = LocalFrame(ORIGIN)
    shapes = json.loads((HERE / "shapes.geojson").read_text("utf-8"))["features"]
    (course,) = [f["geometry"]["coordinates"] for f in shapes if f["properties"]["id"] == "lan-river"]
    river = LineString([frame.to_local(LatLon(lat, lon)) for lon, lat in course])

    to_utm = Transformer.from_crs("EPSG:4326", UTM, always_xy=True)
    x0, y0 = to_utm.transform(ORIGIN.lon_deg, ORIGIN.lat_deg)
    left, top = round((x0 - HALF_WIDTH_M) / CELL_M) * CELL_M, round((y0 + HALF_HEIGHT_M) / CELL_M) * CELL_M
    columns, rows = int(2 * HALF_WIDTH_M / CELL_M), int(2 * HALF_HEIGHT_M / CELL_M)
    x, y = np.meshgrid(left + CELL_M * (np.arange(columns) + 0.5), top - CELL_M * (np.arange(rows) + 0.5))
    lon, lat = to_utm.transform(x, y, direction="INVERSE")
    heights = heights_m(*frame.east_north(lat, lon), river)
    with rasterio.open(
        HERE / "valley_dem.tif",
        "w",
        driver="GTiff",
        dtype="int16",
        count=1,
        width=columns,
        height=rows,
        crs=UTM,
        transform=from_origin(left, top, CELL_M, CELL_M),
        nodata=-9999.0,
        compress="deflate",
        predictor=2,
        zlevel=12,
        blockysize=rows,
    ) as raster:
        # Steps of 1/16 m: finer than any elevation model is true, and small to store.
        raster.write(np.round(heights * 16.0).astype("int16"), 1)
        raster.scales = (1 / 16,)
        raster.update_tags(DATUM="metres above EGM96 mean sea level", ORIGIN="synthetic, make_dem.py")


if __name__ == "__main__":
    main()
