"""Temperatures out of the makers' own files, beside what the makers' own programs say."""

import csv
import struct
from dataclasses import replace

import cv2
import numpy as np
import pytest
import tifffile

from vision.errors import Unreadable
from vision.evaluate import Request, evaluate
from vision.frame import celsius, load
from vision.radiometry import Temperatures, flir, makers
from vision.radiometry.conditions import Conditions

WITHIN_C = {"FLIR": 0.1, "DJI_XT2": 0.1, "H20T": 0.3, "M30T": 0.5, "M3T": 0.5, "H20N": 0.5}


def reference(folder):
    with (folder / "reference_temps.csv").open() as file:
        rows = list(csv.DictReader(file))
    return {r["file"]: tuple(float(r[k]) for k in ("min_C", "mean_C", "max_C")) for r in rows}


@pytest.mark.shared_data
@pytest.mark.parametrize(
    "name",
    [
        "FLIR.jpg",
        "FLIR_E40.jpg",
        "DJI_XT2.jpg",
        "H20T_DJI_0001_R.JPG",
        "M30T_DJI_0003_R.JPG",
        "M3T_DJI_0001_R.JPG",
        "H20N_DJI_0001_R.JPG",
    ],
)
def test_a_makers_file_reads_as_its_makers_program_reads_it(shared, name):
    """Coldest, middle and hottest pixel."""
    folder = shared / "thermal" / "rjpeg"
    found = load(folder / name).celsius
    told = next(c for start, c in WITHIN_C.items() if name.startswith(start))
    assert (found.min(), found.mean(), found.max()) == pytest.approx(reference(folder)[name], abs=told)


@pytest.mark.shared_data
def test_one_function_gives_any_frames_temperatures_under_other_conditions_too_or_says_why_not(shared):
    folder = shared / "thermal" / "rjpeg"
    for name in ("FLIR.jpg", "M3T_DJI_0001_R.JPG"):
        frame = load(folder / name)
        dull = celsius(frame, conditions=Conditions(emissivity=0.7))
        assert celsius(frame) is frame.celsius
        assert dull.max() > frame.celsius.max() + 1.0
    with pytest.raises(Unreadable, match="shutter"):
        celsius(load(folder / "XTS_DJI_0003_R.JPG"))
    with pytest.raises(Unreadable, match="no thermal camera"):
        celsius(load(shared / "geotagged" / "brighton_dji_p3" / "DJI_0024.JPG"))


@pytest.mark.shared_data
def test_another_decoders_picture_agrees_in_every_pixel(shared):
    folder = shared / "geotagged" / "dji_m2ea_thermal"
    theirs = tifffile.imread(folder / "DJI_0001_T_celsius.tiff")
    assert np.abs(load(folder / "DJI_0001_T.JPG").celsius - theirs).max() < 0.5


@pytest.mark.shared_data
def test_an_xt_s_is_relative_thermal_and_says_what_stands_in_the_way(shared):
    frame = load(shared / "thermal" / "rjpeg" / "XTS_DJI_0003_R.JPG")
    assert frame.celsius is None
    assert "relative thermal" in str(frame.note)
    assert "shutter" in str(frame.note)
    assert frame.warmth.max() == 6107  # the counts, finer than the picture's 8 bits


@pytest.mark.shared_data
@pytest.mark.parametrize("name", ["FLIR.jpg", "M3T_DJI_0001_R.JPG"])
def test_a_dull_object_far_away_is_warmer_than_it_looks(shared, name):
    """What is above its surroundings radiates less than a black body: less emissivity, more warmth."""
    data = (shared / "thermal" / "rjpeg" / name).read_bytes()
    usual = makers.read(data)
    dull = makers.read(data, Conditions(emissivity=0.7))
    far = makers.read(data, Conditions(distance_m=50.0))
    assert dull.celsius.max() > usual.celsius.max() + 1.0
    assert far.celsius.max() > usual.celsius.max()


@pytest.mark.shared_data
@pytest.mark.parametrize("share", [0.1, 0.4, 0.7, 0.95])
def test_a_file_cut_anywhere_is_no_temperature_and_no_crash(shared, share):
    for name in ("FLIR.jpg", "H20T_DJI_0001_R.JPG", "M3T_DJI_0001_R.JPG", "DJI_XT2.jpg"):
        data = (shared / "thermal" / "rjpeg" / name).read_bytes()
        makers.read(data[: int(len(data) * share)])


