"""Gauges, fixed cameras and weather stations: readings, and what they say of hazards."""

import math
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from missions.errors import InputWrong
from missions.geo import LatLon, distance_m
from missions.model import Hazard, Severity
from vision.witnesses.camera import read_cameras, wedge_ellipse
from vision.witnesses.fwi import Codes
from vision.witnesses.gauge import read_gauges
from vision.witnesses.joining import fused
from vision.witnesses.sighting import Witness
from vision.witnesses.weather import Remembered, read_weather

NOW = datetime(2026, 6, 3, 12, 0, tzinfo=UTC)
ZONE = ZoneInfo("Asia/Shanghai")

GAUGES = """gauge,lat,lon,at,level_m,warning_m,guaranteed_m
lan-3,30.28,119.42,2026-06-01 08:00,81.2,82.0,83.5
lan-3,30.28,119.42,2026-06-01 12:00,82.0,82.0,83.5
lan-3,30.28,119.42,2026-06-01 16:00,83.6,82.0,83.5
"""


def test_a_gauge_tells_of_a_flood_from_its_warning_level_on() -> None:
    found = read_gauges(GAUGES.splitlines(), zone=ZONE, now=NOW)
    assert (found.rows, len(found.readings)) == (3, 3)
    assert [s.severity for s in found.sightings] == [Severity.YELLOW, Severity.ORANGE]
    seen = found.sightings[0]
    assert (seen.witness, seen.hazard, seen.source) == (Witness.GAUGE, Hazard.FLOOD, "lan-3")
    assert seen.seen_at == datetime(2026, 6, 1, 4, 0, tzinfo=UTC)


def test_chinese_column_names_are_understood() -> None:
    text = "站码,纬度,经度,时间,水位,警戒水位\n兰溪,30.28,119.42,2026-06-01 12:00,82.1,82.0\n"
    (seen,) = read_gauges(text.splitlines(), zone=ZONE, now=NOW).sightings
    assert seen.source == "兰溪"


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("81.2", "-", "level_m: found '-'"),
        ("81.2", "99999", "level_m: found 99999, expected -500 to 9000"),
        ("83.5", "80.0", "below the warning level"),
        ("2026-06-01 08:00", "2027-06-01 08:00", "future"),
        ("lan-3", "", "gauge: found nothing"),
    ],
)
def test_a_wrong_reading_is_refused_and_the_others_stand(old: str, new: str, words: str) -> None:
    found = read_gauges(GAUGES.replace(old, new, 1).splitlines(), zone=ZONE, now=NOW)
    assert len(found.readings) == 2
    assert words in found.refused[0].reason


def test_a_file_without_a_warning_level_is_no_gauge_file() -> None:
    with pytest.raises(InputWrong, match="expected also warning_m or warning_level or wrz or 警戒水位"):
        read_gauges(["gauge,lat,lon,at,level_m\n"], zone=ZONE, now=NOW)


CAMERA = """camera,lat,lon,at,bearing_deg,hazard,picture,range_m
mast-1,30.2,119.4,2026-06-01T10:00:00+08:00,90,smoke,a.jpg,8000
"""


def test_a_camera_tells_a_direction_and_no_distance() -> None:
    (seen,) = read_cameras(CAMERA.splitlines(), zone=ZONE, now=NOW).sightings
    camera = LatLon(30.2, 119.4)
    assert seen.ellipse.bearing_deg == pytest.approx(90.0)
    assert seen.ellipse.major_m > 10 * seen.ellipse.minor_m
    assert distance_m(camera, seen.place) == pytest.approx(4000, abs=1)
    assert seen.outline is not None
    assert seen.outline.outer[0] == camera
    assert seen.facts["picture"] == "a.jpg"
    assert seen.confidence <= 0.7


def test_the_bearing_follows_from_the_column_in_the_picture() -> None:
    lines = [
        "camera,lat,lon,at,camera_bearing_deg,view_deg,width_px,x_px\n",
        "m,30.2,119.4,2026-06-01T02:00:00Z,350,60,1000,1000\n",
    ]
    (seen,) = read_cameras(lines, zone=ZONE, now=NOW).sightings
    assert seen.facts["bearing_deg"] == pytest.approx(20.0)


