"""The one polygon of a CAP area: closed, simple, of few points.

Warning systems choke on rings that are open, cross themselves or have
thousands of points, and real composers have sent all three. What was seen is
drawn where it is larger than the doubt about its place; else the ellipse is.
"""

from collections.abc import Sequence

from shapely import make_valid
from shapely.geometry import Polygon
from shapely.geometry.base import BaseGeometry

from api.shapes import ellipse_ring
from missions.geo import LatLon
from vision.model import Ellipse

MOST_POINTS = 100
"""Of a ring, the closing one included."""

MOST_MENDED = 300
"""Points of a ring that crosses itself and is still untangled."""

PLACES = 6
"""Decimals of a degree that are written: 11 cm."""

_LEAST_DEG2 = 1e-11
"""About a tenth of a square metre: less is a line or a point after rounding."""

Ring = tuple[tuple[float, float], ...]
"""(latitude, longitude) pairs in degrees as they are written, the first again at the end."""


def area_ring(place: LatLon, ellipse: Ellipse, outline: Sequence[LatLon] = ()) -> Ring | None:
    """Return the ring of an area: the outline where it is larger than the ellipse, else the ellipse.

    None where no ring can be drawn on a flat map, as across the 180th meridian: `circle` then says it.
    """
    doubt = _shape(ellipse_ring(place, ellipse))
    seen = _shape(outline) if len(outline) >= 3 else None
    if seen is not None and (doubt is None or seen.area > doubt.area):
        return _ring(seen)
    return _ring(doubt) if doubt is not None else None


def fault_of(ring: Ring) -> str | None:
    """Return what is wrong with a ring, or None: the rules that every area keeps."""
    if len(ring) < 4 or ring[0] != ring[-1]:
        return "it is not closed"
    if len(ring) > MOST_POINTS:
        return f"it has {len(ring)} points, at most {MOST_POINTS} are sent"
    if any(abs(lat) > 90 or abs(lon) > 180 for lat, lon in ring):
        return "a point lies off the earth"
    shape = Polygon(ring)
    if not shape.is_valid:
        return "it crosses or touches itself"
    return None if shape.area >= _LEAST_DEG2 else "it has no area"


def _shape(places: Sequence[LatLon]) -> Polygon | None:
    """Return a valid polygon of the places as they will be written, or None."""
    written = [(round(place.lat_deg, PLACES), round(place.lon_deg, PLACES)) for place in places]
    lons = [lon for _, lon in written]
    if max(lons) - min(lons) > 180 or len(set(written)) < 3:
        return None
    shape = Polygon(written)
    if shape.is_valid:
        return _largest(shape)
    # Undoing the crossings of thousands of points can take minutes: their hull is then close enough.
    return _largest(make_valid(shape) if len(written) <= MOST_MENDED else shape.convex_hull)


def _largest(shape: BaseGeometry) -> Polygon | None:
    parts = [part for part in getattr(shape, "geoms", [shape]) if isinstance(part, Polygon) and part.area]
    return max(parts, key=lambda part: part.area) if parts else None


def _ring(shape: Polygon) -> Ring | None:
    """Return the outer ring with few enough points; its hull where simplifying does not keep it simple."""
    tolerance = 1e-6
    outer = Polygon(shape.exterior)
    simple = outer
    while len(simple.exterior.coords) > MOST_POINTS and tolerance < 1.0:
        simple, tolerance = outer.simplify(tolerance), tolerance * 1.3
    for candidate in (simple, outer.convex_hull.simplify(tolerance)):
        if isinstance(candidate, Polygon) and not candidate.is_empty:
            ring = tuple((round(lat, PLACES), round(lon, PLACES)) for lat, lon in candidate.exterior.coords)
            if fault_of(ring) is None:
                return ring
    return None
