"""`gridpatrol analyst`: one frame in, what is in it out. Holds nothing, so run as many as there are cores.

A frame is taken from the work queue, examined, its analysis stored on the bus,
and only then acknowledged: killed in between, another analyst does it again and
the coordinator drops the second answer. A picture that makes the detector fail
is given up after a few tries and told as skipped, so that it cannot block the rest.
"""

import asyncio
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from structlog.stdlib import get_logger

from api import analysis
from api.analysis import Analysis
from api.bus import Bus, Delivered
from api.pictures import Pictures, open_pictures
from api.roles import wiring
from api.settings import Settings
from missions.geo import LatLon
from missions.model import CameraPose, Hazard
from missions.site import load_site
from missions.terrain import Terrain
from vision.baselines import Baseline
from vision.baselines.opening import LateBaseline
from vision.detectors import registry
from vision.grounds import mended
from vision.inspection import examine
from vision.scene import Scene

log = get_logger(__name__)

TRIES = 3
AGAIN_S = 2.0


@dataclass(frozen=True, slots=True)
class Looking:
    """What every frame is looked at with: the ground, what else is known of the place, and what for."""

    terrain: Terrain
    scene: Scene
    hazards: frozenset[Hazard]
    with_trials: bool


def run(settings: Settings) -> None:
    """Run the role until told to stop."""
    wiring.run("analyst", _main, settings)


async def _main(settings: Settings) -> None:
    site = load_site(settings.site)
    terrain = mended(Terrain.open(site.terrain))
    scene = Scene(references=site.layers, baseline=_baseline(settings.baseline))
    hazards = registry.usual() | {h for demand in site.demands for h in demand.hazards}
    pictures = open_pictures(settings.pictures_at)
    bus = await wiring.open_bus(settings, "analyst")
    log.info("ready")
    try:
        looking = Looking(terrain, scene, frozenset(hazards), settings.trials)
        await wiring.until_told(_work(bus, pictures, looking))
    finally:
        await bus.close()


async def _work(bus: Bus, pictures: Pictures, looking: Looking) -> None:
    async for delivered in bus.take("FRAMES", "analyst"):
        try:
            found = await _examine(pictures, looking, delivered.value)
        except Exception as error:
            log.exception("a frame could not be examined", frame=delivered.value.get("id"))
            if delivered.attempt < TRIES:
                await delivered.later(AGAIN_S)
                continue
            found = Analysis(
                str(delivered.value["id"]), skipped=f"examining it failed: {type(error).__name__}"
            )
        await _answer(bus, delivered, found)


async def _examine(pictures: Pictures, looking: Looking, frame: Mapping[str, Any]) -> Analysis:
    """Return what one frame shows; the pixel work is done in a thread."""
    data = None if pictures.folder else await pictures.get(frame["key"])
    if pictures.folder is None and data is None:
        return Analysis(frame["id"], skipped="the picture is not in the store")
    return await asyncio.to_thread(_look, pictures.folder, data, looking, frame)


def _look(folder: Path | None, data: bytes | None, looking: Looking, frame: Mapping[str, Any]) -> Analysis:
    with _as_file(folder, data, frame) as path:
        seen = examine(
            path,
            terrain=looking.terrain,
            hazards=looking.hazards,
            scene=looking.scene,
            with_trials=looking.with_trials,
            fallback_pose=_pose(frame.get("pose")),
            shot_id=frame["id"],
        )
    return Analysis(
        frame["id"],
        detections=seen.detections,
        observations=seen.observations,
        skipped=seen.skipped,
        note=seen.note,
        footprint=seen.footprint,
        searched=seen.searched,
        gsd_m=seen.gsd_m,
    )


def _baseline(path: Path | None) -> Baseline | None:
    """Return how the ground looked before, None where nothing is named.

    It is opened when the first frame asks for it: the file may be written while the service runs.
    """
    return LateBaseline(path) if path else None


async def _answer(bus: Bus, delivered: Delivered, found: Analysis) -> None:
    await bus.store(f"observations.new.{found.frame}", analysis.to_json(found), message_id=found.frame)
    await delivered.done()


def _pose(told: Mapping[str, float] | None) -> CameraPose | None:
    """Return the pose a gateway told, for a picture whose file says none."""
    if not told:
        return None
    return CameraPose(
        LatLon(told["lat_deg"], told["lon_deg"]),
        told["altitude_m"],
        told["heading_deg"],
        told["pitch_deg"],
        told["roll_deg"],
    )


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