def test_two_cameras_cut_each_others_wedge_short() -> None:
    """Bearings that cross at right angles leave an ellipse as narrow as both wedges."""
    fire = LatLon(30.2, 119.4)
    south, south_ellipse = wedge_ellipse(LatLon(30.155, 119.4), 0.0, 1.5, 10_000)
    west, west_ellipse = wedge_ellipse(LatLon(30.2, 119.348), 90.0, 1.5, 10_000)
    place, ellipse = fused(south, south_ellipse, west, west_ellipse)
    assert distance_m(place, fire) < 60
    assert ellipse.major_m < 330 < west_ellipse.major_m


def test_a_camera_without_a_bearing_is_refused() -> None:
    found = read_cameras(CAMERA.replace(",90,", ",,").splitlines(), zone=ZONE, now=NOW)
    assert "bearing: found none" in found.refused[0].reason


WEATHER = """station,lat,lon,date,temp_c,rh_percent,wind_m_s,rain_mm_24h
valley,30.28,119.42,2026-06-01,28,40,3,0
valley,30.28,119.42,2026-06-02,31,30,4,0
"""


def test_each_day_builds_on_the_one_before() -> None:
    first, second = read_weather(WEATHER.splitlines(), zone=ZONE, now=NOW).days
    assert first.at == datetime(2026, 6, 1, 4, 0, tzinfo=UTC)  # noon on the site's clock
    assert second.fire.codes.dc > first.fire.codes.dc > 15
    assert second.fire.fwi > first.fire.fwi > 0


def test_what_is_remembered_of_a_station_goes_on() -> None:
    known = {"valley": [Remembered(datetime(2026, 5, 31, 4, tzinfo=UTC), Codes(90.0, 60.0, 300.0))]}
    first = read_weather(WEATHER.splitlines(), zone=ZONE, now=NOW, remembered=known).days[0]
    assert first.fire.codes.dc > 300


def test_a_day_that_is_read_again_comes_out_as_before() -> None:
    """It goes on from the day before it, not from itself."""
    days = read_weather(WEATHER.splitlines(), zone=ZONE, now=NOW).days
    known = {"valley": [Remembered(d.at, d.fire.codes) for d in days]}
    again = read_weather(WEATHER.splitlines(), zone=ZONE, now=NOW, remembered=known).days
    assert [d.fire for d in again] == [d.fire for d in days]


def test_after_a_long_gap_the_codes_begin_anew_and_that_is_noted() -> None:
    known = {"valley": [Remembered(datetime(2026, 3, 1, tzinfo=UTC), Codes(90.0, 60.0, 300.0))]}
    first = read_weather(WEATHER.splitlines(), zone=ZONE, now=NOW, remembered=known).days[0]
    assert first.fire.codes.dc < 30
    assert first.notes == ("begins anew: nothing since 2026-03-01",)


def test_of_several_rows_of_a_day_the_one_at_noon_counts() -> None:
    text = "station,lat,lon,at,temp,rh,ws,prec\n" + "".join(
        f"v,30.28,119.42,2026-06-01T{hour}:00:00+08:00,{temp},40,10.8,0\n"
        for hour, temp in (("06", 12), ("12", 30), ("18", 25))
    )
    (day,) = read_weather(text.splitlines(), zone=ZONE, now=NOW).days
    assert day.weather.temp_c == 30
    assert day.weather.wind_m_s == pytest.approx(3.0)


def test_weather_that_cannot_be_is_refused_by_its_row() -> None:
    found = read_weather(WEATHER.replace(",40,", ",140,").splitlines(), zone=ZONE, now=NOW)
    assert "humidity_percent: found 140" in found.refused[0].reason
    assert len(found.days) == 1


def test_fused_words_never_know_less_than_the_better_one() -> None:
    place, ellipse = LatLon(30.0, 119.0), wedge_ellipse(LatLon(30.0, 119.0), 45.0, 2.0, 5000)[1]
    _, both = fused(place, ellipse, place, ellipse)
    assert both.major_m == pytest.approx(ellipse.major_m / math.sqrt(2), rel=1e-6)
