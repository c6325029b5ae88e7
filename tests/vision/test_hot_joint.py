"""A warm clamp on the line is a hot joint; the same warmth in the field beside it is none."""

from dataclasses import replace

import numpy as np
import pytest

from missions.geo import distance_m, moved
from missions.model import Hazard, PowerLine, ReferenceLayers
from tests.vision.conftest import meadow, write_thermal
from vision.detectors import Abstained
from vision.detectors.hot_joint import HotJoint
from vision.frame import load
from vision.scene import Scene


@pytest.fixture
def scene(pose, ground) -> Scene:
    """A line that runs along the flight, straight under the drone."""
    towers = tuple((str(i), moved(pose.place, 90.0, -200.0 + 200.0 * i)) for i in range(3))
    line = PowerLine("L1", {"en-US": "line 1"}, 220.0, towers)
    return Scene(ground=ground, references=ReferenceLayers(lines=(line,)))


@pytest.fixture
def look(tmp_path, pose, scene):
    """Return a function from °C to what is found; the top of the picture is east."""

    def detect(celsius: np.ndarray, *, where: Scene = scene):
        frame = load(write_thermal(tmp_path / "a_T.tif", celsius, pose))
        return HotJoint().detect(replace(frame, pixel_m2=0.025), where)

    return detect


def test_a_clamp_twenty_degrees_warmer_than_its_line_is_a_hot_joint(look):
    celsius = meadow()
    celsius[100:103, 320:323] = 44.0
    (joint,) = look(celsius)
    assert (joint.hazard, joint.kind) == (Hazard.HOT_JOINT, "")
    assert joint.temp_max_c == pytest.approx(44.0)


def test_forty_degrees_are_serious_and_surer(look):
    celsius = meadow()
    celsius[100:103, 320:323] = 44.0
    celsius[300:303, 318:321] = 75.0
    serious, other = look(celsius)
    assert (serious.kind, other.kind) == ("serious", "")
    assert serious.confidence > other.confidence


def test_the_same_warmth_beside_the_line_is_none(look):
    celsius = meadow()
    celsius[100:103, 60:63] = 44.0
    assert look(celsius) == ()


def test_a_warm_roof_under_the_line_is_too_large(look):
    celsius = meadow()
    celsius[100:160, 300:350] = 44.0
    assert look(celsius) == ()


def test_the_edge_of_a_fire_under_the_line_and_the_embers_beside_it_are_no_joints(look):
    celsius = meadow()
    celsius[200:230, 290:335] = 45.0  # warm ground around it, across the band's edge
    celsius[205:225, 300:330] = 600.0
    celsius[240:243, 320:323] = 60.0
    assert look(celsius) == ()


def test_what_reaches_out_of_the_band_lies_on_the_ground(look):
    celsius = meadow()
    celsius[100:102, 340:344] = 44.0
    assert len(look(celsius)) == 1
    celsius[100:102, 344:400] = 38.0
    assert look(celsius) == ()


def test_what_the_pictures_edge_cuts_is_no_joint(look):
    celsius = meadow()
    celsius[509:512, 320:323] = 44.0
    assert look(celsius) == ()


def test_a_joint_is_placed_on_its_line(look, pose):
    """A pixel's ray meets the ground metres from the line that hangs above it."""
    celsius = meadow()
    celsius[100:103, 326:329] = 44.0
    (joint,) = look(celsius)
    assert joint.at.lat_deg == pytest.approx(pose.place.lat_deg, abs=1e-6)
    assert 5.0 < distance_m(joint.at, pose.place) < 60.0


def test_a_long_warm_edge_along_the_line_is_none(look):
    celsius = meadow()
    celsius[100:118, 320:322] = 44.0
    assert look(celsius) == ()


def test_without_a_line_a_pose_or_temperatures_it_abstains_and_says_why(look, scene, tmp_path, pose):
    assert "no power line" in str(look(meadow(), where=replace(scene, references=ReferenceLayers())))
    assert isinstance(look(meadow(), where=replace(scene, ground=None)), Abstained)
    bare = load(write_thermal(tmp_path / "b.tif", meadow(), None))
    assert isinstance(HotJoint().detect(bare, scene), Abstained)


def test_a_line_behind_the_camera_is_not_seen(tmp_path, pose, scene):
    up = replace(pose, pitch_deg=0.0, heading_deg=0.0)
    frame = load(write_thermal(tmp_path / "c_T.tif", meadow(), up))
    south = tuple((str(i), moved(pose.place, 180.0, 50.0 + 40.0 * i)) for i in range(3))
    behind = ReferenceLayers(lines=(PowerLine("L1", {}, 220.0, south),))
    assert HotJoint().detect(frame, replace(scene, references=behind)) == ()
