"""Fire and smoke in a colour picture.

The picture is looked at twice: as a whole, shrunk, where a plume is one thing; and piece by piece at its
own resolution, where a small flame is more than one pixel. A box counts where it is sure itself and the
piece it lies in, taken as a whole, shows the same: roofs and autumn leaves have sure boxes in pieces that
do not burn. Whole pieces of sky, such as the thermal eye saw cold, and such as a mask names are left out.

Pieces go to the model one by one: with ONNX Runtime on one thread two, four or eight together take as long
each (63, 68, 60 ms beside 61), for one alone outgrows the cache.

In the dark the detector abstains. Its word alone is a suspicion; who confirms it is not its business.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from missions.model import Camera, CameraPose, Hazard, Sensor
from vision import pinhole
from vision.detectors import Abstained, Found, runtime
from vision.detectors.runtime import Model, Rgb, Seen
from vision.encoded import Encoded
from vision.frame import Frame
from vision.model import Box, Detection
from vision.scene import Scene
from vision.tiling import SIDE_PX, Keeps, Tile, agreed, below_horizon, both, kept_by_mask, merged, tiles

NAME = "rgb-fire"
HAZARDS = {"fire": Hazard.FIRE, "smoke": Hazard.SMOKE}

_WARMER_C = 15.0
"""A flame near by warms some thermal pixel of its piece by this much over the picture's middle."""

_SKY_KEPT = 0.15  # of the picture's height above the horizon: smoke stands above its fire
_PIECES_FROM_PX = 1600
"""A picture no longer than this loses little when it is shrunk, and is not cut."""


@dataclass(frozen=True, slots=True, eq=False)
class Candidates:
    """Boxes in pixels of the picture, with score and class index each."""

    boxes: npt.NDArray[np.float32]
    scores: npt.NDArray[np.float32]
    kinds: npt.NDArray[np.int64]


_MOST_A_LOOK = 100
"""Boxes of a class that one look may tell: beside so many surer ones nothing new lies under the rest."""

NONE = Candidates(np.zeros((0, 4), np.float32), np.zeros(0, np.float32), np.zeros(0, np.int64))


class RgbFire:
    """Fire and smoke by a trained model with a card: the installed one, or another that is named."""

    hazards = frozenset({Hazard.FIRE, Hazard.SMOKE})

    def __init__(self, model: Path | None = None) -> None:
        self._model = runtime.load(model) if model or runtime.is_installed() else None

    @property
    def name(self) -> str:
        """The model's name and version: what a score rests on."""
        return f"{NAME} {self._model.title if self._model else 'without a model'}"

    def reads(self, frame: Frame) -> bool:
        """Return whether the frame is a colour picture."""
        is_colour = frame.encoded is not None or (frame.pixels is not None and frame.pixels.ndim == 3)
        return frame.shot.camera.sensor is Sensor.RGB and is_colour

    def detect(self, frame: Frame, scene: Scene) -> Found:
        """Return fire and smoke, surest first; abstains without a model and where it is too dark to tell."""
        picture, model = frame.encoded or frame.pixels, self._model
        if model is None:
            return Abstained(runtime.NOT_INSTALLED)
        if picture is None or not self.reads(frame):
            return Abstained("no colour picture")
        if runtime.is_dark(_small(picture), model.card.dark):
            return Abstained("too dark for a colour picture to tell")
        found = look(model, picture, keeps=_worth_looking(frame, scene))
        masked = _unmasked(frame, scene)
        return tuple(
            self._detection(model, found, i)
            for i, box in enumerate(found.boxes.astype(int).tolist())
            if masked is None or masked(Tile(*box))
        )

    def _detection(self, model: Model, found: Candidates, i: int) -> Detection:
        there = Box(*map(float, found.boxes[i]))
        name = model.card.classes[int(found.kinds[i])]
        return Detection(
            hazard=HAZARDS[name],
            confidence=round(float(found.scores[i]), 3),
            box=there,
            detector=self.name,
            sensor=Sensor.RGB,
            pixels=round(there.area_px),
            outline_px=there.outline_px,
            sources=(self.name,),
        )


def look(model: Model, picture: Rgb | Encoded, *, keeps: Keeps | None = None) -> Candidates:
    """Return the boxes that count in a picture, from its whole and its pieces, doubles merged."""
    width, height = _size(picture)
    is_cut = max(height, width) > _PIECES_FROM_PX
    return look_at(model, picture, tiles(width, height, keeps=keeps) if is_cut else (), whole=True)


