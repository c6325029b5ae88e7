"""Which cells answer for a box, and how far off their answers are.

Cells inside a box compete: those whose score and overlap are together the best answer for it, and the score
that each should give is how well it does beside the best (task-aligned learning, Feng and others 2021). What
is not known is not asked.
"""

import torch
from torch import Tensor
from torch.nn import functional as F

from vision.train.box_head import Said

ENDS_WEIGHT = 4.0
_MOST = 9  # cells that answer for a box
_SCORE_POWER, _OVERLAP_POWER = 0.5, 6.0
_NEGATIVE_SHARE, _FOCUS = 0.75, 2.0


def loss(said: Said, boxes: list[Tensor], labels: Tensor) -> Tensor:
    """Return what the scores and the boxes are off.

    boxes: per picture rows of class, left, top, right, bottom in pixels; labels: (n, class) of 1, 0, -1.
    """
    meant = torch.zeros_like(said.scores)
    off = said.scores.new_zeros(())
    for i, truth in enumerate(boxes):
        if len(truth):
            cells, of, worth = assigned(said.scores[i].detach(), said.boxes[i].detach(), said.middles, truth)
            kinds = truth[of, 0].long()
            meant[i, cells, kinds] = torch.maximum(meant[i, cells, kinds], worth)
            off = off + ((1 - complete_overlap(said.boxes[i, cells], truth[of, 1:])) * worth).sum()
    asked = (labels >= 0)[:, None, :].float()
    total = (meant * asked).sum().clamp(min=1.0)
    return (score_loss(said.scores, meant) * asked).sum() / total + ENDS_WEIGHT * off / total


def score_loss(said: Tensor, meant: Tensor) -> Tensor:
    """Return the varifocal loss of each score: a cell that answers counts by how well it should."""
    sure = torch.sigmoid(said.detach())
    weight = torch.where(meant > 0, meant, _NEGATIVE_SHARE * sure**_FOCUS)
    return F.binary_cross_entropy_with_logits(said, meant, reduction="none") * weight


def assigned(scores: Tensor, boxes: Tensor, middles: Tensor, truth: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return the cells that answer, the row of `truth` each answers for, and the score each should give.

    scores: (cells, class) log odds; boxes: (cells, 4); middles: (cells, 2); truth: (rows, 5). A cell answers
    for one row, that which it overlaps most; a box so small that no cell's middle lies in it has the nearest.
    """
    shares = overlap(boxes[None], truth[:, None, 1:])
    x, y = middles.T
    inside = (x > truth[:, 1:2]) & (x < truth[:, 3:4]) & (y > truth[:, 2:3]) & (y < truth[:, 4:5])
    middle = (truth[:, 1:3] + truth[:, 3:5]) / 2
    nearest = torch.cdist(middle, middles).argmin(1)
    lone = ~inside.any(1)
    inside[lone, nearest[lone]] = True
    sure = torch.sigmoid(scores[:, truth[:, 0].long()]).T
    fit = (sure**_SCORE_POWER * shares.clamp(min=1e-4) ** _OVERLAP_POWER) * inside
    best = fit.topk(min(_MOST, fit.shape[1]), 1)
    chosen = torch.zeros_like(inside).scatter_(1, best.indices, best.values > 0)
    only = F.one_hot((shares * chosen).argmax(0), len(truth)).T.bool()
    chosen &= only
    of, cells = chosen.nonzero(as_tuple=True)
    highest = (fit * chosen).amax(1).clamp(min=1e-30)
    widest = (shares * chosen).amax(1)
    return cells, of, fit[of, cells] / highest[of] * widest[of]


def overlap(boxes: Tensor, others: Tensor) -> Tensor:
    """Return how much boxes share of what both cover; shapes broadcast."""
    sides = (
        torch.minimum(boxes[..., 2:], others[..., 2:]) - torch.maximum(boxes[..., :2], others[..., :2])
    ).clamp(min=0)
    shared = sides.prod(-1)
    both = _area(boxes) + _area(others) - shared
    return shared / both.clamp(min=1e-6)


def complete_overlap(boxes: Tensor, others: Tensor) -> Tensor:
    """Return the overlap less what middles and shapes differ (CIoU, Zheng and others 2020), row by row."""
    share = overlap(boxes, others)
    hull = torch.maximum(boxes[:, 2:], others[:, 2:]) - torch.minimum(boxes[:, :2], others[:, :2])
    apart = ((boxes[:, :2] + boxes[:, 2:] - others[:, :2] - others[:, 2:]) / 2).square().sum(1)
    slant, other = (
        torch.atan2(b[:, 2] - b[:, 0], (b[:, 3] - b[:, 1]).clamp(min=1e-3)) for b in (boxes, others)
    )
    shape = 4 / torch.pi**2 * (slant - other).square()
    with torch.no_grad():
        weight = shape / (1 - share + shape + 1e-6)
    return share - apart / hull.square().sum(1).clamp(min=1e-6) - weight * shape


def _area(boxes: Tensor) -> Tensor:
    return (boxes[..., 2:] - boxes[..., :2]).clamp(min=0).prod(-1)
