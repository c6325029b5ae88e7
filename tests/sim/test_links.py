"""Links that are signed, and links that are bad."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest

from missions.clock import ScaledClock, SystemClock
from sim.autopilot import Vehicle
from sim.autopilot.dialect import mav
from sim.faults import Fault
from sim.server import VehicleServer, packets, signing_time
from tests.sim.gcs import identity

SPEED = 60.0


@pytest.fixture
async def server() -> AsyncIterator[VehicleServer]:
    clock = ScaledClock.starting_now(SystemClock().now(), SPEED)

    def now_s() -> float:
        return clock.now().timestamp()

    served = VehicleServer(Vehicle(identity(), now_s=now_s()), 0, now_s)
    await served.start()

    async def live() -> None:
        while True:
            served.tick(now_s())
            await asyncio.sleep(0.005)

    living = asyncio.create_task(live())
    yield served
    living.cancel()
    await served.stop()


@pytest.fixture
async def dial(server: VehicleServer) -> AsyncIterator[Any]:
    """Yield a way to open ground stations' links, all closed at the end."""
    dialled: list[Signer] = []

    async def on() -> Signer:
        dialled.append(Signer(*await asyncio.open_connection("127.0.0.1", server.port)))
        return dialled[-1]

    yield on
    for signer in dialled:
        signer.writer.close()
        with contextlib.suppress(ConnectionError):
            await signer.writer.wait_closed()


KEY, OTHER_KEY = bytes(range(32)), bytes(range(1, 33))
UNSIGNED = None


class Signer:
    """A ground station's end of one TCP link, signed or not."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer
        self.packer = mav.MAVLink(None, 255, 190)
        self.ear = mav.MAVLink(None)
        self.ear.robust_parsing = True

    def sign(self, key: bytes | None, *, early_s: float = 0.0) -> None:
        self.packer.signing = mav.MAVLinkSigning()
        if key is not None:
            self.packer.signing.secret_key = key
            self.packer.signing.timestamp = signing_time(time.time() - early_s)
            self.packer.signing.sign_outgoing = True

    def send(self, message: Any) -> bytes:
        data = bytes(message.pack(self.packer))
        self.writer.write(data)
        return data

    async def answers(self, wait_s: float = 0.15) -> list[Any]:
        """Return the COMMAND_ACKs that come within a while."""
        await asyncio.sleep(wait_s)
        found = []
        with contextlib.suppress(TimeoutError):
            data = await asyncio.wait_for(self.reader.read(65536), 0.05)
            found = [m for m in self.ear.parse_buffer(data) or [] if m.get_type() != "BAD_DATA"]
        return [m for m in found if m.get_type() == "COMMAND_ACK"]

    async def asks(self) -> bool:
        """Return whether a command is heard."""
        self.send(mav.MAVLink_command_long_message(1, 1, 401, 0, *[0] * 7))
        return bool(await self.answers())

    def setup(self, key: bytes) -> None:
        self.send(mav.MAVLink_setup_signing_message(1, 1, list(key), signing_time(time.time())))


async def test_a_vehicle_with_a_key_hears_only_its_signature(server: VehicleServer, dial: Any) -> None:
    station = await dial()
    assert await station.asks()
    station.setup(KEY)
    await asyncio.sleep(0.1)
    assert not await station.asks()
    station.sign(OTHER_KEY)
    assert not await station.asks()
    station.sign(KEY)
    assert await station.asks()


async def test_the_vehicle_signs_what_it_says_on_every_link(server: VehicleServer, dial: Any) -> None:
    one, two = await dial(), await dial()
    one.setup(KEY)
    await asyncio.sleep(0.1)
    await two.answers()
    two.ear.signing.secret_key = KEY
    two.ear.signing.timestamp = signing_time(time.time()) - 100_000
    await asyncio.sleep(0.1)
    async with asyncio.timeout(5):
        data = await two.reader.read(65536)
    heard = [m for m in two.ear.parse_buffer(data) if m.get_type() != "BAD_DATA"]
    assert heard
    assert all(m.get_signed() for m in heard)


async def test_a_replayed_or_old_packet_is_refused(server: VehicleServer, dial: Any) -> None:
    station = await dial()
    station.setup(KEY)
    await asyncio.sleep(0.1)
    station.sign(KEY)
    data = station.send(mav.MAVLink_command_long_message(1, 1, 401, 0, *[0] * 7))
    assert len(await station.answers()) == 1
    station.writer.write(data)
    assert await station.answers() == []
    late = await dial()
    late.sign(KEY, early_s=3600)
    assert not await late.asks()


async def test_a_key_is_changed_by_a_packet_signed_with_the_old_one_and_taken_off_by_zeros(
    server: VehicleServer, dial: Any
) -> None:
    station = await dial()
    station.setup(KEY)
    await asyncio.sleep(0.1)
    station.setup(OTHER_KEY)  # unsigned: not heard
    await asyncio.sleep(0.1)
    station.sign(KEY)
    station.setup(OTHER_KEY)
    await asyncio.sleep(0.1)
    station.sign(OTHER_KEY)
    assert await station.asks()
    station.setup(bytes(32))
    await asyncio.sleep(0.1)
    station.sign(UNSIGNED)
    assert await station.asks()


# --- a bad link ---


def bad_link(**values: Any) -> Fault:
    good = {"direction": "both", "loss": 0.0, "delay_s": 0.0, "jitter_s": 0.0}
    return Fault("link", values=good | {"duplicate": 0.0, "reorder": 0.0, "corrupt": 0.0} | values)


async def test_a_lost_link_is_silence_both_ways_until_it_is_back(server: VehicleServer, dial: Any) -> None:
    station = await dial()
    assert await station.asks()
    server.impair([bad_link(loss=1.0)])
    await station.answers()
    assert not await station.asks()
    server.impair([])
    assert await station.asks()


@pytest.mark.parametrize(("direction", "heard"), [("up", False), ("down", True)])
async def test_a_link_is_lost_one_way_alone(
    server: VehicleServer, dial: Any, direction: str, heard: bool
) -> None:
    station = await dial()
    await asyncio.sleep(0.1)
    server.impair([bad_link(loss=1.0, direction=direction)])
    station.send(mav.MAVLink_param_set_message(1, 1, b"RTL_ALT", 4321.0, 9))
    await asyncio.sleep(0.2)
    assert (server.vehicle.params["RTL_ALT"] == 4321.0) is heard


async def test_a_doubled_command_is_answered_twice_and_a_spoiled_one_never(
    server: VehicleServer, dial: Any
) -> None:
    station = await dial()
    server.impair([bad_link(duplicate=1.0, direction="up")])
    station.send(mav.MAVLink_command_long_message(1, 1, 401, 0, *[0] * 7))
    assert len(await station.answers()) == 2
    server.impair([bad_link(corrupt=1.0, direction="up")])
    assert not await station.asks()


def test_a_run_of_bytes_is_parted_into_its_packets() -> None:
    one = mav.MAVLink_heartbeat_message(6, 8, 0, 0, 0, 3).pack(mav.MAVLink(None, 1, 1))
    assert list(packets(one * 3)) == [one] * 3
    assert list(packets(one + b"noise")) == [one, b"noise"]
    assert list(packets(one[:-4])) == [one[:-4]]
