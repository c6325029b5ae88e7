"""What PX4 answers to commands and tells of itself, where it differs from ArduPilot.

A command PX4 cannot do now is TEMPORARILY_REJECTED; one it does not know is
UNSUPPORTED, MAV_CMD_DO_PAUSE_CONTINUE and DO_SET_MISSION_CURRENT among them.
"""

import math
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from sim.autopilot import telemetry
from sim.autopilot.commands import (
    ACCEPTED,
    DENIED,
    SHARED,
    UNSUPPORTED,
    Command,
)
from sim.autopilot.dialect import Message, mav
from sim.autopilot.opaque import MissionCurrent
from sim.autopilot.pilot import FORCED
from sim.autopilot.px4_modes import Px4Mode, mode_from
from sim.drone import Point

if TYPE_CHECKING:
    from sim.autopilot.vehicle import Vehicle

LATER = int(mav.MAV_RESULT_TEMPORARILY_REJECTED)
_VERSION = (1 << 24) | (16 << 16) | (0 << 8) | 255  # PX4 1.16.0, official release
_CAPABILITIES = (
    mav.MAV_PROTOCOL_CAPABILITY_MISSION_INT
    | mav.MAV_PROTOCOL_CAPABILITY_PARAM_ENCODE_BYTEWISE
    | mav.MAV_PROTOCOL_CAPABILITY_COMMAND_INT
    | mav.MAV_PROTOCOL_CAPABILITY_SET_POSITION_TARGET_LOCAL_NED
    | mav.MAV_PROTOCOL_CAPABILITY_SET_POSITION_TARGET_GLOBAL_INT
    | mav.MAV_PROTOCOL_CAPABILITY_FLIGHT_TERMINATION
    | mav.MAV_PROTOCOL_CAPABILITY_MAVLINK2
    | mav.MAV_PROTOCOL_CAPABILITY_MISSION_FENCE
    | mav.MAV_PROTOCOL_CAPABILITY_MISSION_RALLY
)
_ESTIMATE_GOOD = 0x033F  # attitude, velocities and positions, absolute and predicted
_ESTIMATE_BAD = 0x0081  # attitude; standing in for a position
_CHANGES_MODE = 1  # bit of DO_REPOSITION's flags

# PX4's "normal" streams, the attitude less often than its 15 Hz.
RATES_HZ = {1: 1.0, 2: 1.0, 24: 1.0, 30: 5.0, 32: 1.0, 33: 5.0, 42: 1.0, 74: 4.0}
RATES_HZ |= {147: 0.5, 230: 0.5, 242: 0.5, 245: 1.0, 285: 1.0}


def set_mode(vehicle: "Vehicle", base_mode: int, custom_mode: int) -> int:
    """Change the mode as the message SET_MODE does: main and sub mode in one number."""
    if not base_mode & mav.MAV_MODE_FLAG_CUSTOM_MODE_ENABLED:
        return DENIED
    return _change(vehicle, custom_mode >> 16 & 0xFF, custom_mode >> 24 & 0xFF)


def _change(vehicle: "Vehicle", main: int, sub: int) -> int:
    mode = mode_from(main, sub)
    return LATER if mode is None else _done(vehicle.pilot.set_mode(mode))


def _done(worked: bool) -> int:
    return ACCEPTED if worked else LATER


def _do_set_mode(v: "Vehicle", c: Command) -> int:
    if not c.whole(0) & mav.MAV_MODE_FLAG_CUSTOM_MODE_ENABLED:
        return DENIED
    return _change(v, c.whole(1), c.whole(2))


def _mode(mode: Px4Mode) -> Callable[["Vehicle", Command], int]:
    return lambda v, c: _done(v.pilot.set_mode(mode))


def _arm(v: "Vehicle", c: Command) -> int:
    forced = c.whole(1) == FORCED
    if c.whole(0) == 1:
        return _done(v.pilot.arm(forced=forced))
    if c.whole(0) != 0:
        return UNSUPPORTED
    if v.pilot.disarm(forced=forced):
        return ACCEPTED
    v.say(mav.MAV_SEVERITY_CRITICAL, "Disarming denied: not landed")
    return LATER


