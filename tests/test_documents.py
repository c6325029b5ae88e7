"""The documents speak of files that exist."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("missions", "vision", "fleet", "api", "sim", "tests", "docs", "examples")


@pytest.mark.parametrize(
    "document",
    ["ARCHITECTURE.md", "README.md", "CHANGELOG.md", "docs/glossary.md", "docs/threats.md", "docs/proofs.md"],
)
def test_every_file_a_document_names_exists(document: str) -> None:
    """`package/file.py` in backticks leads somewhere, with or without `::function`."""
    text = (ROOT / document).read_text(encoding="utf-8")
    for name in re.findall(r"`([a-z_]+/[A-Za-z_./-]*?)(?:::\w+)?`", text):
        if name.split("/")[0] in PACKAGES:
            assert (ROOT / name).exists(), f"{document} names {name}"


def test_every_dotted_name_of_the_architecture_is_a_module_or_in_one() -> None:
    """`missions.planner`, `api.delivery` … as the page of arrows names them."""
    text = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    for name in re.findall(r"^   ([a-z]+(?:\.[a-z_]+)+)", text, re.MULTILINE):
        path = ROOT / name.replace(".", "/")
        assert path.is_dir() or path.with_suffix(".py").exists(), name
