"""A person's report: what is taken, what is mended and named, what is refused with its field."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import cv2
import numpy as np
import pytest

from missions.chinamaps import MapDatum, to_bd09, to_gcj02
from missions.errors import InputWrong
from missions.geo import LatLon, distance_m
from missions.model import Hazard
from vision.witnesses.report import MOST_PHOTO_BYTES, MOST_TEXT, Report, hazard_named, plain_text, read_report
from vision.witnesses.report_file import read_reports
from vision.witnesses.sighting import Witness

NOW = datetime(2026, 6, 1, 3, 0, tzinfo=UTC)
HERE = LatLon(30.28, 119.42)
GOOD: dict[str, Any] = {
    "service_code": "smoke",
    "lat": "30.28",
    "long": "119.42",
    "description": "white smoke",
}


def read(photo: bytes | None = None, **changes: Any) -> Report:
    fields = {name: value for name, value in {**GOOD, **changes}.items() if value is not None}
    return read_report(fields, now=NOW, zone=ZoneInfo("Asia/Shanghai"), near=HERE, photo=photo)


def jpeg() -> bytes:
    return bytes(cv2.imencode(".jpg", np.zeros((8, 8, 3), np.uint8))[1])


def test_an_open311_report_is_one_word_of_a_resident() -> None:
    seen = read().sighting
    assert (seen.witness, seen.hazard, seen.place) == (Witness.RESIDENT, Hazard.SMOKE, HERE)
    assert seen.seen_at == NOW
    assert seen.confidence == pytest.approx(0.4)
    assert seen.notes == ()


def test_the_same_report_twice_has_one_id_and_another_has_another() -> None:
    at = "2026-06-01T10:50:00+08:00"
    assert read(requested_datetime=at).sighting.id == read(requested_datetime=at).sighting.id
    assert read(requested_datetime=at).sighting.id != read(requested_datetime=at, lat="30.281").sighting.id


@pytest.mark.parametrize(("datum", "drawn"), [("GCJ-02", to_gcj02), ("BD-09", to_bd09)])
def test_a_pin_on_a_chinese_map_is_converted_and_that_is_noted(datum: str, drawn: Any) -> None:
    pin = drawn(HERE)
    report = read(lat=pin.lat_deg, long=pin.lon_deg, datum=datum)
    assert distance_m(report.sighting.place, HERE) < 0.01
    assert distance_m(pin, HERE) > 300.0
    assert report.sighting.notes == (f"converted from {MapDatum(datum)} to WGS84",)


def test_a_pin_whose_datum_is_not_declared_is_taken_with_the_error_that_may_have() -> None:
    """On a Chinese map the shift is up to 700 m, and nobody knows which map it was."""
    assert read(place_by="pin").sighting.ellipse.major_m == 800.0
    assert read(place_by="pin", datum="WGS84").sighting.ellipse.major_m == 60.0


def test_a_datum_that_nobody_knows_is_refused() -> None:
    with pytest.raises(InputWrong, match="datum: found 'Pulkovo', expected WGS84, CGCS2000, GCJ-02 or BD-09"):
        read(datum="Pulkovo")


def test_swapped_coordinates_are_swapped_back_and_named() -> None:
    seen = read(lat="119.42", long="30.28").sighting
    assert seen.place == HERE
    assert "were swapped" in seen.notes[0]


def test_coordinates_that_are_swapped_but_on_earth_are_noticed_by_the_site() -> None:
    """Near Salzburg both orders are places; only one is near the site."""
    fields = {**GOOD, "lat": "13.05", "long": "47.8"}
    near = LatLon(47.8, 13.05)
    seen = read_report(fields, now=NOW, zone=UTC, near=near).sighting
    assert seen.place == near
    far = read_report(fields, now=NOW, zone=UTC, near=None).sighting
    assert far.place == LatLon(13.05, 47.8)
    assert far.notes == ()


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"lat": 0, "long": 0}, "found 0, 0"),
        ({"lat": None, "long": None}, "place: found none"),
        ({"lat": "here"}, "lat: found 'here', expected a number"),
        ({"lat": "nan"}, "lat: found 'nan'"),
        ({"lat": 95, "long": 200}, "expected -90 to 90"),
        ({"service_code": "ufo"}, "service_code: found 'ufo', expected one of fire"),
        ({"requested_datetime": "yesterday"}, "time: found 'yesterday'"),
        ({"requested_datetime": "0001-01-01T00:00+08:00"}, "time: found '0001"),
        ({"accuracy_m": -3}, "accuracy_m: found -3"),
        ({"witness": "ghost"}, "witness: found 'ghost'"),
        ({"place_by": "dream"}, "place_by: found 'dream'"),
    ],
)
def test_what_cannot_be_mended_is_refused_by_its_field(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(InputWrong, match=words):
        read(**changes)


def test_a_time_without_a_zone_is_the_sites_and_noted() -> None:
    seen = read(requested_datetime="2026-06-01T10:50:00").sighting
    assert seen.seen_at == datetime(2026, 6, 1, 2, 50, tzinfo=UTC)
    assert "names no zone" in seen.notes[0]


def test_a_time_in_the_future_becomes_now_because_the_word_counts() -> None:
    seen = read(requested_datetime=(NOW + timedelta(days=3)).isoformat()).sighting
    assert seen.seen_at == NOW
    assert "lies in the future" in seen.notes[0]


def test_a_script_leaves_the_text_and_the_words_around_it_stay() -> None:
    report = read(
        description="<b>smoke</b> <script>fetch('//x')</script>at the <img src=x onerror=y>mill\u202e"
    )
    assert report.text == "smoke at the mill"
    assert report.sighting.notes == ("markup was taken out of the text",)
    assert report.sighting.facts["text"] == "smoke at the mill"


def test_text_that_only_looks_like_markup_stays() -> None:
    assert plain_text("flames < 2 m & > 1 m, 烟雾很大") == ("flames < 2 m & > 1 m, 烟雾很大", ())


def test_an_endless_text_is_cut() -> None:
    text, notes = plain_text("a" * (MOST_TEXT + 1))
    assert len(text) == MOST_TEXT
    assert notes == (f"the text was cut after {MOST_TEXT} characters",)


def test_a_photo_of_40_mb_is_left_out_and_the_report_stands() -> None:
    report = read(photo=b"\xff\xd8\xff" + bytes(40 * 2**20))
    assert report.photo is None
    assert report.sighting.notes == (
        f"the photo of 40 MB was left out: at most {MOST_PHOTO_BYTES >> 20} MB are kept",
    )


def test_a_photo_that_is_no_picture_is_left_out() -> None:
    assert read(photo=b"<html>").photo is None
    assert read(photo=jpeg()).photo == jpeg()
    assert read(photo=jpeg()).sighting.confidence > read().sighting.confidence


def test_a_ranger_stands_at_it_and_is_surer() -> None:
    ranger = read(witness="ranger", accuracy_m=5).sighting
    resident = read(accuracy_m=5).sighting
    assert ranger.ellipse.major_m < 35 < 100 < resident.ellipse.major_m
    assert ranger.confidence > resident.confidence
    assert not ranger.witness.asks_for_a_look


def test_what_is_pointed_at_lies_where_it_is_pointed() -> None:
    seen = read(distance_m=1000, bearing_deg=90).sighting
    assert distance_m(seen.place, HERE) == pytest.approx(1000, abs=1)
    assert seen.place.lon_deg > HERE.lon_deg
    assert seen.ellipse.major_m == pytest.approx(300)


def test_hazards_go_by_the_names_that_people_use() -> None:
    assert hazard_named("山火") is Hazard.FIRE
    assert hazard_named("foreign object") is Hazard.FOREIGN_OBJECT


@pytest.mark.parametrize(
    "text",
    [
        '[{"service_code": "smoke", "lat": 30.28, "long": 119.42}, {"service_code": "smoke"}]',
        '{"service_code": "smoke", "lat": 30.28, "long": 119.42}\n{"service_code": "smoke"}\n',
        "service_code,lat,long\nsmoke,30.28,119.42\nsmoke,,\n",
    ],
)
def test_a_file_of_reports_loses_none_because_one_is_wrong(text: str) -> None:
    reports, refused = read_reports(text, zone=UTC, now=NOW, near=HERE, photo_of=lambda name: None)
    assert [r.sighting.hazard for r in reports] == [Hazard.SMOKE]
    assert [r.line for r in refused] == [2]
    assert "place: found none" in refused[0].reason


def test_a_file_that_holds_no_reports_is_refused() -> None:
    with pytest.raises(InputWrong, match="expected reports as JSON, JSON lines or CSV"):
        read_reports("hello", zone=UTC, now=NOW, photo_of=lambda name: None)
