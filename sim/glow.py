"""Fires and decoys close up: temperature and colour as functions of metres from their middle.

Each function takes points in the thing's own plane, `x` along its heading and `y`
to the right of it, and gives NaN or no cover where the thing is not. Flames flicker
with the time of the picture; nothing else moves.
"""

import math
from datetime import datetime
from functools import cache

import numpy as np
import numpy.typing as npt

from missions.geo import Floats
from sim.hazards import Decoy, DecoyKind, Fire
from sim.sky import Sky
from sim.textures import Pixels, noise

CORE, HALO = 0.6, 2.0  # share of the radius that burns hot; reach of heated ground
RIM_C, HEATED_K = 180.0, 55.0
LEAF_K = 12.0  # foliage over a fire, above air
CHARRED = 1.7
TILE_PX = 256
FLAME_BGR = np.array([[20, 40, 120], [20, 90, 230], [40, 160, 255], [150, 230, 255]], float)


def fire_reach_m(fire: Fire, now: datetime) -> float:
    """Return the distance beyond which the fire changes nothing."""
    return 1.3 * HALO * fire.radius_m(now)


def fire_c(fire: Fire, x_m: Floats, y_m: Floats, *, sky: Sky, now: datetime) -> Floats:
    """Return the apparent temperature of a fire's parts, NaN beyond the heated ground."""
    rho = _rho(fire, x_m, y_m, now)
    core = fire.temp_c * flicker(fire, now) * (1 + 0.12 * _cells(fire, x_m, y_m, now))
    share = np.clip((rho - CORE) / (1 - CORE), 0, 1)
    burning = core + (RIM_C - core) * share
    heated = sky.air_c + HEATED_K * np.exp(-(np.maximum(rho, 1.0) - 1) / 0.3)
    temp = np.where(rho < 1, burning, heated)
    temp = np.where(_leaves(fire, x_m, y_m), sky.air_c + LEAF_K, temp)
    return np.where(rho < HALO, temp, np.nan)


def flicker(fire: Fire, now: datetime) -> float:
    """Return how bright the fire burns at this instant, around 1."""
    t = now.timestamp() % 3600.0
    return (
        1
        + 0.07 * math.sin(2 * math.pi * 1.9 * t + fire.shape)
        + 0.04 * math.sin(2 * math.pi * 5.3 * t + 2 * fire.shape)
    )


def fire_colour(fire: Fire, x_m: Floats, y_m: Floats, *, now: datetime) -> tuple[Floats, Floats]:
    """Return blue, green, red and cover (0-1) of a fire: flames and embers on charred ground."""
    rho = _rho(fire, x_m, y_m, now)
    cells = _cells(fire, x_m, y_m, now)
    heat = np.clip(1.25 - rho + 0.55 * cells, 0, 1) * (rho < 1.15)
    step = heat * (len(FLAME_BGR) - 1)
    low = np.minimum(step.astype(int), len(FLAME_BGR) - 2)
    flame = FLAME_BGR[low] + (FLAME_BGR[low + 1] - FLAME_BGR[low]) * (step - low)[..., None]
    char = np.array([30.0, 32.0, 34.0]) + 10 * cells[..., None]
    burning = np.clip(heat * 4, 0, 1)[..., None]
    cover = np.clip((CHARRED + 0.25 * cells - rho) / 0.25, 0, 1) * np.where(rho < 1.1, 1.0, 0.8)
    cover = np.where(_leaves(fire, x_m, y_m), 0.1, cover)
    return char + (flame - char) * burning, cover


def decoy_c(decoy: Decoy, x_m: Floats, y_m: Floats, *, sky: Sky) -> Floats:
    """Return the apparent temperature of a decoy's parts, NaN where it is not."""
    temp = decoy.temp_under(sky)
    match decoy.kind:
        case DecoyKind.METAL_ROOF:
            ribs = 1.5 * np.sin(2 * math.pi * x_m / 0.9) + 1.2 * np.sin(x_m * 0.7 + y_m)
            return np.where(_in_box(decoy, x_m, y_m), temp - 2.0 + ribs, np.nan)
        case DecoyKind.VEHICLE:
            body = np.where(_in_box(decoy, x_m, y_m), sky.air_c + 14.0 * sky.beam, np.nan)
            bonnet = ((x_m - 1.45) / 0.75) ** 2 + (y_m / 0.7) ** 2 < 1
            exhaust = (x_m + 2.2) ** 2 + (y_m - 0.5) ** 2 < 0.12**2
            warm = sky.air_c + 0.75 * (temp - sky.air_c)
            return np.where(exhaust, temp, np.where(bonnet, warm, body))
        case DecoyKind.WARM_ROCK:
            rho = _blob(decoy, x_m, y_m)
            facets = 1.5 * np.sin(2.1 * x_m + 0.6) * np.sin(2.7 * y_m)
            return np.where(rho < 1, temp - 3 * rho**2 + facets, np.nan)
        case DecoyKind.STOVE:
            rho = np.hypot(x_m, y_m) / (decoy.length_m / math.sqrt(math.pi))
            return np.where(rho < 1, temp - (temp - sky.air_c) * 0.35 * rho**2, np.nan)
        case DecoyKind.CHIMNEY:
            return np.where(_in_box(decoy, x_m, y_m), temp, np.nan)


