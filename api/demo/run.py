"""`gridpatrol demo`: the whole product on one machine, told to a person as it happens.

The order of starting matters once: the simulated docks speak MQTT, so the bus
comes first, then the simulator, then the roles. The simulator is a process of
its own that the service knows only by its MAVLink ports and its pictures; its
truth file is read here, after the last answer of the service was written down.
"""

import json
import shutil
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from api import bus_server, children, settings
from api.demo.patrol import Patrol
from api.demo.receiver import receiving
from api.demo.result import Result, Wish
from api.demo.score import compare
from api.demo.screen import Screen
from api.demo.simulator import Simulator
from api.roles.serve import serving
from api.roles.wiring import stopping
from api.settings import Settings
from missions.clock import ScaledClock
from missions.errors import InputWrong, WorkFailed
from missions.model import Site
from missions.program import out_folder
from missions.site import load_site

EPOCH_AT = datetime(2026, 6, 1, 2, 0, tzinfo=UTC)  # 10:00 in the valley
# In wall time; the valley's plan hardly gets better after it.
PLAN_S = 1.0
BEFORE = "before.tif"
"""Last year's orthophoto, which the simulator writes into its folder where something has changed since."""


async def demo(wish: Wish, screen: Screen) -> Result:
    """Run the demo and return what came of it.

    Raises:
        InputWrong: the site or a setting cannot be used.
        WorkFailed: the simulator or the service does not start, or ends.
    """
    site = load_site(wish.site)
    clock = ScaledClock.starting_now(EPOCH_AT, wish.speed)
    patrol = Patrol(wish, site, clock, screen)
    with _folder(wish.out) as folder, receiving(patrol.arrived) as receiver, stopping() as told:
        mavlink_port = _free_ports(len(site.drones))
        chosen = _settings(wish, site, folder / "data", clock, mavlink_port)
        async with _simulator(wish, folder, clock, mavlink_port) as simulator:
            screen.tell("Starting the bus, the simulator and the service …")
            hear = _complaints(patrol.tell)
            async with serving(chosen, hear=hear, beside=simulator.start) as service:
                await patrol.follow(service, simulator, receiver, told)
            await simulator.stop()
        result = patrol.result
        (folder / "incidents.geojson").write_text(json.dumps(result.incidents, ensure_ascii=False, indent=1))
        result.score = compare(result.incidents, json.loads((folder / "truth.json").read_text()))
    return result


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
        plan_seconds=PLAN_S,
        exercise=True,
        baseline=data / "sim" / BEFORE,
        webhook_networks="127.0.0.0/8",
    )


def _complaints(tell: Callable[[str], None]) -> Callable[[dict[str, Any]], None]:
    """Return a listener that tells the person what the log says is wrong."""

    def hear(event: dict[str, Any]) -> None:
        if event.get("level") in ("error", "critical"):
            tell(f"[{event.get('role', '?')}] {event['event']} {event.get('error', '')}".rstrip())

    return hear


@contextmanager
def _folder(out: Path | None) -> Iterator[Path]:
    """Yield a folder whose `data` is fresh: `out` itself, or one that is gone afterwards."""
    if out is not None:
        out_folder(out)
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
