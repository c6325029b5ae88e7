"""One look at the world: where each pixel meets the ground, and which hot things are in view.

Ground is found exactly on a coarse grid of pixels and linearly in between:
16 pixels are 2.5 m from 120 m up, less than a step of the elevation model.
"""

import math
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

import cv2
import numpy as np
import numpy.typing as npt

from missions.geo import Floats
from sim.animals import Standing
from sim.glow import fire_reach_m
from sim.ground import Ground
from sim.hazards import Decoy, DecoyKind, Fire
from sim.projection import Plane, View
from sim.sky import Sky
from sim.textures import Pixels
from sim.world import World

COARSE_PX, COARSE_OBLIQUE_PX = 16, 8
STEEP = -0.85  # the optical axis's downward part from which the coarser grid will do
FINE_PX = 200  # a hot thing is sampled this finely across, 1 to 4 times a pixel
SEEN_M = 2500.0
NOWHERE_PX = -1e6  # the place of a pixel that sees sky

Thing = TypeVar("Thing", Fire, Decoy, Standing)
MARGIN_PX = 5  # what the blur of the lens carries over


@dataclass(frozen=True, slots=True, eq=False)
class Patch:
    """The part of a picture around a hot thing: pixel bounds and, finer, metres in its own plane."""

    left: int
    top: int
    right: int
    bottom: int
    fine: int
    x_m: Floats
    y_m: Floats

    @property
    def here(self) -> tuple[slice, slice]:
        return np.s_[self.top : self.bottom, self.left : self.right]

    def averaged(self, values: Floats) -> Floats:
        """Return fine values as means over whole pixels."""
        size = (self.right - self.left, self.bottom - self.top)
        return np.asarray(cv2.resize(values, size, interpolation=cv2.INTER_AREA))


@dataclass(frozen=True, slots=True, eq=False)
class GroundMap:
    """Where each pixel lies in the painted ground, known exactly on a coarse grid of pixels.

    The grid's nodes lie in the middle of blocks of `step` pixels, one block more on each side than
    the picture has, so that linear enlargement gives every pixel. Sky is at `NOWHERE_PX`.
    """

    x_px: Floats
    y_px: Floats
    step: int
    size: tuple[int, int]

    @classmethod
    def of(cls, view: View, world: World, ground: Ground) -> "GroundMap":
        """Return the map of a view."""
        camera = view.camera
        step = COARSE_PX if view.axes[2, 2] < STEEP else COARSE_OBLIQUE_PX
        columns, rows = (math.ceil(n / step) + 2 for n in (camera.width_px, camera.height_px))
        at_x, at_y = np.meshgrid((np.arange(columns) - 0.5) * step, (np.arange(rows) - 0.5) * step)
        met = view.ground(world.relief, at_x, at_y)
        x, y = (np.nan_to_num(m, nan=NOWHERE_PX) for m in ground.to_pixels(met[..., 0], met[..., 1]))
        return cls(x, y, step, (camera.width_px, camera.height_px))

    @property
    def has_sky(self) -> bool:
        return bool(self.x_px.min() < NOWHERE_PX / 2)

    @property
    def sparse(self) -> tuple[slice, slice]:
        """Which pixels are enough to tell what ground is in view: beyond a ridge each counts."""
        every = 6 if self.step == COARSE_PX else 1
        return np.s_[::every, ::every]

    @property
    def stride(self) -> float:
        """How many steps of the painted ground a pixel in the middle covers."""
        row, column = self.x_px.shape[0] // 2, self.x_px.shape[1] // 2
        across = self.x_px[row, column + 1] - self.x_px[row, column]
        down = self.y_px[row, column + 1] - self.y_px[row, column]
        return math.hypot(across, down) / self.step

    def maps(self, *, scale: float = 1.0, wrap_px: int | None = None) -> tuple[Pixels, Pixels]:
        """Return x and y of every pixel, times a scale and less whole wraps, as OpenCV wants them."""
        width, height = self.size
        inner = np.s_[self.step : self.step + height, self.step : self.step + width]
        fine = []
        for nodes in (self.x_px, self.y_px):
            wraps = math.floor(max(float(nodes.min()), 0.0) * scale / wrap_px) if wrap_px else 0
            moved = (nodes * scale - wraps * (wrap_px or 0)).astype(np.float32)
            large = cv2.resize(moved, (moved.shape[1] * self.step, moved.shape[0] * self.step))
            fine.append(np.asarray(large, np.float32)[inner])
        return fine[0], fine[1]