def decoy_colour(decoy: Decoy, x_m: Floats, y_m: Floats) -> tuple[Floats, Floats]:
    """Return blue, green, red and cover (0-1) of a decoy."""
    inside = ~np.isnan(decoy_c(decoy, x_m, y_m, sky=Sky(180.0, 60.0, 1.0, 25.0)))
    grain = np.sin(9.1 * x_m + 3) * np.sin(8.3 * y_m)
    match decoy.kind:
        case DecoyKind.METAL_ROOF:
            base = np.array([196.0, 176.0, 150.0]) + 16 * np.sin(2 * math.pi * x_m / 0.45)[..., None]
        case DecoyKind.VEHICLE:
            glass = (np.abs(x_m - 0.35) < 0.35) | (np.abs(x_m + 1.75) < 0.22)
            base = np.where(glass[..., None], [52.0, 46.0, 40.0], [210.0, 212.0, 214.0])
        case DecoyKind.WARM_ROCK:
            base = (
                np.array([104.0, 110.0, 112.0]) * (1 + 0.25 * grain - 0.2 * _blob(decoy, x_m, y_m))[..., None]
            )
        case DecoyKind.STOVE:
            mouth = np.hypot(x_m, y_m) < 0.14
            base = np.where(mouth[..., None], [18.0, 24.0, 40.0], [88.0, 108.0, 138.0])
        case DecoyKind.CHIMNEY:
            mouth = np.maximum(np.abs(x_m), np.abs(y_m)) < 0.16
            base = np.where(mouth[..., None], [20.0, 20.0, 22.0], [70.0, 84.0, 128.0])
    return base + np.zeros((*np.shape(x_m), 3)), inside.astype(float)


def _rho(fire: Fire, x_m: Floats, y_m: Floats, now: datetime) -> Floats:
    """Return the distance from the middle in radii of the lobed outline, whose area is the fire's."""
    angle = np.arctan2(y_m, x_m)
    lobes = 1 + 0.16 * np.sin(2 * angle + fire.shape) + 0.09 * np.sin(3 * angle + 2.1 * fire.shape)
    lobes /= math.sqrt(1 + (0.16**2 + 0.09**2) / 2)
    return np.asarray(np.hypot(x_m, y_m) / (max(fire.radius_m(now), 1e-3) * lobes))


def _cells(fire: Fire, x_m: Floats, y_m: Floats, now: datetime) -> Floats:
    """Return the tongues of flame, -1 to 1, other ones several times a second."""
    moment = math.floor(now.timestamp() % 3600.0 * 8) + round(fire.shape * 100)
    coarse = _pattern(x_m, y_m, 0.10, moment * 37)
    return np.tanh(0.6 * coarse + 0.5 * _pattern(x_m, y_m, 0.045, moment * 91))


def _leaves(fire: Fire, x_m: Floats, y_m: Floats) -> npt.NDArray[np.bool_]:
    """Return where foliage hides the fire, in clumps of some decimetres."""
    if fire.leaf_cover <= 0:
        return np.zeros(np.shape(x_m), bool)
    pattern = _pattern(x_m, y_m, 0.035, round(fire.shape * 1000))
    return np.asarray(pattern > np.quantile(_tile(), 1 - fire.leaf_cover))


def _pattern(x_m: Floats, y_m: Floats, step_m: float, start: int) -> Pixels:
    """Return noise at points of a plane, its blobs ten steps wide."""
    row = (np.floor(np.clip(y_m, -1e4, 1e4) / step_m).astype(int) + start) % TILE_PX
    column = (np.floor(np.clip(x_m, -1e4, 1e4) / step_m).astype(int) + start // 3) % TILE_PX
    return np.asarray(_tile()[row, column])


@cache
def _tile() -> Pixels:
    return noise(np.random.default_rng(11), TILE_PX, 10.0)


def _in_box(decoy: Decoy, x_m: Floats, y_m: Floats) -> npt.NDArray[np.bool_]:
    return np.asarray((np.abs(x_m) < decoy.length_m / 2) & (np.abs(y_m) < decoy.width_m / 2))


def _blob(decoy: Decoy, x_m: Floats, y_m: Floats) -> Floats:
    angle = np.arctan2(y_m, x_m)
    lobes = 1 + 0.12 * np.sin(3 * angle + decoy.heading_deg) + 0.08 * np.sin(5 * angle)
    return np.asarray(np.hypot(x_m / decoy.length_m, y_m / decoy.width_m) * 2 / lobes)
