"""FIRMS files and hot-spot files by a mapping: real rows, and rows that are wrong."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from missions.errors import InputWrong
from missions.model import Hazard
from vision.witnesses.firms import read_firms
from vision.witnesses.hotspots import columns_from, read_hotspots
from vision.witnesses.sighting import Witness

NOW = datetime(2026, 6, 1, tzinfo=UTC)
SHARED = Path(__file__).parents[4] / "shared" / "data" / "firms"

MODIS = (
    "latitude,longitude,brightness,scan,track,acq_date,acq_time,satellite,confidence,version,bright_t31,frp,daynight\n"
    "-4.99722,-37.427,310.16,3.43,1.74,2022-02-26,0020,T,70,6.1NRT,272.01,64.94,N\n"
)
VIIRS = (
    "latitude,longitude,bright_ti4,scan,track,acq_date,acq_time,satellite,confidence,version,bright_ti5,frp,daynight\n"
    "48.45993,17.19052,296.42,0.43,0.38,2022-09-03,0041,N,nominal,2.0NRT,283.14,0.63,N\n"
)


def test_a_modis_row_is_a_wide_ellipse_with_its_percent() -> None:
    (seen,) = read_firms(MODIS.splitlines(keepends=True), now=NOW).sightings
    assert (seen.witness, seen.source, seen.hazard) == (Witness.SATELLITE, "MODIS T", Hazard.FIRE)
    assert seen.seen_at == datetime(2022, 2, 26, 0, 20, tzinfo=UTC)
    assert seen.confidence == pytest.approx(0.56)
    # 3.43 km across the flight: 2.448 deviations of a uniform spread over it, and 70 m of geolocation.
    assert seen.ellipse.major_m == pytest.approx(2.448 * (3430**2 / 12 + 70**2) ** 0.5, rel=1e-3)
    assert seen.ellipse.bearing_deg == 90.0
    assert seen.facts["frp"] == "64.94"


def test_a_viirs_row_is_narrower_and_its_words_are_understood() -> None:
    (seen,) = read_firms(VIIRS.splitlines(keepends=True), now=NOW).sightings
    assert seen.source == "VIIRS N"
    assert seen.confidence == pytest.approx(0.7)
    assert seen.ellipse.major_m < 360


def test_columns_in_another_order_with_more_of_them_are_read_by_name() -> None:
    """The area API puts country_id first; later versions may add more."""
    lines = [
        "country_id,extra,longitude,latitude,acq_time,acq_date,confidence,scan,track,bright_ti4,satellite,frp,daynight\n",
        "CHN,what,119.42,30.28,541,2022-09-03,h,0.4,0.4,330,N20,5,D\n",
    ]
    (seen,) = read_firms(lines, now=NOW).sightings
    assert (seen.place.lat_deg, seen.place.lon_deg) == (30.28, 119.42)
    assert seen.seen_at == datetime(2022, 9, 3, 5, 41, tzinfo=UTC)
    assert seen.source == "VIIRS N20"
    assert "extra" not in seen.facts


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("48.45993,17.19052", "0.0,0.0", "found 0, 0"),
        ("48.45993", "north", "north"),
        ("48.45993,17.19052", "95.0,200.0", "expected -90 to 90"),
        ("2022-09-03", "2031-09-03", "lies in the future"),
        ("0041", "2560", "time: found"),
        ("nominal", "certain", "confidence: found 'certain', expected one of low"),
        ("0.43,0.38", "0,0.38", "pixel: found 0 by 0.38 km"),
        (",0.43,0.38,2022-09-03,0041,N,nominal,2.0NRT,283.14,0.63,N", "", "found 48.45993"),
    ],
)
def test_a_wrong_row_is_refused_by_its_line_and_the_others_stand(old: str, new: str, words: str) -> None:
    header, row = VIIRS.splitlines(keepends=True)
    wrong = row.replace(old, new)
    found = read_firms([header, row, wrong, row.replace("48.45993", "48.5")], now=NOW)
    assert (found.rows, len(found.sightings)) == (3, 2)
    assert [r.line for r in found.refused] == [3]
    assert words in found.refused[0].reason


def test_what_the_api_says_instead_of_a_file_is_repeated() -> None:
    with pytest.raises(InputWrong, match=r"found 'Invalid MAP_KEY\.', expected the header of a FIRMS file"):
        read_firms(["Invalid MAP_KEY.\n"], now=NOW)


def test_a_file_without_the_time_is_refused_by_the_column() -> None:
    with pytest.raises(InputWrong, match="expected acq_date, acq_time"):
        read_firms(["latitude,longitude\n", "1,2\n"], now=NOW)


def test_what_its_maker_calls_static_is_masked() -> None:
    header, row = MODIS.splitlines()
    found = read_firms([f"{header},type\n", f"{row},2\n", f"{row.replace('0020', '0021')},0\n"], now=NOW)
    assert [s.masked is not None for s in found.sightings] == [True, False]


FY3 = {
    "source": "FY-3D MERSI",
    "lat": "Latitude",
    "lon": "Longitude",
    "at": "ObsTime",
    "time_format": "%Y%m%d%H%M",
    "zone": "Asia/Shanghai",
    "confidence_column": "Reliability",
    "confidence": {"0": 0.3, "1": 0.6, "2": 95},
    "pixel_km": [1.0, 1.0],
    "keep": ["FireArea"],
}


def test_another_satellites_file_is_read_by_a_mapping() -> None:
    lines = ["No;ObsTime;Latitude;Longitude;FireArea;Reliability\n", "1;202606010530;30.28;119.42;0.8;2\n"]
    lines.append("2;000101010000;30;119;1;1")
    (seen,) = read_hotspots(lines, columns_from(FY3), now=NOW, delimiter=";").sightings
    assert seen.source == "FY-3D MERSI"
    assert seen.seen_at == datetime(2026, 5, 31, 21, 30, tzinfo=UTC)
    assert seen.confidence == 0.8
    assert seen.facts["FireArea"] == "0.8"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"colour": "red"}, "found colour, expected"),
        ({"zone": "Mars/Olympus"}, "Mars"),
        ({"at": None}, "found no column with the time"),
        ({"hazard": "ufo"}, "ufo"),
    ],
)
def test_a_mapping_that_cannot_be_is_refused(changes: dict[str, object], words: str) -> None:
    with pytest.raises(InputWrong, match=words):
        columns_from({**FY3, **changes})


@pytest.mark.shared_data
@pytest.mark.skipif(not SHARED.is_dir(), reason="the FIRMS files in ../shared/data are not here")
def test_the_real_files_are_read_whole() -> None:
    counts = {}
    for file in sorted(SHARED.glob("*.csv")):
        with file.open() as lines:
            found = read_firms(lines, now=NOW)
        assert found.refused == ()
        assert len({s.id for s in found.sightings}) == found.rows
        counts[file.name] = found.rows
    assert sum(counts.values()) == 21_228
