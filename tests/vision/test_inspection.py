"""The front door: whole files in, hazards on the ground out, and never a crash."""

import csv
import json
import math
import re
from dataclasses import replace
from io import BytesIO

import cv2
import numpy as np
import pytest
import tifffile
from PIL import Image

from missions.geo import distance_m
from missions.model import Hazard
from missions.program import main
from missions.terrain import Terrain
from tests.vision.conftest import meadow, write_level_dem, write_thermal
from vision import examine, inspect, present
from vision.calibration import Calibration
from vision.frame import THERMAL_MAP
from vision.inspection import marked
from vision.model import Box
from vision.report import hazard_name
from vision.scene import Scene


@pytest.fixture
def fire_file(tmp_path, pose):
    """A frame from 120 m with a fire of 0.9 m2 a little right of the middle."""
    celsius = meadow()
    celsius[253:259, 397:403] = 450.0
    return write_thermal(tmp_path / "GP_0001_T.TIF", celsius, pose)


@pytest.fixture
def dem_file(tmp_path):
    """Level ground at 100 m around the usual place."""
    return write_level_dem(tmp_path / "ground-dem.tif")


def test_a_fire_is_put_on_the_ground_with_its_ellipse_area_and_time(fire_file, dem_file, pose):
    """80 px right of the middle, heading east: 12.66 m to the south."""
    result = examine(fire_file, terrain=Terrain.open(dem_file))
    (fire,) = result.observations
    assert fire.hazard is Hazard.FIRE
    assert distance_m(pose.place, fire.place) == pytest.approx(12.66, abs=0.1)
    assert fire.place.lat_deg < pose.place.lat_deg
    assert fire.area_m2 == pytest.approx(36 * (120 / 758.33) ** 2, rel=0.02)
    assert 5 < fire.ellipse.major_m < 9
    assert fire.seen_at.isoformat() == "2026-06-01T02:00:05.250000+00:00"
    assert (fire.drone, result.ground) == ("D1", str(dem_file))
    assert fire.outline is not None


def test_a_camera_that_its_file_puts_under_the_ground_is_lifted_by_its_height_over_take_off(
    tmp_path, pose, dem_file
):
    low = write_thermal(tmp_path / "low.tif", meadow(), replace(pose, altitude_m=60.0))
    result = examine(low, terrain=Terrain.open(dem_file))
    assert result.shot.pose.altitude_m == pytest.approx(220.0)
    assert "under the ground" in str(result.note)
    assert result.footprint


def test_without_a_model_the_ground_is_level_at_take_off_height_and_the_result_says_so(fire_file):
    result = examine(fire_file)
    assert len(result.observations) == 1
    assert result.ground == "level ground at take-off height"


def test_the_pose_of_the_gateway_serves_where_the_file_has_none(tmp_path, pose, dem_file):
    celsius = meadow()
    celsius[253:259, 317:323] = 450.0
    bare = write_thermal(tmp_path / "bare.tif", celsius, None)
    assert examine(bare).observations == ()
    assert "where it was taken" in str(examine(bare).note)
    with_pose = examine(bare, terrain=Terrain.open(dem_file), fallback_pose=pose, shot_id="S1-thermal-7")
    # A bare file does not tell its lens either.
    assert "field of view" in str(with_pose.note)
    assert with_pose.shot.id == "S1-thermal-7"


def test_only_the_hazards_asked_for_are_found(fire_file):
    assert examine(fire_file, hazards={Hazard.FLOOD}).detections == ()
    assert examine(fire_file, hazards={Hazard.HOT_SPOT}).detections == ()


def test_the_same_shot_gives_the_same_observation_ids(fire_file):
    first, again = (examine(fire_file, shot_id="x").observations[0].id for _ in range(2))
    assert first == again


def test_several_looks_at_one_fire_are_one_incident(tmp_path, fire_file, pose):
    moved = replace(pose, heading_deg=180.0)
    celsius = meadow(2)
    celsius[333:339, 317:323] = 460.0  # the same ground with the top of the picture to the south
    write_thermal(tmp_path / "GP_0002_T.TIF", celsius[::-1], moved)
    (incident,) = inspect([tmp_path]).incidents
    assert incident.looks == 2


