"""The vehicle's half of the mission protocol as two autopilots play it, for measuring clients.

Written from mavlink.io/en/services/mission.html, from what ArduCopter 4.5 was
seen to do on the wire and from PX4's public description of its mission manager;
nothing here comes from `fleet/transfer.py`, so one misreading cannot agree with itself.

    ArduBoard  asks again after 1 s, gives up after 8 s of silence; a wrong number is
               answered INVALID_SEQUENCE and the upload goes on; nothing answers an item
               after the end; what was accepted stays; item 0 is its home
    Px4Board   asks again after 250 ms, gives up after 5 s; a wrong number is not answered;
               a repeated last item is acknowledged again; the old list stays until the
               new one is whole; acknowledgement and count carry the CRC32 of the items
"""

import struct
import zlib
from dataclasses import dataclass, field, replace
from typing import ClassVar

from fleet.messages import (
    ClearWanted,
    Item,
    ItemCount,
    ItemWanted,
    ListKind,
    ListWanted,
    MissionVerdict,
    PartOffer,
    Transfer,
    Verdict,
)

_HOME = (30.0, 119.0, 80.0)
_ALL_BITS = 0xFFFFFFFF
_LAYOUT = struct.Struct("<BHB4fiif")


@dataclass(slots=True)
class ArduBoard:
    """ArduCopter's half."""

    RETRY_S: ClassVar[float] = 1.0
    IDLE_S: ClassVar[float] = 8.0
    MOST: ClassVar[int] = 650

    items: list[Item] = field(default_factory=list)
    uploads: int = 0
    _next: int | None = None  # the item it waits for, None while it does not receive
    _last: int = 0
    _asked_s: float = 0.0
    _heard_s: float = 0.0

    def receive(self, message: Transfer, now: float) -> list[Transfer]:
        """Answer one message."""
        match message:
            case ItemCount():
                return self._begin(message.count, now)
            case PartOffer():
                return self._begin_part(message.first, message.last, now)
            case Item():
                return self._take(message, now)
            case ListWanted():
                return self._denied() or [ItemCount(len(self.items))]
            case ItemWanted():
                return self._denied() or self._give(message.seq)
            case ClearWanted():
                self.items.clear()
                return [MissionVerdict(Verdict.ACCEPTED)]
        return []

    def tick(self, now: float) -> list[Transfer]:
        """Ask again, or give an upload up."""
        if self._next is None:
            return []
        if now - self._heard_s > self.IDLE_S:
            self._next = None
            return [MissionVerdict(Verdict.CANCELLED)]
        return self._ask(now) if now - self._asked_s > self.RETRY_S else []

    def take_over(self, items: list[Item]) -> None:
        """Hold a list that came as a whole."""
        self.items = [_as_arducopter_keeps(item) for item in items]

    def _denied(self) -> list[Transfer]:
        return [] if self._next is None else [MissionVerdict(Verdict.DENIED)]

    def _give(self, seq: int) -> list[Transfer]:
        if seq < len(self.items):
            return [self.items[seq]]
        return [MissionVerdict(Verdict.INVALID_SEQUENCE)]

    def _begin(self, count: int, now: float) -> list[Transfer]:
        if count > self.MOST:
            return [MissionVerdict(Verdict.NO_SPACE)]
        del self.items[count:]
        self.uploads += 1
        return self._receive(0, count - 1, now)

    def _begin_part(self, first: int, last: int, now: float) -> list[Transfer]:
        if not 0 <= first <= last <= len(self.items):
            return [MissionVerdict(Verdict.ERROR)]
        return self._receive(first, last, now)

    def _receive(self, first: int, last: int, now: float) -> list[Transfer]:
        self._next, self._last, self._heard_s = first, last, now
        return self._ask(now)

    def _ask(self, now: float) -> list[Transfer]:
        self._asked_s = now
        return [ItemWanted(self._next)] if self._next is not None else []

    def _take(self, item: Item, now: float) -> list[Transfer]:
        if self._next is None:
            return []
        if item.seq != self._next:
            return [MissionVerdict(Verdict.INVALID_SEQUENCE)]
        self.items[item.seq : item.seq + 1] = [_as_arducopter_keeps(item)]
        self._heard_s = now
        self._next += 1
        if self._next <= self._last:
            return self._ask(now)
        self._next = None
        return [MissionVerdict(Verdict.ACCEPTED)]


