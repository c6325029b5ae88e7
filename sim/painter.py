"""Paints squares of ground: which cover lies where, with its colour, warmth and grain.

Layers go on from the bottom up: fields, village, wood with the cleared strip under
the line, single trees, water, roads, shadows of houses. Every border is a signed
distance plus a little noise. All patterns are tiles cut at the square's place,
so that neighbouring squares fit.
"""

import math
from functools import cache

import cv2
import numpy as np
import numpy.typing as npt

from sim import altered, matter
from sim.cover import STEP_M as COVER_STEP_M
from sim.cover import Cover
from sim.landscape import House
from sim.matter import Kinds, Layer, Matter, temp_c
from sim.sky import Sky
from sim.sunlight import LONGEST_SHADOW_M, crown_sun, house_shadow, shadow_lots, slope_sun
from sim.textures import Crowns, Pixels, Species, crowns, cut, noise
from sim.world import World

NOISE_PX, WOOD_PX = 768, 512
WOODS = (
    (Species(7.0, (3.4, 5.4), (9.0, 15.0), 2.0), matter.BROADLEAF),
    (Species(4.6, (2.0, 3.1), (11.0, 17.0), 1.1), matter.NEEDLE),
    (Species(3.2, (1.5, 2.4), (8.0, 10.0), 1.6), matter.BAMBOO),
)
CROPS, LOTS = Kinds.of(*matter.CROPS), Kinds.of(*matter.LOTS)
PARCEL_M, LOT_M = (44.0, 23.0), (9.5, 8.0)
SHADE = 0.45  # brightness of shaded ground beside sunlit ground
LANDSCAPE_SEED = 110
BANK_M = 5.0


class Painter:
    """Holds the patterns and the light; `paint` gives any square of the landscape."""

    def __init__(self, world: World, *, step_m: float) -> None:
        self.step_m = step_m
        self.relief = world.relief
        self.changes = world.changes
        self._houses = world.landscape.houses
        self._house_at = np.array([(h.east_m, h.north_m) for h in self._houses]).reshape(-1, 2)
        self.cover = Cover.of(world.landscape, world.relief)
        self.broad, self.middle, self.fine = _noises(step_m)
        self.woods = _woods(step_m)
        self.field_heading = math.radians(_longest_road_heading(world))
        self.light(Sky.over(world.site.origin, world.epoch_at))

    def light(self, sky: Sky) -> None:
        """Set the sun: which slopes and crowns are lit, where shadows of trees fall."""
        self.sky = sky
        self.slope_sun = slope_sun(self.relief.heights_m, self.relief.step_m, sky)
        self.crown_sun = tuple(crown_sun(w, self.step_m, sky) for w in self.woods)
        self.tree_shadow = shadow_lots(self.woods[0], self.step_m, sky)

    def houses_near(self, west_m: float, north_m: float, side_m: float) -> list[House]:
        """Return the houses whose shadows can fall on a square."""
        middle = np.array([west_m + side_m / 2, north_m - side_m / 2])
        near = (np.abs(self._house_at - middle) < side_m / 2 + LONGEST_SHADOW_M).all(1)
        return [self._houses[i] for i in np.flatnonzero(near)]

    def paint(self, row: int, column: int, shape: tuple[int, int]) -> tuple[npt.NDArray[np.uint8], Pixels]:
        """Return the colours (blue, green, red, grain) and °C of a square of the ground."""
        square = _Square(self, row, column, shape)
        layer = square.fields()
        square.lay_village(layer)
        square.lay_banks(layer)
        square.lay_flood(layer)
        square.lay_wood(layer)
        square.lay_trees(layer)
        square.lay_water(layer)
        square.lay_roads(layer)
        altered.lay_fellings(square, layer, self.changes, self.step_m)
        return square.finished(layer)


