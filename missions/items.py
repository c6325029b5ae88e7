"""A sortie as neutral mission items: what is exported is what is uploaded.

An item is a MAVLink command number, a frame and seven values, without anything
of the wire around it. Home is not among the items: ArduPilot keeps its own in
seq 0 (the uploader puts it there), PX4 has none. Values that ArduCopter does
not store are left at zero, so that reading a mission back gives the same numbers.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass

from missions.errors import WorkFailed
from missions.model import Dock, Sortie, Waypoint

NAV_WAYPOINT = 16
NAV_RETURN_TO_LAUNCH = 20
NAV_LAND = 21
NAV_TAKEOFF = 22
NAV_DELAY = 93
CONDITION_YAW = 115
DO_CHANGE_SPEED = 178
DO_MOUNT_CONTROL = 205
CAMERA_MODE = 530
IMAGE_START_CAPTURE = 2000
IMAGE_STOP_CAPTURE = 2001
VIDEO_STOP_CAPTURE = 2501

COMMANDS = frozenset(
    (
        *(NAV_WAYPOINT, NAV_RETURN_TO_LAUNCH, NAV_LAND, NAV_TAKEOFF, NAV_DELAY, CONDITION_YAW),
        *(DO_CHANGE_SPEED, DO_MOUNT_CONTROL, CAMERA_MODE, IMAGE_START_CAPTURE),
        *(IMAGE_STOP_CAPTURE, VIDEO_STOP_CAPTURE),
    )
)
"""All that a sortie is flown with."""

FRAME_MISSION = 2  # the command has no place
FRAME_ABOVE_HOME = 3  # altitude is relative to home, which is the dock's pad

# ArduCopter 4.5 stores 650 items and answers a longer list with NO_SPACE; one of them is home.
MOST_ITEMS = 649

GROUND_SPEED = 1.0
THROTTLE_AS_IT_IS = -1.0
NO_TIME_OF_DAY = -1.0
NOTHING = (0.0, 0.0, 0.0, 0.0)

RALLY_ABOVE_M = 40.0
_ON_THE_WAY = frozenset({NAV_TAKEOFF, NAV_WAYPOINT})


@dataclass(frozen=True, slots=True)
class MissionItem:
    """One step of a mission.

    `params` are the first four values of the command; place and altitude the
    other three (zero where the command has none). `shot` is the picture's index
    in the sortie, from 0, on the item that takes it; `task` what it is flown for.
    """

    command: int
    frame: int
    params: tuple[float, float, float, float]
    lat_deg: float = 0.0
    lon_deg: float = 0.0
    altitude_m: float = 0.0
    shot: int | None = None
    task: str | None = None


class TooManyItems(WorkFailed):
    """A sortie has more items than an autopilot can hold."""


def mission_items(sortie: Sortie, dock: Dock) -> tuple[MissionItem, ...]:
    """Return the items of a sortie: take off, fly and look, come back to the dock.

    The first waypoint is over the dock and becomes the take-off; the last one
    is over the dock again, so that returning to launch is a landing and nothing
    else; one that lands at another dock is told to land there. Waypoints are flown
    through without a stop, unless a look is taken turned to a heading, or takes its
    time: commands between a waypoint and a delay are carried out while it waits.
    Over no-photo ground the camera is told to stop all it does.

    Raises:
        TooManyItems: the sortie is longer than ArduCopter can store.
    """
    first, *rest = sortie.waypoints
    items = [
        _at(NAV_TAKEOFF, first, dock),
        MissionItem(DO_CHANGE_SPEED, FRAME_MISSION, _speed(first.speed_m_s)),
    ]
    pitch_deg: float | None = None
    speed_m_s, shots, is_blind = first.speed_m_s, 0, False
    for waypoint in rest:
        if waypoint.speed_m_s != speed_m_s:
            speed_m_s = waypoint.speed_m_s
            items.append(MissionItem(DO_CHANGE_SPEED, FRAME_MISSION, _speed(speed_m_s)))
        if waypoint.pitch_deg != pitch_deg:
            pitch_deg = waypoint.pitch_deg
            items.append(MissionItem(DO_MOUNT_CONTROL, FRAME_MISSION, (pitch_deg, 0.0, 0.0, 0.0)))
        items.append(_at(NAV_WAYPOINT, waypoint, dock))
        if waypoint.is_blind != is_blind:
            is_blind = waypoint.is_blind
            items += _BLIND if is_blind else _SEEING
        if waypoint.heading_deg is not None:
            items.append(MissionItem(CONDITION_YAW, FRAME_MISSION, (waypoint.heading_deg, 0.0, 0.0, 0.0)))
        if waypoint.shoots:
            items.append(_capture(shots, waypoint.task))
            shots += 1
        if waypoint.dwell_s > 0:
            items.append(MissionItem(NAV_DELAY, FRAME_MISSION, _delay(waypoint.dwell_s)))
    items.append(_home(sortie))
    if len(items) > MOST_ITEMS:
        raise TooManyItems(
            f"sortie {sortie.id} has {len(items)} mission items and an ArduCopter holds {MOST_ITEMS}: "
            "plan it with fewer pictures"
        )
    return tuple(items)


def highest_m(items: Iterable[MissionItem]) -> float:
    """Return the greatest height above the dock on the way, 0 where no item has one."""
    return max(
        (i.altitude_m for i in items if i.command in _ON_THE_WAY and i.frame == FRAME_ABOVE_HOME), default=0.0
    )


def rally_above_home_m(items: Iterable[MissionItem], landing_m: float, home_m: float) -> float:
    """Return how high above home a rally point is come to, whole metres as ArduPilot keeps them.

    That is as high as the sortie flies, which is above everything on its way, and well above the
    landing itself; both grounds are above mean sea level.
    """
    return float(math.ceil(max(highest_m(items), landing_m - home_m + RALLY_ABOVE_M)))


# Over no-photo ground nothing is taken and nothing runs; behind it the camera takes stills again.
_BLIND = (
    MissionItem(IMAGE_STOP_CAPTURE, FRAME_MISSION, NOTHING),
    MissionItem(VIDEO_STOP_CAPTURE, FRAME_MISSION, NOTHING),
)
_SEEING = (MissionItem(CAMERA_MODE, FRAME_MISSION, NOTHING),)


def _home(sortie: Sortie) -> MissionItem:
    """Return how the sortie ends: by coming home, or by landing where its last waypoint is."""
    if not sortie.end:
        return MissionItem(NAV_RETURN_TO_LAUNCH, FRAME_MISSION, NOTHING)
    place = sortie.waypoints[-1].place
    # Copters come down until they feel the ground; the height is not looked at.
    return MissionItem(
        NAV_LAND, FRAME_ABOVE_HOME, NOTHING, round(place.lat_deg, 7), round(place.lon_deg, 7), 0.0
    )


def _delay(seconds: float) -> tuple[float, float, float, float]:
    return (seconds, NO_TIME_OF_DAY, NO_TIME_OF_DAY, NO_TIME_OF_DAY)


def _at(command: int, waypoint: Waypoint, dock: Dock) -> MissionItem:
    place = dock.place if command == NAV_TAKEOFF else waypoint.place
    return MissionItem(
        command,
        FRAME_ABOVE_HOME,
        (0.0, 0.0, 0.0, 0.0),
        # The wire carries 1e-7 degrees, and the autopilot stores centimetres.
        round(place.lat_deg, 7),
        round(place.lon_deg, 7),
        round(waypoint.above_dock_m, 2),
        task=waypoint.task,
    )


def _speed(speed_m_s: float) -> tuple[float, float, float, float]:
    return (GROUND_SPEED, speed_m_s, THROTTLE_AS_IT_IS, 0.0)


def _capture(shot: int, task: str | None) -> MissionItem:
    # All cameras (0), no interval (0), one picture, and its number from 1.
    return MissionItem(
        IMAGE_START_CAPTURE, FRAME_MISSION, (0.0, 0.0, 1.0, float(shot + 1)), shot=shot, task=task
    )
