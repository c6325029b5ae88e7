"""The lowest ways over the ground along many straight lines at once: taut strings, corner by corner.

`missions.airspace` draws one such way; here a whole row of a matrix is drawn together. A line is
sampled evenly; where some sample would be undercut, the one that is undercut most becomes a corner,
and the same is asked of both halves, for all lines at the same time.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from missions.airspace import CLEARANCE_M, SAMPLE_M, Ground
from missions.geo import Floats

# Points of the ground looked up at a time.
MOST_SAMPLES = 500_000

# Heights that agree so far are the same.
SAME_M = 1e-9

# Lower than any ground, where the elevation model has none: such a line is no way at all.
NO_GROUND_M = -1e6

Whole = np.ndarray


@dataclass(frozen=True, slots=True)
class Strings:
    """The corners (rows of east, north, height) of ways, way after way, both ends included.

    `way` says for each corner which way it belongs to; `is_known` for each way whether there is ground
    under all of it.
    """

    corners: Floats
    way: Whole
    is_known: Whole


def strings(ground: Ground, starts: Floats, ends: Floats) -> Strings:
    """Return the lowest ways over the ground along straight lines between rows of east, north, height."""
    counts = np.maximum(3, np.ceil(np.hypot(*(ends - starts)[:, :2].T) / SAMPLE_M).astype(int) + 1)
    found = [
        _strings(ground, starts[part], ends[part], counts[part], int(part.start)) for part in _parts(counts)
    ]
    return Strings(
        np.concatenate([each.corners for each in found]) if found else np.empty((0, 3)),
        np.concatenate([each.way for each in found]) if found else np.empty(0, dtype=int),
        np.concatenate([each.is_known for each in found]) if found else np.empty(0, dtype=bool),
    )


def _parts(counts: Whole) -> Iterator[slice]:
    """Yield the lines in parts that have not too many samples together."""
    edges = np.flatnonzero(np.diff(np.cumsum(counts) // MOST_SAMPLES)) + 1
    limits = [0, *(int(k) for k in edges), len(counts)]
    return (slice(a, b) for a, b in pairwise(limits) if b > a)


def _strings(ground: Ground, starts: Floats, ends: Floats, counts: Whole, before: int) -> Strings:
    first = np.cumsum(counts) - counts
    last = first + counts - 1
    owner = np.repeat(np.arange(len(counts)), counts)
    share = (np.arange(len(owner)) - first[owner]) / (counts - 1)[owner]
    line = starts[owner] + (ends - starts)[owner] * share[:, None]
    heights = ground.elevation_m(line[:, 0], line[:, 1]) + CLEARANCE_M
    is_known = ~np.logical_or.reduceat(np.isnan(heights), first)
    lowest = np.where(np.isnan(heights), NO_GROUND_M, heights)
    lowest[first], lowest[last] = starts[:, 2], ends[:, 2]
    corner = _corners(lowest, first, last)
    return Strings(np.column_stack([line[corner, :2], lowest[corner]]), owner[corner] + before, is_known)


def _corners(lowest: Floats, first: Whole, last: Whole) -> Whole:
    """Return which samples are corners of the lowest lines that undercut none, ends included."""
    is_corner = np.zeros(len(lowest), dtype=bool)
    is_corner[first] = is_corner[last] = True
    a, b = first, last
    while (wide := b - a > 1).any():
        a, b = a[wide], b[wide]
        inner = b - a - 1
        begins = np.cumsum(inner) - inner
        owner = np.repeat(np.arange(len(a)), inner)
        step = np.arange(len(owner)) - begins[owner] + 1
        straight = lowest[a][owner] + (lowest[b] - lowest[a])[owner] * step / (b - a)[owner]
        over = lowest[a[owner] + step] - straight
        most = np.maximum.reduceat(over, begins)
        where = np.minimum.reduceat(np.where(over == most[owner], step, len(lowest)), begins)
        undercut = most > SAME_M
        a, b, top = a[undercut], b[undercut], (a + where)[undercut]
        is_corner[top] = True
        a, b = np.concatenate([a, top]), np.concatenate([top, b])
    return is_corner
