"""What the analyst does with a frame: beside the other eye's, and with what verdicts have taught."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from api.roles.examining import Learnt, Looking, looked
from missions.geo import LatLon
from missions.model import Camera, CameraPose, Hazard, Sensor
from missions.terrain import Terrain
from sim.picture_files import Caption, write_colour, write_thermal
from tests.vision.conftest import write_level_dem
from tests.vision.detecting import FLAME, GREEN, tiny_model
from vision.calibration import Calibration, Source, store
from vision.detectors import registry, runtime
from vision.scene import Scene

HERE = LatLon(30.28, 119.42)
POSE = CameraPose(HERE, 220.0, 90.0, -90.0)
AT = datetime(2026, 6, 1, 2, 0, tzinfo=UTC)
EYES = {
    "thermal": Camera("GP-1 T", Sensor.THERMAL, 640, 512, 758.3333, 320.0, 256.0),
    "rgb": Camera("GP-1 W", Sensor.RGB, 1280, 960, 1200.0, 640.0, 480.0),
}


def frame(sensor: str, other: str | None = None) -> dict[str, Any]:
    """What the bus tells of a frame of the one shot there is."""
    told: dict[str, Any] = {"id": f"shot 1 {sensor}", "sensor": sensor, "pose": None}
    return told | {"other": frame(other) if other else None}


def caption(sensor: str) -> Caption:
    return Caption(EYES[sensor], POSE, 120.0, AT, "D1", 1)


@pytest.fixture
def heat(tmp_path: Path) -> Path:
    """A fire of half a square metre in the middle of the thermal picture."""
    celsius = (22 + np.random.default_rng(1).normal(0, 0.6, (512, 640))).astype(np.float32)
    celsius[254:259, 318:323] = 420.0
    write_thermal(tmp_path / "a_T.tif", celsius, caption("thermal"))
    return tmp_path / "a_T.tif"


@pytest.fixture
def flame(tmp_path: Path) -> Path:
    """The same fire in the colour picture, one cell of the tiny detector."""
    green = np.full((960, 1280, 3), GREEN[::-1], np.uint8)
    cv2.rectangle(green, (640, 480), (719, 559), FLAME[::-1], -1)
    write_colour(tmp_path / "a_W.jpg", green, caption("rgb"))
    return tmp_path / "a_W.jpg"


@pytest.fixture
def looking(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Looking:
    """Level ground, thermal and colour detectors, calibrations in a folder."""
    monkeypatch.setattr(runtime, "SHIPPED", tiny_model(tmp_path))
    monkeypatch.setattr(registry, "_loaded", lru_cache(maxsize=64)(registry._loaded.__wrapped__))
    level = write_level_dem(tmp_path / "level.tif")
    wanted = frozenset({Hazard.FIRE, Hazard.SMOKE})
    return Looking(Terrain.open(level), Scene(), wanted, frozenset(Hazard), Learnt(tmp_path / "calibration"))


def test_a_fire_alone_is_told_by_its_own_eye(heat: Path, looking: Looking) -> None:
    found = looked(heat, None, looking, frame("thermal"))
    (fire,) = found.observations
    assert (fire.hazard, len(fire.sources), found.agreed) == (Hazard.FIRE, 1, ())
    assert found.placed == (0,)
    assert found.camera_at == HERE


def test_the_colour_eye_makes_a_fire_surer_that_is_told_already_and_tells_it_no_second_time(
    heat: Path, flame: Path, looking: Looking
) -> None:
    (alone,) = looked(heat, None, looking, frame("thermal")).observations
    found = looked(flame, heat, looking, frame("rgb", "thermal"))
    (surer,) = found.agreed
    assert (found.observations, len(found.detections)) == ((), 1)
    assert surer.id == alone.id
    assert len(surer.sources) == 2
    assert surer.confidence > max(0.98, alone.confidence)


def test_a_fire_is_surer_where_the_colour_eye_saw_it_before(
    heat: Path, flame: Path, looking: Looking
) -> None:
    (alone,) = looked(flame, None, looking, frame("rgb")).observations
    assert len(alone.sources) == 1
    found = looked(heat, flame, looking, frame("thermal", "rgb"))
    (fire,) = found.observations
    assert (len(fire.sources), found.agreed) == (2, ())
    assert fire.confidence > 0.98


def test_a_calibration_counts_from_the_next_frame_on_and_so_does_taking_it_back(
    heat: Path, looking: Looking, tmp_path: Path
) -> None:
    kiln = Source("k", Hazard.FIRE, HERE, 20.0, "industrial_heat", "kiln", AT + timedelta(days=9), 0.6)
    assert len(looked(heat, None, looking, frame("thermal")).observations) == 1
    store.add(tmp_path / "calibration", Calibration(sources=(kiln,)), {}, now=AT)
    found = looked(heat, None, looking, frame("thermal"))
    assert (found.observations, len(found.detections)) == ((), 1)
    assert "known source: industrial heat of kiln" in str(found.note)
    store.undo(tmp_path / "calibration")
    assert len(looked(heat, None, looking, frame("thermal")).observations) == 1
    high = Calibration(thresholds={("GP-1 T", Hazard.FIRE): 0.999})
    store.add(tmp_path / "calibration", high, {}, now=AT)
    assert looked(heat, None, looking, frame("thermal")).detections == ()


def test_a_known_source_whose_time_is_over_or_that_has_grown_is_told(
    heat: Path, looking: Looking, tmp_path: Path
) -> None:
    kiln = Source("k", Hazard.FIRE, HERE, 20.0, "industrial_heat", "kiln", AT, 0.6)
    small = replace(kiln, expires_at=AT + timedelta(days=9), largest_m2=0.1)
    for source in (kiln, small):
        store.add(tmp_path / "calibration", Calibration(sources=(source,)), {}, now=AT)
        assert len(looked(heat, None, looking, frame("thermal")).observations) == 1


def test_a_calibration_that_cannot_be_read_leaves_the_one_before_in_force(
    heat: Path, looking: Looking, tmp_path: Path
) -> None:
    high = Calibration(thresholds={("GP-1 T", Hazard.FIRE): 0.999})
    store.add(tmp_path / "calibration", high, {}, now=AT)
    assert looked(heat, None, looking, frame("thermal")).detections == ()
    (tmp_path / "calibration" / "0002.json").write_text(json.dumps({"version": 2}), "utf-8")
    assert looked(heat, None, looking, frame("thermal")).detections == ()
