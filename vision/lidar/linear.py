"""Which points of a cloud lie along a line: the shape of their neighbourhood tells.

Points are counted into small cubes, and the sums of their coordinates and products are added over
each cube's 27 neighbours, so the spread in three directions costs no search. A neighbourhood that
is long one way and thin the two others is a wire, a bar, a twig or an edge. Three sizes of cube are
looked at: the largest finds thin wires that the laser seldom hit, the middle one bundles of conductors, the
smallest wires that hang close together.
"""

from dataclasses import dataclass
from itertools import combinations_with_replacement, product

import numpy as np
import numpy.typing as npt

from missions.geo import Floats

STEEP = 0.7  # a wire climbs less than 45 degrees
LEAST_POINTS = 4
_PAIRS = tuple(combinations_with_replacement(range(3), 2))


@dataclass(frozen=True, slots=True)
class Size:
    """A size of cube, and how thin and how long its neighbourhood must be (standard deviations)."""

    cube_m: float
    thin_m: float
    long_m: float


SIZES = (Size(1.8, 0.22, 1.1), Size(0.75, 0.28, 0.45), Size(0.28, 0.10, 0.18))


@dataclass(frozen=True, slots=True, eq=False)
class Pieces:
    """Short straight pieces: their middles, (n, 3), and unit directions, (n, 3)."""

    middles_m: Floats
    directions: Floats

    def __len__(self) -> int:
        return len(self.middles_m)


def pieces(points_m: Floats, sizes: tuple[Size, ...] = SIZES) -> Pieces:
    """Return the straight pieces that points, (n, 3), form."""
    found = [_of_size(points_m, size) for size in sizes]
    return Pieces(np.concatenate([p.middles_m for p in found]), np.concatenate([p.directions for p in found]))


def _of_size(points_m: Floats, size: Size) -> Pieces:
    """Return the pieces found with one size of cube; one at most for each cube."""
    if not len(points_m):
        return Pieces(np.zeros((0, 3)), np.zeros((0, 3)))
    cubes, count, mean, spread = _neighbourhoods(points_m, size.cube_m)
    variances, axes = np.linalg.eigh(spread)
    deviations = np.sqrt(np.maximum(variances, 0))
    direction = axes[:, :, 2]
    straight = (
        (count >= LEAST_POINTS)
        & (deviations[:, 1] < size.thin_m)
        & (deviations[:, 2] > size.long_m)
        & (np.abs(direction[:, 2]) < STEEP)
    )
    return Pieces((cubes + mean)[straight], direction[straight])


def _neighbourhoods(points_m: Floats, cube_m: float) -> tuple[Floats, Floats, Floats, Floats]:
    """Return for each cube its middle, and of all points in it and its neighbours the number, mean, spread.

    The mean is from the cube's middle.
    """
    low = points_m.min(axis=0) - cube_m
    index = ((points_m - low) / cube_m).astype(np.int64)
    width = index.max(axis=0) + 2
    key = (index[:, 0] * width[1] + index[:, 1]) * width[2] + index[:, 2]
    keys, own = np.unique(key, return_inverse=True)
    rest, up = np.divmod(keys, width[2])
    middles = low + (np.column_stack([*np.divmod(rest, width[1]), up]) + 0.5) * cube_m
    off = points_m - middles[own]
    count = np.bincount(own).astype(float)
    first = np.column_stack([np.bincount(own, off[:, a]) for a in range(3)])
    second = np.column_stack([np.bincount(own, off[:, a] * off[:, b]) for a, b in _PAIRS])
    total, sums, products = np.zeros(len(keys)), np.zeros((len(keys), 3)), np.zeros((len(keys), 6))
    for step in product((-1, 0, 1), repeat=3):
        here, there = _shifted(keys, (step[0] * int(width[1]) + step[1]) * int(width[2]) + step[2])
        shift = np.array(step) * cube_m
        total[here] += count[there]
        sums[here] += first[there] + count[there, None] * shift
        for column, (a, b) in enumerate(_PAIRS):
            products[here, column] += (
                second[there, column]
                + shift[a] * first[there, b]
                + shift[b] * first[there, a]
                + count[there] * shift[a] * shift[b]
            )
    mean = sums / total[:, None]
    spread = np.empty((len(keys), 3, 3))
    for column, (a, b) in enumerate(_PAIRS):
        spread[:, a, b] = spread[:, b, a] = products[:, column] / total - mean[:, a] * mean[:, b]
    return middles, total, mean, spread


def _shifted(keys: npt.NDArray[np.int64], step: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return which cubes have a neighbour a step away, and which cube that is."""
    wanted = keys + step
    at = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
    here = np.flatnonzero(keys[at] == wanted)
    return here, at[here]
