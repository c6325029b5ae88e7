"""Close-ups of towers as demands: a site takes them, a plan flies them, each camera looks at its joint."""

import json
import math
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from ruamel.yaml import YAML

from missions import check
from missions.geo import LatLon, LocalFrame, moved
from missions.planner import plan
from missions.program import main
from missions.site import load_site
from missions.terrain import Terrain
from tests.vision.lidar import survey_lines
from vision.lidar.survey import FLOWN_M, survey
from vision.lidar.viewpoints import FARTHEST_FLOWN_M, keep_m

VALLEY = Path(__file__).parents[3] / "examples" / "valley"
TOWER = moved(LatLon(30.282, 119.4119), 80.0, 350.0)
EAST, NORTH, _ = survey_lines.ORIGIN
HERE = (
    f"+proj=tmerc +lat_0={TOWER.lat_deg} +lon_0={TOWER.lon_deg} +x_0={EAST} +y_0={NORTH} "
    "+datum=WGS84 +units=m +no_defs"
)


@pytest.fixture
def cloud(tmp_path: Path) -> Path:
    """A survey of a line whose tower stands in the valley."""
    return survey_lines.write(tmp_path / "span 7.laz", survey_lines.line(), crs=HERE)


def test_the_demands_that_inspect_writes_are_planned_and_proven(cloud, tmp_path, capsys):
    """Twelve looks, each flown as high as plans fly and through its joint; the checker finds no fault."""
    arguments = ["--hazard", "line_clearance", "--voltage-kv", "110", "--dem", str(VALLEY / "valley_dem.tif")]
    assert main(["inspect", str(cloud), *arguments, "--out", str(tmp_path / "out"), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)["frames"][0]
    assert told["skipped"] is None
    fragment = tmp_path / "out" / "demands.yaml"
    made, site, terrain = planned(fragment, tmp_path / "site")
    assert made.unserved == ()
    assert check.faults(made, site, terrain) == ()
    shots = [shot for sortie in made.sorties for shot in sortie.shots]
    assert len(shots) == 12
    for view in survey(cloud, voltage_kv=110).flown:
        east, north, up = np.subtract(view.joint, (EAST, NORTH, 0.0))
        over_m = up - survey_lines.ORIGIN[2]  # the cloud's ground lies at its origin's height, within 0.6 m
        assert min(off_m(shot, (east, north, over_m), terrain) for shot in shots) < 2.5
        assert view.above_ground_m >= FLOWN_M - 0.5
        assert keep_m(110) <= view.view.clear_m <= view.view.distance_m <= FARTHEST_FLOWN_M


def test_without_a_place_on_earth_nothing_is_written(tmp_path):
    """Nor is a fragment that nobody can fly."""
    file = survey_lines.write(tmp_path / "line.laz", survey_lines.line())
    assert main(["inspect", str(file), "--hazard", "line_clearance", "--out", str(tmp_path / "out")]) == 0
    assert not (tmp_path / "out" / "demands.yaml").exists()


def planned(fragment: Path, folder: Path):
    """Return the plan of the valley with a fragment in place of its own demands."""
    shutil.copytree(VALLEY, folder)
    yaml = YAML()
    root = yaml.load((folder / "site.yaml").read_text("utf-8"))
    root["demands"] = yaml.load(fragment.read_text("utf-8"))
    with (folder / "site.yaml").open("w", encoding="utf-8") as file:
        yaml.dump(root, file)
    site = load_site(folder / "site.yaml")
    terrain = Terrain.open(site.terrain)
    return plan(replace(site, forecast=()), terrain=terrain, iterations=20), site, terrain


def off_m(shot, joint: tuple[float, float, float], terrain: Terrain) -> float:
    """Return by how much a shot's optical axis misses a joint that hangs over the ground under the camera."""
    east, north = LocalFrame(TOWER).to_local(shot.place)
    ground = terrain.elevation_m(np.array([shot.place.lat_deg]), np.array([shot.place.lon_deg]))
    camera = np.array([east, north, shot.altitude.metres - float(ground[0])])
    heading, pitch = math.radians(shot.heading_deg or 0.0), math.radians(shot.pitch_deg)
    axis = np.array(
        [math.sin(heading) * math.cos(pitch), math.cos(heading) * math.cos(pitch), math.sin(pitch)]
    )
    return float(np.linalg.norm(np.cross(np.array(joint) - camera, axis)))
