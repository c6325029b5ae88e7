"""A real ArduCopter for one flight, and a hub that hears what a gateway tells of it.

The binary is started fresh for each flight, speaking UDP to a port of the
loopback that this process holds. The vehicle is set up as one that lives in a
dock: no radio control, a camera the autopilot triggers, a 500 Wh battery.
"""

import asyncio
import contextlib
import os
import signal
import socket
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fleet.gateway import DroneLink, Gateway
from fleet.journal import Journal
from fleet.order import SortieOrder
from missions.clock import ScaledClock, SystemClock
from missions.geo import LatLon, distance_m
from missions.model import Drone
from missions.terrain import Terrain

BINARY = os.environ.get("GRIDPATROL_SITL", "")
SPEED = 5.0
PATIENCE_S = 200.0
DRONE = Drone("D1", "GP-1", "dock-west", 1)

# What calibration and the airframe's maker would have set; the gateway's own profile is not here.
SETTINGS = {
    "FRAME_CLASS": 1,
    "CAM1_TYPE": 1,
    "BATT_MONITOR": 4,
    "BATT_CAPACITY": 39700,
    "SIM_BATT_CAP_AH": 39.7,
    "SIM_RC_FAIL": 1,
    "FS_THR_ENABLE": 0,
    **{f"INS_{sensor}OFFS_{axis}": 0.001 for sensor in ("ACC", "ACC2") for axis in "XYZ"},
    **{
        f"COMPASS_OFS{compass}_{axis}": offset
        for compass in ("", "2", "3")
        for axis, offset in zip("XYZ", (5, 13, -18), strict=True)
    },
}


@contextlib.contextmanager
def copter(
    order: SortieOrder, folder: Path, *, speed: float = SPEED, settings: dict[str, float] | None = None
) -> Iterator[str]:
    """Yield the connection to an ArduCopter that has just been switched on in the order's dock."""
    port, radio_control = _free_port(), _free_port()
    defaults = folder / "dock.parm"
    defaults.write_text("".join(f"{name} {value}\n" for name, value in (SETTINGS | (settings or {})).items()))
    home = f"{order.dock.lat_deg},{order.dock.lon_deg},{order.dock.elevation_m},0"
    command = [
        *(BINARY, "--wipe", "--model", "quad", "--home", home, "--speedup", f"{speed:g}"),
        *("--defaults", str(defaults), "--rc-in-port", str(radio_control)),
        *("--serial0", f"udpclient:127.0.0.1:{port}", "--serial1", "none", "--serial2", "none"),
    ]
    with (folder / "sitl.log").open("wb") as log:
        process = subprocess.Popen(
            command, cwd=folder, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT
        )
        try:
            yield f"udpin:127.0.0.1:{port}"
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(5)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Radio(asyncio.DatagramProtocol):
    """Carries datagrams between a vehicle and a ground station, unless it is silent."""

    def __init__(self, ground: tuple[str, int]) -> None:
        self.silent = False
        self._ground = ground
        self._vehicle: Any = None
        self._transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment]

    def datagram_received(self, data: bytes, addr: Any) -> None:
        to = self._vehicle if addr == self._ground else self._ground
        if addr != self._ground:
            self._vehicle = addr
        if to is not None and not self.silent and self._transport is not None:
            self._transport.sendto(data, to)


@contextlib.asynccontextmanager
async def radio(vehicle: str):
    """Yield a radio at the place where a vehicle sends to, and where to listen behind it."""
    behind = _free_port()
    port = int(vehicle.rpartition(":")[2])
    transport, carries = await asyncio.get_running_loop().create_datagram_endpoint(
        lambda: Radio(("127.0.0.1", behind)), local_addr=("127.0.0.1", port)
    )
    try:
        yield carries, f"udpin:127.0.0.1:{behind}"
    finally:
        transport.close()


@dataclass
class Hub:
    """Takes a gateway's news and wakes whoever waits for some of them."""

    events: list[dict[str, Any]] = field(default_factory=list)
    states: list[dict[str, Any]] = field(default_factory=list)
    news: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def telemetry(self, drone_id: str, state: dict[str, Any]) -> None:
        await self._note(self.states, state)

    async def dock(self, dock_id: str, state: dict[str, Any]) -> None:
        """There is no dock here."""

    async def sortie(self, event: dict[str, Any]) -> None:
        await self._note(self.events, event)

    async def frame(self, meta: dict[str, Any], path: Path) -> None:
        raise AssertionError("this camera gives no files")

    async def _note(self, notes: list[dict[str, Any]], note: dict[str, Any]) -> None:
        async with self.news:
            notes.append(note)
            self.news.notify_all()

    async def until(self, what: Callable[[], bool]) -> None:
        """Wait for news that make it so; a sortie that fails ends the waiting."""
        async with self.news:
            await self.news.wait_for(lambda: what() or bool(self.failures()))
        assert what(), self.failures()

    async def over(self, sortie: str) -> dict[str, Any]:
        """Return the last event of a sortie that went well."""
        await self.until(lambda: self.told(sortie)[-1:] == ["done"])
        return [e for e in self.events if e["sortie"] == sortie][-1]

    async def failed(self, sortie: str) -> dict[str, Any]:
        """Return the last event of a sortie that did not."""
        async with self.news:
            await self.news.wait_for(lambda: self.told(sortie)[-1:] in (["failed"], ["done"]))
        assert self.told(sortie)[-1] == "failed"
        return [e for e in self.events if e["sortie"] == sortie][-1]

    def failures(self) -> list[str]:
        return [e["evidence"] for e in self.events if e["state"] == "failed"]

    def told(self, sortie: str) -> list[str]:
        return [e["state"] for e in self.events if e["sortie"] == sortie]

    def evidence(self, sortie: str, state: str) -> str:
        return " | ".join(e["evidence"] for e in self.events if (e["sortie"], e["state"]) == (sortie, state))

    @property
    def height_m(self) -> float:
        """How high above its dock the drone was last told to be."""
        return (self.states[-1]["above_home_m"] or 0.0) if self.states else 0.0

    def away_m(self, place: LatLon) -> float:
        """Return how far from a place the drone was last told to be."""
        last = self.states[-1]
        return 0.0 if last["lat_deg"] is None else distance_m(LatLon(last["lat_deg"], last["lon_deg"]), place)


@dataclass
class Region:
    """A running gateway with one drone."""

    gateway: Gateway
    hub: Hub

    async def tell(self, action: str, order: SortieOrder, **more: Any) -> None:
        """Give a command that must be accepted."""
        command = {"id": f"{action}-{order.id}", "action": action, "sortie": order.to_json(), **more}
        reply = await self.gateway.command(command)
        assert reply["accepted"], reply


@contextlib.asynccontextmanager
async def region(connect: str, folder: Path, *, speed: float = SPEED, terrain: Terrain | None = None):
    """Yield a running gateway and what it tells, once the drone is heard."""
    hub = Hub()
    journal = Journal(folder / "journal.sqlite")
    clock = ScaledClock.starting_now(SystemClock().now(), speed)
    gateway = Gateway(
        "valley",
        [DroneLink(DRONE, connect)],
        docks=None,
        folder=folder,
        clock=clock,
        sink=hub,
        journal=journal,
        terrain=terrain,
    )
    running = asyncio.create_task(gateway.run())
    try:
        async with asyncio.timeout(PATIENCE_S):
            await hub.until(lambda: bool(hub.states))
            yield Region(gateway, hub)
    except TimeoutError:
        raise AssertionError(f"not over: {hub.events} {hub.states[-1:]}") from None
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        journal.close()
