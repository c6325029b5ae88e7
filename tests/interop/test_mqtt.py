"""MQTT with the mosquitto clients: an agency hears its own alerts, also those of while it was away."""

import asyncio
import json
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from api.bus_server import AGENCY_PUBLISHER, BusServer, agency_user, key_of, running
from api.delivery.mqtt import MqttSender
from tests.interop.receiving import BODY, leased

pytestmark = pytest.mark.skipif(
    shutil.which("mosquitto_sub") is None, reason="mosquitto-clients are not installed"
)

PATIENCE_S = 20


@pytest.fixture
async def broker(tmp_path: Path) -> AsyncIterator[BusServer]:
    async with running(tmp_path, ["forestry", "water"]) as server:
        yield server


@pytest.fixture
async def sender(broker: BusServer, tmp_path: Path) -> AsyncIterator[MqttSender]:
    password = key_of(tmp_path, AGENCY_PUBLISHER)
    async with MqttSender(broker.address.mqtt_port, user=AGENCY_PUBLISHER, password=password) as opened:
        yield opened


async def mosquitto(tool: str, broker: BusServer, data: Path, agency: str, *more: str) -> tuple[int, str]:
    """Return the exit code and output of a mosquitto client that logs in as an agency."""
    login = ("-u", agency_user(agency), "-P", key_of(data, agency_user(agency)))
    where = ("-h", "127.0.0.1", "-p", str(broker.address.mqtt_port), "-V", "mqttv311")
    process = await asyncio.create_subprocess_exec(
        f"mosquitto_{tool}", *where, *login, *more, stdout=asyncio.subprocess.PIPE
    )
    async with asyncio.timeout(PATIENCE_S):
        out, _ = await process.communicate()
    return process.returncode or 0, out.decode()


async def test_a_client_that_was_away_gets_what_it_missed(
    broker: BusServer, sender: MqttSender, tmp_path: Path
) -> None:
    """A lasting session: subscribe, go away, be told, come back."""
    topic = ("-t", "agencies/forestry/alerts", "-q", "1", "-i", "siren", "-c")
    await mosquitto("sub", broker, tmp_path, "forestry", *topic, "-E")
    assert (await sender.send(leased("mqtt", ""))).error is None
    code, heard = await mosquitto("sub", broker, tmp_path, "forestry", *topic, "-C", "1", "-W", "10")
    assert code == 0
    assert json.loads(heard) == json.loads(BODY)


async def test_an_agency_hears_no_other_and_says_nothing(
    broker: BusServer, sender: MqttSender, tmp_path: Path
) -> None:
    listening = asyncio.create_task(
        mosquitto("sub", broker, tmp_path, "water", "-t", "agencies/#", "-t", "#", "-W", "3")
    )
    await mosquitto("pub", broker, tmp_path, "water", "-t", "agencies/water/alerts", "-m", "forged")
    await mosquitto("pub", broker, tmp_path, "water", "-t", "docks/dock-east/command", "-m", "{}")
    await sender.send(leased("mqtt", ""))
    _, heard = await listening
    assert heard == ""


async def test_a_broker_that_went_away_and_came_back_is_found_again(tmp_path: Path) -> None:
    async with running(tmp_path, ["forestry"]) as first:
        port = first.address.mqtt_port
        sender = MqttSender(port, user=AGENCY_PUBLISHER, password=key_of(tmp_path, AGENCY_PUBLISHER))
        assert (await sender.send(leased("mqtt", ""))).error is None
    async with sender:
        assert "no MQTT broker" in ((await sender.send(leased("mqtt", ""))).error or "")
        async with running(tmp_path, ["forestry"]) as second:
            assert second.address.mqtt_port == port
            assert (await sender.send(leased("mqtt", ""))).error is None
