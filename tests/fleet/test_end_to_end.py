"""Real flights: the simulator as a process of its own, met over MAVLink, HTTP and MQTT."""

import asyncio
import contextlib
import itertools
import json
import os
import random
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from fleet.docks.mqtt import MqttDocks
from fleet.fly import order_of
from fleet.gateway import DroneLink, Gateway
from fleet.journal import Journal
from fleet.recorder import packets
from missions.clock import ScaledClock, SystemClock
from missions.export import planfile
from missions.geo import Altitude, Datum, moved
from missions.model import Plan, Sortie, Waypoint
from missions.planner import plan as plan_of
from missions.program import main
from missions.site import load_site
from missions.terrain import Terrain
from missions.view import View

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
SITE = ROOT / "examples" / "valley" / "site.yaml"
PROGRAM = (sys.executable, "-m", "missions.program")
SPEED = 20.0
SHOTS = 4
PATIENCE_S = 60.0


@pytest.fixture(scope="module")
def plan(tmp_path_factory):
    """Return a plan of one short sortie from the west dock, and its file."""
    site = load_site(SITE)
    dock = site.dock("dock-west")

    def waypoint(east_m: float, *, shoots: bool) -> Waypoint:
        place = moved(dock.place, 90.0, east_m)
        height = Altitude(dock.elevation_m + 60.0, Datum.AMSL)
        return Waypoint(place, height, 60.0, 12.0, -90.0, shoots)

    waypoints = (
        waypoint(0.0, shoots=False),
        *(waypoint(60.0 * (i + 1), shoots=True) for i in range(SHOTS)),
        waypoint(0.0, shoots=False),
    )
    sortie = Sortie("S1", dock.id, "GP-1", waypoints, (), (), 120.0, 20.0, 40.0)
    path = tmp_path_factory.mktemp("plan") / "plan.json"
    planfile.write(Plan(site.id, 1, (sortie,), (), ()), site, path)
    return path


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def simulator(*arguments: str):
    """Yield what a simulator of one drone says of itself; it is stopped on the way out."""
    command = [*PROGRAM, "sim", "--json", "--drones", "1", "--mavlink-port", "0"]
    process = subprocess.Popen(
        [*command, "--speed", f"{SPEED:g}", *arguments], stdout=subprocess.PIPE, text=True, cwd=ROOT
    )
    try:
        yield json.loads(process.stdout.readline())
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(20)
        process.stdout.close()


@pytest.fixture(scope="module")
def sim():
    with simulator() as described:
        yield described


def flying(plan: Path, sim: dict, *arguments: str, connect: str = "") -> list[str]:
    connect = connect or sim["drones"][0]["connect"]
    clock = ("--speed", f"{SPEED:g}", "--json")
    return [*PROGRAM, "fly", str(plan), "--sortie", "S1", "--connect", connect, *clock, *arguments]


def run(command: list[str]) -> tuple[int, dict, str]:
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_S, cwd=ROOT)
    return done.returncode, json.loads(done.stdout) if done.stdout else {}, done.stderr


def checked_when_settled(plan: Path, sim: dict) -> tuple[int, dict]:
    """Return what the check says once the drone has its position.

    Until 42 simulated seconds after switching on it rightly says "wait", and a
    check takes about as long: two seconds at this speed.
    """
    for _ in range(5):
        code, checked, _ = run(flying(plan, sim, "--check"))
        if not any("position" in finding["what"] for finding in checked["findings"]):
            break
    return code, checked


