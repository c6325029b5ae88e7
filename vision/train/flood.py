"""Learning the water segmenter from pictures and their masks.

No picture of the split's test part is looked at, not even to choose when to stop: the schedule is
fixed, and what is kept is the running mean of the weights at its end. One thread, about half an
hour of a core for two hundred pictures.
"""

import csv
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as nnf

from missions.errors import InputWrong
from vision.train import running
from vision.train.water_net import WaterNet

Picture = npt.NDArray[np.uint8]

CROP_PX, BATCH = 256, 8
LONGEST_PX = (270, 560)
ENCODER_RATE, DECODER_RATE, DECAY = 4e-4, 2e-3, 0.02
MEAN_OVER = 0.995
"""The share of the running mean that each step leaves as it was."""


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """A picture (RGB) and where it shows water (0 or 255)."""

    name: str
    pixels: Picture
    water: Picture


@dataclass(slots=True)
class Run:
    """A training run that can be taken up again: the net, its mean, the optimiser and the epoch."""

    net: WaterNet
    mean: WaterNet
    optimiser: torch.optim.Optimizer
    epoch: int = 0

    @classmethod
    def begun(cls, start: Path | None) -> "Run":
        """Return a run at its start, from ImageNet weights where a file of them is given."""
        net = WaterNet()
        if start is not None:
            net.start_from(torch.load(start, map_location="cpu", weights_only=True))
        mean = WaterNet()
        mean.load_state_dict(net.state_dict())
        encoder = [p for n, p in net.named_parameters() if n.startswith("_")]
        decoder = [p for n, p in net.named_parameters() if not n.startswith("_")]
        groups = [{"params": encoder, "top": ENCODER_RATE}, {"params": decoder, "top": DECODER_RATE}]
        return cls(net, mean, torch.optim.AdamW(groups, lr=DECODER_RATE, weight_decay=DECAY))

    def saved(self, path: Path) -> None:
        """Write the run, whole or not at all."""
        beside = path.with_suffix(".part")
        parts: dict[str, Any] = {"net": self.net.state_dict(), "mean": self.mean.state_dict()}
        torch.save(parts | {"optimiser": self.optimiser.state_dict(), "epoch": self.epoch}, beside)
        beside.replace(path)

    def resumed(self, path: Path) -> None:
        """Take up what a file holds."""
        kept = torch.load(path, map_location="cpu", weights_only=True)
        self.net.load_state_dict(kept["net"])
        self.mean.load_state_dict(kept["mean"])
        self.optimiser.load_state_dict(kept["optimiser"])
        self.epoch = kept["epoch"]


def train(
    folder: Path, split: Path, out: Path, *, start: Path | None, epochs: int = 42, resume: bool = False
) -> Path:
    """Return the file of the weights learnt from a split's training part of images/ and masks/."""
    torch.set_num_threads(1)
    torch.manual_seed(1)
    out.mkdir(parents=True, exist_ok=True)
    samples = [_sample(folder, name) for name in training_part(split)]
    run, kept = Run.begun(start), out / "run.pt"
    if resume and kept.is_file():
        run.resumed(kept)
    run.net.to(memory_format=torch.channels_last)
    steps = math.ceil(len(samples) / BATCH)
    for epoch in range(run.epoch, epochs):
        loss = _epoch(run, samples, epoch=epoch, steps=steps, epochs=epochs)
        run.epoch = epoch + 1
        run.saved(kept)
        print(f"epoch {epoch + 1}/{epochs}: loss {loss:.4f}", flush=True)
    weights = out / "water.pt"
    torch.save(run.mean.state_dict(), weights)
    return weights


def training_part(split: Path) -> list[str]:
    """Return the names of a split's training pictures."""
    with split.open(newline="", encoding="utf-8") as file:
        return [row["file"] for row in csv.DictReader(file) if row["part"] == "train"]


def _epoch(run: Run, samples: Sequence[Sample], *, epoch: int, steps: int, epochs: int) -> float:
    """Go once over the samples; return the mean loss."""
    run.net.train()
    total = 0.0
    for i, (pixels, water) in enumerate(_batches(samples, np.random.default_rng(epoch))):
        done = (epoch + i / steps) / epochs
        for group in run.optimiser.param_groups:
            group["lr"] = group["top"] * _rate(done)
        loss = _loss(run.net(pixels), water)
        run.optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(run.net.parameters(), 5.0)
        run.optimiser.step()
        running.follow(run.mean, run.net, share=1 - min(MEAN_OVER, 0.9 + 0.1 * done * 2))
        total += float(loss.detach())
    return total / steps


