"""Ways that cannot be opened, and ways that go away."""

import asyncio
import os
import pty
import socket

import pytest
import structlog
from pymavlink.dialects.v20 import ardupilotmega as mavlink

from fleet.address import parse
from fleet.errors import LinkFailed
from fleet.link import Link
from fleet.pipes import open_pipe

BEAT = bytes(
    mavlink.MAVLink_heartbeat_message(2, 3, 81, 4, 4, 3).pack(
        mavlink.MAVLink(None, srcSystem=1, srcComponent=1)
    )
)


async def until(is_so) -> None:
    """Wait until something is so, for ten seconds at most."""
    for _ in range(500):
        if is_so():
            return
        await asyncio.sleep(0.02)
    raise TimeoutError


async def test_a_port_in_use_is_said_plainly(unused_udp_port):
    """With what helps."""
    first = await open_pipe(parse(f"udpin:127.0.0.1:{unused_udp_port}"))
    with pytest.raises(LinkFailed, match="another program listens on this port already"):
        await open_pipe(parse(f"udpin:127.0.0.1:{unused_udp_port}"))
    first.close()


async def test_a_port_in_use_is_taken_as_soon_as_it_is_free(unused_udp_port):
    """Said once, tried again with growing pauses, and heard from then on."""
    other = await open_pipe(parse(f"udpin:127.0.0.1:{unused_udp_port}"))
    link = Link(f"udpin:127.0.0.1:{unused_udp_port}")
    heard = link.heard()
    with structlog.testing.capture_logs() as logs:
        first = asyncio.ensure_future(anext(heard))
        await until(lambda: link.trouble is not None)
        await asyncio.sleep(0.3)
        other.close()
        sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        async with asyncio.timeout(10):
            while not first.done():
                sender.sendto(BEAT, ("127.0.0.1", unused_udp_port))
                await asyncio.sleep(0.05)
        sender.close()
    assert first.result().system == 1
    assert link.trouble is None
    assert [entry["event"] for entry in logs] == ["link is down", "link is up again"]
    assert "another program listens" in logs[0]["why"]
    await heard.aclose()


async def test_a_serial_device_that_vanishes_is_waited_for():
    """Pulled out and plugged in again under the same name."""
    ours, theirs = pty.openpty()
    name = os.ttyname(theirs)
    link = Link(f"{name},57600", name="radio")
    heard = link.heard()
    first = asyncio.ensure_future(anext(heard))
    await asyncio.sleep(0.2)
    os.write(ours, BEAT)
    async with asyncio.timeout(5):
        assert (await first).system == 1
    os.close(theirs)
    os.close(ours)
    second = asyncio.ensure_future(anext(heard))
    await until(lambda: link.trouble is not None)
    assert "plugged in" in link.trouble
    second.cancel()
    await asyncio.gather(second, return_exceptions=True)
    await heard.aclose()


async def test_a_stalled_listener_holds_no_endless_backlog(unused_tcp_port):
    """What a radio would have dropped is dropped."""

    held = []

    async def serve(reader, writer):
        held.append(writer)
        writer.transport.pause_reading()

    server = await asyncio.start_server(serve, "127.0.0.1", unused_tcp_port)
    pipe = await open_pipe(parse(f"tcp:127.0.0.1:{unused_tcp_port}"))
    for _ in range(4000):
        pipe.send(bytes(4096), 1)
    assert pipe._writer.transport.get_write_buffer_size() < 300 << 10
    pipe._writer.transport.abort()
    await until(lambda: held)
    held[0].transport.abort()
    server.close()
    await asyncio.sleep(0.01)  # a transport closes in the loop's next turns


async def test_a_udp_socket_is_emptied_in_one_turn(unused_udp_port):
    """Thirteen thousand datagrams a second leave no turn for each."""
    pipe = await open_pipe(parse(f"udpin:127.0.0.1:{unused_udp_port}"))
    sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    for number in range(300):
        sender.sendto(number.to_bytes(2), ("127.0.0.1", unused_udp_port))
    sender.close()
    arrived = await pipe.receive()
    assert [int.from_bytes(data) for data, _ in arrived] == list(range(300))
    assert pipe.keeps_borders
    pipe.close()
    assert await pipe.receive() == []
