"""The flight modes of ArduCopter that a dock drone meets, by their numbers on the wire."""

from enum import IntEnum

from sim.autopilot.dialect import mav


class Mode(IntEnum):
    """ArduCopter's custom_mode."""

    STABILIZE = 0
    ALT_HOLD = 2
    AUTO = 3
    GUIDED = 4
    LOITER = 5
    RTL = 6
    LAND = 9
    POSHOLD = 16
    BRAKE = 17
    SMART_RTL = 21

    @property
    def custom_mode(self) -> int:
        """The number HEARTBEAT carries."""
        return int(self)

    @property
    def base_flags(self) -> int:
        """The flags of base_mode, but for "armed"."""
        flags = mav.MAV_MODE_FLAG_CUSTOM_MODE_ENABLED | mav.MAV_MODE_FLAG_STABILIZE_ENABLED
        return int(flags | mav.MAV_MODE_FLAG_GUIDED_ENABLED if self.flies_itself else flags)

    @property
    def runs_mission(self) -> bool:
        """Whether the mission is flown in it."""
        return self is Mode.AUTO

    @property
    def is_landing(self) -> bool:
        """Whether it goes straight down."""
        return self is Mode.LAND

    @property
    def comes_down(self) -> bool:
        """Whether being on the ground ends the flight in it."""
        return self in (Mode.RTL, Mode.LAND, Mode.SMART_RTL)

    @property
    def needs_position(self) -> bool:
        """Whether the mode flies by position and so waits for the position estimate."""
        return self not in (Mode.STABILIZE, Mode.ALT_HOLD, Mode.LAND)

    @property
    def may_arm(self) -> bool:
        """Whether motors may be started in it; AUTO depends on AUTO_OPTIONS besides."""
        return self not in (Mode.RTL, Mode.LAND, Mode.BRAKE, Mode.SMART_RTL)

    @property
    def flies_itself(self) -> bool:
        """Whether HEARTBEAT carries the guided flag in it."""
        return self not in (Mode.STABILIZE, Mode.ALT_HOLD, Mode.LAND)

    @property
    def is_a_pilots(self) -> bool:
        """Whether height follows the throttle stick: without RC it sinks."""
        return self in (Mode.STABILIZE, Mode.ALT_HOLD, Mode.LOITER, Mode.POSHOLD)


def mode_from(number: int) -> Mode | None:
    """Return the mode of a number, or None where we have no such mode."""
    try:
        return Mode(number)
    except ValueError:
        return None
