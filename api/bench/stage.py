"""The stage of the delivery benches: a real bus, database and api role, subscribers in a process apart.

The bench itself plays the coordinator: it records observations in one
transaction, as that role does, and rings the bus.
"""

import asyncio
import hashlib
import json
import math
import os
import sys
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from uuid import NAMESPACE_URL, uuid5

from ruamel.yaml import YAML
from sqlalchemy.ext.asyncio import AsyncSession

from api import children
from api.analysis import Analysis
from api.bus import Bus
from api.bus_server import BusServer, key_of
from api.children import program
from api.roles.serve import environment
from api.schemas import FrameIn
from api.settings import Settings
from api.store import frames
from api.store.absorbing import record_observations
from api.store.engine import Database, open_database
from api.store.fleet import seed_site
from api.store.receivers import set_webhook
from missions.geo import LatLon
from missions.model import Hazard, Sensor, Site
from missions.site import load_site
from vision.model import Box, Detection, Ellipse, Observation

ROLE_PATIENCE_S = 180.0

_SOUTH, _WEST, _SIDE_DEG = 30.0, 119.0, 1.0
_STEP_DEG = 0.003  # some 300 m apart: no two fires are taken for one
_ROW = 300


@dataclass(frozen=True, slots=True)
class Stage:
    """What a bench works with."""

    settings: Settings
    site: Site
    database: Database
    bus: Bus

    async def tell(self, number: int, *, fires: int, now: datetime) -> float:
        """Record one frame that shows so many new fires and ring the bus; return when it was committed."""
        async with self.database.write() as session:
            await report(session, number, fires=fires, site=self.site, now=now)
        committed_at = time.time()
        await self.bus.publish("changes", {})
        return committed_at


def bench_settings(folder: Path, *, port: int, agencies: int = 0, clock: str = "") -> Settings:
    """Return the settings of a service in a folder of its own that may send to this machine.

    Its site is the example with so many agencies more, each told of every fire on the bench's ground.
    """
    return Settings(
        data=folder / "data",
        site=write_site(folder, agencies),
        http_port=port,
        clock=clock,
        webhook_networks="127.0.0.0/8",
        log_level="warning",
    )


def write_site(folder: Path, agencies: int) -> Path:
    """Write the site file of a bench and the shapes it names; return where it is."""
    example, yaml = Settings().site, YAML(typ="safe")
    site = yaml.load(example)
    shapes = json.loads((example.parent / site["shapes"]).read_text(encoding="utf-8"))
    corners = ((0.0, 0.0), (0.0, _SIDE_DEG), (_SIDE_DEG, _SIDE_DEG), (_SIDE_DEG, 0.0), (0.0, 0.0))
    ring = [[_WEST + lon, _SOUTH + lat] for lat, lon in corners]
    ground = {"type": "Polygon", "coordinates": [ring]}
    shapes["features"].append({"type": "Feature", "properties": {"id": "bench-ground"}, "geometry": ground})
    site["terrain"] = str(example.parent / site["terrain"])
    site["shapes"] = str(folder / "shapes.geojson")
    site["agencies"] += [
        {
            "id": agency_id(number),
            "name": {"en-US": f"Agency {number}", "zh-CN": f"部门{number}"},
            "language": "zh-CN",
            "jurisdiction": ["bench-ground"],
            "subscriptions": [{"hazards": ["fire"], "floor": "blue"}],
        }
        for number in range(agencies)
    ]
    (folder / "shapes.geojson").write_text(json.dumps(shapes), encoding="utf-8")
    file = folder / "site.yaml"
    yaml.dump(site, file)
    return file


def agency_id(number: int) -> str:
    """Return the id of the agency behind a subscriber."""
    return f"agency-{number:03}"


@asynccontextmanager
async def staged(settings: Settings, ports: Sequence[int], now: datetime) -> AsyncIterator[Stage]:
    """Yield a stage with a bus, a database and one webhook for each agency."""
    site = load_site(settings.site)
    settings.data.mkdir(parents=True, exist_ok=True)
    server = await BusServer.start(settings.data)
    database = await open_database(settings.database)
    bus = await Bus.connect(server.address.url, role="coordinator", key=key_of(settings.data, "coordinator"))
    try:
        async with database.write() as session:
            await seed_site(session, site, gateway="g1")
            for number, port in enumerate(ports):
                await set_webhook(session, agency_id(number), f"http://127.0.0.1:{port}/", now=now)
        yield Stage(settings, site, database, bus)
    finally:
        await bus.close()
        await database.close()
        await server.stop()


