"""`gridpatrol demo`: the whole product on one machine, told to a person as it happens.

The order of starting matters once: the simulated docks speak MQTT, so the bus
comes first, then the simulator, then the roles. The simulator is a process of
its own that the service knows only by its MAVLink ports and its pictures; its
truth file is read here, after the last answer of the service was written down.
"""

import asyncio
import json
import shutil
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from api import bus_server, children, settings
from api.bus import Bus
from api.demo.client import Client
from api.demo.receiver import Received, Receiver, receiving
from api.demo.score import Score, compare
from api.demo.screen import Screen
from api.demo.simulator import Simulator
from api.demo.story import Story
from api.roles.serve import Service, serving
from api.roles.wiring import stopping
from api.settings import Settings
from missions.clock import ScaledClock
from missions.errors import InputWrong, WorkFailed
from missions.model import Site
from missions.site import load_site
from missions.words import named

EPOCH_AT = datetime(2026, 6, 1, 2, 0, tzinfo=UTC)  # 10:00 in the valley
# After the last simulated minute: how long pictures in the queue may still take, in wall time.
DRAIN_S = 180.0
# With nothing in the air and no picture examined for so long (wall time), all have come in.
QUIET_S = 4.0
LANDED_WITHIN_M = 5.0


@dataclass(frozen=True, slots=True)
class Wish:
    """What the person asked for."""

    site: Path
    scenario: str
    minutes: float
    speed: float
    seed: int
    http_port: int
    stays: bool
    out: Path | None


@dataclass(slots=True)
class Result:
    """What came of it; filled as it comes."""

    began_s: float
    first_alert_s: float | None = None
    desks: dict[str, str] = field(default_factory=dict)
    incidents: dict[str, Any] = field(default_factory=dict)
    sorties: list[dict[str, Any]] = field(default_factory=list)
    score: Score | None = None
    frames: int = 0

    def to_json(self) -> dict[str, Any]:
        """Return the one JSON value of the command."""
        score = self.score or Score((), (), (), 0)
        flown = [s for s in self.sorties if s["started_at"]]
        return {
            "sorties": {"flown": len(flown), "landed_at_dock": sum(map(landed_at_dock, flown))},
            "frames": self.frames,
            "incidents": [{"hazard": m.hazard, "error_m": m.error_m} for m in score.found],
            "missed": len(score.missed),
            "false": len(score.false),
            "decoys": score.decoys,
            "alerts_delivered": len(self.desks),
            "first_alert_s": self.first_alert_s,
        }


def landed_at_dock(sortie: dict[str, Any]) -> bool:
    """Return whether a sortie ended on its own pad."""
    off_m = sortie.get("landed_from_dock_m")
    return sortie["landed_at"] is not None and off_m is not None and off_m <= LANDED_WITHIN_M


async def demo(wish: Wish, screen: Screen) -> Result:
    """Run the demo and return what came of it.

    Raises:
        InputWrong: the site or a setting cannot be used.
        WorkFailed: the simulator or the service does not start, or ends.
    """
    result = Result(time.monotonic())
    site = load_site(wish.site)
    clock = ScaledClock.starting_now(EPOCH_AT, wish.speed)
    story = Story(
        ZoneInfo(site.timezone),
        {d.id: named(d.name) for d in site.docks},
        {a.id: named(a.name) for a in site.agencies},
    )

    def tell(sentence: str) -> None:
        screen.tell(f"{story.clock(clock.now())}  {sentence}")

    def arrived(message: Received) -> None:
        if result.first_alert_s is None:
            result.first_alert_s = round(time.monotonic() - result.began_s, 1)
        alert = str(message.body.get("subject") or message.id)
        if alert not in result.desks:
            result.desks[alert] = message.agency
            tell(story.arrived(message.agency))

    with _folder(wish.out) as folder, receiving(arrived) as receiver, stopping() as told:
        mavlink_port = _free_ports(len(site.drones))
        told_settings = _settings(wish, site, folder / "data", clock, mavlink_port)
        async with _simulator(wish, folder, clock, mavlink_port) as simulator:
            screen.tell("Starting the bus, the simulator and the service …")
            hear = _warnings(tell)
            async with serving(told_settings, hear=hear, beside=simulator.start) as service:
                await _patrol(wish, service, simulator, site, clock, story, receiver, result, screen, told)
            await simulator.stop()
        _judge(result, json.loads((folder / "truth.json").read_text()))
        (folder / "incidents.geojson").write_text(json.dumps(result.incidents, ensure_ascii=False, indent=1))
    return result


