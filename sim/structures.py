"""Houses, sheds, pylons and wires as a camera sees them: flat faces and strands in pixels.

Whatever stands up is drawn for each picture, so that it leans outwards as it does in
real photographs and stays sharp at any distance. The shapes are worked out once; a
picture projects those near it in one go. Faces come farthest house first.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from missions.geo import Floats
from sim.hazards import Decoy, DecoyKind
from sim.landscape import ARM_M, PYLON_HEIGHT_M, House, Pylon, turned, wires
from sim.projection import View
from sim.sky import Sky
from sim.world import World

IN_SIGHT_M = 600.0
WALL_BGR = (168.0, 176.0, 182.0)
SHED_ROOF = (196, 176, 150)
ROOF_SUN_K, WALL_SUN_K, STEEL_SUN_K = 20.0, 9.0, 6.0
EAVES_M = 0.4
UPWARD = 0.1


@dataclass(frozen=True, slots=True, eq=False)
class Face:
    """A flat face in the picture: its outline, its colour in this light and its temperature."""

    outline_px: Floats
    colour: tuple[float, float, float]
    temp_c: float


class Structures:
    """Everything that stands up in a world, ready to be projected."""

    def __init__(self, world: World) -> None:
        sheds = [_shed(d) for d in world.decoys if d.kind is DecoyKind.METAL_ROOF]
        solid = [face for h in [*world.landscape.houses, *sheds] for face in _solid(h)]
        self._corners = np.array([f[0] for f in solid]).reshape(-1, 4, 3)
        self._colours = np.array([f[1] for f in solid]).reshape(-1, 3)
        self._sun_k = np.array([f[2] for f in solid])
        self._middles = np.array([f[3] for f in solid]).reshape(-1, 3)
        cross = np.cross(self._corners[:, 3] - self._corners[:, 1], self._corners[:, 2] - self._corners[:, 0])
        self._normals = cross / np.maximum(np.linalg.norm(cross, axis=1, keepdims=True), 1e-9)
        pylons = [p for span in world.landscape.spans for p in span]
        self._lattice = _Strands([bar for p in pylons for bar in _lattice(p)])
        self._wires = _Strands([strand for span in world.landscape.spans for strand in wires(span)])

    def faces(self, view: View, sky: Sky) -> list[Face]:
        """Return the visible faces, farthest house first, roofs after the walls below them."""
        away = view.eye_m - self._corners.mean(1)
        near = np.hypot(away[:, 0], away[:, 1]) < IN_SIGHT_M
        chosen = np.flatnonzero(near & (np.einsum("ij,ij->i", away, self._normals) > 0))
        if not len(chosen):
            return []
        pixels, depth = view.pixels(self._corners[chosen].reshape(-1, 3))
        outlines, depth = pixels.reshape(-1, 4, 2), depth.reshape(-1, 4).min(1)
        shown = _in_picture(outlines, view) & (depth > 1.0)
        chosen, outlines = chosen[shown], outlines[shown]
        order = np.argsort(-np.linalg.norm(self._middles[chosen] - view.eye_m, axis=1), kind="stable")
        chosen, outlines = chosen[order], outlines[order]
        return self._lit(chosen, outlines, sky)

    def roofs(self, sky: Sky) -> list[Face]:
        """Return what a look from straight above shows, lowest first, outlines in east and north metres."""
        chosen = np.flatnonzero(self._normals[:, 2] > UPWARD)
        chosen = chosen[np.argsort(self._corners[chosen, :, 2].max(1), kind="stable")]
        return self._lit(chosen, self._corners[chosen, :, :2], sky)

    def _lit(self, chosen: npt.NDArray[np.intp], outlines: Floats, sky: Sky) -> list[Face]:
        sun = np.clip(self._normals[chosen] @ sky.to_sun, 0, 1) if sky.beam > 0 else np.zeros(len(chosen))
        colours = np.minimum(self._colours[chosen] * ((0.5 + 0.62 * sun) * sky.daylight)[:, None], 255)
        temps = sky.air_c + self._sun_k[chosen] * sky.beam * (0.15 + 0.85 * sun)
        return [
            Face(outline, (b, g, r), temp)
            for outline, (b, g, r), temp in zip(outlines, colours.tolist(), temps.tolist(), strict=True)
        ]

    def lattice(self, view: View) -> list[Floats]:
        """Return the steel of the pylons in sight, as polylines in pixels."""
        return self._lattice.seen(view)

    def wires(self, view: View) -> list[Floats]:
        """Return the conductors in sight, as polylines in pixels."""
        return self._wires.seen(view)


class _Strands:
    """Many polylines, projected together."""

    def __init__(self, lines: list[Floats]) -> None:
        self._points = np.vstack(lines) if lines else np.zeros((0, 3))
        self._ends = np.cumsum([len(line) for line in lines])[:-1]

    def seen(self, view: View) -> list[Floats]:
        """Return the polylines that may cross the picture, in pixels, without what is behind the camera."""
        if not len(self._points):
            return []
        pixels, depth = view.pixels(self._points)
        parts = zip(np.split(pixels, self._ends), np.split(depth, self._ends), strict=True)
        lines = [line[ahead > 1.0] for line, ahead in parts if float(ahead.max()) > 1.0]
        size = (view.camera.width_px, view.camera.height_px)
        return [p for p in lines if len(p) > 1 and (p.max(0) > 0).all() and (p.min(0) < size).all()]


Solid = tuple[Floats, tuple[float, ...], float, tuple[float, float, float]]


def to_fixed(points_px: Floats) -> npt.NDArray[np.int32]:
    """Return pixels for OpenCV, whose whole numbers are pixel centres, with 4 binary places."""
    return np.round((np.clip(points_px, -4000, 8000) - 0.5) * 16).astype(np.int32)


def _shed(decoy: Decoy) -> House:
    """Return the shed under a metal roof; the roof is flat."""
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


def _solid(house: House) -> Iterator[Solid]:
    """Yield corners, colour, sun's warmth and the house's middle; corners clockwise from outside."""
    walls, eaves = house.corners(), house.corners(grow_m=EAVES_M)
    middle = (house.east_m, house.north_m, house.ground_m)
    low, high, top = (house.ground_m + h for h in (-1.0, house.eaves_m, house.ridge_m))
    for i in range(4):
        a, b = walls[(i + 1) % 4], walls[i]
        corners = np.array([[*a, low], [*b, low], [*b, high], [*a, high]])
        yield corners, WALL_BGR, WALL_SUN_K, middle
    half = house.length_m / 2
    gables = turned(np.array([half, -half]), np.zeros(2), house.heading_deg) + walls.mean(0)
    for (a, b), peak in zip(((walls[1], walls[0]), (walls[3], walls[2])), gables, strict=True):
        corners = np.array([[*a, high], [*b, high], [*peak, top], [*peak, top]])
        yield corners, WALL_BGR, WALL_SUN_K, middle
    half += EAVES_M
    ends = turned(np.array([half, -half]), np.zeros(2), house.heading_deg) + walls.mean(0)
    front, back = ([*end, top] for end in ends)
    for a, b, c, d in ((eaves[2], eaves[1], front, back), (eaves[0], eaves[3], back, front)):
        yield np.array([[*a, high], [*b, high], c, d]), house.roof, ROOF_SUN_K, middle


def _in_picture(outlines: Floats, view: View) -> npt.NDArray[np.bool_]:
    size = (view.camera.width_px, view.camera.height_px)
    return np.asarray(((outlines.max(1) > 0) & (outlines.min(1) < size)).all(1))


def _lattice(pylon: Pylon) -> Iterator[Floats]:
    """Yield the legs, braces, rings and arms of a tower."""
    levels = np.array([0.0, 7.0, 14.0, 21.0, PYLON_HEIGHT_M])
    half = np.interp(levels, [0.0, 21.0, PYLON_HEIGHT_M], [2.6, 0.7, 0.2])
    foot = np.array([pylon.east_m, pylon.north_m])
    square = turned(np.array([1.0, 1, -1, -1]), np.array([1.0, -1, -1, 1]), pylon.across_deg)
    rings = [
        np.column_stack([square * reach + foot, np.full(4, pylon.ground_m + level)])
        for level, reach in zip(levels, half, strict=True)
    ]
    for corner in range(4):
        yield np.array([ring[corner] for ring in rings])
        beside = (corner + 1) % 4
        yield np.array([ring[(corner, beside)[i % 2]] for i, ring in enumerate(rings)])
    for ring in rings[1:-1]:
        yield np.vstack([ring, ring[:1]])
    for level in (PYLON_HEIGHT_M - 3.0, PYLON_HEIGHT_M - 1.0):
        tips = turned(np.array([-ARM_M, ARM_M]), np.zeros(2), pylon.across_deg) + foot
        yield np.column_stack([tips, np.full(2, pylon.ground_m + level)])