def test_the_model_of_the_same_name_lies_under_a_picture_and_no_thermal_map(tmp_path, fire_file, dem_file):
    dem_file.rename(tmp_path / "GP_0001_T-dem.tif")
    frames = {r.file.rsplit("/", 1)[1]: r for r in inspect([tmp_path]).frames}
    assert frames["GP_0001_T.TIF"].ground.endswith("GP_0001_T-dem.tif")
    assert frames["GP_0001_T-dem.tif"].skipped == "an elevation model, used as ground"
    (tmp_path / "GP_0001_T-dem.tif").rename(tmp_path / "ortho_celsius.tif")
    first, heat = inspect([tmp_path]).frames
    assert (first.ground, heat.skipped) == ("level ground at take-off height", THERMAL_MAP)


def test_bad_files_are_skipped_with_a_reason_and_the_rest_is_done(tmp_path, fire_file):
    whole = BytesIO()
    Image.effect_noise((640, 480), 80).convert("RGB").save(whole, "JPEG")
    (tmp_path / "cut.jpg").write_bytes(whole.getvalue()[:20000])
    (tmp_path / "letter.jpg").write_text("Dear sir or madam")
    (tmp_path / "nothing.jpg").write_bytes(b"")
    (tmp_path / "cut.tif").write_bytes(fire_file.read_bytes()[:5000])
    (tmp_path / "end.tif").write_bytes(b"II*\x00\xff\xff\xff\0")  # its directory was at the end
    write_level_dem(tmp_path / "here.tif", crs='LOCAL_CS["Here",UNIT["metre",1]]')
    tifffile.imwrite(tmp_path / "nan.tif", np.full((512, 640), np.nan, np.float32))
    tifffile.imwrite(tmp_path / "wide.tif", np.full((512, 640), 30000, np.uint32))
    tifffile.imwrite(tmp_path / "colour.tif", np.zeros((64, 64, 3), np.uint8))
    empty = tmp_path / "empty"
    empty.mkdir()
    results = inspect([tmp_path, empty])
    reasons = {r.file.rsplit("/", 1)[1]: r.skipped for r in results.frames}
    assert reasons.pop("GP_0001_T.TIF") is None
    assert len(results.incidents) == 1
    expected = {
        "cut.jpg": "damaged",
        "letter.jpg": "not a picture",
        "nothing.jpg": "empty",
        "cut.tif": "damaged",
        "end.tif": "damaged",
        "here.tif": "an elevation model",
        "nan.tif": "no pixel holds a temperature",
        "wide.tif": "expected °C as floats, 16-bit counts or an 8-bit thermal picture",
        "colour.tif": "without a coordinate system",
        "empty": "a folder without pictures",
    }
    assert reasons.keys() == expected.keys()
    for name, words in expected.items():
        assert words in str(reasons[name])


def test_what_nobody_foresaw_of_one_file_is_its_reason_and_the_rest_is_done(fire_file, pose, caplog):
    """A threshold that is no number is met only by what is found."""
    write_thermal(fire_file.with_name("cool.tif"), meadow(), pose)
    odd = Scene(calibration=Calibration(1, {("GP-1 T", Hazard.FIRE): None}))
    fire, cool = inspect([fire_file.parent], scene=odd).frames
    assert "TypeError" in str(fire.skipped)
    assert "TypeError" in caplog.text
    assert cool.searched


def test_equal_names_in_two_folders_are_two_shots_and_other_names_keep_their_ids(tmp_path, fire_file, pose):
    for folder, lat_deg in (("1", 31.0), ("2", 32.0)):
        (tmp_path / folder).mkdir()
        there = replace(pose, place=replace(pose.place, lat_deg=lat_deg))
        write_thermal(tmp_path / folder / "D.TIF", tifffile.imread(fire_file), there)
    found = inspect([tmp_path])
    assert len(found.incidents) == 3
    assert [f.shot.id for f in found.frames] == [f"{tmp_path}/1/D", f"{tmp_path}/2/D", "GP_0001_T"]


def test_any_cut_of_a_file_is_skipped_or_read_but_never_a_crash(tmp_path, fire_file):
    data = fire_file.read_bytes()
    rng = np.random.default_rng(3)
    for length in [*range(0, 400, 13), *rng.integers(400, len(data), 10).tolist()]:
        path = tmp_path / "part.tif"
        path.write_bytes(data[:length])
        assert examine(path).skipped


def test_kelvin_and_centikelvin_become_celsius(tmp_path):
    rim = meadow() + 273.15
    rim[:8], rim[-8:] = 0, -9999
    tifffile.imwrite(tmp_path / "k.tif", rim)
    counts = ((meadow() + 273.15) * 100).astype(np.uint16)
    counts[100, 100] = 60000
    tifffile.imwrite(tmp_path / "ck.tif", counts, description="centikelvin")
    kelvin, centikelvin = examine(tmp_path / "k.tif"), examine(tmp_path / "ck.tif")
    assert "read as kelvin" in str(kelvin.note)
    assert kelvin.detections == ()
    assert centikelvin.detections[0].temp_max_c == pytest.approx(600 - 273.15, abs=0.01)


