"""`gridpatrol bench planner`: what it prints, and that what it prints was proven."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from missions.bench import baselines
from missions.bench.proof import case_faults, sortie_s
from missions.program import main
from missions.routing.cases import PER_S, Case, problem_of, read
from missions.routing.problem import Tour, measure

POINTS = 60


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Two docks, sixty points on a slope and a zone between: a farm in small."""
    dice = np.random.default_rng(5)
    east, north = dice.uniform(0, 6000, POINTS), dice.uniform(0, 3000, POINTS)
    away = ~((abs(east - 3000) < 500) & (abs(north - 1500) < 500))
    points = np.column_stack([east, north, 100 + east / 40])[away]
    (path := tmp_path / "farm.json").write_text(
        json.dumps(
            {
                "name": "farm",
                "docks": [[500, 1500, 50], [5500, 1500, 180]],
                "points": points.tolist(),
                "no_fly": [[[2600, 1100], [3400, 1100], [3400, 1900], [2600, 1900]]],
                "speed_m_s": 10,
                "climb_m_s": 4,
                "descent_m_s": 3,
                "service_s": 8,
                "endurance_s": 1500,
            }
        )
    )
    return path


@pytest.fixture
def case(file: Path) -> Case:
    return read(file)


def run(*words: str, capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    assert main(["bench", "planner", *words, "--json"]) == 0
    return dict(json.loads(capsys.readouterr().out))


def test_a_case_is_flown_and_its_routes_written(
    file: Path, case: Case, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    told = run("--case", str(file), "--seconds", "0.5", "--routes", str(tmp_path / "R.json"), capsys=capsys)
    sorties = [(s["dock"], s["points"]) for s in json.loads((tmp_path / "R.json").read_text())["sorties"]]
    assert case_faults(case, sorties) == ()
    assert told["feasible"]
    assert told["flight_s"] == pytest.approx(sum(sortie_s(case, *s) for s in sorties), abs=0.1)


def test_workers_share_a_case_region_by_region(file: Path) -> None:
    """In a process of its own: this one may have held more for another test than the bench is allowed."""
    program = "import sys; from missions.program import main; sys.exit(main(sys.argv[1:]))"
    words = ["bench", "planner", "--case", str(file), "--seconds", "4", "--workers", "2", "--json"]
    done = subprocess.run([sys.executable, "-c", program, *words], capture_output=True, text=True, check=True)
    told = json.loads(done.stdout)
    assert told["feasible"]
    assert told["peak_bytes"] < 1e9


def test_simpler_planners_stand_beside_ours_and_none_beats_the_bound(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    told = run("--case", str(file), "--seconds", "0.5", "--compare", capsys=capsys)
    by_name = {row["name"]: row for row in told["compared"]}
    assert {"nearest neighbour", "k-means and 2-opt", "giant tour and split", "PyVRP alone"} <= by_name.keys()
    flown = [row for row in by_name.values() if row["skipped"] is None]
    assert all(row["feasible"] for row in flown)
    assert told["lower_bound_s"] < min(row["flight_s"] for row in flown)
    assert told["flight_s"] < by_name["nearest neighbour"]["flight_s"]


def test_instances_stand_beside_pyvrp_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "c.dat").write_text("4\n4\n0 1 5 2\n1 2 5 2\n2 3 5 2\n3 0 5 0\n1\n6\n20\n20\n")
    (tmp_path / "best_known.csv").write_text("instance,split,best_known\nc,dev,20 (lb 20)\n")
    raw = tmp_path / "raw"
    words = ("--instances", str(tmp_path), "--seconds", "5", "--until-known", "--raw", str(raw))
    told = run(*words, capsys=capsys)
    assert told["mean_gap"] == 0
    assert told["worse_than_alone"] == []
    assert {k: told["instances"][0][k] for k in ("name", "cost", "best_known", "gap", "feasible")} == {
        "name": "c", "cost": 20.0, "best_known": 20.0, "gap": 0.0, "feasible": True,
    }  # fmt: skip
    (event,) = [json.loads(line) for line in (raw / f"{tmp_path.name}.jsonl").read_text().splitlines()]
    assert event["routes"] in (
        [["depot", "0 to 1", "1 to 2", "2 to 3", "depot"]],
        [["depot", "3 to 2", "2 to 1", "1 to 0", "depot"]],
    )


def test_the_times_of_the_matrix_are_those_of_the_proof(case: Case) -> None:
    """Two ways of going round the zone, one by matrices and one leg by leg, agree on every leg."""
    problem = problem_of(case, [0, 1], range(len(case.points)))
    for point in range(0, len(case.points), 3):
        for dock in (0, 1):
            seconds = measure(problem, Tour(dock, (2 + point,))).time / PER_S
            assert seconds == pytest.approx(sortie_s(case, dock, [point]), abs=0.25)


def test_a_wrong_sortie_is_a_fault(case: Case) -> None:
    everything = list(range(len(case.points)))
    assert "may take 1500" in case_faults(case, [(0, everything)])[0]
    assert case_faults(case, [(0, everything[:1]), (0, everything[:1])])[0] == "point 0 is visited 2 times"


def test_two_opt_takes_the_crossing_out_of_a_tour(case: Case) -> None:
    corners = np.array([[0, 0], [0, 10], [10, 10], [10, 0]])
    time = np.rint(np.hypot(*(corners[:, None] - corners[None]).transpose(2, 0, 1)) * 10).astype(np.int64)
    assert baselines.two_opt(time, 0, [2, 1, 3]) in ([1, 2, 3], [3, 2, 1])


@pytest.mark.parametrize("text", ["", "{}", '{"docks": []}', "[1"])
def test_what_is_no_case_is_refused(tmp_path: Path, text: str) -> None:
    (path := tmp_path / "bad.json").write_text(text)
    assert main(["bench", "planner", "--case", str(path)]) == 2
