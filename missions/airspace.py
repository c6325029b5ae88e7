"""Ways between places that keep out of no-fly zones and clear of the ground.

Everything here is in east and north metres around the site's origin. A way
goes round a zone (`missions.maze`), or over or under it where it has a ceiling
or a floor, whichever takes less. It goes over a ridge by the taut string: the
lowest line that is nowhere closer to the ground than the clearance and never
dips, whose corners become waypoints.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise

import numpy as np
import shapely
from shapely.geometry import LineString, Polygon
from shapely.geometry.base import BaseGeometry

from missions.geo import Area, Corridor, Floats, LatLon, LocalFrame
from missions.maze import TOUCH_M, Maze, Point
from missions.model import Demand, Site
from missions.terrain import Terrain
from missions.volumes import Hours, Volume, inside, no_photo_of, volumes_of

# Legs are planned this high over the ground, so that 30 m are left between two
# samples of the terrain and under a drone that flies a little low.
CLEARANCE_M = 40.0
SAMPLE_M = 10.0

# Typical; ways over a zone and round it are compared by them.
TYPICAL_M_S, TYPICAL_RISE_M_S = 12.0, 3.0


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
        self.terrain, self.frame = terrain, frame
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
        return self.terrain.elevation_m(*self.frame.lat_lon(east_m, north_m))

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
    """Where one site's drones may fly in certain hours: the ground below and what is kept out of."""

    ground: Ground
    volumes: tuple[Volume, ...]
    no_photo: BaseGeometry = field(default_factory=Polygon)

    @classmethod
    def of(cls, site: Site, ground: Ground, *, top_m: float, hours: Hours | None = None) -> "Airspace":
        """Return the airspace of a site in which nothing flies above `top_m`.

        `hours` are when it is flown in: zones shut at another time do not count.
        """
        volumes = volumes_of(site, ground.terrain, ground.frame, top_m=top_m, hours=hours)
        return cls(ground, volumes, no_photo_of(site, ground.frame))

    def is_blind(self, east_m: Floats, north_m: Floats) -> np.ndarray:
        """Return for each point whether it lies over no-photo ground."""
        return np.asarray(shapely.contains_xy(self.no_photo, east_m, north_m))

    def is_open(self, east_m: Floats, north_m: Floats, altitude_m: Floats | None = None) -> np.ndarray:
        """Return for each point whether it may be flown at its height (at any height when None)."""
        is_open = np.ones(np.shape(east_m), dtype=bool)
        for volume in self.volumes:
            shut = shapely.contains_xy(volume.shape, east_m, north_m)
            is_open &= ~(shut if altitude_m is None else shut & inside(volume, altitude_m))
        return is_open

    def clear_m(self, east_m: float, north_m: float, altitude_m: float) -> float:
        """Return the height, this one or the next above it, at which no passable volume is in the way."""
        for volume in sorted(self.volumes, key=lambda v: v.high_m):
            is_here = np.isfinite(volume.high_m) and shapely.contains_xy(volume.shape, east_m, north_m)
            if is_here and inside(volume, np.array(altitude_m)):
                altitude_m = volume.high_m
        return altitude_m

    def without_zones(self, shape: BaseGeometry, height_m: float) -> BaseGeometry:
        """Return the part of a shape over which a drone may fly at a height over the ground."""
        shut = [v.shape for v in self.volumes if not self._is_passed(v, shape, height_m)]
        return shape.difference(shapely.union_all(shut)) if shut else shape

    def way(self, a: Spot, b: Spot) -> Way | None:
        """Return the spots from a to b, both included, or None where there is no way.

        None means that an end lies inside a zone, that zones close every way,
        or that the way leaves the elevation model.
        """
        ends = (a.east_m, a.north_m), (b.east_m, b.north_m)
        line = self._maze(frozenset()).round(*ends)
        if line is None:
            return None
        hit = self._hit(line)
        if not hit:
            return self._over_ground(line, a.altitude_m, b.altitude_m)
        over = self._passing(line, hit, a, b)
        return min((w for w in (over, self._beside(hit, a, b)) if w is not None), key=_seconds, default=None)

    @cached_property
    def core(self) -> BaseGeometry:
        """All that is shut at some height, a hand's breadth smaller: a line that misses it is a way."""
        union = shapely.union_all([v.shape for v in self.volumes]) if self.volumes else Polygon()
        shrunk = union.buffer(-TOUCH_M, join_style="mitre", mitre_limit=2.0)
        shapely.prepare(shrunk)
        return shrunk

    def _beside(self, hit: frozenset[int], a: Spot, b: Spot) -> Way | None:
        """Return the way that goes round all passable volumes but those that an end lies over or under."""
        ends = (a.east_m, a.north_m), (b.east_m, b.north_m)
        avoided: frozenset[int] = frozenset()
        while more := self._aside(hit - avoided, ends):
            avoided |= more
            line = self._maze(avoided).round(*ends)
            if line is None:
                return None
            hit = self._hit(line)
            if not self._aside(hit - avoided, ends):
                return self._passing(line, hit - avoided, a, b)
        return None

    def _aside(self, volumes: frozenset[int], ends: tuple[Point, Point]) -> frozenset[int]:
        """Return the volumes that neither end lies over or under."""
        return frozenset(
            k for k in volumes if not any(shapely.contains_xy(self.volumes[k].shape, *p) for p in ends)
        )

    def _passing(self, line: list[Point], passed: frozenset[int], a: Spot, b: Spot) -> Way | None:
        """Return the way along a line over the ground, and over or under what stands in it."""
        volumes = [self.volumes[k] for k in sorted(passed)]
        return self._over_ground(line, a.altitude_m, b.altitude_m, volumes)

    def _hit(self, line: Sequence[Point]) -> frozenset[int]:
        """Return the passable volumes that a line runs through."""
        if not self._passable or len(line) < 2:
            return frozenset()
        path = LineString(line)
        return frozenset(k for k in self._passable if self.volumes[k].shape.intersects(path))

    def _is_passed(self, volume: Volume, shape: BaseGeometry, height_m: float) -> bool:
        """Return whether a drone at a height over the ground is over or under a volume all along a shape."""
        if volume.is_wall:
            return False
        common = shape.intersection(volume.shape)
        if common.is_empty:
            return True
        left, bottom, right, top = common.bounds
        x, y = np.meshgrid(np.linspace(left, right, 15), np.linspace(bottom, top, 15))
        flown = self.ground.elevation_m(x, y) + height_m
        return not bool(inside(volume, flown[~np.isnan(flown)]).any())

    def _over_ground(
        self,
        line: list[Point],
        start_m: float,
        end_m: float,
        passed: Sequence[Volume] = (),
    ) -> Way | None:
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
        within = [_wider(shapely.contains_xy(v.shape, east, north)) for v in passed]
        at, height = _lowest_line(along, lowest, start_m, end_m)
        for volume, shut in zip(passed, within, strict=True):
            if np.isfinite(volume.high_m) and inside(volume, np.interp(along, at, height))[shut].any():
                lowest = np.where(shut, np.maximum(lowest, volume.high_m), lowest)
                at, height = _lowest_line(along, lowest, start_m, end_m)
        flown = np.interp(along, at, height)
        if any(inside(v, flown)[shut].any() for v, shut in zip(passed, within, strict=True)):
            return None
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

    def _maze(self, avoided: frozenset[int]) -> Maze:
        """Return the walls and some passable volumes, to be gone round."""
        if avoided not in self._mazes:
            shapes = [v.shape for k, v in enumerate(self.volumes) if v.is_wall or k in avoided]
            self._mazes[avoided] = Maze(shapely.union_all(shapes))
        return self._mazes[avoided]

    @cached_property
    def _mazes(self) -> dict[frozenset[int], Maze]:
        return {}

    @cached_property
    def _passable(self) -> tuple[int, ...]:
        for volume in self.volumes:
            shapely.prepare(volume.shape)
        return tuple(k for k, v in enumerate(self.volumes) if not v.is_wall)


