"""Teach the finder of warm bodies from labelled thermal pictures: half an hour of one core, no graphics card.

    python -m vision.train.warm FOLDER --run RUN [--out vision/models] [--steps N]

FOLDER is laid out as HIT-UAV (`vision/warm_pictures.py`). The flights held out there are not looked at,
not even to choose when to stop or where the threshold lies: the schedule is fixed, the running mean of the
weights at its end is kept, and the thresholds are chosen on what was learnt from, shown once more. It goes on
from its last checkpoint where RUN has one; what leaves it is the packed model and its card.
"""

import argparse
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import cast

import cv2
import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional as F

from missions.errors import InputWrong
from vision import labelled, warm_pictures
from vision.detectors import runtime
from vision.train import cards, export, running
from vision.train.losses import overlap_loss
from vision.train.shipping import COLUMNS, TRAINING, listed
from vision.train.warm_net import KINDS, STRIDE, Table, WarmNet, pretrained
from vision.warm_pictures import UNKNOWN, WarmPicture

WIDTH_PX, HEIGHT_PX = 640, 512
CROP_PX, BATCH, RATE = 256, 8, 2e-3
CHECKPOINT, STEPS = "warm.pt", "steps"
_CELLS = CROP_PX // STRIDE
_DECAY = 0.99
_WARM_UP, _LEAST_RATE = 60, 0.02
_EVERY = 200  # steps between checkpoints
_ZOOM = (0.55, 1.7)
_PASTED = 0.5  # share of the crops that people of other pictures are pasted into
_LEAST_SEEN = 0.4  # share of a body inside the crop from which on it counts; less is not asked
_NEAR = 0.5  # a cell's share of a middle from which on it answers for the ends

Picture = npt.NDArray[np.uint8]
Ends = npt.NDArray[np.float32]


def train(pictures: Sequence[WarmPicture], run: Path, *, steps: int, seed: int = 1) -> WarmNet:
    """Return the network after the last step: the running mean of its weights."""
    return taught(lambda begun: _batches(pictures, steps, seed, begun), run, steps=steps, seed=seed)


def taught(
    batches: Callable[[int], Iterator[tuple[Tensor, Tensor, Tensor]]],
    run: Path,
    *,
    steps: int,
    seed: int,
    bands: int = 1,
    kinds: int = len(KINDS),
) -> WarmNet:
    """Return a network after the last of `batches` from a step on: crops, and what their cells should say."""
    torch.set_num_threads(1)
    torch.manual_seed(seed)
    start = torch.load(export.pretrained_file(), map_location="cpu", weights_only=True)
    net, mean = (
        pretrained(start, bands=bands, kinds=kinds).to(memory_format=torch.channels_last) for _ in range(2)
    )
    mean.load_state_dict(net.state_dict())
    trunk = [p for part in net.trunk for p in part.parameters()]
    rest = [p for p in net.parameters() if not any(p is t for t in trunk)]
    groups = [{"params": trunk, "share": 0.4}, {"params": rest, "share": 1.0}]
    optimiser = torch.optim.AdamW(groups, lr=RATE, weight_decay=0.02)
    begun = running.resumed(run / CHECKPOINT, net, mean, optimiser, unit=STEPS)
    spent, since = [], time.monotonic()
    for step, (shown, truth, ends) in enumerate(batches(begun), start=begun):
        for group in optimiser.param_groups:
            pace = running.pace(step, steps, warm_up=_WARM_UP, least=_LEAST_RATE)
            group["lr"] = RATE * group["share"] * pace
        net.train()
        for part in net.trunk:
            for layer in part.modules():
                if isinstance(layer, torch.nn.BatchNorm2d):
                    layer.eval()  # eight crops are too few for statistics of their own
        optimiser.zero_grad()
        with torch.autocast("cpu", torch.bfloat16):
            said, said_ends = net(shown.contiguous(memory_format=torch.channels_last))
        off = loss(said.float(), said_ends.float(), truth, ends)
        off.backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), 5.0)
        optimiser.step()
        running.follow(mean, net, share=1 - _DECAY)
        spent.append(off.item())
        if (step + 1) % _EVERY == 0 or step + 1 == steps:
            running.save(run / CHECKPOINT, net, mean, optimiser, done=step + 1, unit=STEPS)
            print(f"step {step + 1}: loss {np.mean(spent):.3f}, {time.monotonic() - since:.0f} s", flush=True)
            spent = []
    mean.eval()
    return cast(WarmNet, mean)


