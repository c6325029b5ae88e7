"""`gridpatrol inspect` and where it writes."""

from pathlib import Path

import pytest

from missions.program import main


@pytest.mark.parametrize("option", ["--out", "--calibration", "--model"])
def test_an_option_that_cannot_be_used_is_refused_before_any_picture_is_read(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], option: str
) -> None:
    """Else an hour of looking would end with nothing written."""
    (tmp_path / "a-file").touch()
    (tmp_path / "picture.jpg").write_text("no picture")
    assert main(["inspect", str(tmp_path / "picture.jpg"), option, str(tmp_path / "a-file")]) == 2
    told = capsys.readouterr().err
    assert f"{option}: " in told
    assert "picture.jpg" not in told
