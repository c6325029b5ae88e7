"""Measures of the tiny world that the planning tests share."""

from missions.geo import Area, LatLon, LocalFrame
from missions.model import Hazard, Sensor

ORIGIN = LatLon(30.28, 119.42)
FRAME = LocalFrame(ORIGIN)
FIRE, THERMAL, RGB = frozenset({Hazard.FIRE}), frozenset({Sensor.THERMAL}), frozenset({Sensor.RGB})


def square(east_m: float, north_m: float, side_m: float, *, tall_m: float | None = None) -> Area:
    """Return a rectangle by its south-west corner in local metres."""
    right, top = east_m + side_m, north_m + (tall_m or side_m)
    corners = ((east_m, north_m), (right, north_m), (right, top), (east_m, top))
    return Area(tuple(FRAME.to_place(x, y) for x, y in corners))


def line(*points: tuple[float, float]) -> tuple[LatLon, ...]:
    return tuple(FRAME.to_place(x, y) for x, y in points)
