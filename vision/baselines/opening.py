"""From what a person names with `--baseline` to a baseline."""

from dataclasses import dataclass
from pathlib import Path

from missions.errors import InputWrong
from vision.baselines import Baseline, Before, Missing
from vision.baselines.single import ChartBaseline
from vision.baselines.store import Store
from vision.chart import Grid
from vision.errors import Unreadable


@dataclass(slots=True)
class LateBaseline:
    """A baseline that is opened when it is first asked for; until its file is there, nothing is known."""

    path: Path
    _opened: Baseline | None = None

    def before(self, grid: Grid) -> Before | Missing:
        """Return how the grid's ground looked before, or why that is not known."""
        if self._opened is None:
            try:
                self._opened = opened(self.path)
            except InputWrong as reason:
                return Missing(f"no baseline of this place yet ({reason})")
        return self._opened.before(grid)


def opened(path: Path) -> Baseline:
    """Return the baseline of a GeoTIFF or of a store's folder.

    Raises:
        InputWrong: it is none.
    """
    if path.is_dir():
        return Store(path)
    if not path.exists():
        raise InputWrong(f"--baseline: found nothing at {path}, expected a GeoTIFF or a store of baselines")
    try:
        return ChartBaseline.open(path)
    except Unreadable as reason:
        raise InputWrong(f"--baseline {path}: {reason}") from None
