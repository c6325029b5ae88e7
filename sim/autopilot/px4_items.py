"""Mission items as PX4 keeps them: what it takes, in which frame, and what comes back.

Items with a place come in a global frame, the others in MAV_FRAME_MISSION, and
one list of commands belongs to each; anything else is refused (PX4's
mavlink_mission.cpp, parse_mavlink_mission_item). What has a place keeps the few
parameters of its command; what has none keeps all seven values.
"""

import math
import struct
import zlib
from collections.abc import Sequence
from dataclasses import replace

from sim.autopilot.dialect import mav
from sim.autopilot.items import Item

_ABSOLUTE, _RELATIVE, _ABSOLUTE_INT, _RELATIVE_INT, _NO_PLACE = 0, 3, 5, 6, 2
_GLOBAL_FRAMES = (_ABSOLUTE, _RELATIVE, _ABSOLUTE_INT, _RELATIVE_INT)
# Commands with a place, and which of their parameters are kept.
_PLACED: dict[int, tuple[int, ...]] = {
    16: (1, 2, 4),
    17: (3, 4),
    19: (1, 2, 3, 4),
    21: (2, 4),
    22: (4,),
    31: (1, 2, 4),
    195: (),
    201: (1,),
    5000: (),
    5001: (1,),
    5002: (1,),
    5003: (1,),
    5004: (1,),
    5100: (),
}
_UNPLACED = frozenset(
    {20, 93, 112, 114, 177, 178, 179, 189, 197, 201, 203, 204, 205, 206, 211, 214, 400, 530, 532}
    | {1000, 1001, 2000, 2001, 2003, 2500, 2501, 2600, 3000}
)
FENCE_COMMANDS = frozenset({5000, 5001, 5002, 5003, 5004})
RALLY_POINT = 5100


def refusal(item: Item) -> int | None:
    """Return the MAV_MISSION_RESULT an item is refused with, or None when it can be kept."""
    if item.frame in _GLOBAL_FRAMES:
        return None if item.command in _PLACED else int(mav.MAV_MISSION_UNSUPPORTED)
    if item.frame == _NO_PLACE:
        return None if item.command in _UNPLACED else int(mav.MAV_MISSION_UNSUPPORTED)
    return int(mav.MAV_MISSION_UNSUPPORTED_FRAME)


def kept(item: Item) -> Item:
    """Return an item that was not refused, as it comes back: global frames as their INT twins."""
    if item.frame == _NO_PLACE:
        return item
    keep = _PLACED[item.command]
    a, b, c, d = (v if n in keep else 0.0 for n, v in enumerate(item.params, 1))
    relative = item.frame in (_RELATIVE, _RELATIVE_INT)
    frame = _RELATIVE_INT if relative else _ABSOLUTE_INT
    return replace(item, frame=frame, params=(a, b, c, _turned(d)))


def opaque_id(items: Sequence[Item]) -> int:
    """Return the number a list is known by: a CRC32 over its items as they were sent, 0 for none."""
    crc = 0
    for item in items:
        head = struct.pack("<BHB", item.frame, item.command, 1)
        crc = zlib.crc32(head + struct.pack("<4fiif", *item.params, item.x, item.y, item.z), crc)
    return crc & 0xFFFFFFFF


def _turned(yaw_deg: float) -> float:
    """Return a heading as it comes back: through radians, from 0 to 360; NaN stays."""
    return yaw_deg if math.isnan(yaw_deg) else yaw_deg % 360.0