def test_a_marked_picture_is_a_jpeg_with_the_box_drawn_and_the_fire_enlarged(fire_file):
    """Drawn at twice the size; the lens lies in the corner farthest from the fire, here the top left."""
    result = examine(fire_file)
    picture = cv2.imdecode(np.frombuffer(marked(fire_file, result), np.uint8), cv2.IMREAD_COLOR)
    plain = cv2.imdecode(
        np.frombuffer(marked(fire_file, replace(result, detections=())), np.uint8), cv2.IMREAD_COLOR
    )
    assert picture.shape[0] == 1024
    changed = np.abs(picture.astype(int) - plain).max(axis=2) > 40
    assert changed[490:536, 770:830].any()
    assert changed[8:340, 8:340].any()
    assert not changed[800:, :600].any()


def test_the_command_prints_the_documented_json_and_writes_the_report(fire_file, dem_file, tmp_path, capsys):
    out = tmp_path / "out"
    assert main(["inspect", str(fire_file), "--dem", str(dem_file), "--out", str(out), "--json"]) == 0
    (frame,) = json.loads(capsys.readouterr().out)["frames"]
    assert {"file", "pose", "skipped", "detections", "footprint"} <= frame.keys()
    (fire,) = frame["detections"]
    assert fire["hazard"] == "fire"
    assert fire["geometry"]["type"] == "Polygon"
    assert len(fire["ellipse_m"]) == 3
    assert frame["pose"]["heading_deg"] == 90.0
    collection = json.loads((out / "detections.geojson").read_text("utf-8"))
    assert {f["properties"]["kind"] for f in collection["features"]} == {"observation", "incident"}
    assert list((out / "marked").iterdir())
    report = (out / "report.html").read_text("utf-8")
    assert "suspected fire" in report
    assert not re.search(r'(?:src|href)="(?!data:)', report)


@pytest.mark.parametrize("shape", [(24, 640), (5, 20000), (4000, 40)])
def test_a_picture_of_odd_shape_is_drawn_too(tmp_path, shape):
    celsius = np.full(shape, 22.0)
    celsius[12:15, 10:13] = 500.0
    tifffile.imwrite(tmp_path / "odd.tif", celsius)
    assert main(["inspect", str(tmp_path), "--out", str(tmp_path)]) == 0
    assert (tmp_path / "marked" / "0000_odd.jpg").is_file()


def test_the_report_speaks_chinese_and_heads_with_the_fire_that_lies_nowhere(fire_file, tmp_path, capsys):
    write_thermal(tmp_path / "bare.tif", tifffile.imread(fire_file), None)
    assert main(["inspect", str(tmp_path), "--out", str(tmp_path / "o"), "--language", "zh-CN"]) == 0
    assert "1 帧中有疑似火情" in (tmp_path / "o" / "report.html").read_text("utf-8")
    assert all(ord(hazard_name(hazard, "zh-CN")[0]) > 127 for hazard in Hazard)


def test_a_path_that_is_not_there_is_wrong_input(tmp_path, capsys):
    assert main(["inspect", str(tmp_path / "nowhere"), "--json"]) == 2
    assert "found nothing there" in capsys.readouterr().err


@pytest.mark.shared_data
def test_every_frame_of_a_real_grass_fire_shows_fire_at_the_right_temperature(shared):
    folder = shared / "thermal" / "flame3_willamette"
    with (folder / "hotspots.csv").open() as file:
        hottest = {row["file"]: float(row["max_C"]) for row in csv.DictReader(file)}
    results = inspect([folder / "radiometric_tiff_celsius"]).frames
    assert {r.file.rsplit("/", 1)[1] for r in results} == hottest.keys()
    for result in results:
        fires = [d for d in result.detections if d.hazard is Hazard.FIRE]
        assert fires
        assert fires[0].temp_max_c == pytest.approx(hottest[result.file.rsplit("/", 1)[1]], abs=0.1)
        assert fires[0].saturated


@pytest.mark.shared_data
def test_thermal_pictures_without_temperatures_show_no_fire_and_say_why(shared):
    pictures = sorted((shared / "thermal" / "hit_uav" / "images").iterdir())[:20]
    for result in inspect(pictures).frames:
        assert result.detections == ()
        assert "temperatures cannot be had" in str(result.note)


