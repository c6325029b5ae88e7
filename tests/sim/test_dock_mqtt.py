"""A dock over a real MQTT broker: commands, answers, a retained state, and a broker that goes away."""

import asyncio
import json
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiomqtt
import pytest

from missions.clock import ScaledClock, SystemClock
from sim.dock import DockMachine, DockService
from tests.sim.test_dock import DOCK, Bird

SPEED = 100.0
SERVER = Path(sys.executable).parent / "nats-server"


def free_ports(count: int) -> list[int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [s.getsockname()[1] for s in sockets]
    for each in sockets:
        each.close()
    return ports


class Broker:
    """A broker in a folder, which can be stopped and started at one address."""

    def __init__(self, folder: Path) -> None:
        self.nats, self.port = free_ports(2)
        self._config = folder / "broker.json"
        settings = {
            "server_name": "broker",
            "listen": f"127.0.0.1:{self.nats}",
            "jetstream": {"store_dir": str(folder / "store")},
            "mqtt": {"listen": f"127.0.0.1:{self.port}"},
            "authorization": {"users": [{"user": "docks", "password": "p@ss"}]},
        }
        self._config.write_text(json.dumps(settings))
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        self._process = await asyncio.create_subprocess_exec(
            SERVER, "-c", self._config, stderr=asyncio.subprocess.DEVNULL
        )
        async with asyncio.timeout(10):
            while not await self._listens():  # noqa: ASYNC110  another program's port has no event
                await asyncio.sleep(0.05)

    async def stop(self) -> None:
        if self._process is not None and self._process.returncode is None:
            self._process.kill()
            await self._process.wait()

    async def _listens(self) -> bool:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", self.port)
        except OSError:
            return False
        writer.close()
        return True

    @asynccontextmanager
    async def client(self) -> AsyncIterator[aiomqtt.Client]:
        async with aiomqtt.Client("127.0.0.1", self.port, username="docks", password="p@ss") as client:
            yield client


@pytest.fixture
async def broker(tmp_path: Path) -> AsyncIterator[Broker]:
    running = Broker(tmp_path)
    await running.start()
    yield running
    await running.stop()


@pytest.fixture
async def service(broker: Broker) -> AsyncIterator[DockService]:
    clock = ScaledClock.starting_now(SystemClock().now(), SPEED)
    machine = DockMachine(DOCK, (Bird("D1"),), lambda: 3.0)
    served = DockService(
        [machine], f"mqtt://docks:p%40ss@127.0.0.1:{broker.port}", lambda: clock.now().timestamp()
    )
    task = asyncio.create_task(served.run())
    async with asyncio.timeout(10):
        await served.connected.wait()
    yield served
    task.cancel()


async def heard(client: aiomqtt.Client, *, until: Any) -> list[tuple[str, dict[str, Any]]]:
    found = []
    async with asyncio.timeout(10):
        async for message in client.messages:
            assert isinstance(message.payload, bytes)
            body = json.loads(message.payload)
            found.append((str(message.topic), body))
            if until(str(message.topic), body):
                break
    return found


async def test_a_door_is_opened_over_mqtt(broker: Broker, service: DockService) -> None:
    async with broker.client() as client:
        await client.subscribe("docks/dock-east/+")
        await client.publish("docks/dock-east/command", json.dumps({"id": "a", "action": "open"}), qos=1)
        found = await heard(client, until=lambda topic, _: topic.endswith("/answer"))
    assert found[-1] == ("docks/dock-east/answer", {"id": "a", "state": "done"})
    doors = [body["door"] for topic, body in found if topic.endswith("/state")]
    assert "opening" in doors


async def test_who_comes_late_finds_the_retained_state(broker: Broker, service: DockService) -> None:
    async with broker.client() as client:
        await client.subscribe("docks/+/state")
        ((topic, state),) = await heard(client, until=lambda *_: True)
    assert (topic, state["door"], state["drones_in"]) == ("docks/dock-east/state", "closed", ["D1"])


async def test_a_broker_that_comes_back_is_found_again(broker: Broker, service: DockService) -> None:
    await broker.stop()
    async with asyncio.timeout(10):
        while service.connected.is_set():  # noqa: ASYNC110  an Event cannot be awaited to fall
            await asyncio.sleep(0.02)
    await broker.start()
    async with asyncio.timeout(10):
        await service.connected.wait()
    async with broker.client() as client:
        await client.subscribe("docks/dock-east/answer")
        await client.publish("docks/dock-east/command", json.dumps({"id": "b", "action": "close"}), qos=1)
        found = await heard(client, until=lambda *_: True)
    assert found == [("docks/dock-east/answer", {"id": "b", "state": "done"})]
