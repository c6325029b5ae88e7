"""Smoke over fires: puffs that rise, widen and drift with the wind, as cover of a picture.

A puff leaves the fire every 1.5 s, climbs towards 25 m and is carried by the
wind; it widens by turbulence (about 0.13 m per metre travelled, a Gaussian plume in
neutral air) and thins as it widens. Long-wave infrared looks through it, so only the
colour picture has smoke.
"""

import math
from datetime import datetime

import cv2
import numpy as np

from missions.geo import Floats
from missions.model import Wind
from sim.hazards import Fire
from sim.projection import View
from sim.textures import Pixels, noise

PUFFS, EVERY_S = 30, 1.5
SPRITE_PX = 64
LARGEST_PX = 400.0
COARSE = 4  # smoke is soft: it is drawn on every fourth pixel


class Smoke:
    """Draws smoke; holds the patterns of a few puffs."""

    def __init__(self) -> None:
        rng = np.random.default_rng(7)
        y, x = np.mgrid[-1 : 1 : SPRITE_PX * 1j, -1 : 1 : SPRITE_PX * 1j]
        soft = np.clip(1 - np.hypot(x, y), 0, 1) ** 1.2
        self._sprites = [
            (soft * np.clip(0.75 + 0.45 * noise(rng, SPRITE_PX, 22), 0, 1.3)).astype(np.float32)
            for _ in range(6)
        ]

    def cover(self, view: View, fires: list[Fire], wind: Wind, now: datetime) -> Pixels | None:
        """Return how much of each coarse pixel smoke hides, 0-1, or None when there is none in view."""
        camera = view.camera
        cover = np.zeros((camera.height_px // COARSE, camera.width_px // COARSE), np.float32)
        for fire in fires:
            self._draw(cover, view, fire, wind, now)
        return cover if cover.any() else None

    def _draw(self, cover: Pixels, view: View, fire: Fire, wind: Wind, now: datetime) -> None:
        centres, radii, strengths, picks = _puffs(fire, wind, now)
        pixels, depth = view.pixels(centres)
        sizes = np.minimum(2 * radii * view.camera.focal_px / np.maximum(depth, 1.0) / COARSE, LARGEST_PX)
        middles = pixels / COARSE
        inside = (middles > -sizes[:, None]) & (middles < np.array(cover.shape[::-1]) + sizes[:, None])
        for i in np.flatnonzero(inside.all(1) & (depth > 5.0) & (sizes > 2.0)):
            _blend(cover, self._sprites[picks[i]], middles[i], round(sizes[i]), strengths[i])


def _puffs(fire: Fire, wind: Wind, now: datetime) -> tuple[Floats, Floats, Floats, list[int]]:
    """Return centres, radii, strengths and patterns; a puff keeps its own from picture to picture."""
    burning_s = (now - fire.ignited_at).total_seconds()
    newest = math.floor(burning_s / EVERY_S)
    number = np.arange(max(newest - PUFFS, 0), newest + 1)
    age = burning_s - number * EVERY_S
    sway = np.sin(number * 12.9898 + fire.shape * 7)
    sway_too = np.sin(number * 78.233 + fire.shape * 3)
    towards = math.radians(wind.from_deg + 180.0)
    ahead = np.array([math.sin(towards), math.cos(towards)])
    travelled = max(wind.speed_m_s, 0.4) * 0.7 * age
    root = math.sqrt(fire.area_m2(now))
    aside = 0.12 * travelled * sway
    centres = np.column_stack(
        [
            fire.east_m + travelled * ahead[0] + aside * ahead[1],
            fire.north_m + travelled * ahead[1] - aside * ahead[0],
            fire.ground_m + 1.0 + 25.0 * (1 - np.exp(-age / 14.0)) + 0.6 * sway_too,
        ]
    )
    radii = 0.5 * root + 0.6 + 0.13 * travelled * (1 + 0.3 * sway_too)
    strengths = np.clip(0.20 * root + 0.14, 0, 0.7) * np.exp(-age / 18.0) * (1 + 0.4 * sway)
    return centres, radii, strengths, (number % 6).tolist()


def _blend(cover: Pixels, sprite: Pixels, at: Floats, size: int, strength: float) -> None:
    left, top = round(at[0] - size / 2), round(at[1] - size / 2)
    height, width = cover.shape
    x0, x1, y0, y1 = max(left, 0), min(left + size, width), max(top, 0), min(top + size, height)
    if x0 >= x1 or y0 >= y1:
        return
    puff = cv2.resize(sprite, (size, size), interpolation=cv2.INTER_AREA)[
        y0 - top : y1 - top, x0 - left : x1 - left
    ]
    here = cover[y0:y1, x0:x1]
    here += (1 - here) * np.clip(puff * strength, 0, 1)
