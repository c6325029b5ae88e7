"""The ground told to an autopilot that follows it: answers to TERRAIN_REQUEST (pure).

A vehicle asks for 56 blocks of 4 × 4 heights at once, 8 to the east and 7 to the
north of a corner, and sets a bit for each that it lacks
(mavlink.io/en/services/terrain.html). ArduPilot counts metres to degrees on a
sphere, so the same must be done here for its places to be ours.
"""

import math

import numpy as np

from fleet.messages import GroundBlock, GroundWanted
from fleet.order import Ground
from missions.geo import LatLon
from missions.terrain import Terrain

_BLOCKS = 56
_EAST_BLOCKS = 8
_SIDE = 4
_METRES_A_DEGREE = 111_318.845  # ArduPilot's sphere
_AT_ONCE = 8  # blocks in one answer: it asks again for the rest each second, and links are thin


def ground_of(terrain: Terrain) -> Ground:
    """Return the ground of an elevation model; beyond its edge, the greatest height in it.

    An ArduPilot arms only when it has been told some kilometres around it, and
    near an edge nobody knows them all: there it would fly too high, never too low.
    """
    highest_m = float(np.nanmax(terrain.heights_m))

    def ground_m(place: LatLon) -> float:
        height_m = float(terrain.elevation_m(place.lat_deg, place.lon_deg))
        return highest_m if math.isnan(height_m) else height_m

    return ground_m


def ground_blocks(wanted: GroundWanted, ground: Ground) -> list[GroundBlock]:
    """Return the first blocks that a vehicle lacks; a block we do not know whole is left out."""
    found: list[GroundBlock] = []
    for bit in range(_BLOCKS):
        if wanted.mask >> bit & 1 and len(found) < _AT_ONCE:
            heights = _heights(wanted, bit, ground)
            if heights is not None:
                found.append(GroundBlock(wanted.lat_deg, wanted.lon_deg, wanted.spacing_m, bit, heights))
    return found


def _heights(wanted: GroundWanted, bit: int, ground: Ground) -> tuple[int, ...] | None:
    step_m = wanted.spacing_m
    block_m = step_m * _SIDE
    corner = _offset(
        wanted.lat_deg, wanted.lon_deg, bit // _EAST_BLOCKS * block_m, bit % _EAST_BLOCKS * block_m
    )
    heights = [
        ground(_offset(corner.lat_deg, corner.lon_deg, north * step_m, east * step_m))
        for north in range(_SIDE)
        for east in range(_SIDE)
    ]
    return None if any(map(math.isnan, heights)) else tuple(round(h) for h in heights)


def _offset(lat_deg: float, lon_deg: float, north_m: float, east_m: float) -> LatLon:
    wide = _METRES_A_DEGREE * math.cos(math.radians(lat_deg))
    return LatLon(lat_deg + north_m / _METRES_A_DEGREE, lon_deg + east_m / wide)
