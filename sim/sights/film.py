"""Film and sheets that the wind has left near a power line, and what is mistaken for them.

A sheet is torn: 4 to 50 m², longer than wide, with a ragged edge and folds that catch the light. White film
shows about what a sheet of paper does, milky film lets a quarter of the ground through, roofing foil is
blue. Mistaken for it (even seeds): a sheet that lay there before, a white van, pale earth that was dug, a
sheet far from the line; or nothing is new at all.
"""

import math
from pathlib import Path

import numpy as np
from shapely import points
from shapely.ops import unary_union

from missions.model import Sensor
from sim.sights import moving
from sim.sights.overlay import Bgr, along_across, tinted
from sim.sights.stage import Look, Shot, Stage, write

HOURS = (8, 10, 13, 15, 17)
KINDS = {
    "white": ((226.0, 228.0, 226.0), 0.97),
    "milky": ((220.0, 222.0, 218.0), 0.75),
    "blue": ((190.0, 120.0, 60.0), 0.97),
}
AREA_M2, LONGER = (4.0, 50.0), (1.2, 4.0)
MISTAKEN = ("nothing", "lay there", "van", "earth", "far")
VAN_M, VAN_BGR = (5.2, 2.0), (222.0, 224.0, 224.0)
EARTH_BGR = (120.0, 165.0, 195.0)
BESIDE_M, FAR_M, TRIES = 45.0, (85.0, 115.0), 50


def draw(stage: Stage, folder: Path, seed: int) -> dict[str, object]:
    """Write a picture of before and one of today and return the truth; odd seeds have new film."""
    rng = np.random.default_rng([seed, 97])
    hour = float(HOURS[seed % 5])
    spots = moving.spots(stage)
    line, (east, north), along_deg = spots[int(rng.integers(len(spots)))]
    what = "film" if seed % 2 else MISTAKEN[int(rng.integers(len(MISTAKEN)))]
    kind = sorted(KINDS)[int(rng.integers(len(KINDS)))]
    area = float(rng.uniform(*AREA_M2))
    land = stage.world(hour).landscape
    taken = unary_union([land.water, *land.villages]).buffer(2.0 + math.sqrt(area))
    for _ in range(TRIES):
        x, y, off = _place(what, (east, north), along_deg, rng)
        if not taken.contains(points(x, y)):
            break
    above, turned = float(rng.uniform(70, 110)), float(rng.uniform(0, 360))
    again = turned + float(rng.choice([0, 180]) + rng.normal(0, 5))
    shape, files = int(rng.integers(2**31)), {}
    for name, heading, number, day in (("before", turned, seed, 0), ("today", again, seed + 5000, 20)):
        at = rng.normal(0, 4, 2)
        shot = Shot(x + at[0], y + at[1], above, heading, -90.0, hour, number, day=day)
        look = stage.looks(shot)[Sensor.RGB]
        picture = stage.colour(look, hour)
        own = np.random.default_rng(shape)
        if what in ("film", "far", "lay there") and (day or what == "lay there"):
            picture = _sheet(look, picture, (x, y), kind, area, own)
        elif what in ("van", "earth") and day:
            picture = _other(look, picture, (x, y), what, own)
        files[name] = write(folder, name, look, picture)
    return {
        "seed": seed,
        "hour": hour,
        "line": line,
        "what": what,
        "kind": kind,
        "area_m2": round(area, 1),
        "away_m": round(abs(off), 1),
        "files": files,
    }


def references(stage: Stage) -> dict[str, object]:
    """Return what the site's people know beside the site itself: nothing."""
    return {}


def _place(
    what: str, middle: tuple[float, float], along_deg: float, rng: np.random.Generator
) -> tuple[float, float, float]:
    """Return a place beside the line's middle, east and north, and how far to its right."""
    off = rng.uniform(*FAR_M) * rng.choice([-1, 1]) if what == "far" else rng.uniform(-BESIDE_M, BESIDE_M)
    along, across = math.radians(along_deg), math.radians(along_deg + 90.0)
    ahead = float(rng.uniform(-25, 25))
    x = middle[0] + off * math.sin(across) + ahead * math.sin(along)
    y = middle[1] + off * math.cos(across) + ahead * math.cos(along)
    return x, y, float(off)


def _sheet(
    look: Look, picture: Bgr, at: tuple[float, float], kind: str, area_m2: float, rng: np.random.Generator
) -> Bgr:
    """Return the picture with a torn sheet in it."""
    along, across = _from(look, at, float(rng.uniform(0, 360)))
    longer = float(rng.uniform(*LONGER))
    half = math.sqrt(area_m2 / math.pi / longer)
    turn = np.arctan2(across, along / longer)
    phase = rng.uniform(0, 6.28, 4)
    ragged = sum(0.14 * np.sin((k + 2) * turn + p) for k, p in enumerate(phase))
    inside = np.hypot(along / longer, across) < half * (1 + ragged)
    folds = 1 + 0.07 * np.sin(across * 5 + np.sin(along * 2.3) * 2 + phase[0]) - 0.05 * rng.random()
    colour, share = KINDS[kind]
    cover = np.asarray(inside * share, np.float32)
    return tinted(picture, np.asarray(colour, np.float32) * folds[..., None].astype(np.float32), cover)


def _other(look: Look, picture: Bgr, at: tuple[float, float], what: str, rng: np.random.Generator) -> Bgr:
    """Return the picture with a white van, or with pale earth that was dug."""
    along, across = _from(look, at, float(rng.uniform(0, 360)))
    if what == "van":
        inside = (np.abs(along) < VAN_M[0] / 2) & (np.abs(across) < VAN_M[1] / 2)
        glass = (along > VAN_M[0] * 0.22) & (along < VAN_M[0] * 0.33)
        colour = np.where((glass & inside)[..., None], 60.0, np.array(VAN_BGR))
        return tinted(picture, colour, inside.astype(np.float32))
    inside = np.hypot(along / 1.6, across) < rng.uniform(1.2, 2.4)
    crumbs = rng.normal(1.0, 0.08, picture.shape[:2])[..., None]
    return tinted(picture, np.array(EARTH_BGR) * crumbs, inside.astype(np.float32))


def _from(look: Look, at: tuple[float, float], heading_deg: float) -> tuple[np.ndarray, np.ndarray]:
    """Return metres along and across of every pixel, from a place."""
    east, north = look.ground.metres()
    middle = look.ground.middle_m
    return along_across(
        np.asarray(east + np.float32(middle[0] - at[0])),
        np.asarray(north + np.float32(middle[1] - at[1])),
        heading_deg,
    )
