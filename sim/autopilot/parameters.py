"""ArduCopter parameters that matter to a dock drone, and the parameter protocol.

Values travel as float32 whatever their type (ArduPilot's "C cast" encoding).
A read of an unknown name is not answered; a write is answered by PARAM_VALUE.
The list is sent a few at a time, as a real link would carry it.
"""

import struct
from collections import deque

from missions.model import DroneModel
from sim.autopilot.dialect import Message, Outgoing, mav
from sim.battery import CELLS, NOMINAL_V

_INT8, _INT16, _INT32, _FLOAT = 2, 4, 6, 9
_PER_TICK = 12

_TABLE: tuple[tuple[str, float, int], ...] = (
    ("ARMING_CHECK", 1, _INT32),
    ("AUTO_OPTIONS", 0, _INT32),
    ("BATT_ARM_VOLT", 0, _FLOAT),
    ("BATT_CAPACITY", 0, _INT32),
    ("BATT_CRT_MAH", 0, _FLOAT),
    ("BATT_CRT_VOLT", 3.3 * CELLS, _FLOAT),
    ("BATT_FS_CRT_ACT", 0, _INT8),
    ("BATT_FS_LOW_ACT", 0, _INT8),
    ("BATT_LOW_MAH", 0, _FLOAT),
    ("BATT_LOW_TIMER", 5, _INT8),
    ("BATT_LOW_VOLT", 3.5 * CELLS, _FLOAT),
    ("BATT_MONITOR", 4, _INT8),
    ("CAM1_DURATION", 0.1, _FLOAT),
    ("CAM1_INTRVAL_MIN", 0, _FLOAT),
    ("CAM1_TYPE", 6, _INT8),
    ("CAM_AUTO_ONLY", 0, _INT8),
    ("DISARM_DELAY", 10, _INT8),
    ("FENCE_ACTION", 1, _INT8),
    ("FENCE_ALT_MAX", 100, _FLOAT),
    ("FENCE_ENABLE", 0, _INT8),
    ("FENCE_MARGIN", 2, _FLOAT),
    ("FENCE_RADIUS", 300, _FLOAT),
    ("FENCE_TOTAL", 0, _INT8),
    ("FENCE_TYPE", 7, _INT8),
    ("FRAME_CLASS", 1, _INT8),
    ("FRAME_TYPE", 1, _INT8),
    ("FS_CRASH_CHECK", 1, _INT8),
    ("FS_EKF_ACTION", 1, _INT8),
    ("FS_GCS_ENABLE", 0, _INT8),
    ("FS_GCS_TIMEOUT", 5, _FLOAT),
    ("FS_OPTIONS", 16, _INT32),
    ("FS_THR_ENABLE", 0, _INT8),
    ("FS_VIBE_ENABLE", 1, _INT8),
    ("GPS_TYPE", 1, _INT8),
    ("INS_GYR_CAL", 1, _INT8),
    ("LAND_ALT_LOW", 1000, _INT16),
    ("LAND_SPEED", 50, _INT16),
    ("LAND_SPEED_HIGH", 0, _INT16),
    ("LOG_BITMASK", 176126, _INT32),
    ("MIS_OPTIONS", 0, _INT16),
    ("MIS_RESTART", 0, _INT8),
    ("MIS_TOTAL", 0, _INT16),
    ("MNT1_DEFLT_MODE", 3, _INT8),
    ("MNT1_PITCH_MAX", 20, _FLOAT),
    ("MNT1_PITCH_MIN", -90, _FLOAT),
    ("MNT1_TYPE", 6, _INT8),
    ("PILOT_SPEED_DN", 0, _INT16),
    ("PILOT_SPEED_UP", 250, _INT16),
    ("RALLY_INCL_HOME", 1, _INT8),
    ("RALLY_LIMIT_KM", 0.3, _FLOAT),
    ("RALLY_TOTAL", 0, _INT8),
    ("RTL_ALT", 1500, _INT32),
    ("RTL_ALT_FINAL", 0, _INT16),
    ("RTL_ALT_TYPE", 0, _INT8),
    ("RTL_CLIMB_MIN", 0, _INT16),
    ("RTL_CONE_SLOPE", 3, _FLOAT),
    ("RTL_LOIT_TIME", 5000, _INT32),
    ("RTL_SPEED", 0, _INT16),
    ("SCHED_LOOP_RATE", 400, _INT16),
    ("SERIAL0_PROTOCOL", 2, _INT8),
    ("SIM_SPEEDUP", 1, _FLOAT),
    ("STAT_BOOTCNT", 1, _INT16),
    ("SYSID_ENFORCE", 0, _INT8),
    ("SYSID_MYGCS", 255, _INT16),
    ("SYSID_THISMAV", 1, _INT16),
    ("TERRAIN_ENABLE", 1, _INT8),
    ("TERRAIN_SPACING", 100, _INT16),
    ("WPNAV_ACCEL", 250, _FLOAT),
    ("WPNAV_ACCEL_Z", 100, _FLOAT),
    ("WPNAV_RADIUS", 200, _FLOAT),
    ("WPNAV_RFND_USE", 1, _INT8),
    ("WPNAV_SPEED", 1000, _FLOAT),
    ("WPNAV_SPEED_DN", 150, _FLOAT),
    ("WPNAV_SPEED_UP", 250, _FLOAT),
    ("WPNAV_TER_MARGIN", 10, _FLOAT),
    ("WP_YAW_BEHAVIOR", 2, _INT8),
)
_TYPES = {name: kind for name, _, kind in _TABLE}
_READ_ONLY = {"MIS_TOTAL", "FENCE_TOTAL", "RALLY_TOTAL"}