def fires_in_view(view: View, world: World, now: datetime) -> list[tuple[Fire, Patch]]:
    """Return the fires that burn now and show in the picture, with their place in it."""
    burning = [f for f in world.fires if f.area_m2(now) > 0]
    seen = []
    for fire in _shown(view, burning, [fire_reach_m(f, now) for f in burning]):
        rise = world.relief.slope_at(fire.east_m, fire.north_m)
        plane = Plane(np.array([fire.east_m, fire.north_m, fire.ground_m]), *rise)
        patch = _patch(view, plane, fire_reach_m(fire, now), 0.0)
        if patch:
            seen.append((fire, patch))
    return seen


def decoys_in_view(view: View, world: World) -> list[tuple[Decoy, Patch]]:
    """Return the decoys that show in the picture, with the place of their warm face in it."""
    seen = []
    for decoy in _shown(view, list(world.decoys), [_reach_m(d) for d in world.decoys]):
        point = np.array([decoy.east_m, decoy.north_m, decoy.ground_m + decoy.height_m])
        patch = _patch(view, Plane(point), _reach_m(decoy), math.radians(decoy.heading_deg))
        if patch:
            seen.append((decoy, patch))
    return seen


def animals_in_view(view: View, world: World, now: datetime) -> list[tuple[Standing, Patch]]:
    """Return the animals that show in the picture as they stand now, with their place in it."""
    here = [animal.at(now, world.relief) for animal in world.animals]
    seen = []
    for one in _shown(view, here, [a.reach_m for a in here]):
        plane = Plane(np.array([one.east_m, one.north_m, one.ground_m + 0.8]))
        patch = _patch(view, plane, one.reach_m, math.radians(one.heading_deg))
        if patch:
            seen.append((one, patch))
    return seen


def hides(decoy: Decoy) -> bool:
    """Return whether the thing shows in the colour picture as a patch of its own."""
    return decoy.kind is not DecoyKind.METAL_ROOF


def paint_patch(picture: npt.NDArray[np.uint8], patch: Patch, colour: Floats, cover: Floats) -> None:
    """Lay a fine colour over the picture where it covers it."""
    share = patch.averaged(cover)[..., None]
    weighted = patch.averaged(colour * cover[..., None])
    here = picture[patch.here]
    picture[patch.here] = np.clip(here * (1 - share) + weighted, 0, 255)


def sky_shift_c(ground: Ground, now_sky: Sky) -> float:
    """Return how much warmer the air is than when the ground was painted."""
    return now_sky.air_c - ground.sky.air_c


def _reach_m(decoy: Decoy) -> float:
    return 0.6 * math.hypot(decoy.length_m, decoy.width_m)


def _shown(view: View, things: list[Thing], reach_m: list[float]) -> list[Thing]:
    """Return the things whose middle lies in the picture or near enough to reach into it."""
    if not things:
        return []
    middles = np.array([[t.east_m, t.north_m, t.ground_m] for t in things])
    pixels, depth = view.pixels(middles)
    with np.errstate(divide="ignore"):
        margin = 2.0 * (np.array(reach_m) + 12.0) * view.camera.focal_px / depth
    size = np.array([view.camera.width_px, view.camera.height_px])
    inside = ((pixels > -margin[:, None]) & (pixels < size + margin[:, None])).all(1)
    return [t for t, shown in zip(things, inside & (depth > 1.0) & (depth < SEEN_M), strict=True) if shown]


def _patch(view: View, plane: Plane, reach_m: float, heading: float) -> Patch | None:
    turn = np.linspace(0, 2 * np.pi, 13)
    around = np.column_stack([np.cos(turn), np.sin(turn)]) * reach_m
    rise = around[:, 0] * plane.rise_east + around[:, 1] * plane.rise_north
    pixels, depth = view.pixels(plane.point_m + np.column_stack([around, rise]))
    if depth.min() <= 1.0:
        return None
    camera = view.camera
    left, top = (max(math.floor(v) - MARGIN_PX, 0) for v in pixels.min(0))
    right = min(math.ceil(pixels[:, 0].max()) + MARGIN_PX, camera.width_px)
    bottom = min(math.ceil(pixels[:, 1].max()) + MARGIN_PX, camera.height_px)
    if right - left < 1 or bottom - top < 1:
        return None
    fine = min(max(round(FINE_PX / max(right - left, bottom - top)), 1), 4)
    x_px, y_px = np.meshgrid(
        left + (np.arange((right - left) * fine) + 0.5) / fine,
        top + (np.arange((bottom - top) * fine) + 0.5) / fine,
    )
    met = view.on_plane(x_px, y_px, plane)
    east, north = met[..., 0] - plane.point_m[0], met[..., 1] - plane.point_m[1]
    along = east * math.sin(heading) + north * math.cos(heading)
    across = east * math.cos(heading) - north * math.sin(heading)
    return Patch(
        left, top, right, bottom, fine, np.nan_to_num(along, nan=1e6), np.nan_to_num(across, nan=1e6)
    )
