"""PX4 multicopter, as its documentation and public source describe it; not flown by us yet.

What differs from ArduCopter, and the page it is taken from:

* docs.px4.io "MAVLink mission protocol" and mavlink.io/en/services/mission.html: there is no
  home item, seq 0 is the first; a list is handed out one item after the other only; the list
  on board is told by an opaque id, the CRC32 of its items.
* docs.px4.io "Flight modes": a mode is a main number (4 is AUTO) and a sub number in the two
  high bytes of custom_mode. It is armed in Hold and takes off when AUTO.MISSION begins; a
  pause is Hold, which holds its height without a stick.
* docs.px4.io "Mission mode": NaN as a heading means "as it flies", 0 means north.
* docs.px4.io "Safety (failsafe) configuration" and "Parameter reference": COM_, NAV_, GF_, RTL_.
* mavlink.io/en/services/parameter.html, "bytewise": whole numbers travel as the bits of a float.
"""

import math
import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, replace

from fleet.autopilots import Flying, Step
from fleet.messages import Command, Item, Parameter
from fleet.order import DockPlace, SortieOrder
from fleet.parameters import Wanted
from missions.items import MissionItem

_DO_SET_MODE = 176
_ARM_DISARM = 400
_MISSION_START = 300
_SET_MESSAGE_INTERVAL = 511
_RUN_PREARM_CHECKS = 401
_CUSTOM_MODE = 1.0
_AUTO = 4

_MODES = {
    (1, 0): "MANUAL",
    (2, 0): "ALTCTL",
    (3, 0): "POSCTL",
    (4, 1): "AUTO.READY",
    (4, 2): "AUTO.TAKEOFF",
    (4, 3): "AUTO.LOITER",
    (4, 4): "AUTO.MISSION",
    (4, 5): "AUTO.RTL",
    (4, 6): "AUTO.LAND",
    (4, 8): "AUTO.FOLLOW",
    (4, 9): "AUTO.PRECLAND",
    (5, 0): "ACRO",
    (6, 0): "OFFBOARD",
    (7, 0): "STABILIZED",
}
_TAKEOFF, _HOLD, _MISSION, _RTL, _LAND, _PRECLAND = 2, 3, 4, 5, 6, 9

# Which of the four values a command with a place gives back; the rest comes back as zero.
_KEPT = {16: (0, 1, 3), 17: (2, 3), 19: (0, 2), 21: (1, 3), 22: (3,)}
_HEADING = 3  # the value that is a heading, where a command with a place has one
_TURNING = frozenset({16, 21, 22})
_STORED_FRAME = {5: 0, 6: 3}
_FRAME_MISSION = 2
_WHOLE_NUMBERS = {1: "B", 2: "b", 3: "H", 4: "h", 5: "I", 6: "i"}  # MAV_PARAM_TYPE: how its bits read

_CRC_LAYOUT = struct.Struct("<BHB4fiif")  # frame, command, autocontinue, four values, x, y, z
_ALL_BITS = 0xFFFFFFFF

_STREAMS = (
    (1, 1.0),  # SYS_STATUS
    (24, 2.0),  # GPS_RAW_INT
    (33, 0.5),  # GLOBAL_POSITION_INT
    (42, 1.0),  # MISSION_CURRENT
    (230, 2.0),  # ESTIMATOR_STATUS
    (242, 10.0),  # HOME_POSITION
    (245, 1.0),  # EXTENDED_SYS_STATE
)


