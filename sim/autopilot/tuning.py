"""What manoeuvres need to know of an autopilot's parameters, in metres and seconds."""

from dataclasses import dataclass

from sim.drone import Limits


@dataclass(frozen=True, slots=True)
class Tuning:
    """How one autopilot, as its parameters stand, flies; each personality fills it from its own names."""

    speed_m_s: float
    climb_m_s: float
    descent_m_s: float
    limits: Limits
    land_fast_m_s: float
    land_slow_m_s: float
    land_low_m: float  # below this height a landing is slow
    nose_first: bool  # turn the nose along the leg
    restart_mission: bool = False  # a mission begins afresh instead of going on
    stick_down_m_s: float = 2.5  # how fast a pilot's mode sinks with no pilot