def look_at(model: Model, picture: Rgb | Encoded, cuts: Sequence[Tile], *, whole: bool = False) -> Candidates:
    """Return the boxes that count in the pieces named, and in the whole if that is wanted."""
    width, height = _size(picture)
    parts = []
    if whole:
        small = _small(picture)
        seen, scale = model.see_whole(small)
        scale *= small.shape[1] / width
        parts.append(_counted(model, seen, scale, (0, 0), model.card.picture))
    for cut, pixels in _pieces(picture, cuts):
        seen, corner = model.see(_squared(pixels)), (cut.left_px, cut.top_px)
        parts.append(_counted(model, seen, 1.0, corner, model.card.piece))
    return _together(parts, width, height) if parts else NONE


def ranked(model: Model, pixels: Rgb, *, most: int) -> Candidates:
    """Return the surest boxes of a picture whether they count or not: for scoring their order."""
    seen, scale = model.see_whole(pixels)
    return surest(seen, scale, pixels.shape[1::-1], most=most)


def surest(seen: Seen, scale: float, size: Sequence[int], *, most: int) -> Candidates:
    """Return the surest boxes of what was seen of a picture of some width and height, doubles merged."""
    sure = np.sqrt(seen.scores * seen.picture)
    rows, kinds = np.unravel_index(np.argsort(-sure, axis=None)[: most * 8], sure.shape)
    every = Candidates(
        seen.boxes[rows] / np.float32(scale), sure[rows, kinds].astype(np.float32), kinds.astype(np.int64)
    )
    best = _together([every], size[0], size[1])
    return Candidates(best.boxes[:most], best.scores[:most], best.kinds[:most])


def _counted(
    model: Model, seen: Seen, scale: float, corner: tuple[int, int], limits: Mapping[str, float]
) -> Candidates:
    """Return the boxes that are sure enough where the picture or piece as a whole is, too."""
    card = model.card
    needed = np.array([card.box[name] for name in card.classes], np.float32)
    whole = np.array([limits[name] for name in card.classes], np.float32)
    says = seen.picture >= whole
    counts = (seen.scores >= needed) & says
    if len(counts) > _MOST_A_LOOK:
        counts &= seen.scores >= np.partition(seen.scores, -_MOST_A_LOOK, axis=0)[-_MOST_A_LOOK]
    rows, kinds = np.nonzero(counts)
    for kind in np.nonzero(says)[0]:
        if not (kinds == kind).any():  # sure of the whole, of no box: the best there is stands for it
            rows = np.append(rows, seen.scores[:, kind].argmax())
            kinds = np.append(kinds, kind)
    boxes = seen.boxes[rows] / np.float32(scale) + np.array([*corner, *corner], np.float32)
    scores = np.sqrt(np.maximum(seen.scores[rows, kinds], 1e-3) * seen.picture[kinds])
    return Candidates(boxes.astype(np.float32), scores.astype(np.float32), kinds.astype(np.int64))


def _together(parts: list[Candidates], width: int, height: int) -> Candidates:
    boxes = np.concatenate([part.boxes for part in parts])
    scores = np.concatenate([part.scores for part in parts])
    kinds = np.concatenate([part.kinds for part in parts])
    boxes[:, [0, 2]] = boxes[:, [0, 2]].clip(0, width)
    boxes[:, [1, 3]] = boxes[:, [1, 3]].clip(0, height)
    inside = (boxes[:, 2:] - boxes[:, :2]).min(1, initial=np.inf) >= 1
    boxes, scores, kinds = boxes[inside], scores[inside], kinds[inside]
    kept = merged(boxes, scores, kinds)
    moved = np.array([agreed(boxes, scores, kinds, k) for k in kept], np.float32).reshape(-1, 4)
    scores, kinds = scores[kept], kinds[kept]
    last = merged(moved, scores, kinds)
    return Candidates(moved[last], scores[last], kinds[last])


def _size(picture: Rgb | Encoded) -> tuple[int, int]:
    """Return a picture's width and height."""
    if isinstance(picture, Encoded):
        return picture.width_px, picture.height_px
    return picture.shape[1], picture.shape[0]


