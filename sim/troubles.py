"""What is wrong with one drone at the moment; a sound one has the defaults."""

import math
from collections.abc import Iterable
from dataclasses import dataclass

from sim.faults import Fault

GLITCH_M = 25.0  # a jump of the GPS that a position filter does not follow (ArduPilot's EK3_GLITCH_RAD)
COMPASS_DEG = 45.0  # a compass this wrong no longer agrees with how the drone moves
_NOWHERE = (0.0, 0.0, 0.0)


@dataclass(frozen=True, slots=True)
class Troubles:
    """The lasting faults of one drone, folded into what its parts must know."""

    gps_off_m: tuple[float, float, float] = (0.0, 0.0, 0.0)  # east, north, up: believed less true
    gps_lost: bool = False
    compass_deg: float = 0.0  # believed less true
    gust: tuple[float, float] = (0.0, 0.0)  # air velocity added, east and north, m/s
    cell_drop_v: float = 0.0
    thrust: float = 1.0  # the share of the thrust to spare that is left
    shutter_stuck: bool = False
    records_lost: bool = False
    files_lost: bool = False
    clock_s: float = 0.0  # the drone's clock less the true one

    @property
    def gps_off_by_m(self) -> float:
        """How far off the believed place is, over the ground."""
        return math.hypot(self.gps_off_m[0], self.gps_off_m[1])

    @property
    def believed_off_m(self) -> tuple[float, float, float]:
        """How far the drone's estimate is off: it follows a small jump and refuses a big one."""
        return self.gps_off_m if self.gps_off_by_m <= GLITCH_M else _NOWHERE

    @property
    def is_lost(self) -> bool:
        """Whether the drone has no position that it can trust."""
        return self.gps_lost or self.gps_off_by_m > GLITCH_M or abs(self.compass_deg) > COMPASS_DEG


SOUND = Troubles()


def troubles_of(faults: Iterable[Fault]) -> Troubles:
    """Return what several faults at once make of a drone: the like add up."""
    east = north = up = compass = wind_east = wind_north = drop = clock = 0.0
    thrust = 1.0
    kinds = set()
    mute = set()
    for fault in faults:
        kinds.add(fault.kind)
        match fault.kind:
            case "gps_jump":
                east += fault.number("east_m")
                north += fault.number("north_m")
                up += fault.number("up_m")
            case "compass":
                compass += fault.number("error_deg")
            case "gust":
                towards = math.radians(fault.number("from_deg") + 180.0)
                wind_east += fault.number("speed_m_s") * math.sin(towards)
                wind_north += fault.number("speed_m_s") * math.cos(towards)
            case "low_cell":
                drop += fault.number("drop_v")
            case "motor_weak":
                thrust *= fault.number("thrust")
            case "camera_mute":
                mute.add(fault.word("what"))
            case "clock_jump":
                clock += fault.number("by_s")
    return Troubles(
        gps_off_m=(east, north, up),
        gps_lost="gps_lost" in kinds,
        compass_deg=compass,
        gust=(wind_east, wind_north),
        cell_drop_v=drop,
        thrust=thrust,
        shutter_stuck="shutter" in mute,
        records_lost="records" in mute,
        files_lost="files" in mute,
        clock_s=clock,
    )