def _rate(done: float) -> float:
    """Return the share of the top rate: a short way up, then half a cosine down."""
    return min(done / 0.03, 1.0) * (0.5 + 0.5 * math.cos(math.pi * done)) + 1e-3


def _loss(logits: torch.Tensor, water: torch.Tensor) -> torch.Tensor:
    """Return cross-entropy plus what the overlap lacks."""
    fine = nnf.interpolate(logits, scale_factor=2, mode="bilinear", align_corners=False)
    share = torch.sigmoid(fine)
    both = (share * water).sum((1, 2, 3))
    either = (share + water - share * water).sum((1, 2, 3))
    overlap = (both + 50.0) / (either + 50.0)
    return nnf.binary_cross_entropy_with_logits(fine, water) + (1 - overlap).mean()


def _batches(
    samples: Sequence[Sample], rng: np.random.Generator
) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    order = rng.permutation(len(samples))
    for first in range(0, len(order), BATCH):
        chosen = order[first : first + BATCH].tolist()
        chosen += rng.choice(order, BATCH - len(chosen)).tolist()
        views = [_varied(samples[i], rng) for i in chosen]
        pixels = torch.from_numpy(np.stack([v[0] for v in views])).permute(0, 3, 1, 2)
        water = torch.from_numpy(np.stack([v[1] for v in views]))[:, None]
        yield pixels.contiguous(memory_format=torch.channels_last), water


def _varied(
    sample: Sample, rng: np.random.Generator
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """Return a crop of another size, side, light and sharpness."""
    height, width = sample.water.shape
    longest = rng.uniform(*LONGEST_PX)
    scale = max(longest / max(height, width), CROP_PX / min(height, width) * 0.8)
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), rng.normal(0, 6.0), scale)
    stretch = rng.uniform(0.85, 1.18)
    turn[0] *= stretch
    room = np.array([width * scale * stretch, height * scale])
    middle = turn[:, :2] @ np.array([width / 2, height / 2]) + turn[:, 2]
    spare = np.maximum(room - CROP_PX, 0) / 2
    turn[:, 2] += CROP_PX / 2 - middle + rng.uniform(-spare, spare)
    size = (CROP_PX, CROP_PX)
    pixels, water = (
        np.asarray(
            cv2.warpAffine(part, turn, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101)
        )
        for part in (sample.pixels, sample.water)
    )
    if rng.random() < 0.5:
        pixels, water = pixels[:, ::-1], water[:, ::-1]
    return _relit(np.asarray(pixels, np.float32), rng), np.asarray(water, np.float32) / 255.0


def _relit(pixels: npt.NDArray[np.float32], rng: np.random.Generator) -> npt.NDArray[np.float32]:
    """Return the picture under another light, through another lens."""
    grey = pixels.mean(axis=2, keepdims=True)
    pixels = grey + (pixels - grey) * rng.uniform(0.4, 1.5) if rng.random() < 0.8 else pixels
    pixels = pixels * rng.uniform(0.88, 1.12, 3).astype(np.float32)
    pixels = (pixels - 127) * rng.uniform(0.7, 1.3) + 127 + rng.uniform(-30, 30)
    if rng.random() < 0.2:
        pixels = np.asarray(cv2.GaussianBlur(pixels, (0, 0), rng.uniform(0.5, 1.6)))
    if rng.random() < 0.3:
        pixels = pixels + rng.normal(0, rng.uniform(2, 12), pixels.shape).astype(np.float32)
    return np.clip(pixels, 0, 255).astype(np.float32)


def _sample(folder: Path, name: str) -> Sample:
    """Return a picture and its mask, no longer than needed."""
    picture = cv2.imread(str(folder / "images" / name))
    mask = cv2.imread(str(folder / "masks" / f"{Path(name).stem}.png"), cv2.IMREAD_GRAYSCALE)
    if picture is None or mask is None:
        raise InputWrong(f"{folder}: images/{name} or its mask cannot be read")
    pixels = cv2.cvtColor(picture, cv2.COLOR_BGR2RGB)
    water = (cv2.resize(mask, (pixels.shape[1], pixels.shape[0])) > 127).astype(np.uint8) * 255
    return Sample(name, np.asarray(pixels, np.uint8), water)
