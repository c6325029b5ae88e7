"""The promises the code makes about itself: which way imports point, who may touch the wire."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
MAY_IMPORT: dict[str, set[str]] = {
    "missions": set(),
    "vision": {"missions"},
    "fleet": {"missions"},
    "sim": {"missions"},
    "api": {"missions", "vision", "fleet"},
}
WIRE = ("fleet/link.py", "fleet/wire.py", "fleet/signing.py", "sim/autopilot/")


def imports(path: Path) -> Iterator[tuple[str, int]]:
    """Yield every absolute import of a file with its line, those inside functions too."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            yield node.module, node.lineno


@pytest.mark.parametrize("package", MAY_IMPORT)
def test_package_imports_only_what_lies_below_it(package: str) -> None:
    """Also inside functions: a hidden import is still an arrow."""
    ours = MAY_IMPORT.keys() | {"tests"}
    for path in (ROOT / package).rglob("*.py"):
        if "node_modules" in path.parts:
            continue
        for name, line in imports(path):
            top = name.split(".")[0]
            assert top not in ours or top in MAY_IMPORT[package] | {package}, f"{path}:{line} imports {name}"


def test_only_the_wire_rooms_know_pymavlink() -> None:
    """Wire words end in a handful of files; the rest speaks of places and sorties."""
    for package in MAY_IMPORT:
        for path in (ROOT / package).rglob("*.py"):
            place = path.relative_to(ROOT).as_posix()
            if not place.startswith(WIRE):
                assert not any(n.split(".")[0] == "pymavlink" for n, _ in imports(path)), place


def test_copyleft_trainer_stays_in_its_room() -> None:
    """ultralytics is AGPL: nothing outside vision/train may need it."""
    for package in MAY_IMPORT:
        for path in (ROOT / package).rglob("*.py"):
            place = path.relative_to(ROOT).as_posix()
            if not place.startswith("vision/train/"):
                names = {n.split(".")[0] for n, _ in imports(path)}
                assert not names & {"ultralytics", "torch", "torchvision"}, place


def test_no_file_names_a_package_registry_or_this_machine() -> None:
    """constraints and locks hold names and versions only."""
    for name in ("constraints.txt", "pyproject.toml", "Makefile", ".ci/run", "api/console/package-lock.json"):
        path = ROOT / name
        if path.exists():
            text = path.read_text(encoding="utf-8")
            assert "registry" not in text.replace("omit-lockfile-registry-resolved", "")
            assert "://" not in text.replace("http://127.0.0.1", ""), name
