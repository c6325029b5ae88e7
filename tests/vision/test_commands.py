"""`gridpatrol inspect` and where it writes."""

from pathlib import Path

import pytest

from missions.program import main


def test_an_out_that_is_a_file_is_refused_before_any_picture_is_read(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Else an hour of looking would end with nothing written."""
    (tmp_path / "a-file").touch()
    (tmp_path / "picture.jpg").write_text("no picture")
    assert main(["inspect", str(tmp_path / "picture.jpg"), "--out", str(tmp_path / "a-file")]) == 2
    told = capsys.readouterr().err
    assert "--out: " in told
    assert "picture.jpg" not in told
