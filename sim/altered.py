"""How changed ground is painted: fellings with their stumps and stems, flood water, clouds' shade, autumn.

Shapes are drawn at the painted ground's own step with soft borders, so that the truth is the polygon.
"""

from functools import lru_cache
from typing import Protocol

import cv2
import numpy as np
import numpy.typing as npt
from shapely.geometry import MultiPolygon, Polygon
from shapely.geometry.base import BaseGeometry

from sim import matter
from sim.changes import Changes, Felling, stems
from sim.matter import Layer, Matter
from sim.textures import Pixels

FLOOD_WATER = Matter((92, 122, 138), 0.0, 0.0, 7)
BRASH = Matter((84, 112, 136), 13.0, 0.5, 46)
STEM_BGR, STUMP_BGR = (122, 160, 196), (108, 150, 190)
CLOUD_SHADE = 0.52
AUTUMN = np.array([0.72, 0.92, 1.75], np.float32)
"""What autumn makes of a broadleaf crown's blue, green and red."""

_FINE = 16  # sixteenths of a pixel


class Square(Protocol):
    """What of a square being painted is needed here."""

    shape: tuple[int, int]
    east: Pixels
    north: Pixels
    broad: Pixels
    middle: Pixels
    fine: Pixels

    def plain(self, kind: Matter) -> Layer: ...


def lay_fellings(square: Square, layer: Layer, changes: Changes, step_m: float) -> None:
    """Lay bare what was felled: torn soil and brash, stumps, stems, and the track out."""
    for felling in changes.fellings:
        if not _meets(square, felling.shape, step_m):
            continue
        track = _share(square, felling.track, step_m)
        layer.cover(track, square.plain(matter.EARTH))
        share = _share(square, felling.patch, step_m)
        if not share.any():
            continue
        ground = square.plain(BRASH)
        ground.colour *= (1.0 + 0.22 * np.clip(square.middle, -1.5, 1.5) + 0.12 * square.fine)[..., None]
        layer.cover(share, ground)
        _draw_stems(square, layer, felling, step_m)


def flooded(square: Square, changes: Changes, step_m: float) -> Pixels:
    """Return where a flood stands, 0 to 1."""
    share = np.zeros(square.shape, np.float32)
    for flood in changes.floods:
        if _meets(square, flood.shape, step_m):
            share = np.maximum(share, _share(square, flood.shape, step_m))
    return share


def flood_water(square: Square) -> Layer:
    """Return a layer of turbid water."""
    water = square.plain(FLOOD_WATER)
    water.colour *= (1.0 + 0.04 * square.broad + 0.02 * square.fine)[..., None]
    water.temp_c = (matter.WATER_C + 0.3 * square.broad).astype(np.float32)
    return water


def cloud_light(square: Square, changes: Changes) -> Pixels | float:
    """Return how much of the sun's light the clouds leave, 1 under clear sky."""
    said = changes.conditions
    if said.clouds <= 0:
        return 1.0
    rng = np.random.default_rng(said.cloud_seed)
    phase, wave = rng.uniform(0, 2 * np.pi, 6), rng.uniform(60.0, 160.0, 6)
    turn = rng.uniform(0, 2 * np.pi, 6)
    swell = sum(
        np.sin((square.east * np.cos(t) + square.north * np.sin(t)) * 2 * np.pi / w + p)
        for p, w, t in zip(phase, wave, turn, strict=True)
    )
    rank = np.asarray(swell, np.float32) / np.float32(np.sqrt(3.0))
    # Six waves together are nearly normal: this level leaves the share of clouds above it.
    level = np.float32(np.sqrt(2.0) * _erfinv(1.0 - 2.0 * said.clouds))
    shade = np.clip((rank - level) / 0.25 + 0.5, 0, 1)
    return np.asarray(1.0 - (1.0 - CLOUD_SHADE) * shade, np.float32)


def turned_leaves(colour: Pixels, tint: Pixels, changes: Changes) -> Pixels:
    """Return a broadleaf wood's colours in its season; each crown turns in its own time."""
    season = changes.conditions.season
    if season <= 0:
        return colour
    share = np.clip(season * 1.3 + 0.35 * tint - 0.25, 0, 1)[..., None]
    return np.asarray(colour * (1 + (AUTUMN - 1) * share), np.float32)


def _draw_stems(square: Square, layer: Layer, felling: Felling, step_m: float) -> None:
    seed = int(abs(felling.patch.centroid.x) * 7 + abs(felling.patch.centroid.y))
    rng = np.random.default_rng(seed)
    drawn = np.zeros(square.shape, np.uint8)
    for ends in stems(felling, rng):
        pixels = _fixed(square, ends, step_m)
        cv2.line(drawn, pixels[0].tolist(), pixels[1].tolist(), 255, 1, cv2.LINE_AA, 4)
    west, south, east, north = felling.patch.bounds
    stumps = np.zeros(square.shape, np.uint8)
    for _ in range(int(felling.patch.area / 12.0)):
        at = np.array([[rng.uniform(west, east), rng.uniform(south, north)]])
        x, y = _fixed(square, at, step_m)[0].tolist()
        cv2.circle(stumps, (x, y), 10, 255, -1, cv2.LINE_AA, 4)
    inside = _share(square, felling.patch, step_m)
    for mask, colour in ((stumps, STUMP_BGR), (drawn, STEM_BGR)):
        share = (mask.astype(np.float32) / 255.0 * inside * 0.85)[..., None]
        layer.colour += (np.asarray(colour, np.float32) - layer.colour) * share


def _meets(square: Square, shape: BaseGeometry, step_m: float) -> bool:
    west, south, east, north = shape.bounds
    left, top = float(square.east[0, 0]) - step_m, float(square.north[0, 0]) + step_m
    right, bottom = float(square.east[0, -1]) + step_m, float(square.north[-1, 0]) - step_m
    return bool(west < right and east > left and south < top and north > bottom)


def _share(square: Square, shape: BaseGeometry, step_m: float) -> Pixels:
    """Return 1 inside a shape, 0 outside, between on its border."""
    mask = np.zeros(square.shape, np.uint8)
    for part in shape.geoms if isinstance(shape, MultiPolygon) else [shape]:
        if isinstance(part, Polygon) and not part.is_empty:
            outer = [_fixed(square, np.array(part.exterior.coords)[:, :2], step_m)]
            holes = [_fixed(square, np.array(h.coords)[:, :2], step_m) for h in part.interiors]
            cv2.fillPoly(mask, outer + holes, 255, cv2.LINE_AA, 4)
    return np.asarray(mask, np.float32) / np.float32(255)


def _fixed(square: Square, points: npt.NDArray[np.floating], step_m: float) -> npt.NDArray[np.int32]:
    """Return local points as OpenCV's pixels in sixteenths."""
    x = (points[:, 0] - float(square.east[0, 0])) / step_m
    y = (float(square.north[0, 0]) - points[:, 1]) / step_m
    return np.round(np.column_stack([x, y]) * _FINE).astype(np.int32)


@lru_cache(maxsize=64)
def _erfinv(value: float) -> float:
    from scipy.special import erfinv

    return float(erfinv(value))
