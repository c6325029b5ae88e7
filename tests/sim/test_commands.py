"""`gridpatrol sim` refuses before it starts what it would only meet later."""

from pathlib import Path

import pytest

from missions.program import main


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--out", "{tmp}/a-file"], "--out: "),
        (["--truth", "{tmp}"], "is a folder, expected a file"),
        (["--truth", "{tmp}/a-file/truth.json"], "--truth: "),
        (["--mqtt", "rubbish"], "expected mqtt://user:password@host:port"),
        (["--drones", "0"], "--drones"),
        (["--autopilot", "inav"], "expected arducopter or px4"),
        (["--faults", "{tmp}/a-file"], "a mapping with the key faults"),
        (["--seed", "-1"], "--seed"),
    ],
)
def test_what_cannot_be_is_wrong_input(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], words: str
) -> None:
    """One sentence, nothing on standard output, no socket opened."""
    (tmp_path / "a-file").touch()
    assert main(["sim", "--json", *(a.format(tmp=tmp_path) for a in arguments)]) == 2
    told = capsys.readouterr()
    assert words in told.err
    assert not told.out
