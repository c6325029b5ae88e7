"""What an outfall lets into a river: warmth and colour that follow the bank and spread.

Beside the bank a plume keeps to its side: a few metres wide at the mouth, a tenth wider for each metre
downstream, its strength falling by a factor e over its length (the shape of the near field of a
shore-attached surface plume; Jones, Nash, Doneker & Jirka 2007, J. Hydraul. Eng. 133, 1067). Sewage and
cooling water come 2-9 K warmer than the river, works' water also without colour, mud and dye without
warmth.
"""

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from shapely import get_x, get_y, line_interpolate_point, line_locate_point, points
from shapely.geometry import LineString

from missions.geo import Floats
from missions.model import Sensor
from sim.sights.overlay import Ground, tinted, warmed
from sim.sights.stage import Look, Shot, Stage, write
from sim.textures import Pixels, noise

SPACING_M = 95.0
MOUTH_M, WIDENS = 2.0, 0.11
DYES = ((120, 126, 132), (58, 92, 132), (206, 210, 212), (46, 50, 56), (70, 140, 60))
LEAST_K, LEAST_SHARE = 1.8, 0.24
TILE_PX = 256
WATER_GRAIN = 12.0  # of what is painted, only water and roads are as smooth


@dataclass(frozen=True, slots=True)
class Outfall:
    """A pipe at a bank: metres down the river's line, and which bank (1 left, -1 right)."""

    id: str
    station_m: float
    side: int


@dataclass(frozen=True, slots=True)
class Plume:
    """What comes out: kelvins and cover at the mouth, the dye, and over how many metres it falls to 1/e."""

    warmer_k: float
    share: float
    dye: tuple[int, int, int]
    fades_m: float


@dataclass(frozen=True, slots=True, eq=False)
class Course:
    """Where each node of a picture lies in the river: metres down its line, and to the left of it."""

    station_m: Floats
    left_m: Floats


def outfalls(river: LineString) -> tuple[Outfall, ...]:
    """Return the known outfalls of the valley's river, on both banks by turns."""
    stations = np.arange(180.0, river.length - 180.0, SPACING_M)
    return tuple(Outfall(f"O{i + 1}", float(s), 1 if i % 2 else -1) for i, s in enumerate(stations))


def place_m(river: LineString, half_m: float, outfall: Outfall) -> tuple[float, float]:
    """Return where an outfall's mouth is, east and north."""
    here, on = river.interpolate(outfall.station_m), river.interpolate(outfall.station_m + 1.0)
    east, north = on.x - here.x, on.y - here.y
    off = outfall.side * half_m / np.hypot(east, north)
    return float(here.x - north * off), float(here.y + east * off)


def course(river: LineString, ground: Ground) -> Course:
    """Return where a picture's nodes lie in the river."""
    at = points(ground.east_m, ground.north_m)
    station = line_locate_point(river, at)
    foot, on = line_interpolate_point(river, station), line_interpolate_point(river, station + 0.5)
    back = line_interpolate_point(river, np.maximum(station - 0.5, 0.0))
    fx, fy = _xy(foot)
    ahead = np.array(_xy(on)) - np.array(_xy(back))
    left = ahead[0] * (ground.north_m - fy) - ahead[1] * (ground.east_m - fx)
    return Course(np.asarray(station), np.asarray(left / np.maximum(np.hypot(*ahead), 1e-6)))


def strength(at: Course, ground: Ground, outfall: Outfall, plume: Plume, half_m: float) -> Pixels:
    """Return how strong a plume is at each pixel, 0 to 1."""
    down = ground.fine(at.station_m - outfall.station_m)
    from_bank = half_m - outfall.side * ground.fine(at.left_m)
    width = MOUTH_M + WIDENS * np.maximum(down, 0)
    across = np.exp(-((np.maximum(from_bank - 0.3 * width, 0) / width) ** 2) / 2)
    fades = np.exp(-np.maximum(down, 0) / plume.fades_m) * np.clip(down / 1.5 + 1.0, 0, 1)
    east, north = ground.metres()
    swirl = 1 + 0.22 * _swirl(east, north)
    return np.asarray(across * fades * swirl, np.float32)


def shoal(at: Course, ground: Ground, side: int, half_m: float) -> Pixels:
    """Return how shallow water is along a bank that the sun warms: up- and downstream alike, 0 to 1."""
    from_bank = half_m - side * ground.fine(at.left_m)
    return np.asarray(np.exp(-np.maximum(from_bank, 0) / 1.8), np.float32)


