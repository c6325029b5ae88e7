"""The README's code runs and prints what the README says it prints."""

import contextlib
import io
import os
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def test_the_readmes_ten_lines_print_what_it_says(monkeypatch: pytest.MonkeyPatch) -> None:
    """The Python block, and the block of output under it."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    code, output = re.search(r"```python\n(.*?)```\n\n```\n(.*?)```", text, re.DOTALL).groups()  # type: ignore[union-attr]
    monkeypatch.chdir(ROOT)
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        exec(compile(code, "README.md", "exec"), {})
    assert said.getvalue() == output


def test_every_file_the_readme_links_to_exists() -> None:
    """A link that leads nowhere is worse than none."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)#]+)\)", text):
        assert (ROOT / os.fspath(target)).exists(), target


def test_every_command_the_readme_names_exists() -> None:
    """Copied lines must run."""
    from missions.program import build

    app = build()
    known = {command.name for command in app.registered_commands}
    known |= {group.name for group in app.registered_groups}
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    for command in re.findall(r"^gridpatrol ([a-z-]+)", text, re.MULTILINE):
        assert command in known, command