def fff(counts: np.ndarray, odd: dict[int, float] | None = None) -> bytes:
    """Return FLIR records of plain counts with an FLIR camera's usual constants."""
    height, width = counts.shape
    raw = struct.pack("<HHH", 2, width, height).ljust(32, b"\0") + counts.astype("<u2").tobytes()
    camera = bytearray(0x400)
    struct.pack_into("<H", camera, 0, 2)
    for at, value in {
        0x20: 1.0,
        0x24: 0.0,
        0x28: 293.15,
        0x2C: 293.15,
        0x30: 293.15,
        0x34: 1.0,
        0x3C: 0.5,
        0x58: 17000.0,
        0x5C: 1430.0,
        0x60: 1.0,
        0x70: 0.006569,
        0x74: 0.01262,
        0x78: -0.002276,
        0x7C: -0.00667,
        0x80: 1.9,
        0x30C: 0.0125,
        **(odd or {}),
    }.items():
        struct.pack_into("<f", camera, at, value)
    struct.pack_into("<i", camera, 0x308, -1000)
    head = bytearray(64)
    head[:4] = b"FFF\0"
    struct.pack_into(">I", head, 20, 101)
    struct.pack_into(">II", head, 24, 64, 2)
    entries = b""
    at = 64 + 2 * 32
    for kind, record in ((1, raw), (32, bytes(camera))):
        entry = bytearray(32)
        struct.pack_into(">H", entry, 0, kind)
        struct.pack_into(">II", entry, 12, at, len(record))
        entries += bytes(entry)
        at += len(record)
    return bytes(head) + entries + raw + bytes(camera)


def jpeg_with(records: bytes) -> bytes:
    body = b"FLIR\0\x01\0\0" + records
    return b"\xff\xd8\xff\xe1" + struct.pack(">H", len(body) + 2) + body + b"\xff\xd9"


def test_counts_of_a_black_body_close_by_are_plancks_formula():
    data = jpeg_with(fff(np.full((4, 6), 12000)))
    found = flir.celsius(data, Conditions())
    expected = 1430.0 / np.log(17000.0 / (0.0125 * (12000 - 1000)) + 1) - 273.15
    assert found.celsius.shape == (4, 6)
    assert found.celsius[0, 0] == pytest.approx(expected, abs=0.01)


def test_pixels_that_cannot_be_decoded_are_no_agreement(tmp_path):
    counts = np.eye(8, dtype=np.uint16) * 12000
    plain = cv2.imencode(".jpg", counts.astype(np.uint8))[1].tobytes()
    (tmp_path / "a.jpg").write_bytes(jpeg_with(fff(counts))[:-2] + plain[2:])
    (tmp_path / "reference_temps.csv").write_text("file,max_C\na.jpg,nan\n")
    tifffile.imwrite(tmp_path / "a_celsius.tiff", np.eye(8))
    told = evaluate("radiometry", Request(tmp_path, print))
    assert (told["undecoded"], told["max_abs_error_c"]) == (1, None)


def test_records_without_constants_are_named_not_guessed_at():
    whole = fff(np.full((4, 6), 12000))
    told = makers.read(jpeg_with(whole[: 64 + 64] + b"\0" * (len(whole) - 128)))
    assert isinstance(told, makers.Undecoded)
    assert told.maker == "FLIR"


@pytest.mark.parametrize("odd", [{0x2C: 1e30}, {0x5C: 1e-30}, {0x80: np.nan}, {0x58: 1e38, 0x30C: 1e-38}])
def test_constants_that_no_camera_has_are_no_temperature(odd):
    assert isinstance(makers.read(jpeg_with(fff(np.full((4, 6), 12000), odd))), makers.Undecoded)


def test_an_ordinary_picture_is_nobodys():
    assert makers.read(b"\xff\xd8\xff\xd9") is None


def test_sixteen_bits_as_warm_as_a_landscape_are_centikelvin_and_the_note_says_so(tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", np.full((8, 8), 29815, np.uint16))
    frame = load(tmp_path / "a.tif")
    assert frame.celsius[0, 0] == pytest.approx(25.0, abs=0.01)
    assert "no scale stated" in str(frame.note)


@pytest.mark.parametrize(("value", "kind"), [(8000, np.uint16), (90, np.uint8)])
def test_counts_that_may_be_anything_are_relative_thermal(tmp_path, value, kind):
    tifffile.imwrite(tmp_path / "a.tif", np.full((8, 8), value, kind))
    frame = load(tmp_path / "a.tif")
    assert frame.celsius is None
    assert frame.warmth[0, 0] == value
    assert "relative thermal" in str(frame.note)


def test_conditions_nobody_could_mean_are_refused():
    with pytest.raises(ValueError, match="emissivity"):
        Conditions(emissivity=95)
    with pytest.raises(ValueError, match="humidity"):
        replace(Conditions(), humidity=50)


def test_what_a_caller_says_counts_before_the_file_and_the_file_before_the_default():
    full = Conditions(emissivity=0.8).over(Conditions(emissivity=0.9, distance_m=30.0))
    assert (full.emissivity, full.distance_m, full.humidity) == (0.8, 30.0, 0.5)
    assert isinstance(makers.read(jpeg_with(fff(np.full((4, 6), 12000)))), Temperatures)
