"""The network that finds people, vehicles and bicycles in thermal pictures: small things, finely placed.

The trunk is the first of EfficientNet-Lite0 (Tan and Le 2019) up to stride 16, with its ImageNet weights and
a stem that takes one band. A short path leads back up to stride 4, where each cell says for every kind how
sure it is that a body's middle lies in it, and how far off that body's sides are (after "Objects as Points",
Zhou and others 2019, with ends in place of sizes).
"""

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from vision.train.network import Block, Convolution

KINDS = ("person", "vehicle", "bicycle")
STRIDE = 4
PRIOR = -4.0
_BLOCKS = (  # inner, outer, kernel, stride, expansion
    (32, 16, 3, 1, 1),
    (16, 24, 3, 2, 6),
    (24, 24, 3, 1, 6),
    (24, 40, 5, 2, 6),
    (40, 40, 5, 1, 6),
    (40, 80, 3, 2, 6),
)
_FINE, _MIDDLE = 3, 5  # blocks up to stride 4, up to stride 8
_NECK = 40


class WarmNet(nn.Module):  # type: ignore[misc,unused-ignore]
    """Bands of 0 to 255 in; per cell of four pixels the log odds of each kind and four ends in cells."""

    def __init__(self, *, bands: int = 1, kinds: int = len(KINDS)) -> None:
        super().__init__()
        self.bands = bands
        blocks = [Block(i, o, kernel=k, stride=s, expansion=e) for i, o, k, s, e in _BLOCKS]
        self.stem = Convolution(bands, 32, 3, stride=2)
        self.fine = nn.Sequential(*blocks[:_FINE])
        self.middle = nn.Sequential(*blocks[_FINE:_MIDDLE])
        self.coarse = nn.Sequential(*blocks[_MIDDLE:])
        self.context = nn.Sequential(
            Convolution(80, _NECK, 1),
            Convolution(_NECK, _NECK, 5, groups=_NECK),
            Convolution(_NECK, _NECK, 1),
        )
        self.from_middle = Convolution(40, _NECK, 1, linear=True)
        self.from_fine = Convolution(24, _NECK, 1, linear=True)
        self.mix_middle = _mix()
        self.mix_fine = nn.Sequential(_mix(), _mix())
        self.kind = nn.Conv2d(_NECK, kinds, 1)
        self.ends = nn.Conv2d(_NECK, 4, 1)
        nn.init.zeros_(self.kind.weight)
        nn.init.constant_(self.kind.bias, PRIOR)

    def forward(self, pictures: Tensor) -> tuple[Tensor, Tensor]:
        """Return log odds (n, kinds, h/4, w/4) and ends (n, 4, h/4, w/4; left, top, right, bottom)."""
        fine = self.fine(self.stem((pictures - 127.0) / 128.0))
        middle = self.middle(fine)
        deep = self.context(self.coarse(middle))
        middle = self.mix_middle(self.from_middle(middle) + F.interpolate(deep, scale_factor=2.0))
        fine = self.mix_fine(self.from_fine(fine) + F.interpolate(middle, scale_factor=2.0))
        return self.kind(fine), F.softplus(self.ends(fine))

    @property
    def trunk(self) -> tuple[nn.Module, ...]:
        """The parts that begin with ImageNet's weights."""
        return self.stem, self.fine, self.middle, self.coarse


class Table(nn.Module):  # type: ignore[misc,unused-ignore]
    """The network as `vision/detectors/runtime.py` runs it: planes of 0 to 1 in, a table of candidates out.

    Only cells surer than their neighbours keep their score, so that one body is one candidate.
    """

    def __init__(self, net: WarmNet) -> None:
        super().__init__()
        self.net = net

    def forward(self, planes: Tensor) -> Tensor:
        """Return (1, 4 + kinds, candidates): centre x, y, width, height in pixels, a score per kind."""
        said, ends = self.net(planes[:, : self.net.bands] * 255.0)
        sure = torch.sigmoid(said)
        sure = sure * (F.max_pool2d(sure, 3, 1, 1) == sure).float()
        ones = torch.ones_like(ends[:, :1])
        middles = torch.cat([ones.cumsum(3), ones.cumsum(2)], 1) - 0.5
        middle = middles + (ends[:, 2:] - ends[:, :2]) / 2
        size = ends[:, :2] + ends[:, 2:]
        return torch.cat([middle * STRIDE, size * STRIDE, sure], 1).flatten(2)


def pretrained(weights: Mapping[str, Tensor], *, bands: int = 1, kinds: int = len(KINDS)) -> WarmNet:
    """Return a network whose trunk holds EfficientNet-Lite0's ImageNet weights, by their published names."""
    net = WarmNet(bands=bands, kinds=kinds)
    kernel = weights["_conv_stem.weight"]
    _fill(net.stem, kernel if bands == 3 else kernel.sum(1, keepdim=True), weights, "_bn0")
    for i, block in enumerate([*net.fine, *net.middle, *net.coarse]):
        *widen, filtered, narrow = block.steps
        names = [("_expand_conv", "_bn0")] * len(widen) + [
            ("_depthwise_conv", "_bn1"),
            ("_project_conv", "_bn2"),
        ]
        for part, (conv, norm) in zip([*widen, filtered, narrow], names, strict=True):
            _fill(part, weights[f"_blocks.{i}.{conv}.weight"], weights, f"_blocks.{i}.{norm}")
    return net


def _fill(part: nn.Module, kernel: Tensor, weights: Mapping[str, Tensor], norm: str) -> None:
    assert isinstance(part, Convolution)
    part.conv.weight.data.copy_(kernel)
    for name in ("weight", "bias", "running_mean", "running_var"):
        getattr(part.norm, name).data.copy_(weights[f"{norm}.{name}"])


def _mix() -> nn.Sequential:
    return nn.Sequential(Convolution(_NECK, _NECK, 3, groups=_NECK), Convolution(_NECK, _NECK, 1))
