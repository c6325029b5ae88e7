"""Floods by night: water as warm as the river, joined to it; roads, yards and evenings are no floods."""

from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import cv2
import numpy as np
import pytest
from shapely.geometry import box

from missions.layers import ReferenceLayers
from missions.model import CameraPose, Sensor
from missions.site import load_site
from missions.terrain import Terrain
from sim.camera import Cameras, PictureJob, TruePose
from sim.changes import Changes, flood
from sim.world import World
from vision.detectors import Abstained, registry
from vision.detectors.flood_thermal import FloodThermal, Warmth, flooded, warmth
from vision.frame import Frame, load
from vision.grounds import mended
from vision.scene import Scene

PIXEL_M, RIVER_C, LAND_C = 0.5, 20.0, 15.5
SITE = Path(__file__).parents[2] / "examples" / "valley" / "site.yaml"


def night(*warm: tuple[tuple[slice, slice], float], noise_k: float = 0.1) -> tuple[np.ndarray, np.ndarray]:
    """Return the warmth of 150 m of ground with a river from top to bottom, and where the river belongs."""
    rng = np.random.default_rng(4)
    values = LAND_C + cv2.GaussianBlur(rng.normal(0, 6.0, (300, 300)), (0, 0), 4.0)
    belongs = np.zeros((300, 300), bool)
    belongs[:, 60:100] = True
    values[belongs] = RIVER_C
    for where, celsius in warm:
        values[where] = celsius
    return (values + rng.normal(0, noise_k, values.shape)).astype(np.float32), belongs


def told(values: np.ndarray, belongs: np.ndarray) -> float:
    """Return the m² told as flooded."""
    known = np.ones_like(belongs)
    read = warmth(values, belongs, known, PIXEL_M, in_k=True)
    assert isinstance(read, Warmth), read
    assert read.river == pytest.approx(RIVER_C, abs=0.1)
    return float(flooded(values, belongs, known, PIXEL_M, read).sum()) * PIXEL_M**2


FIELD = (slice(80, 200), slice(100, 180))  # 60 x 40 m beside the river


def test_water_beside_its_bed_is_told_by_its_warmth_with_its_area():
    assert told(*night((FIELD, RIVER_C))) == pytest.approx(60.0 * 40.0, rel=0.1)


@pytest.mark.parametrize(
    "decoy",
    [
        (slice(140, 150), slice(0, 300)),  # a road of 5 m over the river
        (slice(20, 80), slice(200, 260)),  # a yard of 30 m that keeps as warm as water, away from it
        (
            slice(0, 300),
            slice(100, 112),
        ),  # 6 m of warm gravel along the bank: poses are off as far
    ],
)
def test_what_is_as_warm_as_water_but_narrow_or_apart_from_it_is_no_flood(decoy):
    assert told(*night((decoy, RIVER_C))) == 0.0


def test_a_river_in_its_bed_is_no_flood_and_colder_ground_beside_it_neither():
    assert told(*night()) == 0.0
    assert told(*night((FIELD, RIVER_C - 2.0))) == 0.0


@pytest.mark.parametrize(
    ("warm", "words"),
    [
        (
            [((slice(0, 300), slice(0, 60)), 19.5), ((slice(0, 300), slice(100, 300)), 19.5)],
            "too little land",
        ),
        ([((slice(0, 300), slice(110, 260)), 18.0)], "runs together"),
    ],
)
def test_where_land_is_not_clearly_cooler_it_abstains(warm, words):
    """After sunset, in fog, in rain, in wind."""
    values, belongs = night(*warm)
    read = warmth(values, belongs, np.ones_like(belongs), PIXEL_M, in_k=True)
    assert isinstance(read, Abstained)
    assert words in read.reason


def test_a_picture_with_hardly_any_river_says_so():
    values, belongs = night()
    belongs[:, 64:] = False
    read = warmth(values, belongs, np.ones_like(belongs), PIXEL_M, in_k=True)
    assert isinstance(read, Abstained)
    assert "too little of the river" in read.reason


