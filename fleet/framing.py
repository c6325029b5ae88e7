"""Cutting a stream of bytes into MAVLink packets whose checksum is right; counts what is not.

The layout is that of mavlink.io/en/guide/serialization.html. Bytes that begin no packet, a wrong
checksum and a packet cut short are counted and passed over, one byte at a time, so that a good
packet behind them is found; nothing in here raises. A datagram never shares a packet with the
next one, so what is left of it is not kept.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

_V2, _V1 = _STARTS = 0xFD, 0xFE
_HEADER_V2, _HEADER_V1, _CHECKSUM, SIGNATURE = 10, 6, 2, 13
SIGNED = 1  # the only incompatibility flag there is; a packet with another one must be dropped

Checksum = Callable[[bytes], int]


class Frame(NamedTuple):
    """One packet as it came, with what its header says."""

    packet: bytes
    message_id: int
    system: int
    component: int
    payload: bytes
    signed: bool


@dataclass(slots=True)
class Counts:
    """What a link has carried and what it has spoilt, since it was made."""

    packets: int = 0
    lost: int = 0  # by the gaps in each sender's own numbering
    noise_bytes: int = 0
    bad_checksums: int = 0
    cut_short: int = 0
    unknown: int = 0  # of a kind that the dialect does not have: passed on to nobody
    unreadable: int = 0  # whole packets that made no sense
    unsigned: int = 0
    forged: int = 0
    replayed: int = 0

    @property
    def refused(self) -> int:
        """How many packets the signing refused."""
        return self.unsigned + self.forged + self.replayed


@dataclass(slots=True)
class Framing:
    """One link's packets. `extras` is the dialect's extra byte for each message's checksum."""

    extras: Mapping[int, int]
    checksum: Checksum
    counts: Counts = field(default_factory=Counts)
    _rest: bytes = b""
    _numbers: dict[int, int] = field(default_factory=dict)

    def feed(self, data: bytes, *, whole: bool = False) -> list[Frame]:
        """Return the packets in new bytes; `whole` says that no packet goes on in the next ones."""
        data = self._rest + data if self._rest else data
        frames: list[Frame] = []
        at, end = 0, len(data)
        while at < end:
            length = _length_at(data, at)
            if length == 0:
                at = self._next_start(data, at + 1)
            elif length < 0 or at + length > end:
                if not whole:
                    break
                self.counts.cut_short += 1
                at = self._next_start(data, at + 1)
            else:
                packet = data[at : at + length]
                follows = data[at + length : at + length + 1]
                found = self._frame(packet, borders=not follows or follows[0] in _STARTS)
                if found is None:
                    at = self._next_start(data, at + 1)
                    continue
                at += length
                if found.message_id in self.extras:
                    frames.append(found)
        self._rest = b"" if whole else data[at:]
        return frames

    def _next_start(self, data: bytes, at: int) -> int:
        """Return where the next packet may begin; the bytes before it are noise."""
        began = at - 1
        v2, v1 = data.find(_V2, at), data.find(_V1, at)
        starts = [s for s in (v2, v1) if s >= 0]
        found = min(starts, default=len(data))
        self.counts.noise_bytes += found - began
        return found

    def _frame(self, packet: bytes, *, borders: bool) -> Frame | None:
        """Return the packet, None if it is none; `borders` says that another one, or nothing, follows it."""
        if packet[0] == _V2:
            length, flags, number, system, component = packet[1], packet[2], packet[4], packet[5], packet[6]
            message_id = packet[7] | packet[8] << 8 | packet[9] << 16
            header = _HEADER_V2
        else:
            length, number, system, component, message_id = packet[1:6]
            flags, header = 0, _HEADER_V1
        body = header + length
        extra = self.extras.get(message_id)
        if extra is None:
            if not borders:
                return None  # noise that looks like the start of one would swallow what is behind it
            self.counts.unknown += 1
        else:
            told = packet[body] | packet[body + 1] << 8
            if self.checksum(packet[1:body] + extra.to_bytes(1)) != told:
                self.counts.bad_checksums += 1
                return None
        self._count(system, component, number)
        return Frame(packet, message_id, system, component, packet[header:body], bool(flags & SIGNED))

    def _count(self, system: int, component: int, number: int) -> None:
        self.counts.packets += 1
        sender = system << 8 | component
        last = self._numbers.get(sender)
        self._numbers[sender] = number
        if last is not None:
            gap = (number - last - 1) & 0xFF
            if gap < 128:  # more is an older packet that was overtaken, or came twice
                self.counts.lost += gap
            else:
                self._numbers[sender] = last


def _length_at(data: bytes, at: int) -> int:
    """Return how long the packet at a place is, 0 if none begins there, -1 if its header is not all there."""
    start, left = data[at], len(data) - at
    if start == _V2:
        if left < 3:
            return -1
        flags = data[at + 2]
        if flags & ~SIGNED:
            return 0
        return _HEADER_V2 + data[at + 1] + _CHECKSUM + (SIGNATURE if flags & SIGNED else 0)
    if start == _V1:
        return -1 if left < 2 else _HEADER_V1 + data[at + 1] + _CHECKSUM
    return 0
