"""ArduCopter, as 4.5 behaves on the wire.

Item 0 is home and is overwritten by the vehicle. Armed in GUIDED, then AUTO,
then MISSION_START works whatever AUTO_OPTIONS says. A pause stays in AUTO
(DO_PAUSE_CONTINUE): LOITER without a stick sinks.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from fleet.autopilots import Flying, Step
from fleet.messages import Command, Item, Parameter
from fleet.order import DockPlace, SortieOrder
from fleet.parameters import Wanted
from missions.items import MissionItem

_DO_SET_MODE = 176
_SET_MISSION_CURRENT = 224
_ARM_DISARM = 400
_MISSION_START = 300
_PAUSE_CONTINUE = 193
_SET_MESSAGE_INTERVAL = 511
_RUN_PREARM_CHECKS = 401
_CUSTOM_MODE = 1.0

_AUTO, _GUIDED, _RTL, _LAND, _SMART_RTL = 3, 4, 6, 9, 21
_MODES = {
    0: "STABILIZE",
    1: "ACRO",
    2: "ALT_HOLD",
    _AUTO: "AUTO",
    _GUIDED: "GUIDED",
    5: "LOITER",
    _RTL: "RTL",
    7: "CIRCLE",
    _LAND: "LAND",
    16: "POSHOLD",
    17: "BRAKE",
    _SMART_RTL: "SMART_RTL",
    27: "AUTO_RTL",
}

# The command values ArduCopter stores and gives back; the rest comes back as zero.
_KEPT_PARAMS = {16: 1, 20: 0, 21: 1, 22: 1, 178: 3, 205: 3}
_WITH_PLACE = frozenset({16, 17, 18, 19, 21, 22, 82, 195, 201})
_STORED_FRAME = {5: 0, 6: 3, 11: 10}
_FENCE_AREAS = 4  # the bit of polygons and circles
_HEIGHT_STEP_M = 0.011  # it stores centimetres

# Message id and seconds between two: what a sortie must know, and no more.
_STREAMS = (
    (1, 1.0),  # SYS_STATUS
    (24, 2.0),  # GPS_RAW_INT
    (33, 0.5),  # GLOBAL_POSITION_INT
    (42, 1.0),  # MISSION_CURRENT
    (133, 0.5),  # TERRAIN_REQUEST, sent only while it lacks ground
    (193, 2.0),  # EKF_STATUS_REPORT
    (242, 10.0),  # HOME_POSITION
    (245, 1.0),  # EXTENDED_SYS_STATE
)


@dataclass(frozen=True, slots=True)
class ArduCopter:
    """The one way to speak to an ArduCopter."""

    name: str = "ArduCopter"
    first: int = 1
    window: int = 8
    climbs_in_place: bool = True
    most_items: int = 650
    takes_parts: bool = True
    has_list_file: bool = True
    hash_name: str = ""

    def mission(self, items: Sequence[MissionItem], dock: DockPlace) -> tuple[Item, ...]:
        home = Item(0, 16, 0, (0.0, 0.0, 0.0, 0.0), dock.lat_deg, dock.lon_deg, dock.elevation_m)
        rest = (
            Item(seq, i.command, i.frame, i.params, i.lat_deg, i.lon_deg, i.altitude_m)
            for seq, i in enumerate(items, start=1)
        )
        return (home, *rest)

    def same(self, sent: Item, read: Item) -> bool:
        return sent.seq == read.seq and sent.command == read.command and _stored_alike(sent, read)

    def stored(self, item: Item) -> Item:
        kept = _KEPT_PARAMS.get(item.command, 4)
        p1, p2, p3, p4 = (0.0 if n >= kept or math.isnan(v) else v for n, v in enumerate(item.params))
        params = p1, p2, p3, p4
        if item.command not in _WITH_PLACE:
            return Item(item.seq, item.command, 0, params, 0.0, 0.0, 0.0, item.kind)
        frame, height_m = _STORED_FRAME.get(item.frame, item.frame), round(item.altitude_m, 2)
        return Item(item.seq, item.command, frame, params, item.lat_deg, item.lon_deg, height_m, item.kind)

    def list_id(self, items: Sequence[Item]) -> int | None:
        return None

    def profile(self, order: SortieOrder) -> tuple[Wanted, ...]:
        return (
            *_speeds(order),
            *_fence(order),
            Wanted("AUTO_OPTIONS", 0, "no arming and no take-off that was not ordered"),
            Wanted("FS_GCS_ENABLE", 1, "come home when the ground is silent"),
            Wanted("FS_OPTIONS", 2, "but finish a mission under way", is_mask=True),
            Wanted("RTL_ALT", math.ceil(order.highest_m) * 100, "come home as high as the sortie flies"),
            Wanted("RTL_ALT_TYPE", 0, "heights of the way home are above the dock"),
            Wanted("MIS_RESTART", 0, "go on where a mission was interrupted"),
            Wanted("BATT_FS_LOW_ACT", 2, "come home on low battery"),
            Wanted("BATT_FS_CRT_ACT", 1, "land on critical battery"),
            Wanted(
                "CAM1_TYPE",
                None,
                "the autopilot reports pictures",
                by_hand="set the camera's type and restart the autopilot, else it reports no pictures",
            ),
        )

    def commands(self, step: Step, mode: int | None) -> tuple[Command, ...]:
        match step:
            case Step.READY:
                return (_set_mode(_GUIDED),)
            case Step.ARM:
                return (_command(_ARM_DISARM, 1),)
            case Step.DISARM:
                return (_command(_ARM_DISARM, 0),)
            case Step.START:
                return (_command(_MISSION_START),) if mode == _AUTO else (_set_mode(_AUTO),)
            case Step.PAUSE:
                return (_command(_PAUSE_CONTINUE, 0),)
            case Step.RESUME:
                return (_command(_PAUSE_CONTINUE, 1),) if mode == _AUTO else (_set_mode(_AUTO),)
            case Step.RECALL:
                return (_set_mode(_RTL),)
            case Step.LAND:
                return (_set_mode(_LAND),)
            case Step.EXPLAIN:
                return (_command(_RUN_PREARM_CHECKS),)

    def jump(self, seq: int, mode: int | None) -> tuple[Command, ...]:
        current = _command(_SET_MISSION_CURRENT, seq)
        return (current,) if mode == _AUTO else (current, _set_mode(_AUTO))

    def kept(self, step: Step, *, armed: bool | None, mode: int | None) -> bool:
        match step:
            case Step.ARM:
                return armed is True
            case Step.DISARM:
                return armed is False
            case Step.EXPLAIN | Step.PAUSE:  # a pause stays in AUTO and shows in the speed alone
                return True
        return self.flying(mode) is _PROMISED[step]

    def streams(self) -> tuple[Command, ...]:
        return tuple(_command(_SET_MESSAGE_INTERVAL, id_, every_s * 1e6) for id_, every_s in _STREAMS)

    def flying(self, mode: int | None) -> Flying:
        match mode:
            case 3:
                return Flying.MISSION
            case 4:
                return Flying.READY
            case 6 | 21 | 27:
                return Flying.RETURN
            case 9:
                return Flying.LAND
        return Flying.OTHER

    def mode_name(self, mode: int | None) -> str:
        return "unknown" if mode is None else _MODES.get(mode, f"mode {mode}")

    def read_number(self, parameter: Parameter) -> float:
        return parameter.value

    def wire_number(self, value: float, kind: int) -> float:
        return value


_PROMISED = {
    Step.READY: Flying.READY,
    Step.START: Flying.MISSION,
    Step.RESUME: Flying.MISSION,
    Step.RECALL: Flying.RETURN,
    Step.LAND: Flying.LAND,
}


def _fence(order: SortieOrder) -> list[Wanted]:
    """Return what makes the order's fence and rally points count; without them its own settings stand.

    As it comes, FENCE_TYPE asks for a ceiling of 100 m and a circle of 300 m as well, which stood still
    while the fence was off and would end every sortie now that it is on.
    """
    wanted = []
    if order.fence:
        wanted += [
            Wanted("FENCE_TYPE", _FENCE_AREAS, "watch the fence's areas, no circle and no ceiling"),
            Wanted("FENCE_ACTION", 1, "come home when leaving the fence"),
            Wanted("FENCE_ENABLE", 1, "watch the fence"),
        ]
    if order.rally:
        wanted.append(Wanted("RALLY_INCL_HOME", 1, "the dock is one of the places to return to"))
    return wanted


def _speeds(order: SortieOrder) -> list[Wanted]:
    """Return the speeds the plan counts with, in cm/s.

    Out of the box ArduCopter climbs at 2.5 and descends at 1.5 m/s; a sortie
    planned with more would come home late and with less in its battery. The
    speed over ground is in the mission, but leaving AUTO forgets it.
    """
    speeds = (
        ("WPNAV_SPEED", order.fastest_m_s, "fly as fast as planned, also after a pause"),
        ("WPNAV_SPEED_UP", order.climb_m_s, "climb as fast as planned"),
        ("WPNAV_SPEED_DN", order.descent_m_s, "descend as fast as planned"),
    )
    return [Wanted(name, round(speed * 100), why) for name, speed, why in speeds if speed is not None]


def _command(number: int, p1: float = 0.0, p2: float = 0.0) -> Command:
    return Command(number, (float(p1), float(p2), 0.0, 0.0, 0.0, 0.0, 0.0))


def _set_mode(mode: int) -> Command:
    return _command(_DO_SET_MODE, _CUSTOM_MODE, mode)


def _stored_alike(sent: Item, read: Item) -> bool:
    kept = _KEPT_PARAMS.get(sent.command, 4)
    if not all(_close(a, b) for a, b in zip(sent.params[:kept], read.params[:kept], strict=True)):
        return False
    if sent.command not in _WITH_PLACE:
        return True
    return (
        _STORED_FRAME.get(sent.frame, sent.frame) == _STORED_FRAME.get(read.frame, read.frame)
        and round(sent.lat_deg * 1e7) == round(read.lat_deg * 1e7)
        and round(sent.lon_deg * 1e7) == round(read.lon_deg * 1e7)
        and abs(sent.altitude_m - read.altitude_m) <= _HEIGHT_STEP_M
    )


def _close(a: float, b: float) -> bool:
    """Return whether two values are the same float32, NaN being stored as 0."""
    a, b = (0.0 if math.isnan(v) else v for v in (a, b))
    return math.isclose(a, b, rel_tol=1e-6, abs_tol=1e-6)