def loss(said: Tensor, said_ends: Tensor, truth: Tensor, ends: Tensor) -> Tensor:
    """Return how far the answers are off: focal loss of the middles, overlap loss of the ends.

    truth: (n, kinds, h, w), 1 at middles, falling off around them, negative where it is not asked.
    """
    sure = torch.sigmoid(said)
    middles, asked = truth >= 1.0, truth >= 0.0
    count = middles.sum().clamp(min=8)
    hit = F.logsigmoid(said) * (1 - sure) ** 2 * middles
    miss = F.logsigmoid(-said) * sure**2 * (1 - truth.clamp(0, 1)) ** 4 * (asked & ~middles)
    near = truth.amax(1) >= _NEAR
    total = -(hit + miss).sum() / count
    if near.any():
        mine, right = said_ends.permute(0, 2, 3, 1)[near], ends.permute(0, 2, 3, 1)[near]
        total = total + 2.0 * overlap_loss(mine, right).mean()
    return total


def targets(
    boxes: npt.NDArray[np.float32], kinds: npt.NDArray[np.int64], of: int = len(KINDS)
) -> tuple[Tensor, Tensor]:
    """Return what a crop's cells should say: see `loss`; boxes in pixels of the crop, largest first.

    `of` is how many kinds there are.
    """
    truth = np.zeros((of, _CELLS, _CELLS), np.float32)
    ends = np.zeros((4, _CELLS, _CELLS), np.float32)
    best = np.zeros((_CELLS, _CELLS), np.float32)
    y, x = np.mgrid[0:_CELLS, 0:_CELLS].astype(np.float32) + 0.5
    for (left, top, right, bottom), kind in zip(boxes / STRIDE, kinds, strict=True):
        seen = _seen(left, top, right, bottom)
        if kind == UNKNOWN or seen < _LEAST_SEEN:
            not_asked = (x > left) & (x < right) & (y > top) & (y < bottom)
            truth[:, not_asked] = np.where(truth[:, not_asked] < 1, -1.0, truth[:, not_asked])
            continue
        across, down = (left + right) / 2, (top + bottom) / 2
        wide, high = max((right - left) / 5, 0.6), max((bottom - top) / 5, 0.6)
        bump = np.exp(-(((x - across) / wide) ** 2 + ((y - down) / high) ** 2) / 2)
        row, column = (int(np.clip(v, 0, _CELLS - 1)) for v in (down, across))
        bump[row, column] = 1.0
        truth[kind] = np.where(truth[kind] < 0, truth[kind], np.maximum(truth[kind], bump))
        truth[kind, row, column] = 1.0
        mine = bump > best
        best[mine] = bump[mine]
        offs = np.stack([x - left, y - top, right - x, bottom - y])
        ends[:, mine] = np.maximum(offs[:, mine], 0.05)
    return torch.from_numpy(truth), torch.from_numpy(ends)


def _seen(left: float, top: float, right: float, bottom: float) -> float:
    """Return the share of a box (in cells) that lies inside the crop."""
    wide = min(right, _CELLS) - max(left, 0.0)
    high = min(bottom, _CELLS) - max(top, 0.0)
    return max(wide, 0.0) * max(high, 0.0) / max((right - left) * (bottom - top), 1e-6)