class _Square:
    """One square being painted: everything it is cut from, at its place."""

    def __init__(self, painter: Painter, row: int, column: int, shape: tuple[int, int]) -> None:
        self.painter, self.sky, self.shape = painter, painter.sky, shape
        self.at = (row, column)
        step, relief, cover = painter.step_m, painter.relief, painter.cover
        self.east = (relief.west_m + (column + np.arange(shape[1]) + 0.5) * step).astype(np.float32)[None, :]
        self.north = (relief.north_end_m - (row + np.arange(shape[0]) + 0.5) * step).astype(np.float32)[
            :, None
        ]
        self.broad, self.middle, self.fine = (
            cut(tile, row, column, shape) for tile in (painter.broad, painter.middle, painter.fine)
        )
        self._cover_x, self._cover_y = self._grid_map(cover.west_m, cover.north_m, COVER_STEP_M, 0.5)
        x, y = self._grid_map(relief.west_m, relief.north_end_m, relief.step_m, 0.0)
        self.sun = cv2.remap(painter.slope_sun, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        self.light = np.ones(shape, np.float32)  # 1 where nothing above takes the sun away
        self.flooded = altered.flooded(self, painter.changes, step)

    def fields(self) -> Layer:
        """Return the bottom layer: parcels of crops with bunds between them."""
        along, across = self._turned(3.0)
        strip = np.floor(across / PARCEL_M[1])
        along += 17.3 * strip
        parcel = np.floor(along / PARCEL_M[0])
        layer = self._patchwork(CROPS, _hash(parcel + 31 * self.painter.changes.conditions.year, strip))
        rows = np.sin(across * (2 * math.pi / 2.6)) * (_hash(strip, parcel) > 0.35)
        layer.colour *= (1 + 0.05 * rows + 0.10 * (_hash(parcel + 7, strip) - 0.5))[..., None]
        layer.temp_c += 0.4 * rows + 2.0 * (_hash(parcel, strip + 9) - 0.5)
        edge = np.minimum(_to_edge(along, PARCEL_M[0]), _to_edge(across, PARCEL_M[1]))
        layer.cover(_share(0.7 - edge, 0.5), self.plain(matter.BUND))
        return layer

    def lay_village(self, layer: Layer) -> None:
        """Yards, courts and gardens between the houses, lot by lot, their borders worn."""
        inside = _share(self._inside("village") + 3.0 * self.middle, 2.0)
        if not inside.any():
            return
        along, across = self._turned(0.0)
        across = np.floor((across + 0.5 * self.middle) / LOT_M[1])
        along = np.floor((along + 5.1 * across + 0.5 * self.middle) / LOT_M[0])
        lots = self._patchwork(LOTS, _hash(along + 0.5, across))
        lots.colour *= (1 + 0.12 * (_hash(across, along) - 0.5))[..., None]
        layer.cover(inside, lots)

    def lay_banks(self, layer: Layer) -> None:
        """A belt of grass and gravel along the water."""
        beside = self._inside("water") + BANK_M
        grass = _share(beside + 7.0 + 2.0 * self.middle, 2.0)
        layer.cover(grass, self.plain(matter.GRASS))
        layer.cover(_share(beside - 1.0 + 2.5 * self.middle, 0.8), self.plain(matter.GRAVEL))

    def lay_flood(self, layer: Layer) -> None:
        """Turbid water over fields and yards; trees stand in it, roads lie under it."""
        if self.flooded.any():
            layer.cover(self.flooded, altered.flood_water(self))

    def lay_wood(self, layer: Layer) -> None:
        """Closed forest of three mixed woods, scrub and thin young trees where the line is kept clear."""
        forest = _share(self._inside("forest") + 4.0 * self.middle, 1.0)
        if not forest.any():
            return
        wood = self._wood(0)
        needles = _share(self.broad - 0.35 + 0.3 * self.middle, 0.15)
        bamboo = _share(-self.broad - 0.9 + 0.3 * self.middle, 0.15)
        cleared = _share(self._inside("cleared") + 2.0 * self.middle, 1.0)
        if needles.any():
            wood.cover(needles, self._wood(1))
        if bamboo.any():
            wood.cover(bamboo, self._wood(2))
        if cleared.any():
            wood.cover(cleared, self.plain(matter.SCRUB))
        layer.cover(forest, wood)

    def lay_trees(self, layer: Layer) -> None:
        """Single trees with their shadows: many in villages and on banks, few in fields."""
        cleared = self._inside("cleared") > 0
        density = np.where(self.broad > 0.5, np.float32(0.04), np.float32(0.02))
        density[self._inside("village") > 0] = 0.13
        density[self._inside("water") > -16.0] = 0.22
        density[cleared] = 0.06
        density[np.maximum(self._inside("paved"), self._inside("track")) > -2.0] = 0.0
        density[(self._inside("forest") > 6.0) & ~cleared] = 0.0
        tree = self._cut(self.painter.woods[0].lot) < density
        shadow = (self._cut(self.painter.tree_shadow) < density) & ~tree
        self._shade(layer, _soft(shadow, 0.7))
        if tree.any():
            layer.cover(_soft(tree, 0.5), self._wood(0))

    def lay_water(self, layer: Layer) -> None:
        """The river: darker and cooler in the middle, its warmth that of the season."""
        inside = self._inside("water") + 1.0 * self.middle
        share = _share(inside, 0.6)
        if share.any():
            water = self.plain(matter.WATER)
            deep = np.clip(inside / 9.0, 0, 1)
            water.colour *= (1.25 - 0.35 * deep + 0.03 * self.fine)[..., None]
            water.temp_c = (matter.WATER_C + 1.2 * (1 - deep) + 0.15 * self.broad).astype(np.float32)
            if self.flooded.any():
                near = cv2.GaussianBlur(self.flooded, (0, 0), 12.0 / self.painter.step_m)
                water.cover(np.clip(4.0 * near, 0, 1), altered.flood_water(self))
            layer.cover(share, water)

    def lay_roads(self, layer: Layer) -> None:
        """Tracks of bare earth, and the paved road with its shoulders."""
        dry = 1.0 - self.flooded
        track = _share(self._inside("track") + 0.3 * self.middle, 0.4) * dry
        paved = self._inside("paved")
        if track.any():
            layer.cover(track, self.plain(matter.EARTH))
        if paved.max() > -2.0:
            layer.cover(_share(paved + 0.9 + 0.3 * self.middle, 0.5) * dry, self.plain(matter.EARTH))
            layer.cover(_share(paved, 0.3) * dry, self.plain(matter.ASPHALT))

    def finished(self, layer: Layer) -> tuple[npt.NDArray[np.uint8], Pixels]:
        """Return the square with the shadows of houses, lit by the sun and rounded to bytes."""
        self._shade(layer, self._house_shadows())
        upright = max(math.sin(math.radians(self.sky.sun_elevation_deg)), 0.15)
        slope = np.clip(0.55 + 0.45 * self.sun / upright, 0.45, 1.25) if self.sky.beam > 0 else 1.0
        light = np.asarray(slope) * altered.cloud_light(self, self.painter.changes) * self.sky.daylight
        lit = layer.colour * np.broadcast_to(light, self.shape)[..., None]
        out = np.empty((*self.shape, 4), np.uint8)
        out[..., :3] = np.clip(lit, 0, 255)
        out[..., 3] = layer.grain
        return out, layer.temp_c

    def plain(self, kind: Matter) -> Layer:
        """Return a plain layer of one kind of ground, mottled."""
        return self._patchwork(Kinds.of(kind), np.zeros(self.shape, np.float32))

    def _patchwork(self, kinds: Kinds, draw: Pixels) -> Layer:
        """Return a layer whose kind of ground is drawn by a number in 0..1 for each pixel, mottled."""
        which = np.minimum((draw * len(kinds.grain)).astype(np.intp), len(kinds.grain) - 1)
        grain = kinds.grain[which]
        mottle = 1.0 + grain * (1 / 255) * (0.28 * self.middle + 0.35 * self.fine + 0.25 * self.broad)
        colour = kinds.colour[which] * mottle[..., None]
        dry = 1.0 + grain * (1 / 34) * (0.10 * self.middle + 0.05 * self.fine + 0.06 * self.broad)
        warmth = temp_c(kinds.sun_k[which], kinds.night_k[which], self.sky, self.sun * dry)
        warmth += grain * (0.25 / 34) * self.middle
        return Layer(colour, warmth, grain)

    def _wood(self, index: int) -> Layer:
        """Return a closed wood: crowns lit from the sun's side, dark gaps, shaded sides cooler."""
        kind, crown = WOODS[index][1], self.painter.woods[index]
        lit, tint, height = (
            self._cut(tile) for tile in (self.painter.crown_sun[index], crown.tint, crown.height_m)
        )
        top = np.clip(height / WOODS[index][0].top_m[1], 0, 1)
        bright = (0.30 + 0.45 * lit + 0.42 * top) * (1 + 0.10 * self.fine + 0.06 * self.broad)
        hue = np.stack([1 - 0.10 * tint, 1 + 0.05 * tint, 1 + 0.22 * tint], axis=-1)
        colour = np.asarray(kind.colour, np.float32) * hue * bright[..., None]
        if kind is matter.BROADLEAF:
            colour = altered.turned_leaves(colour, tint, self.painter.changes)
        sunned = self.sun * np.clip(0.1 + 0.75 * lit + 0.35 * top, 0, 1.4)
        warmth = (
            temp_c(kind.sun_k, kind.night_k, self.sky, sunned)
            + 0.35 * tint
            + 0.15 * self.fine
            + 0.3 * self.broad
        )
        return Layer(colour, warmth.astype(np.float32), np.full(self.shape, kind.grain, np.float32))

    def _turned(self, sway_m: float) -> tuple[Pixels, Pixels]:
        """Return metres along and across the fields, swaying a little."""
        turn = self.painter.field_heading
        along = self.east * math.sin(turn) + self.north * math.cos(turn) + sway_m * self.broad
        across = self.east * math.cos(turn) - self.north * math.sin(turn) + 0.7 * sway_m * self.broad
        return along, across

    def _shade(self, layer: Layer, share: Pixels) -> None:
        """Take the sun off a share of the ground; it keeps half the warmth the sun gave it before."""
        if self.sky.beam <= 0:
            return
        layer.colour *= (1 - (1 - SHADE) * share)[..., None]
        layer.temp_c -= 0.5 * share * np.maximum(layer.temp_c - self.sky.air_c, 0)

    def _house_shadows(self) -> Pixels:
        shadow = np.zeros(self.shape, np.uint8)
        if self.sky.sun_elevation_deg < 3:
            return np.zeros(self.shape, np.float32)
        west, north = float(self.east[0, 0]), float(self.north[0, 0])
        for house in self.painter.houses_near(west, north, self.shape[0] * self.painter.step_m):
            points = house_shadow(house, self.sky)
            pixels = np.column_stack([points[:, 0] - west, north - points[:, 1]]) / self.painter.step_m
            hull = cv2.convexHull(np.round(pixels * 16).astype(np.int32))
            cv2.fillConvexPoly(shadow, hull, 255, cv2.LINE_AA, 4)
        return np.asarray(shadow, np.float32) / np.float32(255)

    def _inside(self, kind: str) -> Pixels:
        """Return metres inside a kind of cover."""
        grid: Pixels = getattr(self.painter.cover, kind)
        return np.asarray(
            cv2.remap(grid, self._cover_x, self._cover_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        )

    def _cut(self, tile: Pixels) -> Pixels:
        return cut(tile, *self.at, self.shape)

    def _grid_map(self, west_m: float, north_m: float, step_m: float, half: float) -> tuple[Pixels, Pixels]:
        x = np.broadcast_to((self.east - west_m) / step_m - half, self.shape)
        y = np.broadcast_to((north_m - self.north) / step_m - half, self.shape)
        return np.ascontiguousarray(x, np.float32), np.ascontiguousarray(y, np.float32)


@cache
def _noises(step_m: float) -> tuple[Pixels, ...]:
    rng = np.random.default_rng(LANDSCAPE_SEED)
    return tuple(noise(rng, NOISE_PX, wave_m / step_m) for wave_m in (70.0, 11.0, 2.2))


@cache
def _woods(step_m: float) -> tuple[Crowns, ...]:
    rng = np.random.default_rng(LANDSCAPE_SEED)
    return tuple(crowns(rng, species, size=WOOD_PX, step_m=step_m) for species, _ in WOODS)


def _share(inside_m: npt.NDArray[np.floating], soft_m: float) -> Pixels:
    """Return 0 outside, 1 inside, rising over a soft border."""
    return np.asarray(np.clip(inside_m / soft_m + 0.5, 0, 1), np.float32)


def _soft(mask: npt.NDArray[np.bool_], blur_px: float) -> Pixels:
    """Return a mask as a share with soft borders."""
    return np.asarray(cv2.GaussianBlur(mask.astype(np.float32), (0, 0), blur_px))


def _hash(a: Pixels, b: Pixels) -> Pixels:
    """Return a number in 0..1 for each pair of whole numbers."""
    mixed = np.sin(a * 127.1 + b * 311.7) * 43758.5453
    return np.asarray(mixed - np.floor(mixed), np.float32)


def _to_edge(distance: Pixels, pitch: float) -> Pixels:
    inside = np.mod(distance, np.float32(pitch))
    return np.asarray(np.minimum(inside, np.float32(pitch) - inside))


def _longest_road_heading(world: World) -> float:
    if not world.landscape.roads:
        return 60.0
    (x0, y0), *_, (x1, y1) = max((r.line for r in world.landscape.roads), key=lambda g: g.length).coords
    return math.degrees(math.atan2(x1 - x0, y1 - y0))
