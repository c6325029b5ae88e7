"""From a view's truth to what every cell of the network should have said (as FCOS assigns)."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

CLASSES = ("fire", "smoke")
STRIDES = (16, 32, 64)
REACH_PX = ((0.0, 96.0), (64.0, 224.0), (160.0, 4096.0))
"""Which boxes each stride answers for, by the longer side; they overlap so that no size is orphaned."""

CENTRE = 1.5  # cells around a box's middle that answer for it, in strides
_LEAST_END = 0.05


@dataclass(frozen=True, slots=True)
class Target:
    """One stride's truth: per cell and class 1, 0 or -1 (not asked), and the ends where a box is meant."""

    cells: npt.NDArray[np.int8]
    ends: npt.NDArray[np.float32]


def targets(
    boxes: npt.NDArray[np.float32] | None, labels: tuple[int, int], *, width: int, height: int
) -> list[Target]:
    """Return the truth per stride. A class present without a box of its own, or not known, is not asked."""
    return [
        _target(boxes, labels, stride, reach, width, height)
        for stride, reach in zip(STRIDES, REACH_PX, strict=True)
    ]


def _target(
    boxes: npt.NDArray[np.float32] | None,
    labels: tuple[int, int],
    stride: int,
    reach: tuple[float, float],
    width: int,
    height: int,
) -> Target:
    down, across = height // stride, width // stride
    target = Target(np.zeros((len(CLASSES), down, across), np.int8), np.zeros((4, down, across), np.float32))
    for kind, label in enumerate(labels):
        if label == -1 or (label == 1 and (boxes is None or not (boxes[:, 0] == kind).any())):
            target.cells[kind] = -1
    if boxes is None:
        return target
    largest_first = np.argsort(-(boxes[:, 3] - boxes[:, 1]) * (boxes[:, 4] - boxes[:, 2]))
    for box in boxes[largest_first]:
        kind = int(box[0])
        if labels[kind] != -1:
            _mark(target, kind, box[1:], stride, reach)
    return target


def _mark(
    target: Target, kind: int, box: npt.NDArray[np.float32], stride: int, reach: tuple[float, float]
) -> None:
    """Write one box into a stride's truth.

    Cells near its middle answer for it. The others inside are right as well and are not asked, and so are
    all of them where the box is another stride's business.
    """
    left, top, right, bottom = (float(side) for side in box)
    cells = target.cells[kind]
    rows, columns = np.mgrid[0 : cells.shape[0], 0 : cells.shape[1]].astype(np.float32)
    x, y = (columns + 0.5) * stride, (rows + 0.5) * stride
    inside = (x > left) & (x < right) & (y > top) & (y < bottom)
    cells[inside & (cells == 0)] = -1
    if not reach[0] <= max(right - left, bottom - top) < reach[1]:
        return
    across, down = (left + right) / 2, (top + bottom) / 2
    middle = inside & (abs(x - across) < CENTRE * stride) & (abs(y - down) < CENTRE * stride)
    if not middle.any():
        row, column = int(down // stride), int(across // stride)
        middle[min(max(row, 0), cells.shape[0] - 1), min(max(column, 0), cells.shape[1] - 1)] = True
    cells[middle] = 1
    ends = np.stack([x - left, y - top, right - x, bottom - y]) / stride
    target.ends[:, middle] = np.maximum(ends[:, middle], _LEAST_END)