def wet(stage: Stage, look: Look, at: Course, half_m: float, hour: float) -> Pixels:
    """Return where a picture shows the river's water; its painted banks are ragged."""
    grain = stage.grain(look, hour)
    return np.asarray(
        (grain < WATER_GRAIN) & (np.abs(look.ground.fine(at.left_m)) < half_m + 4.0), np.float32
    )


def draw(stage: Stage, folder: Path, seed: int) -> dict[str, object]:
    """Write both pictures of an outfall and return the truth; odd seeds have a plume."""
    rng = np.random.default_rng([seed, 61])
    hour = float((6, 9, 12, 15, 21)[seed % 5])
    river, half_m = stage.world(hour).landscape.rivers[0]
    known = outfalls(river)
    outfall = known[int(rng.integers(len(known)))]
    middle = river.interpolate(outfall.station_m + rng.uniform(-6.0, 8.0))
    shot = Shot(
        middle.x + rng.normal(0, 3.0),
        middle.y + rng.normal(0, 3.0),
        above_m=float(rng.uniform(85, 120)),
        heading_deg=float(rng.uniform(0, 360)),
        pitch_deg=float(rng.choice([-90.0, -75.0])),
        hour=hour,
        seed=seed,
    )
    plume = _plume(rng) if seed % 2 else None
    warm_bank_k = float(rng.uniform(0.5, 1.8)) if rng.random() < 0.4 and 8 < hour < 18 else 0.0
    looks, files = stage.looks(shot), {}
    for sensor, look in looks.items():
        at = course(river, look.ground)
        bank = shoal(at, look.ground, -outfall.side if seed % 3 else outfall.side, half_m)
        cloud = strength(at, look.ground, outfall, plume, half_m) if plume else np.zeros_like(bank)
        if sensor is Sensor.THERMAL:
            calm = stage.celsius(look, hour)
            water = wet(stage, look, at, half_m, hour)
            more = bank * np.float32(warm_bank_k) + cloud * np.float32(plume.warmer_k if plume else 0)
            files[sensor.value] = write(folder, "look", look, warmed(calm, np.asarray(more * water)))
        else:
            scene = stage.colour(look, hour)
            shown = cloud * np.float32(plume.share if plume else 0.0) * wet(stage, look, at, half_m, hour)
            dye = np.array(plume.dye if plume else (0, 0, 0), float) * (0.06 if hour > 19 else 1.0)
            files[sensor.value] = write(folder, "look", look, tinted(scene, dye, np.asarray(shown)))
    truth: dict[str, object] = {
        "seed": seed,
        "hour": hour,
        "outfall": outfall.id,
        "files": files,
        "plume": None,
    }
    if plume:
        truth["plume"] = {
            "warmer_k": round(plume.warmer_k, 2),
            "share": round(plume.share, 2),
            "fades_m": round(plume.fades_m, 1),
        }
    return truth


def references(stage: Stage) -> dict[str, object]:
    """Return the outfalls as the water board's list of them: places in degrees."""
    world = stage.world()
    river, half_m = world.landscape.rivers[0]
    listed = []
    for outfall in outfalls(river):
        place = world.frame.to_place(*place_m(river, half_m, outfall))
        listed.append({"id": outfall.id, "lat_deg": place.lat_deg, "lon_deg": place.lon_deg})
    return {"outfalls": listed}


def _plume(rng: np.random.Generator) -> Plume:
    """Return a plume that is warm, coloured or both."""
    kind = rng.choice(["both", "warm", "coloured"], p=[0.6, 0.2, 0.2])
    return Plume(
        warmer_k=0.0 if kind == "coloured" else float(np.exp(rng.uniform(np.log(LEAST_K), np.log(9.0)))),
        share=0.0 if kind == "warm" else float(rng.uniform(LEAST_SHARE, 0.75)),
        dye=DYES[int(rng.integers(len(DYES)))],
        fades_m=float(rng.uniform(18.0, 60.0)),
    )


def _swirl(east: Pixels, north: Pixels) -> Pixels:
    row, column = ((np.floor(v / 0.25).astype(int)) % TILE_PX for v in (north, east))
    return np.asarray(_tile()[row, column])


@cache
def _tile() -> Pixels:
    return noise(np.random.default_rng(23), TILE_PX, 14.0)


def _xy(at: object) -> tuple[Floats, Floats]:
    return np.asarray(get_x(at)), np.asarray(get_y(at))
