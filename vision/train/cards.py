"""The card for machines that goes with a model's file and proves it."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from vision.detectors import runtime


def read(model: Path) -> dict[str, Any]:
    """Return what the card beside a model's file says."""
    card: dict[str, Any] = json.loads(runtime.card_beside(model).read_text("utf-8"))
    return card


def write(model: Path, card: Mapping[str, Any]) -> None:
    """Write a card beside a model's file, with the hash of the file as it is."""
    proven = {**card, "sha256": hashlib.sha256(model.read_bytes()).hexdigest()}
    runtime.card_beside(model).write_text(json.dumps(proven, indent=1) + "\n", "utf-8")
