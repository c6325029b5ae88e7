"""Straw on fire in a harvested field, and the warm things that stand in fields without a fire.

A line of flame runs through the stubble before or against the wind: half to one and a half metres deep,
350-700 °C as a long-wave camera reads it, bent, with gaps; behind it the ash lies warm for minutes
(60-110 °C, falling off over 6 m). Mistaken for it are a tractor's engine (70-110 °C), black film and a
metal sheet in the sun (50-66 °C), a heap of manure at work (55-70 °C), and a fire that burns beside the
field, which is a fire but nobody's straw.
"""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from shapely.geometry import Point, Polygon
from shapely.geometry.base import BaseGeometry
from shapely.ops import unary_union

from missions.model import Sensor
from sim.cover import Cover
from sim.landscape import turned
from sim.sights.overlay import along_across, heated, tinted
from sim.sights.stage import Look, Shot, Stage, write
from sim.textures import Pixels

FIELDS, FIELD_M = 40, (42.0, 30.0)
FRONT_C, FRONT_DEEP_M, FRONT_LONG_M = (380.0, 700.0), (0.5, 1.5), (8.0, 26.0)
ASH_C, ASH_FADES_M = (60.0, 110.0), 6.0
HOURS = (7, 10, 13, 16, 20)
MISTAKEN = ("nothing", "tractor", "film", "heap", "fire beside")
SIZE_M = {"tractor": (1.4, 0.8), "film": (7.0, 4.0), "heap": (3.0, 1.8), "fire beside": (1.6, 1.4)}
WARM_C = {"tractor": (70.0, 110.0), "film": (50.0, 66.0), "heap": (55.0, 70.0), "fire beside": (450.0, 650.0)}
ASH_BGR, FLAME_BGR = (44.0, 46.0, 48.0), (60.0, 160.0, 250.0)


Picture = npt.NDArray[Any]


@dataclass(frozen=True, slots=True)
class Field:
    """A field as the land register has it."""

    id: str
    east_m: float
    north_m: float
    heading_deg: float

    def corners(self) -> list[tuple[float, float]]:
        """Return its four corners in local metres."""
        along, across = (v / 2 for v in FIELD_M)
        ring = turned(
            np.array([along, along, -along, -along]),
            np.array([across, -across, -across, across]),
            self.heading_deg,
        )
        return [(float(x) + self.east_m, float(y) + self.north_m) for x, y in ring]


def draw(stage: Stage, folder: Path, seed: int) -> dict[str, object]:
    """Write both pictures of a field and return the truth; odd seeds have a straw fire."""
    rng = np.random.default_rng([seed, 67])
    hour = float(HOURS[seed % 5])
    known = fields(stage)
    field = known[int(rng.integers(len(known)))]
    shot = Shot(
        field.east_m + rng.normal(0, 5.0),
        field.north_m + rng.normal(0, 5.0),
        above_m=float(rng.uniform(70, 120)),
        heading_deg=float(rng.uniform(0, 360)),
        pitch_deg=float(rng.choice([-90.0, -70.0])),
        hour=hour,
        seed=seed,
    )
    what = "straw" if seed % 2 else MISTAKEN[int(rng.integers(len(MISTAKEN)))]
    if what == "film" and not 8 < hour < 17:
        what = "tractor"
    draws = int(rng.integers(2**31))
    files: dict[str, str] = {}
    truth: dict[str, object] = {}
    for sensor, look in stage.looks(shot).items():
        picture = stage.celsius(look, hour) if sensor is Sensor.THERMAL else stage.colour(look, hour)
        own = np.random.default_rng(draws)
        painted, truth = (
            _burnt(look, picture, field, own)
            if what == "straw"
            else _mistaken(look, picture, field, what, own)
        )
        files[sensor.value] = write(folder, "look", look, painted)
    return {"seed": seed, "hour": hour, "field": field.id, "files": files, "what": what, **truth}


def references(stage: Stage) -> dict[str, object]:
    """Return the fields of the land register: rings of places in degrees."""
    frame = stage.world().frame
    rows = []
    for field in fields(stage):
        ring = [frame.to_place(*corner) for corner in field.corners()]
        rows.append({"id": field.id, "ring": [[p.lat_deg, p.lon_deg] for p in ring]})
    return {"fields": rows}


def fields(stage: Stage) -> tuple[Field, ...]:
    """Return fields of the open valley floor: no wood, water, road or house in or near them."""
    return _fields(stage)


