"""Docks over MQTT 3.1.1, the protocol our simulated dock speaks.

    docks/<dock>/command  {"id", "action": open|close|charge|stop_charge, "drone"?}
    docks/<dock>/answer   {"id", "state": done|failed, "reason"?}
    docks/<dock>/state    retained: {"dock", "door", "charger", "drones_in", "wind_m_s", "rain_mm_h", "at"}

A command is repeated with the same id until it is answered, so a dock that
hears it twice does it once. The broker may go away and come back.
"""

import asyncio
import json
import time
import uuid
from typing import Any
from urllib.parse import unquote, urlsplit

import aiomqtt
import structlog

from fleet.docks import DockAction, DockState
from fleet.errors import DockFailed
from missions.clock import Clock
from missions.errors import InputWrong

ANSWER_S = 60.0  # simulated: a door takes 20
REPEAT_S = 10.0
_FIRST_PAUSE_S = 0.2
_LONGEST_PAUSE_S = 5.0
_log = structlog.get_logger()


class MqttDocks:
    """All docks behind one broker; `url` is mqtt://user:password@host:port."""

    def __init__(self, url: str, clock: Clock, *, name: str = "gateway") -> None:
        parts = urlsplit(url)
        if parts.scheme != "mqtt" or not parts.hostname:
            raise InputWrong(
                f"dock broker {parts.hostname or url!r}: expected mqtt://user:password@host:port"
            )
        self._host = parts.hostname
        self._port = parts.port or 1883
        self._user = unquote(parts.username) if parts.username else None
        self._password = unquote(parts.password) if parts.password else None
        # A broker drops an older session of the same id, so each process has its own.
        self._identifier = f"{name}-{uuid.uuid4().hex[:8]}"
        self._clock = clock
        self._client: aiomqtt.Client | None = None
        self._states: dict[str, DockState] = {}
        self._answers: dict[str, asyncio.Future[dict[str, Any]]] = {}

    def state(self, dock: str) -> DockState | None:
        return self._states.get(dock)

    async def run(self) -> None:
        """Listen until cancelled, connecting again whenever the broker goes away."""
        pause_s = _FIRST_PAUSE_S
        while True:
            try:
                async with self._connection() as client:
                    await client.subscribe("docks/+/state", qos=1)
                    await client.subscribe("docks/+/answer", qos=1)
                    self._client = client
                    pause_s = _FIRST_PAUSE_S
                    async for message in client.messages:
                        self._hear(str(message.topic), message.payload)
            except aiomqtt.MqttError as error:
                _log.warning("dock broker away", error=str(error), again_in_s=pause_s)
            finally:
                self._client = None
            await asyncio.sleep(pause_s)
            pause_s = min(_LONGEST_PAUSE_S, pause_s * 2)

    async def tell(self, dock: str, action: DockAction, drone: str | None = None) -> None:
        command_id = str(uuid.uuid4())
        body = {"id": command_id, "action": str(action)} | ({"drone": drone} if drone else {})
        answer: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        self._answers[command_id] = answer
        try:
            said = await self._ask(dock, action, json.dumps(body), answer)
        finally:
            del self._answers[command_id]
        if said.get("state") != "done":
            raise DockFailed(dock, action, str(said.get("reason") or "it gave no reason"))

    async def _ask(
        self, dock: str, action: DockAction, body: str, answer: asyncio.Future[dict[str, Any]]
    ) -> dict[str, Any]:
        for _ in range(int(ANSWER_S / REPEAT_S)):
            await self._publish(f"docks/{dock}/command", body)
            try:
                async with asyncio.timeout(REPEAT_S / self._clock.speed):
                    return await asyncio.shield(answer)
            except TimeoutError:
                continue
        raise DockFailed(dock, action, f"no answer within {ANSWER_S:.0f} s")

    async def _publish(self, topic: str, body: str) -> None:
        if self._client is None:
            return  # not connected: the repeat will find it
        try:
            await self._client.publish(topic, body, qos=1)
        except aiomqtt.MqttError as error:
            _log.warning("dock command not sent", topic=topic, error=str(error))

    def _connection(self) -> aiomqtt.Client:
        return aiomqtt.Client(
            self._host,
            self._port,
            username=self._user,
            password=self._password,
            identifier=self._identifier,
            protocol=aiomqtt.ProtocolVersion.V311,
        )

    def _hear(self, topic: str, payload: Any) -> None:
        _, dock, kind = topic.split("/", 2)
        try:
            body = json.loads(payload)
            if kind == "state":
                self._states[dock] = _state(dock, body, self._now())
            elif kind == "answer":
                self._take_answer(body)
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            _log.warning("unreadable word of a dock", topic=topic, error=repr(error))

    def _take_answer(self, body: dict[str, Any]) -> None:
        waiting = self._answers.get(str(body["id"]))
        if waiting is not None and not waiting.done() and body.get("state") in ("done", "failed"):
            waiting.set_result(body)

    def _now(self) -> float:
        return time.monotonic() * self._clock.speed


def _state(dock: str, body: dict[str, Any], now: float) -> DockState:
    return DockState(
        dock=dock,
        door=str(body["door"]),
        charger=str(body.get("charger", "off")),
        drones_in=None if body.get("drones_in") is None else tuple(map(str, body["drones_in"])),
        wind_m_s=_number(body.get("wind_m_s")),
        rain_mm_h=_number(body.get("rain_mm_h")),
        heard_s=now,
    )


def _number(value: Any) -> float | None:
    return None if value is None else float(value)