@dataclass(frozen=True, slots=True)
class Px4:
    """The one way to speak to a PX4 multicopter."""

    name: str = "PX4"
    first: int = 0
    window: int = 1
    climbs_in_place: bool = False
    most_items: int = 500  # what its smaller boards store
    takes_parts: bool = False
    has_list_file: bool = False
    hash_name: str = "_HASH_CHECK"

    def mission(self, items: Sequence[MissionItem], dock: DockPlace) -> tuple[Item, ...]:
        return tuple(
            Item(seq, i.command, i.frame, _turned(i), i.lat_deg, i.lon_deg, i.altitude_m)
            for seq, i in enumerate(items)
        )

    def same(self, sent: Item, read: Item) -> bool:
        return sent.seq == read.seq and sent.command == read.command and _stored_alike(sent, read)

    def stored(self, item: Item) -> Item:
        frame = _STORED_FRAME.get(item.frame, item.frame)
        if item.frame == _FRAME_MISSION:
            return item
        kept = _KEPT.get(item.command, ())
        p1, p2, p3, p4 = (v if n in kept else 0.0 for n, v in enumerate(_wrapped(item)))
        return replace(item, frame=frame, params=(p1, p2, p3, p4))

    def list_id(self, items: Sequence[Item]) -> int | None:
        crc = 0
        for item in items:
            packed = _CRC_LAYOUT.pack(
                item.frame,
                item.command,
                1,
                *item.params,
                _e7(item.lat_deg),
                _e7(item.lon_deg),
                item.altitude_m,
            )
            # PX4's CRC32 is zlib's without the inversions before and after.
            crc = ~zlib.crc32(packed, ~crc & _ALL_BITS) & _ALL_BITS
        return crc

    def profile(self, order: SortieOrder) -> tuple[Wanted, ...]:
        return (
            *_speeds(order),
            Wanted("COM_RC_IN_MODE", 4, "fly without a stick"),
            Wanted("NAV_DLL_ACT", 2, "come home when the ground is silent"),
            Wanted("COM_DLL_EXCEPT", 1, "but finish a mission under way", is_mask=True),
            Wanted("COM_LOW_BAT_ACT", 3, "come home on low battery, land before it is empty"),
            Wanted("RTL_RETURN_ALT", math.ceil(order.highest_m), "come home as high as the sortie flies"),
            Wanted("GF_ACTION", 3, "come home when leaving the fence"),
        )

    def commands(self, step: Step, mode: int | None) -> tuple[Command, ...]:
        match step:
            case Step.READY | Step.PAUSE:
                return (_set_mode(_HOLD),)
            case Step.ARM:
                return (_command(_ARM_DISARM, 1),)
            case Step.DISARM:
                return (_command(_ARM_DISARM, 0),)
            case Step.START:
                begun = self.flying(mode) is Flying.MISSION
                return (_command(_MISSION_START),) if begun else (_set_mode(_MISSION),)
            case Step.RESUME:
                return (_set_mode(_MISSION),)
            case Step.RECALL:
                return (_set_mode(_RTL),)
            case Step.LAND:
                return (_set_mode(_LAND),)
            case Step.EXPLAIN:
                return (_command(_RUN_PREARM_CHECKS),)

    def jump(self, seq: int, mode: int | None) -> tuple[Command, ...]:
        # Its navigator begins at the item that MISSION_START names, and knows no DO_SET_MISSION_CURRENT.
        return (_command(_MISSION_START, seq),)

    def kept(self, step: Step, *, armed: bool | None, mode: int | None) -> bool:
        match step:
            case Step.ARM:
                return armed is True
            case Step.DISARM:
                return armed is False
            case Step.EXPLAIN:
                return True
        return self.flying(mode) is _PROMISED[step]

    def streams(self) -> tuple[Command, ...]:
        return tuple(_command(_SET_MESSAGE_INTERVAL, id_, every_s * 1e6) for id_, every_s in _STREAMS)

    def flying(self, mode: int | None) -> Flying:
        match _main_and_sub(mode):
            case (4, 4):
                return Flying.MISSION
            case (4, 3):
                return Flying.READY
            case (4, 5):
                return Flying.RETURN
            case (4, 6 | 9):
                return Flying.LAND
        return Flying.OTHER

    def mode_name(self, mode: int | None) -> str:
        if mode is None:
            return "unknown"
        return _MODES.get(_main_and_sub(mode), f"mode {mode}")

    def read_number(self, parameter: Parameter) -> float:
        letter = _WHOLE_NUMBERS.get(parameter.kind)
        if letter is None:
            return parameter.value
        bits = struct.pack("<f", parameter.value)
        (number,) = struct.unpack_from(f"<{letter}", bits)
        return float(number)

    def wire_number(self, value: float, kind: int) -> float:
        letter = _WHOLE_NUMBERS.get(kind)
        if letter is None:
            return value
        (carried,) = struct.unpack("<f", struct.pack(f"<{letter}", round(value)).ljust(4, b"\0"))
        return float(carried)


_PROMISED = {
    Step.READY: Flying.READY,
    Step.PAUSE: Flying.READY,
    Step.START: Flying.MISSION,
    Step.RESUME: Flying.MISSION,
    Step.RECALL: Flying.RETURN,
    Step.LAND: Flying.LAND,
}


def _main_and_sub(mode: int | None) -> tuple[int, int]:
    return (0, 0) if mode is None else (mode >> 16 & 0xFF, mode >> 24 & 0xFF)


def _turned(item: MissionItem) -> tuple[float, float, float, float]:
    """Return the values with a heading of 0, which neutral items mean as "none", as PX4 says none."""
    p1, p2, p3, p4 = item.params
    return (p1, p2, p3, math.nan) if item.command in _TURNING and p4 == 0.0 else (p1, p2, p3, p4)


def _speeds(order: SortieOrder) -> list[Wanted]:
    """Return the speeds the plan counts with, in m/s."""
    speeds = (
        ("MPC_XY_CRUISE", order.fastest_m_s, "fly as fast as planned, also after a pause"),
        ("MPC_Z_V_AUTO_UP", order.climb_m_s, "climb as fast as planned"),
        ("MPC_Z_V_AUTO_DN", order.descent_m_s, "descend as fast as planned"),
    )
    return [Wanted(name, speed, why) for name, speed, why in speeds if speed is not None]


def _command(number: int, p1: float = 0.0, p2: float = 0.0, p3: float = 0.0) -> Command:
    return Command(number, (float(p1), float(p2), float(p3), 0.0, 0.0, 0.0, 0.0))


def _set_mode(sub: int) -> Command:
    return _command(_DO_SET_MODE, _CUSTOM_MODE, _AUTO, sub)


def _stored_alike(sent: Item, read: Item) -> bool:
    if _e7(sent.lat_deg) != _e7(read.lat_deg) or _e7(sent.lon_deg) != _e7(read.lon_deg):
        return False
    if _STORED_FRAME.get(sent.frame, sent.frame) != _STORED_FRAME.get(read.frame, read.frame):
        return False
    if not _close(sent.altitude_m, read.altitude_m):
        return False
    if sent.frame == _FRAME_MISSION:
        return all(_close(a, b) for a, b in zip(sent.params, read.params, strict=True))
    kept = _KEPT.get(sent.command, ())
    turned = replace(sent, params=_wrapped(sent)).params
    return all(_close(turned[n], read.params[n]) for n in kept)


def _wrapped(item: Item) -> tuple[float, float, float, float]:
    """Return the values with the heading brought into 0…360, as it is stored."""
    p1, p2, p3, p4 = item.params
    return (p1, p2, p3, p4 % 360.0) if item.command in _TURNING and math.isfinite(p4) else item.params


def _close(a: float, b: float) -> bool:
    if math.isnan(a) or math.isnan(b):
        return math.isnan(a) and math.isnan(b)
    return math.isclose(a, b, rel_tol=1e-5, abs_tol=1e-4)


def _e7(value_deg: float) -> int:
    return 0 if math.isnan(value_deg) else round(value_deg * 1e7)
