"""The fault file: read, refused in one sentence, and told as time goes on."""

import math
import re
from pathlib import Path

import pytest

from missions.errors import InputWrong
from sim.faults import KINDS, Fault, FaultPlan, Moment, Timeline, load_faults

DRONES, DOCKS = ("D1", "D2"), ("dock-east", "dock-west")
DOCUMENT = Path(__file__).parents[2] / "docs" / "faults.md"


def loaded(tmp_path: Path, text: str) -> FaultPlan:
    path = tmp_path / "faults.yaml"
    path.write_text(text, encoding="utf-8")
    return load_faults(path, drones=DRONES, docks=DOCKS)


def test_the_example_of_the_document_is_a_fault_file(tmp_path: Path) -> None:
    (example,) = re.findall(r"```yaml\n(.*?)```", DOCUMENT.read_text(encoding="utf-8"), re.DOTALL)
    plan = loaded(tmp_path, example)
    assert plan.seed == 7
    assert [f.kind for f in plan.faults] == ["link", "link", "gust", "dock_stuck"]
    silence = plan.faults[1]
    assert (silence.whom, silence.after, silence.at_s, silence.for_s) == (("D1",), Moment.TAKEOFF, 60, 30)
    assert (silence.number("loss"), silence.number("delay_s"), silence.word("direction")) == (1, 0, "up")
    assert plan.faults[0].for_s == math.inf


def test_the_document_explains_every_kind_and_value() -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    for name, kind in KINDS.items():
        (row,) = re.findall(rf"^\| `{name}` \|.*$", text, re.MULTILINE)
        assert all(f"`{value}`" in row for value in kind.values), name


def test_json_is_a_fault_file_too(tmp_path: Path) -> None:
    plan = loaded(tmp_path, '{"faults": [{"kind": "compass", "drone": "D2", "error_deg": 30}]}')
    assert plan == FaultPlan((Fault("compass", whom=("D2",), values={"error_deg": 30.0}),))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[]", "faults.yaml:1: found no key 'faults'"),
        ("faults: 3", "a list of faults"),
        ("seed: -1\nfaults: []", "faults.yaml:1 (seed): found -1, expected a whole number, 0 or more"),
        (
            "faults:\n- kind: hail",
            "faults.yaml:2 (faults.0.kind): found 'hail', expected one of link, gps_jump",
        ),
        ("faults:\n- at_s: 3", "expected one of link"),
        ("faults:\n- kind: [link]", "expected one of link"),
        ("faults:\n- 7", "expected a fault: kind, at_s"),
        (
            "faults:\n- kind: gust",
            "faults.yaml:2 (faults.0): found no speed_m_s, expected speed_m_s: 0 to 60",
        ),
        (
            "faults:\n- kind: link\n  loss: 2",
            "faults.yaml:3 (faults.0.loss): found 2, expected a number from 0",
        ),
        ("faults:\n- kind: link\n  loss: .nan", "a number from 0 to 1"),
        ("faults:\n- kind: link\n  loss: true", "found True, expected a number"),
        ("faults:\n- kind: link\n  los: 1", "the unknown key 'los', expected only kind, at_s"),
        ("faults:\n- kind: link\n  drone: D9", "found 'D9', expected one of D1, D2"),
        ("faults:\n- kind: link\n  drone: 5", "a name or a list of names"),
        ("faults:\n- kind: link\n  dock: dock-east", "the unknown key 'dock'"),
        ("faults:\n- kind: dock_stuck\n  after: armed", "a dock neither arms nor flies"),
        ("faults:\n- kind: link\n  after: lunch", "one of start, armed, takeoff, returning, landed"),
        ("faults:\n- kind: reboot\n  for_s: 3", "none: reboot happens once"),
        ("faults:\n- kind: link\n  at_s: -1", "a number from 0"),
        ("faults: [", "well-formed YAML"),
    ],
)
def test_a_wrong_file_is_refused_with_its_line_and_the_remedy(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(InputWrong) as refused:
        loaded(tmp_path, text)
    assert words in str(refused.value)


def told(timeline: Timeline, now_s: float, moments: dict[str, float]) -> list[tuple[str, str, bool]]:
    def moment_s(name: str, moment: Moment) -> float | None:
        return 0.0 if moment is Moment.START else moments.get(f"{name} {moment}")

    return [(c.fault.kind, c.on, c.begins) for c in timeline.due(now_s, moment_s)]


def test_a_fault_begins_and_ends_once_on_everyone_it_strikes() -> None:
    timeline = Timeline([Fault("gust", at_s=10, for_s=5)], drones=DRONES, docks=DOCKS)
    assert told(timeline, 9.9, {}) == []
    assert told(timeline, 10, {}) == [("gust", "D1", True), ("gust", "D2", True)]
    assert told(timeline, 14.9, {}) == []
    assert told(timeline, 15, {}) == [("gust", "D1", False), ("gust", "D2", False)]
    assert told(timeline, 99, {}) == []


def test_a_fault_waits_for_its_moment_on_each_drone() -> None:
    timeline = Timeline([Fault("reboot", at_s=2, after=Moment.ARMED)], drones=DRONES, docks=DOCKS)
    assert told(timeline, 50, {}) == []
    assert told(timeline, 60, {"D2 armed": 59.0}) == []
    assert told(timeline, 61, {"D2 armed": 59.0}) == [("reboot", "D2", True)]
    assert told(timeline, 99, {"D2 armed": 59.0}) == []


def test_a_fault_shorter_than_a_tick_still_happens() -> None:
    timeline = Timeline([Fault("compass", at_s=1, for_s=0.01)], drones=("D1",), docks=())
    assert told(timeline, 5, {}) == [("compass", "D1", True), ("compass", "D1", False)]
