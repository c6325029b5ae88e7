"""Where an incident may be, as shapes: its 95 % ellipse on the ground."""

from functools import lru_cache

import numpy as np
from shapely.geometry import Polygon
from shapely.geometry.base import BaseGeometry
from shapely.ops import unary_union
from shapely.prepared import PreparedGeometry, prep

from missions.geo import WGS84, Area, LatLon, LocalFrame
from vision.model import Ellipse

CORNERS = 24
"""A ring of 24 points lies within 1 % of the ellipse."""

LEAST_M = 1.0
"""An ellipse is drawn no thinner than this, so that its ring never crosses itself after rounding."""


def ellipse_ring(place: LatLon, ellipse: Ellipse) -> tuple[LatLon, ...]:
    """Return the ellipse's outline as an open ring of places, clockwise from its major axis."""
    turn = np.linspace(0.0, 2 * np.pi, CORNERS, endpoint=False)
    along = max(ellipse.major_m, LEAST_M) * np.cos(turn)
    across = max(ellipse.minor_m, LEAST_M) * np.sin(turn)
    bearing = ellipse.bearing_deg + np.degrees(np.arctan2(across, along))
    lon, lat, _ = WGS84.fwd(
        np.full(CORNERS, place.lon_deg), np.full(CORNERS, place.lat_deg), bearing, np.hypot(along, across)
    )
    return tuple(LatLon(float(a), float(o)) for a, o in zip(lat, lon, strict=True))


def touches(ground: tuple[Area, ...], place: LatLon, ellipse: Ellipse) -> bool:
    """Return whether the place may lie on the ground: the ellipse meets it, borders included.

    An incident whose ellipse crosses a border therefore lies on both sides.
    """
    if not ground:
        return False
    frame, shape = _prepared(ground)
    ring = ellipse_ring(place, ellipse)
    east, north = frame.east_north([p.lat_deg for p in ring], [p.lon_deg for p in ring])
    return bool(shape.intersects(Polygon(np.column_stack([east, north]))))


@lru_cache(maxsize=1024)
def _prepared(ground: tuple[Area, ...]) -> tuple[LocalFrame, "PreparedGeometry[BaseGeometry]"]:
    frame = LocalFrame(ground[0].outer[0])
    return frame, prep(unary_union([frame.polygon(area) for area in ground]))
