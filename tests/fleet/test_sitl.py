"""Flights on a real ArduCopter: name its SITL binary in GRIDPATROL_SITL.

The binary is started here, fresh for each flight, speaking UDP to a port of the
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
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from fleet.autopilots.ardupilot import ArduCopter
from fleet.carrier import Carrier, listen
from fleet.fly import order_of
from fleet.gateway import DroneLink, Gateway
from fleet.journal import Journal
from fleet.link import Link
from fleet.order import SortieOrder
from missions.clock import ScaledClock, SystemClock
from missions.export import planfile
from missions.geo import Altitude, Datum, LatLon, distance_m, moved
from missions.model import Dock, Drone, Plan, Site, Sortie, Waypoint

BINARY = os.environ.get("GRIDPATROL_SITL", "")
pytestmark = [
    pytest.mark.sitl,
    pytest.mark.slow,
    pytest.mark.skipif(
        not BINARY, reason="flies a real ArduCopter: set GRIDPATROL_SITL to its SITL binary to run it"
    ),
]

SPEED = 10.0
SHOTS = 4
PATIENCE_S = 120.0
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


@pytest.fixture
def order(valley: Site, tmp_path: Path) -> SortieOrder:
    """Return a short sortie to the north-east of the west dock, by way of its plan file."""
    dock = valley.dock("dock-west")
    waypoints = (
        _waypoint(dock, 0.0, shoots=False),
        *(_waypoint(dock, 40.0 * (i + 1), shoots=True) for i in range(SHOTS)),
        _waypoint(dock, 0.0, shoots=False),
    )
    sortie = Sortie("S1", dock.id, "GP-1", waypoints, (), (), 120.0, 20.0, 40.0)
    planfile.write(Plan(valley.id, 1, (sortie,), (), ()), valley, tmp_path / "plan.json")
    return order_of(planfile.read(tmp_path / "plan.json"), "S1", drone="D1")


def _waypoint(dock: Dock, away_m: float, *, shoots: bool) -> Waypoint:
    place = moved(dock.place, 45.0, away_m)
    height = Altitude(dock.elevation_m + 40.0, Datum.AMSL)
    return Waypoint(place, height, 40.0, 12.0, -90.0, shoots)


@pytest.fixture
def vehicle(order: SortieOrder, tmp_path: Path) -> Iterator[str]:
    """Yield the connection to an ArduCopter that has just been switched on in the dock."""
    port, radio_control = _free_port(), _free_port()
    settings = tmp_path / "dock.parm"
    settings.write_text("".join(f"{name} {value}\n" for name, value in SETTINGS.items()))
    home = f"{order.dock.lat_deg},{order.dock.lon_deg},{order.dock.elevation_m},0"
    command = [
        *(BINARY, "--wipe", "--model", "quad", "--home", home, "--speedup", f"{SPEED:g}"),
        *("--defaults", str(settings), "--rc-in-port", str(radio_control)),
        *("--serial0", f"udpclient:127.0.0.1:{port}", "--serial1", "none", "--serial2", "none"),
    ]
    with (tmp_path / "sitl.log").open("wb") as log:
        process = subprocess.Popen(
            command, cwd=tmp_path, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT
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
            await self.news.wait_for(lambda: what() or self.failures())
        assert what(), self.failures()

    async def over(self, sortie: str) -> dict[str, Any]:
        """Return the last event of a sortie."""
        await self.until(lambda: self.told(sortie)[-1:] == ["done"])
        return [e for e in self.events if e["sortie"] == sortie][-1]

    def failures(self) -> list[str]:
        return [e["evidence"] for e in self.events if e["state"] == "failed"]

    def told(self, sortie: str) -> list[str]:
        return [e["state"] for e in self.events if e["sortie"] == sortie]

    def evidence(self, sortie: str, state: str) -> str:
        return " | ".join(e["evidence"] for e in self.events if (e["sortie"], e["state"]) == (sortie, state))


@contextlib.asynccontextmanager
async def region(connect: str, folder: Path):
    """Yield a running gateway's hub and a way to tell it what to do."""
    hub = Hub()
    journal = Journal(folder / "journal.sqlite")
    clock = ScaledClock.starting_now(SystemClock().now(), SPEED)
    drones = [DroneLink(DRONE, connect)]
    gateway = Gateway("valley", drones, docks=None, folder=folder, clock=clock, sink=hub, journal=journal)
    running = asyncio.create_task(gateway.run())

    async def tell(action: str, order: SortieOrder) -> None:
        command = {"id": f"{action}-{order.id}", "action": action, "sortie": order.to_json()}
        reply = await gateway.command(command)
        assert reply["accepted"], reply

    try:
        async with asyncio.timeout(PATIENCE_S):
            await hub.until(lambda: bool(hub.states))
            yield hub, tell
    except TimeoutError:
        raise AssertionError(f"not over: {hub.events} {hub.states[-1:]}") from None
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        journal.close()


