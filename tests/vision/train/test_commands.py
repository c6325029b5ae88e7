"""The commands of training: what they need and what they refuse."""

import importlib.util

import pytest

from missions.program import main
from vision.train import commands


def test_an_unknown_task_is_refused(tmp_path, capsys):
    assert main(["train", str(tmp_path), "--task", "dreams"]) == 2
    assert "--task: found dreams, expected fire" in capsys.readouterr().err


def test_a_folder_that_is_not_there_is_refused(tmp_path, capsys):
    assert main(["train", str(tmp_path / "none"), "--task", "fire"]) == 2
    assert "expected a folder with pictures" in capsys.readouterr().err


def test_without_the_extra_the_way_to_get_it_is_told(tmp_path, capsys, monkeypatch):
    found = importlib.util.find_spec
    monkeypatch.setattr(
        commands.importlib.util, "find_spec", lambda name: None if name == "torch" else found(name)
    )
    assert main(["train", str(tmp_path), "--task", "fire"]) == 2
    assert "pip install 'gridpatrol[train]'" in capsys.readouterr().err


def test_a_folder_without_a_training_cannot_be_exported(tmp_path, capsys):
    assert main(["export-model", str(tmp_path / "none"), "--out", str(tmp_path)]) == 2
    assert "no folder of a training" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["train", "export-model"])
def test_help_shows_an_example(command, capsys):
    assert main([command, "--help"]) == 0
    assert "Example: gridpatrol" in capsys.readouterr().out
