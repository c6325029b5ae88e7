"""Scores on thermal folders, in every layout that they come in."""

import csv
import json

import cv2
import numpy as np
import pytest
import tifffile

from missions.errors import InputWrong
from missions.program import main
from tests.vision.conftest import meadow, write_thermal
from vision.evaluate import Request, evaluate
from vision.evaluate.curves import Curve
from vision.evaluate.thermal_labels import labelled


def burning() -> np.ndarray:
    celsius = meadow()
    celsius[200:206, 300:306] = 520.0
    return celsius


@pytest.fixture
def pictures(tmp_path):
    """Two pictures with fire and two without, °C, in one folder."""
    folder = tmp_path / "frames"
    folder.mkdir()
    for i, celsius in enumerate([burning(), burning(), meadow(), meadow(3)]):
        tifffile.imwrite(folder / f"{i}.tif", celsius)
    return tmp_path


def score(folder):
    return evaluate("thermal", Request(folder, lambda _: None))


def test_a_table_says_which_frames_burn(pictures):
    rows = ["file,fire", "frames/0.tif,1", "frames/1.tif,yes", "frames/2.tif,0", "frames/3.tif,-1"]
    rows[:2] = "file,fire,x_px,y_px,radius_px", "frames/0.tif,1,3,5,wide"
    (pictures / "labels.csv").write_text("\n".join(rows))
    told = score(pictures)
    assert (told["recall"], told["false_alarms_per_100_frames"]) == (1.0, 0.0)
    assert (told["positives"], told["negatives"], told["skipped"]) == (2, 1, 0)


def test_masks_say_which_frames_burn_and_where(pictures):
    (pictures / "mask").mkdir()
    for i in range(4):
        mask = np.zeros((512, 640), np.uint8)
        mask[200:206, 300:306] = 255 if i == 0 else 0
        mask[20:30, 20:30] = 255 if i == 1 else 0  # elsewhere: the detection there is no hit
        cv2.imwrite(str(pictures / "mask" / f"{i}.png"), mask)
    told = score(pictures)
    assert (told["recall"], told["positives"], told["negatives"]) == (0.5, 2, 2)


def test_folders_yolo_and_coco_are_understood_too(pictures, tmp_path):
    (pictures / "frames").rename(pictures / "no_fire")
    assert {one.fire for one in labelled(pictures)} == {False}
    (pictures / "no_fire").rename(pictures / "images")
    (pictures / "labels").mkdir()
    for i in range(4):
        (pictures / "labels" / f"{i}.txt").write_text("0 .5 .5 .1 .1\n" if i < 2 else "")
    assert [one.fire for one in labelled(pictures)] == [True, True, False, False]
    for file in (pictures / "labels").iterdir():
        file.unlink()
    coco = {
        "images": [{"id": i, "file_name": f"images/{i}.tif"} for i in range(4)],
        "categories": [{"id": 0, "name": "Fire"}],
        "annotations": [{"image_id": 1, "category_id": 0}],
    }
    (pictures / "truth.json").write_text(json.dumps(coco))
    (pictures / "deep.json").write_text("[" * 100_000)
    assert [one.fire for one in labelled(pictures)] == [False, True, False, False]


def test_a_frame_that_cannot_be_searched_is_a_miss_or_a_false_alarm(pictures):
    for i in (0, 2):
        (pictures / "frames" / f"{i}.tif").write_bytes(b"II*\x00 no more")
    rows = ["file,fire", *(f"frames/{i}.tif,{int(i < 2)}" for i in range(4))]
    (pictures / "labels.csv").write_text("\n".join(rows))
    told = score(pictures)
    assert (told["recall"], told["false_alarms_per_100_frames"], told["skipped"]) == (0.5, 50.0, 2)


def test_a_folder_without_labels_is_refused_with_what_was_expected(pictures):
    with pytest.raises(InputWrong, match="expected a table"):
        score(pictures)


