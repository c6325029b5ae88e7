"""What people built in the valley, as shapes in local metres: roads, houses, pylons, wires.

All of it follows from the site alone, so the valley looks the same every day;
only the hazards change with the seed. The site file has no roads: the main road
keeps beside the first river through the villages, tracks lead from it to the docks.
"""

import math
import zlib
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from shapely.geometry import LineString, MultiLineString, Point, Polygon
from shapely.geometry.base import BaseGeometry
from shapely.ops import nearest_points, unary_union

from missions.geo import Floats, LocalFrame
from missions.model import NamedArea, PowerLine, Site
from sim.relief import Relief

ROAD_HALF_WIDTH_M, TRACK_HALF_WIDTH_M = 3.0, 1.6
ROAD_BESIDE_RIVER_M = 75.0
HOUSE_SPACING_M = 17.0
ROOF_COLOURS = ((84, 86, 92), (70, 72, 78), (62, 78, 128), (96, 100, 104), (78, 88, 140), (140, 146, 150))
PYLON_HEIGHT_M, ARM_M, SAG_M = 28.0, 4.2, 4.0


@dataclass(frozen=True, slots=True)
class Road:
    """A way with its half-width; tracks are bare earth."""

    line: LineString
    half_width_m: float
    paved: bool


@dataclass(frozen=True, slots=True)
class House:
    """A box with a gabled roof; `heading_deg` runs along the ridge; colour is blue, green, red."""

    east_m: float
    north_m: float
    ground_m: float
    length_m: float
    width_m: float
    eaves_m: float
    ridge_m: float
    heading_deg: float
    roof: tuple[int, int, int]

    def corners(self, grow_m: float = 0.0) -> Floats:
        """Return the four corners of the walls, (4, 2) in east and north metres."""
        half_length, half_width = self.length_m / 2 + grow_m, self.width_m / 2 + grow_m
        along = np.array([half_length, half_length, -half_length, -half_length])
        across = np.array([half_width, -half_width, -half_width, half_width])
        middle = np.array([self.east_m, self.north_m])
        return np.asarray(turned(along, across, self.heading_deg) + middle)


@dataclass(frozen=True, slots=True)
class Pylon:
    """A lattice tower; the wires leave at right angles to `across_deg`."""

    east_m: float
    north_m: float
    ground_m: float
    across_deg: float


@dataclass(frozen=True, slots=True, eq=False)
class Landscape:
    """Everything built, and the site's own shapes in local metres."""

    roads: tuple[Road, ...]
    houses: tuple[House, ...]
    spans: tuple[tuple[Pylon, ...], ...]  # one row of pylons for each power line
    rivers: tuple[tuple[LineString, float], ...]  # middle line and half-width
    water: BaseGeometry
    villages: tuple[Polygon, ...]
    compartments: tuple[Polygon, ...]

    @classmethod
    def of(cls, site: Site, frame: LocalFrame, relief: Relief) -> "Landscape":
        """Return the built landscape of a site."""
        rng = np.random.default_rng(zlib.crc32(site.id.encode()))
        rivers = tuple((_smooth(frame.line(r.line)), r.half_width_m) for r in site.layers.rivers)
        water = unary_union([line.buffer(half) for line, half in rivers])
        villages = _polygons(site.layers.villages, frame)
        roads = _roads(site, frame, villages)
        spans = tuple(_pylons(line, frame, relief) for line in site.layers.lines)
        blocked = unary_union([water.buffer(8.0), *(r.line.buffer(r.half_width_m + 4.0) for r in roads)])
        blocked = blocked.union(
            unary_union([Point(p.east_m, p.north_m).buffer(15.0) for s in spans for p in s])
        )
        houses = _houses(villages, blocked, roads, relief, rng)
        return cls(roads, houses, spans, rivers, water, villages, _polygons(site.layers.compartments, frame))


def turned(along_m: Floats, across_m: Floats, heading_deg: float) -> Floats:
    """Return east and north, (n, 2), of distances along a heading and to the right of it."""
    sin, cos = math.sin(math.radians(heading_deg)), math.cos(math.radians(heading_deg))
    return np.column_stack([along_m * sin + across_m * cos, along_m * cos - across_m * sin])


def wires(span: tuple[Pylon, ...]) -> list[Floats]:
    """Return the conductors of a line as polylines, (n, 3), hanging as parabolas."""
    strands = []
    for arm, below in ((-ARM_M, 2.0), (0.0, 0.0), (ARM_M, 2.0)):
        for a, b in pairwise(span):
            share = np.linspace(0.0, 1.0, 9)[:, None]
            start, end = (_attachment(p, arm, below) for p in (a, b))
            strand = start + (end - start) * share
            strand[:, 2] -= SAG_M * 4 * share[:, 0] * (1 - share[:, 0])
            strands.append(strand)
    return strands


def _attachment(pylon: Pylon, arm_m: float, below_m: float) -> Floats:
    east, north = turned(np.array([arm_m]), np.zeros(1), pylon.across_deg)[0]
    height = pylon.ground_m + PYLON_HEIGHT_M - 1.0 - below_m
    return np.array([pylon.east_m + east, pylon.north_m + north, height])


def _polygons(areas: tuple[NamedArea, ...], frame: LocalFrame) -> tuple[Polygon, ...]:
    return tuple(frame.polygon(a.area).buffer(0) for a in areas)


