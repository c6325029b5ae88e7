"""The water segmenter: a small U-shaped net on the first twelve blocks of EfficientNet-Lite0.

The encoder keeps the names of the public ImageNet weights (Apache-2.0), so that they load by
name; it has no squeeze-and-excite and clips at 6, which int8 and half-width storage like. The decoder
is narrow: water is large, and its edge is put right by the full-width skips.
"""

from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as nnf
from torch import nn

MEAN, SCALE = 127.0, 128.0
_EPS = 1e-3  # of the batch norms the weights were learnt with


@dataclass(frozen=True, slots=True)
class Block:
    """One inverted bottleneck: its widths, kernel, stride and how much it widens inside."""

    wide_in: int
    wide_out: int
    kernel: int
    stride: int
    expand: int


BLOCKS = (
    Block(32, 16, 3, 1, 1),
    Block(16, 24, 3, 2, 6),
    Block(24, 24, 3, 1, 6),
    Block(24, 40, 5, 2, 6),
    Block(40, 40, 5, 1, 6),
    Block(40, 80, 3, 2, 6),
    Block(80, 80, 3, 1, 6),
    Block(80, 80, 3, 1, 6),
    Block(80, 112, 5, 1, 6),
    Block(112, 112, 5, 1, 6),
    Block(112, 112, 5, 1, 6),
    Block(112, 192, 5, 2, 6),
)
TAPS = (0, 2, 4, 10, 11)
"""The blocks whose outcome the decoder uses: strides 2, 4, 8, 16, 32."""


class MBConv(nn.Module):  # type: ignore[misc]
    """An inverted bottleneck without squeeze-and-excite, its parts named as in the weights' file."""

    def __init__(self, block: Block) -> None:
        super().__init__()
        inside = block.wide_in * block.expand
        self.kernel, self.stride = block.kernel, block.stride
        self.adds = block.stride == 1 and block.wide_in == block.wide_out
        self.widens = block.expand != 1
        if self.widens:
            self._expand_conv = nn.Conv2d(block.wide_in, inside, 1, bias=False)
            self._bn0 = nn.BatchNorm2d(inside, eps=_EPS)
        pad = block.kernel // 2 if block.stride == 1 else 0
        self._depthwise_conv = nn.Conv2d(
            inside, inside, block.kernel, block.stride, pad, groups=inside, bias=False
        )
        self._bn1 = nn.BatchNorm2d(inside, eps=_EPS)
        self._project_conv = nn.Conv2d(inside, block.wide_out, 1, bias=False)
        self._bn2 = nn.BatchNorm2d(block.wide_out, eps=_EPS)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return the block's outcome."""
        y = nnf.relu6(self._bn0(self._expand_conv(x))) if self.widens else x
        if self.stride == 2:
            y = _padded(y, self.kernel)
        y = nnf.relu6(self._bn1(self._depthwise_conv(y)))
        y = self._bn2(self._project_conv(y))
        return x + y if self.adds else y


class Merge(nn.Module):  # type: ignore[misc]
    """One step up of the decoder: twice as fine, joined with what the encoder saw there."""

    def __init__(self, wide_deep: int, wide_skip: int, wide_out: int) -> None:
        super().__init__()
        self.skip = nn.Sequential(nn.Conv2d(wide_skip, wide_out, 1, bias=False), nn.BatchNorm2d(wide_out))
        self.deep = nn.Sequential(nn.Conv2d(wide_deep, wide_out, 1, bias=False), nn.BatchNorm2d(wide_out))
        self.mix = nn.Sequential(
            nn.Conv2d(wide_out, wide_out, 3, padding=1, groups=wide_out, bias=False),
            nn.Conv2d(wide_out, wide_out, 1, bias=False),
            nn.BatchNorm2d(wide_out),
            nn.ReLU(inplace=True),
        )

    def forward(self, deep: torch.Tensor, skip: torch.Tensor) -> torch.Tensor:
        """Return the finer map."""
        up = nnf.interpolate(self.deep(deep), scale_factor=2, mode="bilinear", align_corners=False)
        return self.mix(nnf.relu(up + self.skip(skip)))


class WaterNet(nn.Module):  # type: ignore[misc]
    """RGB of 0 … 255 in, one logit for each second pixel out; sides must be multiples of 32."""

    def __init__(self) -> None:
        super().__init__()
        self._conv_stem = nn.Conv2d(3, 32, 3, 2, 0, bias=False)
        self._bn0 = nn.BatchNorm2d(32, eps=_EPS)
        self._blocks = nn.ModuleList(MBConv(b) for b in BLOCKS)
        wide = [BLOCKS[t].wide_out for t in TAPS]
        self.context = nn.Sequential(nn.Conv2d(wide[4], 96, 1), nn.ReLU(inplace=True), nn.Conv2d(96, 96, 1))
        self.bottom = nn.Sequential(
            nn.Conv2d(wide[4], 96, 1, bias=False), nn.BatchNorm2d(96), nn.ReLU(inplace=True)
        )
        self.merges = nn.ModuleList(
            [Merge(96, wide[3], 96), Merge(96, wide[2], 64), Merge(64, wide[1], 48), Merge(48, wide[0], 24)]
        )
        self.head = nn.Conv2d(24, 1, 3, padding=1)

    def forward(self, picture: torch.Tensor) -> torch.Tensor:
        """Return the logits, (n, 1, height / 2, width / 2)."""
        return self.both(picture)[0]

    def both(self, picture: torch.Tensor) -> tuple[torch.Tensor, list[torch.Tensor]]:
        """Return the logits and what the encoder saw at each of `TAPS`."""
        x = (picture - MEAN) / SCALE
        x = nnf.relu6(self._bn0(self._conv_stem(_padded(x, 3))))
        seen = []
        for i, block in enumerate(self._blocks):
            x = block(x)
            if i in TAPS:
                seen.append(x)
        deep = self.bottom(seen[4])
        about = self.context(seen[4].mean(dim=(2, 3), keepdim=True))
        deep = deep * torch.sigmoid(about)
        for merge, skip in zip(self.merges, reversed(seen[:4]), strict=True):
            deep = merge(deep, skip)
        return self.head(deep), seen

    def start_from(self, weights: dict[str, Any]) -> int:
        """Load what fits by name and shape of ImageNet weights; return how many tensors did."""
        own = self.state_dict()
        fits = {k: v for k, v in weights.items() if k in own and own[k].shape == v.shape}
        self.load_state_dict(fits, strict=False)
        return len(fits)


def _padded(x: torch.Tensor, kernel: int) -> torch.Tensor:
    """Return the map with the right and lower rim that the weights were learnt with at stride two."""
    before, after = (kernel - 2) // 2, (kernel - 1) // 2
    return nnf.pad(x, (before, after, before, after))
