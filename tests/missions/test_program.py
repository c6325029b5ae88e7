"""The program: one list of commands, one meaning for each exit code."""

import json
from pathlib import Path

import pytest
import typer

from missions import program
from missions.errors import InputWrong, WorkFailed


@pytest.fixture
def with_commands(monkeypatch: pytest.MonkeyPatch) -> None:
    """A program with three commands of its own, one for each way to end."""

    class Entry:
        name = "test"

        def load(self):
            return self.register

        @staticmethod
        def register(app: typer.Typer) -> None:
            @app.command()
            def fine() -> None:
                program.show_json({"高": 1})

            @app.command()
            def wrong() -> None:
                raise InputWrong("site.yaml:3: found nothing, expected a dock")

            @app.command()
            def broken() -> None:
                raise WorkFailed("the drone does not answer")

    monkeypatch.setattr(program, "entry_points", lambda group: [Entry()])


@pytest.mark.usefixtures("with_commands")
def test_a_command_that_ends_well_exits_with_0(capsys: pytest.CaptureFixture[str]) -> None:
    """Its JSON is alone on standard output, other alphabets unescaped."""
    assert program.main(["fine"]) == 0
    assert json.loads(capsys.readouterr().out) == {"高": 1}


@pytest.mark.usefixtures("with_commands")
@pytest.mark.parametrize(("command", "code", "said"), [("wrong", 2, "site.yaml:3"), ("broken", 1, "answer")])
def test_an_error_is_one_sentence_and_an_exit_code(
    command: str, code: int, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """2 when the input is wrong, 1 when the work failed, never a stack trace."""
    assert program.main([command]) == code
    printed = capsys.readouterr()
    assert said in printed.err
    assert "Traceback" not in printed.err
    assert not printed.out


def test_an_unknown_command_is_wrong_input(capsys: pytest.CaptureFixture[str]) -> None:
    """Nonsense on the command line is answered with exit code 2."""
    assert program.main(["fyl"]) == 2
    assert "fyl" in capsys.readouterr().err


def test_every_command_shows_an_example() -> None:
    """Help that cannot be copied and run helps nobody."""
    for command in program.build().registered_commands:
        text = command.help or (command.callback and command.callback.__doc__) or ""
        assert "gridpatrol " in text + (command.epilog or ""), f"{command.name}: no example in its help"


@pytest.mark.parametrize("name", ["a-file", "a-file/below"])
def test_a_folder_that_cannot_be_is_refused_with_the_options_name(tmp_path: Path, name: str) -> None:
    """Before the work, so that nothing is computed for nowhere."""
    (tmp_path / "a-file").write_text("here first")
    with pytest.raises(InputWrong, match=r"^--truth: .*a-file.*: choose another"):
        program.out_folder(tmp_path / name, option="--truth")


def test_a_folder_that_is_not_there_yet_is_made(tmp_path: Path) -> None:
    """With those above it."""
    assert program.out_folder(tmp_path / "a" / "b").is_dir()