def _take_off(v: "Vehicle", c: Command) -> int:
    """Take off; the height is above the sea, unknown it is MIS_TAKEOFF_ALT."""
    home_amsl_m = v.identity.pad_amsl_m + v.pilot.helm.home.up_m
    return _done(v.pilot.take_off(c.p[6] - home_amsl_m))


def _mission_start(v: "Vehicle", c: Command) -> int:
    if not -1 <= c.p[0] < max(1, len(v.pilot.run.items)) or not v.pilot.run.items:
        v.say(mav.MAV_SEVERITY_CRITICAL, "Mission start denied! No valid mission")
        return DENIED
    if c.p[0] >= 0:  # PX4's navigator takes the first value as the item to begin with
        v.pilot.run.set_current(c.whole(0), v.pilot.helm)
    return _done(v.pilot.start_mission())


def _reposition(v: "Vehicle", c: Command) -> int:
    if c.whole(1) != _CHANGES_MODE:
        return UNSUPPORTED
    if not v.pilot.set_mode(Px4Mode.HOLD):
        return LATER
    at = v.drone.believed
    east, north = at.east_m, at.north_m
    if c.place is not None:
        east, north = v.pilot.tangent.to_local(c.place.lat_deg, c.place.lon_deg)
    up = at.up_m if math.isnan(c.p[6]) else c.p[6] - v.identity.pad_amsl_m
    if c.place is not None or not math.isnan(c.p[6]):
        v.pilot.go_to(Point(east, north, up))
    return ACCEPTED


def _reboot(v: "Vehicle", c: Command) -> int:
    if c.p[0] == 0:
        return ACCEPTED
    if v.pilot.armed or c.p[0] not in (1, 3):
        return DENIED
    v.reboot_wanted = True
    return ACCEPTED


def _terminate(v: "Vehicle", c: Command) -> int:
    if c.p[0] <= 0.5 or not v.pilot.armed:
        return DENIED
    return _done(v.pilot.disarm(forced=True))


HANDLERS = SHARED | {
    mav.MAV_CMD_NAV_RETURN_TO_LAUNCH: _mode(Px4Mode.RETURN),
    mav.MAV_CMD_NAV_LAND: _mode(Px4Mode.LAND),
    mav.MAV_CMD_NAV_TAKEOFF: _take_off,
    mav.MAV_CMD_DO_SET_MODE: _do_set_mode,
    mav.MAV_CMD_DO_FLIGHTTERMINATION: _terminate,
    mav.MAV_CMD_DO_REPOSITION: _reposition,
    mav.MAV_CMD_PREFLIGHT_REBOOT_SHUTDOWN: _reboot,
    mav.MAV_CMD_MISSION_START: _mission_start,
    mav.MAV_CMD_COMPONENT_ARM_DISARM: _arm,
}


def _mission_current(v: "Vehicle") -> Message:
    run, ids = v.pilot.run, getattr(v.transfers, "ids", {})
    in_mission = 1 if v.pilot.mode.runs_mission else 2
    numbers = (ids.get(0, 0), ids.get(1, 0), ids.get(2, 0))
    last = max(0, len(run.items) - 1)
    return MissionCurrent(min(run.current, last), len(run.items), run.shown_state, in_mission, numbers)


def _estimator_status(v: "Vehicle") -> Message:
    good = v.pilot.has_position and not v.drone.troubles.is_lost
    flags = _ESTIMATE_GOOD if good else _ESTIMATE_BAD
    return mav.MAVLink_estimator_status_message(
        round(v.clock_s * 1e6), flags, 0.05, 0.04, 0.03, 0.02, 0.0, 0.0, 0.5, 0.8
    )


def _version(v: "Vehicle") -> Message:
    return telemetry.version(v, _CAPABILITIES, _VERSION)


BUILDERS: Mapping[int, Callable[["Vehicle"], Message | None]] = {
    number: builder
    for number, builder in telemetry.BUILDERS.items()
    if number not in (mav.MAVLINK_MSG_ID_EKF_STATUS_REPORT, mav.MAVLINK_MSG_ID_WIND)
} | {
    mav.MAVLINK_MSG_ID_MISSION_CURRENT: _mission_current,
    mav.MAVLINK_MSG_ID_ESTIMATOR_STATUS: _estimator_status,
    mav.MAVLINK_MSG_ID_AUTOPILOT_VERSION: _version,
}