@pytest.mark.shared_data
def test_real_photos_lie_on_the_model_beside_them(shared):
    frames = {r.file.rsplit("/", 1)[1]: r for r in inspect([shared / "geotagged" / "openathena"]).frames}
    for name, model in (
        ("S1008521.JPG", "S1008521.tiff"),
        ("skydio-catilina.jpg", "skydio-catilina-dem.tiff"),
        ("teal2_img_eo_00015.jpg", "teal2.tiff"),
    ):
        assert frames[name].footprint
        assert frames[name].ground.endswith(model)
        assert frames[model].skipped == "an elevation model, used as ground"
    assert frames["parrot-1.jpg"].footprint is None
    assert "not put on the ground" in str(frames["parrot-1.jpg"].note)


@pytest.mark.shared_data
def test_decoded_temperatures_take_their_place_from_the_jpeg_beside_them(shared):
    result = examine(shared / "geotagged" / "dji_m2ea_thermal" / "DJI_0001_T_celsius.tiff")
    assert result.footprint
    assert "DJI_0001_T.JPG" in str(result.note)


def test_a_hazard_that_cannot_be_seen_in_a_picture_is_told_as_not_searched_for(fire_file, capsys):
    """Silence would read as "no flood here"."""
    assert main(["inspect", str(fire_file), "--hazard", "flood"]) == 0
    assert "not searched for flood" in capsys.readouterr().err
    assert examine(fire_file, hazards={Hazard.FLOOD}).searched == frozenset()


@pytest.mark.shared_data
def test_every_real_photo_has_pose_footprint_and_ellipse_or_says_why_not(shared):
    """With a model that covers one of them only: the others lie on those beside them, or on level ground."""
    folder = shared / "geotagged"
    found = inspect([folder], dem=folder / "openathena" / "skydio-catilina-dem.tiff")
    by_name = {r.file.rsplit("/", 1)[-1]: r for r in found.frames if r.skipped is None}
    assert len(by_name) == 10
    whole = {name for name, r in by_name.items() if r.shot and r.shot.pose and r.footprint and r.aim}
    assert by_name.keys() - whole == {"autel_xl715_test.jpg", "parrot-1.jpg"}
    assert "no gimbal angles" in str(by_name["autel_xl715_test.jpg"].note)
    assert "fisheye" in str(by_name["parrot-1.jpg"].note)
    rows = {r["file"].rsplit("/", 1)[-1]: r for r in present.to_json(found)["frames"]}
    assert all(rows[name]["ellipse_m"][0] >= rows[name]["ellipse_m"][1] > 0 for name in whole)


def test_a_fire_that_spreads_between_two_flights_tells_its_growth(tmp_path, pose):
    """A disc of fire of 20 and then 60 pixels across, ten minutes apart."""
    for i, (half, minute) in enumerate(((10, b"10:00"), (30, b"10:10"))):
        celsius = meadow(seed=i)
        celsius[256 - half : 256 + half, 320 - half : 320 + half] = 450.0
        path = write_thermal(tmp_path / f"GP_{i}_T.TIF", celsius, pose)
        path.write_bytes(path.read_bytes().replace(b"T10:00:05", b"T" + minute + b":05"))
    (incident,) = present.to_json(inspect([tmp_path]))["incidents"]
    growth = incident["growth"]
    assert growth["looks"] == 2
    assert growth["area_m2"] == pytest.approx((60 * 120 / 758.33) ** 2, rel=0.1)
    assert growth["speed_m_s"] == pytest.approx(20 * math.sqrt(2) * 120 / 758.33 / 600, rel=0.3)


def test_what_is_large_is_marked_by_its_outline(fire_file):
    """A diamond's corners are bare where its box would have had a line."""
    result = examine(fire_file)
    (found,) = result.detections
    diamond = ((320.0, 56.0), (520.0, 256.0), (320.0, 456.0), (120.0, 256.0))
    large = replace(found, box=Box(120.0, 56.0, 520.0, 456.0), outline_px=diamond)
    drawn, plain = (
        cv2.imdecode(np.frombuffer(marked(fire_file, r), np.uint8), cv2.IMREAD_COLOR).astype(int)
        for r in (replace(result, detections=(large,)), replace(result, detections=()))
    )
    changed = np.abs(drawn - plain).max(axis=2) > 40
    assert changed[500:524, 236:246].any()
    assert not changed[900:920, 230:260].any()
