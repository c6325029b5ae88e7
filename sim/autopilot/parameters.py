"""The parameter protocol of a vehicle (https://mavlink.io/en/services/parameter.html).

ArduPilot sends every value as float32 whatever its type ("C cast"), PX4 puts an
integer's bytes where the float's would be ("bytewise"). A read of an unknown
name is not answered; a write is answered by PARAM_VALUE. The list is sent a few
at a time, as a real link would carry it. PX4 besides has a hash over all of
them, read like a parameter of its own, so that a client may keep its copy.
"""

import math
import struct
import zlib
from collections import deque
from collections.abc import Collection

from sim.autopilot.dialect import Message, Outgoing, mav

INT8, INT16, INT32, FLOAT = 2, 4, 6, 9  # MAV_PARAM_TYPE
HASH = "_HASH_CHECK"
_UINT32 = 5
_NOT_LISTED = 0xFFFF
_PER_TICK = 12
_MOST = 2**31 - 1

Table = tuple[tuple[str, float, int], ...]  # name, value, type


class Parameters:
    """The parameters of one vehicle: plain reading by name, and the wire protocol.

    `version` grows with every value that is set, so that what is worked out from
    parameters can be kept until then.
    """

    def __init__(
        self, table: Table, *, read_only: Collection[str] = (), bytewise: bool = False, hashed: bool = False
    ) -> None:
        self.version = 0
        self._types = {name: kind for name, _, kind in table}
        self._values = {name: _rounded(value) for name, value, _ in table}
        self._names = sorted(self._values)
        self._numbers = {name: number for number, name in enumerate(self._names)}
        self._read_only = read_only
        self._bytewise = bytewise
        self._hashed = hashed
        self._queues: dict[int, deque[str]] = {}

    def __getitem__(self, name: str) -> float:
        return self._values[name]

    def __contains__(self, name: str) -> bool:
        return name in self._values

    def whole(self, name: str) -> int:
        """Return a parameter as the whole number it stands for (flags, choices)."""
        return int(self._values[name])

    def set(self, name: str, value: float) -> None:
        """Set a parameter as the vehicle itself does, rounded to its type."""
        if name not in self._values:
            raise KeyError(name)
        if not math.isfinite(value):
            return
        kind = self._types[name]
        fresh = _rounded(value) if kind == FLOAT else float(max(-_MOST, min(_MOST, round(value))))
        if fresh != self._values[name]:
            self._values[name] = fresh
            self.version += 1

    def packed(self) -> list[tuple[str, int, float]]:
        """Return every parameter by name: name, type, value."""
        return [(name, self._types[name], self._values[name]) for name in self._names]

    def receive(self, message: Message, link: int) -> list[Outgoing]:
        """Answer PARAM_REQUEST_LIST, PARAM_REQUEST_READ and PARAM_SET."""
        match message.get_type():
            case "PARAM_REQUEST_LIST":
                self._queues[link] = deque([HASH, *self._names] if self._hashed else self._names)
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
                sent.append(Outgoing(self._value(queue.popleft()), link))
            if not queue:
                del self._queues[link]
        return sent

    def forget(self, link: int) -> None:
        """Stop sending on a link that is gone."""
        self._queues.pop(link, None)

    def hash(self) -> int:
        """Return the number that changes with any parameter."""
        crc = 0
        for name, kind, value in self.packed():
            crc = zlib.crc32(name.encode() + _bytes_of(value, kind), crc)
        return crc

    def _read(self, message: Message, link: int) -> list[Outgoing]:
        if message.param_index >= 0:
            known = message.param_index < len(self._names)
            return [Outgoing(self._value(self._names[message.param_index]), link)] if known else []
        name = _name(message)
        known = name in self._values or (self._hashed and name == HASH)
        return [Outgoing(self._value(name), link)] if known else []

    def _write(self, message: Message) -> list[Outgoing]:
        name = _name(message)
        if name not in self._values:
            return []
        value = self._decoded(message.param_value, self._types[name])
        if name not in self._read_only and value == value:
            self.set(name, value)
        return [Outgoing(self._value(name))]

    def _decoded(self, value: float, kind: int) -> float:
        if not self._bytewise or kind == FLOAT:
            return value
        return float(struct.unpack("<i", struct.pack("<f", value))[0])

    def _value(self, name: str) -> Message:
        if name == HASH:
            as_float = struct.unpack("<f", struct.pack("<I", self.hash()))[0]
            return _param_value(HASH, as_float, _UINT32, len(self._names), _NOT_LISTED)
        kind, value = self._types[name], self._values[name]
        if self._bytewise and kind != FLOAT:
            value = struct.unpack("<f", struct.pack("<i", int(value)))[0]
        return _param_value(name, value, kind, len(self._names), self._numbers[name])


def _param_value(name: str, value: float, kind: int, count: int, index: int) -> Message:
    return mav.MAVLink_param_value_message(name.encode(), value, kind, count, index)


def _name(message: Message) -> str:
    name = message.param_id
    return (name.decode("ascii", "replace") if isinstance(name, bytes) else str(name)).rstrip("\0")


def _bytes_of(value: float, kind: int) -> bytes:
    return struct.pack("<f", value) if kind == FLOAT else struct.pack("<i", int(value))


def _rounded(value: float) -> float:
    """Return the value as float32 holds it, so that what is set is what is read."""
    return float(struct.unpack("<f", struct.pack("<f", value))[0])
