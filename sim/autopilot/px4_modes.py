"""The flight modes of PX4 that a dock drone meets, and how HEARTBEAT packs them.

custom_mode holds the main mode in its third byte and the sub mode of AUTO in its
fourth (PX4's px4_custom_mode.h).
"""

from enum import Enum

from sim.autopilot.dialect import mav

_MANUAL, _ALTITUDE, _POSITION, _AUTO, _STABILIZED = 1, 2, 3, 4, 7  # main modes
_CUSTOM = mav.MAV_MODE_FLAG_CUSTOM_MODE_ENABLED
_FLAGS = {
    _MANUAL: _CUSTOM | mav.MAV_MODE_FLAG_MANUAL_INPUT_ENABLED,
    _STABILIZED: _CUSTOM | mav.MAV_MODE_FLAG_MANUAL_INPUT_ENABLED | mav.MAV_MODE_FLAG_STABILIZE_ENABLED,
    _ALTITUDE: _CUSTOM | mav.MAV_MODE_FLAG_MANUAL_INPUT_ENABLED | mav.MAV_MODE_FLAG_STABILIZE_ENABLED,
    _POSITION: _CUSTOM
    | mav.MAV_MODE_FLAG_MANUAL_INPUT_ENABLED
    | mav.MAV_MODE_FLAG_STABILIZE_ENABLED
    | mav.MAV_MODE_FLAG_GUIDED_ENABLED,
    _AUTO: _CUSTOM
    | mav.MAV_MODE_FLAG_AUTO_ENABLED
    | mav.MAV_MODE_FLAG_STABILIZE_ENABLED
    | mav.MAV_MODE_FLAG_GUIDED_ENABLED,
}


class Px4Mode(Enum):
    """A mode by its main and sub mode."""

    MANUAL = (_MANUAL, 0)
    ALTITUDE = (_ALTITUDE, 0)
    POSITION = (_POSITION, 0)
    STABILIZED = (_STABILIZED, 0)
    TAKEOFF = (_AUTO, 2)
    HOLD = (_AUTO, 3)
    MISSION = (_AUTO, 4)
    RETURN = (_AUTO, 5)
    LAND = (_AUTO, 6)

    @property
    def custom_mode(self) -> int:
        """The number HEARTBEAT carries."""
        main, sub = self.value
        return int(main << 16 | sub << 24)

    @property
    def base_flags(self) -> int:
        """The flags of base_mode, but for "armed"."""
        return int(_FLAGS[self.value[0]])

    @property
    def needs_position(self) -> bool:
        """Whether the mode flies by position."""
        return self not in (Px4Mode.MANUAL, Px4Mode.STABILIZED, Px4Mode.ALTITUDE, Px4Mode.LAND)

    @property
    def runs_mission(self) -> bool:
        """Whether the mission is flown in it."""
        return self is Px4Mode.MISSION

    @property
    def is_landing(self) -> bool:
        """Whether it goes straight down."""
        return self is Px4Mode.LAND

    @property
    def comes_down(self) -> bool:
        """Whether being on the ground ends the flight in it."""
        return self in (Px4Mode.RETURN, Px4Mode.LAND)

    @property
    def is_a_pilots(self) -> bool:
        """Whether somebody with sticks flies it: there is nobody."""
        return self in (Px4Mode.MANUAL, Px4Mode.STABILIZED, Px4Mode.ALTITUDE, Px4Mode.POSITION)


def mode_from(main: int, sub: int) -> Px4Mode | None:
    """Return the mode of a main and sub mode; AUTO without a sub mode is the mission's."""
    if main == _AUTO and sub == 0:
        return Px4Mode.MISSION
    try:
        return Px4Mode((main, sub if main == _AUTO else 0))
    except ValueError:
        return None
