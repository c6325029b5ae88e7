"""The ground told to an autopilot that follows it: answers to TERRAIN_REQUEST (pure).

A vehicle asks for 56 blocks of 4 × 4 heights at once, 8 to the east and 7 to the
north of a corner, and sets a bit for each that it lacks
(mavlink.io/en/services/terrain.html). ArduPilot counts metres to degrees on a
sphere, so the same must be done here for its places to be ours.
"""

from collections.abc import Sequence

import numpy as np

from fleet.messages import GroundBlock, GroundWanted
from fleet.order import Ground
from missions.geo import Floats
from missions.terrain import Terrain

_BLOCKS = 56
_EAST_BLOCKS = 8
_SIDE = 4
_METRES_A_DEGREE = 111_318.845  # ArduPilot's sphere
_AT_ONCE = 8  # blocks in one answer: it asks again for the rest each second, and links are thin


def padded(terrain: Terrain) -> Ground:
    """Return the ground of an elevation model; where it has none, the greatest height in it.

    An ArduPilot arms only when it has been told some kilometres around it, and
    near an edge nobody knows them all: there it would fly too high, never too low.
    """
    highest_m = float(np.nanmax(terrain.heights_m))

    def ground_m(lat_deg: Floats, lon_deg: Floats) -> Floats:
        heights = terrain.elevation_m(lat_deg, lon_deg)
        return np.where(np.isnan(heights), highest_m, heights)

    return ground_m


def ground_blocks(wanted: GroundWanted, ground: Ground) -> list[GroundBlock]:
    """Return the first blocks that a vehicle lacks; a block we do not know whole is left out."""
    bits = [bit for bit in range(_BLOCKS) if wanted.mask >> bit & 1]
    heights = ground(*_grid(wanted, bits)).reshape(-1, _SIDE * _SIDE)
    known = [(bit, row) for bit, row in zip(bits, heights, strict=True) if not np.isnan(row).any()]
    return [
        GroundBlock(wanted.lat_deg, wanted.lon_deg, wanted.spacing_m, bit, tuple(map(round, row.tolist())))
        for bit, row in known[:_AT_ONCE]
    ]


def _grid(wanted: GroundWanted, bits: Sequence[int]) -> tuple[Floats, Floats]:
    """Return latitudes and longitudes of blocks' heights, shape (blocks, 16): rows go to the north."""
    block = np.array(bits, dtype=float).reshape(-1, 1)
    row, column = np.divmod(np.arange(_SIDE * _SIDE, dtype=float), _SIDE)
    corner = _moved(
        np.full_like(block, wanted.lat_deg),
        np.full_like(block, wanted.lon_deg),
        block // _EAST_BLOCKS * _SIDE * wanted.spacing_m,
        block % _EAST_BLOCKS * _SIDE * wanted.spacing_m,
    )
    return _moved(*corner, row * wanted.spacing_m, column * wanted.spacing_m)


def _moved(lat_deg: Floats, lon_deg: Floats, north_m: Floats, east_m: Floats) -> tuple[Floats, Floats]:
    """Return places moved on ArduPilot's sphere, all of one shape."""
    wide = _METRES_A_DEGREE * np.cos(np.radians(lat_deg))
    lat, lon = np.broadcast_arrays(lat_deg + north_m / _METRES_A_DEGREE, lon_deg + east_m / wide)
    return lat, lon
