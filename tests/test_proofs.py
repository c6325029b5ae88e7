"""The tables of docs/proofs.md are complete, and the tests they name exist."""

import re
from pathlib import Path

from missions.model import Hazard
from missions.program import build

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "docs" / "proofs.md").read_text(encoding="utf-8")


def section(title: str) -> dict[str, str]:
    """Return the rows of a table by their first cell, code marks taken off."""
    body = TEXT.partition(f"\n## {title}\n")[2].partition("\n## ")[0]
    rows = [line.strip("|").split("|") for line in body.splitlines() if line.startswith("|")][2:]
    return {row[0].strip().strip("`"): row[-1].strip() for row in rows}


def test_every_row_names_a_test_that_exists_or_says_not_yet() -> None:
    for title in ("Other people's programs", "Hazards", "Commands"):
        for name, proof in section(title).items():
            tests = re.findall(r"`(tests/[^`]+)`", proof)
            assert tests or proof == "not yet", name
            for test in tests:
                assert (ROOT / test).exists(), f"{name}: {test}"


def test_every_hazard_has_its_row() -> None:
    assert section("Hazards").keys() == {hazard.value for hazard in Hazard}


def test_every_command_has_its_row() -> None:
    app = build()
    commands = {command.name for command in app.registered_commands}
    groups = {group.name for group in app.registered_groups}
    assert section("Commands").keys() == commands | groups