def test_a_sortie_is_checked_and_flown_and_each_picture_is_the_one_planned(plan, sim, tmp_path):
    """Verified, landed in the dock, both cameras' files matched to their shots."""
    code, checked = checked_when_settled(plan, sim)
    assert (code, checked["ready"]) == (0, True), checked
    assert any("FS_GCS_ENABLE" in c for c in checked["changes"])

    code, first, told = run(flying(plan, sim, "--out", str(tmp_path / "a")))
    assert code == 0, told
    assert first["verified"]
    assert first["uploaded"] == first["items"] == first["reached"] + 1
    assert first["shots"] == {"planned": SHOTS, "taken": SHOTS, "files": 2 * SHOTS}
    assert first["landed"]
    assert first["landed_from_dock_m"] < 5
    assert 0.5 < first["reserve"] <= 1.0
    assert len(list(packets(Path(first["tlog"])))) > 200
    assert len(list((tmp_path / "a" / "pictures").iterdir())) == 2 * SHOTS
    assert "waiting for the drone to be ready (usually 45 s" in told

    with sqlite(tmp_path / "a" / "journal.sqlite") as rows:
        metas = [json.loads(meta) for (meta,) in rows.execute("SELECT meta FROM frames")]
    assert sorted((m["shot"], m["sensor"]) for m in metas) == [
        (shot, sensor) for shot in range(SHOTS) for sensor in ("rgb", "thermal")
    ]
    east = [m["pose"]["lon_deg"] for m in sorted(metas, key=lambda m: m["shot"])]
    assert all(b - a > -1e-4 for a, b in itertools.pairwise(east))


def test_a_look_from_beside_is_taken_turned_to_its_bearing_behind_the_fence_of_its_plan(sim, tmp_path):
    """The picture says where the camera looked: along the bearing that was asked for."""
    site = load_site(SITE)
    dock = site.dock("dock-west")
    asked = replace(
        site.demands[0],
        where=moved(dock.place, 60.0, 150.0),
        height_m=60.0,
        view=View(25.0, heading_deg=135.0, dwell_s=8.0),
    )
    site = replace(site, demands=(asked,))
    made = plan_of(site, terrain=Terrain.open(site.terrain), iterations=10)
    (look,) = made.sorties[0].shots
    planfile.write(made, site, tmp_path / "plan.json")
    code, result, told = run(flying(tmp_path / "plan.json", sim, "--out", str(tmp_path / "a")))
    assert code == 0, told
    assert "a fence of 1, 1 rally points" in told, told
    assert result["shots"]["taken"] == 1
    with sqlite(tmp_path / "a" / "journal.sqlite") as rows:
        metas = [json.loads(meta) for (meta,) in rows.execute("SELECT meta FROM frames")]
    assert metas
    for pose in (meta["pose"] for meta in metas):
        assert abs((pose["heading_deg"] - 135.0 + 180) % 360 - 180) < 8.0
        assert abs(pose["pitch_deg"] - look.pitch_deg) < 4.0


def test_a_killed_gateway_takes_up_the_flight_without_upload_or_start(plan, sim, tmp_path):
    """kill -9 in the air: the drone flies on, the same command finds it again.

    Over UDP, and with the plan of the flight before still on board.
    """
    udp = sim["drones"][0]["connect"].replace("tcp:", "udpout:")
    command = flying(plan, sim, "--out", str(tmp_path), connect=udp)
    first = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT)
    for line in first.stderr:
        if " flying: " in line:
            break
    time.sleep(0.3)
    first.kill()
    first.communicate()
    before = len(list(packets(tmp_path / "flights" / "S1.tlog")))

    code, result, told = run(command)
    assert code == 0, told
    assert "taking it up, nothing is sent again" in told
    assert result["landed"]
    assert result["uploaded"] == 0
    assert result["shots"]["taken"] == SHOTS
    assert result["shots"]["files"] == 2 * SHOTS
    sent = [p for _, p in list(packets(tmp_path / "flights" / "S1.tlog"))[before:] if p[5] == 255]
    ids = {int.from_bytes(p[7:10], "little") for p in sent}
    assert not ids & {44, 45, 73, 23}, "a mission count, clear, item or parameter was sent"
    orders = [_command(p) for p in sent if int.from_bytes(p[7:10], "little") == 76]
    assert not {400, 300, 176} & set(orders), "arming, start or a mode was ordered"


