"""Houses, sheds, pylons and wires as a camera sees them: flat faces and strands in pixels.

Whatever stands up is drawn for each picture, so that it leans outwards as it does in
real photographs and stays sharp at any distance. Faces come farthest first.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from missions.geo import Floats
from sim.hazards import Decoy, DecoyKind
from sim.landscape import ARM_M, PYLON_HEIGHT_M, House, Pylon, turned, wires
from sim.projection import View
from sim.sky import Sky
from sim.world import World

IN_SIGHT_M = 400.0
WALL_BGR = (168.0, 176.0, 182.0)
SHED_ROOF = (196, 176, 150)
ROOF_SUN_K, WALL_SUN_K, STEEL_SUN_K = 20.0, 9.0, 6.0


@dataclass(frozen=True, slots=True, eq=False)
class Face:
    """A flat face in the picture: its outline, its colour by day and its temperature."""

    outline_px: Floats
    colour: tuple[float, float, float]
    temp_c: float


def faces(view: View, world: World, sky: Sky) -> list[Face]:
    """Return the visible faces of the houses and sheds in sight, farthest house first."""
    sheds = [_shed(d) for d in world.decoys if d.kind is DecoyKind.METAL_ROOF]
    near = [(h, _distance(view, h)) for h in [*world.landscape.houses, *sheds]]
    near = sorted(((h, d) for h, d in near if d < IN_SIGHT_M), key=lambda pair: -pair[1])
    return [face for house, _ in near for face in _house_faces(view, house, sky)]


def strands(view: View, world: World) -> tuple[list[Floats], list[Floats]]:
    """Return the lattice of the pylons and the wires in sight, as polylines in pixels."""
    lattice, hung = [], []
    for span in world.landscape.spans:
        close = [math.hypot(p.east_m - view.eye_m[0], p.north_m - view.eye_m[1]) < IN_SIGHT_M for p in span]
        if not any(close):
            continue
        for pylon, is_close in zip(span, close, strict=True):
            if is_close:
                lattice += [_projected(view, line) for line in _lattice(pylon)]
        hung += [_projected(view, strand) for strand in wires(span)]
    return [s for s in lattice if len(s) > 1], [s for s in hung if len(s) > 1]


def _shed(decoy: Decoy) -> House:
    """Return the shed under a metal roof; its roof is nearly flat."""
    return House(
        decoy.east_m,
        decoy.north_m,
        decoy.ground_m,
        decoy.length_m,
        decoy.width_m,
        decoy.height_m,
        decoy.height_m,
        decoy.heading_deg,
        SHED_ROOF,
    )


def _distance(view: View, house: House) -> float:
    return math.hypot(house.east_m - view.eye_m[0], house.north_m - view.eye_m[1])


def _house_faces(view: View, house: House, sky: Sky) -> Iterator[Face]:
    walls = house.corners()
    low, high = house.ground_m - 1.0, house.ground_m + house.eaves_m
    for i in range(4):
        a, b = walls[i], walls[(i + 1) % 4]
        corners = np.array([[*a, low], [*b, low], [*b, high], [*a, high]])
        yield from _face(view, corners, sky, WALL_BGR, WALL_SUN_K)
    eaves = house.corners(grow_m=0.4)
    ridge_ends = turned(np.array([0.5, -0.5]) * (house.length_m + 0.8), np.zeros(2), house.heading_deg)
    top = house.ground_m + house.ridge_m
    front, back = ([*(end + (house.east_m, house.north_m)), top] for end in ridge_ends)  # noqa: RUF005
    sides = ((eaves[1], eaves[2], back, front), (eaves[3], eaves[0], front, back))
    for a, b, c, d in sides:
        corners = np.array([[*a, high], [*b, high], c, d])
        yield from _face(view, corners, sky, house.roof, ROOF_SUN_K)


def _face(view: View, corners_m: Floats, sky: Sky, colour: tuple[float, ...], sun_k: float) -> Iterator[Face]:
    """Yield the face if the camera sees its outer side; corners run clockwise as seen from outside."""
    normal = np.cross(corners_m[1] - corners_m[0], corners_m[2] - corners_m[0])
    normal = normal / max(np.linalg.norm(normal), 1e-9)
    outward = -normal if normal[2] < -1e-6 else normal
    if outward @ (view.eye_m - corners_m.mean(0)) <= 0 and abs(outward[2]) > 1e-6:
        return
    pixels, depth = view.pixels(corners_m)
    if depth.min() <= 1.0:
        return
    sun = max(float(outward @ sky.to_sun), 0.0) if sky.beam > 0 else 0.0
    light = (0.5 + 0.62 * sun) * sky.daylight
    blue, green, red = (min(c * light, 255.0) for c in colour)
    yield Face(pixels, (blue, green, red), sky.air_c + sun_k * sky.beam * (0.15 + 0.85 * sun))


def _lattice(pylon: Pylon) -> Iterator[Floats]:
    """Yield the legs, rings and arms of a tower."""
    levels = np.array([0.0, 7.0, 14.0, 21.0, PYLON_HEIGHT_M])
    half = np.interp(levels, [0.0, 21.0, PYLON_HEIGHT_M], [2.6, 0.7, 0.2])
    rings = []
    for level, reach in zip(levels, half, strict=True):
        ring = turned(np.array([1, 1, -1, -1]) * reach, np.array([1, -1, -1, 1]) * reach, pylon.across_deg)
        at = np.full((4, 1), pylon.ground_m + level)
        rings.append(np.hstack([ring + (pylon.east_m, pylon.north_m), at]))  # noqa: RUF005
    for corner in range(4):
        yield np.array([ring[corner] for ring in rings])
        beside = (corner + 1) % 4
        yield np.array([ring[(corner, beside)[i % 2]] for i, ring in enumerate(rings)])
    for ring in rings[1:-1]:
        yield np.vstack([ring, ring[:1]])
    for level in (PYLON_HEIGHT_M - 3.0, PYLON_HEIGHT_M - 1.0):
        tips = turned(np.array([-ARM_M, ARM_M]), np.zeros(2), pylon.across_deg)
        at = np.full((2, 1), pylon.ground_m + level)
        yield np.hstack([tips + (pylon.east_m, pylon.north_m), at])  # noqa: RUF005


def _projected(view: View, points_m: Floats) -> Floats:
    pixels, depth = view.pixels(points_m)
    return np.asarray(pixels[depth > 1.0])
