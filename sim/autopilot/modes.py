"""The flight modes of ArduCopter that a dock drone meets, by their numbers on the wire."""

from enum import IntEnum


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
