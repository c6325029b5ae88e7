"""A dock: a door that takes its time, a charger, and the drones that stand in it.

The machine has no socket: it is fed commands and the time and answers with what
to publish. `DockService` carries it over MQTT 3.1.1:

    docks/<dock>/command   {"id", "action": "open" | "close" | "charge" | "stop_charge", "drone"?}
    docks/<dock>/answer    {"id", "state": "done" | "failed", "reason"?}
    docks/<dock>/state     retained; on change and every ten simulated seconds

A command's id said twice is answered as before and done once.
"""

import asyncio
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Protocol
from urllib.parse import unquote, urlsplit

import aiomqtt

from missions.errors import InputWrong
from missions.model import Dock

DOOR_S = 20.0
TELL_S = 10.0
_FULL = 1.0 - 1e-6
_REMEMBERED = 1000  # answers kept for commands said twice
_POLL_S = 0.02
_AGAIN_S = 1.0

Say = tuple[str, dict[str, Any], bool]  # topic, body, retained


class Guest(Protocol):
    """A drone as its dock sees it."""

    id: str

    @property
    def inside(self) -> bool:
        """Whether it stands on the dock's pad."""
        ...

    @property
    def in_doorway(self) -> bool:
        """Whether it hovers so close above that a moving door would hit it."""
        ...

    @property
    def charge_share(self) -> float: ...

    def charge(self, dt_s: float, full_s: float) -> None:
        """Charge for `dt_s` with a charger that fills an empty battery in `full_s`."""
        ...

    def shut_in(self, shut: bool) -> None:
        """Let the lid hold the drone down, or free it."""
        ...


@dataclass(slots=True)
class DockMachine:
    """One dock's door and charger."""

    dock: Dock
    guests: Sequence[Guest]
    wind_m_s: Callable[[], float]
    door: str = "closed"
    stuck: bool = False  # a fault: the door stops where it is when it next moves
    silent: bool = False  # a fault: it hears and says nothing
    wind_reads_m_s: float | None = None  # a fault: what the anemometer says instead
    rain_mm_h: float = 0.0
    charging: set[str] = field(default_factory=set)
    stuck_open: bool = False  # where a stuck door stands: a drone can pass, or cannot
    _moves_until_s: float = 0.0
    _waiting: list[str] = field(default_factory=list)  # ids answered when the door has moved
    _answers: dict[str, dict[str, Any] | None] = field(default_factory=dict)
    _told: dict[str, Any] = field(default_factory=dict)
    _told_s: float = float("-inf")
    _now_s: float | None = None

    def command(self, body: Any, now_s: float) -> list[Say]:
        """Take a command and return what to publish at once."""
        if self.silent:
            return []
        command_id = body.get("id") if isinstance(body, dict) else None
        if not isinstance(command_id, str) or not command_id:
            return []
        if command_id in self._answers:
            before = self._answers[command_id]
            return [self._say_answer(before)] if before else []
        self._remember(command_id)
        reason = self._begin(command_id, body.get("action"), body.get("drone"), now_s)
        if reason is None and command_id in self._waiting:
            return self._news(now_s)
        return [self._answer(command_id, reason), *self._news(now_s)]

    def tick(self, now_s: float) -> list[Say]:
        """Move door and charge on to `now_s` and return what to publish."""
        dt_s = 0.0 if self._now_s is None else now_s - self._now_s
        self._now_s = now_s
        said = self._move_door(now_s)
        self._charge(dt_s)
        for guest in self.guests:
            guest.shut_in(self.door != "open" and not (self.door == "stuck" and self.stuck_open))
        return [] if self.silent else said + self._news(now_s)

    def jam(self, door: str) -> None:
        """Let the door stick: as it is when it next moves, or at once open or shut."""
        self.stuck = True
        if door != "as_it_is":
            self.door = "stuck"
            self.stuck_open = door == "open"

    def free(self) -> None:
        """Let a stuck door move again; it is where it stuck."""
        self.stuck = False
        if self.door == "stuck":
            self.door = "open" if self.stuck_open else "closed"

    def state(self, now_s: float) -> dict[str, Any]:
        """Return what the dock says of itself."""
        return {
            "dock": self.dock.id,
            "door": self.door,
            "charger": "on" if self.charging else "off",
            "drones_in": [g.id for g in self.guests if g.inside],
            "wind_m_s": round(self.wind_m_s() if self.wind_reads_m_s is None else self.wind_reads_m_s, 1),
            "rain_mm_h": self.rain_mm_h,
            "at": datetime.fromtimestamp(now_s, UTC).isoformat(),
        }

    def _begin(self, command_id: str, action: Any, drone: Any, now_s: float) -> str | None:
        """Start an action; return why not, or None. An id left waiting is answered later."""
        match action:
            case "open" | "close":
                return self._begin_door(command_id, str(action), now_s)
            case "charge":
                return self._begin_charge(drone)
            case "stop_charge":
                self.charging.difference_update({drone} if drone else set(self.charging))
                return None
        return f"unknown action {action!r}: expected open, close, charge or stop_charge"

    def _begin_door(self, command_id: str, action: str, now_s: float) -> str | None:
        moving, ends = ("opening", "open") if action == "open" else ("closing", "closed")
        if self.door == ends:
            return None
        if self.door == "stuck":
            return "the door is stuck"
        if action == "close" and any(g.in_doorway for g in self.guests):
            return "a drone is in the doorway"
        if self.door != moving:
            travelled = DOOR_S if self.door in ("open", "closed") else DOOR_S - self._left_s(now_s)
            self._refuse_waiting = list(self._waiting)
            self.door, self._moves_until_s = moving, now_s + travelled
        self._waiting.append(command_id)
        return None

    _refuse_waiting: list[str] = field(default_factory=list)

    def _begin_charge(self, drone: Any) -> str | None:
        inside = {g.id for g in self.guests if g.inside}
        wanted = {drone} if drone else inside
        if not wanted or not wanted <= inside:
            return f"drone {drone} is not in the dock" if drone else "no drone is in the dock"
        self.charging |= wanted
        return None

    def _move_door(self, now_s: float) -> list[Say]:
        said = [self._answer(i, "another command turned the door") for i in self._refuse_waiting]
        self._waiting = [i for i in self._waiting if i not in self._refuse_waiting]
        self._refuse_waiting = []
        if self.door not in ("opening", "closing"):
            return said
        if self.stuck:
            self.stuck_open = self.door == "closing"
            self.door = "stuck"
        elif now_s >= self._moves_until_s:
            self.door = "open" if self.door == "opening" else "closed"
        else:
            return said
        reason = "the door is stuck" if self.door == "stuck" else None
        said += [self._answer(i, reason) for i in self._waiting]
        self._waiting = []
        return said

    def _left_s(self, now_s: float) -> float:
        return max(0.0, self._moves_until_s - now_s)

    def _charge(self, dt_s: float) -> None:
        for guest in self.guests:
            if guest.id not in self.charging:
                continue
            if guest.inside:
                guest.charge(dt_s, self.dock.charge_s)
            if not guest.inside or guest.charge_share >= _FULL:
                self.charging.discard(guest.id)

    def _news(self, now_s: float) -> list[Say]:
        state = self.state(now_s)
        steady = {k: v for k, v in state.items() if k not in ("at", "wind_m_s")}
        if steady == self._told and now_s - self._told_s < TELL_S:
            return []
        self._told, self._told_s = steady, now_s
        return [(f"docks/{self.dock.id}/state", state, True)]

    def _answer(self, command_id: str, reason: str | None) -> Say:
        body = {"id": command_id, "state": "done"}
        if reason is not None:
            body = {"id": command_id, "state": "failed", "reason": reason}
        self._answers[command_id] = body
        return self._say_answer(body)

    def _say_answer(self, body: dict[str, Any]) -> Say:
        return f"docks/{self.dock.id}/answer", body, False

    def _remember(self, command_id: str) -> None:
        self._answers[command_id] = None
        if len(self._answers) > _REMEMBERED:
            self._answers.pop(next(iter(self._answers)))