def test_the_command_writes_curve_and_table(pictures, tmp_path, capsys):
    rows = ["file,fire", *(f"frames/{i}.tif,{int(i < 2)}" for i in range(4))]
    (pictures / "labels.csv").write_text("\n".join(rows))
    out = tmp_path / "scores"
    assert main(["evaluate", str(pictures), "--task", "thermal", "--out", str(out), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["average_precision"] == 1.0
    assert cv2.imread(str(out / "thermal_pr.png")) is not None
    with (out / "thermal.csv").open() as file:
        assert [row["called"] for row in csv.DictReader(file)] == ["1", "1", "0", "0"]


def test_a_curve_is_the_textbooks():
    curve = Curve.of("x", [0.9, 0.8, 0.7, 0.6], [True, False, True, False])
    assert curve.precision == pytest.approx((1.0, 0.5, 2 / 3, 0.5))
    assert curve.recall == pytest.approx((0.5, 0.5, 1.0, 1.0))
    assert curve.average_precision == pytest.approx(0.5 * 1.0 + 0.5 * 2 / 3)


@pytest.mark.shared_data
def test_the_real_burn_is_found_in_every_frame(shared):
    told = score(shared / "thermal" / "flame3_willamette")
    assert (told["recall"], told["positives"], told["skipped"]) == (1.0, 5, 0)


@pytest.mark.shared_data
def test_makers_files_are_scored_and_the_undecoded_one_says_why(shared):
    told = evaluate("radiometry", Request(shared / "thermal" / "rjpeg", lambda _: None))
    (undecoded,) = (f for f in told["files"] if f["max_abs_error_c"] is None)
    assert undecoded["file"].startswith("XTS")
    assert "shutter" in undecoded["note"]
    assert told["max_abs_error_c"] < 0.5
    assert told["undecoded"] == 1


@pytest.fixture
def mixed(tmp_path, pose):
    """A folder as the real burn's: °C, 8-bit pictures of other frames, colour beside them, masks for all."""
    celsius, grey = tmp_path / "radiometric_tiff_celsius", tmp_path / "thermal_jpg"
    masks, colour = tmp_path / "hot_mask_ge100C", tmp_path / "images"
    for folder in (celsius, grey, masks, colour):
        folder.mkdir()
    for i, heat in enumerate([burning(), meadow(), burning(), meadow(3)]):
        is_grey = i >= 2
        if is_grey:
            levels = np.clip((heat + 20) * 255 / 540, 0, 255).astype(np.uint8)
            cv2.imwrite(str(grey / f"{i:05}.JPG"), levels)
        else:
            write_thermal(celsius / f"{i:05}.TIFF", heat, pose)
        cv2.imwrite(str(masks / f"{i:05}.png"), (heat > 100).astype(np.uint8) * 255)
        cv2.imwrite(str(colour / f"{i:05}_rgb.jpg"), np.zeros((96, 128, 3), np.uint8))
    return tmp_path


def test_one_folder_may_mix_temperatures_and_eight_bits_with_and_without_fire(mixed):
    told = score(mixed)
    assert (told["recall"], told["false_alarms_per_100_frames"]) == (1.0, 0.0)
    assert (told["positives"], told["negatives"], told["skipped"]) == (2, 2, 0)
    assert told["radiometric"]["positives"] == told["relative"]["positives"] == 1
    assert told["by_light"]["day"]["positives"] == 1, "10:00 in June, by the sun; the others tell no time"


def test_in_a_mixed_folder_too_what_cannot_be_read_counts_against_us(mixed):
    for name in ("radiometric_tiff_celsius/00000.TIFF", "thermal_jpg/00003.JPG"):
        (mixed / name).write_bytes(b"no picture")
    told = score(mixed)
    assert (told["recall"], told["false_alarms_per_100_frames"], told["skipped"]) == (0.5, 50.0, 2)