async def _patrol(
    wish: Wish,
    service: Service,
    simulator: Simulator,
    site: Site,
    clock: ScaledClock,
    story: Story,
    receiver: Receiver,
    result: Result,
    screen: Screen,
    told: asyncio.Event,
) -> None:
    """Follow the service over HTTP for the minutes asked for and write down what it says."""
    token = service.operator_token_file.read_text()
    address = service.settings.base_url
    screen.tell(f"The page is {address}/ and its token {token}")
    began_at = clock.now()
    ends_at = began_at + timedelta(minutes=wish.minutes)

    async def follow(client: Client) -> None:
        async for kind, value in client.events():
            for sentence in story.hear(kind, value):
                screen.tell(f"{story.clock(clock.now())}  {sentence}")

    async with Client(address, token) as client:
        for agency in site.agencies:
            answer = await client.put(f"/v1/agencies/{agency.id}/webhook", {"url": receiver.url(agency.id)})
            receiver.trust(agency.id, answer["secret"])
        following = asyncio.create_task(follow(client))
        ends: set[asyncio.Task[Any]] = {
            asyncio.create_task(told.wait()),
            asyncio.create_task(simulator.ended()),
            following,
            service.running,
        }
        try:
            await _watch(ends, wish.minutes * 60, began_at, clock, story, screen)
            if clock.now() >= ends_at and not told.is_set():
                await _drain(ends, service, client, story, screen)
                if wish.stays:
                    screen.tell(f"The {wish.minutes:g} minutes are over; look around, Ctrl-C ends the demo.")
                    await _watch(ends, float("inf"), began_at, clock, story, screen)
            result.incidents = await client.get("/v1/incidents.geojson")
            result.sorties = (await client.get("/v1/sorties"))["sorties"]
            result.frames = len(story.looked_at)
            flying = [s["id"] for s in result.sorties if s["state"] in ("flying", "returning")]
            if flying:
                screen.tell(f"Still in the air at the end: {', '.join(flying)}. Nothing was recalled.")
        finally:
            for task in ends - {service.running}:
                task.cancel()
            await asyncio.gather(*(ends - {service.running}), return_exceptions=True)


