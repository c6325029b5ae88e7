"""What a place looked like before: asked for by a grid of ground, answered on that grid.

A baseline is one chart somebody hands over (`single.py`) or a store of versions that our own flights
filled (`store.py`). What it cannot answer it says: `Missing`, a value with a plain reason.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from vision.chart import Chart, Grid, Mask


@dataclass(frozen=True, slots=True, eq=False)
class Before:
    """How ground looked before, on the grid asked for: its picture, its water and its canopy.

    `water` and `canopy` are masks where they were kept with the picture, None where they must be told
    from it. `version` names what is answered from, for people and for the evidence of a case.
    """

    chart: Chart
    version: str
    taken_at: datetime | None
    water: Mask | None = None
    canopy: Mask | None = None


@dataclass(frozen=True, slots=True)
class Missing:
    """Why there is nothing to compare with."""

    reason: str


class Baseline(Protocol):
    """Where a place's past comes from."""

    def before(self, grid: Grid) -> Before | Missing:
        """Return how the grid's ground looked before, or why that is not known."""
        ...
