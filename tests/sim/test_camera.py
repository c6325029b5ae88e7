"""Pictures of the world: what shows where, how warm it reads, and what the files say."""

import math
from dataclasses import replace
from datetime import datetime, timedelta
from functools import cache
from itertools import pairwise

import cv2
import exifread
import numpy as np
import pytest
import tifffile
from defusedxml import ElementTree
from PIL import Image

from sim.camera import Cameras, take, use_world
from sim.hazards import Fire
from sim.painter import Painter
from sim.projection import TruePose
from sim.sky import Sky
from sim.structures import Structures
from sim.thermal import DRIFT_K, RANGE_END_C, drift_c
from tests.sim.hills import (
    EPOCH_AT,
    FRAME,
    ORIGIN,
    RGB,
    THERMAL,
    above,
    cameras,
    fire,
    ground_m,
    job,
    stove,
    world,
)

DJI, OURS = "{http://www.dji.com/drone-dji/1.0/}", "{urn:gridpatrol:xmp:1}"


@cache
def calm() -> Cameras:
    return cameras()


def expected_pixel(
    pose: TruePose, point_m: tuple[float, float, float], focal_px: float, centre: tuple[float, float]
):
    """Turn the scene instead of the camera: heading, then pitch, then roll, one plane at a time."""
    east, north = FRAME.to_local(pose.place)
    x, y, z = point_m[0] - east, point_m[1] - north, point_m[2] - pose.altitude_m
    h, p, r = (math.radians(a) for a in (pose.heading_deg, pose.pitch_deg, pose.roll_deg))
    right, ahead = x * math.cos(h) - y * math.sin(h), x * math.sin(h) + y * math.cos(h)
    depth, up = ahead * math.cos(p) + z * math.sin(p), z * math.cos(p) - ahead * math.sin(p)
    across, down = right * math.cos(r) - up * math.sin(r), -(up * math.cos(r) + right * math.sin(r))
    return centre[0] + focal_px * across / depth, centre[1] + focal_px * down / depth


def middle_of_heat(picture: np.ndarray) -> tuple[float, float]:
    """Return the centroid of what is hotter than 120 °C, as continuous pixels."""
    rows, columns = np.nonzero(picture > 120)
    return float(columns.mean()) + 0.5, float(rows.mean()) + 0.5


@pytest.mark.parametrize(
    ("place", "pose"),
    [
        ((0.0, -60.0), above(0, -60)),
        ((20.0, -80.0), above(0, -60, heading_deg=137.0)),
        ((-300.0, 250.0), above(-290, 240, heading_deg=251.0)),  # on the wooded slope
        ((0.0, -60.0), TruePose(FRAME.to_place(-70, -110), ground_m(-110) + 90, 40.0, -50.0, 3.0)),
        ((300.0, 200.0), TruePose(FRAME.to_place(420, 180), ground_m(180) + 80, 275.0, -35.0, -2.0)),
    ],
)
def test_a_fire_shows_at_the_pixel_where_geometry_says(place, pose):
    burning = fire(*place, area_m2=2.0)
    picture = cameras(fires=(burning,)).thermal(job(pose), THERMAL)
    wanted = expected_pixel(pose, (*place, ground_m(place[1])), THERMAL.focal_px, (320, 256))
    assert middle_of_heat(picture) == pytest.approx(wanted, abs=1.0)


def test_the_flames_show_at_the_same_place_in_colour():
    pose = above(10, -70, heading_deg=60.0)
    bgr = cameras(fires=(fire(0, -60, area_m2=6.0),)).colour(job(pose), RGB).astype(int)
    flame = (bgr[..., 2] > 200) & (bgr[..., 2] - bgr[..., 0] > 150)
    rows, columns = np.nonzero(flame)
    wanted = expected_pixel(pose, (0, -60, ground_m(-60)), RGB.focal_px, (640, 480))
    assert (columns.mean(), rows.mean()) == pytest.approx(wanted, abs=6)


@pytest.mark.parametrize(("area_m2", "temp_c"), [(0.3, 450.0), (1.0, 350.0), (15.0, 800.0)])
def test_the_smallest_and_coolest_fire_reads_hotter_than_the_hottest_stove(area_m2, temp_c):
    """At the height the patrol flies: otherwise nobody could tell them apart by temperature."""
    pose = above(7.3, -58)
    burning = cameras(fires=(fire(0, -60, area_m2=area_m2, temp_c=temp_c),)).thermal(job(pose), THERMAL)
    cooking = cameras(decoys=(stove(0, -60, area_m2=0.5, temp_c=250.0),)).thermal(job(pose), THERMAL)
    assert burning.max() > cooking.max() + 60
    assert burning.max() <= RANGE_END_C


def test_a_fire_covers_as_much_of_the_picture_as_of_the_ground():
    picture = cameras(fires=(fire(0, -60, area_m2=10.0),)).thermal(job(above(0, -60)), THERMAL)
    gsd_m = 120.0 / THERMAL.focal_px
    assert (picture > 150).sum() * gsd_m**2 == pytest.approx(10.0, rel=0.15)


