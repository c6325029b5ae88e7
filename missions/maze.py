"""The shortest way among polygons: it runs over their corners (a visibility graph)."""

import heapq
import math
from dataclasses import dataclass
from functools import cached_property

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
        corners = self._corners
        return [
            [j for j, other in enumerate(corners) if i != j and self._sees(corner, other)]
            for i, corner in enumerate(corners)
        ]

    def _sees(self, a: Point, b: Point) -> bool:
        return not self._core.intersects(LineString([a, b]))


def _trace(nodes: list[Point], came: dict[int, int], goal: int) -> list[Point]:
    chain = [goal]
    while came[chain[-1]] != chain[-1]:
        chain.append(came[chain[-1]])
    return [nodes[k] for k in reversed(chain)]
