"""What a picture could also have looked like: the same scene from a drone, in other light, in fog.

A *view* is a picture on a canvas of fixed size with its boxes in pixels and what is known of each class.
Every change here is made before the trunk, because the trunk's fine features are computed once and kept.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

import cv2
import numpy as np
import numpy.typing as npt

from vision.labelled import LabelledPicture, load_rgb

WIDTH_PX, HEIGHT_PX = 512, 384
GREY = 114
FIRE, SMOKE = 0, 1
LOOKING_DOWN = frozenset(
    {"flame_uav", "neg_drone_caliterra", "neg_drone_canopy", "neg_drone_nir_seneca", "aerial_cars"}
)
"""Sources whose pictures have no up: they may be turned any way."""

_SMALLEST_BOX_PX = 5.0
_SEEN_SHARE = 0.35  # of a box that must be left after a cut for the box to count

Rgb: TypeAlias = npt.NDArray[np.uint8]
Boxes: TypeAlias = npt.NDArray[np.float32]  # rows of class, left, top, right, bottom


@dataclass(frozen=True, slots=True)
class View:
    """Pixels with their truth. `boxes` is None where they are not complete."""

    pixels: Rgb
    boxes: Boxes | None
    labels: tuple[int, int]


def plain(picture: LabelledPicture) -> View:
    """Return the picture as it is, as large as the canvas takes it."""
    return fitted(loaded(picture))


def varied(picture: LabelledPicture, others: Sequence[LabelledPicture], rng: np.random.Generator) -> View:
    """Return one changed view of a picture; `others` may be mixed in."""
    view = loaded(picture)
    if picture.source in LOOKING_DOWN:
        view = turned(view, int(rng.integers(4)))
    if view.labels == (0, 0) and rng.random() < 0.2:
        view = plumed(view, rng)
    choice = rng.random()
    if choice < 0.3:
        view = mosaic([view, *(loaded(other) for other in others[:3])], rng)
    elif choice < 0.7:
        view = fitted(cut(view, rng))
    else:
        view = shrunk(view, rng)
    if rng.random() < 0.5:
        view = mirrored(view)
    pixels = in_other_light(view.pixels, rng)
    if rng.random() < 0.12:
        pixels = veiled(pixels, rng)
    return replace(view, pixels=pixels)


def fitted(view: View) -> View:
    """Return the view scaled into the canvas, its middle in the canvas's middle."""
    height, width = view.pixels.shape[:2]
    scale = min(WIDTH_PX / width, HEIGHT_PX / height)
    return _placed(view, scale, (WIDTH_PX - width * scale) / 2, (HEIGHT_PX - height * scale) / 2)


def shrunk(view: View, rng: np.random.Generator) -> View:
    """Return the view smaller and somewhere on a grey canvas: the same fire from further away."""
    height, width = view.pixels.shape[:2]
    scale = min(WIDTH_PX / width, HEIGHT_PX / height) * rng.uniform(0.45, 0.95)
    left = rng.uniform(0, WIDTH_PX - width * scale)
    top = rng.uniform(0, HEIGHT_PX - height * scale)
    return _placed(view, scale, left, top)


def cut(view: View, rng: np.random.Generator) -> View:
    """Return a part of the view. Where boxes are not known, most of it stays, so that its labels do."""
    height, width = view.pixels.shape[:2]
    least = 0.45 if view.boxes is not None else 0.8
    wide, high = (max(32, round(side * rng.uniform(least, 1.0))) for side in (width, height))
    wide, high = min(wide, width), min(high, height)
    left, top = int(rng.integers(width - wide + 1)), int(rng.integers(height - high + 1))
    pixels = view.pixels[top : top + high, left : left + wide]
    if view.boxes is None:
        return replace(view, pixels=pixels)
    boxes = _clipped(view.boxes - np.array([0, left, top, left, top], np.float32), wide, high)
    return View(pixels, boxes, _labels_after(view, boxes))


