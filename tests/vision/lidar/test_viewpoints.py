"""Close-ups of towers: every joint from both faces, as far from everything as a machine must be."""

import math

import numpy as np
import pytest
from scipy.spatial import cKDTree

from tests.vision.lidar import survey_lines
from vision.lidar.clearance import towers
from vision.lidar.survey import survey
from vision.lidar.telling import to_json
from vision.lidar.viewpoints import FACES, FARTHEST_M, joints, keep_m, viewpoints
from vision.lidar.wires import find_wires


@pytest.fixture(scope="module")
def stood():
    """The line's points, its wires and its one tower."""
    line = survey_lines.line()
    wires = find_wires(line.points_m, np.flatnonzero(line.points_m[:, 2] > 4))
    (tower,) = towers(line.points_m, wires, np.flatnonzero(line.classes == survey_lines.TOWER))
    return line.points_m, wires, tower


def test_each_wire_that_ends_at_the_tower_is_a_joint(stood):
    _, wires, tower = stood
    found = joints([tower], wires)
    assert sorted(j.wire for j in found) == list(range(6))
    for joint in found:
        assert math.hypot(*joint.at_m[:2]) < 10
        away = np.array(joint.at_m[:2]) + 50 * np.array(joint.leaves)
        assert math.hypot(*away) > 40


@pytest.mark.parametrize("voltage_kv", [110, 500])
def test_both_faces_see_every_joint_and_nothing_is_too_near(stood, voltage_kv):
    points, wires, tower = stood
    views, hidden = viewpoints(points, [tower], wires, voltage_kv=voltage_kv)
    assert hidden == ()
    assert {(v.joint.wire, v.face) for v in views} == {(w, f) for w in range(6) for f in FACES}
    far, _ = cKDTree(points).query(np.array([v.camera_m for v in views]))
    assert (far >= keep_m(voltage_kv) - 0.01).all()
    assert all(v.clear_m >= keep_m(voltage_kv) and v.distance_m <= FARTHEST_M for v in views)


def test_the_camera_looks_at_the_joint_from_outside_the_line(stood):
    points, wires, tower = stood
    views, _ = viewpoints(points, [tower], wires, voltage_kv=110)
    for view in views:
        east, north, up = np.array(view.joint.at_m) - np.array(view.camera_m)
        assert math.degrees(math.atan2(east, north)) % 360 == pytest.approx(view.heading_deg, abs=0.01)
        assert math.degrees(math.atan2(up, math.hypot(east, north))) == pytest.approx(
            view.pitch_deg, abs=0.01
        )
        assert math.hypot(east, north, up) == pytest.approx(view.distance_m, abs=0.01)
    outer = [v for v in views if abs(v.joint.at_m[1]) > 3]
    assert outer
    assert all(abs(v.camera_m[1]) > abs(v.joint.at_m[1]) for v in outer)


def test_a_joint_with_a_wood_around_it_is_told_as_hidden(stood):
    points, wires, tower = stood
    rng = np.random.default_rng(1)
    wood = rng.uniform((-45, 6, 0), (45, 45, 40), (30_000, 3))
    views, hidden = viewpoints(np.concatenate([points, wood]), [tower], wires, voltage_kv=110)
    assert hidden
    assert all(v.camera_m[1] < 6 for v in views)


def test_a_survey_tells_its_viewpoints_on_the_map(tmp_path):
    file = survey_lines.write(tmp_path / "line.laz", survey_lines.line(), crs="EPSG:28992")
    told = to_json(survey(file, voltage_kv=110))["viewpoints"]
    assert len(told) == 12
    assert all(52 < v["lat_deg"] < 54 and 6 < v["lon_deg"] < 7.5 for v in told)
    assert {v["face"] for v in told} == set(FACES)
