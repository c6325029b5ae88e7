"""The head that says where: from the frozen network's features to boxes whose scores can be believed.

The features at strides 4 to 64 are narrowed, handed down (what a thing is) and up again (where it ends), and
one small tower with wide filters reads them all. A cell says how well its box would overlap a fire or a
smoke, not only whether it lies in one (after varifocal and task-aligned learning, Zhang and others 2021, Feng
and others 2021): the surest box is then the one to keep.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from vision.train.network import Convolution
from vision.train.targets import CLASSES

BOX_STRIDES = (8, 16, 32, 64)
PRIOR = -4.0
TAPPED = {
    "fine4": (24, 4),
    "fine8": (40, 8),
    "fine16": (112, 16),
    "context32": (96, 32),
    "smooth16": (64, 16),
    "smooth32": (64, 32),
    "smooth64": (64, 64),
}
"""What is read of the frozen network: channels and stride (`box_graph.TAPS` says where it lies)."""

_WIDTH = 32
_REACH = 5  # kernel of the tower's filters
_HIGHEST = 6.0  # where the network's own activations end


@dataclass(slots=True)
class Said:
    """What the head says of a batch, all strides' cells side by side.

    `scores` (n, cells, class) are log odds; `boxes` (n, cells, 4) left, top, right, bottom in pixels;
    `middles` (cells, 2) and `strides` (cells) are where each cell lies and how large it is.
    """

    scores: Tensor
    boxes: Tensor
    middles: Tensor
    strides: Tensor


class BoxHead(nn.Module):  # type: ignore[misc,unused-ignore]
    """From taps (`box_graph.TAPS`) as numbers to a score per class and four ends per cell."""

    def __init__(self) -> None:
        super().__init__()
        edges = TAPPED["fine4"][0]
        self.edges = Convolution(edges, edges, 3, stride=2, groups=edges, linear=True)
        self.narrow = nn.ModuleList(Convolution(_channels(s), _WIDTH, 1, linear=True) for s in BOX_STRIDES)
        self.blend = nn.ModuleList(_separable(_WIDTH, 3) for _ in BOX_STRIDES[:-1])
        self.up = nn.ModuleList(
            Convolution(_WIDTH, _WIDTH, 3, stride=2, groups=_WIDTH, linear=True) for _ in BOX_STRIDES[:-1]
        )
        self.join = nn.ModuleList(Convolution(_WIDTH, _WIDTH, 1) for _ in BOX_STRIDES[1:])
        self.shared, self.to_score, self.to_ends = (_separable(_WIDTH, _REACH) for _ in range(3))
        self.score = nn.ModuleList(nn.Conv2d(_WIDTH, len(CLASSES), 1) for _ in BOX_STRIDES)
        self.ends = nn.ModuleList(nn.Conv2d(_WIDTH, 4, 1) for _ in BOX_STRIDES)
        for layer in self.score:
            nn.init.zeros_(layer.weight)
            nn.init.constant_(layer.bias, PRIOR)
        for layer in self.ends:
            nn.init.constant_(layer.bias, 1.0)

    def forward(self, taps: Mapping[str, Tensor]) -> tuple[list[Tensor], list[Tensor]]:
        """Return per stride log odds (n, class, rows, columns) and ends (n, 4, rows, columns) in strides."""
        taps = {**taps, "fine4": self.edges(taps["fine4"])}
        read = [
            torch.cat(
                [_active(t, taps[t]) for t, (_, stride) in TAPPED.items() if max(stride, 8) == wanted], 1
            )
            for wanted in BOX_STRIDES
        ]
        levels = [narrow(part) for narrow, part in zip(self.narrow, read, strict=True)]
        for i in range(len(levels) - 2, -1, -1):
            above = F.interpolate(levels[i + 1], scale_factor=2.0, mode="nearest")
            levels[i] = self.blend[i](levels[i] + above)
        for i in range(1, len(levels)):
            levels[i] = self.join[i - 1](levels[i] + self.up[i - 1](levels[i - 1]))
        seen = [self.shared(level) for level in levels]
        scores = [answer(self.to_score(part)) for answer, part in zip(self.score, seen, strict=True)]
        ends = [F.softplus(answer(self.to_ends(part))) for answer, part in zip(self.ends, seen, strict=True)]
        return scores, ends

    def bend(self, slopes: Sequence[float], lifts: Sequence[float]) -> None:
        """Change each class's log odds to `slope` times what they were and `lift` more; their order stays."""
        slope, lift = torch.tensor(slopes), torch.tensor(lifts)
        with torch.no_grad():
            for answer in self.score:
                answer.weight.mul_(slope[:, None, None, None])
                answer.bias.mul_(slope).add_(lift)

    def say(self, taps: Mapping[str, Tensor]) -> Said:
        """Return the same as `forward`, laid out for learning."""
        scores, ends = self(taps)
        middles, strides = [], []
        for part, stride in zip(scores, BOX_STRIDES, strict=True):
            rows, columns = torch.meshgrid(*(torch.arange(n) + 0.5 for n in part.shape[2:]), indexing="ij")
            middles.append(torch.stack([columns, rows], -1).reshape(-1, 2) * stride)
            strides.append(torch.full((len(middles[-1]),), float(stride)))
        middle, stride_of = torch.cat(middles), torch.cat(strides)
        reach = torch.cat([e.flatten(2) for e in ends], 2).transpose(1, 2).float() * stride_of[:, None]
        boxes = torch.cat([middle - reach[..., :2], middle + reach[..., 2:]], 2)
        return Said(
            torch.cat([s.flatten(2) for s in scores], 2).transpose(1, 2).float(), boxes, middle, stride_of
        )


def _channels(stride: int) -> int:
    return sum(channels for channels, of in TAPPED.values() if max(of, 8) == stride)


def _active(tap: str, values: Tensor) -> Tensor:
    """Return a tap as the network goes on with it: those before an activation are tapped before it."""
    return values.clamp(0, _HIGHEST) if tap.startswith("smooth") else values


def _separable(channels: int, kernel: int) -> nn.Sequential:
    return nn.Sequential(
        Convolution(channels, channels, kernel, groups=channels, linear=True),
        Convolution(channels, channels, 1),
    )
