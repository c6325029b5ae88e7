"""Brute force for the routing rows: no tree, no prepared shapes, no geometry library.

A point lies in a polygon when a ray from it crosses the polygon's edges an odd number of
times, or when it lies on one of them. The sign that decides this is computed in doubles and,
where doubles cannot tell, again in whole fractions, so the oracle is exact for the numbers given.

An ellipse meets a polygon when its centre lies inside, or when an edge comes nearer than 1 to
the origin after the map that turns the ellipse into the unit circle.
"""

from fractions import Fraction

import numpy as np
import numpy.typing as npt

from api.routing import Places
from missions.geo import WGS84, Area, Floats

Bools = npt.NDArray[np.bool_]

_DOUBT = 1e-12
"""Below this share of its terms the sign of a cross product in doubles is not believed."""


class Edges:
    """All edges of one polygon, holes included: from (ax, ay) to (bx, by) in degrees east and north."""

    def __init__(self, area: Area) -> None:
        rings = [np.array([(p.lon_deg, p.lat_deg) for p in ring]) for ring in (area.outer, *area.holes)]
        self.a = np.concatenate(rings)
        self.b = np.concatenate([np.roll(ring, -1, axis=0) for ring in rings])


def holds(edges: Edges, x: Floats, y: Floats) -> Bools:
    """Return which points lie in the polygon or on its border."""
    (ax, ay), (bx, by) = edges.a.T, edges.b.T
    px, py = x[:, None], y[:, None]
    left, right = (bx - ax) * (py - ay), (by - ay) * (px - ax)
    side = np.sign(left - right)
    unsure = np.abs(left - right) <= _DOUBT * (np.abs(left) + np.abs(right))
    for point, edge in np.argwhere(unsure):
        side[point, edge] = _exact_side(edges.a[edge], edges.b[edge], x[point], y[point])
    in_box = (np.minimum(ax, bx) <= px) & (px <= np.maximum(ax, bx))
    in_box &= (np.minimum(ay, by) <= py) & (py <= np.maximum(ay, by))
    on_border = ((side == 0) & in_box).any(axis=1)
    rises = (ay <= py) & (by > py) & (side > 0)
    falls = (by <= py) & (ay > py) & (side < 0)
    inside = ((rises | falls).sum(axis=1) % 2).astype(bool)
    return np.asarray(on_border | inside)


def meets(edges: Edges, places: Places, *, grown: float = 1.0) -> Bools:
    """Return which ellipses, each axis times `grown`, meet the polygon."""
    inside = holds(edges, places.lon_deg, places.lat_deg)
    near = nearest(edges, places) <= grown
    return np.asarray(inside | near)


def nearest(edges: Edges, places: Places) -> Floats:
    """Return each ellipse's distance to the polygon's border, in its own radii: 1 touches."""
    ax, ay = _in_radii(edges.a, places)
    bx, by = _in_radii(edges.b, places)
    dx, dy = bx - ax, by - ay
    length = np.maximum(dx * dx + dy * dy, 1e-300)
    along = np.clip(-(ax * dx + ay * dy) / length, 0.0, 1.0)
    return np.asarray(np.hypot(ax + along * dx, ay + along * dy).min(axis=1))


def _in_radii(corner: Floats, places: Places) -> tuple[Floats, Floats]:
    """Return corners seen from each ellipse, along its two axes and measured in them."""
    lat = np.radians(places.lat_deg)
    w = np.sqrt(1 - WGS84.es * np.sin(lat) ** 2)
    north = np.radians(corner[:, 1] - places.lat_deg[:, None]) * (WGS84.a * (1 - WGS84.es) / w**3)[:, None]
    east = np.radians(corner[:, 0] - places.lon_deg[:, None]) * (WGS84.a * np.cos(lat) / w)[:, None]
    turn = np.radians(places.bearing_deg)[:, None]
    along = (east * np.sin(turn) + north * np.cos(turn)) / places.major_m[:, None]
    across = (east * np.cos(turn) - north * np.sin(turn)) / places.minor_m[:, None]
    return along, across


def _exact_side(a: Floats, b: Floats, x: float, y: float) -> int:
    ax, ay, bx, by, px, py = (Fraction(float(v)) for v in (*a, *b, x, y))
    cross = (bx - ax) * (py - ay) - (by - ay) * (px - ax)
    return (cross > 0) - (cross < 0)
