"""How much boxes share, and which found ones match a true one. Boxes: (n, 4) left, top, right, bottom."""

import numpy as np
import numpy.typing as npt

Boxes = npt.NDArray[np.float32]
Hits = npt.NDArray[np.bool_]


def overlaps(box: Boxes, others: Boxes) -> Boxes:
    """Return the shared share (intersection over union) of a box (4,) with each of others."""
    sides = np.minimum(box[2:], others[:, 2:]) - np.maximum(box[:2], others[:, :2])
    shared = sides.clip(0).prod(1)
    areas = (others[:, 2:] - others[:, :2]).prod(1) + (box[2:] - box[:2]).prod()
    return np.asarray(shared / np.maximum(areas - shared, 1e-6), np.float32)


def matches(found: Boxes, truth: Boxes, least: float) -> Hits:
    """Return for each found box, surest first, whether it is the first to share `least` with a true one."""
    free, hit = np.ones(len(truth), bool), np.zeros(len(found), bool)
    for rank, box in enumerate(found):
        shares = np.where(free, overlaps(box, truth), 0.0)
        if shares.size and shares.max() >= least:
            free[shares.argmax()] = False
            hit[rank] = True
    return hit


def average_precision(hits: Hits, there: int) -> float:
    """Return the mean over `there` true boxes of the precision at which each is found; hits surest first."""
    precision = hits.cumsum() / np.arange(1, len(hits) + 1)
    return float(precision[hits].sum() / max(there, 1))
