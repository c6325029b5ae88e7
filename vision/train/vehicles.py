"""Teach the finder of vehicles in colour from labelled pictures: an hour of one core, no graphics card.

    python -m vision.train.vehicles CARS ROOT --run RUN [--out vision/models] [--steps N]

CARS is a copy of the aerial cars dataset (`vision/vehicle_pictures.py` says what of it is learnt), ROOT the
project's shared data with the pictures of forest. A vehicle is learnt at `PIXEL_M` a pixel, give or take.
Since the labelled ones all stand in streets, they are cut out and set down in forest and on felled ground as
well, turned and in other colours.
"""

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from vision import labelled, vehicle_pictures
from vision.detectors import runtime
from vision.detectors.runtime import Model
from vision.detectors.vehicles import PIXEL_M, SIDE_PX
from vision.train import cards, export, warm
from vision.train.shipping import COLUMNS, TRAINING, listed
from vision.train.warm import BATCH, CROP_PX
from vision.train.warm_net import Table, WarmNet
from vision.vehicle_pictures import CHOSEN_ON, LEARNT, SCORED, VehiclePicture

SEED, STREETS = 1, "streets"
_ZOOM = (0.6, 1.6)
_FINEST_M = PIXEL_M / _ZOOM[1]
_UNKNOWN_M = (0.04, 0.2)  # what a pixel of a picture of unknown scale may cover
_SET_DOWN = 0.7
_BLUR_FROM = 0.75

Picture = npt.NDArray[np.uint8]
Boxes = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Cut:
    """A vehicle cut out of a picture: its pixels, how much of each is it (0 to 1), the metres of a pixel."""

    pixels: Picture
    share: npt.NDArray[np.float32]
    pixel_m: float


@dataclass(frozen=True, slots=True, eq=False)
class _Loaded:
    pixels: Picture
    boxes: Boxes
    pixel_m: float | None


