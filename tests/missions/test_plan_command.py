"""`gridpatrol plan`, as a person or a program calls it."""

import json
import shutil
from pathlib import Path

import pytest

from missions.program import main

VALLEY = Path(__file__).parents[2] / "examples" / "valley"


def test_the_valley_is_planned_for_all_four_agencies(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    site = str(VALLEY / "site.yaml")
    assert main(["plan", site, "--iterations", "40", "--out", str(out), "--json"]) == 0
    printed = capsys.readouterr()
    plan = json.loads(printed.out)
    assert plan["shared_tasks"] > 0
    assert plan["unserved"] == []
    assert 1 <= len(plan["sorties"]) <= 4
    assert all(s["flight_s"] <= 22 * 60 and s["reserve_min"] > 0 for s in plan["sorties"])
    assert {a for s in plan["sorties"] for a in s["agencies"]} == {"forestry", "water", "power", "emergency"}
    assert 400 <= sum(s["shots"] for s in plan["sorties"]) <= 500
    assert plan["flight_s"] == pytest.approx(sum(s["flight_s"] for s in plan["sorties"]), abs=1)
    ids = [s["id"] for s in plan["sorties"]]
    assert {p.name for p in out.iterdir()} == {
        "plan.json", "plan.geojson", "plan.kml", "plan.png",
        *(f"{i}{end}" for i in ids for end in (".plan", ".waypoints", ".kmz", "-profile.png")),
    }  # fmt: skip
    assert sum(share["part"] for share in plan["shares"]) == pytest.approx(1.0)
    assert printed.err.count("sim_vehicle.py -v ArduCopter --custom-location=30.2") == 2


def test_a_demand_out_of_reach_is_listed_and_the_rest_is_planned(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """With batteries of 30 Wh the far ground is out of reach, and the near ground is not."""
    weak = tmp_path / "valley"
    shutil.copytree(VALLEY, weak)
    text = (weak / "site.yaml").read_text("utf-8")
    assert "battery_wh: 500" in text
    (weak / "site.yaml").write_text(text.replace("battery_wh: 500", "battery_wh: 30"), "utf-8")
    assert main(["plan", str(weak / "site.yaml"), "--iterations", "20", "--json"]) == 2
    printed = capsys.readouterr()
    plan = json.loads(printed.out)
    assert plan["sorties"]
    last = printed.err.splitlines()[-1]
    assert f"{weak / 'site.yaml'}:" in last
    assert "is in no flight" in last
    assert any("out of reach" in u["reason"] for u in plan["unserved"])
    for unserved in plan["unserved"]:
        assert unserved.keys() == {"demand", "reason", "would_help"}
        assert all(unserved.values())


def test_a_site_file_that_is_not_there_is_wrong_input(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plan", "nowhere.yaml"]) == 2
    assert "nowhere.yaml" in capsys.readouterr().err


@pytest.mark.parametrize("seed", ["-1", "4294967296"])
def test_a_seed_that_the_search_cannot_take_is_wrong_input(seed: str) -> None:
    """Said by the option's name, not by the solver."""
    assert main(["plan", "examples/valley/site.yaml", "--seed", seed]) == 2


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[1, 2", "no JSON"),
        ("[]", "no plan"),
        ("{}", "no plan"),
        ('{"version": 99, "plan": {}}', "version 99, expected version 1"),
        ('{"version": 1, "plan": {}}', "damaged"),
    ],
)
def test_what_is_no_plan_is_refused_in_plain_words(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, words: str
) -> None:
    """With its file, and with what writes a right one."""
    path = tmp_path / "plan.json"
    path.write_text(text)
    assert main(["export", str(path), "--format", "qgc", "--out", str(tmp_path)]) == 2
    told = capsys.readouterr().err
    assert str(path) in told
    assert words in told
    assert "Error(" not in told
