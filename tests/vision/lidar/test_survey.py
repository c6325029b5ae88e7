"""A point cloud as a file: what it says, what it leaves out, and what is refused."""

import json

import laspy
import numpy as np
import pytest

from missions.errors import InputWrong
from missions.model import Hazard
from missions.program import main
from tests.vision.lidar import survey_lines
from tests.vision.lidar.survey_lines import Line
from vision.lidar import standards, survey
from vision.lidar.cloud import crs_of
from vision.lidar.telling import lines, to_json

DUTCH = "EPSG:28992"


class Level:
    """Ground of one height everywhere."""

    source, resolution_m, error_m = "level", 30.0, 2.0

    def __init__(self, height_m: float) -> None:
        self._height_m = height_m

    def elevation_m(self, lat_deg, lon_deg):
        return np.full(np.shape(lat_deg), self._height_m)


@pytest.fixture(scope="module")
def line() -> Line:
    return survey_lines.line()


@pytest.fixture(scope="module")
def classed(line, tmp_path_factory):
    return survey_lines.write(tmp_path_factory.mktemp("las") / "line.laz", line, crs=DUTCH)


def test_a_classed_file_with_a_system_is_measured_and_put_on_the_map(classed):
    found = survey(classed, voltage_kv=110)
    assert found.skipped is None
    assert found.searched == {Hazard.LINE_CLEARANCE}
    assert len(found.wires) == 6
    tree = next(f for f in found.findings if f.clearance.kind == "tree")
    assert tree.clearance.clearance_m == pytest.approx(survey_lines.tree_gap_m(), abs=0.12)
    assert tree.at == pytest.approx(survey_lines.ORIGIN + np.array([-100, 0, 11]), abs=0.3)
    assert (tree.place.lat_deg, tree.place.lon_deg) == pytest.approx((53.185, 6.48), abs=0.03)
    assert len(found.observations) == len(found.findings)
    assert found.observations[0].facts["clearance_m"] == round(found.findings[0].clearance.clearance_m, 2)


def test_without_system_and_classes_it_measures_still_and_says_what_is_missing(line, tmp_path):
    found = survey(survey_lines.write(tmp_path / "bare.las", line, classed=False))
    assert len(found.wires) == 6
    assert any(f.clearance.clearance_m < 3.2 for f in found.findings)
    assert found.observations == ()
    assert all(f.place is None for f in found.findings)
    for words in ("no coordinate system", "no classes", "voltage is not known", "hour of the flight"):
        assert words in found.note


def test_a_system_said_beside_the_file_puts_it_on_the_map(line, tmp_path):
    found = survey(survey_lines.write(tmp_path / "bare.las", line), crs=crs_of(DUTCH))
    assert found.observations


def test_a_file_in_feet_that_says_so_is_turned_into_metres(line, tmp_path):
    """EPSG:2273 counts in feet; 228 km and 578 km are no place there, so the points are moved."""
    foot_m = 0.3048
    there = np.array([609_600.0, 200_000.0, 5.0])
    moved = Line(line.points_m - survey_lines.ORIGIN + there, line.classes)
    found = survey(survey_lines.write(tmp_path / "feet.las", moved, crs="EPSG:2273", unit_m=foot_m))
    assert "feet" in found.note
    tree = next(f for f in found.findings if f.clearance.kind == "tree")
    assert tree.clearance.clearance_m == pytest.approx(survey_lines.tree_gap_m(), abs=0.12)


def test_feet_that_nobody_told_of_are_refused(line, tmp_path):
    found = survey(survey_lines.write(tmp_path / "feet.las", line, unit_m=0.3048))
    assert "probably in feet" in found.skipped
    assert found.findings == ()
    assert found.searched == frozenset()


def test_wires_in_another_height_system_than_their_towers_are_refused(line, tmp_path):
    raised = line.points_m + np.where(line.classes == survey_lines.WIRE, 42.0, 0.0)[:, None] * [0, 0, 1]
    found = survey(survey_lines.write(tmp_path / "raised.las", Line(raised, line.classes), crs=DUTCH))
    assert "datum" in found.skipped
    assert found.findings == ()


def test_a_ground_that_is_not_the_elevation_models_is_told(classed):
    assert "another datum" in survey(classed, terrain=Level(47.0)).note
    assert "another datum" not in survey(classed, terrain=Level(5.5)).note


def test_a_system_of_another_country_is_refused(line, tmp_path):
    found = survey(survey_lines.write(tmp_path / "bare.las", line), crs=crs_of("EPSG:2193"))
    assert "outside" in found.skipped


