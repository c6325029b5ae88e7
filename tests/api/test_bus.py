"""The bus on a real server: what is kept, who may say what, and who dies with whom."""

import asyncio
import os
import signal
import stat
import sys
import time
from pathlib import Path

import aiomqtt
import pytest

from api import bus_server
from api.bus import Bus, BusDown
from api.bus_server import BusServer, key_of
from api.roles.analyst import _work

VALUE = {"id": "f1"}


async def connect(server: BusServer, data: Path, role: str) -> Bus:
    return await Bus.connect(server.address.url, role=role, key=key_of(data, role))


async def first(bus: Bus, stream: str, consumer: str):
    async with asyncio.timeout(10):
        async for message in bus.take(stream, consumer):
            return message
    raise AssertionError("nothing came")


async def test_a_request_is_answered_and_a_command_without_gateway_is_told(tmp_path):
    async with bus_server.running(tmp_path) as server:
        coordinator, gateway = [await connect(server, tmp_path, r) for r in ("coordinator", "gateway")]
        with pytest.raises(BusDown, match=r"no answer on sorties\.command\.g1"):
            await coordinator.request("sorties.command.g1", {"id": "c1"}, patience_s=2)

        async def accept(command):
            return {"id": command["id"], "accepted": True}

        await gateway.answer("sorties.command.g1", accept)
        await gateway.flush()
        reply = await coordinator.request("sorties.command.g1", {"id": "c1"}, patience_s=2)
        assert reply == {"id": "c1", "accepted": True}
        await coordinator.close()
        await gateway.close()


async def test_a_role_cannot_speak_on_anothers_subjects(tmp_path):
    """The analyst's key must not be able to launch a drone, nor listen to one."""
    async with bus_server.running(tmp_path) as server:
        gateway, analyst = [await connect(server, tmp_path, r) for r in ("gateway", "analyst")]
        heard: list[dict] = []

        async def hear(command):
            heard.append(command)
            return {}

        async def overhear(subject, value):
            heard.append(value)

        await gateway.answer("sorties.command.g1", hear)
        await analyst.listen("telemetry.>", overhear)
        await analyst.publish("sorties.command.g1", {"id": "bad"})
        await gateway.publish("telemetry.g1.D1", {"drone": "D1"})
        await analyst.flush()
        await gateway.flush()
        with pytest.raises(BusDown):
            await analyst.store("frames.new.f1", VALUE, message_id="f1", patience_s=1)
        assert heard == []
        await gateway.close()
        await analyst.close()


async def test_a_wrong_key_is_refused_in_one_sentence(tmp_path):
    async with bus_server.running(tmp_path) as server:
        with pytest.raises(BusDown, match="no bus for api at nats://127"):
            await Bus.connect(server.address.url, role="api", key="guessed", patience_s=3)


async def test_what_was_confirmed_survives_a_kill_of_the_server(tmp_path):
    async with bus_server.running(tmp_path) as server:
        api = await connect(server, tmp_path, "api")
        await api.store("frames.new.f1", VALUE, message_id="f1")
        os.kill(server.process.pid, signal.SIGKILL)
        await server.process.wait()
        await api.close()
    async with bus_server.running(tmp_path) as again:
        assert again.address == server.address, "roles that are still up must find it again"
        analyst = await connect(again, tmp_path, "analyst")
        message = await first(analyst, "FRAMES", "analyst")
        assert (message.subject, message.value) == ("frames.new.f1", VALUE)
        await message.done()
        await analyst.close()


async def test_a_reader_and_a_writer_outlive_a_restart_of_the_server(tmp_path):
    async with bus_server.running(tmp_path) as server:
        api, analyst = [await connect(server, tmp_path, r) for r in ("api", "analyst")]
        waiting = asyncio.create_task(first(analyst, "FRAMES", "analyst"))
        await asyncio.sleep(0.2)  # let the reader ask before its server goes
        os.kill(server.process.pid, signal.SIGKILL)
        await server.process.wait()
        async with bus_server.running(tmp_path):
            async with asyncio.timeout(10):
                while True:
                    try:
                        await api.store("frames.new.f2", {"id": "f2"}, message_id="f2", patience_s=1)
                        break
                    except BusDown:
                        await asyncio.sleep(0.2)  # it is connecting again
            assert (await waiting).value == {"id": "f2"}
            await api.close()
            await analyst.close()


async def test_the_same_message_id_is_stored_once(tmp_path):
    async with bus_server.running(tmp_path) as server:
        api, admin = [await connect(server, tmp_path, r) for r in ("api", "supervisor")]
        for _ in range(3):
            await api.store("frames.new.f1", VALUE, message_id="f1")
        assert await admin.waiting("FRAMES") == 1
        await api.close()
        await admin.close()