@dataclass(slots=True)
class Px4Board:
    """PX4's half; `seen` is where it is in a reading, None while nobody reads."""

    RETRY_S: ClassVar[float] = 0.25
    IDLE_S: ClassVar[float] = 5.0
    MOST: ClassVar[int] = 2000

    items: list[Item] = field(default_factory=list)
    uploads: int = 0
    _staged: list[Item] | None = None
    _count: int = 0
    _got: int = 0  # how many items the last upload had
    _seen: int | None = None
    _asked_s: float = 0.0
    _heard_s: float = 0.0

    def receive(self, message: Transfer, now: float) -> list[Transfer]:
        """Answer one message."""
        match message:
            case ItemCount():
                return self._begin(message.count, now)
            case Item():
                return self._take(message, now)
            case ListWanted():
                return self._list(now)
            case ItemWanted():
                return self._give(message.seq, now)
            case MissionVerdict():
                self._ended(message.verdict)
            case ClearWanted() if self._staged is None and self._seen is None:
                self.items.clear()
                return [MissionVerdict(Verdict.ACCEPTED)]
        return []

    def tick(self, now: float) -> list[Transfer]:
        """Ask again, or give a transfer up."""
        if self._staged is None and self._seen is None:
            return []
        if now - self._heard_s > self.IDLE_S:
            self._staged = self._seen = None
            return []
        due = self._staged is not None and now - self._asked_s > self.RETRY_S
        return self._ask(now) if due else []

    def _begin(self, count: int, now: float) -> list[Transfer]:
        if count > self.MOST:
            return [MissionVerdict(Verdict.NO_SPACE)]
        busy = self._seen is not None or (self._staged is not None and len(self._staged) > 0)
        if busy:
            self._heard_s = now if self._staged is not None else self._heard_s
            return [MissionVerdict(Verdict.ERROR)]
        self._staged, self._count, self._heard_s, self._got = [], count, now, 0
        self.uploads += 1
        return self._ask(now)

    def _ask(self, now: float) -> list[Transfer]:
        self._asked_s = now
        return [ItemWanted(len(self._staged))] if self._staged is not None else []

    def _take(self, item: Item, now: float) -> list[Transfer]:
        if self._seen is not None:
            return [MissionVerdict(Verdict.ERROR)]
        if self._staged is None:
            again = self._got == item.seq + 1
            return [
                MissionVerdict(Verdict.ACCEPTED, opaque_id=crc_of(self.items))
                if again
                else MissionVerdict(Verdict.ERROR)
            ]
        self._heard_s = now
        if item.seq != len(self._staged):
            return []
        self._staged.append(item)
        self._got = item.seq + 1
        if len(self._staged) < self._count:
            return self._ask(now)
        self.items, self._staged = self._staged, None
        return [MissionVerdict(Verdict.ACCEPTED, opaque_id=crc_of(self.items))]

    def _list(self, now: float) -> list[Transfer]:
        if self._staged is not None:
            return []
        self._seen, self._heard_s = 0, now
        return [ItemCount(len(self.items), opaque_id=crc_of(self.items))]

    def _give(self, seq: int, now: float) -> list[Transfer]:
        if self._seen is None:
            return []
        self._heard_s = now
        if seq == self._seen and seq < len(self.items):
            self._seen += 1
        elif seq != self._seen - 1:
            self._seen = None
            return [MissionVerdict(Verdict.ERROR)]
        return [self.items[seq]]

    def _ended(self, verdict: Verdict) -> None:
        self._seen = None
        if verdict is Verdict.CANCELLED:
            self._staged = None


def crc_of(items: list[Item]) -> int:
    """Return the CRC32 that PX4 keeps of a list: frame, command, 1, four values, x, y, z of each item.

    Without the inversions that zlib does before and after.
    """
    crc = 0
    for item in items:
        packed = _LAYOUT.pack(
            item.frame,
            item.command,
            1,
            *item.params,
            round(item.lat_deg * 1e7),
            round(item.lon_deg * 1e7),
            item.altitude_m,
        )
        crc = ~zlib.crc32(packed, ~crc & _ALL_BITS) & _ALL_BITS
    return crc


def _as_arducopter_keeps(item: Item) -> Item:
    """Return the item as it comes back: home overwritten, whole centimetres, frames without INT."""
    if item.kind is not ListKind.MISSION:
        return item
    if item.seq == 0:
        lat_deg, lon_deg, altitude_m = _HOME
        return replace(item, lat_deg=lat_deg, lon_deg=lon_deg, altitude_m=altitude_m)
    frame = {5: 0, 6: 3, 11: 10}.get(item.frame, item.frame)
    return replace(item, frame=frame, altitude_m=int(item.altitude_m * 100) / 100)