async def start_api(settings: Settings) -> asyncio.subprocess.Process:
    """Return a running api role, the delivery worker in it; it answers once its health does."""
    with (settings.data / "api.log").open("ab") as log:
        return await children.start(program("api"), environment=environment(settings), stdout=log, stderr=log)


async def answers(port: int) -> None:
    """Return once an api role takes connections.

    Raises:
        TimeoutError: it does not within three minutes.
    """
    async with asyncio.timeout(ROLE_PATIENCE_S):
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.sleep(0.1)  # a starting process gives no earlier sign
                continue
            writer.close()
            return


@asynccontextmanager
async def receiving(log: Path, ports: Sequence[int]) -> AsyncIterator[None]:
    """Let healthy subscribers listen on these ports until leaving."""
    async with subscribers(log, hanging=0, failing=0, healthy=len(ports), ports=ports):
        yield


@asynccontextmanager
async def subscribers(
    log: Path, *, hanging: int, failing: int, healthy: int, ports: Sequence[int] = ()
) -> AsyncIterator[list[int]]:
    """Yield the ports of subscribers that run in a process of their own."""
    command = [
        sys.executable,
        "-m",
        "api.bench.receivers",
        str(log),
        str(hanging),
        str(failing),
        str(healthy),
        *map(str, ports),
    ]
    process = await children.start(command, stdout=asyncio.subprocess.PIPE, environment=dict(os.environ))
    assert process.stdout is not None
    try:
        yield json.loads(await process.stdout.readline())
    finally:
        await children.stop(process)


def frame_id(number: int) -> str:
    """Return the id of a bench's frame."""
    return str(uuid5(NAMESPACE_URL, f"bench frame {number}"))


async def report(session: AsyncSession, number: int, *, fires: int, site: Site, now: datetime) -> None:
    """Accept frame `number` and record the fires it shows, as gateway, analyst and coordinator do."""
    frame = frame_id(number)
    body = b"no picture is looked at here"
    meta = FrameIn(
        id=frame,
        gateway="g1",
        drone="D1",
        sortie=f"P1-S{number}",
        shot=number,
        sensor="thermal",
        taken_at=now,
        sha256=hashlib.sha256(body).hexdigest(),
        name=f"GP_{number:05}_T.TIF",
        bytes=len(body),
    )
    seen = tuple(_fire(number * fires + index, frame, now) for index in range(fires))
    box = Detection(Hazard.FIRE, 0.9, Box(10, 10, 20, 20), "bench", Sensor.THERMAL, 500.0, 25.0, 40)
    await frames.accept_frame(session, meta, key=f"frames/{frame}.tif", now=now)
    await record_observations(session, Analysis(frame, (box,) * fires, seen), site=site, now=now)


def cpu_s(pid: int) -> float:
    """Return the CPU seconds that a process has used so far, all its threads counted; NaN but on Linux."""
    counted = Path(f"/proc/{pid}/stat")
    if not counted.exists():
        return math.nan
    ticks = counted.read_text(encoding="ascii").rpartition(")")[2].split()[11:13]  # user, system
    return sum(map(int, ticks)) / os.sysconf("SC_CLK_TCK")


def read_lines(log: Path) -> list[Mapping[str, object]]:
    """Return the receipts of a log."""
    return [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]


def _fire(number: int, frame: str, now: datetime) -> Observation:
    row, column = divmod(number, _ROW)
    return Observation(
        id=f"bench fire {number}",
        hazard=Hazard.FIRE,
        confidence=0.9,
        place=LatLon(_SOUTH + 0.01 + _STEP_DEG * row, _WEST + 0.01 + _STEP_DEG * column),
        ellipse=Ellipse(5.0, 3.0, 30.0),
        seen_at=now,
        shot=frame,
        detector="bench",
        area_m2=4.0,
        temp_max_c=500.0,
        drone="D1",
        sortie="P1-S1",
    )
