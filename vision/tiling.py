"""Large pictures in pieces: where to cut, which pieces nothing can be in, and one list of boxes again.

A 12 to 48 megapixel picture is searched at its own resolution. Pieces overlap by no more than the object
that must fit into one of them whole; the number of pieces decides the cost, so their overlap is stretched
to fill the picture instead of adding a narrow last column. Pure: the pixels are cut by whoever reads them.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

SIDE_PX = 640
LEAST_OVERLAP_PX = 48
_SAME = 0.5  # overlap from which two boxes are one
_THERE, _AS_SURE, _ROUNDS = 0.45, 0.7, 3  # who has a say on where a box lies: overlap, share of its sureness
_INSIDE = 0.7  # share of the smaller box inside the larger from which they are one, cut by a seam

Boxes = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Tile:
    """A piece of a picture; right and bottom are one past its last pixel."""

    left_px: int
    top_px: int
    right_px: int
    bottom_px: int


Keeps = Callable[[Tile], bool]
"""Whether anything can be in a piece."""


def tiles(
    width: int,
    height: int,
    *,
    side: int = SIDE_PX,
    least_overlap: int = LEAST_OVERLAP_PX,
    keeps: Keeps | None = None,
) -> tuple[Tile, ...]:
    """Return the fewest square pieces that cover a picture and overlap by at least `least_overlap`.

    A picture smaller than a piece in some direction is taken whole there.
    """
    columns, rows = _cuts(width, side, least_overlap), _cuts(height, side, least_overlap)
    pieces = (
        Tile(left, top, min(left + side, width), min(top + side, height)) for top in rows for left in columns
    )
    return tuple(piece for piece in pieces if keeps is None or keeps(piece))


def kept_by_mask(mask: npt.NDArray[np.bool_], width: int, height: int) -> Keeps:
    """Return a test for pieces by a mask of the whole picture in any resolution: any True pixel keeps one."""
    rows, columns = mask.shape

    def keeps(tile: Tile) -> bool:
        top, bottom = tile.top_px * rows // height, -(-tile.bottom_px * rows // height)
        left, right = tile.left_px * columns // width, -(-tile.right_px * columns // width)
        return bool(mask[top:bottom, left:right].any())

    return keeps


def below_horizon(horizon_px: Callable[[float], float], *, margin_px: float = 0.0) -> Keeps:
    """Return a test for pieces by the line of the horizon: what lies wholly above it shows only sky.

    `horizon_px` gives the horizon's y for an x; smoke stands above its fire, so `margin_px` of sky stays.
    """

    def keeps(tile: Tile) -> bool:
        lowest = min(horizon_px(tile.left_px), horizon_px(tile.right_px))
        return tile.bottom_px > lowest - margin_px

    return keeps


def both(first: Keeps | None, second: Keeps | None) -> Keeps | None:
    """Return a test that both must pass; None passes all."""
    if first is None or second is None:
        return first or second
    return lambda tile: first(tile) and second(tile)


def merged(
    boxes: Boxes, scores: npt.NDArray[np.float32], kinds: npt.NDArray[np.int64]
) -> npt.NDArray[np.int64]:
    """Return the indices of the boxes that stay, surest first, after doubles of one class are dropped.

    Doubles overlap by half, or one lies in the other: the seam of two pieces cuts an object in two, and
    the smaller part is no second object.
    """
    order = np.argsort(-scores, kind="stable")
    kept: list[int] = []
    while order.size:
        best, rest = int(order[0]), order[1:]
        kept.append(best)
        overlap, inside = _shared(boxes[best], boxes[rest])
        doubles = (kinds[rest] == kinds[best]) & ((overlap > _SAME) | (inside > _INSIDE))
        order = rest[~doubles]
    return np.array(kept, np.int64)


def agreed(boxes: Boxes, scores: npt.NDArray[np.float32], kinds: npt.NDArray[np.int64], of: int) -> Boxes:
    """Return where a box lies by the mean of all nearly as sure that lie there, itself among them.

    The surest of many is seldom the one that fits best. Means are weighted by how sure each is (weighted box
    fusion: Solovyev, Wang and Gabruseva 2021), and taken anew about the mean.
    """
    sure = (kinds == kinds[of]) & (scores >= _AS_SURE * scores[of])
    voters, weights, mean = boxes[sure], scores[sure], boxes[of]
    for _ in range(_ROUNDS):
        votes = weights * (_shared(mean, voters)[0] >= _THERE)
        if votes.any():
            mean = np.asarray(votes @ voters / votes.sum(), np.float32)
    return np.asarray(mean)


def _shared(box: Boxes, boxes: Boxes) -> tuple[Boxes, Boxes]:
    """Return the overlap of a box with others: as a share of both together, and of the smaller."""
    shared = (np.minimum(box[2:], boxes[:, 2:]) - np.maximum(box[:2], boxes[:, :2])).clip(0).prod(1)
    area, areas = (box[2:] - box[:2]).prod(), (boxes[:, 2:] - boxes[:, :2]).prod(1)
    together = np.maximum(area + areas - shared, 1e-6)
    return shared / together, shared / np.maximum(np.minimum(area, areas), 1e-6)


def _cuts(length: int, side: int, least_overlap: int) -> list[int]:
    """Return where the pieces along one direction begin, evenly spread."""
    if length <= side:
        return [0]
    count = math.ceil((length - least_overlap) / (side - least_overlap))
    return [round(i * (length - side) / (count - 1)) for i in range(count)]
