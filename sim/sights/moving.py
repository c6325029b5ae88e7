"""Somebody on the move under a power line, and a drone that stands in the air with its thermal camera on it.

Odd seeds have a walker (1 to 2 m/s) or a car (3 to 7 m/s) that keeps to the line's track; even seeds have the
same standing still. A look a second for twenty seconds; the pose drifts as everywhere. How warm bodies
are is as in `sim.sights.bodies`: chosen, not measured.
"""

import itertools
import math
from functools import lru_cache
from pathlib import Path

import numpy as np

from missions.model import Sensor
from sim.cover import Cover
from sim.noise import PoseNoise
from sim.sights.bodies import PERSON_M, VEHICLE_M, Body, warmed
from sim.sights.stage import Shot, Stage, write

HOURS = (4, 6, 22)
LOOKS, BETWEEN_S = 20, 1.0
PACE_M_S = {"person": (1.0, 2.0), "vehicle": (3.0, 7.0)}
BESIDE_M = 6.0
OPEN_M = 6.0


def draw(stage: Stage, folder: Path, seed: int) -> dict[str, object]:
    """Write a flight's thermal pictures and return the truth; odd seeds have somebody who moves."""
    rng = np.random.default_rng([seed, 89])
    hour = float(HOURS[seed % 3])
    kind = ("person", "vehicle")[seed // 2 % 2]
    line, (east, north), along_deg = _spot(stage, rng)
    heading = (along_deg + 180.0 * rng.integers(2) + rng.normal(0, 3)) % 360.0
    speed = float(rng.uniform(*PACE_M_S[kind])) if seed % 2 else 0.0
    back, turn = speed * LOOKS * BETWEEN_S / 2, math.radians(heading)
    core = float(rng.uniform(8, 14) if kind == "person" else rng.uniform(12, 30))
    body = Body(
        id="M1",
        kind=kind,
        east_m=east - back * math.sin(turn),
        north_m=north - back * math.cos(turn),
        length_m=(PERSON_M if kind == "person" else VEHICLE_M)[0],
        width_m=(PERSON_M if kind == "person" else VEHICLE_M)[1],
        heading_deg=heading,
        over_air_k=float(rng.uniform(4, 9) if kind == "person" else rng.uniform(0, 1)),
        core_k=core,
        speed_m_s=speed,
    )
    above, noise, files = float(rng.uniform(60, 95)), PoseNoise(seed), {}
    course = float(rng.uniform(0, 360))
    for number in range(LOOKS):
        noise.advance(BETWEEN_S)
        after_s = number * BETWEEN_S
        shot = Shot(
            east, north, above, course, -90.0, hour, seed * 100 + number, after_s=after_s, noise=noise
        )
        look = stage.looks(shot)[Sensor.THERMAL]
        picture = warmed(stage.celsius(look, hour), look, body, stage.air_c(hour), after_s)
        files[f"look{number}"] = write(folder, f"look{number:02d}", look, picture)
    at = stage.world(hour).frame.to_place(body.east_m, body.north_m)
    return {
        "seed": seed,
        "hour": hour,
        "line": line,
        "kind": kind,
        "between_s": BETWEEN_S,
        "files": files,
        "lat_deg": at.lat_deg,
        "lon_deg": at.lon_deg,
        "speed_m_s": speed,
        "heading_deg": heading,
    }


def references(stage: Stage) -> dict[str, object]:
    """Return what the site's people know beside the site itself: nothing."""
    return {}


def _spot(stage: Stage, rng: np.random.Generator) -> tuple[str, tuple[float, float], float]:
    """Return a place on open ground beside a line, the line's name and its bearing there."""
    there = spots(stage)
    return there[int(rng.integers(len(there)))]


@lru_cache(maxsize=1)
def spots(stage: Stage) -> tuple[tuple[str, tuple[float, float], float], ...]:
    world = stage.world()
    cover = Cover.of(world.landscape, world.relief)
    found = []
    for line in stage.site.layers.lines:
        towers = [world.frame.to_local(place) for _, place in line.towers]
        for (x0, y0), (x1, y1) in itertools.pairwise(towers):
            along = math.atan2(x1 - x0, y1 - y0)
            middle = (
                (x0 + x1) / 2 + BESIDE_M * math.cos(along),
                (y0 + y1) / 2 - BESIDE_M * math.sin(along),
            )
            if _open_m(cover, *middle) > OPEN_M:
                found.append((line.id, middle, math.degrees(along)))
    return tuple(found)


def _open_m(cover: Cover, east: float, north: float) -> float:
    """Return how far the nearest wood, water or village is."""
    row, column = int((cover.north_m - north) / 2.0), int((east - cover.west_m) / 2.0)
    if not (0 <= row < cover.forest.shape[0] and 0 <= column < cover.forest.shape[1]):
        return -1.0
    return -float(max(layer[row, column] for layer in (cover.forest, cover.water, cover.village)))
