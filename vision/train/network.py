"""The network that is trained: where fire and smoke are in a picture, and whether there is any.

The trunk is EfficientNet-Lite0 (Tan and Le 2019, "lite" variant of 2020): no squeeze and no swish, so that
it survives 8-bit weights, and its ImageNet weights are under Apache-2.0. Of its sixth stage only the first
block is kept, for the file is to be small; two narrow blocks of our own follow. Cells of 16, 32 and 64
pixels each say for both classes how sure they are, and where the box around them ends (as FCOS does, without
anchors).
The picture's own answer is not its best box alone: it joins the surest cells with what the whole picture
looks like, because a sunset has surer cells than a thin smoke.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from vision.train.targets import CLASSES, STRIDES

_STAGES = (  # kernel, stride, expansion, channels, repeats
    (3, 1, 1, 16, 1),
    (3, 2, 6, 24, 2),
    (5, 2, 6, 40, 2),
    (3, 2, 6, 80, 3),
    (5, 1, 6, 112, 3),
    (5, 2, 6, 192, 1),
)
_FINE_BLOCKS = 11  # blocks up to stride 16
_DEEP, _CONTEXT, _NECK, _WHOLE = 192, 96, 64, 64  # channels
_CONTEXT_BLOCKS = 2
_SUREST = 12  # cells that speak for the picture
PRIOR = -4.0  # log odds that a cell shows anything, before it has learnt


class Convolution(nn.Module):  # type: ignore[misc,unused-ignore]
    """A convolution with its normalisation, padded as TensorFlow pads: the odd pixel right and below."""

    def __init__(
        self, inner: int, outer: int, kernel: int, *, stride: int = 1, groups: int = 1, linear: bool = False
    ) -> None:
        super().__init__()
        total = kernel - stride if stride > 1 else 0
        self.pad = (total // 2, total - total // 2) * 2 if stride > 1 else None
        padding = 0 if stride > 1 else kernel // 2
        self.conv = nn.Conv2d(inner, outer, kernel, stride, padding, groups=groups, bias=False)
        self.norm = nn.BatchNorm2d(outer, eps=1e-3, momentum=0.01)
        self.act: nn.Module = nn.Identity() if linear else nn.ReLU6()

    def forward(self, x: Tensor) -> Tensor:
        if self.pad is not None:
            x = F.pad(x, self.pad)
        result: Tensor = self.act(self.norm(self.conv(x)))
        return result


class Block(nn.Module):  # type: ignore[misc,unused-ignore]
    """An inverted bottleneck: widen, filter each channel, narrow; added to its input where shapes allow."""

    def __init__(self, inner: int, outer: int, *, kernel: int, stride: int, expansion: int) -> None:
        super().__init__()
        wide = inner * expansion
        steps: list[nn.Module] = [Convolution(inner, wide, 1)] if expansion > 1 else []
        steps.append(Convolution(wide, wide, kernel, stride=stride, groups=wide))
        steps.append(Convolution(wide, outer, 1, linear=True))
        self.steps = nn.Sequential(*steps)
        self.is_added = stride == 1 and inner == outer

    def forward(self, x: Tensor) -> Tensor:
        result: Tensor = self.steps(x)
        return x + result if self.is_added else result


@dataclass(slots=True)
class Answers:
    """What the network says of a batch: `cells` and `ends` per stride, `picture` log odds per class.

    ends: distances from the cell's centre to the box's left, top, right, bottom, in strides.
    """

    cells: list[Tensor]
    ends: list[Tensor]
    picture: Tensor


class FireNet(nn.Module):  # type: ignore[misc,unused-ignore]
    """Trunk (`fine` up to stride 16, `deep` one block at stride 32), neck and the three answers."""

    def __init__(self) -> None:
        super().__init__()
        blocks, inner = [], 32
        for kernel, stride, expansion, outer, repeats in _STAGES:
            for i in range(repeats):
                step = stride if i == 0 else 1
                blocks.append(Block(inner, outer, kernel=kernel, stride=step, expansion=expansion))
                inner = outer
        self.fine = nn.Sequential(Convolution(3, 32, 3, stride=2), *blocks[:_FINE_BLOCKS])
        self.deep = nn.Sequential(*blocks[_FINE_BLOCKS:])
        self.context = nn.Sequential(
            Convolution(_DEEP, _CONTEXT, 1, linear=True),
            *(Block(_CONTEXT, _CONTEXT, kernel=5, stride=1, expansion=3) for _ in range(_CONTEXT_BLOCKS)),
        )
        self.from_context = Convolution(_CONTEXT, _NECK, 1)
        self.from_fine = Convolution(112, _NECK, 1)
        self.smooth = nn.ModuleList(_separable(_NECK) for _ in STRIDES)
        self.cell_answer = nn.ModuleList(nn.Conv2d(_NECK, len(CLASSES), 1) for _ in STRIDES)
        self.end_answer = nn.ModuleList(nn.Conv2d(_NECK, 4, 1) for _ in STRIDES)
        self.whole = nn.Sequential(
            nn.Linear(_DEEP + 2 * _CONTEXT, _WHOLE),
            nn.ReLU6(),
            nn.Dropout(0.3),
            nn.Linear(_WHOLE, len(CLASSES)),
        )
        self.join = nn.Parameter(torch.tensor([[1.0, 0.5, 0.0]] * len(CLASSES)))
        for layer in self.cell_answer:
            nn.init.zeros_(layer.weight)
            nn.init.constant_(layer.bias, PRIOR)

    def forward(self, pictures: Tensor) -> Answers:
        """Return the answers for pictures of 0 to 255, sides a multiple of 64."""
        fine = self.fine_features(pictures)
        return self.answers(fine, self.deep(fine))

    def fine_features(self, pictures: Tensor) -> Tensor:
        """Return the trunk's features at stride 16."""
        result: Tensor = self.fine((pictures - 127.0) / 128.0)
        return result

    def answers(self, fine: Tensor, deep: Tensor) -> Answers:
        """Return the answers for the trunk's features at strides 16 and 32."""
        context = self.context(deep)
        coarse = self.from_context(context)
        up = F.interpolate(coarse, scale_factor=2.0, mode="nearest")
        levels = [self.from_fine(fine) + up, coarse, F.max_pool2d(coarse, 2)]
        levels = [smooth(level) for smooth, level in zip(self.smooth, levels, strict=True)]
        cells = [answer(level) for answer, level in zip(self.cell_answer, levels, strict=True)]
        ends = [F.softplus(answer(level)) for answer, level in zip(self.end_answer, levels, strict=True)]
        return Answers(cells, ends, self._picture(deep, context, cells))

    def _picture(self, deep: Tensor, context: Tensor, cells: list[Tensor]) -> Tensor:
        """Return the picture's log odds: its surest cells and its look as a whole, weighed per class."""
        looks = [deep.mean((2, 3)), context.mean((2, 3)), context.amax((2, 3))]
        whole = self.whole(torch.cat(looks, 1))
        every = torch.cat([c.flatten(2) for c in cells], 2)
        surest = every.topk(_SUREST, dim=2).values
        parts = torch.stack([whole, surest[..., 0], surest.mean(2)], 2)
        result: Tensor = (parts * self.join).sum(2)
        return result


