"""Broken, foreign and absurd frames through the front door: each is told of, and the rest is done."""

import json
import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from missions.program import main
from tests.vision.conftest import meadow, write_level_dem, write_thermal
from tests.vision.detecting import tiny_model

Json = dict[str, Any]


def burning() -> np.ndarray:
    celsius = meadow()
    celsius[200:212, 300:312] = 520.0
    return celsius


@pytest.fixture
def told(capsys: pytest.CaptureFixture[str]) -> Callable[..., dict[str, Json]]:
    """Return a function from files to what `inspect --json` says of each, by name."""

    def inspect(*files: Path | str) -> dict[str, Json]:
        assert main(["inspect", *map(str, files), "--json"]) == 0
        frames = json.loads(capsys.readouterr().out)["frames"]
        return {Path(frame["file"]).name: frame for frame in frames}

    return inspect


def test_no_reason_speaks_of_the_programs_own_objects(tmp_path, told):
    (tmp_path / "head.tif").write_bytes(b"II*\x00" + bytes(4))
    (tmp_path / "head.png").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(40))
    seen = told(tmp_path)
    assert seen["head.tif"]["skipped"] == "the TIFF is damaged: nothing in it can be read"
    assert seen["head.png"]["skipped"] == "the picture is damaged: nothing in it can be read"


def test_a_model_that_is_not_its_cards_is_refused_before_any_picture_is_read(tmp_path, capsys):
    model = tiny_model(tmp_path, sha256="0" * 64)
    (tmp_path / "empty.jpg").write_bytes(b"")
    wish = ["inspect", str(tmp_path / "empty.jpg"), "--hazard", "fire", "--model", str(model)]
    assert main(wish) == 2
    assert "not loaded: its SHA-256 is" in capsys.readouterr().err


def test_a_frame_without_a_pose_is_searched_and_its_fire_is_kept_as_not_placed(tmp_path, told):
    write_thermal(tmp_path / "bare_T.tif", burning(), None)
    frame = told(tmp_path / "bare_T.tif")["bare_T.tif"]
    (fire,) = frame["detections"]
    assert (frame["skipped"], frame["pose"]) == (None, None)
    assert (fire["hazard"], fire["placed"], fire["lat_deg"], fire["ellipse_m"]) == ("fire", False, None, None)
    assert "not put on the ground" in frame["note"]


@pytest.mark.parametrize(
    ("changes", "above_m", "reason"),
    [
        pytest.param({"altitude_m": 60.0}, math.nan, "40 m under the ground", id="below the ground"),
        pytest.param({"altitude_m": math.nan}, math.nan, "but not how high", id="NaN for a height"),
        pytest.param({"heading_deg": math.nan}, 120.0, "but not which way it looked", id="NaN for a heading"),
        pytest.param({"pitch_deg": 10.0}, 120.0, "the line of sight leaves", id="nothing but sky"),
    ],
)
def test_an_absurd_pose_is_refused_with_the_reason_and_the_fire_is_not_placed(
    tmp_path, pose, told, changes, above_m, reason
):
    path = write_thermal(tmp_path / "odd_T.tif", burning(), replace(pose, **changes), above_m=above_m)
    level = write_level_dem(tmp_path / "level-dem.tif")
    frame = told(path, "--dem", level)["odd_T.tif"]
    assert [(d["hazard"], d["placed"]) for d in frame["detections"]] == [("fire", False)]
    assert reason in frame["note"]


def test_radiative_power_names_its_formula(tmp_path, pose, told):
    path = write_thermal(tmp_path / "hot_T.tif", burning(), pose)
    (fire,) = told(path)["hot_T.tif"]["detections"]
    assert fire["area_m2"] == pytest.approx(144 * 0.025, rel=0.05)
    kelvin = 520.0 + 273.15
    each_m2 = 0.95 * 5.670374419e-8 * (kelvin**4 - 295.15**4)
    assert fire["power_w"] == pytest.approx(each_m2 * fire["area_m2"], rel=0.02)
    assert "Wooster" in fire["power_from"]
