"""Which messages go out how often, link by link.

Nothing flows until it is asked for: by REQUEST_DATA_STREAM, whose groups are
ArduCopter's, or by SET_MESSAGE_INTERVAL for one message.
"""

from dataclasses import dataclass

STREAMS: dict[int, tuple[int, ...]] = {
    1: (27,),  # RAW_SENSORS: RAW_IMU
    2: (1, 24, 42, 62, 162),  # EXTENDED_STATUS: SYS_STATUS GPS_RAW_INT MISSION_CURRENT NAV_… FENCE_STATUS
    3: (65,),  # RC_CHANNELS
    6: (32, 33),  # POSITION: LOCAL_POSITION_NED GLOBAL_POSITION_INT
    10: (30,),  # EXTRA1: ATTITUDE
    11: (74,),  # EXTRA2: VFR_HUD
    12: (
        2,
        133,
        147,
        168,
        193,
        241,
        285,
    ),  # EXTRA3: time, terrain, battery, wind, EKF, vibration, gimbal
}
_ALL = 0


@dataclass(slots=True)
class _Due:
    interval_s: float
    next_s: float


class Streams:
    """The rates each link asked for."""

    def __init__(self) -> None:
        self._links: dict[int, dict[int, _Due]] = {}

    def request_stream(self, link: int, stream: int, *, hz: float, now_s: float) -> None:
        """Set the rate of a group of messages; 0 Hz stops it."""
        groups = STREAMS.values() if stream == _ALL else (STREAMS.get(stream, ()),)
        for ids in groups:
            for message_id in ids:
                self.set_interval(link, message_id, interval_s=1.0 / hz if hz > 0 else None, now_s=now_s)

    def set_interval(self, link: int, message_id: int, *, interval_s: float | None, now_s: float) -> None:
        """Set the time between two of one message on a link; None stops it."""
        rates = self._links.setdefault(link, {})
        if interval_s is None:
            rates.pop(message_id, None)
        else:
            rates[message_id] = _Due(interval_s, now_s)

    def interval_s(self, link: int, message_id: int) -> float | None:
        """Return the time between two of a message on a link, or None where it does not flow."""
        due = self._links.get(link, {}).get(message_id)
        return due.interval_s if due else None

    def due(self, now_s: float) -> list[tuple[int, int]]:
        """Return the (link, message id) pairs whose time has come."""
        found = []
        for link, rates in self._links.items():
            for message_id, due in rates.items():
                if due.next_s <= now_s:
                    due.next_s = max(due.next_s + due.interval_s, now_s)
                    found.append((link, message_id))
        return found

    def reset(self) -> None:
        """Forget all rates, as a reboot does."""
        self._links.clear()
