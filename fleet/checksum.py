"""One number for a list as an autopilot keeps it: the same for the list sent and for its reading back.

An autopilot stores less than it is sent (whole centimetres, some of the four
values, frames without their INT twins), so both are brought into its own form
first. It stands in the record of a flight as proof of which plan was on board.
"""

import math
import struct
import zlib
from collections.abc import Iterable

from fleet.autopilots import Autopilot
from fleet.messages import Item

_LAYOUT = struct.Struct("<HHB4fiii")


def checksum(items: Iterable[Item], autopilot: Autopilot) -> int:
    """Return the CRC32 of a list in the form its autopilot keeps, without what is before our first item."""
    crc = 0
    for item in items:
        if item.seq >= autopilot.first:
            crc = zlib.crc32(_packed(autopilot.stored(item)), crc)
    return crc


def _packed(item: Item) -> bytes:
    values = [math.nan if math.isnan(value) else value for value in item.params]  # of all NaNs the one
    place = [0 if math.isnan(v) else round(v * scale) for v, scale in _places(item)]
    return _LAYOUT.pack(item.seq, item.command, item.frame, *values, *place)


def _places(item: Item) -> tuple[tuple[float, float], ...]:
    return (item.lat_deg, 1e7), (item.lon_deg, 1e7), (item.altitude_m, 100.0)
