"""Mission items as ArduCopter keeps them, which is not quite as they were sent.

A command keeps only the parameters it knows; a place keeps its frame in one of
three forms; what has no place comes back in frame 0 without one. Read-back
therefore differs from the upload in these ways, and in no others.
"""

import math
from dataclasses import dataclass, replace

from sim.autopilot.dialect import Message, mav, whole

GLOBAL, RELATIVE, TERRAIN = 0, 3, 10
_FRAMES = {0: GLOBAL, 5: GLOBAL, 3: RELATIVE, 6: RELATIVE, 10: TERRAIN, 11: TERRAIN}
_MISSION_FRAME = 2

ACCEPTED = mav.MAV_MISSION_ACCEPTED
UNSUPPORTED_FRAME = mav.MAV_MISSION_UNSUPPORTED_FRAME
UNSUPPORTED = mav.MAV_MISSION_UNSUPPORTED


@dataclass(frozen=True, slots=True)
class _Kept:
    """What of a command's item is kept: parameters by number, and its place."""

    params: tuple[int, ...] = ()
    place: bool = False
    name: str = ""
    nan: tuple[int, ...] = ()  # parameters that may be NaN ("keep as it is")
    numbers: bool = False  # x and y are plain numbers, kept as they are


_COMMANDS: dict[int, _Kept] = {
    16: _Kept((1,), place=True, name="WP", nan=(4,)),
    17: _Kept((3,), place=True, name="LoitUnlim", nan=(4,)),
    18: _Kept((1, 3), place=True, name="LoitTurns", nan=(4,)),
    19: _Kept((1,), place=True, name="LoitTime", nan=(4,)),
    20: _Kept((), name="RTL"),
    21: _Kept((1,), place=True, name="Land", nan=(4,)),
    22: _Kept((1,), place=True, name="Takeoff", nan=(4,)),
    82: _Kept((1,), place=True, name="SplineWP", nan=(4,)),
    92: _Kept((1,), name="GuidedEnable"),
    93: _Kept((1, 2, 3, 4), name="Delay"),
    94: _Kept((1,), place=True, name="PayloadPlace"),
    112: _Kept((1,), name="CondDelay"),
    114: _Kept((1,), name="CondDist"),
    115: _Kept((1, 2, 3, 4), name="CondYaw"),
    177: _Kept((1, 2), name="Jump"),
    178: _Kept((1, 2, 3), name="ChangeSpeed"),
    179: _Kept((1,), place=True, name="SetHome"),
    181: _Kept((1, 2), name="SetRelay"),
    182: _Kept((1, 2, 3), name="RepeatRelay"),
    183: _Kept((1, 2), name="SetServo"),
    184: _Kept((1, 2, 3, 4), name="RepeatServo"),
    189: _Kept((), place=True, name="DO_LAND_START"),
    195: _Kept((1,), place=True, name="SetROI"),
    197: _Kept((1,), name="ROINone"),
    201: _Kept((1,), place=True, name="SetROI"),
    203: _Kept((1, 2, 3, 4), name="DigiCamCtrl", numbers=True),
    205: _Kept((1, 2, 3), name="MountCtrl"),
    206: _Kept((1, 3), name="SetCamTrigDst"),
    207: _Kept((1,), name="FenceEnable"),
    208: _Kept((1,), name="Parachute"),
    211: _Kept((1, 2), name="Gripper"),
    218: _Kept((1, 2), name="AuxFunction"),
    222: _Kept((1, 2, 3, 4), name="GuidedLimits"),
    530: _Kept((1, 2), name="SetCamMode"),
    531: _Kept((1, 2), name="SetCameraZoom"),
    532: _Kept((1, 2), name="SetCameraFocus"),
    1000: _Kept((1, 2, 3, 4), name="GimbalPitchYaw", nan=(1, 2, 3, 4)),
    2000: _Kept((1, 2, 3, 4), name="ImageStartCapture"),
    2001: _Kept((1,), name="ImageStopCapture"),
    2500: _Kept((1,), name="VideoStartCap"),
    2501: _Kept((1,), name="VideoStopCap"),
}
# Handled inside ArduPilot's mission library, which tells nobody of their end.
_SILENT = {177, 181, 182, 183, 184, 203, 206, 207, 208, 211, 218, 530, 531, 532, 1000, 2000, 2001, 2500, 2501}
_NAVIGATION = {16, 17, 18, 19, 20, 21, 22, 82, 92, 93, 94}
WAYPOINT, LOITER, TURNS, LOITER_TIME, RETURN, LAND, TAKEOFF, SPLINE = 16, 17, 18, 19, 20, 21, 22, 82
GUIDED_ENABLE, DELAY, YAW, JUMP = 92, 93, 115, 177
LAND_WORDS = (RETURN, LAND)


