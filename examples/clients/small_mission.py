"""A mission of a minute around a place: take off, two pictures from 20 m, home."""

import math
from typing import NamedTuple

TAKEOFF, WAYPOINT, SHOOT, RETURN = 22, 16, 2000, 20  # MAV_CMD
GLOBAL, NO_PLACE, ABOVE_HOME = 0, 2, 3  # MAV_FRAME


class Item(NamedTuple):
    """One mission item: places in degrees, heights in metres."""

    command: int
    frame: int
    params: tuple[float, float, float, float] = (0.0, 0.0, 0.0, 0.0)
    lat_deg: float = 0.0
    lon_deg: float = 0.0
    height_m: float = 0.0


def around(lat_deg: float, lon_deg: float, *, home_first: bool) -> list[Item]:
    """Return the mission; ArduPilot wants its home as the first item, PX4 does not."""
    metre_north = 1 / 111_320
    metre_east = metre_north / math.cos(math.radians(lat_deg))
    items = [Item(WAYPOINT, GLOBAL, lat_deg=lat_deg, lon_deg=lon_deg)] if home_first else []
    items.append(Item(TAKEOFF, ABOVE_HOME, lat_deg=lat_deg, lon_deg=lon_deg, height_m=20))
    for number, (east_m, north_m) in enumerate([(0, 30), (30, 30)], 1):
        lat, lon = lat_deg + north_m * metre_north, lon_deg + east_m * metre_east
        items.append(Item(WAYPOINT, ABOVE_HOME, lat_deg=lat, lon_deg=lon, height_m=20))
        items.append(Item(SHOOT, NO_PLACE, (0, 0, 1, number)))
    return [*items, Item(RETURN, NO_PLACE)]
