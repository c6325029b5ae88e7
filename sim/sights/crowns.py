"""Crowns that died since the last flight, under another sun, another season and another pose.

A dying crown turns from green over rust to grey; its shape stays. Each seed has a picture of before and one
of today. Odd seeds have three to fourteen crowns that died between the two; every seed has up to three
that were dead already, which are no news. Today's whole wood may have yellowed a little, and clouds may
darken part of it: that is the season and the sky, and no tree's death.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from shapely import points
from shapely.geometry.base import BaseGeometry
from shapely.ops import unary_union

from missions.model import Sensor
from sim.sights.overlay import Bgr
from sim.sights.stage import Look, Shot, Stage, write
from sim.textures import Pixels, noise

RADIUS_M = (1.8, 3.4)
RUST_BGR, GREY_BGR = (52.0, 88.0, 138.0), (128.0, 136.0, 142.0)
NEW, OLD = (3, 15), (0, 4)
INSIDE_M = 16.0
YELLOWED = 0.22
HOURS = (9, 10, 12, 14, 15)


@dataclass(frozen=True, slots=True)
class Crown:
    """A dead crown: where, how wide, how far from rust (0) to grey (1)."""

    east_m: float
    north_m: float
    radius_m: float
    bleached: float


def draw(stage: Stage, folder: Path, seed: int) -> dict[str, object]:
    """Write a picture of before and one of today and return the truth; odd seeds have dead crowns."""
    rng = np.random.default_rng([seed, 73])
    hour = float(HOURS[seed % 5])
    woods = _woods(stage, hour)
    east, north = _spot(woods, rng)
    above = float(rng.uniform(75, 115))
    turned = float(rng.uniform(0, 360))
    before = Shot(
        east + float(rng.normal(0, 4)), north + float(rng.normal(0, 4)), above, turned, -90.0, hour, seed
    )
    again = turned + float(rng.choice([0, 180]) + rng.normal(0, 5))
    today = Shot(
        east + float(rng.normal(0, 4)),
        north + float(rng.normal(0, 4)),
        above,
        again,
        -90.0,
        hour,
        seed + 5000,
        day=30,
    )
    reach = 0.30 * above
    old = _crowns(int(rng.integers(*OLD)), (east, north), reach, woods, (), rng)
    new = _crowns(int(rng.integers(*NEW)), (east, north), reach, woods, old, rng) if seed % 2 else ()
    yellow = float(rng.uniform(0, YELLOWED))
    files = {}
    for name, shot, dead, turning in (("before", before, old, 0.0), ("today", today, (*old, *new), yellow)):
        look = stage.looks(shot)[Sensor.RGB]
        picture = _season(stage.colour(look, hour), turning, rng)
        files[name] = write(folder, name, look, _died(picture, look, dead))
    return {
        "seed": seed,
        "hour": hour,
        "files": files,
        "yellowed": round(yellow, 3),
        "dead_before": len(old),
        "died": [
            {"east_m": round(c.east_m, 2), "north_m": round(c.north_m, 2), "radius_m": round(c.radius_m, 2)}
            for c in new
        ],
    }


def references(stage: Stage) -> dict[str, object]:
    """Return what the forester has beside the site's own compartments: nothing."""
    return {}


def _woods(stage: Stage, hour: float) -> BaseGeometry:
    """Return closed forest, away from its edges, lines and roads."""
    land = stage.world(hour).landscape
    lines = [points([(p.east_m, p.north_m) for p in span]) for span in land.spans]
    open_ground = unary_union([g for line in lines for g in (p.buffer(40.0) for p in line)])
    return unary_union([c.buffer(-INSIDE_M) for c in land.compartments]).difference(open_ground)


def _spot(woods: BaseGeometry, rng: np.random.Generator) -> tuple[float, float]:
    """Return a place well inside the wood."""
    core = woods.buffer(-25.0)
    west, south, east, north = core.bounds
    while True:
        spot = rng.uniform((west, south), (east, north))
        if core.contains(points(*spot)):
            return float(spot[0]), float(spot[1])


def _crowns(
    many: int,
    around: tuple[float, float],
    reach_m: float,
    woods: BaseGeometry,
    taken: tuple[Crown, ...],
    rng: np.random.Generator,
) -> tuple[Crown, ...]:
    """Return dead crowns in the wood around a spot, none on another."""
    found: list[Crown] = []
    for _ in range(400):
        if len(found) == many:
            break
        x, y = np.array(around) + rng.uniform(-reach_m, reach_m, 2)
        radius = float(rng.uniform(*RADIUS_M))
        near = (*taken, *found)
        free = all(np.hypot(x - c.east_m, y - c.north_m) > radius + c.radius_m + 2.0 for c in near)
        if free and woods.contains(points(x, y)):
            found.append(Crown(float(x), float(y), radius, float(rng.uniform(0, 1))))
    return tuple(found)


def _died(picture: Bgr, look: Look, dead: tuple[Crown, ...]) -> Bgr:
    """Return the picture with dead crowns: their light and shade kept, their colour gone."""
    if not dead:
        return picture
    east, north = look.ground.metres()
    middle = look.ground.middle_m
    light = picture.astype(np.float32).mean(axis=2)
    out = picture.astype(np.float32)
    for crown in dead:
        x, y = east + (middle[0] - crown.east_m), north + (middle[1] - crown.north_m)
        turn, own = np.arctan2(y, x), crown.bleached * 9
        ragged = 1 + 0.09 * np.sin(3 * turn + own) + 0.07 * np.sin(7 * turn + 2 * own)
        share = np.clip((crown.radius_m * ragged - np.hypot(x, y)) / 0.35, 0, 1)[..., None] * 0.9
        colour = np.array(RUST_BGR) * (1 - crown.bleached) + np.array(GREY_BGR) * crown.bleached
        shade = np.clip(
            light / max(float(light[share[..., 0] > 0].mean() if share.any() else 1.0), 1.0), 0.4, 1.7
        )
        out = out * (1 - share) + colour * shade[..., None] * share
    return np.asarray(np.clip(out, 0, 255), np.uint8)


def _season(picture: Bgr, yellow: float, rng: np.random.Generator) -> Bgr:
    """Return the picture in a later season: greens turned towards yellow, and a cloud's shade across it."""
    out = picture.astype(np.float32)
    out[..., 2] += yellow * (out[..., 1] - out[..., 2]).clip(0)
    if yellow > 0 and rng.random() < 0.5:
        tile = noise(np.random.default_rng(int(rng.integers(2**31))), 512, 400.0)
        cloud: Pixels = np.tile(tile, (3, 3))[: out.shape[0], : out.shape[1]]
        out *= np.where(cloud > 0.3, 0.72, 1.0)[..., None]
    return np.asarray(np.clip(out, 0, 255), np.uint8)