def test_leaves_hide_a_part_of_a_fire():
    bare = fire(0, -60, area_m2=10.0)
    hidden = replace(bare, leaf_cover=0.25)
    hot = [(cameras(fires=(f,)).thermal(job(above(0, -60)), THERMAL) > 250).sum() for f in (bare, hidden)]
    assert 0.5 * hot[0] < hot[1] < 0.95 * hot[0]


def test_without_hazards_nothing_is_hotter_than_sixty_degrees_at_any_hour():
    for hours in (-8, 2, 5):
        for east, north in ((-50, -200), (0, 20), (-300, 300), (100, -430)):
            picture = calm().thermal(job(above(east, north), after_s=hours * 3600), THERMAL)
            assert picture.max() < 60
            assert picture.min() > -5


def test_water_is_cooler_than_a_wood_and_a_wood_cooler_than_a_road():
    """A clear June forenoon; the main road keeps 75 m beside the river."""
    water, wood, road = (
        calm().thermal(job(above(*place)), THERMAL)[246:266, 310:330].mean()
        for place in ((0, -420), (-300, 300), (300, -358.6))
    )
    assert water < wood - 2
    assert wood < road - 8


def test_a_slope_turned_to_the_sun_gets_more_of_it():
    """The northern half of the hills falls to the south, where the low winter sun stands."""
    painter = Painter(world(scenario="calm"), step_m=0.5)
    painter.light(Sky.over(ORIGIN, EPOCH_AT + timedelta(days=203, hours=2)))
    slope, level = painter.slope_sun[20].mean(), painter.slope_sun[-20].mean()
    assert slope > level + 0.1


def test_the_ground_has_texture_and_the_camera_noise():
    picture = calm().thermal(job(above(-300, 300)), THERMAL)
    rough = picture - cv2.GaussianBlur(picture, (0, 0), 8)
    assert 0.2 < rough.std() < 3
    again = calm().thermal(replace(job(above(-300, 300)), image_index=1), THERMAL)
    assert 0.03 < (picture - again).std() < 0.12


def test_the_same_job_gives_the_same_pixels():
    one = job(above(30, -150))
    assert (calm().thermal(one, THERMAL) == cameras().thermal(one, THERMAL)).all()
    assert (calm().colour(one, RGB) == cameras().colour(one, RGB)).all()


def test_the_offset_wanders_but_never_beyond_its_limit():
    offsets = [drift_c(1, "D1", EPOCH_AT + timedelta(seconds=30 * i)) for i in range(200)]
    assert max(map(abs, offsets)) <= DRIFT_K
    assert np.std(offsets) > 0.3
    assert max(abs(b - a) for a, b in pairwise(offsets)) < 1.2


def test_a_fire_flickers_from_picture_to_picture():
    lit = cameras(fires=(fire(0, -60, area_m2=3.0, temp_c=380.0),))
    peaks = {
        round(float(lit.thermal(job(above(0, -60), after_s=60 + t), THERMAL).max())) for t in (0, 0.3, 0.7)
    }
    assert len(peaks) > 1


def test_smoke_drifts_with_the_wind():
    """The wind blows from 300 degrees, so the plume goes to the south-east of the fire."""
    lit = cameras(fires=(replace(fire(0, -60, area_m2=10.0), ignited_at=EPOCH_AT - timedelta(minutes=10)),))
    pose = job(above(0, -60))
    hazy = cv2.absdiff(lit.colour(pose, RGB), calm().colour(pose, RGB)).max(axis=2) > 12
    rows, columns = np.nonzero(hazy)
    assert columns.mean() > 660
    assert rows.mean() > 500


def test_the_night_is_dark_in_colour_and_full_of_contrast_in_heat():
    night = job(above(0, -60), after_s=14 * 3600)
    lit = cameras(fires=(fire(0, -60, area_m2=3.0),))
    assert np.median(lit.colour(night, RGB)) < 20
    assert lit.thermal(night, THERMAL).max() > 300


def test_above_the_horizon_is_cold_sky():
    pose = TruePose(FRAME.to_place(0, -500), 180.0, 180.0, 0.0)
    picture = calm().thermal(job(pose), THERMAL)
    assert picture[:200].max() < -10
    assert picture[-20:].min() > 10


