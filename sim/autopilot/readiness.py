"""When a vehicle may arm: the times of a booting ArduCopter and what its checks refuse.

Seen on SITL: sensors and attitude are ready 23 s after boot, which satisfies the
checks in a mode flown by hand; the position estimate takes until 42 s, and until
then modes that fly by position refuse.
"""

from typing import TYPE_CHECKING, Protocol

from sim.autopilot.failsafe import BatteryWatch, GroundWatch
from sim.autopilot.geofence import Crossed
from sim.autopilot.parameters import Parameters
from sim.drone import Multirotor

if TYPE_CHECKING:
    from sim.autopilot.pilot import FlightMode

SENSORS_S = 23.0
POSITION_S = 42.0
EKF_READY = 831  # attitude, velocities and positions, absolute and predicted
EKF_STARTING = 167  # attitude, velocities, height; standing in for a position
_EKF_NOTHING = 1024  # uninitialised


class Checked(Protocol):
    """What the checks look at."""

    mode: "FlightMode"
    params: Parameters
    drone: Multirotor
    ground: GroundWatch
    battery: BatteryWatch
    waiting_for_terrain: bool
    crossed: Crossed

    @property
    def up_time_s(self) -> float: ...


def arming_problem(vehicle: Checked) -> str | None:
    """Return the first thing that keeps the motors from starting, in ArduCopter's words."""
    if vehicle.drone.crashed:
        return "Crash detected"
    if vehicle.up_time_s < SENSORS_S:
        return "AHRS: waiting for home"
    if vehicle.mode.needs_position and vehicle.up_time_s < POSITION_S:
        return "Need Position Estimate"
    if vehicle.mode.needs_position and vehicle.drone.troubles.is_lost:
        return "GPS 1: Bad fix" if vehicle.drone.troubles.gps_lost else "GPS and AHRS differ"
    if vehicle.battery.critical:
        return "Battery failsafe"
    minimum = vehicle.params["BATT_ARM_VOLT"]
    if minimum > 0 and vehicle.drone.battery.voltage_v < minimum:
        return "Battery 1 below minimum arming voltage"
    if vehicle.ground.failed and vehicle.params["FS_GCS_ENABLE"]:
        return "GCS failsafe on"
    if vehicle.waiting_for_terrain:
        return "waiting for terrain data"
    if vehicle.params["FENCE_ENABLE"] and vehicle.crossed & vehicle.params.whole("FENCE_TYPE"):
        return "vehicle outside fence"
    return None


def ekf_flags(up_time_s: float, *, lost: bool = False) -> int:
    """Return the flags of EKF_STATUS_REPORT so long after boot; a lost position takes its own away."""
    if up_time_s >= POSITION_S and not lost:
        return EKF_READY
    return EKF_STARTING if up_time_s >= SENSORS_S / 2 else _EKF_NOTHING
