"""The ways to say "fly there" outside a mission: GUIDED's targets in position and velocity.

An old way still in use (DroneKit's `simple_goto`) is a mission item with
current = 2 and no upload around it.
"""

import math

from sim.autopilot.dialect import Message, mav, whole
from sim.autopilot.items import WAYPOINT, Item, kept
from sim.autopilot.manoeuvres import Steer
from sim.autopilot.pilot import Pilot
from sim.drone import Point

FLY_THERE = 2  # MISSION_ITEM.current
_NO_POSITION = 0b000_000_111  # POSITION_TARGET_TYPEMASK
_NO_VELOCITY = 0b000_111_000


def fly_to(pilot: Pilot, frame: int, x: int, y: int, z: float) -> bool:
    """Fly to a place in 1e-7 degrees with a height in a MAVLink frame; NaN keeps the present height."""
    there = pilot.locate(kept(Item(WAYPOINT, frame, x=x, y=y, z=z)))
    return pilot.go_to(there._replace(up_m=pilot.drone.believed.up_m) if math.isnan(z) else there)


def take_item(pilot: Pilot, message: Message) -> int:
    """Take a MISSION_ITEM or MISSION_ITEM_INT with current = 2; return its MISSION_ACK type."""
    scale = 1e7 if message.get_type() == "MISSION_ITEM" else 1
    x, y = whole(message.x * scale), whole(message.y * scale)
    if fly_to(pilot, message.frame, x, y, message.z):
        return int(mav.MAV_MISSION_ACCEPTED)
    return int(mav.MAV_MISSION_ERROR)


def take_global(pilot: Pilot, message: Message) -> None:
    """Take SET_POSITION_TARGET_GLOBAL_INT."""
    if not message.type_mask & _NO_POSITION:
        fly_to(pilot, message.coordinate_frame, message.lat_int, message.lon_int, message.alt)
    elif not message.type_mask & _NO_VELOCITY:
        _steer(pilot, message)


def take_local(pilot: Pilot, message: Message) -> None:
    """Take SET_POSITION_TARGET_LOCAL_NED: metres north, east and down of home, or of the drone."""
    if not message.type_mask & _NO_POSITION:
        if not math.isfinite(message.x + message.y + message.z):
            return
        offset = message.coordinate_frame in (mav.MAV_FRAME_LOCAL_OFFSET_NED, mav.MAV_FRAME_BODY_OFFSET_NED)
        base = pilot.drone.believed if offset else pilot.helm.home
        pilot.go_to(Point(base.east_m + message.y, base.north_m + message.x, base.up_m - message.z))
    elif not message.type_mask & _NO_VELOCITY:
        _steer(pilot, message)


def _steer(pilot: Pilot, message: Message) -> None:
    if math.isfinite(message.vx + message.vy + message.vz):
        pilot.fly(Steer((message.vy, message.vx, -message.vz), pilot.now_s))