def test_both_files_carry_what_the_drone_believed_and_not_the_truth(tmp_path):
    one = job(above(10, -60, heading_deg=200.0), folder=tmp_path / "1", index=4)
    use_world(world(scenario="calm"))
    thermal, colour = take(one)
    assert (thermal.name, colour.name) == ("GP_0005_T.TIF", "GP_0005_W.JPG")
    assert sorted(p.name for p in thermal.parent.iterdir()) == ["GP_0005_T.TIF", "GP_0005_W.JPG"]
    with tifffile.TiffFile(thermal) as tiff:
        page = tiff.pages[0]
        assert page.asarray().dtype == np.float32
        assert page.asarray().shape == (512, 640)
        assert page.tags["Make"].value == "Gridpatrol"
        packet = bytes(page.tags[700].value)
    with Image.open(colour) as jpeg:
        assert jpeg.size == (1280, 960)
        other = jpeg.info["xmp"]
    for facts, sensor, focal in ((_facts(packet), "thermal", THERMAL), (_facts(other), "rgb", RGB)):
        assert float(facts[DJI + "GpsLatitude"]) == pytest.approx(one.reported.place.lat_deg, abs=1e-8)
        assert float(facts[DJI + "GpsLongitude"]) == pytest.approx(one.reported.place.lon_deg, abs=1e-8)
        assert float(facts[DJI + "AbsoluteAltitude"]) == pytest.approx(one.reported.altitude_m, abs=0.01)
        assert float(facts[DJI + "RelativeAltitude"]) == pytest.approx(one.above_home_m, abs=0.01)
        assert float(facts[DJI + "GimbalYawDegree"]) == pytest.approx(-158.0, abs=0.01)
        assert float(facts[DJI + "GimbalPitchDegree"]) == pytest.approx(-89.5, abs=0.01)
        assert float(facts[DJI + "GimbalRollDegree"]) == pytest.approx(-0.25, abs=0.01)
        assert facts[OURS + "Sensor"] == sensor
        assert float(facts[OURS + "FocalPx"]) == pytest.approx(focal.focal_px, abs=1e-3)
        assert float(facts[OURS + "CentreXPx"]) == focal.centre_x_px
        assert (facts[OURS + "DroneId"], facts[OURS + "ShotIndex"]) == ("D1", "4")
        assert abs(datetime.fromisoformat(facts[OURS + "TakenAt"]) - one.reported_at) < timedelta(
            milliseconds=1
        )


def test_the_jpeg_carries_exif_that_another_program_reads(tmp_path):
    one = job(above(10, -60, heading_deg=200.0), folder=tmp_path)
    local = replace(
        one,
        reported_at=one.reported_at.astimezone(datetime.fromisoformat("2026-01-01T00:00:00+08:00").tzinfo),
    )
    _, colour = calm().take(local)
    with colour.open("rb") as file:
        tags = exifread.process_file(file, details=False)
    assert str(tags["Image Make"]) == "Gridpatrol"
    assert str(tags["Image Model"]) == "GP-1"
    assert str(tags["EXIF DateTimeOriginal"]) == "2026:06:01 10:01:00"
    assert str(tags["EXIF OffsetTimeOriginal"]) == "+08:00"
    assert str(tags["EXIF SubSecTimeOriginal"]) == "040"
    assert float(tags["EXIF FocalLength"].values[0]) == pytest.approx(4.5)
    degrees, minutes, seconds = (float(v) for v in tags["GPS GPSLatitude"].values)
    assert degrees + minutes / 60 + seconds / 3600 == pytest.approx(one.reported.place.lat_deg, abs=1e-8)
    assert str(tags["GPS GPSLongitudeRef"]) == "E"
    assert float(tags["GPS GPSAltitude"].values[0]) == pytest.approx(one.reported.altitude_m, abs=1e-3)
    assert float(tags["GPS GPSImgDirection"].values[0]) == pytest.approx(202.0)


def test_a_picture_of_a_fire_can_be_taken_before_it_burns():
    later = replace(fire(0, -60), ignited_at=EPOCH_AT + timedelta(hours=1))
    assert isinstance(later, Fire)
    assert cameras(fires=(later,)).thermal(job(above(0, -60)), THERMAL).max() < 60


def _facts(packet: bytes) -> dict[str, str]:
    root = ElementTree.fromstring(packet.split(b"?>", 1)[1].rsplit(b"<?xpacket", 1)[0])
    return dict(next(e for e in root.iter() if e.tag.endswith("}Description")).attrib)


def test_wires_show_in_colour_and_heat_where_the_truth_says(monkeypatch):
    """And change nothing else: without strands the same pictures differ along them alone."""
    strand = np.array(world(scenario="calm").truth(EPOCH_AT)["wires"][0])
    lon, lat, up_m = strand[len(strand) // 2]
    east, north = (float(v) for v in FRAME.east_north(lat, lon))
    pose = above(east, north, height_m=80.0)
    colour, thermal = calm().colour(job(pose), RGB), calm().thermal(job(pose), THERMAL)
    monkeypatch.setattr(Structures, "wires", lambda self, view: [])
    bare = calm().colour(job(pose), RGB), calm().thermal(job(pose), THERMAL)
    for seen, without, camera, least in ((colour, bare[0], RGB, 8.0), (thermal, bare[1], THERMAL, 0.05)):
        change = np.abs(seen.astype(float) - without).reshape(*seen.shape[:2], -1).max(axis=2)
        middle = (camera.centre_x_px, camera.centre_y_px)
        x, y = expected_pixel(pose, (east, north, up_m), camera.focal_px, middle)
        assert change[int(y) - 3 : int(y) + 4, int(x) - 3 : int(x) + 4].max() > least
        assert (change > least).mean() < 0.02
