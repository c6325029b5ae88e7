"""ArduPilot's file of a list on board (`@MISSION/mission.dat`) and our items, there and back.

Little end first: a header of five 16-bit numbers (magic, MAV_MISSION_TYPE, options, first item,
count), then MISSION_ITEM_INT as MAVLink packs it, 38 bytes an item. Reading gives the whole list.
What is written is taken over when the file is closed; an item of zeros alone refuses it. Format:
ArduPilot's AP_Filesystem_Mission and its page on MAVLink FTP.
"""

import math
import struct
from collections.abc import Sequence

from fleet.messages import Item, ListKind

PATHS = {ListKind.MISSION: "@MISSION/mission.dat"}

_MAGIC = 0x763D
_HEADER = struct.Struct("<5H")
# param1…4, x, y, z, seq, command, target system and component, frame, current, autocontinue, kind
_ITEM = struct.Struct("<4fiifHH6B")


def to_bytes(items: Sequence[Item], kind: ListKind = ListKind.MISSION) -> bytes:
    """Return the file that puts a list on board in place of the one there."""
    header = _HEADER.pack(_MAGIC, kind, 0, 0, len(items))
    return header + b"".join(_packed(item) for item in items)


def from_bytes(data: bytes) -> tuple[Item, ...] | None:
    """Return the list in a file, None if it is no such file or not whole."""
    length = length_in(data)
    if length is None or len(data) < length:
        return None
    kind = ListKind(_HEADER.unpack_from(data)[1])
    places = range(_HEADER.size, length, _ITEM.size)
    return tuple(_item(data, place, seq, kind) for seq, place in enumerate(places))


def length_in(head: bytes) -> int | None:
    """Return how long a file is as its header tells, None if it has no such header."""
    if len(head) < _HEADER.size:
        return None
    magic, kind, _options, _first, count = map(int, _HEADER.unpack_from(head))
    if magic != _MAGIC or kind not in set(ListKind):
        return None
    return _HEADER.size + count * _ITEM.size


def _packed(item: Item) -> bytes:
    return _ITEM.pack(
        *item.params,
        _e7(item.lat_deg),
        _e7(item.lon_deg),
        item.altitude_m,
        item.seq,
        item.command,
        0,
        0,
        item.frame,
        0,
        1,
        item.kind,
    )


def _item(data: bytes, place: int, seq: int, kind: ListKind) -> Item:
    p1, p2, p3, p4, x, y, z, _seq, command, _, _, frame, *_ = _ITEM.unpack_from(data, place)
    return Item(seq, command, frame, (p1, p2, p3, p4), x / 1e7, y / 1e7, z, kind)


def _e7(value_deg: float) -> int:
    return 0 if math.isnan(value_deg) else round(value_deg * 1e7)