def test_interrupt_without_a_terminal_recalls_the_drone(plan, sim, tmp_path):
    """It comes home early, and the command ends when it has landed."""
    command = flying(plan, sim, "--out", str(tmp_path))
    process = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )
    for line in process.stderr:
        if " flying: " in line:
            break
    process.send_signal(signal.SIGINT)
    out, told = process.communicate(timeout=PATIENCE_S)
    assert "returning: recalled by a person" in told, told
    result = json.loads(out)
    assert result["landed"]
    assert result["landed_from_dock_m"] < 5


def test_a_radio_that_loses_a_tenth_of_all_packets_loses_no_picture(plan, sim, tmp_path):
    """Each way: upload, commands and picture records are all brought through."""
    _, _, vehicle = sim["drones"][0]["connect"].rpartition(":")
    with lossy_radio(int(vehicle), loss=0.1) as port:
        code, result, told = run(
            flying(plan, sim, "--out", str(tmp_path), connect=f"udpout:127.0.0.1:{port}")
        )
    assert code == 0, told
    assert result["verified"]
    assert result["shots"] == {"planned": SHOTS, "taken": SHOTS, "files": 2 * SHOTS}


@contextlib.contextmanager
def lossy_radio(vehicle: int, *, loss: float):
    """Yield a UDP port that leads to the vehicle's and loses packets each way, from a thread."""
    rng = random.Random(1)
    ground_side, air_side = (socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2))
    ground_side.bind(("127.0.0.1", 0))
    air_side.connect(("127.0.0.1", vehicle))
    stop = threading.Event()

    def carry() -> None:
        ground = None
        while not stop.is_set():
            for ready in select.select([ground_side, air_side], [], [], 0.1)[0]:
                with contextlib.suppress(ConnectionRefusedError):
                    data, sender = ready.recvfrom(65536)
                    ground = sender if ready is ground_side else ground
                    if rng.random() < loss:
                        continue
                    if ready is ground_side:
                        air_side.send(data)
                    elif ground is not None:
                        ground_side.sendto(data, ground)

    thread = threading.Thread(target=carry)
    thread.start()
    try:
        yield ground_side.getsockname()[1]
    finally:
        stop.set()
        thread.join()
        ground_side.close()
        air_side.close()


@pytest.mark.parametrize(
    ("connect", "code", "words"),
    [("tcp:127.0.0.1:9", 1, "nothing listens there"), ("drone", 2, "is not a kind of link")],
)
def test_a_wrong_connection_is_said_plainly(plan, tmp_path, capsys, connect, code, words):
    """Exit codes 1 and 2, one sentence each."""
    arguments = ["fly", str(plan), "--sortie", "S1", "--connect", connect, "--out", str(tmp_path)]
    assert main(arguments) == code
    assert words in capsys.readouterr().err


async def test_a_gateway_flies_from_door_to_door(plan, tmp_path):
    """With a real broker and the simulated dock: the door opens and closes, the charger starts."""
    port = free_port()
    async with broker(tmp_path, port):
        with simulator("--mqtt", f"mqtt://127.0.0.1:{port}") as sim:
            await _door_to_door(plan, sim, port, tmp_path)