@pytest.fixture(scope="module")
def flown(tmp_path_factory) -> tuple[Frame, Frame, Scene]:
    """Return simulated pictures at four in the morning: a flood, and the river in its bed."""
    folder, site = tmp_path_factory.mktemp("night"), load_site(SITE)
    terrain = Terrain.open(site.terrain)
    at = datetime(2026, 6, 1, 4, tzinfo=ZoneInfo(site.timezone))
    calm = World.build(site, terrain, seed=0, scenario="calm", epoch_at=at)
    relief = calm.relief
    inside = box(relief.west_m + 250, relief.south_m + 250, relief.east_end_m - 250, relief.north_end_m - 250)
    risen = flood("W1", calm.landscape, relief, np.random.default_rng([5, 7]), within=inside)
    middle = risen.middle
    place = calm.frame.to_place(middle.x, middle.y)
    ground_m = float(terrain.elevation_m(np.array([place.lat_deg]), np.array([place.lon_deg]))[0])
    camera = next(c for m in site.models for c in m.cameras if c.sensor is Sensor.THERMAL)
    frames = []
    for name, world in (("flood", replace(calm, changes=Changes(floods=(risen,)))), ("bank", calm)):
        true = TruePose(place, ground_m + 110.0, 40.0, -85.0)
        said = CameraPose(calm.frame.to_place(middle.x + 2.0, middle.y - 1.0), ground_m + 110.0, 41.0, -85.0)
        job = PictureJob(folder / name, true, said, 110.0, (camera,), at, at, "D1", 1)
        frames.append(load(Cameras(world).take(job)[0]))
    return frames[0], frames[1], Scene(ground=mended(terrain), references=site.layers)


def test_a_simulated_flood_is_found_before_dawn_and_the_river_in_its_bed_is_none(flown):
    """By pose and the site's river alone; the same as °C and as a picture of unknown scale."""
    wet, bank, scene = flown
    found = FloodThermal().detect(wet, scene)
    assert not isinstance(found, Abstained), found
    assert sum(d.facts["area_m2"] for d in found) > 1000.0
    assert found[0].facts["water_c"] - found[0].facts["land_c"] > 3.0
    assert FloodThermal().detect(bank, scene) == ()
    assert len(FloodThermal().detect(greyed(wet), scene)) > 0
    assert FloodThermal().detect(greyed(bank), scene) == ()


@pytest.mark.parametrize(("hours", "words"), [(-6.0, "before midnight"), (8.0, "by day")])
def test_evenings_and_days_are_left_to_others(flown, hours, words):
    wet, _, scene = flown
    later = replace(wet, shot=replace(wet.shot, taken_at=wet.shot.taken_at + timedelta(hours=hours)))
    answer = FloodThermal().detect(later, scene)
    assert isinstance(answer, Abstained)
    assert words in answer.reason


def test_without_ground_river_baseline_or_pose_it_abstains(flown):
    wet, _, scene = flown
    for frame, known, words in (
        (wet, replace(scene, ground=None), "without a place"),
        (wet, replace(scene, references=ReferenceLayers()), "no baseline of this place yet"),
        (replace(wet, shot=replace(wet.shot, pose=None)), scene, "nobody knows whether it was night"),
    ):
        answer = FloodThermal().detect(frame, known)
        assert isinstance(answer, Abstained)
        assert words in answer.reason


def test_it_is_on_trial():
    """Its word makes no incident until real floods by night have been measured."""
    (entry,) = [e for e in registry.ENTRIES if e.place.endswith(":FloodThermal")]
    assert entry.on_trial
    assert not entry.by_default


def greyed(frame: Frame) -> Frame:
    """Return a frame as a camera without radiometry would give it: 8 bits, least to most."""
    low, high = np.percentile(frame.celsius, (0.5, 99.5))
    grey = np.clip((frame.celsius - low) / (high - low) * 255, 0, 255).astype(np.uint8)
    return replace(frame, celsius=None, pixels=grey, warmth=grey.astype(np.float32), warmth_limit=255.0)
