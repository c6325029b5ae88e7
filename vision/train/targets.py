"""From a view's truth to what every cell of the network should have said (as FCOS assigns)."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from vision.train.network import CLASSES, REACH_PX, STRIDES

CENTRE = 1.5  # cells around a box's middle that answer for it, in strides


@dataclass(frozen=True, slots=True)
class Target:
    """One stride's truth: per cell and class 1, 0 or -1 (not asked), and the ends where a box is meant."""

    cells: npt.NDArray[np.int8]
    ends: npt.NDArray[np.float32]


def targets(
    boxes: npt.NDArray[np.float32] | None, labels: tuple[int, int], *, width: int, height: int
) -> list[Target]:
    """Return the truth per stride. A class present without complete boxes, or not known, is not asked."""
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
    cells = np.zeros((len(CLASSES), down, across), np.int8)
    ends = np.zeros((4, down, across), np.float32)
    for kind, label in enumerate(labels):
        if label == -1 or (label == 1 and boxes is None):
            cells[kind] = -1
    if boxes is None:
        return Target(cells, ends)
    ys, xs = np.mgrid[0:down, 0:across].astype(np.float32)
    xs, ys = (xs + 0.5) * stride, (ys + 0.5) * stride
    largest_first = boxes[np.argsort(-(boxes[:, 3] - boxes[:, 1]) * (boxes[:, 4] - boxes[:, 2]))]
    for kind, left, top, right, bottom in largest_first:
        if labels[int(kind)] == -1:
            continue
        inside = (xs > left) & (xs < right) & (ys > top) & (ys < bottom)
        if not reach[0] <= max(right - left, bottom - top) < reach[1]:
            untold = cells[int(kind)] == 0
            cells[int(kind)][inside & untold] = -1  # right, but another stride's business
            continue
        near = (abs(xs - (left + right) / 2) < CENTRE * stride) & (
            abs(ys - (top + bottom) / 2) < CENTRE * stride
        )
        middle = inside & near
        if not middle.any():
            middle[
                int(min(max((top + bottom) / 2 // stride, 0), down - 1)),
                int(min(max((left + right) / 2 // stride, 0), across - 1)),
            ] = True
        cells[int(kind)][inside & (cells[int(kind)] == 0)] = -1
        cells[int(kind)][middle] = 1
        reachs = np.stack([xs - left, ys - top, right - xs, bottom - ys]) / stride
        ends[:, middle] = np.maximum(reachs[:, middle], 0.05)
    return Target(cells, ends)
