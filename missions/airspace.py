"""Ways between places that keep out of no-fly zones and clear of the ground.

Everything here is in east and north metres around the site's origin. A way
goes round a zone over the corners of the zone grown by a margin (the shortest
way among polygons runs over their corners: a visibility graph), and over a
ridge by the taut string: the lowest line that is nowhere closer to the ground
than the clearance and never dips, whose corners become waypoints.
"""

import heapq
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np
import shapely
from shapely.geometry import LineString, MultiPolygon, Polygon
from shapely.geometry.base import BaseGeometry

from missions.geo import Area, Corridor, Floats, LatLon, LocalFrame
from missions.model import Demand, Site
from missions.terrain import Terrain

# Legs are planned this high over the ground, so that 30 m are left between two
# samples of the terrain and under a drone that flies a little low.
CLEARANCE_M = 40.0
SAMPLE_M = 10.0

# How far a way stays from a no-fly zone: GPS drift and the swing through a corner.
ZONE_MARGIN_M = 20.0

# Corners of the grown zone are touched, not crossed, by the ways over them.
TOUCH_M = 0.5


@dataclass(frozen=True, slots=True)
class Spot:
    """A point in local metres, with its height above mean sea level."""

    east_m: float
    north_m: float
    altitude_m: float

    def run_m(self, other: "Spot") -> float:
        """Return the distance over the ground."""
        return math.hypot(other.east_m - self.east_m, other.north_m - self.north_m)

    def track_deg(self, other: "Spot") -> float:
        """Return the bearing to another spot."""
        east, north = other.east_m - self.east_m, other.north_m - self.north_m
        return math.degrees(math.atan2(east, north)) % 360


Way = tuple[Spot, ...]

AROUND_M = 1000.0


class Ground:
    """The terrain under local coordinates, read once onto a grid for quick looking up.

    `extent` is (west, south, east, north) in local metres. The grid is as fine
    as the model itself (coarser on extents that would make it hold more than
    four million heights), so a look-up is within the clearance's slack of the model.
    """

    def __init__(
        self, terrain: Terrain, frame: LocalFrame, extent: tuple[float, float, float, float]
    ) -> None:
        self._terrain, self.frame = terrain, frame
        self._left, self._bottom, right, top = extent
        width, height = right - self._left, top - self._bottom
        self._step = max(terrain.resolution_m, math.sqrt(width * height / 4e6))
        grid_x = self._left + self._step * np.arange(math.ceil(width / self._step) + 2)
        grid_y = self._bottom + self._step * np.arange(math.ceil(height / self._step) + 2)
        self._grid = self.exact_m(*np.meshgrid(grid_x, grid_y))

    @classmethod
    def of(cls, site: Site, terrain: Terrain, demands: Sequence[Demand]) -> "Ground":
        """Return the ground of a site: all its docks and these demands with a kilometre around."""
        frame = LocalFrame(site.origin)
        places = [d.place for d in site.docks]
        for demand in demands:
            places += _places(demand.where)
        east, north = frame.east_north([p.lat_deg for p in places], [p.lon_deg for p in places])
        west, south, right, top = terrain.bounds
        # Beyond the model there is nothing to look up, however far away a demand lies.
        ends_x, ends_y = frame.east_north([south, south, top, top], [west, right, west, right])
        return cls(
            terrain,
            frame,
            (
                max(float(east.min()) - AROUND_M, float(ends_x.min())),
                max(float(north.min()) - AROUND_M, float(ends_y.min())),
                min(float(east.max()) + AROUND_M, float(ends_x.max())),
                min(float(north.max()) + AROUND_M, float(ends_y.max())),
            ),
        )

    @property
    def top_m(self) -> float:
        """The highest ground there is."""
        return float(np.nanmax(self._grid))

    def exact_m(self, east_m: Floats, north_m: Floats) -> Floats:
        """Return the ground's height as the model has it."""
        return self._terrain.elevation_m(*self.frame.lat_lon(east_m, north_m))

    def elevation_m(self, east_m: Floats, north_m: Floats) -> Floats:
        """Return the ground's height from the grid, NaN where there is none."""
        column = (np.asarray(east_m) - self._left) / self._step
        row = (np.asarray(north_m) - self._bottom) / self._step
        rows, columns = self._grid.shape
        inside = (row >= 0) & (row <= rows - 1) & (column >= 0) & (column <= columns - 1)
        top = np.clip(np.nan_to_num(np.floor(row)).astype(int), 0, rows - 2)
        left = np.clip(np.nan_to_num(np.floor(column)).astype(int), 0, columns - 2)
        down, across = row - top, column - left
        upper = self._grid[top, left] * (1 - across) + self._grid[top, left + 1] * across
        lower = self._grid[top + 1, left] * (1 - across) + self._grid[top + 1, left + 1] * across
        return np.asarray(np.where(inside, upper * (1 - down) + lower * down, np.nan))


