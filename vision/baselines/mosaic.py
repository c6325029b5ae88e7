"""One chart from the frames of a flight: each laid on the ground by its pose, then onto its neighbours.

No bundle adjustment: a frame that overlaps what is laid already is registered to it, one that cannot be stays
where its pose puts it, and is counted. Of several frames over one pixel the one that sees it furthest from
its own edge is kept, so seams run where lenses are worst.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import cv2
import numpy as np
import numpy.typing as npt
from affine import Affine

from vision import orthophoto, registration
from vision.chart import RGB, Chart, Grid, Mask
from vision.frame import Frame
from vision.georeference import Ground, Unplaced
from vision.registration import Registered

PIXEL_M = 0.25
WITHIN_M = 20.0
OVERLAP_SHARE = 0.15
MOST_PIXELS = 100_000_000


@dataclass(frozen=True, slots=True, eq=False)
class Mosaic:
    """A flight's chart; of `frames` so many were laid, so many of them onto their neighbours, by so much."""

    chart: Chart
    frames: int
    registered: int
    moved_m: float


def mosaic(
    frames: Iterable[Frame], ground: Ground, *, source: str, pixel_m: float = PIXEL_M
) -> Mosaic | Unplaced:
    """Return the chart of a flight's frames, colour or °C, or why none could be made."""
    laid = [one for f in frames if (one := _laid(f, ground, pixel_m)) is not None]
    if not laid:
        return Unplaced("none of the frames can be laid on the ground")
    grid = _union([chart.grid for chart, _ in laid])
    if grid.width * grid.height > MOST_PIXELS:
        return Unplaced(f"the flight covers {grid.width} × {grid.height} pixels: make it in parts")
    bands = laid[0][0].values.shape[2]
    values = np.zeros((*grid.shape, bands), laid[0][0].values.dtype)
    best = np.zeros(grid.shape, np.float32)
    moved = []
    for chart, weight in laid:
        here = _window(chart.grid, grid)
        fit = _onto_neighbours(chart, values[here], best[here] > 0)
        if fit is not None:
            moved.append(fit.moved_m)
            chart = replace(chart, values=fit.onto(chart.values))
            weight = np.asarray(fit.onto(weight), np.float32)
        better = weight > best[here]
        values[here][better] = chart.values.reshape(*weight.shape, bands)[better]
        best[here][better] = weight[better]
    taken = [c.taken_at for c, _ in laid if c.taken_at]
    names = RGB if bands == 3 else ("celsius",)
    whole = Chart(grid, values, best > 0, names, source, _middle(taken))
    return Mosaic(whole, len(laid), len(moved), float(np.median(moved)) if moved else 0.0)


def _laid(frame: Frame, ground: Ground, pixel_m: float) -> tuple[Chart, npt.NDArray[np.float32]] | None:
    """Return a frame's chart and how far from its edge it saw each pixel; None without a place."""
    laid = orthophoto.projected(frame, ground, pixel_m=pixel_m)
    if isinstance(laid, Unplaced):
        return None
    if frame.celsius is not None:
        values, shot = laid.onto(np.asarray(frame.celsius, np.float32))[..., None], frame.shot
        chart = Chart(laid.grid, values, laid.seen, ("celsius",), shot.file, shot.taken_at)
    elif frame.pixels is not None and frame.pixels.ndim == 3:
        chart = orthophoto.chart_of(frame, laid)
    else:
        return None
    weight = cv2.distanceTransform(laid.seen.astype(np.uint8), cv2.DIST_L2, 3)
    return chart, np.asarray(weight, np.float32)


def _onto_neighbours(chart: Chart, there: npt.NDArray[np.generic], known: Mask) -> Registered | None:
    """Return how a frame lies on what was laid before it, None where they share too little or do not fit."""
    both = known & chart.known
    if chart.bands != RGB or both.sum() < OVERLAP_SHARE * chart.known.sum():
        return None
    grey = [
        np.asarray(cv2.cvtColor(np.asarray(v, np.uint8), cv2.COLOR_RGB2GRAY), np.uint8)
        for v in (chart.values, there)
    ]
    fit = registration.register(grey[0], grey[1], known=both, pixel_m=chart.grid.pixel_m, within_m=WITHIN_M)
    return fit if isinstance(fit, Registered) else None


def _union(grids: Sequence[Grid]) -> Grid:
    """Return the grid that holds several of one step and system."""
    step = grids[0].transform.a
    west, south = min(g.bounds[0] for g in grids), min(g.bounds[1] for g in grids)
    east, north = max(g.bounds[2] for g in grids), max(g.bounds[3] for g in grids)
    size = round((east - west) / step), round((north - south) / step)
    return Grid(grids[0].crs, Affine(step, 0.0, west, 0.0, -step, north), *size)


def _window(inner: Grid, outer: Grid) -> tuple[slice, slice]:
    left = round((inner.transform.c - outer.transform.c) / outer.transform.a)
    top = round((outer.transform.f - inner.transform.f) / outer.transform.a)
    return np.s_[top : top + inner.height, left : left + inner.width]


def _middle(times: Sequence[datetime]) -> datetime | None:
    return sorted(times)[len(times) // 2] if times else None
