"""Fence and rally lists: which of their items a vehicle takes, and when a fence is whole.

A polygon is as many vertex items as its first parameter says, one after the
other; a wrong vertex count is found out at the end of the upload.
"""

from itertools import groupby

from sim.autopilot.dialect import mav
from sim.autopilot.items import Item

RETURN_POINT, POLYGON_IN, POLYGON_OUT, CIRCLE_IN, CIRCLE_OUT = 5000, 5001, 5002, 5003, 5004
RALLY_POINT = 5100
_FENCE_COMMANDS = {RETURN_POINT, POLYGON_IN, POLYGON_OUT, CIRCLE_IN, CIRCLE_OUT}


def refusal(item: Item, *, rally: bool) -> int | None:
    """Return the MAV_MISSION_RESULT a fence or rally item is refused with, or None."""
    if item.command not in ({RALLY_POINT} if rally else _FENCE_COMMANDS):
        return int(mav.MAV_MISSION_UNSUPPORTED)
    if abs(item.x) > 90 * 10**7:
        return int(mav.MAV_MISSION_INVALID_PARAM5_X)
    if abs(item.y) > 180 * 10**7:
        return int(mav.MAV_MISSION_INVALID_PARAM6_Y)
    return None


def is_whole(items: list[Item]) -> bool:
    """Return whether every polygon of a fence has the vertices it announces."""
    for (command, count), run in groupby(items, key=lambda i: (i.command, int(i.params[0]))):
        if command not in (POLYGON_IN, POLYGON_OUT):
            continue
        if count < 3 or len(list(run)) % count:
            return False
    return True
