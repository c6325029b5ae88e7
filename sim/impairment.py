"""A bad link, from a seed: packets lost, late, doubled, out of order or spoiled.

One `Impairment` is one direction of one vehicle's links. It holds what is late
and hands it out when its time has come. What is not impaired passes at once and
in order; what is late may be overtaken, as on a real radio link.
"""

import heapq
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import count
from random import Random
from typing import Generic, TypeVar

from sim.faults import Fault

UP, DOWN = "up", "down"
_REORDERED_S = 0.3  # how late a swapped packet comes: a few packets' time at telemetry rates

Packet = TypeVar("Packet")


@dataclass(frozen=True, slots=True)
class Quality:
    """What a direction of a link does to packets."""

    loss: float = 0.0
    delay_s: float = 0.0
    jitter_s: float = 0.0
    duplicate: float = 0.0
    reorder: float = 0.0
    corrupt: float = 0.0

    @property
    def is_good(self) -> bool:
        return self == _GOOD


_GOOD = Quality()


def quality_of(faults: Iterable[Fault], direction: str) -> Quality:
    """Return what several link faults do together: chances combine, delays add up."""
    good = {"loss": 1.0, "duplicate": 1.0, "reorder": 1.0, "corrupt": 1.0}
    delay_s = jitter_s = 0.0
    for fault in faults:
        if fault.word("direction") not in (direction, "both"):
            continue
        for name in good:
            good[name] *= 1.0 - fault.number(name)
        delay_s += fault.number("delay_s")
        jitter_s += fault.number("jitter_s")
    return Quality(delay_s=delay_s, jitter_s=jitter_s, **{name: 1.0 - share for name, share in good.items()})


class Impairment(Generic[Packet]):
    """One direction of a link: packets go in, and come out when and as often as they do."""

    def __init__(self, seed: int) -> None:
        self.quality = _GOOD
        self._random = Random(seed)
        self._late: list[tuple[float, int, Packet]] = []
        self._order = count()

    @property
    def is_clear(self) -> bool:
        """Whether packets pass untouched and none is under way."""
        return not self._late and self.quality.is_good

    def chance(self, share: float) -> bool:
        """Return True for that share of the calls."""
        return share > 0.0 and self._random.random() < share

    def put(self, packet: Packet, now_s: float) -> None:
        """Take a packet into the link."""
        quality = self.quality
        if self.chance(quality.loss):
            return
        for _ in range(2 if self.chance(quality.duplicate) else 1):
            late_s = quality.delay_s + quality.jitter_s * self._random.random()
            if self.chance(quality.reorder):
                late_s += _REORDERED_S
            heapq.heappush(self._late, (now_s + late_s, next(self._order), packet))

    def due(self, now_s: float) -> list[Packet]:
        """Return the packets that have come through by now, in the order in which they come."""
        found = []
        while self._late and self._late[0][0] <= now_s:
            found.append(heapq.heappop(self._late)[2])
        return found

    def next_s(self) -> float | None:
        """Return when the next packet comes out, or None."""
        return self._late[0][0] if self._late else None

    def spoiled(self, data: bytes) -> bytes:
        """Return a packet's bytes with one changed, as a bad radio hands them over."""
        at = self._random.randrange(len(data))
        return data[:at] + bytes([data[at] ^ (1 + self._random.randrange(255))]) + data[at + 1 :]