def _wider(shut: np.ndarray) -> np.ndarray:
    """Return the samples and their neighbours: the rim lies somewhere between two of them."""
    wider = shut | np.r_[shut[1:], False] | np.r_[False, shut[:-1]]
    wider[[0, -1]] = shut[[0, -1]]  # the ends are where they are
    return np.asarray(wider)


def _lowest_line(along: Floats, lowest: Floats, start_m: float, end_m: float) -> tuple[Floats, Floats]:
    """Return the lowest line between two heights that is nowhere under the lowest allowed."""
    lowest = lowest.copy()
    lowest[0], lowest[-1] = start_m, end_m
    if (lowest <= start_m + (end_m - start_m) * along / along[-1] + 1e-9).all():
        return along[[0, -1]], np.array([start_m, end_m])
    return _taut(along, lowest)


def _seconds(way: Way) -> float:
    """Return about how long a way takes; only ways between the same ends are compared by it."""
    return sum(
        max(a.run_m(b) / TYPICAL_M_S, abs(b.altitude_m - a.altitude_m) / TYPICAL_RISE_M_S)
        for a, b in pairwise(way)
    )


def _places(where: LatLon | Corridor | Area) -> tuple[LatLon, ...]:
    if isinstance(where, Corridor):
        return where.line
    return where.outer if isinstance(where, Area) else (where,)


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