async def _watch(
    ends: set[asyncio.Task[Any]],
    simulated_s: float,
    began_at: datetime,
    clock: ScaledClock,
    story: Story,
    screen: Screen,
) -> None:
    """Return when the simulated time is over or something ended; raise what failed."""
    while (passed_s := (clock.now() - began_at).total_seconds()) < simulated_s:
        screen.progress(passed_s / 60, f"{story.clock(clock.now())}  {story.progress()}")
        left_s = (simulated_s - passed_s) / clock.speed
        done, _ = await asyncio.wait(ends, timeout=min(0.5, left_s), return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            if error := task.exception():
                raise error
        if done:
            return


async def _drain(
    ends: set[asyncio.Task[Any]], service: Service, client: Client, story: Story, screen: Screen
) -> None:
    """Wait, within reason, until every picture taken was looked at and every alert delivered."""
    key = bus_server.key_of(service.settings.data, "supervisor")
    bus = await Bus.connect(service.bus.url, role="supervisor", key=key)
    give_up_s = time.monotonic() + DRAIN_S
    try:
        while left := await _left(bus, client, story):
            if time.monotonic() > give_up_s:
                screen.tell(f"Not waiting longer for {left}.")
                return
            screen.progress(None, f"waiting for {left}; {story.progress()}")
            done, _ = await asyncio.wait(ends, timeout=0.5, return_when=asyncio.FIRST_COMPLETED)
            if done:
                return
    finally:
        await bus.close()


async def _left(bus: Bus, client: Client, story: Story) -> str:
    """Return what is not done yet in words, nothing when all is."""
    pictures = await bus.waiting("FRAMES", "analyst") + await bus.waiting("OBSERVATIONS", "coordinator")
    if pictures:
        return f"{pictures} pictures to be examined"
    sorties = (await client.get("/v1/sorties"))["sorties"]
    fetching = [s["id"] for s in sorties if s["state"] in ("landed", "door_closed")]
    if fetching:
        return f"the last pictures of {', '.join(fetching)}"
    is_flying = any(s["state"] in ("flying", "returning") for s in sorties)
    if not is_flying and time.monotonic() - story.looked_s < QUIET_S:
        return "pictures that still come in"
    deliveries = [d for a in (await client.get("/v1/alerts"))["alerts"] for d in a["deliveries"]]
    waiting = sum(d["state"] == "pending" for d in deliveries)
    return f"{waiting} messages to be delivered" if waiting else ""


@asynccontextmanager
async def _simulator(
    wish: Wish, folder: Path, clock: ScaledClock, mavlink_port: int
) -> AsyncIterator[Simulator]:
    command = children.program(
        "sim", "--json",
        "--site", str(wish.site),
        "--mavlink-port", str(mavlink_port),
        "--clock", str(clock),
        "--scenario", wish.scenario,
        "--seed", str(wish.seed),
        "--truth", str(folder / "truth.json"),
        "--out", str(folder / "data" / "sim"),
    )  # fmt: skip
    simulator = Simulator(command, data=folder / "data", log=folder / "sim.log")
    try:
        yield simulator
    finally:
        await simulator.stop()


def _settings(wish: Wish, site: Site, data: Path, clock: ScaledClock, mavlink_port: int) -> Settings:
    connects = [f"{d.id}=tcp:127.0.0.1:{mavlink_port + i}" for i, d in enumerate(site.drones)]
    return settings.read(
        data=data,
        site=wish.site,
        clock=str(clock),
        http_port=wish.http_port,
        drones=",".join(connects),
        seed=wish.seed,
        exercise=True,
        webhook_networks="127.0.0.0/8",
    )


def _judge(result: Result, truth: dict[str, Any]) -> None:
    if result.incidents:
        result.score = compare(result.incidents, truth)


def _warnings(tell: Callable[[str], None]) -> Callable[[dict[str, Any]], None]:
    """Return a listener that tells the person what the log says is wrong."""

    def hear(event: dict[str, Any]) -> None:
        if event.get("level") in ("error", "critical"):
            tell(f"[{event.get('role', '?')}] {event['event']} {event.get('error', '')}".rstrip())

    return hear


@contextmanager
def _folder(out: Path | None) -> Iterator[Path]:
    """Yield a folder whose `data` is fresh: `out` itself, or one that is gone afterwards."""
    if out is not None:
        out.mkdir(parents=True, exist_ok=True)
        _forget(out / "data")
        (out / "data" / "sim").mkdir(parents=True)
        yield out.absolute()
        return
    with tempfile.TemporaryDirectory(prefix="gridpatrol-demo-", ignore_cleanup_errors=True) as folder:
        (Path(folder) / "data" / "sim").mkdir(parents=True)
        yield Path(folder)


def _forget(data: Path) -> None:
    """Remove the data folder of an earlier demo.

    Raises:
        InputWrong: there is something of that name that no demo has made.
    """
    if not data.exists():
        return
    if not (data / "sim").is_dir() or not (data / "lock").is_file():
        raise InputWrong(f"{data} is not the data of a demo: choose another folder with --out")
    shutil.rmtree(data)


def _free_ports(many: int) -> int:
    """Return the first of so many free ports in a row, those people know if possible."""
    starts: tuple[int, ...] = (settings.DEFAULT_MAVLINK_PORT, *range(15860, 60000, 100))
    for start in starts:
        if all(bus_server.is_free(start + i) for i in range(many)):
            return start
    raise WorkFailed(f"no {many} free ports in a row on this machine")
