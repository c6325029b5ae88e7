"""What a picture shows to those who have no right to more: the incident sharp, everything else coarse.

A detector of people and number plates misses some, and what it misses is shown. The one that was
measured on drone pictures covers one person in eleven (`docs/design/privacy.md`). So nothing is looked
for: outside the incident's outline (its box, where it has none) the picture is reduced to half a metre a
pixel, at which a person is one pixel and a number plate none: everybody, wherever they stand. Thermal
pictures are left as they are, for they show no face and no plate.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from api.store.models import DetectionRow, FrameRow

Image = NDArray[np.uint8]

COARSE_M = 0.5
"""Ground metres a pixel outside the incident: shoulders are 0.5 m wide, a plate 0.44 m."""

UNKNOWN_SHARE = 32
"""Cells across a picture whose scale on the ground is not known."""

MARGIN = 0.25
"""How much further than its outline or box an incident stays sharp, as a share of its box's shorter side."""

METHOD = (
    "all outside these rings in cells of half a metre on the ground; no detector of people or plates used"
)

JPEG_QUALITY = 90
_DEG_M = 111_320.0


def is_telling(row: FrameRow) -> bool:
    """Return whether a frame can show who somebody is."""
    return row.sensor != "thermal"


@dataclass(frozen=True, slots=True)
class Sharp:
    """A part of a picture that stays as it is: a ring of (x, y) in pixels, and how far around it."""

    ring: tuple[tuple[float, float], ...]
    margin_px: int


@dataclass(frozen=True, slots=True)
class Reduced:
    """A coarse picture as a JPEG, and how coarse it is, as evidence says it."""

    jpeg: bytes
    told: dict[str, object]


def reduced_jpeg(data: bytes, row: FrameRow, found: Sequence[DetectionRow]) -> Reduced | None:
    """Return a frame's picture, coarse outside what was found, as a JPEG without any metadata.

    None where the bytes are no picture that can be read.
    """
    image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    if image is None:
        return None
    cell, sharp = cell_px(row, image.shape[1]), [sharp_part(d.box, d.outline) for d in found]
    coarse = reduced(np.asarray(image, np.uint8), sharp, cell_px=cell)
    is_written, out = cv2.imencode(".jpg", coarse, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
    rings = [{"ring_px": part.ring, "margin_px": part.margin_px} for part in sharp]
    told: dict[str, object] = {"how": METHOD, "cell_px": cell, "sharp": rings}
    return Reduced(out.tobytes(), told) if is_written else None


def sharp_part(box: Sequence[float], outline: Sequence[Sequence[float]] | None) -> Sharp:
    """Return what stays sharp of a find: its outline, or its box (left, top, right, bottom) without one."""
    left, top, right, bottom = box
    margin = math.ceil(min(right - left, bottom - top) * MARGIN)
    if outline and len(outline) >= 3:
        return Sharp(tuple((float(x), float(y)) for x, y in outline), margin)
    return Sharp(((left, top), (right, top), (right, bottom), (left, bottom)), margin)


def reduced(image: Image, sharp: Sequence[Sharp], *, cell_px: int) -> Image:
    """Return the image in cells of so many pixels, but for what stays sharp."""
    height, width = image.shape[:2]
    small = (max(1, width // cell_px), max(1, height // cell_px))
    cells = cv2.resize(image, small, interpolation=cv2.INTER_AREA)
    coarse = np.asarray(cv2.resize(cells, (width, height), interpolation=cv2.INTER_NEAREST), np.uint8)
    stays = np.zeros((height, width), np.uint8)
    for part in sharp:
        ring = np.round(np.array(part.ring, dtype=float)).astype(np.int32)
        cv2.fillPoly(stays, [ring], 1)
        if part.margin_px:
            cv2.polylines(stays, [ring], isClosed=True, color=1, thickness=2 * part.margin_px + 1)
    coarse[stays == 1] = image[stays == 1]
    return coarse


def cell_px(row: FrameRow, width_px: int) -> int:
    """Return how many pixels make half a metre on the ground, by the frame's footprint."""
    ring = row.footprint or []
    sides = [_apart_m(a, b) for a, b in zip(ring, [*ring[1:], *ring[:1]], strict=True)]
    if len(sides) != 4 or min(sides) <= 0:
        return max(2, math.ceil(width_px / UNKNOWN_SHARE))
    # The finest side decides: nowhere in the picture is a person more than a pixel.
    finest_m = min(sides) / width_px
    return max(2, math.ceil(COARSE_M / finest_m))


def _apart_m(a: Sequence[float], b: Sequence[float]) -> float:
    east = (b[0] - a[0]) * _DEG_M * math.cos(math.radians(a[1]))
    return math.hypot(east, (b[1] - a[1]) * _DEG_M)