@dataclass(frozen=True)
class Airspace:
    """Where one site's drones may fly: the ground below and the zones kept out of."""

    ground: Ground
    zones: BaseGeometry

    @classmethod
    def of(cls, site: Site, ground: Ground, *, top_m: float) -> "Airspace":
        """Return the airspace of a site in which nothing flies above `top_m`.

        A zone counts at all heights unless it begins above everything flown.
        """
        shapes = [
            ground.frame.polygon(z.area) for z in site.no_fly if z.floor_m is None or z.floor_m <= top_m
        ]
        return cls(ground, shapely.union_all(shapes) if shapes else Polygon())

    def is_open(self, east_m: Floats, north_m: Floats) -> np.ndarray:
        """Return for each point whether it lies outside the grown zones."""
        if self.zones.is_empty:
            return np.ones(np.shape(east_m), dtype=bool)
        return np.asarray(~shapely.contains_xy(self._grown, east_m, north_m))

    def without_zones(self, shape: BaseGeometry) -> BaseGeometry:
        """Return the part of a shape over which a drone may fly."""
        return shape if self.zones.is_empty else shape.difference(self._grown)

    def way(self, a: Spot, b: Spot) -> Way | None:
        """Return the spots from a to b, both included, or None where there is no way.

        None means that an end lies inside a zone, that zones close every way,
        or that the way leaves the elevation model.
        """
        line = self._round_zones((a.east_m, a.north_m), (b.east_m, b.north_m))
        return None if line is None else self._over_ground(line, a.altitude_m, b.altitude_m)

    def _over_ground(self, line: list[tuple[float, float]], start_m: float, end_m: float) -> Way | None:
        points = np.asarray(line)
        reach = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(points, axis=0).T))])
        length = float(reach[-1])
        if length < 1.0:
            ends = (Spot(*line[0], start_m), Spot(*line[-1], end_m))
            return ends if ends[0] != ends[1] else ends[:1]
        along = np.linspace(0, length, max(3, math.ceil(length / SAMPLE_M) + 1))
        east, north = np.interp(along, reach, points[:, 0]), np.interp(along, reach, points[:, 1])
        lowest = self.ground.elevation_m(east, north) + CLEARANCE_M
        if np.isnan(lowest).any():
            return None
        lowest[0], lowest[-1] = start_m, end_m
        if (lowest <= start_m + (end_m - start_m) * along / length + 1e-9).all():
            at, height = np.array([0.0, length]), np.array([start_m, end_m])
        else:
            at, height = _taut(along, lowest)
        stops = np.union1d(at, reach)
        return tuple(
            Spot(float(x), float(y), float(z))
            for x, y, z in zip(
                np.interp(stops, reach, points[:, 0]),
                np.interp(stops, reach, points[:, 1]),
                np.interp(stops, at, height),
                strict=True,
            )
        )

    def _round_zones(
        self, a: tuple[float, float], b: tuple[float, float]
    ) -> list[tuple[float, float]] | None:
        if self.zones.is_empty or not self._core.intersects(LineString([a, b])):
            return [a, b]
        nodes = [*self._corners, a, b]
        start, goal = len(nodes) - 2, len(nodes) - 1
        ends = {
            end: [k for k in range(len(self._corners)) if self._sees(nodes[k], nodes[end])]
            for end in (start, goal)
        }
        best, came = {start: 0.0}, {start: start}
        queue = [(0.0, start)]
        while queue:
            far, here = heapq.heappop(queue)
            if here == goal:
                return _trace(nodes, came, goal)
            if far > best[here]:
                continue
            onward = ends[start] if here == start else [*self._visible[here]]
            if here in ends[goal]:
                onward = [*onward, goal]
            for there in onward:
                length = far + math.dist(nodes[here], nodes[there])
                if length < best.get(there, math.inf):
                    best[there], came[there] = length, here
                    heapq.heappush(queue, (length, there))
        return None

    @cached_property
    def _grown(self) -> BaseGeometry:
        return self.zones.buffer(ZONE_MARGIN_M, join_style="mitre", mitre_limit=2.0)

    @cached_property
    def _core(self) -> BaseGeometry:
        core = self.zones.buffer(ZONE_MARGIN_M - TOUCH_M, join_style="mitre", mitre_limit=2.0)
        shapely.prepare(core)
        return core

    @cached_property
    def _corners(self) -> list[tuple[float, float]]:
        shapes = self._grown.geoms if isinstance(self._grown, MultiPolygon) else [self._grown]
        return [(float(x), float(y)) for shape in shapes for x, y in shape.exterior.coords[:-1]]

    @cached_property
    def _visible(self) -> list[list[int]]:
        corners = self._corners
        return [
            [j for j, other in enumerate(corners) if i != j and self._sees(corner, other)]
            for i, corner in enumerate(corners)
        ]

    def _sees(self, a: tuple[float, float], b: tuple[float, float]) -> bool:
        return not self._core.intersects(LineString([a, b]))


def _places(where: LatLon | Corridor | Area) -> tuple[LatLon, ...]:
    if isinstance(where, Corridor):
        return where.line
    return where.outer if isinstance(where, Area) else (where,)


def _trace(nodes: list[tuple[float, float]], came: dict[int, int], goal: int) -> list[tuple[float, float]]:
    chain = [goal]
    while came[chain[-1]] != chain[-1]:
        chain.append(came[chain[-1]])
    return [nodes[k] for k in reversed(chain)]


def _taut(along: Floats, lowest: Floats) -> tuple[Floats, Floats]:
    """Return the corners of the upper hull of the heights that must not be undercut."""
    hull: list[int] = []
    for k in range(len(along)):
        while len(hull) >= 2 and _is_under(along, lowest, hull[-2], hull[-1], k):
            hull.pop()
        hull.append(k)
    return along[hull], lowest[hull]


def _is_under(x: Floats, y: Floats, i: int, j: int, k: int) -> bool:
    """Return whether point j lies on or below the line from i to k."""
    return bool((y[j] - y[i]) * (x[k] - x[i]) <= (y[k] - y[i]) * (x[j] - x[i]))


def length_m(way: Way) -> float:
    """Return how long a way is over the ground."""
    return sum(a.run_m(b) for a, b in pairwise(way))


def spot(frame: LocalFrame, place: LatLon, altitude_m: float) -> Spot:
    """Return a place at a height above mean sea level as a spot."""
    return Spot(*frame.to_local(place), altitude_m)
