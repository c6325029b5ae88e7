"""A frame says what was looked for in it and how fine: nothing found there is worth that much and no more."""

from pathlib import Path

import cv2

from missions.model import CameraPose, Hazard
from tests.vision.conftest import meadow, write_thermal
from vision.inspection import examine


def test_a_thermal_frame_was_searched_for_fire_and_tells_its_pixel_size(
    tmp_path: Path, pose: CameraPose
) -> None:
    file = tmp_path / "calm_T.TIF"
    write_thermal(file, meadow(), pose)
    seen = examine(file)
    assert seen.detections == ()
    assert seen.searched >= {Hazard.FIRE}
    assert seen.gsd_m is not None
    assert 0.02 < seen.gsd_m < 1.0
    assert examine(file, hazards={Hazard.FLOOD}).searched == frozenset()


def test_a_file_that_is_no_picture_was_searched_for_nothing(tmp_path: Path) -> None:
    file = tmp_path / "broken.jpg"
    file.write_bytes(b"\xff\xd8\xff not a picture")
    seen = examine(file)
    assert seen.skipped
    assert (seen.searched, seen.gsd_m) == (frozenset(), None)


def test_a_picture_without_a_place_shows_no_ground(tmp_path: Path) -> None:
    file = tmp_path / "plain.jpg"
    cv2.imwrite(str(file), meadow().astype("uint8"))
    assert examine(file).gsd_m is None