@lru_cache(maxsize=2)
def _fields(stage: Stage) -> tuple[Field, ...]:
    world = stage.world()
    land, cover = world.landscape, Cover.of(world.landscape, world.relief)
    taken: BaseGeometry = unary_union(
        [
            land.water.buffer(25.0),
            *(v.buffer(25.0) for v in land.villages),
            *(c.buffer(20.0) for c in land.compartments),
            *(r.line.buffer(r.half_width_m + 6.0) for r in land.roads),
        ]
    )
    west, south, east, north = land.water.bounds
    rng = np.random.default_rng(71)
    found: list[Field] = []
    for _ in range(6000):
        x, y = rng.uniform((west, south - 300), (east, north + 300))
        field = Field(f"F{len(found) + 1}", float(x), float(y), float(rng.uniform(0, 180)))
        shape = Polygon(field.corners())
        row = int((cover.north_m - y) / 2.0)
        column = int((x - cover.west_m) / 2.0)
        if not (0 <= row < cover.forest.shape[0] and 0 <= column < cover.forest.shape[1]):
            continue
        if cover.forest[row, column] > -28.0 or shape.intersects(taken):
            continue
        if any(Point(x, y).distance(Point(f.east_m, f.north_m)) < 80.0 for f in found):
            continue
        found.append(field)
        if len(found) == FIELDS:
            break
    return tuple(found)


def _burnt(
    look: Look, picture: Picture, field: Field, rng: np.random.Generator
) -> tuple[Picture, dict[str, object]]:
    """Return the picture with a line of burning straw, and what is true of it."""
    along, across = _from(look, field.east_m, field.north_m, field.heading_deg)
    long_m, deep_m = float(rng.uniform(*FRONT_LONG_M)), float(rng.uniform(*FRONT_DEEP_M))
    bend, at = float(rng.uniform(-2.5, 2.5)), float(rng.uniform(-6, 6))
    hot, ash = float(rng.uniform(*FRONT_C)), float(rng.uniform(*ASH_C))
    line = at + bend * np.sin(along * 3.1 / long_m) + 0.35 * np.sin(along * 1.9 + _phase(rng))
    behind = line - across
    inside = np.abs(along) < long_m / 2
    gaps = np.sin(along * 0.9 + _phase(rng)) > -0.8
    front = (inside & gaps & (np.abs(behind) < deep_m / 2)).astype(np.float32)
    cooled = (inside & (behind >= deep_m / 2) & (behind < 14.0)).astype(np.float32)
    if look.camera.sensor is Sensor.THERMAL:
        warm = picture + (ash - picture) * np.exp(-np.maximum(behind, 0) / ASH_FADES_M)
        lying = np.where(cooled > 0, np.maximum(warm, picture), picture).astype(np.float32)
        painted: Picture = heated(lying, np.full_like(picture, hot), front)
    else:
        painted = tinted(tinted(picture, np.array(ASH_BGR), 0.85 * cooled), np.array(FLAME_BGR), front)
    middle = turned(np.zeros(1), np.array([at]), field.heading_deg)[0]
    return painted, {
        "front_m": round(long_m, 1),
        "temp_c": round(hot),
        "east_m": round(field.east_m + float(middle[0]), 2),
        "north_m": round(field.north_m + float(middle[1]), 2),
    }


def _mistaken(
    look: Look, picture: Picture, field: Field, what: str, rng: np.random.Generator
) -> tuple[Picture, dict[str, object]]:
    """Return the picture with a warm thing that is no straw fire."""
    if what == "nothing":
        return picture, {}
    east, north = field.east_m + rng.uniform(-8, 8), field.north_m + rng.uniform(-8, 8)
    if what == "fire beside":
        off = turned(np.zeros(1), np.array([FIELD_M[1] / 2 + 14.0]), field.heading_deg)[0]
        east, north = field.east_m + float(off[0]), field.north_m + float(off[1])
    along, across = _from(look, east, north, float(rng.uniform(0, 180)))
    length, width = SIZE_M[what]
    inside = (np.abs(along) < length / 2) & (np.abs(across) < width / 2)
    share, temp = inside.astype(np.float32), float(rng.uniform(*WARM_C[what]))
    if look.camera.sensor is Sensor.THERMAL:
        painted: Picture = heated(picture, np.full_like(picture, temp), share)
    else:
        painted = tinted(picture, np.array(FLAME_BGR if what == "fire beside" else ASH_BGR), share)
    return painted, {
        "east_m": round(float(east), 2),
        "north_m": round(float(north), 2),
        "temp_c": round(temp),
    }


def _phase(rng: np.random.Generator) -> float:
    """Return a phase drawn by chance."""
    return float(rng.uniform(0, 6.28))


def _from(look: Look, east_m: float, north_m: float, heading_deg: float) -> tuple[Pixels, Pixels]:
    """Return metres along and across of every pixel, from a place."""
    east, north = look.ground.metres()
    middle = look.ground.middle_m
    return along_across(
        np.asarray(east + np.float32(middle[0] - east_m)),
        np.asarray(north + np.float32(middle[1] - north_m)),
        heading_deg,
    )
