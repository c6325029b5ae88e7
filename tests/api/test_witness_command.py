"""`gridpatrol witness`: files in, counts out, nothing twice, and every bad row named."""

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from missions.program import main

SITE = Path(__file__).parents[2] / "examples" / "valley" / "site.yaml"
SHARED = Path(__file__).parents[3] / "shared" / "data" / "firms"

VIIRS = (
    "latitude,longitude,bright_ti4,scan,track,acq_date,acq_time,satellite,confidence,version,bright_ti5,frp,daynight\n"
    "48.45993,17.19052,296.42,0.43,0.38,2022-09-03,0041,N,nominal,2.0NRT,283.14,0.63,N\n"
    "48.45645,17.1896,303.13,0.43,0.38,2022-09-03,0041,N,nominal,2.0NRT,283.44,1.26,N\n"
    "0,0,303.13,0.43,0.38,2022-09-03,0041,N,nominal,2.0NRT,283.44,1.26,N\n"
)


@pytest.fixture
def take(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Any:
    """Runs the command on a text and returns its exit code, its JSON and what it said."""

    def run(kind: str, text: str, *more: str, name: str = "file.csv") -> tuple[int, Any, str]:
        file = tmp_path / name
        file.write_text(text, "utf-8")
        data = tmp_path / "data"
        words = ["witness", kind, str(file), "--data", str(data), "--site", str(SITE), "--json", *more]
        code = main(words)
        out = capsys.readouterr()
        return code, json.loads(out.out) if out.out else None, out.err

    return run


def counts(told: dict[str, Any]) -> tuple[int, int, int, int]:
    return told["read"], told["new"], told["updated"], told["masked"]


def test_a_firms_file_twice_is_new_once(take: Any) -> None:
    code, told, said = take("firms", VIIRS)
    assert code == 0
    assert counts(told) == (3, 2, 0, 0)
    assert told["incidents"] == {"opened": 1, "joined": 0, "by_source": {"VIIRS N": 1}}
    assert told["refused"] == [
        {"line": 4, "reason": "place: found 0, 0, which is what a device without a fix says: send a place"}
    ]
    assert "refused, row 4" in said
    _, again, _ = take("firms", VIIRS)
    assert counts(again) == (3, 0, 0, 0)
    assert again["incidents"] == {"opened": 0, "joined": 0, "by_source": {"VIIRS N": 1}}
    _, better, _ = take("firms", VIIRS.replace("2.0NRT", "2.0"))
    assert counts(better) == (3, 0, 2, 0)


def test_reports_are_taken_with_their_photos_and_the_rest_is_named(take: Any, tmp_path: Path) -> None:
    (tmp_path / "good.jpg").write_bytes(bytes(cv2.imencode(".jpg", np.zeros((8, 8, 3), np.uint8))[1]))
    (tmp_path / "huge.jpg").write_bytes(b"\xff\xd8\xff" + bytes(40 * 2**20))
    here = {
        "service_code": "smoke",
        "lat": 30.283,
        "long": 119.42,
        "requested_datetime": "2026-06-01T10:00:00",
    }
    reports = [
        {**here, "service_request_id": "1", "photo": "good.jpg"},
        {**here, "service_request_id": "2", "photo": "huge.jpg", "description": "<script>x()</script>smoke"},
        {"service_code": "smoke", "description": "somewhere"},
        {**here, "service_request_id": "4", "photo": "../../etc/passwd"},
    ]
    code, told, _ = take("report", json.dumps(reports), name="reports.json")
    assert code == 0
    assert counts(told) == (4, 2, 0, 0)
    repaired = "; ".join(told["repaired"])
    assert "the photo of 40 MB was left out" in repaired
    assert "markup was taken out of the text" in repaired
    assert "names no zone: taken as Asia/Shanghai" in repaired
    assert [r["line"] for r in told["refused"]] == [3, 4]
    assert "no file '../../etc/passwd' beside the reports" in told["refused"][1]["reason"]
    kept = list((tmp_path / "data" / "pictures" / "reports").iterdir())
    assert len(kept) == 1


def test_weather_goes_on_from_the_day_before_and_gauges_tell_of_floods(take: Any) -> None:
    day = (
        "station,lat,lon,date,temp_c,rh_percent,wind_m_s,rain_mm_24h\nv,30.28,119.42,2026-06-0{},28,40,3,0\n"
    )
    assert counts(take("weather", day.format(1))[1]) == (1, 1, 0, 0)
    assert counts(take("weather", day.format(1))[1]) == (1, 0, 0, 0)
    assert counts(take("weather", day.format(2))[1]) == (1, 1, 0, 0)
    levels = "gauge,lat,lon,at,level_m,warning_m,guaranteed_m\nlan,30.28,119.42,2026-06-01 12:00,{},82,83\n"
    code, told, _ = take("gauge", levels.format(83.2))
    assert (code, counts(told), told["incidents"]["opened"]) == (0, (1, 1, 0, 0), 1)
    assert counts(take("gauge", levels.format(83.2))[1]) == (1, 0, 0, 0)


def test_known_hot_places_mask_what_satellites_see_there(take: Any) -> None:
    masks = "name,lat,lon,radius_m,owner\nWorks,48.458,17.19,800,operator\n,48,17,100,me\n"
    code, told, _ = take("masks", masks)
    assert (code, counts(told), len(told["refused"])) == (0, (2, 1, 0, 0), 1)
    assert counts(take("firms", VIIRS)[1]) == (3, 2, 0, 2)


def test_another_satellite_needs_a_file_that_names_its_columns(take: Any, tmp_path: Path) -> None:
    columns = tmp_path / "fy.yaml"
    columns.write_text("source: FY-4B\nlat: Lat\nlon: Lon\nat: Time\nzone: Asia/Shanghai\npixel_km: [2, 2]\n")
    text = "Lat,Lon,Time\n30.28,119.42,2026-06-01T10:00\n"
    code, told, _ = take("hotspots", text, "--columns", str(columns))
    assert (code, counts(told), told["incidents"]["by_source"]) == (0, (1, 1, 0, 0), {"FY-4B": 1})
    columns.write_text("- just a list\n")
    code, _, said = take("hotspots", text, "--columns", str(columns))
    assert code == 2
    assert "found no mapping" in said


@pytest.mark.parametrize("kind", ["firms", "gauge", "camera", "weather", "masks"])
def test_a_file_of_another_kind_is_wrong_input(take: Any, kind: str) -> None:
    code, told, said = take(kind, "<html>error</html>\n")
    assert (code, told) == (2, None)
    assert "expected" in said


def test_a_file_that_is_not_there_is_wrong_input(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert (
        main(["witness", "firms", str(tmp_path / "no.csv"), "--data", str(tmp_path), "--site", str(SITE)])
        == 2
    )
    assert "found no file, expected one to read" in capsys.readouterr().err


@pytest.mark.shared_data
@pytest.mark.skipif(not SHARED.is_dir(), reason="the FIRMS files in ../shared/data are not here")
def test_the_bench_counts_every_row_once(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", "ground", "--only", "firms", "--quick", "--json"]) == 0
    rows = {row["name"]: row for row in json.loads(capsys.readouterr().out)["results"]}
    assert rows["firms.rows"]["value"] == 21_228
    assert rows["firms.second_import_new"]["value"] == 0
    assert 50 < rows["firms.masked"]["value"] < 1000
    assert rows["firms.seconds"]["value"] > 0
