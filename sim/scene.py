"""One look at the world: where each pixel meets the ground, and which hot things are in view.

Ground is found exactly on a coarse grid of pixels and linearly in between:
16 pixels are 2.5 m from 120 m up, less than a step of the elevation model.
"""

import math
from dataclasses import dataclass
from datetime import datetime

import cv2
import numpy as np

from missions.geo import Floats
from sim.glow import fire_reach_m
from sim.ground import Ground
from sim.hazards import Decoy, DecoyKind, Fire
from sim.projection import Plane, View
from sim.sky import Sky
from sim.textures import Pixels
from sim.world import World

COARSE_PX, COARSE_OBLIQUE_PX = 16, 8
FINE = 4  # samples along each side of a pixel over a small hot thing
FINE_UP_TO_PX = 120
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


def ground_maps(view: View, world: World, ground: Ground) -> tuple[Pixels, Pixels]:
    """Return for each pixel its x and y in the painted ground, far outside where it sees sky."""
    camera = view.camera
    step = COARSE_PX if view.axes[2, 2] < -0.85 else COARSE_OBLIQUE_PX
    columns, rows = math.ceil(camera.width_px / step) + 2, math.ceil(camera.height_px / step) + 2
    x_px, y_px = np.meshgrid((np.arange(columns) - 0.5) * step, (np.arange(rows) - 0.5) * step)
    met = view.ground(world.relief, x_px, y_px)
    x, y = ground.to_pixels(met[..., 0], met[..., 1])
    size = (columns * step, rows * step)
    inner = np.s_[step : step + camera.height_px, step : step + camera.width_px]
    maps = [
        cv2.resize(np.nan_to_num(m, nan=-1e4).astype(np.float32), size, interpolation=cv2.INTER_LINEAR)[inner]
        for m in (x, y)
    ]
    return maps[0], maps[1]


def fires_in_view(view: View, world: World, now: datetime) -> list[Fire]:
    """Return the fires that burn now and are near enough to matter."""
    return [f for f in world.fires if f.area_m2(now) > 0 and _apart(view, f) < 2500.0]


def decoys_in_view(view: View, world: World) -> list[Decoy]:
    """Return the decoys near enough to matter."""
    return [d for d in world.decoys if _apart(view, d) < 1500.0]


def fire_patch(view: View, world: World, fire: Fire, now: datetime) -> Patch | None:
    """Return the part of the picture that a fire touches."""
    rise = world.relief.slope_at(fire.east_m, fire.north_m)
    plane = Plane(np.array([fire.east_m, fire.north_m, fire.ground_m]), *rise)
    return _patch(view, plane, fire_reach_m(fire, now), 0.0)


def decoy_patch(view: View, decoy: Decoy) -> Patch | None:
    """Return the part of the picture that a decoy's warm face touches."""
    point = np.array([decoy.east_m, decoy.north_m, decoy.ground_m + decoy.height_m])
    reach = 0.6 * math.hypot(decoy.length_m, decoy.width_m)
    return _patch(view, Plane(point), reach, math.radians(decoy.heading_deg))


def hides(decoy: Decoy) -> bool:
    """Return whether the thing shows in the colour picture as a patch of its own."""
    return decoy.kind is not DecoyKind.METAL_ROOF


def paint_patch(picture: Pixels, patch: Patch, colour: Floats, cover: Floats) -> None:
    """Lay a fine colour over the picture where it covers it."""
    share = patch.averaged(cover)[..., None]
    weighted = patch.averaged(colour * cover[..., None])
    here = picture[patch.here]
    picture[patch.here] = np.clip(here * (1 - share) + weighted, 0, 255)


def sky_shift_c(ground: Ground, now_sky: Sky) -> float:
    """Return how much warmer the air is than when the ground was painted."""
    return now_sky.air_c - ground.sky.air_c


def _apart(view: View, thing: Fire | Decoy) -> float:
    return math.hypot(thing.east_m - view.eye_m[0], thing.north_m - view.eye_m[1])


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
    fine = FINE if max(right - left, bottom - top) <= FINE_UP_TO_PX else 2
    x_px = left + (np.arange((right - left) * fine) + 0.5) / fine
    y_px = top + (np.arange((bottom - top) * fine) + 0.5) / fine
    met = view.on_plane(*np.meshgrid(x_px, y_px), plane)
    east, north = met[..., 0] - plane.point_m[0], met[..., 1] - plane.point_m[1]
    along = east * math.sin(heading) + north * math.cos(heading)
    across = east * math.cos(heading) - north * math.sin(heading)
    return Patch(
        left, top, right, bottom, fine, np.nan_to_num(along, nan=1e6), np.nan_to_num(across, nan=1e6)
    )
