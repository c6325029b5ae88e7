"""One port for everybody who talks to an autopilot in another process.

A real ArduPilot in SITL speaks UDP to this relay alone. Ground stations reach
it by TCP and UDP on one port of the loopback, as they do a simulated vehicle;
each hears everything the autopilot says. Link faults act here in the same way.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import Any

from missions.errors import InputWrong
from sim.faults import Fault
from sim.impairment import DOWN, UP, Impairment, quality_of
from sim.server import HOST, packets

_SILENT_S = 30.0  # wall time after which a UDP peer that says nothing is gone


class Relay:
    """The links of one autopilot that lives elsewhere."""

    def __init__(self, port: int, now_s: Callable[[], float], seed: int = 0) -> None:
        self.port = port
        self.inner_port = 0  # where the autopilot is to send
        self.heard = False  # whether the autopilot has said anything
        self._now_s = now_s
        self._up: Impairment[bytes] = Impairment(seed * 2)
        self._down: Impairment[bytes] = Impairment(seed * 2 + 1)
        self._autopilot: Any = None
        self._inner: asyncio.DatagramTransport | None = None
        self._outer: asyncio.DatagramTransport | None = None
        self._server: asyncio.Server | None = None
        self._clients: set[asyncio.WriteTransport] = set()
        self._peers: dict[Any, float] = {}

    async def start(self) -> None:
        """Listen on both sides.

        Raises:
            InputWrong: the port is taken.
        """
        loop = asyncio.get_running_loop()
        try:
            self._server = await loop.create_server(lambda: _Client(self), HOST, self.port)
            self.port = self._server.sockets[0].getsockname()[1]
            self._outer, _ = await loop.create_datagram_endpoint(
                lambda: _Datagrams(self.heard_udp), local_addr=(HOST, self.port)
            )
            self._inner, _ = await loop.create_datagram_endpoint(
                lambda: _Datagrams(self.heard_autopilot), local_addr=(HOST, 0)
            )
        except OSError as error:
            await self.stop()
            raise InputWrong(
                f"port {self.port} is taken ({error.strerror}): choose another --mavlink-port"
            ) from None
        self.inner_port = self._inner.get_extra_info("sockname")[1]

    async def stop(self) -> None:
        """Close every socket."""
        if self._server is not None:
            self._server.close()
        for transport in (*self._clients, self._outer, self._inner):
            if transport is not None:
                transport.close()

    def impair(self, faults: Sequence[Fault]) -> None:
        """Let these faults of the link act from now on, in place of those before."""
        self._up.quality = quality_of(faults, UP)
        self._down.quality = quality_of(faults, DOWN)

    def tick(self) -> None:
        """Let what was late come through."""
        now_s = self._now_s()
        for data in self._up.due(now_s):
            self._to_autopilot(data)
        for data in self._down.due(now_s):
            self._to_clients(data)

    def joined(self, transport: asyncio.WriteTransport) -> None:
        """Take a new TCP client."""
        self._clients.add(transport)

    def left(self, transport: asyncio.WriteTransport) -> None:
        """Forget a TCP client."""
        self._clients.discard(transport)

    def heard_client(self, data: bytes) -> None:
        """Take bytes of a ground station."""
        self._pass(self._up, data, self._to_autopilot)

    def heard_udp(self, data: bytes, peer: Any) -> None:
        """Take a datagram of a ground station; from now on it hears the autopilot."""
        self._peers[peer] = time.monotonic()
        self.heard_client(data)

    def heard_autopilot(self, data: bytes, peer: Any) -> None:
        """Take a datagram of the autopilot."""
        self._autopilot, self.heard = peer, True
        self._pass(self._down, data, self._to_clients)

    def _pass(self, way: Impairment[bytes], data: bytes, on: Callable[[bytes], None]) -> None:
        if way.is_clear:
            on(data)
            return
        now_s = self._now_s()
        for packet in packets(data):
            way.put(way.spoiled(packet) if way.chance(way.quality.corrupt) else packet, now_s)

    def _to_autopilot(self, data: bytes) -> None:
        if self._autopilot is not None and self._inner is not None:
            self._inner.sendto(data, self._autopilot)

    def _to_clients(self, data: bytes) -> None:
        for client in self._clients:
            client.write(data)
        before = time.monotonic() - _SILENT_S
        for peer, heard_s in list(self._peers.items()):
            if heard_s < before:
                del self._peers[peer]
            elif self._outer is not None:
                self._outer.sendto(data, peer)


class _Client(asyncio.Protocol):
    """One ground station over TCP."""

    def __init__(self, relay: Relay) -> None:
        self._relay = relay
        self._transport: asyncio.WriteTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.WriteTransport)
        self._transport = transport
        self._relay.joined(transport)

    def data_received(self, data: bytes) -> None:
        self._relay.heard_client(data)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._transport is not None:
            self._relay.left(self._transport)


class _Datagrams(asyncio.DatagramProtocol):
    """One UDP socket."""

    def __init__(self, heard: Callable[[bytes, Any], None]) -> None:
        self._heard = heard

    def datagram_received(self, data: bytes, addr: Any) -> None:
        self._heard(data, addr)
