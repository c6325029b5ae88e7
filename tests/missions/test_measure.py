"""A bench row says what it is held to; a suite runs only what was asked for."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog

from missions.errors import InputWrong
from missions.measure import (
    Job,
    Raw,
    Row,
    Suite,
    at_least,
    at_most,
    measured,
    skipped,
    table,
    to_json,
    within,
)
from missions.program import _bench_command


def rows_of_speed(job: Job) -> Iterator[Row]:
    """Two rows and one event, for the suites below."""
    job.raw.write("speed", {"run": 1, "seconds": 2.0})
    yield at_most("speed.median_s", 2.0, 3.0, unit="s")
    yield at_least("speed.share", 0.5, 0.9, unit="1")


def rows_that_must_not_run(job: Job) -> Iterator[Row]:
    """Fail: nobody asked for these."""
    raise AssertionError("these rows were not asked for")


def rows_that_break(job: Job) -> Iterator[Row]:
    """One row, then a failure, as of a process that does not start."""
    yield measured("broken.first", 1.0, unit="1")
    raise TimeoutError("the role did not answer")


def rows_that_log(job: Job) -> Iterator[Row]:
    """One row, and what its programs have to say meanwhile."""
    log = structlog.stdlib.get_logger()
    log.info("as usual")
    log.warning("not as usual")
    yield measured("log.first", 1.0, unit="1")


@pytest.fixture
def suite() -> Suite:
    made = Suite("trial")
    made.add("speed", f"{__name__}:rows_of_speed", "how fast")
    made.add("other", f"{__name__}:rows_that_must_not_run")
    return made


def job(folder: Path | None = None, *only: str) -> Job:
    return Job(Raw(folder), lambda _: None, only=only)


def test_a_row_knows_whether_its_target_was_reached() -> None:
    assert at_most("a", 3, 3, unit="s").ok is True
    assert at_least("a", 0.89, 0.9, unit="1").ok is False
    assert within("a", 0.95, (0.92, 0.98), unit="1").ok is True
    assert measured("a", 1, unit="s").ok is None
    assert skipped("a", "no GPU here").value is None


def test_a_suite_runs_only_the_groups_asked_for(suite: Suite) -> None:
    assert [row.name for row in suite.run(job(None, "speed"))] == ["speed.median_s", "speed.share"]
    assert [row.name for row in suite.run(job(None, "speed.share"))] == ["speed.share"]


def test_a_group_that_breaks_says_so_and_the_others_are_measured(suite: Suite) -> None:
    said: list[str] = []
    broken = Suite("trial")
    broken.add("broken", f"{__name__}:rows_that_break")
    broken.add("speed", f"{__name__}:rows_of_speed")
    rows = broken.run(Job(Raw(None), said.append))
    assert [row.name for row in rows] == ["broken.first", "broken", "speed.median_s", "speed.share"]
    assert rows[1].skipped == "broke off: TimeoutError: the role did not answer"
    assert "Traceback" in "".join(said)


def test_a_bench_prints_its_one_json_value_whatever_its_programs_log(
    capsys: pytest.CaptureFixture[str],
) -> None:
    loud = Suite("loud")
    loud.add("log", f"{__name__}:rows_that_log")
    _bench_command(loud)(as_json=True)
    said = capsys.readouterr()
    assert json.loads(said.out)["results"][0]["name"] == "log.first"
    assert "not as usual" in said.err
    assert "as usual" not in said.err.replace("not as usual", "")


def test_a_row_that_nobody_has_is_named_with_those_there_are(suite: Suite) -> None:
    with pytest.raises(InputWrong, match=r"--only height: bench trial has no such row; it has speed, other"):
        suite.run(job(None, "height"))


def test_the_events_behind_a_figure_are_kept_as_json_lines(suite: Suite, tmp_path: Path) -> None:
    suite.run(job(tmp_path, "speed"))
    suite.run(job(tmp_path, "speed"))  # a second run starts the file anew
    lines = (tmp_path / "speed.jsonl").read_text().splitlines()
    assert [json.loads(line) for line in lines] == [{"run": 1, "seconds": 2.0}]


def test_the_json_of_a_bench_has_every_key_and_no_infinite_number(suite: Suite) -> None:
    shown = to_json([*suite.run(job(None, "speed")), measured("odd", float("inf"), unit="s")])
    assert set(shown["results"][0]) == {
        "name", "value", "unit", "clock", "anchor", "target", "ok", "skipped"
    }  # fmt: skip
    assert shown["results"][2]["value"] is None
    assert shown["calibration_loops_per_s"] > 0


def test_the_table_for_people_says_missed_and_skipped(suite: Suite) -> None:
    text = table([*suite.run(job(None, "speed")), skipped("peer.ms", "mavsdk is not installed")])
    assert "MISSED" in text
    assert "skipped: mavsdk is not installed" in text
