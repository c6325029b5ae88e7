"""What the vehicle watches by itself: the ground station's heartbeat and its battery.

Each watch is told the time and answers with what it found, once; the pilot acts.
All times are simulated seconds.
"""

import math
from dataclasses import dataclass
from enum import IntEnum

from sim.autopilot.parameters import Parameters
from sim.battery import Battery
from sim.troubles import Troubles

CONTINUE_IN_AUTO = 2  # bits of FS_OPTIONS
CONTINUE_LANDING = 8
CONTINUE_AS_PILOT = 16


class Action(IntEnum):
    """What a failsafe does, by the numbers of BATT_FS_*_ACT."""

    NONE = 0
    LAND = 1
    RTL = 2
    SMART_RTL = 3
    SMART_RTL_OR_LAND = 4
    TERMINATE = 5
    AUTO_RTL_OR_RTL = 6
    BRAKE_OR_LAND = 7


@dataclass(slots=True)
class GroundWatch:
    """Notices that the ground station (SYSID_MYGCS) has fallen silent.

    It begins to watch with the first heartbeat it hears, so a drone that never
    had a ground station does not miss one.
    """

    params: Parameters
    heard_s: float | None = None
    failed: bool = False

    @property
    def regained(self) -> str:
        """What is said when the ground station is back."""
        return "GCS Failsafe Cleared"

    def heartbeat(self, system_id: int, now_s: float) -> bool:
        """Take note of a heartbeat; return whether it ends a failure."""
        if system_id != self.params.whole("SYSID_MYGCS"):
            return False
        self.heard_s = now_s
        ended, self.failed = self.failed, False
        return ended

    def lost(self, now_s: float) -> bool:
        """Return True once when the silence has lasted FS_GCS_TIMEOUT."""
        if not self.params["FS_GCS_ENABLE"] or self.heard_s is None or self.failed:
            return False
        self.failed = now_s - self.heard_s > self.params["FS_GCS_TIMEOUT"]
        return self.failed

    @property
    def action(self) -> Action:
        """What FS_GCS_ENABLE asks for: 1, 2 RTL, 3, 4 SmartRTL, 5 land, 6 by the mission, 7 brake."""
        match self.params.whole("FS_GCS_ENABLE"):
            case 7:
                return Action.BRAKE_OR_LAND
            case 6:
                return Action.AUTO_RTL_OR_RTL
            case 5:
                return Action.LAND
            case 4:
                return Action.SMART_RTL_OR_LAND
            case 3:
                return Action.SMART_RTL
        return Action.RTL


_CHECK_S = 0.5  # how often a battery is looked at


@dataclass(slots=True)
class BatteryWatch:
    """Notices a low and a critical battery, by voltage and by charge taken."""

    params: Parameters
    battery: Battery
    low: bool = False
    critical: bool = False
    _checked_s: float = -math.inf
    _low_since_s: float | None = None
    _critical_since_s: float | None = None

    def check(self, now_s: float) -> tuple[str, Action] | None:
        """Return the text and the action of a stage just entered, once each."""
        if now_s - self._checked_s < _CHECK_S:
            return None
        self._checked_s = now_s
        wait_s = self.params["BATT_LOW_TIMER"]
        self._critical_since_s = self._since(self._critical_since_s, "BATT_CRT", now_s)
        self._low_since_s = self._since(self._low_since_s, "BATT_LOW", now_s)
        if not self.critical and _lasted(self._critical_since_s, now_s, wait_s):
            self.critical = self.low = True
            return self._text("critical"), Action(self.params.whole("BATT_FS_CRT_ACT"))
        if not self.low and _lasted(self._low_since_s, now_s, wait_s):
            self.low = True
            return self._text("low"), Action(self.params.whole("BATT_FS_LOW_ACT"))
        return None

    def recovered(self, now_s: float) -> None:
        """Forget what was wrong when the battery on the ground is good again."""
        if not self._below("BATT_LOW") and not self._below("BATT_CRT"):
            self.low = self.critical = False

    def _since(self, since_s: float | None, name: str, now_s: float) -> float | None:
        if not self._below(name):
            return None
        return now_s if since_s is None else since_s

    def _below(self, name: str) -> bool:
        volt, mah = self.params[f"{name}_VOLT"], self.params[f"{name}_MAH"]
        if volt > 0 and self.battery.voltage_v < volt:
            return True
        return mah > 0 and self.battery.capacity_mah - self.battery.used_mah < mah

    def _text(self, word: str) -> str:
        return f"Battery 1 is {word} {self.battery.voltage_v:.2f}V used {self.battery.used_mah:.0f} mAh"


_VARIANCE_S = 1.0  # ten bad readings at 10 Hz


@dataclass(slots=True)
class PositionWatch:
    """Notices that the drone no longer knows where it is, as the estimate's variances show."""

    failed: bool = False
    _since_s: float | None = None

    def lost(self, troubles: Troubles, now_s: float) -> bool:
        """Return True once when the position has been bad for a second."""
        if not troubles.is_lost:
            self._since_s = None
            self.failed = False
            return False
        self._since_s = now_s if self._since_s is None else self._since_s
        if self.failed or now_s - self._since_s < _VARIANCE_S:
            return False
        self.failed = True
        return True


def _lasted(since_s: float | None, now_s: float, wait_s: float) -> bool:
    return since_s is not None and now_s - since_s >= wait_s