def _small(picture: Rgb | Encoded) -> Rgb:
    """Return a picture to look at as a whole: shrunk where it comes so."""
    return picture.small if isinstance(picture, Encoded) else picture


def _pieces(picture: Rgb | Encoded, cuts: Sequence[Tile]) -> Iterable[tuple[Tile, Rgb]]:
    """Return pieces with their pixels."""
    if isinstance(picture, Encoded):
        return picture.pieces(cuts)
    return ((c, picture[c.top_px : c.bottom_px, c.left_px : c.right_px]) for c in cuts)


def piece(pixels: Rgb, cut: Tile) -> Rgb:
    """Return a piece's pixels as a model is shown them."""
    return _squared(pixels[cut.top_px : cut.bottom_px, cut.left_px : cut.right_px])


def _squared(pixels: Rgb) -> Rgb:
    """Return a piece's pixels, filled up with grey where the picture is smaller than a piece."""
    if pixels.shape[:2] == (SIDE_PX, SIDE_PX):
        return pixels
    canvas = np.full((SIDE_PX, SIDE_PX, 3), 114, np.uint8)
    canvas[: pixels.shape[0], : pixels.shape[1]] = pixels
    return canvas


def _worth_looking(frame: Frame, scene: Scene) -> Keeps | None:
    """Return the test that pieces must pass: not only sky, not cold ground by the other eye."""
    camera, pose = frame.shot.camera, frame.shot.pose
    sky = _not_sky(camera, pose) if pose else None
    pair = scene.pair
    warm = _not_cold(camera, pair) if pair is not None and pair.celsius is not None else None
    return both(both(sky, warm), _unmasked(frame, scene))


def _unmasked(frame: Frame, scene: Scene) -> Keeps | None:
    camera = frame.shot.camera
    return None if scene.mask is None else kept_by_mask(scene.mask, camera.width_px, camera.height_px)


def _not_sky(camera: Camera, pose: CameraPose) -> Keeps | None:
    """Return the test that a piece reaches below the horizon and the smoke's share of sky above it."""
    right, down, forward = pinhole.basis(pose)
    if abs(down[2]) < 1e-3:  # the camera lies on its side: no horizon as a line over x
        return None

    def horizon_px(x: float) -> float:
        across = (x - camera.centre_x_px) / camera.focal_px
        below = -(forward[2] + across * right[2]) / down[2]
        return float(below * camera.focal_px + camera.centre_y_px)

    return below_horizon(horizon_px, margin_px=_SKY_KEPT * camera.height_px)


def _not_cold(camera: Camera, pair: Frame) -> Keeps:
    """Return the test that a piece is warm somewhere, or lies where the thermal eye did not look.

    The two eyes look the same way; their fields of view are laid over each other by focal length, and a
    warm pixel counts for its surroundings, because no pair is aligned better than that.
    """
    celsius = pair.celsius
    assert celsius is not None
    thermal = pair.shot.camera
    ratio = (thermal.focal_px / thermal.width_px) / (camera.focal_px / camera.width_px)
    share = min(1.0, 1.0 / max(ratio, 1e-6))  # of the picture's width that the thermal eye covers
    rows, columns = 24, 32
    warm = _warm_cells(celsius, rows, columns)
    mask = np.ones((rows, columns), np.bool_)
    high, wide = max(1, round(rows * share)), max(1, round(columns * share))
    top, left = (rows - high) // 2, (columns - wide) // 2
    at_rows = np.arange(high) * rows // high
    at_columns = np.arange(wide) * columns // wide
    mask[top : top + high, left : left + wide] = warm[np.ix_(at_rows, at_columns)]
    return kept_by_mask(mask, camera.width_px, camera.height_px)


def _warm_cells(celsius: npt.NDArray[np.float32], rows: int, columns: int) -> npt.NDArray[np.bool_]:
    """Return which cells of a grid are near something warmer than the picture's middle."""
    height, width = celsius.shape
    limit = float(np.nanmedian(celsius)) + _WARMER_C
    hot = np.argwhere(celsius > limit)
    grid = np.zeros((rows + 2, columns + 2), np.bool_)
    for down, across in {(int(y * rows // height), int(x * columns // width)) for y, x in hot}:
        grid[down : down + 3, across : across + 3] = True
    return grid[1:-1, 1:-1]