class DockService:
    """All docks of a simulation over one MQTT connection, which it makes again when it breaks."""

    def __init__(self, docks: Sequence[DockMachine], url: str, now_s: Callable[[], float]) -> None:
        self._docks = {d.dock.id: d for d in docks}
        self._options = mqtt_options(url)
        self._now_s = now_s
        self.connected = asyncio.Event()

    async def run(self) -> None:
        """Serve the docks until cancelled."""
        while True:
            try:
                async with aiomqtt.Client(**self._options) as client, asyncio.TaskGroup() as group:
                    await client.subscribe("docks/+/command", qos=1)
                    for dock in self._docks.values():
                        await self._publish(client, [_state_of(dock, self._now_s())])
                    self.connected.set()
                    group.create_task(self._listen(client))
                    group.create_task(self._live(client))
            except* aiomqtt.MqttError:
                self.connected.clear()
            await self._wait_again()

    async def _wait_again(self) -> None:
        """Wait before the next try; the docks live on meanwhile, unheard."""
        for dock in self._docks.values():
            dock.tick(self._now_s())
        await asyncio.sleep(_AGAIN_S)

    async def _listen(self, client: aiomqtt.Client) -> None:
        async for message in client.messages:
            dock = self._docks.get(str(message.topic).split("/")[1])
            if dock is None or not isinstance(message.payload, bytes | bytearray):
                continue
            try:
                body = json.loads(message.payload)
            except ValueError:
                continue
            await self._publish(client, dock.command(body, self._now_s()))

    async def _live(self, client: aiomqtt.Client) -> None:
        while True:
            for dock in self._docks.values():
                await self._publish(client, dock.tick(self._now_s()))
            await asyncio.sleep(_POLL_S)  # the door and the battery move by the clock, not by events

    async def _publish(self, client: aiomqtt.Client, said: list[Say]) -> None:
        for topic, body, retained in said:
            await client.publish(topic, json.dumps(body), qos=1, retain=retained)


def mqtt_options(url: str) -> dict[str, Any]:
    """Return what `mqtt://user:password@host:port` says, as the client takes it.

    Raises:
        InputWrong: it is no such address.
    """
    parts = urlsplit(url)
    try:
        port = parts.port or 1883
    except ValueError:
        port = 0
    if parts.scheme != "mqtt" or not parts.hostname or not port:
        raise InputWrong(f"--mqtt: found {url!r}, expected mqtt://user:password@host:port")
    options: dict[str, Any] = {"hostname": parts.hostname, "port": port}
    if parts.username:
        options["username"] = unquote(parts.username)
        options["password"] = unquote(parts.password or "")
    return options


def _state_of(dock: DockMachine, now_s: float) -> Say:
    return f"docks/{dock.dock.id}/state", dock.state(now_s), True
