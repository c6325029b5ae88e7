"""Scores against labels: `gridpatrol evaluate DATASET --task TASK`.

A task is one file with a function `evaluate(request) -> Json` that returns the value DESIGN's command
line section words for it. It is named here by its place and loaded when asked for.
"""

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from missions.errors import InputWrong
from missions.model import Hazard

Json = dict[str, Any]

TASKS: dict[str, str] = {
    "image": "vision.evaluate.image:evaluate",
    "boxes": "vision.evaluate.boxes:evaluate",
    "thermal": "vision.evaluate.thermal:evaluate",
    "masks": "vision.evaluate.masks:evaluate",
    "radiometry": "vision.evaluate.radiometry:evaluate",
}
"""Task name -> "module:function"."""

_OF_HEAT = ("thermal", "radiometry")


@dataclass(frozen=True, slots=True)
class Request:
    """What is to be scored: a folder laid out as the task expects, and with what.

    `model` replaces the shipped weights, `out` is a folder for curves and tables (None writes nothing),
    `say` speaks to the person at the terminal.
    """

    dataset: Path
    say: Callable[[str], None]
    hazard: Hazard | None = None
    model: Path | None = None
    out: Path | None = None


def evaluate(task: str, request: Request) -> Json:
    """Return a task's scores on a folder.

    Raises:
        InputWrong: there is no such task or folder, or the folder holds nothing the task can score.
    """
    place = TASKS.get(task)
    if place is None:
        raise InputWrong(f"--task: found {task}, expected {', '.join(sorted(TASKS))}")
    if task in _OF_HEAT and (request.model or request.hazard not in (None, Hazard.FIRE)):
        raise InputWrong(f"--task {task}: takes no --model, and no --hazard but fire")
    if not request.dataset.is_dir():
        raise InputWrong(f"{request.dataset}: expected a folder with pictures and their labels")
    module, _, name = place.partition(":")
    function: Callable[[Request], Json] = getattr(importlib.import_module(module), name)
    return function(request)
