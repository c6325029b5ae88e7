"""Sockets around one vehicle: bytes in, messages to the machine, its answers out.

A vehicle listens on one port number, over TCP and UDP. Every TCP connection and
every UDP peer is a link of its own. A TCP connection takes the lowest link
number that is free, so a client that comes back finds the rates it had asked
for, as on a serial port.
"""

import asyncio
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from missions.errors import InputWrong
from sim.autopilot.dialect import Forwarded, Message, Outgoing, Signing, mav
from sim.autopilot.framing import Framer
from sim.autopilot.vehicle import Reply, Vehicle
from sim.faults import Fault
from sim.impairment import DOWN, UP, Impairment, quality_of

HOST = "127.0.0.1"
_FIRST_UDP_LINK = 1000
_UDP_SILENCE_S = 30.0  # wall time after which a peer that says nothing is gone
_FULL_BYTES = 1 << 20  # what a link may hold unsent before it loses messages, as a radio would


class Channel:
    """One peer's parser, and a sequence of its own for each component that speaks to it."""

    def __init__(self, system_id: int, write: Callable[[bytes], None]) -> None:
        self.heard_s = time.monotonic()
        self._system_id = system_id
        self._write = write
        self._framers: dict[int, Framer] = {}
        self._parser = mav.MAVLink(None)
        self._parser.robust_parsing = True
        self._signing: Signing | None = None
        self._unsent = bytearray()

    def parse(self, data: bytes) -> list[Message]:
        """Return the whole messages that these bytes complete."""
        self.heard_s = time.monotonic()
        found = self._parser.parse_buffer(data) or []
        return [m for m in found if m.get_type() != "BAD_DATA"]

    def sign(self, signing: Signing | None, now_10us: int) -> None:
        """Sign with this key from now on and refuse what is not signed with it; None ends it."""
        if signing is self._signing:
            return
        self._signing = signing
        for end in (self._parser, *(f.packer for f in self._framers.values())):
            self._set_up(end, now_10us)

    def _set_up(self, end: Any, now_10us: int) -> None:
        end.signing = mav.MAVLinkSigning()
        if self._signing is not None:
            end.signing.secret_key = self._signing.key
            end.signing.timestamp = max(self._signing.timestamp, now_10us)
            end.signing.sign_outgoing = end is not self._parser
            end.signing.link_id = _SIGNING_LINK

    def add(self, outgoing: Outgoing) -> None:
        """Pack a message; it leaves with the next flush."""
        framer = self._framers.get(outgoing.component)
        if framer is None:
            framer = self._framers[outgoing.component] = Framer(self._system_id, outgoing.component)
            self._set_up(framer.packer, signing_time(time.time()))
        self._unsent += framer.frame(outgoing.message)

    def add_bytes(self, data: bytes) -> None:
        """Pass on another sender's packet."""
        self._unsent += data

    def take(self) -> bytes:
        """Return what was added since the last time."""
        data = bytes(self._unsent)
        self._unsent.clear()
        return data

    def write(self, data: bytes) -> None:
        """Write bytes to the peer."""
        self._write(data)


_SIGNING_LINK = 1
_SIGNING_EPOCH_S = 1_420_070_400  # 1 January 2015


def signing_time(posix_s: float) -> int:
    """Return a time as MAVLink signatures count it: 10 microseconds since 2015."""
    return max(0, round((posix_s - _SIGNING_EPOCH_S) * 1e5))