def pretrained(weights: Mapping[str, Tensor]) -> FireNet:
    """Return a network whose trunk holds EfficientNet-Lite0's ImageNet weights, by their published names.

    Raises:
        KeyError: the weights are of another network.
    """
    net = FireNet()
    stem, *fine = net.fine
    _fill(stem, weights, "_conv_stem", "_bn0")
    for i, block in enumerate([*fine, *net.deep]):
        *widen, filtered, narrow = block.steps
        names = [("_expand_conv", "_bn0")] * len(widen) + [
            ("_depthwise_conv", "_bn1"),
            ("_project_conv", "_bn2"),
        ]
        for part, (conv, norm) in zip([*widen, filtered, narrow], names, strict=True):
            _fill(part, weights, f"_blocks.{i}.{conv}", f"_blocks.{i}.{norm}")
    return net


def _fill(part: nn.Module, weights: Mapping[str, Tensor], conv: str, norm: str) -> None:
    assert isinstance(part, Convolution)
    part.conv.weight.data.copy_(weights[f"{conv}.weight"])
    for name in ("weight", "bias", "running_mean", "running_var"):
        getattr(part.norm, name).data.copy_(weights[f"{norm}.{name}"])


def _separable(channels: int) -> nn.Sequential:
    return nn.Sequential(
        Convolution(channels, channels, 3, groups=channels),
        Convolution(channels, channels, 1),
        Convolution(channels, channels, 3, groups=channels),
        Convolution(channels, channels, 1),
    )