def mosaic(views: Sequence[View], rng: np.random.Generator) -> View:
    """Return up to four views side by side, meeting somewhere near the middle."""
    across, down = round(WIDTH_PX * rng.uniform(0.35, 0.65)), round(HEIGHT_PX * rng.uniform(0.35, 0.65))
    canvas = np.full((HEIGHT_PX, WIDTH_PX, 3), GREY, np.uint8)
    corners = [(0, 0, across, down), (across, 0, WIDTH_PX, down)]
    corners += [(0, down, across, HEIGHT_PX), (across, down, WIDTH_PX, HEIGHT_PX)]
    boxes: list[Boxes] | None = []
    for view, (left, top, right, bottom) in zip(views, corners, strict=False):
        wide, high = right - left, bottom - top
        height, width = view.pixels.shape[:2]
        canvas[top:bottom, left:right] = cv2.resize(view.pixels, (wide, high), interpolation=cv2.INTER_AREA)
        if view.boxes is None:
            boxes = None
        elif boxes is not None:
            scale = np.array([1, wide / width, high / height, wide / width, high / height], np.float32)
            boxes.append(view.boxes * scale + np.array([0, left, top, left, top], np.float32))
    known = (_either(v.labels[FIRE] for v in views), _either(v.labels[SMOKE] for v in views))
    every = None if boxes is None else np.concatenate(boxes)
    for kind in (FIRE, SMOKE):
        if every is not None and any(v.labels[kind] == 1 and not _boxed(v, kind) for v in views):
            every = every[every[:, 0] != kind]  # no box of a class rather than some of them
    return View(canvas, every, known)


def turned(view: View, quarters: int) -> View:
    """Return the view turned left by quarter turns."""
    for _ in range(quarters):
        width = view.pixels.shape[1]
        boxes = view.boxes
        if boxes is not None:
            boxes = np.stack(
                [boxes[:, 0], boxes[:, 2], width - boxes[:, 3], boxes[:, 4], width - boxes[:, 1]], 1
            )
        view = View(np.ascontiguousarray(np.rot90(view.pixels)), boxes, view.labels)
    return view


def mirrored(view: View) -> View:
    """Return the view with left and right exchanged."""
    boxes = view.boxes
    if boxes is not None:
        width = view.pixels.shape[1]
        boxes = np.stack([boxes[:, 0], width - boxes[:, 3], boxes[:, 2], width - boxes[:, 1], boxes[:, 4]], 1)
    return View(np.ascontiguousarray(view.pixels[:, ::-1]), boxes, view.labels)


def in_other_light(pixels: Rgb, rng: np.random.Generator) -> Rgb:
    """Return the pixels by other light, another camera and another compression."""
    gain = rng.uniform(0.65, 1.25) * rng.uniform(0.9, 1.1, 3)
    curve = ((np.arange(256) / 255.0) ** rng.uniform(0.75, 1.4))[:, None] * gain * 255.0
    table = np.clip(curve, 0, 255).astype(np.uint8)
    pixels = np.stack([table[:, i][pixels[..., i]] for i in range(3)], 2)
    if rng.random() < 0.15:
        grey = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)[..., None]
        mixed = pixels * (1 - (share := rng.uniform(0.3, 0.9))) + grey * share
        pixels = mixed.astype(np.uint8)
    if rng.random() < 0.3:
        ok, data = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(35, 90))])
        pixels = np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), np.uint8) if ok else pixels
    return np.ascontiguousarray(pixels)


def veiled(pixels: Rgb, rng: np.random.Generator) -> Rgb:
    """Return the pixels through fog or haze: grey all over, denser towards the top, without an edge."""
    height, width = pixels.shape[:2]
    waves = cv2.resize(rng.random((3, 4)).astype(np.float32), (width, height), interpolation=cv2.INTER_CUBIC)
    slope = np.linspace(rng.uniform(0.4, 1.0), rng.uniform(0.0, 0.6), height, dtype=np.float32)[:, None]
    depth = np.clip(slope * 0.8 + waves * 0.25, 0, 0.85)[..., None]
    grey = rng.uniform(150, 235) + rng.uniform(-8, 8, 3)
    return np.asarray(np.clip(pixels * (1 - depth) + grey * depth, 0, 255), np.uint8)


