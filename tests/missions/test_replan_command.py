"""`gridpatrol replan`, as a person or a program calls it."""

import json
import shutil
from pathlib import Path

import pytest

from missions.export import planfile
from missions.program import main

VALLEY = Path(__file__).parents[2] / "examples" / "valley"


@pytest.fixture(scope="module")
def planned(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("planned")
    site = str(VALLEY / "site.yaml")
    options = ["--iterations", "30", "--from", "07:00", "--until", "19:00"]
    assert main(["plan", site, *options, "--out", str(out)]) == 0
    return out / "plan.json"


def test_a_dock_down_is_planned_round_and_every_change_has_its_reason(
    planned: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    old = planfile.read(planned).plan
    flying = next(s for s in old.sorties if s.dock == "dock-west")
    options = ["--dock-down", "dock-east", "--in-the-air", flying.id, "--at", "07:05"]
    again = tmp_path / "again"
    site = str(VALLEY / "site.yaml")
    assert main(["replan", site, str(planned), *options, "--out", str(again), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    fates = {c["sortie"]: c["fate"] for c in told["changes"]}
    assert fates[flying.id] == "in_the_air"
    assert all(c["why"] for c in told["changes"])
    assert {s["dock"] for s in told["sorties"]} == {"dock-west"}
    made = planfile.read(again / "plan.json").plan
    assert flying in made.sorties
    slots = {slot.sortie: slot for slot in made.slots}
    assert all(slots[s.id].starts_s >= 7 * 3600 + 300 for s in made.sorties if s.id != flying.id)


def test_what_the_site_does_not_know_is_wrong_input(
    planned: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    site = str(VALLEY / "site.yaml")
    shutil.copy(VALLEY / "site.yaml", tmp_path / "no.geojson")
    for options, said in (
        (["--dock-down", "dock-south"], "expected one of dock-west, dock-east"),
        (["--in-the-air", "S99"], "expected one of S1"),
        (["--at", "25:00"], "expected a time of day"),
        (["--urgent", "north of the river"], "expected LAT,LON"),
        (["--no-fly", str(tmp_path / "no.geojson")], "found no GeoJSON"),
    ):
        assert main(["replan", site, str(planned), *options]) == 2
        assert said in capsys.readouterr().err
