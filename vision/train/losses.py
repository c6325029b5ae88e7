"""How far the network's answers are from the truth. What is not known is not asked."""

import torch
from torch import Tensor
from torch.nn import functional as F

from vision.train.network import Answers

FOCUS, POSITIVE_SHARE = 2.0, 0.35
ENDS_WEIGHT, PICTURE_WEIGHT = 1.0, 2.0
_SMOOTHING = 0.03


def loss(answers: Answers, cells: list[Tensor], ends: list[Tensor], labels: Tensor) -> Tensor:
    """Return the sum of what the cells, the boxes' ends and the picture's answer are off.

    cells: per stride (n, class, down, across) of 1, 0, -1; ends: per stride (n, 4, down, across), meant
    where some class's cell is 1; labels: (n, class) of 1, 0, -1.
    """
    positives = sum((truth == 1).sum() for truth in cells)
    count = torch.clamp(torch.as_tensor(positives, dtype=torch.float32), min=16.0)
    total = picture_loss(answers.picture, labels) * PICTURE_WEIGHT
    for said, truth, said_ends, true_ends in zip(answers.cells, cells, answers.ends, ends, strict=True):
        total = total + cell_loss(said, truth) / count
        meant = (truth == 1).any(1)
        if meant.any():
            mine = said_ends.permute(0, 2, 3, 1)[meant]
            total = (
                total + ENDS_WEIGHT * overlap_loss(mine, true_ends.permute(0, 2, 3, 1)[meant]).sum() / count
            )
    return total


def cell_loss(said: Tensor, truth: Tensor) -> Tensor:
    """Return the focal loss summed over the cells that are asked."""
    asked = truth >= 0
    target = (truth == 1).float()
    plain = F.binary_cross_entropy_with_logits(said, target, reduction="none")
    sure = torch.exp(-plain)
    weight = torch.where(truth == 1, POSITIVE_SHARE, 1 - POSITIVE_SHARE) * (1 - sure) ** FOCUS
    return (plain * weight * asked).sum()


def overlap_loss(said: Tensor, truth: Tensor) -> Tensor:
    """Return 1 - generalised overlap of boxes given by their ends from one point."""
    lesser, greater = torch.minimum(said, truth), torch.maximum(said, truth)
    shared = (lesser[:, 0] + lesser[:, 2]) * (lesser[:, 1] + lesser[:, 3])
    hull = (greater[:, 0] + greater[:, 2]) * (greater[:, 1] + greater[:, 3])
    both = _area(said) + _area(truth) - shared
    return 1 - shared / (both + 1e-6) + (hull - both) / (hull + 1e-6)


def picture_loss(said: Tensor, labels: Tensor) -> Tensor:
    """Return the mean cross entropy of the pictures' answers where they are known."""
    asked = labels >= 0
    target = (labels == 1).float() * (1 - 2 * _SMOOTHING) + _SMOOTHING
    each = F.binary_cross_entropy_with_logits(said, target, reduction="none")
    return (each * asked).sum() / asked.sum().clamp(min=1)


def _area(ends: Tensor) -> Tensor:
    return (ends[:, 0] + ends[:, 2]) * (ends[:, 1] + ends[:, 3])