@dataclass(frozen=True, slots=True)
class Item:
    """One mission item as it is kept; x and y are 1e-7 degrees."""

    command: int
    frame: int = GLOBAL
    params: tuple[float, float, float, float] = (0.0, 0.0, 0.0, 0.0)
    x: int = 0
    y: int = 0
    z: float = 0.0

    @property
    def is_navigation(self) -> bool:
        """Whether it is flown; the others are done on the way."""
        return self.command in _NAVIGATION

    @property
    def has_place(self) -> bool:
        """Whether it names a place; an item at 0, 0 means "where I am"."""
        known = _COMMANDS.get(self.command)
        return (known is None or known.place) and (self.x != 0 or self.y != 0)

    @property
    def reports(self) -> bool:
        """Whether its end is told: the camera's commands never are."""
        return self.command not in _SILENT

    @property
    def name(self) -> str:
        known = _COMMANDS.get(self.command)
        return known.name if known else f"Cmd{self.command}"

    def message(self, seq: int, kind: int, *, target: tuple[int, int], floats: bool = False) -> Message:
        """Return the item for a reader: with integers, or as the old MISSION_ITEM."""
        scale = _scale(self.command)
        x, y = (self.x / scale, self.y / scale) if floats else (self.x, self.y)
        maker = mav.MAVLink_mission_item_message if floats else mav.MAVLink_mission_item_int_message
        return maker(*target, seq, self.frame, self.command, 0, 1, *self.params, x, y, self.z, kind)


def received(message: Message) -> Item:
    """Return the item a MISSION_ITEM_INT or MISSION_ITEM holds, as it was sent."""
    params = (message.param1, message.param2, message.param3, message.param4)
    if message.get_type() == "MISSION_ITEM":
        scale = _scale(message.command)
        x, y = whole(message.x * scale), whole(message.y * scale)
    else:
        x, y = message.x, message.y
    return Item(message.command, message.frame, params, x, y, message.z)


def refusal(item: Item) -> int | None:
    """Return the MAV_MISSION_RESULT an item is refused with, or None when it can be kept."""
    kept = _COMMANDS.get(item.command)
    if kept is None:
        return int(UNSUPPORTED)
    for number, value in enumerate(item.params, 1):
        if math.isnan(value) and number not in kept.nan:
            return int(mav.MAV_MISSION_INVALID_PARAM1) + number - 1
    if not kept.place:
        return None
    if item.frame not in _FRAMES and item.frame != _MISSION_FRAME:
        return int(UNSUPPORTED_FRAME)
    if abs(item.x) > 90 * 10**7:
        return int(mav.MAV_MISSION_INVALID_PARAM5_X)
    if abs(item.y) > 180 * 10**7:
        return int(mav.MAV_MISSION_INVALID_PARAM6_Y)
    if not math.isfinite(item.z):
        return int(mav.MAV_MISSION_INVALID_PARAM7)
    return None


def kept(item: Item) -> Item:
    """Return an item that was not refused, in the form in which it is kept."""
    keep = _COMMANDS[item.command]
    params = tuple(
        value if number in keep.params and not math.isnan(value) else 0.0
        for number, value in enumerate(item.params, 1)
    )
    if not keep.place:
        x, y = (item.x, item.y) if keep.numbers else (0, 0)
        return Item(item.command, GLOBAL, _four(params), x, y)
    return replace(item, frame=stored_frame(item.frame), params=_four(params))


def _scale(command: int) -> float:
    """Return what the floats of an old item's x and y are multiplied by."""
    known = _COMMANDS.get(command)
    return 1.0 if known is not None and known.numbers else 1e7


def stored_frame(frame: int) -> int:
    """Return the form in which a frame is kept; unknown ones become heights above the sea."""
    return _FRAMES.get(frame, GLOBAL)


def _four(values: tuple[float, ...]) -> tuple[float, float, float, float]:
    a, b, c, d = values
    return a, b, c, d