def _batches(
    pictures: Sequence[WarmPicture], steps: int, seed: int, begun: int
) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
    loaded = [_load(p.path) for p in pictures]
    peopled = [i for i, p in enumerate(pictures) if (p.kinds == 0).any()]
    for step in range(begun, steps):
        rng = np.random.default_rng((seed, step))
        crops, truths, ends = [], [], []
        for place in range(BATCH):
            about = 0 if place < BATCH // 2 else int(rng.integers(-1, 3))
            i = int(rng.choice(peopled)) if about == 0 else int(rng.integers(len(pictures)))
            crop, boxes = view(loaded[i], pictures[i], about, rng)
            kinds = pictures[i].kinds
            if rng.random() < _PASTED:
                other = int(rng.choice(peopled))
                own = pictures[other].of(0)
                crop, more = pasted(crop, boxes, loaded[other], own, rng)
                boxes, kinds = np.concatenate([boxes, more]), np.append(kinds, np.zeros(len(more), np.int64))
            truth, off = targets(boxes, kinds)
            crop = relit(crop, rng)
            crops.append(torch.from_numpy(crop)[None])
            truths.append(truth)
            ends.append(off)
        yield torch.stack(crops), torch.stack(truths), torch.stack(ends)


def view(
    pixels: Picture, picture: WarmPicture, about: int, rng: np.random.Generator
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """Return a crop of a picture, turned, mirrored, scaled and relit, and all its boxes in the crop's pixels.

    `about` is the kind of body that the crop shall show, where there is one.
    """
    zoom = np.exp(rng.uniform(*np.log(_ZOOM))) * np.array([rng.uniform(0.9, 1.1), 1.0])
    mirror = np.where(rng.random(2) < [0.5, 0.2], -1.0, 1.0)
    matrix = np.diag(zoom * mirror)
    if rng.random() < 0.25:
        matrix = matrix[::-1].copy()
    own = picture.of(about) if about >= 0 else picture.boxes[:0]
    if len(own):
        left, top, right, bottom = own[int(rng.integers(len(own)))]
        middle = np.array([(left + right) / 2, (top + bottom) / 2])
    else:
        middle = rng.uniform([0, 0], pixels.shape[1::-1])
    shift = CROP_PX * rng.uniform(0.15, 0.85, 2) - matrix @ middle
    turn = np.column_stack([matrix, shift])
    crop = cv2.warpAffine(pixels, turn, (CROP_PX, CROP_PX), borderMode=cv2.BORDER_CONSTANT, borderValue=114)
    corners = picture.boxes.reshape(-1, 2, 2) @ matrix.T + shift
    boxes = np.concatenate([corners.min(1), corners.max(1)], 1).astype(np.float32)
    return np.asarray(crop, np.float32), boxes


def pasted(
    crop: npt.NDArray[np.float32], boxes: Ends, other: Picture, people: Ends, rng: np.random.Generator
) -> tuple[npt.NDArray[np.float32], Ends]:
    """Return a crop with some people of another picture in it, as much warmer than the ground as there.

    The same people stand on the same court in most of the pictures: without this the court is learnt.
    The boxes of those put in come with it; none is put where a box is.
    """
    crop, more = crop.copy(), np.zeros((0, 4), np.float32)
    scale = float(np.exp(rng.uniform(np.log(0.6), np.log(1.4))))
    for one in rng.choice(len(people), min(len(people), int(rng.integers(1, 5))), replace=False):
        left, top, right, bottom = people[one]
        wide, high = (right - left) * scale, (bottom - top) * scale
        half = int(max(wide, high) * 0.9) + 2
        x, y = (int(v) for v in rng.integers(half, CROP_PX - half, 2))
        mine = np.array([x - half, y - half, x + half, y + half], np.float32)
        there = np.concatenate([boxes, more])
        if ((there[:, :2] < mine[2:]) & (there[:, 2:] > mine[:2])).all(1).any():
            continue
        turn = cv2.getRotationMatrix2D(((left + right) / 2, (top + bottom) / 2), 0.0, scale)
        turn[:, 2] += half - np.array([(left + right) / 2, (top + bottom) / 2])
        side = 2 * half + 1
        patch = cv2.warpAffine(other, turn, (side, side), borderMode=cv2.BORDER_REPLICATE).astype(np.float32)
        patch = patch[:, ::-1] if rng.random() < 0.5 else patch
        down, across = np.mgrid[-half : half + 1, -half : half + 1]
        share = 1 / (1 + np.exp(8 * (np.hypot(across / (wide * 0.7), down / (high * 0.7)) - 1)))
        into = crop[y - half : y + half + 1, x - half : x + half + 1]
        into += (share * (np.median(into) + patch - np.median(patch[share < 0.2]) - into)).astype(np.float32)
        ends = np.array([[x - wide / 2, y - high / 2, x + wide / 2, y + high / 2]], np.float32) + 0.5
        more = np.concatenate([more, ends])
    return crop, more


def relit(crop: npt.NDArray[np.float32], rng: np.random.Generator) -> npt.NDArray[np.float32]:
    """Return the crop through another camera: gain, level, curve, blur and noise."""
    crop = (255 * np.clip(crop / 255, 0, 1) ** rng.uniform(0.7, 1.4)).astype(np.float32)
    middle = np.float32(crop.mean())
    gain, level = (np.float32(rng.uniform(*ends)) for ends in ((0.6, 1.4), (-30, 30)))
    crop = (crop - middle) * gain + middle + level
    if rng.random() < 0.2:
        crop = np.asarray(cv2.GaussianBlur(crop, (0, 0), rng.uniform(0.4, 1.0)))
    if rng.random() < 0.4:
        crop = crop + rng.normal(0, rng.uniform(1, 8), crop.shape).astype(np.float32)
    return np.clip(crop, 0, 255).astype(np.float32)


def _load(path: Path) -> Picture:
    pixels = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
    if pixels is None:
        raise InputWrong(f"{path}: cannot be read")
    return np.asarray(pixels, np.uint8)


def main() -> None:
    """Teach, as the module's first lines say."""
    words = argparse.ArgumentParser(prog="python -m vision.train.warm", description="Warm bodies.")
    words.add_argument("folder", type=Path, help="folder with images/ and annotations_coco.json")
    words.add_argument("--run", type=Path, required=True, help="folder of the checkpoint")
    words.add_argument("--out", type=Path, default=Path("vision/models"), help="folder to write to")
    words.add_argument("--steps", type=int, default=1500)
    asked = words.parse_args()
    for folder in (asked.run, asked.out):
        folder.mkdir(parents=True, exist_ok=True)
    learnt, aside = warm_pictures.split(warm_pictures.read(asked.folder))
    net = train(learnt, asked.run, steps=asked.steps)
    print(ship(net, learnt, aside, asked.run, asked.out), flush=True)


def ship(
    net: WarmNet, learnt: Sequence[WarmPicture], aside: Sequence[WarmPicture], run: Path, out: Path
) -> Path:
    """Return the packed ONNX file of a network, written with its card and its rows of TRAINING.csv."""
    whole, path = run / "warm.onnx", out / "warm.onnx.xz"
    export.light(Table(net), whole, WIDTH_PX, HEIGHT_PX)
    export.packed(whole, path)
    _write_card(path, dict.fromkeys(KINDS, 0.5))
    scored = warm_pictures.answers(runtime.load(path), learnt)
    _write_card(path, {kind: warm_pictures.threshold(scored, i) for i, kind in enumerate(KINDS)})
    rows = [
        ("warm", use, "thermal/hit_uav", labelled.sha256_8(p.path), "", "")
        for use, some in (("learnt", learnt), ("scored", aside))
        for p in some
    ]
    listed(out / TRAINING, "warm", [dict(zip(COLUMNS, row, strict=True)) for row in rows])
    return path


def _write_card(path: Path, box: Mapping[str, float]) -> None:
    card = {
        "name": "warm",
        "version": "1",
        "classes": list(KINDS),
        "picture": box,
        "box": box,
        "canvases_px": [[WIDTH_PX, HEIGHT_PX]],
        "dark": 0.0,
        "licence": "Apache-2.0",
    }
    cards.write(path, card)


if __name__ == "__main__":
    main()