async def test_a_mission_is_proven_on_board_and_found_there_again(order, vehicle):
    """Uploaded and read back item by item; the second time the look is enough; then cleared."""
    link = Link(vehicle)
    await link.open()
    carrier = Carrier(link, ArduCopter(), ScaledClock.starting_now(SystemClock().now(), SPEED), system=1)
    tasks = [asyncio.create_task(listen(link, [carrier])), asyncio.create_task(carrier.run())]
    items = carrier.autopilot.mission(order.items, order.dock)
    try:
        async with asyncio.timeout(PATIENCE_S):
            while carrier.state is None or not carrier.state.ready_to_arm:
                await carrier.beat()
            for uploaded in (True, False):
                upload = carrier.start_upload(items)
                while upload.result is None:
                    await carrier.beat()
                assert (upload.result.verified, upload.result.uploaded) == (True, uploaded)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def test_a_sortie_takes_every_picture_and_lands_in_its_dock(order, vehicle, tmp_path):
    """The failsafes and the plan's speeds are set first; home within a metre, by its own position."""
    async with region(vehicle, tmp_path) as (hub, tell):
        await tell("fly", order)
        last = await hub.over("S1")
    assert last["shots"] == {"planned": SHOTS, "taken": SHOTS, "files": 0}
    assert last["landed_from_dock_m"] < 1.0
    assert hub.told("S1") == [
        *("preflight", "uploading", "verified", "armed", "flying", "returning", "landed", "done")
    ]
    changed = hub.evidence("S1", "uploading")
    assert "FS_GCS_ENABLE 0 → 1" in changed
    assert "WPNAV_SPEED_UP 250 → 400" in changed
    assert max(s["speed_m_s"] or 0.0 for s in hub.states) < 12.5


async def test_a_paused_drone_hovers_and_goes_on_where_it_stopped(order, vehicle, tmp_path):
    """It stays in AUTO, holds its height, and no picture is missing in the end."""
    async with region(vehicle, tmp_path) as (hub, tell):
        await tell("fly", order)
        await hub.until(lambda: (hub.states[-1]["above_home_m"] or 0.0) > 30.0)
        await tell("pause", order)
        await hub.until(lambda: "paused" in hub.evidence("S1", "flying"))
        seen = len(hub.states)
        await hub.until(lambda: len(hub.states) >= seen + 6)
        hovering = hub.states[-3:]
        await tell("resume", order)
        last = await hub.over("S1")
    assert {s["mode"] for s in hovering} == {"AUTO"}
    assert max(s["speed_m_s"] for s in hovering) < 1.0
    heights = [s["above_home_m"] for s in hovering]
    assert max(heights) - min(heights) < 1.0
    assert min(heights) > 25.0
    assert last["shots"]["taken"] == SHOTS
    assert last["landed_from_dock_m"] < 1.0


async def test_a_recalled_drone_comes_home_early_and_lands_in_its_dock(order, vehicle, tmp_path):
    """By RTL, with the pictures taken so far."""
    async with region(vehicle, tmp_path) as (hub, tell):
        await tell("fly", order)
        await hub.until(lambda: "flying" in hub.told("S1"))
        await hub.until(lambda: (hub.states[-1]["above_home_m"] or 0.0) > 30.0)
        await tell("recall", order)
        last = await hub.over("S1")
    assert "recalled by a person" in hub.evidence("S1", "returning")
    assert last["shots"]["taken"] < SHOTS
    assert last["landed_from_dock_m"] < 1.0
    assert "RTL" in {s["mode"] for s in hub.states}


async def test_a_restarted_gateway_takes_the_flight_up_and_knows_every_picture(order, vehicle, tmp_path):
    """The drone flies on alone; pictures taken meanwhile are known by the autopilot's numbers."""
    async with region(vehicle, tmp_path) as (hub, tell):
        await tell("fly", order)
        await hub.until(lambda: _away_m(order, hub) > 60.0)
    await asyncio.sleep(8.0 / SPEED)
    async with region(vehicle, tmp_path) as (hub, _):
        last = await hub.over("S1")
    assert "re-attached in AUTO, nothing sent" in hub.evidence("S1", "flying")
    assert last["shots"]["taken"] == SHOTS
    assert last["landed_from_dock_m"] < 1.0


def _away_m(order: SortieOrder, hub: Hub) -> float:
    last = hub.states[-1]
    if last["lat_deg"] is None:
        return 0.0
    return distance_m(LatLon(last["lat_deg"], last["lon_deg"]), order.dock.place)


async def test_the_same_sortie_flies_again_without_an_upload(order, vehicle, tmp_path):
    """The mission of the first flight is read back, equal, and flown from its beginning."""
    again = replace(order, id="S2")
    async with region(vehicle, tmp_path) as (hub, tell):
        await tell("fly", order)
        await hub.over("S1")
        await tell("fly", again)
        second = await hub.over("S2")
    assert "on board already" not in hub.evidence("S1", "verified")
    assert "on board already" in hub.evidence("S2", "verified")
    assert "all parameters right" in hub.evidence("S2", "uploading")
    assert second["shots"]["taken"] == SHOTS
    assert second["landed_from_dock_m"] < 1.0