def _roads(site: Site, frame: LocalFrame, villages: tuple[Polygon, ...]) -> tuple[Road, ...]:
    main = _main_road(site, frame, villages)
    if main is None:
        return ()
    tracks = []
    for place in [frame.to_local(d.place) for d in site.docks] + [
        (v.centroid.x, v.centroid.y) for v in villages
    ]:
        start = nearest_points(main, Point(place))[0]
        if start.distance(Point(place)) > 10.0:
            tracks.append(Road(_bent(start, Point(place)), TRACK_HALF_WIDTH_M, paved=False))
    return (Road(main, ROAD_HALF_WIDTH_M, paved=True), *tracks)


def _main_road(site: Site, frame: LocalFrame, villages: tuple[Polygon, ...]) -> LineString | None:
    """Return a road on the river's village side, or one that joins the villages, or none."""
    if site.layers.rivers:
        river = frame.line(site.layers.rivers[0].line).simplify(15.0)
        sides = [river.offset_curve(side * ROAD_BESIDE_RIVER_M) for side in (1, -1)]
        lines = [max(s.geoms, key=lambda g: g.length) if isinstance(s, MultiLineString) else s for s in sides]
        lines = [line for line in lines if line.length > 0]
        if lines:
            chosen = min(lines, key=lambda line: sum(line.distance(v) for v in villages))
            return _smooth(chosen)
    if len(villages) > 1:
        return LineString([v.centroid for v in villages])
    return None


def _smooth(line: LineString) -> LineString:
    """Return the line with its corners rounded, by cutting them three times (Chaikin)."""
    points = np.array(line.coords)[:, :2]
    for _ in range(3):
        cut = np.repeat(points, 2, axis=0)[1:-1].reshape(-1, 2, 2)
        start, end = cut[:, 0], cut[:, 1]
        middle = np.stack([start * 0.75 + end * 0.25, start * 0.25 + end * 0.75], axis=1).reshape(-1, 2)
        points = np.vstack([points[:1], middle, points[-1:]])
    return LineString(points)


def _bent(start: Point, end: Point) -> LineString:
    dx, dy = end.x - start.x, end.y - start.y
    share = np.linspace(0.0, 1.0, 25)
    sway = np.sin(share * 2 * np.pi) * 0.06
    return LineString(np.column_stack([start.x + dx * share - dy * sway, start.y + dy * share + dx * sway]))


def _pylons(line: PowerLine, frame: LocalFrame, relief: Relief) -> tuple[Pylon, ...]:
    points = np.array([frame.to_local(place) for _, place in line.towers])
    ahead = np.gradient(points, axis=0) if len(points) > 1 else np.array([[1.0, 0.0]])
    return tuple(
        Pylon(x, y, relief.at(x, y), math.degrees(math.atan2(dx, dy)) + 90.0)
        for (x, y), (dx, dy) in zip(points.tolist(), ahead.tolist(), strict=True)
    )


def _houses(
    villages: tuple[Polygon, ...],
    blocked: BaseGeometry,
    roads: tuple[Road, ...],
    relief: Relief,
    rng: np.random.Generator,
) -> tuple[House, ...]:
    """Return houses in loose rows, ridges along the nearest road, none in the way of anything."""
    houses = []
    for village in villages:
        heading = _heading_near(village.centroid, roads)
        reach = math.hypot(village.bounds[2] - village.bounds[0], village.bounds[3] - village.bounds[1]) / 2
        steps = np.arange(-reach, reach, HOUSE_SPACING_M)
        along, across = (g.ravel() for g in np.meshgrid(steps, steps * 0.85))
        along = along + rng.normal(0, 1.6, along.shape)
        across = across + rng.normal(0, 1.6, across.shape)
        spots = turned(along, across, heading) + np.array([village.centroid.x, village.centroid.y])
        for x, y in spots.tolist():
            if rng.random() > 0.72:
                continue
            house = _house(x, y, heading, relief, rng)
            if village.contains(Polygon(house.corners())) and not blocked.intersects(
                Polygon(house.corners())
            ):
                houses.append(house)
    return tuple(houses)


def _house(x: float, y: float, heading_deg: float, relief: Relief, rng: np.random.Generator) -> House:
    width = rng.uniform(6.0, 8.5)
    eaves = float(rng.choice([3.2, 6.2, 9.0], p=[0.4, 0.45, 0.15]))
    return House(
        x,
        y,
        relief.at(x, y),
        length_m=rng.uniform(8.0, 12.5),
        width_m=width,
        eaves_m=eaves,
        ridge_m=eaves + width * rng.uniform(0.2, 0.32),
        heading_deg=heading_deg + rng.normal(0, 4.0) + float(rng.choice([0.0, 90.0], p=[0.8, 0.2])),
        roof=ROOF_COLOURS[int(rng.integers(len(ROOF_COLOURS)))],
    )


def _heading_near(point: Point, roads: tuple[Road, ...]) -> float:
    if not roads:
        return 90.0
    line = min(roads, key=lambda r: r.line.distance(point)).line
    at = line.project(point)
    a, b = line.interpolate(max(at - 5.0, 0.0)), line.interpolate(at + 5.0)
    return math.degrees(math.atan2(b.x - a.x, b.y - a.y))