def plumed(view: View, rng: np.random.Generator) -> View:
    """Return the view with a column of smoke drawn into it, and its box: smoke where none was, labelled."""
    height, width = view.pixels.shape[:2]
    thickness = np.zeros((height, width), np.float32)
    x, y = rng.uniform(0.15, 0.85) * width, rng.uniform(0.4, 0.9) * height
    lean, size = rng.uniform(-1.2, 1.2), rng.uniform(0.012, 0.03) * width
    for _ in range(int(rng.integers(14, 34))):
        cv2.circle(thickness, (int(x), int(y)), max(2, int(size)), float(rng.uniform(0.3, 1.0)), -1)
        x += lean * size * 0.5 + rng.normal(0, size * 0.45)
        y -= size * rng.uniform(0.25, 0.6)
        size *= rng.uniform(1.02, 1.10)
    blur = max(3, int(size * 0.35)) | 1
    grain = cv2.resize(rng.random((height // 8, width // 8)).astype(np.float32), (width, height))
    thickness = cv2.GaussianBlur(thickness, (blur, blur), 0) * (0.55 + 0.45 * grain)
    depth = (np.clip(thickness, 0, 1) * rng.uniform(0.45, 0.95))[..., None]
    shade = rng.uniform(60, 235) + 25 * (grain[..., None] - 0.5)
    pixels = np.clip(view.pixels * (1 - depth) + shade * depth, 0, 255).astype(np.uint8)
    rows, columns = np.nonzero(depth[..., 0] > 0.12)
    if len(rows) < 60:
        return view
    box = [SMOKE, columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
    known = view.boxes if view.boxes is not None else np.zeros((0, 5), np.float32)
    return View(pixels, np.concatenate([known, np.array([box], np.float32)]), (view.labels[FIRE], 1))


def loaded(picture: LabelledPicture) -> View:
    pixels = load_rgb(picture.path)
    height, width = pixels.shape[:2]
    shrink = min(1.0, 1280 / max(height, width))
    if shrink < 1.0:
        pixels = np.asarray(
            cv2.resize(pixels, None, fx=shrink, fy=shrink, interpolation=cv2.INTER_AREA), np.uint8
        )
        height, width = pixels.shape[:2]
    boxes = picture.boxes
    if boxes is not None:
        middle, half = boxes[:, 1:3], boxes[:, 3:5] / 2
        ends = np.concatenate([middle - half, middle + half], 1) * np.array([width, height] * 2, np.float32)
        boxes = np.concatenate([boxes[:, :1], ends], 1).astype(np.float32)
    return View(pixels, boxes, picture.labels)


def _placed(view: View, scale: float, left: float, top: float) -> View:
    height, width = view.pixels.shape[:2]
    wide, high = max(1, round(width * scale)), max(1, round(height * scale))
    canvas = np.full((HEIGHT_PX, WIDTH_PX, 3), GREY, np.uint8)
    x, y = min(round(left), WIDTH_PX - wide), min(round(top), HEIGHT_PX - high)
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    canvas[y : y + high, x : x + wide] = cv2.resize(view.pixels, (wide, high), interpolation=how)
    if view.boxes is None:
        return replace(view, pixels=canvas)
    scales = np.array([1, wide / width, high / height, wide / width, high / height], np.float32)
    boxes = view.boxes * scales + np.array([0, x, y, x, y], np.float32)
    return replace(view, pixels=canvas, boxes=boxes)


def _clipped(boxes: Boxes, width: int, height: int) -> Boxes:
    """Return the boxes inside a cut, without those of which too little is left."""
    area = np.maximum((boxes[:, 3] - boxes[:, 1]) * (boxes[:, 4] - boxes[:, 2]), 1e-6)
    inside = boxes.copy()
    inside[:, [1, 3]] = boxes[:, [1, 3]].clip(0, width)
    inside[:, [2, 4]] = boxes[:, [2, 4]].clip(0, height)
    sides = inside[:, 3:5] - inside[:, 1:3]
    is_left = (sides.prod(1) / area > _SEEN_SHARE) & (sides.min(1) >= _SMALLEST_BOX_PX)
    return np.asarray(inside[is_left], np.float32)


def _labels_after(view: View, boxes: Boxes) -> tuple[int, int]:
    """Return what is known after a cut: a class whose boxes are gone is not known, a sliver may be left."""
    kept = set(boxes[:, 0].astype(int).tolist())
    fire, smoke = (label if label != 1 or kind in kept else -1 for kind, label in enumerate(view.labels))
    return fire, smoke


def _boxed(view: View, kind: int) -> bool:
    return view.boxes is not None and bool((view.boxes[:, 0] == kind).any())


def _either(labels: Iterable[int]) -> int:
    known = set(labels)
    return 1 if 1 in known else -1 if -1 in known else 0
