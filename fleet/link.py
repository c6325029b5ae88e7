"""MAVLink over one pipe: packets to messages and back, reopened for ever, signed where there are keys.

`fleet/address.py` tells how a link is named, `fleet/pipes.py` moves its bytes. A
link reconnects on its own with a growing pause and says why it is down; what was
sent meanwhile is gone, which every protocol above expects of a radio link. There
is one parser for each link, and only what the fleet uses goes through it.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable

import structlog
from pymavlink.dialects.v20 import ardupilotmega as mavlink
from pymavlink.generator.mavcrc import x25crc

from fleet import wire
from fleet.address import Address, parse
from fleet.errors import LinkFailed
from fleet.framing import Counts, Frame, Framing
from fleet.keyring import Keyring
from fleet.messages import Heard, KeySetup, Outgoing
from fleet.pipes import Arrival, Pipe, open_pipe
from fleet.signing import SETUP_SIGNING, Guard

Tap = Callable[[bytes], None]

_FIRST_PAUSE_S = 0.1
_LONGEST_PAUSE_S = 5.0
_PAUSE_GROWS = 1.6
_EXTRAS: dict[int, int] = {number: kind.crc_extra for number, kind in mavlink.mavlink_map.items()}
_log = structlog.get_logger()


def checksum(data: bytes) -> int:
    """Return MAVLink's checksum (CRC-16/MCRF4XX) of some bytes."""
    found: int = x25crc(data).crc
    return found


class Link:
    """One link with MAVLink on it; `run` keeps it open, `heard` yields what comes.

    May be used from one event loop only. `taps` get every packet either way, but
    for those that carry a signing key. `trouble` says why the link is down.
    """

    def __init__(
        self, text: str, *, name: str = "", keyring: Keyring | None = None, link_id: int = 0
    ) -> None:
        self.address: Address = parse(text)
        self.name = name or str(self.address)
        self.taps: list[Tap] = []
        self.trouble: str | None = None
        self._framing = Framing(_EXTRAS, checksum)
        self._parser = mavlink.MAVLink(None, srcSystem=wire.GROUND_SYSTEM, srcComponent=wire.GROUND_COMPONENT)
        self._guard: Guard | None = None
        if keyring is not None:
            self._guard = Guard(
                keyring.on(str(self.address)),
                keyring.stamps,
                checksum,
                link_id,
                taken=lambda _system: keyring.keep(),
            )
        self._pipe: Pipe | None = None

    @property
    def counts(self) -> Counts:
        """What the link has carried, lost, spoilt and refused."""
        return self._framing.counts

    @property
    def is_open(self) -> bool:
        """Whether bytes can be sent at the moment."""
        return self._pipe is not None

    async def open(self) -> None:
        """Open the link once.

        Raises:
            LinkFailed: nothing answers there; says what to look at.
        """
        self._pipe = await open_pipe(self.address)

    def close(self) -> None:
        """Close the link; `heard` then opens it again unless its task is cancelled."""
        if self._pipe is not None:
            self._pipe.close()
            self._pipe = None

    def send(self, message: Outgoing, system: int) -> None:
        """Send a message to a vehicle; silently nothing while the link is down."""
        pipe = self._pipe
        if pipe is None:
            return
        raw = wire.encode(message, system)
        packet = bytes(raw.pack(self._parser))
        self._parser.seq = (self._parser.seq + 1) % 256
        if self._guard is not None:
            packet = self._guard.sign(packet, system, raw.crc_extra)
        pipe.send(packet, system)
        if not isinstance(message, KeySetup):
            self._tap(packet)

    async def heard(self) -> AsyncGenerator[Heard, None]:
        """Yield every message we use, for ever, reconnecting whenever the link drops."""
        async for batch in self.batches():
            for heard in batch:
                yield heard

    async def batches(self) -> AsyncGenerator[list[Heard], None]:
        """Yield what came together, as `heard` does one by one."""
        try:
            while True:
                pipe = self._pipe or await self._reopened()
                arrivals = await pipe.receive()
                if not arrivals:
                    self.close()
                    continue
                found = self._messages(arrivals, pipe)
                if found:
                    yield found
        finally:
            self.close()

    async def _reopened(self) -> Pipe:
        pause_s = _FIRST_PAUSE_S
        while True:
            try:
                self._pipe = await open_pipe(self.address)
            except LinkFailed as error:
                self._say_down(error, pause_s)
                # Nothing tells us when the other side listens again, so this one wait is a sleep.
                await asyncio.sleep(pause_s)
                pause_s = min(_LONGEST_PAUSE_S, pause_s * _PAUSE_GROWS)
            else:
                if self.trouble is not None:
                    _log.info("link is up again", link=self.name)
                self.trouble = None
                return self._pipe

    def _say_down(self, error: LinkFailed, pause_s: float) -> None:
        """Say once why the link is down, and again only when the reason is another."""
        if self.trouble != error.why:
            self.trouble = error.why
            _log.warning("link is down", link=self.name, why=error.why, again_in_s=round(pause_s, 1))

    def _messages(self, arrivals: list[Arrival], pipe: Pipe) -> list[Heard]:
        found = []
        whole = pipe.keeps_borders
        for data, sender in arrivals:
            for frame in self._framing.feed(data, whole=whole):
                if self._guard is not None and not self._guard.accepts(frame, self.counts):
                    continue
                if self.taps and frame.message_id != SETUP_SIGNING:
                    self._tap(frame.packet)
                pipe.belongs(frame.system, sender)
                heard = _read(frame, self.name, self._parser, self.counts)
                if heard is not None:
                    found.append(heard)
        return found

    def _tap(self, packet: bytes) -> None:
        for tap in self.taps:
            tap(packet)


def unpacked(packet: bytes, name: str) -> Heard | None:
    """Return what one recorded packet says, None if it is broken or not one we use."""
    framing = Framing(_EXTRAS, checksum)
    for frame in framing.feed(packet, whole=True):
        return _read(frame, name, _READER, framing.counts)
    return None


def _read(frame: Frame, name: str, parser: mavlink.MAVLink, counts: Counts) -> Heard | None:
    try:
        return wire.read(frame, name, parser)
    except (mavlink.MAVError, ValueError, TypeError, IndexError, OverflowError):
        # Its checksum is right and its content is not: somebody else's dialect, or somebody's trick.
        counts.unreadable += 1
        return None


_READER = mavlink.MAVLink(None)
