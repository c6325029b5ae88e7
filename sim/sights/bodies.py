"""Warm bodies in open ground, flown over in two strips of thermal pictures: animals, people, vehicles.

What a camera reads of a coat is its outer side, some kelvins over the air. The numbers are chosen, not
measured: a coat 4 to 13 K over the air, clothes 4 to 9 K and a head 8 to 14 K over those, a car that has
run with a bonnet of 12 to 30 K over its body near the air. Animals drift at up to 0.3 m/s while they
graze, people walk or lie still. By day all of it stands on ground that the sun has warmed as far.

Odd seeds have a herd of one to nine animals. Every seed has up to two people, up to two vehicles and what
is mistaken for bodies: rocks that keep the day's warmth (2 to 5 K over the air, 0.4 to 2.4 m), a stove, a
sheet of metal, and by one seed in five a small fire.
"""

import math
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import numpy as np

from missions.geo import Floats
from missions.model import Sensor
from sim.animals import KINDS as ANIMALS
from sim.cover import Cover
from sim.noise import PoseNoise
from sim.sights.overlay import along_across, heated
from sim.sights.stage import Look, Shot, Stage, write
from sim.textures import Pixels

HOURS = (4, 6, 8, 13, 22)
PERSON_M, LYING_M, VEHICLE_M = (0.55, 0.40), (1.70, 0.50), (4.4, 1.8)
MOST_ANIMALS, APART_M = 9, (2.5, 14.0)
STEP_M, STRIPS, LOOKS, BETWEEN_S = 30.0, 2, 4, 4.0
AREA_M = (120.0, 95.0)
"""How far along and across the strips bodies are put: all of it is looked at."""

OPEN_M, TRIES = 3.0, 40


@dataclass(frozen=True, slots=True)
class Body:
    """One warm thing: what it is, where it is at the flight's begin, how large, how warm, how it moves."""

    id: str
    kind: str
    east_m: float
    north_m: float
    length_m: float
    width_m: float
    heading_deg: float
    over_air_k: float
    core_k: float = 0.0
    speed_m_s: float = 0.0

    def at(self, after_s: float) -> tuple[float, float]:
        """Return where it is so long after the first look."""
        way, turn = self.speed_m_s * after_s, math.radians(self.heading_deg)
        return self.east_m + way * math.sin(turn), self.north_m + way * math.cos(turn)


def draw(stage: Stage, folder: Path, seed: int) -> dict[str, object]:
    """Write a flight's thermal pictures and return the truth; odd seeds have animals."""
    rng = np.random.default_rng([seed, 83])
    hour = float(HOURS[seed % 5])
    centre, course = _spot(stage, hour, rng), float(rng.uniform(0, 360))
    there = _bodies(stage, hour, centre, course, seed, rng)
    air_c = stage.air_c(hour)
    above, noise, files = float(rng.uniform(75, 105)), PoseNoise(seed), {}
    for number, (along, across) in enumerate(_stations()):
        noise.advance(BETWEEN_S)
        east, north = _offset(centre, course, along, across)
        after_s = number * BETWEEN_S
        shot = Shot(east, north, above, course, -90.0, hour, seed * 10 + number, after_s=after_s, noise=noise)
        look = stage.looks(shot)[Sensor.THERMAL]
        picture = stage.celsius(look, hour)
        for body in there:
            picture = warmed(picture, look, body, air_c, after_s)
        files[f"look{number}"] = write(folder, f"look{number}", look, picture)
    return {
        "seed": seed,
        "hour": hour,
        "air_c": round(air_c, 1),
        "between_s": BETWEEN_S,
        "files": files,
        "bodies": [_told(stage, body, hour) for body in there],
    }


def references(stage: Stage) -> dict[str, object]:
    """Return what the site's people know beside the site itself: nothing."""
    return {}


def _stations() -> list[tuple[float, float]]:
    """Return where the looks lie, metres along and across the course: out on one strip, back on the next."""
    first = -(LOOKS - 1) / 2 * STEP_M
    ahead = [first + i * STEP_M for i in range(LOOKS)]
    return [
        (along, (strip - (STRIPS - 1) / 2) * 50.0)
        for strip in range(STRIPS)
        for along in (ahead if strip % 2 == 0 else ahead[::-1])
    ]


def _bodies(
    stage: Stage,
    hour: float,
    centre: tuple[float, float],
    course: float,
    seed: int,
    rng: np.random.Generator,
) -> list[Body]:
    """Return all that is warm there, none within its own length of another."""
    wanted: list[Body] = []
    if seed % 2:
        wanted += _herd(str(rng.choice(sorted(ANIMALS))), int(rng.integers(1, MOST_ANIMALS + 1)), rng)
    for number in range(int(rng.integers(0, 3))):
        lies = rng.random() < 0.3
        size, speed = (LYING_M, 0.0) if lies else (PERSON_M, float(rng.choice([0.0, 1.2])))
        wanted.append(
            _one(f"P{number}", "person", size, (4.0, 9.0), rng, core=rng.uniform(8, 14), speed=speed)
        )
    for number in range(int(rng.integers(0, 3))):
        wanted.append(_one(f"V{number}", "vehicle", VEHICLE_M, (0.0, 1.0), rng, core=rng.uniform(12, 30)))
    for number in range(int(rng.integers(0, 4))):
        long_m = float(rng.uniform(0.4, 2.4))
        wanted.append(_one(f"R{number}", "rock", (long_m, long_m * rng.uniform(0.6, 1.0)), (2.0, 5.0), rng))
    wanted.append(_one("S0", "stove", (0.6, 0.6), (60.0, 180.0), rng))
    if seed % 5 == 0:
        wanted.append(_one("F0", "fire", (1.6, 1.2), (350.0, 550.0), rng))
    placed: list[Body] = []
    herd: tuple[float, float] | None = None
    spread = float(rng.uniform(*APART_M))
    for body in wanted:
        for _ in range(TRIES):
            is_animal = body.kind in ANIMALS
            if is_animal and herd:
                along, across = np.array(herd) + rng.normal(0.0, spread, 2)
            else:
                along, across = rng.uniform((-AREA_M[0] / 2, -AREA_M[1] / 2), (AREA_M[0] / 2, AREA_M[1] / 2))
            east, north = _offset(centre, course, float(along), float(across))
            inside = abs(along) <= AREA_M[0] / 2 and abs(across) <= AREA_M[1] / 2
            near = [
                math.hypot(east - b.east_m, north - b.north_m) - b.length_m - body.length_m for b in placed
            ]
            if inside and min(near, default=1.0) > 0.4 and _is_open(stage, east, north):
                placed.append(replace(body, east_m=east, north_m=north))
                herd = (float(along), float(across)) if is_animal and herd is None else herd
                break
    return placed


