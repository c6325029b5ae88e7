"""From what a person names with `--baseline` to a baseline."""

from pathlib import Path

from missions.errors import InputWrong
from vision.baselines import Baseline
from vision.baselines.single import ChartBaseline
from vision.errors import Unreadable


def opened(path: Path) -> Baseline:
    """Return the baseline of a GeoTIFF.

    Raises:
        InputWrong: it is none.
    """
    if not path.exists():
        raise InputWrong(f"--baseline: found nothing at {path}, expected a GeoTIFF")
    try:
        return ChartBaseline.open(path)
    except Unreadable as reason:
        raise InputWrong(f"--baseline {path}: {reason}") from None
