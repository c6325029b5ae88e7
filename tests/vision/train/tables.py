"""Writes the tables that a training reads: labels of pictures, and which of them were scored."""

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from vision import labelled


def write_labels(folder: Path, rows: Sequence[dict[str, Any]]) -> None:
    """Write a folder's table of labels; all rows have the keys of the first."""
    with (folder / labelled.TABLE).open("w", newline="", encoding="utf-8") as file:
        table = csv.DictWriter(file, list(rows[0]))
        table.writeheader()
        table.writerows(rows)


def write_scored(path: Path, picture: Path, *, fire: int) -> Path:
    """Return a written table of training in which one picture was scored."""
    head = f"model,use,source,{labelled.HASH},fire,smoke\n"
    path.write_text(f"{head}fire,scored,made,{labelled.sha256_8(picture)},{fire},0\n", "utf-8")
    return path
