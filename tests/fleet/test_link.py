"""Connection strings, and links that drop."""

import asyncio
import contextlib

import pytest
from pymavlink.dialects.v20 import ardupilotmega as mavlink

from fleet.address import Address, parse
from fleet.errors import LinkFailed, LinkWrong
from fleet.link import Link, unpacked
from fleet.messages import Alive, Heartbeat, Role


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("tcp:127.0.0.1:5860", Address("tcp", "127.0.0.1", 5860)),
        ("tcp://127.0.0.1:5860", Address("tcp", "127.0.0.1", 5860)),
        ("tcpout://drone.local:5760", Address("tcp", "drone.local", 5760)),
        ("udp:0.0.0.0:14550", Address("udpin", "0.0.0.0", 14550)),
        ("udpin:0.0.0.0:14550", Address("udpin", "0.0.0.0", 14550)),
        ("udpin://:14540", Address("udpin", "0.0.0.0", 14540)),
        ("udpout:10.0.0.2:14550", Address("udpout", "10.0.0.2", 14550)),
        ("udpout://10.0.0.2:14550", Address("udpout", "10.0.0.2", 14550)),
        ("tcp:[::1]:5760", Address("tcp", "::1", 5760)),
        ("/dev/ttyACM0", Address("serial", "/dev/ttyACM0", 57600)),
        ("/dev/ttyUSB1,921600", Address("serial", "/dev/ttyUSB1", 921600)),
        ("serial:///dev/ttyACM0:115200", Address("serial", "/dev/ttyACM0", 115200)),
        ("COM7,57600", Address("serial", "COM7", 57600)),
    ],
)
def test_both_ways_of_naming_a_link_are_understood(text, address):
    """pymavlink's and MAVSDK's."""
    assert parse(text) == address


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "it is empty"),
        ("foo:1.2.3.4:5", "'foo' is not a kind of link"),
        ("http://1.2.3.4:5", "http:// is not a kind of link"),
        ("tcp:127.0.0.1", "the port is missing"),
        ("tcp::5760", "the host is missing"),
        ("tcp:127.0.0.1:zz", "'zz' is not a port"),
        ("tcp:127.0.0.1:70000", "'70000' is not a port"),
        ("/dev/ttyACM0,fast", "'fast' is not a speed"),
        ("serial://COM3", "a serial link names a device"),
    ],
)
def test_a_wrong_string_says_what_is_wrong_and_what_works(text, why):
    """In one sentence, before anything is opened."""
    with pytest.raises(LinkWrong) as caught:
        parse(text)
    assert why in str(caught.value)
    assert "tcp:HOST:PORT" in str(caught.value)


async def test_a_closed_port_is_said_plainly(unused_tcp_port):
    """With the question a person would ask next."""
    with pytest.raises(LinkFailed, match="nothing listens there"):
        await Link(f"tcp:127.0.0.1:{unused_tcp_port}").open()


async def test_a_missing_serial_device_is_said_plainly():
    """As the system words it."""
    with pytest.raises(LinkFailed, match="/dev/nothing-here"):
        await Link("/dev/nothing-here").open()


async def test_a_dropped_tcp_link_is_opened_again(unused_tcp_port):
    """Whatever was heard before is heard again after."""
    connections = []

    async def serve(reader, writer):
        connections.append(writer)
        writer.write(_heartbeat(seq=len(connections)))
        await writer.drain()
        if len(connections) == 1:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", unused_tcp_port)
    link = Link(f"tcp:127.0.0.1:{unused_tcp_port}")
    heard = link.heard()
    try:
        async with asyncio.timeout(5):
            first = await anext(heard)
            second = await anext(heard)
        assert first.message == second.message
        assert isinstance(first.message, Heartbeat)
        assert len(connections) == 2
    finally:
        await heard.aclose()
        for writer in connections:
            writer.close()
        server.close()
        await server.wait_closed()


async def test_a_udp_listener_answers_each_system_where_it_was_heard(unused_udp_port):
    """Two vehicles on one port keep their own addresses."""
    link = Link(f"udpin:127.0.0.1:{unused_udp_port}")
    await link.open()
    heard = link.heard()
    loop = asyncio.get_running_loop()
    vehicles = []
    try:
        for system in (1, 2):
            inbox: asyncio.Queue = asyncio.Queue()
            transport, _ = await loop.create_datagram_endpoint(
                lambda inbox=inbox: _Inbox(inbox), remote_addr=("127.0.0.1", unused_udp_port)
            )
            transport.sendto(_heartbeat(system=system))
            assert (await anext(heard)).system == system
            vehicles.append((transport, inbox))
        link.send(Alive(), 2)
        async with asyncio.timeout(2):
            packet = await vehicles[1][1].get()
        assert unpacked(packet, "x").message.role is Role.GROUND_STATION
        assert vehicles[0][1].empty()
    finally:
        await heard.aclose()
        for transport, _ in vehicles:
            transport.close()
        await asyncio.sleep(0)  # a transport closes in the loop's next turn


async def test_taps_get_every_packet_either_way(unused_tcp_port):
    """They feed the flight's record."""

    async def serve(reader, writer):
        writer.write(b"noise" + _heartbeat())
        await writer.drain()
        with contextlib.suppress(asyncio.CancelledError):
            await reader.read()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", unused_tcp_port)
    link = Link(f"tcp:127.0.0.1:{unused_tcp_port}")
    packets = []
    link.taps.append(packets.append)
    await link.open()
    heard = link.heard()
    await anext(heard)
    link.send(Alive(), 1)
    await heard.aclose()
    server.close()
    assert [unpacked(p, "x").message.role for p in packets] == [Role.VEHICLE, Role.GROUND_STATION]


def _heartbeat(system: int = 1, seq: int = 0) -> bytes:
    framing = mavlink.MAVLink(None, srcSystem=system, srcComponent=1)
    framing.seq = seq
    message = mavlink.MAVLink_heartbeat_message(2, 3, 81, 4, 4, 3)
    return bytes(message.pack(framing))


class _Inbox(asyncio.DatagramProtocol):
    def __init__(self, inbox):
        self._inbox = inbox

    def datagram_received(self, data, addr):
        self._inbox.put_nowait(data)
