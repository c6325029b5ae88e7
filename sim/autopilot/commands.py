"""MAV_CMDs from COMMAND_LONG and COMMAND_INT: one short function each, returning the MAV_RESULT."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from missions.geo import LatLon
from sim.autopilot.dialect import Message, mav, whole
from sim.autopilot.guided import fly_to
from sim.autopilot.items import GLOBAL, WAYPOINT, Item, kept
from sim.autopilot.modes import Mode, mode_from
from sim.autopilot.pilot import FORCED

if TYPE_CHECKING:
    from sim.autopilot.vehicle import Vehicle

ACCEPTED = int(mav.MAV_RESULT_ACCEPTED)
DENIED = int(mav.MAV_RESULT_DENIED)
UNSUPPORTED = int(mav.MAV_RESULT_UNSUPPORTED)
FAILED = int(mav.MAV_RESULT_FAILED)


@dataclass(frozen=True, slots=True)
class Command:
    """A command with its seven values; a place is in degrees whatever message brought it."""

    number: int
    p: tuple[float, float, float, float, float, float, float]
    link: int
    frame: int = GLOBAL

    @property
    def place(self) -> LatLon | None:
        """The place it names, or None for 0, 0 or nonsense."""
        lat, lon = self.p[4], self.p[5]
        if not (abs(lat) <= 90 and abs(lon) <= 180) or (lat == 0 and lon == 0):
            return None
        return LatLon(lat, lon)

    def whole(self, index: int) -> int:
        """Return a value as the whole number it stands for; what is none is 0."""
        return whole(self.p[index])


def command_from(message: Message, link: int) -> Command:
    """Return the command a COMMAND_LONG or COMMAND_INT holds."""
    first = (message.param1, message.param2, message.param3, message.param4)
    if message.get_type() == "COMMAND_INT":
        rest = (message.x / 1e7, message.y / 1e7, message.z)
        return Command(message.command, (*first, *rest), link, message.frame)
    rest = (message.param5, message.param6, message.param7)
    return Command(message.command, (*first, *rest), link)


def carry_out(vehicle: "Vehicle", command: Command) -> int:
    """Do a command and return its MAV_RESULT."""
    handler = vehicle.personality.handlers.get(command.number)
    return UNSUPPORTED if handler is None else handler(vehicle, command)


def set_mode(vehicle: "Vehicle", base_mode: int, custom_mode: int) -> int:
    """Change the mode as SET_MODE and MAV_CMD_DO_SET_MODE do."""
    mode = mode_from(custom_mode)
    if not base_mode & mav.MAV_MODE_FLAG_CUSTOM_MODE_ENABLED:
        return DENIED
    if mode is None:
        return FAILED
    return _done(vehicle.pilot.set_mode(mode))


def _or(value: float, other: float) -> float:
    """Return a value, or another one where it is not known."""
    return other if math.isnan(value) else value


def _done(worked: bool) -> int:
    return ACCEPTED if worked else FAILED


def _arm(v: "Vehicle", c: Command) -> int:
    forced = c.p[1] == FORCED
    if c.p[0] == 1:
        return _done(v.pilot.arm(forced=forced))
    return _done(v.pilot.disarm(forced=forced)) if c.p[0] == 0 else UNSUPPORTED


def _take_off(v: "Vehicle", c: Command) -> int:
    return _done(v.pilot.take_off(c.p[6]))


def _mode(mode: Mode) -> Callable[["Vehicle", Command], int]:
    return lambda v, c: _done(v.pilot.set_mode(mode))


def _do_set_mode(v: "Vehicle", c: Command) -> int:
    return set_mode(v, c.whole(0), c.whole(1))


def _mission_start(v: "Vehicle", c: Command) -> int:
    if c.p[0] or c.p[1]:
        return DENIED
    return _done(v.pilot.start_mission())


def _pause_continue(v: "Vehicle", c: Command) -> int:
    if c.p[0] not in (0, 1):
        return DENIED
    return _done(v.pilot.pause() if c.p[0] == 0 else v.pilot.resume())


def _set_mission_current(v: "Vehicle", c: Command) -> int:
    seq = c.whole(0)
    if seq >= len(v.pilot.run.items) or seq < 0:
        return DENIED
    if c.p[1] == 1:
        v.pilot.run.reset()
    worked = v.pilot.run.set_current(seq, v.pilot.helm)
    v.send(v.build(mav.MAVLINK_MSG_ID_MISSION_CURRENT))
    return _done(worked)


def change_speed(v: "Vehicle", c: Command) -> int:
    """Change the speed of travel, climb or descent."""
    return _done(v.change_speed(c.whole(0), c.p[1]))


def _reposition(v: "Vehicle", c: Command) -> int:
    if c.place is None:
        return DENIED
    if v.pilot.mode is not Mode.GUIDED and (not c.whole(1) & 1 or not v.pilot.set_mode(Mode.GUIDED)):
        return DENIED
    x, y = round(c.place.lat_deg * 1e7), round(c.place.lon_deg * 1e7)
    return _done(fly_to(v.pilot, c.frame, x, y, c.p[6]))


def set_home(v: "Vehicle", c: Command) -> int:
    """Make the present or another place home."""
    if c.p[0] == 1:
        v.pilot.home = v.pilot.drone.believed
    elif c.place is None:
        return DENIED
    else:
        v.pilot.set_home(c.place, _or(c.p[6], v.identity.pad_amsl_m))
    v.estimate.advance(v.now_s, v.pilot.home)
    v.send(v.build(mav.MAVLINK_MSG_ID_HOME_POSITION))
    return ACCEPTED


def get_home(v: "Vehicle", c: Command) -> int:
    """Send where home is."""
    return _request(v, mav.MAVLINK_MSG_ID_HOME_POSITION, c.link)


def request_message(v: "Vehicle", c: Command) -> int:
    """Send one message that is asked for."""
    return _request(v, c.whole(0), c.link)


def request_version(v: "Vehicle", c: Command) -> int:
    """Send what the autopilot is and can do."""
    return _request(v, mav.MAVLINK_MSG_ID_AUTOPILOT_VERSION, c.link)


def _request(v: "Vehicle", message_id: int, link: int) -> int:
    message = v.build(message_id)
    if message is None:
        return FAILED
    v.send(message, link)
    return ACCEPTED


def set_interval(v: "Vehicle", c: Command) -> int:
    """Set how often a message comes."""
    message_id, interval_us = c.whole(0), c.p[1]
    if message_id not in v.personality.builders or math.isnan(interval_us):
        return DENIED
    interval_s = interval_us / 1e6 if interval_us > 0 else None
    v.streams.set_interval(c.link, message_id, interval_s=interval_s, now_s=v.now_s)
    return ACCEPTED


def get_interval(v: "Vehicle", c: Command) -> int:
    """Send how often a message comes."""
    message_id = c.whole(0)
    if message_id not in v.personality.builders:
        return FAILED
    interval_s = v.streams.interval_s(c.link, message_id)
    interval_us = -1 if interval_s is None else round(interval_s * 1e6)
    v.send(mav.MAVLink_message_interval_message(message_id, interval_us), c.link)
    return ACCEPTED


def _reboot(v: "Vehicle", c: Command) -> int:
    if v.pilot.armed:
        return FAILED
    if c.p[0] not in (1, 3):
        return UNSUPPORTED
    v.reboot_wanted = True
    return ACCEPTED


def run_checks(v: "Vehicle", c: Command) -> int:
    """Say what keeps the drone from arming."""
    v.say_problem()
    return ACCEPTED


def _terminate(v: "Vehicle", c: Command) -> int:
    return _done(v.pilot.disarm(forced=True)) if c.p[0] > 0.5 else FAILED


def configure_gimbal(v: "Vehicle", c: Command) -> int:
    """Take note of who steers the gimbal; -2 means the sender, -1 leaves it."""
    return ACCEPTED


def look_at(v: "Vehicle", c: Command) -> int:
    """Keep the cameras on a place; a height is above sea level, home or the ground, as the frame says."""
    if c.place is None:
        return DENIED
    x, y = round(c.place.lat_deg * 1e7), round(c.place.lon_deg * 1e7)
    v.payload.gimbal.look_at(v.pilot.locate(kept(Item(WAYPOINT, c.frame, x=x, y=y, z=_or(c.p[6], 0.0)))))
    return ACCEPTED


def look_at_nothing(v: "Vehicle", c: Command) -> int:
    """Let go of the place that is looked at."""
    v.payload.gimbal.look_at(None)
    return ACCEPTED


def _enable_fence(v: "Vehicle", c: Command) -> int:
    if c.p[0] not in (0, 1, 2):
        return FAILED
    v.params.set("FENCE_ENABLE", 1.0 if c.p[0] == 1 else 0.0)
    return ACCEPTED


def yes(v: "Vehicle", c: Command) -> int:
    """Say yes to what changes nothing here."""
    return ACCEPTED


def as_item(v: "Vehicle", c: Command) -> int:
    """Carry out a camera or gimbal command as the mission item of the same number."""
    x, y = c.whole(4), c.whole(5)
    p1, p2, p3, p4 = c.p[:4]
    return _done(v.do(Item(c.number, params=(p1, p2, p3, p4), x=x, y=y)))


SHARED: dict[int, Callable[["Vehicle", Command], int]] = {
    mav.MAV_CMD_DO_CHANGE_SPEED: change_speed,
    mav.MAV_CMD_DO_SET_HOME: set_home,
    mav.MAV_CMD_DO_SET_ROI_LOCATION: look_at,
    mav.MAV_CMD_DO_SET_ROI_NONE: look_at_nothing,
    mav.MAV_CMD_DO_SET_ROI: look_at,
    mav.MAV_CMD_DO_DIGICAM_CONTROL: as_item,
    mav.MAV_CMD_DO_MOUNT_CONTROL: as_item,
    mav.MAV_CMD_DO_SET_CAM_TRIGG_DIST: as_item,
    mav.MAV_CMD_PREFLIGHT_CALIBRATION: yes,
    mav.MAV_CMD_RUN_PREARM_CHECKS: run_checks,
    mav.MAV_CMD_GET_HOME_POSITION: get_home,
    mav.MAV_CMD_GET_MESSAGE_INTERVAL: get_interval,
    mav.MAV_CMD_SET_MESSAGE_INTERVAL: set_interval,
    mav.MAV_CMD_REQUEST_MESSAGE: request_message,
    mav.MAV_CMD_REQUEST_AUTOPILOT_CAPABILITIES: request_version,
    mav.MAV_CMD_DO_GIMBAL_MANAGER_PITCHYAW: as_item,
    mav.MAV_CMD_DO_GIMBAL_MANAGER_CONFIGURE: configure_gimbal,
}
"""What every autopilot does alike."""

HANDLERS = SHARED | {
    mav.MAV_CMD_NAV_LOITER_UNLIM: _mode(Mode.LOITER),
    mav.MAV_CMD_NAV_RETURN_TO_LAUNCH: _mode(Mode.RTL),
    mav.MAV_CMD_NAV_LAND: _mode(Mode.LAND),
    mav.MAV_CMD_NAV_TAKEOFF: _take_off,
    mav.MAV_CMD_CONDITION_YAW: as_item,
    mav.MAV_CMD_DO_SET_MODE: _do_set_mode,
    mav.MAV_CMD_DO_FLIGHTTERMINATION: _terminate,
    mav.MAV_CMD_DO_REPOSITION: _reposition,
    mav.MAV_CMD_DO_PAUSE_CONTINUE: _pause_continue,
    mav.MAV_CMD_DO_SET_MISSION_CURRENT: _set_mission_current,
    mav.MAV_CMD_PREFLIGHT_REBOOT_SHUTDOWN: _reboot,
    mav.MAV_CMD_MISSION_START: _mission_start,
    mav.MAV_CMD_COMPONENT_ARM_DISARM: _arm,
    mav.MAV_CMD_DO_FENCE_ENABLE: _enable_fence,
    mav.MAV_CMD_IMAGE_START_CAPTURE: as_item,
    mav.MAV_CMD_IMAGE_STOP_CAPTURE: as_item,
}