def _herd(kind: str, many: int, rng: np.random.Generator) -> list[Body]:
    """Return animals of one kind, about as warm as each other."""
    warm = float(rng.uniform(5.0, 12.0))
    return [
        _one(f"A{i}", kind, ANIMALS[kind], (warm - 1.0, warm + 1.0), rng, speed=rng.uniform(0, 0.3))
        for i in range(many)
    ]


def _one(
    name: str,
    kind: str,
    size: tuple[float, float],
    over_k: tuple[float, float],
    rng: np.random.Generator,
    *,
    core: float = 0.0,
    speed: float = 0.0,
) -> Body:
    """Return a thing that has no place yet."""
    grown = float(rng.uniform(0.9, 1.1))
    return Body(
        id=name,
        kind=kind,
        east_m=0.0,
        north_m=0.0,
        length_m=float(size[0]) * grown,
        width_m=float(size[1]) * grown,
        heading_deg=float(rng.uniform(0, 360)),
        over_air_k=float(rng.uniform(*over_k)),
        core_k=float(core),
        speed_m_s=float(speed),
    )


def warmed(picture: Pixels, look: Look, body: Body, air_c: float, after_s: float) -> Pixels:
    """Return the picture with a body: an oval coat, and a warmer head, bonnet or back."""
    east, north = look.ground.metres()
    middle, (x, y) = look.ground.middle_m, body.at(after_s)
    along, across = along_across(
        np.asarray(east + np.float32(middle[0] - x)),
        np.asarray(north + np.float32(middle[1] - y)),
        body.heading_deg,
    )
    soft_m = 0.06
    oval = np.hypot(along / (body.length_m / 2), across / (body.width_m / 2))
    share = np.clip((1.0 - oval) * body.width_m / 2 / soft_m + 0.5, 0, 1).astype(np.float32)
    if not share.any():
        return picture
    core = np.hypot((along - body.length_m * 0.3) / (body.length_m * 0.22), across / (body.width_m * 0.4))
    temp = air_c + body.over_air_k + np.where(core < 1.0, body.core_k, 0.0)
    return heated(picture, np.asarray(temp, np.float32), share)


def _told(stage: Stage, body: Body, hour: float) -> dict[str, object]:
    place = stage.world(hour).frame.to_place(body.east_m, body.north_m)
    return {
        "id": body.id,
        "kind": body.kind,
        "is_animal": body.kind in ANIMALS,
        "lat_deg": round(place.lat_deg, 8),
        "lon_deg": round(place.lon_deg, 8),
        "length_m": round(body.length_m, 2),
        "over_air_k": round(body.over_air_k, 1),
        "speed_m_s": round(body.speed_m_s, 2),
        "heading_deg": round(body.heading_deg, 1),
    }


def _spot(stage: Stage, hour: float, rng: np.random.Generator) -> tuple[float, float]:
    """Return a place with open ground around it, the widest of four hundred."""
    cover, edge = _cover(stage), stage.world(hour).landscape.water.bounds
    tried = [rng.uniform((edge[0], edge[1] - 200), (edge[2], edge[3] + 200)) for _ in range(400)]
    open_m = [_open_m(cover, float(x), float(y)) for x, y in tried]
    best: Floats = tried[int(np.argmax(open_m))]
    return float(best[0]), float(best[1])


def _is_open(stage: Stage, east: float, north: float) -> bool:
    """Return whether a place lies outside wood, water and villages, where the sky sees it."""
    return _open_m(_cover(stage), east, north) > OPEN_M


def _open_m(cover: Cover, east: float, north: float) -> float:
    row, column = int((cover.north_m - north) / 2.0), int((east - cover.west_m) / 2.0)
    if not (0 <= row < cover.forest.shape[0] and 0 <= column < cover.forest.shape[1]):
        return -1.0
    return -float(max(layer[row, column] for layer in (cover.forest, cover.water, cover.village)))


@lru_cache(maxsize=1)
def _cover(stage: Stage) -> Cover:
    world = stage.world()
    return Cover.of(world.landscape, world.relief)


def _offset(centre: tuple[float, float], course: float, along: float, across: float) -> tuple[float, float]:
    """Return local metres of a place so far along and to the right of a course."""
    sin, cos = math.sin(math.radians(course)), math.cos(math.radians(course))
    return centre[0] + along * sin + across * cos, centre[1] + along * cos - across * sin
