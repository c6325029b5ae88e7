"""Precision over recall as a picture and as numbers."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

SIDE_IN, DPI = 5.0, 110


@dataclass(frozen=True, slots=True)
class Curve:
    """Precision and recall at each threshold, from the highest threshold down."""

    name: str
    threshold: tuple[float, ...]
    precision: tuple[float, ...]
    recall: tuple[float, ...]

    @classmethod
    def of(cls, name: str, scores: Sequence[float], truths: Sequence[bool]) -> "Curve":
        """Return the curve of scores with their truths; equal scores are one step."""
        score, truth = np.asarray(scores, float), np.asarray(truths, bool)
        steps = np.unique(score)[::-1]
        positives = max(int(truth.sum()), 1)
        hits = np.array([int((truth & (score >= s)).sum()) for s in steps])
        called = np.array([int((score >= s).sum()) for s in steps])
        precision = hits / np.maximum(called, 1)
        return cls(name, tuple(steps.tolist()), tuple(precision.tolist()), tuple((hits / positives).tolist()))

    @property
    def average_precision(self) -> float:
        """The area under the curve, precision taken as its best at that recall or a higher one."""
        best = np.maximum.accumulate(np.array(self.precision[::-1]))[::-1]
        return float(np.sum(np.diff([0.0, *self.recall]) * best)) if self.recall else 0.0


def draw(curves: Sequence[Curve], path: Path, *, title: str, threshold: float | None = None) -> None:
    """Write a PNG of curves; the threshold in use is marked on each."""
    figure = Figure(figsize=(SIDE_IN, SIDE_IN), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    for curve in curves:
        label = f"{curve.name} (AP {curve.average_precision:.3f})"
        recall, precision = (0.0, *curve.recall), (*curve.precision[:1], *curve.precision)
        axes.plot(recall[: len(precision)], precision, drawstyle="steps-pre", label=label)
        used = [i for i, t in enumerate(curve.threshold) if threshold is not None and t >= threshold]
        if used:
            axes.plot(curve.recall[used[-1]], curve.precision[used[-1]], "o", color="black", markersize=5)
    axes.set(title=title, xlabel="recall", ylabel="precision", xlim=(0, 1.02), ylim=(0, 1.02))
    axes.grid(alpha=0.3)
    axes.legend(loc="lower left")
    figure.savefig(path, dpi=DPI)
