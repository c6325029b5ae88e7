"""The vehicle's half of the terrain protocol: what ground it asks for, and what it knows of it.

https://mavlink.io/en/services/terrain.html with ArduPilot's habits. The world is
cut into blocks of 28 by 32 heights that overlap by four; a block is asked for by its south-west
corner with a mask of the 56 little grids of 4 by 4 heights that are missing, at
most one request in two seconds a link, and each little grid comes in a TERRAIN_DATA.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass, field

from sim.autopilot.dialect import Message, Outgoing, mav

ROWS, COLUMNS = 7, 8  # little grids in a block, to the north and to the east
SIZE = 4  # heights in a little grid, each way
_ALL = (1 << (ROWS * COLUMNS)) - 1
_EVERY_S = 2.0
_M_A_DEGREE = 111_318.84502  # ArduPilot's metres in a degree of latitude
_MOST_BLOCKS = 64

Key = tuple[int, int]  # of a block: its corner in 1e-7 degrees


@dataclass(slots=True)
class Block:
    """The heights of one block as far as they came; rows run north, columns east."""

    heights: dict[tuple[int, int], int] = field(default_factory=dict)
    have: int = 0

    @property
    def is_whole(self) -> bool:
        return self.have == _ALL


@dataclass(frozen=True, slots=True)
class _Place:
    """Where in the block of a place it lies, in steps of the spacing."""

    key: Key
    row: float
    column: float


class TerrainMap:
    """What one vehicle knows of the ground, kept over its flights."""

    def __init__(self) -> None:
        self.spacing_m = 100.0
        self._blocks: dict[Key, Block] = {}
        self._asked_s: dict[int, float] = {}

    def set_spacing(self, metres: float) -> None:
        """Take another TERRAIN_SPACING; what was known with another one is of no use."""
        if metres != self.spacing_m and metres > 0:
            self.spacing_m = metres
            self._blocks.clear()

    def height_m(self, lat_deg: float, lon_deg: float) -> float | None:
        """Return the ground's height above the sea at a place, or None while unknown."""
        place = self._place(lat_deg, lon_deg)
        block = self._blocks.get(place.key)
        if block is None:
            return None
        row, column = int(place.row), int(place.column)
        corners = [block.heights.get((row + r, column + c)) for r in (0, 1) for c in (0, 1)]
        if any(h is None for h in corners):
            return None
        south_west, south_east, north_west, north_east = (float(h) for h in corners if h is not None)
        across, up = place.column - column, place.row - row
        low = south_west + (south_east - south_west) * across
        high = north_west + (north_east - north_west) * across
        return low + (high - low) * up

    def request(self, link: int, places: Iterable[tuple[float, float]], now_s: float) -> list[Outgoing]:
        """Return the next request for what is missing around some places, if it is time for one."""
        if now_s - self._asked_s.get(link, -math.inf) < _EVERY_S:
            return []
        for lat, lon in places:
            key = self._place(lat, lon).key
            block = self._blocks.setdefault(key, Block())
            while len(self._blocks) > _MOST_BLOCKS:
                self._blocks.pop(next(iter(self._blocks)))
            if not block.is_whole:
                self._asked_s[link] = now_s
                spacing = round(self.spacing_m)
                request = mav.MAVLink_terrain_request_message(*key, spacing, _ALL & ~block.have)
                return [Outgoing(request, link)]
        return []

    def take(self, message: Message) -> bool:
        """Take a TERRAIN_DATA; return whether it belongs to something asked for."""
        block = self._blocks.get((message.lat, message.lon))
        if (
            block is None
            or message.grid_spacing != round(self.spacing_m)
            or message.gridbit >= ROWS * COLUMNS
        ):
            return False
        first_row = message.gridbit // COLUMNS * SIZE
        first_column = message.gridbit % COLUMNS * SIZE
        for i, height in enumerate(message.data):
            block.heights[(first_row + i // SIZE, first_column + i % SIZE)] = height
        block.have |= 1 << message.gridbit
        return True

    def counts(self) -> tuple[int, int]:
        """Return how many little grids are still missing and how many are there."""
        have = sum(b.have.bit_count() for b in self._blocks.values())
        return len(self._blocks) * ROWS * COLUMNS - have, have

    def _place(self, lat_deg: float, lon_deg: float) -> _Place:
        """Return the block of a place; blocks count from the corner of its degree square."""
        corner_lat, corner_lon = math.floor(lat_deg), math.floor(lon_deg)
        spacing = self.spacing_m
        shrink = math.cos(math.radians(corner_lat))
        row = (lat_deg - corner_lat) * _M_A_DEGREE / spacing
        column = (lon_deg - corner_lon) * _M_A_DEGREE * shrink / spacing
        rows, columns = (ROWS - 1) * SIZE, (COLUMNS - 1) * SIZE
        block_row, block_column = int(row // rows), int(column // columns)
        key = (
            round((corner_lat + block_row * rows * spacing / _M_A_DEGREE) * 1e7),
            round((corner_lon + block_column * columns * spacing / (_M_A_DEGREE * shrink)) * 1e7),
        )
        return _Place(key, row - block_row * rows, column - block_column * columns)
