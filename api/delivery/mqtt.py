"""Alerts over MQTT 3.1.1, for agencies' dashboards and sirens: topic `agencies/AGENCY/alerts`.

The broker is the embedded bus; agencies have an account of their own there, in
which each sees its own topics and may publish nothing (`bus_server.py`). A
message counts as delivered when the broker has it on disk (QoS 1): a client
with a lasting session gets it when it comes back.
"""

import asyncio
import contextlib
from types import TracebackType
from typing import Self
from uuid import uuid4

import aiomqtt

from api.bus_server import HOST
from api.delivery.sender import Outcome
from api.store.outbox import Leased

TIMEOUT_S = 10.0


def topic_of(agency: str) -> str:
    """Return where an agency's alerts are published."""
    return f"agencies/{agency}/alerts"


class MqttSender:
    """Publishes alerts; one connection, opened when first needed and again when lost."""

    def __init__(self, port: int, *, user: str, password: str, host: str = HOST) -> None:
        self._host, self._port = host, port
        self._user, self._password = user, password
        self._turn = asyncio.Lock()
        self._client: aiomqtt.Client | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._hang_up()

    async def send(self, message: Leased) -> Outcome:
        """Return how one try went."""
        try:
            client = await self._connected()
            await client.publish(topic_of(message.agency), message.body, qos=1, timeout=TIMEOUT_S)
        except (aiomqtt.MqttError, OSError, TimeoutError) as error:
            await self._hang_up()
            return Outcome(f"no MQTT broker: {error}")
        return Outcome()

    async def _connected(self) -> aiomqtt.Client:
        async with self._turn:
            if self._client is None:
                client = aiomqtt.Client(
                    self._host,
                    self._port,
                    username=self._user,
                    password=self._password,
                    identifier=f"gridpatrol-alerts-{uuid4().hex[:12]}",
                    timeout=TIMEOUT_S,
                )
                await client.__aenter__()
                self._client = client
            return self._client

    async def _hang_up(self) -> None:
        async with self._turn:
            client, self._client = self._client, None
            if client is not None:
                with contextlib.suppress(aiomqtt.MqttError, OSError, TimeoutError):
                    await client.__aexit__(None, None, None)
