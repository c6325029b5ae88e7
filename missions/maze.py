"""The shortest way among polygons: it runs over their corners (a visibility graph)."""

import heapq
import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import shapely
from shapely.geometry import LineString
from shapely.geometry.base import BaseGeometry

# Corners are touched, not crossed, by the ways over them.
TOUCH_M = 0.5

Point = tuple[float, float]


@dataclass(frozen=True)
class Maze:
    """Polygons in local metres to be gone round."""

    walls: BaseGeometry

    def round(self, a: Point, b: Point) -> list[Point] | None:
        """Return the points of the shortest way from a to b, None where an end lies inside or all is shut."""
        if self.walls.is_empty or self._sees(a, b):
            return [a, b]
        nodes = [*self._corners, a, b]
        start, goal = len(nodes) - 2, len(nodes) - 1
        ends = {start: self._seen_from(a), goal: self._seen_from(b)}
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
    def _core(self) -> BaseGeometry:
        core = self.walls.buffer(-TOUCH_M, join_style="mitre", mitre_limit=2.0)
        shapely.prepare(core)
        return core

    @cached_property
    def _corners(self) -> list[Point]:
        shapes = [part for part in getattr(self.walls, "geoms", [self.walls]) if not part.is_empty]
        return [(float(x), float(y)) for shape in shapes for x, y in shape.exterior.coords[:-1]]

    @cached_property
    def _visible(self) -> list[list[int]]:
        return [[j for j in self._seen_from(corner) if i != j] for i, corner in enumerate(self._corners)]

    def _seen_from(self, here: Point) -> list[int]:
        """Return the corners that a point sees, worked out once for it."""
        if here not in self._seen:
            corners = np.array(self._corners).reshape(-1, 2)
            lines = shapely.linestrings(np.stack([np.broadcast_to(here, corners.shape), corners], axis=1))
            self._seen[here] = [int(k) for k in np.flatnonzero(~shapely.intersects(self._core, lines))]
        return self._seen[here]

    @cached_property
    def _seen(self) -> dict[Point, list[int]]:
        return {}

    def _sees(self, a: Point, b: Point) -> bool:
        return not self._core.intersects(LineString([a, b]))


def _trace(nodes: list[Point], came: dict[int, int], goal: int) -> list[Point]:
    chain = [goal]
    while came[chain[-1]] != chain[-1]:
        chain.append(came[chain[-1]])
    return [nodes[k] for k in reversed(chain)]
