"""What the site's own vectors say: where water belongs, and what stands there to be reached."""

from datetime import datetime

import numpy as np
from shapely.geometry import LineString, Point, Polygon
from shapely.geometry.base import BaseGeometry
from shapely.ops import unary_union

from missions.geo import Area, LatLon, LocalFrame
from missions.layers import NamedArea
from missions.model import ReferenceLayers
from vision.chart import Grid, Mask, covered
from vision.forecast import things
from vision.model import Reached

TOWER_M = 4.0
"""A tower's foot reaches so far from its place."""


def permanent_water(references: ReferenceLayers, grid: Grid, *, wider_m: float = 0.0) -> Mask | None:
    """Return where water belongs on a grid, None where the site names no water that reaches it."""
    shapes: list[BaseGeometry] = [
        LineString(grid.line(river.line)).buffer((river.half_width_m + wider_m) / grid.pixel_m)
        for river in references.rivers
        if len(river.line) > 1
    ]
    shapes += [grid.polygon(lake.area).buffer(wider_m / grid.pixel_m) for lake in references.waters]
    found = covered(unary_union(shapes), grid.shape) if shapes else None
    return found if found is not None and found.any() else None


def permitted(references: ReferenceLayers, place: LatLon, at: datetime | None) -> bool:
    """Return whether a permit in force at that time covers a place."""
    return at is not None and any(p.holds(at) and _covers(p.area, place) for p in references.permits)


def compartment_of(references: ReferenceLayers, place: LatLon) -> NamedArea | None:
    """Return the forest compartment that a place lies in, None outside all."""
    return next((c for c in references.compartments if _covers(c.area, place)), None)


def _covers(area: Area, place: LatLon) -> bool:
    return bool(LocalFrame(place).polygon(area).buffer(0).covers(Point(0.0, 0.0)))


def reached(references: ReferenceLayers, grid: Grid, polygon: Polygon) -> tuple[Reached, ...]:
    """Return the villages, buildings, towers and roads that a polygon of pixels touches."""
    found: list[Reached] = []
    for thing in things(references):
        at = grid.line(thing.places)
        shape: BaseGeometry
        if thing.is_area:
            shape = Polygon(at)
        elif len(at) > 1:
            shape = LineString(at)
        else:
            shape = Point(at[0]).buffer(TOWER_M / grid.pixel_m)
        if shape.intersects(polygon):
            found.append({"kind": thing.kind, "id": thing.id, "name": dict(thing.name)})
    return tuple(found)


def along(grid: Grid, ring: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> tuple[LatLon, ...]:
    """Return the places of a ring of pixels."""
    lat, lon = grid.to_places(ring)
    return tuple(LatLon(float(a), float(b)) for a, b in zip(lat, lon, strict=True))
