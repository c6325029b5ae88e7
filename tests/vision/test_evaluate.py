"""The command that scores: what it takes, what it refuses."""

import pytest

from missions.errors import InputWrong
from missions.model import Hazard
from missions.program import main
from vision.detectors import registry
from vision.evaluate import Request, evaluate


def test_an_unknown_task_is_refused_and_what_a_task_would_not_use(tmp_path):
    with pytest.raises(InputWrong, match="--task: found dreams"):
        evaluate("dreams", Request(tmp_path, print))
    for request in Request(tmp_path, print, Hazard.FLOOD), Request(tmp_path, print, model=tmp_path):
        with pytest.raises(InputWrong, match="takes no --model"):
            evaluate("thermal", request)


def test_the_command_refuses_a_model_that_is_no_file(tmp_path, capsys):
    arguments = ["evaluate", str(tmp_path), "--task", "thermal", "--model", str(tmp_path / "none.onnx")]
    assert main(arguments) == 2
    assert "expected an ONNX detector" in capsys.readouterr().err


def test_every_detector_loads_and_finds_what_its_line_says():
    for entry in registry.ENTRIES:
        (loaded,) = (
            d
            for d in registry.chosen(entry.hazards, with_trials=True)
            if entry.place.endswith(f":{type(d).__name__}")
        )
        assert loaded.hazards == entry.hazards
        assert loaded.name


def test_a_hazard_nobody_asked_for_by_name_runs_only_the_detectors_on_by_default():
    unasked = {type(d).__name__ for d in registry.chosen()}
    assert unasked == {e.place.partition(":")[2] for e in registry.ENTRIES if e.by_default}
    assert registry.chosen({Hazard.FIRE})


def test_what_is_on_trial_is_asked_by_its_hazard_alone():
    tried = {type(d).__name__ for d in registry.chosen(frozenset(Hazard), with_trials={Hazard.LOGGING})}
    assert {"Machinery", "FelledLook", "Flood"} <= tried
    assert not tried & {"FloodThermal", "WarmBodies"}
    assert "Machinery" not in {type(d).__name__ for d in registry.chosen(frozenset(Hazard))}