def test_a_file_in_a_system_of_its_own_from_no_day_is_measured_and_one_of_noise_skipped(line, tmp_path):
    here = 'LOCAL_CS["Here",UNIT["metre",1],AXIS["x",EAST],AXIS["y",NORTH]]'
    path = survey_lines.write(tmp_path / "here.las", line, crs=here)
    las = laspy.read(path)
    las.header.global_encoding.gps_time_type = laspy.header.GpsTimeType.STANDARD
    las.gps_time[:] = 1e18
    las.write(path)
    assert "names no coordinate system" in survey(path).note
    las.classification[:] = 7
    las.write(path)
    assert survey(path).skipped == "holds no points but noise"


def test_a_forest_without_wires_is_not_searched(line, tmp_path):
    trees = np.isin(line.classes, (survey_lines.GROUND, survey_lines.TREE))
    found = survey(
        survey_lines.write(tmp_path / "t.las", Line(line.points_m[trees], line.classes[trees]), crs=DUTCH)
    )
    assert "no wires found" in found.note
    assert found.searched == frozenset()


@pytest.mark.parametrize("content", [b"", b"LASF", b"\x89PNG\r\n", b"LASF" + bytes(400)])
def test_what_is_no_cloud_is_skipped_with_a_reason(content, tmp_path):
    path = tmp_path / "broken.laz"
    path.write_bytes(content)
    assert survey(path).skipped


@pytest.mark.parametrize("text", ["EPSG:99999999", "Amersfoort, roughly", "EPSG:4326"])
def test_a_system_that_is_none_or_in_degrees_is_wrong_input(text):
    with pytest.raises(InputWrong):
        crs_of(text)


def test_the_row_of_a_cloud_has_a_frames_keys_and_its_lines_can_be_read(classed):
    found = survey(classed)
    row = json.loads(json.dumps(to_json(found)))
    assert {"file", "pose", "skipped", "detections"} <= row.keys()
    assert {"hazard", "confidence", "box_px", "lat_deg", "ellipse_m", "geometry"} <= row["detections"][
        0
    ].keys()
    told = list(lines(found, "line.laz"))
    assert "6 wires" in told[0]
    assert any("tree 3.0" in words for words in told)


def test_inspect_searches_clouds_beside_pictures(classed, capsys):
    assert (
        main(["inspect", str(classed.parent), "--hazard", "line_clearance", "--voltage-kv", "110", "--json"])
        == 0
    )
    (row,) = json.loads(capsys.readouterr().out)["frames"]
    assert row["detections"][0]["facts"]["standard"]
    assert row["voltage_kv"] == 110


def test_distances_grow_with_the_voltage_and_every_row_names_its_source():
    for kind in standards.kinds():
        asked = [standards.required_m(kind, kv) for kv in (0.4, 10, 35, 110, 220, 330, 500, 750)]
        assert asked == sorted(asked)
        assert len(standards.source(kind)) > 10
    assert standards.required_m("tree", 220) == 4.5
    assert standards.required_m("building", 500) == 9.0
    assert standards.required_m("machine", 138) == 4.57
    assert standards.allows_kv("tree", 4.2) == 35
    assert standards.allows_kv("tree", 0.3) is None
    assert standards.required_m("kite", None) == standards.required_m("other", 35)


@pytest.mark.parametrize(
    ("unit_m", "raised_m", "words"),
    [(0.3048, 0.0, "probably in feet"), (1.0, 42.0, "datum")],
)
def test_the_command_skips_a_cloud_whose_metres_or_heights_cannot_be_trusted(
    line, tmp_path, capsys, unit_m, raised_m, words
):
    raised = line.points_m + np.where(line.classes == survey_lines.WIRE, raised_m, 0.0)[:, None] * [0, 0, 1]
    cloud = survey_lines.write(tmp_path / "line.laz", Line(raised, line.classes), unit_m=unit_m)
    assert main(["inspect", str(cloud), "--hazard", "line_clearance", "--json"]) == 0
    (row,) = json.loads(capsys.readouterr().out)["frames"]
    assert words in row["skipped"]
    assert row["detections"] == []


def test_the_command_says_what_an_unclassed_cloud_from_nowhere_leaves_open(line, tmp_path, capsys):
    """Its clearances are metres all the same; places, and so incidents, there are none."""
    cloud = survey_lines.write(tmp_path / "bare.las", line, classed=False)
    assert main(["inspect", str(cloud), "--hazard", "line_clearance", "--json"]) == 0
    (row,) = json.loads(capsys.readouterr().out)["frames"]
    assert all(words in row["note"] for words in ("no coordinate system", "no classes", "voltage"))
    assert row["detections"]
    assert all(found["lat_deg"] is None for found in row["detections"])