class Parameters:
    """The parameters of one vehicle: plain reading by name, and the wire protocol."""

    def __init__(self, model: DroneModel, *, system_id: int, speed: float = 1.0) -> None:
        self._values = {name: _rounded(value) for name, value, _ in _TABLE}
        self._values |= {
            "SYSID_THISMAV": float(system_id),
            "SIM_SPEEDUP": speed,
            "WPNAV_SPEED": model.cruise_m_s * 100.0,
            "WPNAV_SPEED_UP": model.climb_m_s * 100.0,
            "WPNAV_SPEED_DN": model.descent_m_s * 100.0,
            "BATT_CAPACITY": float(round(model.battery_wh / NOMINAL_V * 1000.0)),
        }
        self._names = sorted(self._values)
        self._queues: dict[int, deque[int]] = {}

    def __getitem__(self, name: str) -> float:
        return self._values[name]

    def whole(self, name: str) -> int:
        """Return a parameter as the whole number it stands for (flags, choices)."""
        return int(self._values[name])

    def set(self, name: str, value: float) -> None:
        """Set a parameter as the vehicle itself does, rounded to its type."""
        if name not in self._values:
            raise KeyError(name)
        self._values[name] = _rounded(value) if _TYPES[name] == _FLOAT else float(round(value))

    def receive(self, message: Message, link: int) -> list[Outgoing]:
        """Answer PARAM_REQUEST_LIST, PARAM_REQUEST_READ and PARAM_SET."""
        match message.get_type():
            case "PARAM_REQUEST_LIST":
                self._queues[link] = deque(range(len(self._names)))
                return []
            case "PARAM_REQUEST_READ":
                return self._read(message, link)
            case "PARAM_SET":
                return self._write(message)
        return []

    def tick(self) -> list[Outgoing]:
        """Return the next few values of the lists that were asked for."""
        if not self._queues:
            return []
        sent = []
        for link, queue in list(self._queues.items()):
            for _ in range(min(_PER_TICK, len(queue))):
                sent.append(Outgoing(self._value(self._names[queue.popleft()]), link))
            if not queue:
                del self._queues[link]
        return sent

    def forget(self, link: int) -> None:
        """Stop sending on a link that is gone."""
        self._queues.pop(link, None)

    def _read(self, message: Message, link: int) -> list[Outgoing]:
        if message.param_index >= 0:
            known = message.param_index < len(self._names)
            return [Outgoing(self._value(self._names[message.param_index]), link)] if known else []
        name = _name(message)
        return [Outgoing(self._value(name), link)] if name in self._values else []

    def _write(self, message: Message) -> list[Outgoing]:
        name = _name(message)
        if name not in self._values:
            return []
        if name not in _READ_ONLY and message.param_value == message.param_value:
            self.set(name, message.param_value)
        return [Outgoing(self._value(name))]

    def _value(self, name: str) -> Message:
        return mav.MAVLink_param_value_message(
            name.encode(), self._values[name], _TYPES[name], len(self._names), self._names.index(name)
        )


def _name(message: Message) -> str:
    name = message.param_id
    return (name.decode("ascii", "replace") if isinstance(name, bytes) else str(name)).rstrip("\0")


def _rounded(value: float) -> float:
    """Return the value as float32 holds it, so that what is set is what is read."""
    return float(struct.unpack("<f", struct.pack("<f", value))[0])
