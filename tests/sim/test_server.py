"""A bare pymavlink script over real sockets: connect, upload, fly, land."""

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest

from missions.clock import ScaledClock, SystemClock
from missions.errors import InputWrong
from missions.model import Wind
from sim.autopilot import Vehicle
from sim.autopilot.dialect import mav
from sim.server import VehicleServer
from tests.sim.gcs import Station, identity, small_mission

SPEED = 60.0


@pytest.fixture
async def server() -> AsyncIterator[VehicleServer]:
    clock = ScaledClock.starting_now(SystemClock().now(), SPEED)

    def now_s() -> float:
        return clock.now().timestamp()

    served = VehicleServer(Vehicle(identity(), now_s=now_s(), wind=Wind(3, 90)), 0, now_s)
    await served.start()

    async def live() -> None:
        while True:
            served.tick(now_s())
            await asyncio.sleep(0.005)

    living = asyncio.create_task(live())
    yield served
    living.cancel()
    await served.stop()


def fly(connect: str, items: list[dict[str, Any]]) -> dict[str, Any]:
    """Fly a mission the way a small script does, with nothing but pymavlink."""
    from pymavlink import mavutil

    link = mavutil.mavlink_connection(connect, source_system=255)
    try:
        link.mav.heartbeat_send(6, 8, 0, 0, 0)
        link.wait_heartbeat(timeout=5)
        link.mav.request_data_stream_send(1, 1, 0, 4, 1)
        while not link.messages.get("EKF_STATUS_REPORT") or not link.messages["EKF_STATUS_REPORT"].flags & 16:
            link.recv_match(blocking=True, timeout=5)
        ack = _upload(link, items)
        results = [_command(link, *c) for c in ((176, 1, 4), (400, 1), (176, 1, 3), (300,))]
        reached, ends = [], time.monotonic() + 30
        while time.monotonic() < ends:
            message = link.recv_match(type=["HEARTBEAT", "MISSION_ITEM_REACHED"], blocking=True, timeout=5)
            if message.get_type() == "MISSION_ITEM_REACHED":
                reached.append(message.seq)
            elif message.get_srcComponent() == 1 and not message.base_mode & mav.MAV_MODE_FLAG_SAFETY_ARMED:
                break
        height_mm = link.messages["GLOBAL_POSITION_INT"].relative_alt
        return {
            "system": link.target_system,
            "ack": ack,
            "results": results,
            "reached": reached,
            "mm": height_mm,
        }
    finally:
        link.close()


def _upload(link: Any, items: list[dict[str, Any]]) -> int:
    station = Station(ready=False)
    link.mav.mission_count_send(1, 1, len(items), 0)
    while True:
        asked = link.recv_match(type=["MISSION_REQUEST", "MISSION_ACK"], blocking=True, timeout=5)
        if asked.get_type() == "MISSION_REQUEST":
            link.mav.send(station.item_message(asked.seq, items[asked.seq]))
        elif asked.type != mav.MAV_MISSION_INVALID_SEQUENCE:  # at this speed it asks again at once
            return int(asked.type)


def _command(link: Any, number: int, *params: float) -> int:
    link.mav.command_long_send(1, 1, number, 0, *params, *[0] * (7 - len(params)))
    return int(link.recv_match(type="COMMAND_ACK", blocking=True, timeout=5).result)


@pytest.mark.parametrize("way", ["tcp", "udpout"])
async def test_a_pymavlink_script_flies_a_mission(server: VehicleServer, way: str) -> None:
    flown = await asyncio.to_thread(fly, f"{way}:127.0.0.1:{server.port}", small_mission())
    assert flown["system"] == 1
    assert flown["ack"] == 0
    assert flown["results"] == [0, 0, 0, 0]
    assert flown["reached"][-1] == 10
    assert abs(flown["mm"]) < 3000
    assert len(server.vehicle.taken()) == 3


async def test_a_link_that_comes_back_finds_its_streams(server: VehicleServer) -> None:
    packer = mav.MAVLink(None, 255, 190)
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(mav.MAVLink_request_data_stream_message(1, 1, 6, 4, 1).pack(packer))
    await asyncio.sleep(0.05)
    writer.close()
    await writer.wait_closed()
    await asyncio.sleep(0.05)
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    await asyncio.sleep(0.2)
    kinds = {m.get_type() for m in mav.MAVLink(None).parse_buffer(await reader.read(65536))}
    writer.close()
    assert "GLOBAL_POSITION_INT" in kinds


async def test_noise_on_the_line_is_passed_over(server: VehicleServer) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(b"\xfd\xff\x00garbage" * 20 + b"\xfe\x00")
    await asyncio.sleep(0.1)
    assert await reader.read(65536)
    writer.close()


async def test_two_stations_hear_each_others_heartbeats(server: VehicleServer) -> None:
    one = await asyncio.open_connection("127.0.0.1", server.port)
    two = await asyncio.open_connection("127.0.0.1", server.port)
    beat = mav.MAVLink_heartbeat_message(mav.MAV_TYPE_GCS, mav.MAV_AUTOPILOT_INVALID, 0, 0, 0, 3)
    one[1].write(beat.pack(mav.MAVLink(None, 254, 190)))
    await asyncio.sleep(0.1)
    heard = mav.MAVLink(None).parse_buffer(await two[0].read(65536))
    assert 254 in {m.get_srcSystem() for m in heard}
    for _, writer in (one, two):
        writer.close()


async def test_a_taken_port_is_named(server: VehicleServer) -> None:
    other = VehicleServer(Vehicle(identity(), now_s=0.0), server.port, lambda: 0.0)
    with pytest.raises(InputWrong, match="choose another --mavlink-port"):
        await other.start()
