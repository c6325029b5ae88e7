"""What a file says wrong, named and put right or refused."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
import rasterio
from rasterio.transform import from_origin

from missions.geo import Altitude, Datum, LatLon
from missions.terrain import Terrain
from tests.vision.conftest import meadow, write_thermal
from vision.frame import load
from vision.grounds import Grounds, mended
from vision.inspection import inspect
from vision.metadata.dialects import read
from vision.metadata.exif import Exif
from vision.metadata.reading import pose_of
from vision.repair import heightened, in_time, unswapped

NOW = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)
DJI = {
    "drone-dji:GpsLatitude": "+30.28",
    "drone-dji:GpsLongitude": "+119.42",
    "drone-dji:AbsoluteAltitude": "+220.0",
    "drone-dji:RelativeAltitude": "+120.0",
    "drone-dji:GimbalYawDegree": "+90.0",
    "drone-dji:GimbalPitchDegree": "-90.0",
    "drone-dji:GimbalRollDegree": "+0.0",
}


def dem(path: Path, heights: np.ndarray, *, west: float = 119.41, north: float = 30.29) -> Path:
    """Write a model of 0.0002° pixels (some 20 m)."""
    rows, columns = heights.shape
    with rasterio.open(
        path,
        "w",
        driver="GTiff",
        height=rows,
        width=columns,
        count=1,
        dtype="float32",
        crs="EPSG:4326",
        transform=from_origin(west, north, 0.0002, 0.0002),
        nodata=-9999.0,
    ) as raster:
        raster.write(np.where(np.isnan(heights), -9999.0, heights).astype(np.float32), 1)
    return path


@pytest.fixture
def slope() -> np.ndarray:
    """100 × 100 pixels that rise by a metre a column from 100 m."""
    return np.tile(100.0 + np.arange(100.0), (100, 1))


def test_a_swapped_pair_that_is_no_place_on_earth_is_exchanged_and_said_so():
    reading = read(DJI | {"drone-dji:GpsLatitude": "119.42", "drone-dji:GpsLongitude": "30.28"}, Exif())
    assert reading.place == LatLon(30.28, 119.42)
    assert "taken as swapped" in reading.notes[0]


def test_a_place_of_zero_zero_is_no_fix():
    reading = read(DJI | {"drone-dji:GpsLatitude": "0", "drone-dji:GpsLongitude": "0"}, Exif())
    assert reading.place is None
    assert "no fix" in reading.notes[0]
    assert "where it was taken" in str(pose_of(reading))


def test_a_place_on_no_map_is_named():
    reading = read(DJI | {"drone-dji:GpsLatitude": "1000", "drone-dji:GpsLongitude": "2000"}, Exif())
    assert reading.place is None
    assert "none on earth" in reading.notes[0]


def test_an_exif_height_of_zero_is_not_believed():
    reading = read({}, Exif(lat_deg=30.28, lon_deg=119.42, altitude_m=0.0))
    assert reading.altitude is None
    assert "exactly 0 m" in reading.notes[0]


def test_a_place_that_stands_in_the_exif_counts_when_the_xmp_has_none():
    reading = read(
        {k: v for k, v in DJI.items() if "Gps" not in k}, Exif(lat_deg=30.0, lon_deg=120.0, altitude_m=9.0)
    )
    assert reading.place == LatLon(30.0, 120.0)
    assert reading.notes == ()


@pytest.fixture
def frame(tmp_path, pose):
    return load(write_thermal(tmp_path / "a.tif", meadow(), pose))


def test_a_swapped_pair_is_found_by_the_model_that_lies_under_the_other(frame):
    at = LatLon(45.0, 12.0)
    swapped = replace(
        frame, metadata=replace(frame.metadata, reading=replace(frame.metadata.reading, place=at))
    )
    mended_frame, note = unswapped(swapped, covered=lambda place: place == LatLon(12.0, 45.0))
    assert mended_frame.shot.pose is not None
    assert mended_frame.shot.pose.place == LatLon(12.0, 45.0)
    assert "taken as swapped" in str(note)
    untouched, silent = unswapped(swapped, covered=lambda place: False)
    assert (untouched, silent) == (swapped, None)


def test_a_height_over_take_off_stands_in_for_one_above_the_sea(frame, ground):
    reading = replace(frame.metadata.reading, altitude=None, above_takeoff_m=80.0)
    low = replace(
        frame, metadata=replace(frame.metadata, reading=reading), shot=replace(frame.shot, pose=None)
    )
    higher, under, note = heightened(low, ground)
    assert higher.shot.pose is not None
    assert higher.shot.pose.altitude_m == pytest.approx(180.0)
    assert under is ground
    assert "over take-off" in str(note)
    flat, level, said = heightened(low, None)
    assert flat.shot.pose is not None
    assert flat.shot.pose.altitude_m == 80.0
    assert level is not None
    assert "counted from the take-off" in str(said)


def test_a_height_whose_datum_has_no_grid_is_refused(frame):
    reading = replace(frame.metadata.reading, altitude=Altitude(220.0, Datum.EGM2008), above_takeoff_m=None)
    assert reading.altitude_amsl_m is None
    assert "not how high" in str(pose_of(reading))


def test_a_time_yet_to_come_is_taken_away(frame):
    ahead = replace(frame, shot=replace(frame.shot, taken_at=NOW + timedelta(days=2)))
    without, note = in_time(ahead, now=NOW)
    assert without.shot.taken_at is None
    assert "yet to come" in str(note)
    kept, _ = in_time(ahead, now=None)
    assert kept.shot.taken_at == NOW + timedelta(days=2)


def test_a_time_without_a_zone_is_utc_and_said_so(frame):
    _, note = in_time(replace(frame, metadata=replace(frame.metadata, zone_stated=False)), now=None)
    assert "no time zone" in str(note)
    assert in_time(frame, now=NOW)[1] is None
    assert "no time" in str(in_time(replace(frame, shot=replace(frame.shot, taken_at=None)), now=NOW)[1])


def test_small_holes_are_filled_from_their_rims_and_large_ones_stay(tmp_path, slope):
    slope[40:43, 50:54] = np.nan  # 12 pixels
    slope[70:80, 10:20] = np.nan  # 100 pixels
    slope[0, 3] = np.nan  # at the edge
    terrain = mended(Terrain.open(dem(tmp_path / "d.tif", slope)))
    assert "12 pixels of holes filled" in terrain.source
    assert terrain.heights_m[41, 52] == pytest.approx(152.0, abs=2.0)
    assert np.isnan(terrain.heights_m[75, 15])
    assert np.isnan(terrain.heights_m[0, 3])


def test_a_model_without_holes_is_the_same_model(tmp_path, slope):
    terrain = Terrain.open(dem(tmp_path / "d.tif", slope))
    assert mended(terrain) is terrain


def test_a_picture_over_a_large_hole_says_so(tmp_path, slope, pose):
    """The camera stands over ground; what it looks at is the hole."""
    slope[30:70, 52:95] = np.nan
    write_thermal(tmp_path / "a.tif", meadow(), replace(pose, altitude_m=270.0, pitch_deg=-25.0))
    (frame,) = inspect([tmp_path / "a.tif"], dem=dem(tmp_path / "d.tiff", slope)).frames
    assert frame.footprint is None
    assert "hole" in str(frame.note)


def test_the_model_given_comes_first_and_those_beside_serve_where_it_ends(tmp_path, slope):
    near = dem(tmp_path / "near.tif", slope)
    grounds = Grounds([near], Terrain.open(dem(tmp_path / "far.tif", slope, west=10.0, north=50.0)))
    inside = grounds.under(tmp_path / "a.jpg", LatLon(49.99, 10.01))
    beside = grounds.under(tmp_path / "a.jpg", LatLon(30.28, 119.42))
    assert inside is not None
    assert inside.source.endswith("far.tif")
    assert beside is not None
    assert beside.source.endswith("near.tif")
    assert grounds.under(tmp_path / "a.jpg", LatLon(0.0, 0.0)) is None
