"""The relay in front of a real autopilot: everybody hears it, it hears everybody."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from missions.errors import InputWrong
from sim.faults import Fault
from sim.relay import Relay

PACKET = bytes([0xFE, 0, 0, 1, 1, 0, 0, 0])  # the shortest MAVLink 1 packet there can be


class Ear(asyncio.DatagramProtocol):
    """One UDP end that keeps what it hears."""

    def __init__(self) -> None:
        self.heard = b""

    def datagram_received(self, data: bytes, addr: Any) -> None:
        self.heard += data


@pytest.fixture
async def relay() -> AsyncIterator[Relay]:
    served = Relay(0, asyncio.get_running_loop().time)
    await served.start()
    yield served
    await served.stop()


async def udp(port: int) -> tuple[asyncio.DatagramTransport, Ear]:
    loop = asyncio.get_running_loop()
    return await loop.create_datagram_endpoint(Ear, remote_addr=("127.0.0.1", port))


async def until(done: Any) -> None:
    for _ in range(500):
        if done():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it never came")


async def test_stations_over_tcp_and_udp_share_one_autopilot(relay: Relay) -> None:
    autopilot, ear = await udp(relay.inner_port)
    autopilot.sendto(PACKET)
    await until(lambda: relay.heard)
    reader, writer = await asyncio.open_connection("127.0.0.1", relay.port)
    station, station_ear = await udp(relay.port)
    writer.write(b"tcp")
    station.sendto(b"udp")
    await until(lambda: len(ear.heard) == 6)
    autopilot.sendto(PACKET)
    assert await asyncio.wait_for(reader.readexactly(len(PACKET)), 5) == PACKET
    await until(lambda: station_ear.heard == PACKET)
    writer.close()
    for transport in (autopilot, station):
        transport.close()


async def test_a_bad_link_acts_on_both_ways(relay: Relay) -> None:
    values = {"loss": 0.0, "delay_s": 0.2, "jitter_s": 0.0, "duplicate": 1.0, "reorder": 0.0, "corrupt": 0.0}
    relay.impair([Fault("link", values=values | {"direction": "down"})])
    autopilot, ear = await udp(relay.inner_port)
    station, station_ear = await udp(relay.port)
    station.sendto(b"hello")
    autopilot.sendto(PACKET)
    await until(lambda: relay.heard)
    station.sendto(b"up")
    await until(lambda: ear.heard)
    relay.tick()
    assert station_ear.heard == b""
    await asyncio.sleep(0.25)
    relay.tick()
    await until(lambda: station_ear.heard == PACKET * 2)
    autopilot.close()
    station.close()


async def test_a_taken_port_is_named(relay: Relay) -> None:
    with pytest.raises(InputWrong, match="choose another --mavlink-port"):
        await Relay(relay.port, asyncio.get_running_loop().time).start()