async def test_an_unfinished_frame_goes_to_another_analyst(tmp_path):
    async with bus_server.running(tmp_path) as server:
        api, one, other = [await connect(server, tmp_path, r) for r in ("api", "analyst", "analyst")]
        await api.store("frames.new.f1", VALUE, message_id="f1")
        message = await first(one, "FRAMES", "analyst")
        await message.later(0.05)
        again = await first(other, "FRAMES", "analyst")
        assert (again.value, again.attempt) == (VALUE, 2)
        for bus in (api, one, other):
            await bus.close()


async def test_frames_of_what_a_camera_follows_are_searched_before_those_that_wait(tmp_path):
    class Nothing:
        folder = None

        async def get(self, key):
            return None

    async with bus_server.running(tmp_path) as server:
        roles = ("api", "analyst", "coordinator", "supervisor")
        api, analyst, coordinator, admin = [await connect(server, tmp_path, r) for r in roles]
        for k in range(9):
            await api.store(f"frames.new.f{k}", {"id": f"f{k}", "key": "k"}, message_id=f"f{k}")
        await api.store("frames.first.mover", {"id": "mover", "key": "k"}, message_id="mover")
        assert await admin.waiting("FRAMES") == 10
        work = asyncio.create_task(_work(analyst, Nothing(), None))
        order = []
        async with asyncio.timeout(10):
            async for message in coordinator.take("OBSERVATIONS", "coordinator"):
                order.append(message.value["frame"])
                await message.done()
                if len(order) == 10:
                    break
        work.cancel()
        await asyncio.gather(work, return_exceptions=True)
        assert order.index("mover") < 4
        assert await admin.waiting("FRAMES") == 0
        for bus in (api, analyst, coordinator, admin):
            await bus.close()


async def test_a_dock_speaks_mqtt_and_cannot_command_another(tmp_path):
    """The answer that arrives last proves that the forged command did not come before it."""
    async with bus_server.running(tmp_path) as server:
        at = {"hostname": "127.0.0.1", "port": server.address.mqtt_port}
        dock = aiomqtt.Client(
            **at, username=bus_server.DOCK_USER, password=key_of(tmp_path, "docks"), identifier="dock-east"
        )
        gateway = aiomqtt.Client(
            **at,
            username=bus_server.DOCK_GATEWAY_USER,
            password=key_of(tmp_path, "gateway-docks"),
            identifier="gateway",
        )
        async with asyncio.timeout(10), dock, gateway:
            await dock.publish("docks/dock-east/state", b"closed", qos=1, retain=True)
            await dock.subscribe("docks/+/command", qos=1)
            await gateway.subscribe("docks/+/state", qos=1)
            assert (await anext(gateway.messages)).payload == b"closed"
            await dock.publish("docks/dock-west/command", b"forged", qos=1)
            await gateway.publish("docks/dock-west/command", b"open", qos=1)
            assert (await anext(dock.messages)).payload == b"open"


async def test_keys_and_configuration_are_for_the_owner_alone(tmp_path):
    async with bus_server.running(tmp_path):
        secret = [*(tmp_path / "keys").iterdir(), tmp_path / "bus" / "nats-server.conf"]
        assert len(secret) == 9  # eight keys, one of them the alerts' own, and the configuration
        assert {stat.S_IMODE(f.stat().st_mode) for f in secret} == {0o600}


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child of its parent's death")
async def test_the_server_dies_with_a_killed_parent(tmp_path):
    script = (
        "import asyncio, sys; from pathlib import Path; from api.bus_server import BusServer\n"
        "async def main():\n"
        "    server = await BusServer.start(Path(sys.argv[1]))\n"
        "    print(server.process.pid, flush=True)\n"
        "    await asyncio.sleep(60)\n"
        "asyncio.run(main())"
    )
    parent = await asyncio.create_subprocess_exec(
        sys.executable, "-c", script, str(tmp_path), stdout=asyncio.subprocess.PIPE
    )
    assert parent.stdout is not None
    child = int(await asyncio.wait_for(parent.stdout.readline(), 20))
    assert _is_running(child)
    parent.kill()
    await parent.wait()
    async with asyncio.timeout(5):
        await asyncio.to_thread(_until_gone, child)


def _until_gone(pid: int) -> None:
    while _is_running(pid):
        time.sleep(0.02)


def _is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().split()[2] not in "ZX"
    except FileNotFoundError:
        return False
