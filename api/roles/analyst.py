"""`gridpatrol analyst`: one frame in, what is in it out. Holds nothing, so run as many as there are cores.

A frame is taken from the work queue, examined, its analysis stored on the bus,
and only then acknowledged: killed in between, another analyst does it again and
the coordinator drops the second answer. A picture that makes the detector fail
is given up after a few tries and told as skipped, so that it cannot block the rest.
"""

import asyncio
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from structlog.stdlib import get_logger

from api import analysis
from api.analysis import Analysis
from api.bus import Bus, Delivered
from api.pictures import Pictures, open_pictures
from api.roles import wiring
from api.roles.examining import Learnt, Looking, looked
from api.settings import Settings
from missions.site import load_site
from missions.terrain import Terrain
from vision.baselines.opening import LateBaseline
from vision.detectors import registry
from vision.grounds import mended
from vision.scene import Scene

log = get_logger(__name__)

TRIES = 3
AGAIN_S = 2.0


def run(settings: Settings) -> None:
    """Run the role until told to stop."""
    wiring.run("analyst", _main, settings)


async def _main(settings: Settings) -> None:
    site = load_site(settings.site)
    terrain = mended(Terrain.open(site.terrain))
    scene = Scene(references=site.layers, baseline=LateBaseline(settings.baseline_at))
    hazards = registry.usual() | {h for demand in site.demands for h in demand.hazards}
    pictures = open_pictures(settings.pictures_at)
    bus = await wiring.open_bus(settings, "analyst")
    log.info("ready")
    try:
        learnt = Learnt(settings.calibration_at)
        looking = Looking(terrain, scene, frozenset(hazards), settings.tried, learnt)
        await wiring.until_told(_work(bus, pictures, looking))
    finally:
        await bus.close()


async def _work(bus: Bus, pictures: Pictures, looking: Looking) -> None:
    """Examine one frame at a time; what a camera follows waits for no more than one of the others."""
    turn = asyncio.Lock()

    async def work_off(reader: str) -> None:
        async for delivered in bus.take("FRAMES", reader):
            async with turn:
                await _work_off(bus, pictures, looking, delivered)

    async with asyncio.TaskGroup() as group:
        for reader in ("analyst-first", "analyst"):
            group.create_task(work_off(reader))


async def _work_off(bus: Bus, pictures: Pictures, looking: Looking, delivered: Delivered) -> None:
    try:
        found = await _examine(pictures, looking, delivered.value)
    except Exception as error:
        log.exception("a frame could not be examined", frame=delivered.value.get("id"))
        if delivered.attempt < TRIES:
            await delivered.later(AGAIN_S)
            return
        found = Analysis(str(delivered.value["id"]), skipped=f"examining it failed: {type(error).__name__}")
    await _answer(bus, delivered, found)


async def _examine(pictures: Pictures, looking: Looking, frame: Mapping[str, Any]) -> Analysis:
    """Return what one frame shows; the pixel work is done in a thread."""
    data = None if pictures.folder else await pictures.get(frame["key"])
    if pictures.folder is None and data is None:
        return Analysis(frame["id"], skipped="the picture is not in the store")
    other = None
    if pictures.folder is None and frame.get("other"):
        other = await pictures.get(frame["other"]["key"])
    return await asyncio.to_thread(_look, pictures.folder, data, other, looking, frame)


def _look(
    folder: Path | None,
    data: bytes | None,
    other: bytes | None,
    looking: Looking,
    frame: Mapping[str, Any],
) -> Analysis:
    with ExitStack() as files:
        path = files.enter_context(_as_file(folder, data, frame))
        beside = None
        if frame.get("other") and (folder is not None or other is not None):
            beside = files.enter_context(_as_file(folder, other, frame["other"]))
        return looked(path, beside, looking, frame)


async def _answer(bus: Bus, delivered: Delivered, found: Analysis) -> None:
    await bus.store(f"observations.new.{found.frame}", analysis.to_json(found), message_id=found.frame)
    await delivered.done()


@contextmanager
def _as_file(folder: Path | None, data: bytes | None, frame: Mapping[str, Any]) -> Iterator[Path]:
    """Yield the picture as a file: where it lies, or for as long as it is needed."""
    if folder is not None:
        yield folder / frame["key"]
        return
    with tempfile.NamedTemporaryFile(suffix=Path(frame["name"]).suffix) as file:
        file.write(data or b"")
        file.flush()
        yield Path(file.name)