def batches(
    pictures: Sequence[VehiclePicture], steps: int, seed: int, begun: int
) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
    """Return crops and what their cells should say, from a step on."""
    loaded = [_loaded(p) for p in pictures]
    peopled = [p for p in loaded if len(p.boxes)]
    empty = [p for p in loaded if not len(p.boxes)]
    cuts = [cut for p, of in zip(pictures, loaded, strict=True) if len(of.boxes) for cut in cuts_of(p)]
    print(f"{len(peopled)} pictures with vehicles, {len(empty)} without, {len(cuts)} cut out", flush=True)
    for step in range(begun, steps):
        rng = np.random.default_rng((seed, step))
        crops, truths, ends = [], [], []
        for place in range(BATCH):
            some = peopled if place < BATCH // 2 else empty
            one = some[int(rng.integers(len(some)))]
            crop, boxes = view(one, place < BATCH // 2 - 1, rng)
            if rng.random() < (_SET_DOWN if some is empty else _SET_DOWN / 3):
                crop, boxes = set_down(crop, boxes, cuts, rng)
            truth, off = warm.targets(boxes, np.zeros(len(boxes), np.int64), of=1)
            crops.append(torch.from_numpy(relit(crop, rng).transpose(2, 0, 1).copy()))
            truths.append(truth)
            ends.append(off)
        yield torch.stack(crops), torch.stack(truths), torch.stack(ends)


def view(one: _Loaded, about_vehicle: bool, rng: np.random.Generator) -> tuple[Boxes, Boxes]:
    """Return a crop of a picture, mirrored, turned by quarters and scaled, and its boxes in the crop."""
    pixel_m = one.pixel_m or float(np.exp(rng.uniform(*np.log(_UNKNOWN_M))))
    zoom = pixel_m / PIXEL_M * float(np.exp(rng.uniform(*np.log(_ZOOM))))
    pixels, boxes = one.pixels, one.boxes
    if zoom < _BLUR_FROM:
        pixels = _scaled(pixels, zoom)
        boxes, zoom = boxes * np.float32(zoom), 1.0
    matrix = np.diag(zoom * rng.uniform(0.93, 1.07, 2) * np.where(rng.random(2) < 0.5, -1.0, 1.0))
    if rng.random() < 0.5:
        matrix = matrix[::-1].copy()
    if about_vehicle and len(boxes):
        left, top, right, bottom = boxes[int(rng.integers(len(boxes)))]
        middle = np.array([(left + right) / 2, (top + bottom) / 2])
    else:
        middle = rng.uniform([0, 0], pixels.shape[1::-1])
    shift = CROP_PX * rng.uniform(0.15, 0.85, 2) - matrix @ middle
    turn = np.column_stack([matrix, shift])
    edge = cv2.BORDER_CONSTANT if len(boxes) or rng.random() < 0.1 else cv2.BORDER_REFLECT_101
    crop = cv2.warpAffine(pixels, turn, (CROP_PX, CROP_PX), borderMode=edge, borderValue=(114, 114, 114))
    corners = boxes.reshape(-1, 2, 2) @ matrix.T + shift
    ends = np.concatenate([corners.min(1), corners.max(1)], 1).astype(np.float32)
    order = np.argsort(-(ends[:, 2:] - ends[:, :2]).prod(1))
    return np.asarray(crop, np.float32), ends[order]


def set_down(crop: Boxes, boxes: Boxes, cuts: Sequence[Cut], rng: np.random.Generator) -> tuple[Boxes, Boxes]:
    """Return a crop with some vehicles set down in it, and all its boxes: none lies on another."""
    crop, boxes = crop.copy(), boxes.copy()
    scale = float(np.exp(rng.uniform(*np.log(_ZOOM))))
    for _ in range(int(rng.integers(1, 5))):
        cut = cuts[int(rng.integers(len(cuts)))]
        larger = scale * cut.pixel_m / PIXEL_M * float(np.exp(rng.uniform(np.log(0.85), np.log(1.5))))
        high, wide = cut.share.shape
        side = int(np.hypot(wide, high) * larger) + 3
        if side > CROP_PX // 2:
            continue
        turn = cv2.getRotationMatrix2D((wide / 2, high / 2), float(rng.uniform(0, 360)), larger)
        turn[:, 2] += [side / 2 - wide / 2, side / 2 - high / 2]
        share = cv2.warpAffine(cut.share, turn, (side, side))
        warped = cv2.warpAffine(cut.pixels, turn, (side, side), borderMode=cv2.BORDER_REPLICATE)
        pixels = np.asarray(warped, np.uint8)
        rows, columns = np.nonzero(share > 0.5)
        if rows.size < 12:
            continue
        x, y = (int(v) for v in rng.integers(0, CROP_PX - side, 2))
        left, right, top, bottom = columns.min() + x, columns.max() + x, rows.min() + y, rows.max() + y
        mine = np.array([left, top, right + 1, bottom + 1], np.float32)
        if len(boxes) and ((boxes[:, :2] < mine[2:]) & (boxes[:, 2:] > mine[:2])).all(1).any():
            continue
        below = crop[y : y + side, x : x + side]
        if rng.random() < 0.6:  # what stands on the ground throws a shadow
            off = rng.uniform(-0.25, 0.25, 2) * min(wide, high) * larger
            moved = cv2.warpAffine(share, np.array([[1, 0, off[0]], [0, 1, off[1]]]), (side, side))
            below[:] = below * (1 - rng.uniform(0.2, 0.6) * moved[..., None])
        light = rng.uniform(0.0, 0.5) * (below.mean((0, 1)) - pixels.mean((0, 1)))
        below[:] = below * (1 - share[..., None]) + (recoloured(pixels, rng) + light) * share[..., None]
        boxes = np.concatenate([boxes, mine[None]])
    return crop, boxes


def recoloured(pixels: Picture, rng: np.random.Generator) -> Picture:
    """Return a vehicle in another colour, half of the time: machines are yellow, orange, red or green."""
    if rng.random() < 0.5:
        return pixels
    tones = cv2.cvtColor(pixels, cv2.COLOR_RGB2HSV).astype(np.float32)
    tones[..., 0] = rng.uniform(0, 180)
    tones[..., 1] = np.clip(tones[..., 1] * rng.uniform(0.6, 1.4) + rng.uniform(0, 170), 0, 255)
    tones[..., 2] = np.clip(tones[..., 2] * rng.uniform(0.7, 1.4), 0, 255)
    return np.asarray(cv2.cvtColor(tones.astype(np.uint8), cv2.COLOR_HSV2RGB), np.uint8)


def relit(crop: Boxes, rng: np.random.Generator) -> Boxes:
    """Return the crop as another camera takes it by another light."""
    crop = crop * rng.uniform(0.88, 1.12, 3).astype(np.float32)
    if rng.random() < 0.15:
        crop = np.repeat(crop.mean(2, keepdims=True), 3, axis=2)
    return warm.relit(crop, rng)


def cuts_of(picture: VehiclePicture) -> list[Cut]:
    """Return the vehicles of a picture that can be cut out cleanly, at the finest scale they are shown."""
    one = _loaded(picture)
    assert one.pixel_m is not None
    found = []
    height, width = one.pixels.shape[:2]
    for left, top, right, bottom in one.boxes:
        wide, high = right - left, bottom - top
        room = 0.25 * max(wide, high) + 2
        if (
            min(wide, high) < 10
            or left < room
            or top < room
            or right > width - room
            or bottom > height - room
        ):
            continue
        x, y = int(left - room), int(top - room)
        part = one.pixels[y : int(bottom + room), x : int(right + room)]
        mask = np.zeros(part.shape[:2], np.uint8)
        inside = (int(left - x), int(top - y), int(wide) + 1, int(high) + 1)
        own, ground = np.zeros((1, 65)), np.zeros((1, 65))
        cv2.grabCut(
            np.ascontiguousarray(part[..., ::-1]), mask, inside, own, ground, 3, cv2.GC_INIT_WITH_RECT
        )
        share = ((mask == cv2.GC_FGD) | (mask == cv2.GC_PR_FGD)).astype(np.uint8)
        share = cv2.morphologyEx(share, cv2.MORPH_CLOSE, np.ones((3, 3), np.uint8))
        _, labels, stats, _ = cv2.connectedComponentsWithStats(share)
        if len(stats) < 2:
            continue
        largest = 1 + int(stats[1:, cv2.CC_STAT_AREA].argmax())
        if not 0.4 <= stats[largest, cv2.CC_STAT_AREA] / (wide * high) <= 0.97:
            continue
        soft = cv2.GaussianBlur((labels == largest).astype(np.float32), (0, 0), 0.7)
        found.append(Cut(part.copy(), soft, one.pixel_m))
    return found


def _loaded(picture: VehiclePicture) -> _Loaded:
    pixels = labelled.load_rgb(picture.path)
    if picture.pixel_m is None or picture.pixel_m >= _FINEST_M:
        return _Loaded(pixels, picture.boxes, picture.pixel_m)
    scale = picture.pixel_m / _FINEST_M
    return _Loaded(_scaled(pixels, scale), picture.boxes * np.float32(scale), _FINEST_M)


def _scaled(pixels: Picture, scale: float) -> Picture:
    return np.asarray(cv2.resize(pixels, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), np.uint8)


def main() -> None:
    """Teach, as the module's first lines say."""
    words = argparse.ArgumentParser(prog="python -m vision.train.vehicles", description="Vehicles in colour.")
    words.add_argument("cars", type=Path, help="copy of the aerial cars dataset")
    words.add_argument("root", type=Path, help="the project's shared data")
    words.add_argument("--run", type=Path, required=True, help="folder of the checkpoint")
    words.add_argument("--out", type=Path, default=Path("vision/models"), help="folder to write to")
    words.add_argument("--streets", type=Path, help="folder with images/ and labels/ to score on")
    words.add_argument("--steps", type=int, default=1100)
    asked = words.parse_args()
    for folder in (asked.run, asked.out):
        folder.mkdir(parents=True, exist_ok=True)
    every = vehicle_pictures.known(asked.cars, asked.root)
    learnt = vehicle_pictures.part(every, LEARNT)
    net = warm.taught(
        lambda begun: batches(learnt, asked.steps, SEED, begun),
        asked.run,
        steps=asked.steps,
        seed=SEED,
        bands=3,
        kinds=1,
    )
    path = ship(net, every, asked.run, asked.out)
    print(path, flush=True)
    streets = vehicle_pictures.read(asked.streets, {"": SCORED}, STREETS) if asked.streets else []
    model = runtime.load(path)
    for use, some in ((CHOSEN_ON, every), (SCORED, every), (SCORED, streets)):
        for source in sorted({p.source for p in some if p.use == use}):
            print(
                use,
                source,
                scores(model, [p for p in some if p.use == use and p.source == source]),
                flush=True,
            )


def scores(model: Model, pictures: Sequence[VehiclePicture]) -> str:
    """Return how a model does on pictures, in words."""
    scored = vehicle_pictures.answers(model, pictures)
    recall, false, share = vehicle_pictures.rates(scored, model.card.box["vehicle"])
    words = f"{len(pictures)} pictures, {false:.3f} false a picture, {share:.3f} of them with one"
    if vehicles := sum(len(p.boxes) for p in pictures):
        words += (
            f"; of {vehicles} vehicles {recall:.3f} found, AP .3 {vehicle_pictures.precision(scored):.3f}"
        )
    return words


def ship(net: WarmNet, every: Sequence[VehiclePicture], run: Path, out: Path) -> Path:
    """Return the packed ONNX file of a network, written with its card and its rows of TRAINING.csv.

    It tells from the least score on at which hardly a forest that the score is chosen on has a find.
    """
    whole, path = run / "vehicles.onnx", out / "vehicles.onnx.xz"
    export.light(Table(net), whole, SIDE_PX, SIDE_PX)
    export.packed(whole, path)
    cards.write(whole, _card(0.5))
    aside = vehicle_pictures.part(every, CHOSEN_ON)
    limit = vehicle_pictures.threshold(vehicle_pictures.answers(runtime.load(whole), aside))
    cards.write(path, _card(limit))
    rows = [("vehicles", p.use, p.source, labelled.sha256_8(p.path), "", "") for p in every]
    listed(out / TRAINING, "vehicles", [dict(zip(COLUMNS, row, strict=True)) for row in rows])
    return path


def _card(limit: float) -> dict[str, Any]:
    return {
        "name": "vehicles",
        "version": "1",
        "classes": ["vehicle"],
        "picture": {"vehicle": limit},
        "box": {"vehicle": limit},
        "dark": 0.0,
        "licence": "Apache-2.0",
    }


if __name__ == "__main__":
    main()
