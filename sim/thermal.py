"""The thermal camera: apparent temperature of every pixel, with the camera's own faults.

An uncooled 640x512 microbolometer in its low-gain range. What it adds to the scene:
blur of lens and detector (Gaussian, sigma 0.8 px), noise of 0.05 K (NETD of the
DJI M30T and FLIR Vue Pro data sheets), a faint column pattern, edges that read
up to 0.8 K low (narcissus and housing warmth, left over between shutter events), an
offset that wanders within 2 K as the housing warms and cools (Kelly et al. 2019, Remote Sens. 11,
567), and an end of the range at 500 °C. Motion blur at 12 m/s and 10 ms is below a pixel.
"""

import math
import zlib
from datetime import datetime

import cv2
import numpy as np

from missions.geo import Floats
from sim.glow import decoy_c, fire_c
from sim.ground import Ground
from sim.projection import View
from sim.radiance import radiance, temperature_c
from sim.scene import (
    NOWHERE_PX,
    GroundMap,
    Patch,
    animals_in_view,
    decoys_in_view,
    fires_in_view,
    sky_shift_c,
)
from sim.sky import Sky
from sim.structures import STEEL_SUN_K, Structures, to_fixed
from sim.textures import Pixels
from sim.world import World

BLUR_PX = 0.8
NETD_K, COLUMNS_K, EDGE_K, DRIFT_K = 0.05, 0.02, 0.8, 2.0
RANGE_END_C = 500.0
SKY_C = -20.0
NOISE_PX = 1024
STEEL_COVER, WIRE_COVER = 0.7, 0.12


class ThermalCamera:
    """Renders °C; holds the noise pattern it draws from."""

    def __init__(self, world: World, ground: Ground, structures: Structures) -> None:
        self._world, self._ground, self._structures = world, ground, structures
        rng = np.random.default_rng(640512)
        self._noise = rng.normal(0.0, NETD_K, (NOISE_PX, NOISE_PX)).astype(np.float32)
        self._columns = rng.normal(0.0, COLUMNS_K, NOISE_PX).astype(np.float32)

    def render(self, view: View, at: datetime, *, drone: str, rng: np.random.Generator) -> Pixels:
        """Return the picture in °C as the camera reads it."""
        sky = Sky.over(self._world.site.origin, at)
        scene = self._scene(view, at, sky)
        scene = np.asarray(cv2.GaussianBlur(scene, (0, 0), BLUR_PX), np.float32)
        self._add_hot_things(scene, view, at, sky)
        self._add_faults(scene, drift_c(self._world.seed, drone, at), rng)
        return np.asarray(np.minimum(scene, RANGE_END_C, out=scene))

    def _scene(self, view: View, at: datetime, sky: Sky) -> Pixels:
        where = GroundMap.of(view, self._world, self._ground)
        x, y = where.maps()
        self._ground.prepare(at, x[where.sparse], y[where.sparse])
        raw = cv2.remap(self._ground.centi_c, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        scene = raw.astype(np.float32)
        scene *= 0.01
        scene += sky_shift_c(self._ground, sky)
        if where.has_sky:
            scene[x < NOWHERE_PX / 2] = SKY_C
        for face in self._structures.faces(view, sky):
            cv2.fillConvexPoly(scene, to_fixed(face.outline_px), face.temp_c, cv2.LINE_8, 4)
        self._draw_strands(scene, view, sky)
        return scene

    def _draw_strands(self, scene: Pixels, view: View, sky: Sky) -> None:
        hung, lattice = self._structures.wires(view), self._structures.lattice(view)
        for lines, cover in ((hung, WIRE_COVER), (lattice, STEEL_COVER)):
            mask = np.zeros(scene.shape, np.uint8)
            cv2.polylines(mask, [to_fixed(s) for s in lines], False, 255, 1, cv2.LINE_AA, 4)
            if not mask.any():
                continue
            share = mask.astype(np.float32) * (cover / 255)
            scene += (sky.air_c + STEEL_SUN_K * sky.beam - scene) * share

    def _add_hot_things(self, scene: Pixels, view: View, at: datetime, sky: Sky) -> None:
        for fire, patch in fires_in_view(view, self._world, at):
            _glow(scene, patch, fire_c(fire, patch.x_m, patch.y_m, sky=sky, now=at))
        for decoy, patch in decoys_in_view(view, self._world):
            _glow(scene, patch, decoy_c(decoy, patch.x_m, patch.y_m, sky=sky))
        for animal, patch in animals_in_view(view, self._world, at):
            _glow(scene, patch, animal.coat_c(patch.x_m, patch.y_m, air_c=sky.air_c))

    def _add_faults(self, scene: Pixels, drift: float, rng: np.random.Generator) -> None:
        height, width = scene.shape
        row, column = (int(v) for v in rng.integers(0, (NOISE_PX - height + 1, NOISE_PX - width + 1)))
        scene += self._noise[row : row + height, column : column + width]
        scene += self._columns[:width] + np.float32(drift)
        y = np.linspace(-1, 1, height, dtype=np.float32)[:, None] ** 2
        x = np.linspace(-1, 1, width, dtype=np.float32) ** 2
        scene -= (EDGE_K / 2) * (x + y)


def drift_c(seed: int, drone: str, at: datetime) -> float:
    """Return a camera's offset at a time: three slow waves of its own, within 2 K."""
    own = np.random.default_rng([seed, zlib.crc32(drone.encode())])
    periods, phases = own.uniform((90, 240, 700), (200, 600, 1500)), own.uniform(0, 2 * math.pi, 3)
    waves = np.sin(2 * math.pi * (at.timestamp() % 86400.0) / periods + phases)
    return float(waves @ np.array([0.2, 0.35, 0.45]) * DRIFT_K)


def _glow(scene: Pixels, patch: Patch, temp_c: Floats) -> None:
    """Mix a hot thing into the picture, by radiance, blurred as everything else."""
    behind = radiance(np.asarray(scene[patch.here], float))
    fine_behind = np.repeat(np.repeat(behind, patch.fine, 0), patch.fine, 1)
    more = np.where(np.isnan(temp_c), 0.0, radiance(np.nan_to_num(temp_c)) - fine_behind)
    blurred = cv2.GaussianBlur(patch.averaged(more), (0, 0), BLUR_PX, borderType=cv2.BORDER_REPLICATE)
    scene[patch.here] = temperature_c(behind + np.asarray(blurred, float))
