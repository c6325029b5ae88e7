"""Public formats are read as their authors meant, and answers valued as they value them."""

from pathlib import Path

import pytest

from missions.bench.proof import faults
from missions.errors import InputWrong
from missions.routing.effort import Effort
from missions.routing.instances import read, read_folder
from missions.routing.problem import Tour
from missions.routing.search import search

MDVRP = """2 2 4 2
40 10
0 10
1 0 10 5 4 1 4 1 2 4 8
2 0 20 5 4 1 4 1 2 4 8
3 100 10 5 4 1 4 1 2 4 8
4 100 20 5 4 1 4 1 2 4 8
5 0 0 0 0 0 0
6 100 0 0 0 0 0
"""
TOP = "n 5\nm 1\ntmax 5.0\n0 0 0\n1 0 10\n2 0 10\n9 9 50\n3 0 0\n"
CARP = "4\n4\n0 1 5 2\n1 2 5 2\n2 3 5 2\n3 0 5 0\n1\n6\n20\n20\n"


def test_mdvrp_has_its_depots_capacities_durations_and_service(tmp_path: Path) -> None:
    (path := tmp_path / "p.txt").write_text(MDVRP)
    instance = read(path, 80.0)
    west, east = instance.problem.fleets
    assert (west.tours, west.capacity, west.most_time, east.most_time) == (2, (10,), 400_000, None)
    tours = (Tour(0, (2, 3)), Tour(1, (4, 5)))
    assert instance.value(tours) == pytest.approx(80.0)
    assert instance.gap(84.0) == pytest.approx(0.05)
    assert instance.written(tours) == [
        ["depot 1", "1", "2", "depot 1"],
        ["depot 2", "3", "4", "depot 2"],
    ]
    assert instance.known_cost == 800_050
    # Forty of travel and ten of service are more than the west's forty.
    assert faults(instance.problem, tours) == ("tour 0 takes 500000 of time and may take 400000",)


def test_top_goes_from_the_first_point_to_the_last_and_counts_scores(tmp_path: Path) -> None:
    (path := tmp_path / "t.txt").write_text(TOP)
    instance = read(path, 20.0)
    answer = search(instance.problem, Effort(rounds=200))
    assert answer.tours == (Tour(0, (2, 3)),)
    assert instance.value(answer.tours) == 20.0
    assert instance.gap(15.0) == pytest.approx(0.25)


def test_carp_flies_wanted_edges_either_way_over_all_roads(tmp_path: Path) -> None:
    """Three of the four sides of a square are wanted; once round costs all four."""
    (path := tmp_path / "c.dat").write_text(CARP)
    instance = read(path, 20.0)
    answer = search(instance.problem, Effort(rounds=200))
    assert instance.value(answer.tours) == 20.0
    assert faults(instance.problem, answer.tours) == ()


def test_a_job_left_out_or_visited_twice_is_a_fault(tmp_path: Path) -> None:
    (path := tmp_path / "c.dat").write_text(CARP)
    problem = read(path, 20.0).problem
    assert faults(problem, (Tour(0, (1, 3)),)) == ("1 jobs are not visited",)
    assert "job 0 is visited 2 times" in faults(problem, (Tour(0, (1, 3, 5, 2)),))
    assert "fleet 0 flies 5 tours and has 4" in faults(problem, tuple(Tour(0, ()) for _ in range(5)))


@pytest.mark.parametrize("text", ["", "2 2 4", "n 5 m 1 tmax 5 0 0", "hello"])
def test_what_is_no_instance_is_named(tmp_path: Path, text: str) -> None:
    (path := tmp_path / "x.txt").write_text(text)
    with pytest.raises(InputWrong, match=r"x\.txt: not an instance"):
        read(path, 1.0)


def test_a_folder_without_best_known_values_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputWrong, match=r"best_known\.csv: not found"):
        list(read_folder(tmp_path))
