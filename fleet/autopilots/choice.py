"""Which autopilot speaks: chosen by the vehicle's own heartbeat."""

from fleet.autopilots import Autopilot
from fleet.autopilots.ardupilot import ArduCopter
from fleet.autopilots.px4 import Px4
from fleet.messages import Firmware

_KNOWN: dict[Firmware, Autopilot] = {Firmware.ARDUPILOT: ArduCopter(), Firmware.PX4: Px4()}


def autopilot_of(firmware: Firmware | None) -> Autopilot:
    """Return how to speak to a firmware; before the first heartbeat, as to an ArduCopter."""
    return _KNOWN.get(firmware or Firmware.OTHER, _KNOWN[Firmware.ARDUPILOT])