class VehicleServer:
    """One vehicle and all who talk to it."""

    def __init__(self, vehicle: Vehicle, port: int, now_s: Callable[[], float], seed: int = 0) -> None:
        self.vehicle = vehicle
        self._up: Impairment[tuple[int, bytes]] = Impairment(seed * 2)
        self._down: Impairment[tuple[int, bytes]] = Impairment(seed * 2 + 1)
        self.port = port
        self._now_s = now_s
        self._channels: dict[int, Channel] = {}
        self._transports: dict[int, asyncio.WriteTransport] = {}
        self._server: asyncio.Server | None = None
        self._udp: asyncio.DatagramTransport | None = None
        self._peers: dict[Any, int] = {}

    async def start(self) -> None:
        """Listen.

        Raises:
            InputWrong: the port is taken.
        """
        loop = asyncio.get_running_loop()
        try:
            self._server = await loop.create_server(lambda: _Tcp(self), HOST, self.port)
            self.port = self._server.sockets[0].getsockname()[1]
            self._udp, _ = await loop.create_datagram_endpoint(
                lambda: _Udp(self), local_addr=(HOST, self.port)
            )
        except OSError as error:
            await self.stop()
            raise InputWrong(
                f"port {self.port} is taken ({error.strerror}): choose another --mavlink-port"
            ) from None

    async def stop(self) -> None:
        """Close every socket."""
        if self._server is not None:
            self._server.close()
        for transport in self._transports.values():
            transport.close()
        if self._udp is not None:
            self._udp.close()

    def tick(self, now_s: float) -> None:
        """Let the vehicle live on to `now_s` and send what it says."""
        self._drop_silent()
        self._arrive(now_s)
        self._deliver(self.vehicle.tick(now_s))

    def impair(self, faults: Sequence[Fault]) -> None:
        """Let these faults of the link act from now on, in place of those before."""
        self._up.quality = quality_of(faults, UP)
        self._down.quality = quality_of(faults, DOWN)

    def opened(self, transport: asyncio.WriteTransport) -> int:
        """Take a new TCP connection and return its link number."""
        link = next(n for n in range(_FIRST_UDP_LINK) if n not in self._channels)

        def write(data: bytes) -> None:
            if transport.get_write_buffer_size() < _FULL_BYTES:
                transport.write(data)

        self._transports[link] = transport
        self._add(link, write)
        return link

    def _add(self, link: int, write: Callable[[bytes], None]) -> None:
        channel = self._channels[link] = Channel(self.vehicle.system_id, write)
        channel.sign(self.vehicle.signing, signing_time(time.time()))
        self.vehicle.opened(link)

    def closed(self, link: int) -> None:
        """Forget a link."""
        self._channels.pop(link, None)
        self._transports.pop(link, None)
        self.vehicle.closed(link)

    def heard(self, link: int, data: bytes) -> None:
        """Take bytes of one link."""
        now_s = self._now_s()
        if self._up.is_clear:
            self._hear(link, data, now_s)
            return
        for packet in packets(data):
            self._up.put((link, self._maybe_spoiled(self._up, packet)), now_s)
        self._arrive(now_s)

    def _hear(self, link: int, data: bytes, now_s: float) -> None:
        channel = self._channels.get(link)
        if channel is None:
            return
        for message in channel.parse(data):
            self._deliver(self.vehicle.receive(message, link, now_s))
            if message.get_type() == "SETUP_SIGNING":
                self._sign()

    def _sign(self) -> None:
        for channel in self._channels.values():
            channel.sign(self.vehicle.signing, signing_time(time.time()))

    def _arrive(self, now_s: float) -> None:
        """Let what was late on either way come through."""
        for link, data in self._up.due(now_s):
            self._hear(link, data, now_s)
        for link, data in self._down.due(now_s):
            if link in self._channels:
                self._channels[link].write(data)

    @staticmethod
    def _maybe_spoiled(way: Impairment[tuple[int, bytes]], packet: bytes) -> bytes:
        return way.spoiled(packet) if way.chance(way.quality.corrupt) else packet

    def _send(self, link: int, data: bytes) -> None:
        if self._down.is_clear:
            self._channels[link].write(data)
            return
        now_s = self._now_s()
        for packet in packets(data):
            self._down.put((link, self._maybe_spoiled(self._down, packet)), now_s)

    def heard_udp(self, peer: Any, data: bytes) -> None:
        """Take a datagram; a new peer becomes a link."""
        if peer not in self._peers:
            self._peers[peer] = link = next(
                n for n in range(_FIRST_UDP_LINK, _FIRST_UDP_LINK * 2) if n not in self._channels
            )
            self._add(link, lambda data: self._send_udp(data, peer))
        self.heard(self._peers[peer], data)

    def _send_udp(self, data: bytes, peer: Any) -> None:
        if self._udp is None:
            return
        for packet in packets(data):
            self._udp.sendto(packet, peer)

    def _deliver(self, replies: Iterable[Reply]) -> None:
        touched = set()
        for reply in replies:
            for link, channel in self._channels.items():
                if isinstance(reply, Forwarded):
                    if link == reply.came_from:
                        continue
                    channel.add_bytes(reply.data)
                elif reply.link is None or reply.link == link:
                    channel.add(reply)
                else:
                    continue
                touched.add(link)
        for link in touched:
            self._send(link, self._channels[link].take())

    def _drop_silent(self) -> None:
        if not self._peers:
            return
        before = time.monotonic() - _UDP_SILENCE_S
        for peer, link in list(self._peers.items()):
            if self._channels[link].heard_s < before:
                del self._peers[peer]
                self.closed(link)


class _Tcp(asyncio.Protocol):
    """One TCP connection."""

    def __init__(self, server: VehicleServer) -> None:
        self._server = server
        self._link = -1

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.WriteTransport)
        self._link = self._server.opened(transport)

    def data_received(self, data: bytes) -> None:
        self._server.heard(self._link, data)

    def connection_lost(self, exc: Exception | None) -> None:
        self._server.closed(self._link)


class _Udp(asyncio.DatagramProtocol):
    """The UDP socket of one vehicle."""

    def __init__(self, server: VehicleServer) -> None:
        self._server = server

    def datagram_received(self, data: bytes, addr: Any) -> None:
        self._server.heard_udp(addr, data)


def packets(data: bytes) -> Iterable[bytes]:
    """Yield the packets of a run of MAVLink bytes, one by one; what is none comes as it is."""
    start = 0
    while start < len(data):
        end = start + _size(data, start)
        yield data[start:end]
        start = end


_V1_EXTRA, _V2_EXTRA, _SIGNATURE = 8, 12, 13


def _size(data: bytes, start: int) -> int:
    """Return the length of the packet that begins at `start`, signed or not, of either version."""
    left = len(data) - start
    if left < 3 or data[start] not in (mav.PROTOCOL_MARKER_V1, mav.PROTOCOL_MARKER_V2):
        return left
    length = data[start + 1]
    if data[start] == mav.PROTOCOL_MARKER_V1:
        return min(left, length + _V1_EXTRA)
    signed = data[start + 2] & mav.MAVLINK_IFLAG_SIGNED
    return min(left, length + _V2_EXTRA + (_SIGNATURE if signed else 0))
