"""One frame in, its analysis out: what the analyst does with each, on files.

The frame is searched with all that is known of the place, with what duty officers' verdicts have taught
(`gridpatrol calibrate`; a newer calibration counts from the next frame on, so does one that was undone),
and beside the other eye's frame of the same shot where that is here already.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from structlog.stdlib import get_logger

from api.analysis import Analysis
from missions.errors import InputWrong
from missions.geo import LatLon
from missions.model import CameraPose, Hazard, Sensor
from missions.terrain import Terrain
from vision import two_eyes
from vision.calibration import NOTHING_LEARNT, Calibration, store
from vision.errors import Unreadable
from vision.frame import Frame, load
from vision.inspection import FrameResult, examine
from vision.model import Observation
from vision.scene import Scene

log = get_logger(__name__)

_BURN = frozenset({Hazard.FIRE, Hazard.SMOKE})


@dataclass(slots=True)
class Learnt:
    """The calibration that counts now, read again when its folder changes. Used from one thread at a time."""

    folder: Path | None
    _made: tuple[tuple[str, int], ...] = ()
    _counts: Calibration = NOTHING_LEARNT

    def now(self) -> Calibration:
        """Return the newest calibration; one that cannot be read leaves the one before in force."""
        files = sorted(self.folder.glob("*.json")) if self.folder and self.folder.is_dir() else []
        made = tuple((file.name, file.stat().st_mtime_ns) for file in files)
        if made != self._made:
            self._made = made
            try:
                self._counts = store.current(self.folder) if self.folder else NOTHING_LEARNT
            except InputWrong as error:
                log.error("a calibration is left out", error=str(error), counts=self._counts.version)
            else:
                log.info("calibration", version=self._counts.version)
        return self._counts


@dataclass(frozen=True, slots=True)
class Looking:
    """What every frame is looked at with: the ground, what else is known of the place, and what for."""

    terrain: Terrain
    scene: Scene
    hazards: frozenset[Hazard]
    with_trials: frozenset[Hazard]
    learnt: Learnt = field(default_factory=lambda: Learnt(None))


def looked(path: Path, beside: Path | None, looking: Looking, frame: Mapping[str, Any]) -> Analysis:
    """Return what one frame shows; `beside` is the file of the other eye, which `frame` tells of too."""
    scene = replace(looking.scene, calibration=looking.learnt.now())
    is_thermal = frame["sensor"] == Sensor.THERMAL.value
    pair = None if is_thermal else _read(beside)
    seen = _examined(path, looking, frame, replace(scene, pair=pair))
    agreed: tuple[Observation, ...] = ()
    if beside is not None and any(d.hazard in _BURN for d in seen.detections):
        other = _examined(beside, looking, frame["other"], scene)
        both = (seen, other) if is_thermal else (other, seen)
        sure = two_eyes.agreed(*both)
        seen, surer = sure if is_thermal else sure[::-1]
        before = {one.id: one.sources for one in other.observations}
        agreed = tuple(o for _, o in _told(surer, warm_c=False) if o.sources != before[o.id])
    kept = _told(seen, warm_c=pair is not None and pair.celsius is not None)
    return Analysis(
        frame["id"],
        detections=seen.detections,
        observations=tuple(o for _, o in kept),
        skipped=seen.skipped,
        note=seen.note,
        footprint=seen.footprint,
        searched=seen.searched,
        gsd_m=seen.gsd_m,
        placed=tuple(i for i, _ in kept),
        camera_at=seen.shot.pose.place if seen.shot and seen.shot.pose else None,
        agreed=agreed,
    )


def _told(result: FrameResult, *, warm_c: bool) -> list[tuple[int, Observation]]:
    """Return the observations that are told, by their detections' indices: no known source, no suspicion."""
    camera = result.shot.camera if result.shot else None
    picture_px = camera.width_px * camera.height_px if camera else 0
    return [
        (i, o)
        for i, o in zip(result.placed, result.observations, strict=True)
        if o.id not in result.known
        and two_eyes.is_told(result.detections[i], warm_c=warm_c, picture_px=picture_px)
    ]


def _examined(path: Path, looking: Looking, frame: Mapping[str, Any], scene: Scene) -> FrameResult:
    return examine(
        path,
        terrain=looking.terrain,
        hazards=looking.hazards,
        scene=scene,
        with_trials=looking.with_trials,
        fallback_pose=_pose(frame.get("pose")),
        shot_id=frame["id"],
    )


def _read(beside: Path | None) -> Frame | None:
    """Return the other eye's frame, None where there is none to be read."""
    if beside is None:
        return None
    try:
        return load(beside)
    except Unreadable:
        return None


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