async def _door_to_door(plan: Path, sim: dict, port: int, folder: Path) -> None:
    clock = ScaledClock.starting_now(SystemClock().now(), SPEED)
    file = planfile.read(plan)
    drone = next(d for d in file.drones if d.id == "D1")
    docks = MqttDocks(f"mqtt://127.0.0.1:{port}", clock)
    sink = Sink()
    journal = Journal(folder / "journal.sqlite")
    gateway = Gateway(
        "valley",
        [DroneLink(drone, sim["drones"][0]["connect"])],
        docks=docks,
        folder=folder,
        clock=clock,
        sink=sink,
        journal=journal,
    )
    running = asyncio.create_task(gateway.run())
    try:
        async with asyncio.timeout(PATIENCE_S):
            await sink.heard.wait()
            body = {"id": "c1", "action": "fly", "sortie": order_of(file, "S1", drone="D1").to_json()}
            assert await gateway.command(body) == {"id": "c1", "accepted": True, "reason": None}
            assert await gateway.command(body) == {"id": "c1", "accepted": True, "reason": None}
            busy = await gateway.command(body | {"id": "c2"})
            assert not busy["accepted"]
            await sink.over.wait()
            await gateway.settled()
    except TimeoutError:
        if running.done():
            running.result()
        raise AssertionError(f"not over: {sink.events} {sink.docks[-1:]} {sink.states}") from None
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        journal.close()
    assert [e["state"] for e in sink.events if e["state"] != "landed"] == [
        "preflight",
        "door_open",
        "uploading",
        "verified",
        "armed",
        "flying",
        "returning",
        "door_closed",
        "done",
    ]
    assert sink.events[-1]["shots"] == {"planned": SHOTS, "taken": SHOTS, "files": 2 * SHOTS}
    assert len(sink.frames) == 2 * SHOTS
    assert sink.refused == 1
    assert {d["door"] for d in sink.docks} >= {"closed", "open"}
    assert {"preflight", "flying"} <= sink.states


class Sink:
    """A hub that refuses its first frame, as one that is just being restarted."""

    def __init__(self) -> None:
        self.events: list[dict] = []
        self.frames: dict[str, dict] = {}
        self.docks: list[dict] = []
        self.states: set[str] = set()
        self.refused = 0
        self.heard = asyncio.Event()
        self.over = asyncio.Event()

    async def telemetry(self, drone_id, state):
        self.states.add(state["state"])
        if state["lat_deg"] is not None:
            self.heard.set()

    async def dock(self, dock_id, state):
        self.docks.append(state)

    async def sortie(self, event):
        self.events.append(event)
        if event["state"] in ("done", "failed"):
            self.over.set()

    async def frame(self, meta, path):
        if not self.refused:
            self.refused = 1
            raise httpx.ConnectError("the hub is down")
        assert path.stat().st_size == meta["bytes"]
        self.frames[meta["id"]] = meta


@contextlib.asynccontextmanager
async def broker(folder: Path, port: int):
    """Run the NATS server as a plain MQTT broker."""
    program = Path(sys.executable).with_name("nats-server")
    if not os.access(program, os.X_OK):
        pytest.skip("no nats-server beside this Python")
    settings = {
        "server_name": "test",
        "listen": f"127.0.0.1:{free_port()}",
        "jetstream": {"store_dir": str(folder / "jetstream")},
        "mqtt": {"listen": f"127.0.0.1:{port}"},
    }
    (folder / "nats.conf").write_text(json.dumps(settings))
    process = await asyncio.create_subprocess_exec(
        program, "-c", folder / "nats.conf", stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        for _ in range(100):
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 0.1):
                break
            await asyncio.sleep(0.1)
        yield
    finally:
        process.terminate()
        await process.wait()


@contextlib.contextmanager
def sqlite(path: Path):
    import sqlite3

    connection = sqlite3.connect(path)
    try:
        yield connection
    finally:
        connection.close()


def _command(packet: bytes) -> int:
    """Return the number of a COMMAND_LONG; MAVLink 2 leaves trailing zeros off."""
    payload = packet[10 : 10 + packet[1]].ljust(33, b"\0")
    return int.from_bytes(payload[28:30], "little")


def test_a_drone_that_is_not_ready_makes_the_check_exit_with_1(plan):
    """What listens there says nothing, so nobody can say that it may fly."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        connect = f"tcp:127.0.0.1:{silent.getsockname()[1]}"
        code, checked, _ = run(
            [
                *PROGRAM,
                "fly",
                str(plan),
                "--sortie",
                "S1",
                "--connect",
                connect,
                "--speed",
                "50",
                "--check",
                "--json",
            ]
        )
    assert code == 1
    assert not checked["ready"]
