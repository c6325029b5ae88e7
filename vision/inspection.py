"""The front door: pictures in, hazards on the ground out.

`examine` takes one file through the whole chain: read, detect, put on the
ground. `inspect` does so with many and joins what they show into incidents. A
file that cannot be used is a result with a reason, never an exception.
"""

import logging
import uuid
from collections import Counter
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import cv2
import numpy as np

from missions.geo import Area, LatLon
from missions.model import CameraPose, Hazard, PoseError, Shot
from missions.terrain import Terrain
from vision import charted, georeference, incidents, looks, repair, two_eyes
from vision.chart import Chart
from vision.confirmation import Candidate, Verdict
from vision.detectors import Abstained, registry
from vision.errors import Unreadable
from vision.footprint import footprint, ground_m2, outlines
from vision.frame import Frame, load
from vision.georeference import FlatGround, Ground, Located, Unplaced
from vision.grounds import Grounds
from vision.lidar.cloud import ENDINGS as CLOUD_ENDINGS
from vision.lidar.cloud import is_cloud
from vision.lidar.survey import Survey, SurveyAs, survey
from vision.marking import marked
from vision.metadata import tlog as flightlog
from vision.metadata.reading import Reading
from vision.model import Detection, Incident, Observation
from vision.near_vehicles import beside_vehicles
from vision.scene import Scene

__all__ = ["FrameResult", "Inspection", "examine", "inspect", "marked"]

_AIMS = (0.5, 0.75, 0.9, 1.0)  # shares of the picture's height
_NOTHING_ELSE = Scene()
_AS_IT_SAYS = SurveyAs()
_log = logging.getLogger(__name__)
_NAMES = uuid.UUID("0d7a5f0e-0c1f-5f0b-9a3e-3b1c7a2f4d55")


@dataclass(frozen=True, slots=True)
class FrameResult:
    """What one file showed.

    `skipped` says why a file could not be used at all. `placed` gives for each
    observation the index of its detection. `note` tells a person what could not
    be had: a pose, temperatures, a place for a detection. `ground` names what the
    frame was laid on, `searched` what was looked for, `gsd_m` how large a pixel is there. `aim` is
    the ground at the pixel `aim_px`: the middle, or the first below it that shows ground. `known` are the
    observations that a known source of heat explains: they are told, and join no incident.
    """

    file: str
    shot: Shot | None = None
    skipped: str | None = None
    detections: tuple[Detection, ...] = ()
    observations: tuple[Observation, ...] = ()
    note: str | None = None
    footprint: tuple[LatLon, ...] | None = None
    placed: tuple[int, ...] = ()
    ground: str | None = None
    reading: Reading | None = None
    searched: frozenset[Hazard] = frozenset()
    gsd_m: float | None = None
    aim: Located | None = None
    aim_px: tuple[float, float] | None = None
    known: frozenset[str] = frozenset()

    def observation_of(self, detection: int) -> Observation | None:
        """Return where a detection lies on the ground, by its index."""
        return next((o for i, o in zip(self.placed, self.observations, strict=True) if i == detection), None)


@dataclass(frozen=True, slots=True)
class _Looked:
    """What the detectors said of a frame: findings, hazards searched for, and why not for others."""

    detections: tuple[Detection, ...]
    searched: frozenset[Hazard]
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Inspection:
    """Many files' results, and the incidents they add up to; point clouds have surveys of their own.

    `candidates` are the places where something was seen, with what further frames said of them.
    """

    frames: tuple[FrameResult, ...]
    incidents: tuple[Incident, ...]
    surveys: tuple[Survey, ...] = ()
    candidates: tuple[Candidate, ...] = ()

    def verdict_on(self, incident: Incident) -> Verdict | None:
        """Return the surest verdict on an incident's observations, None where no look tells."""
        its = frozenset(incident.observations)
        about = [c for c in self.candidates if its & frozenset(c.observations)]
        return max(about, key=lambda c: c.log_odds).verdict if about else None


def examine(
    path: str | Path,
    *,
    terrain: Ground | None = None,
    hazards: Collection[Hazard] | None = None,
    fallback_pose: CameraPose | None = None,
    shot_id: str | None = None,
    now: datetime | None = None,
    scene: Scene = _NOTHING_ELSE,
    model: Path | None = None,
    with_trials: registry.Trials = False,
) -> FrameResult:
    """Return what one file shows, on the ground as far as its pose and the terrain tell.

    Without `terrain` the ground is level at take-off height, if the file knows
    its height over take-off. `fallback_pose` counts where the file has no pose. With `now`
    a picture from the future loses its time. `scene` is what else is known of the place (its ground is
    `terrain`'s), `model` replaces the weights of the detectors that have any. Those
    on trial are asked only `with_trials`.
    """
    whole = registry.want_whole(hazards, with_trials=with_trials)
    try:
        frame = load(Path(path), shot_id=shot_id, fallback_pose=fallback_pose, whole=whole)
        return _examined(frame, terrain, hazards, now=now, scene=scene, model=model, with_trials=with_trials)
    except Unreadable as reason:
        return FrameResult(str(path), skipped=str(reason))


def inspect(
    paths: Iterable[str | Path],
    *,
    dem: str | Path | None = None,
    tlog: str | Path | None = None,
    hazards: Collection[Hazard] | None = None,
    each: Callable[[FrameResult], None] | None = None,
    now: datetime | None = None,
    scene: Scene = _NOTHING_ELSE,
    model: Path | None = None,
    survey_as: SurveyAs = _AS_IT_SAYS,
) -> Inspection:
    """Return what files and folders of pictures show, and the incidents they add up to.

    Elevation models among the files serve as ground for the pictures they cover; `dem` names one
    that comes first. `tlog` names a flight log that tells the poses of pictures whose files do not.
    What several frames looked at again and did not see is denied and joins no incident (`confirmation.py`);
    the thermal and the colour frame of one moment are taken together (`two_eyes.py`).
    `each` is called after every file; `scene` and `model` are as in `examine`. Point clouds among the
    files are searched for line clearance; `survey_as` says what they themselves may not.
    """
    named = list(pictures(paths))
    clouds, files = [p for p in named if is_cloud(p)], [p for p in named if not is_cloud(p)]
    given = Terrain.open(dem) if dem else None
    grounds = Grounds(files, given)
    log = flightlog.read(Path(tlog)) if tlog else None
    results = []
    other_eye = two_eyes.pairs(files)
    ids = _shot_ids(files)
    registry.chosen(hazards, model=model, with_trials=True)  # a model that cannot be used is told of at once
    whole = registry.want_whole(hazards, with_trials=True)
    for path in files:
        try:
            frame = _logged(load(path, shot_id=ids[path], whole=whole), log)
            seen_with = replace(scene, pair=two_eyes.thermal_beside(frame, other_eye.get(path)))
            result = _inspected(frame, path, grounds, hazards, now, seen_with, model)
        except Unreadable as reason:
            result = FrameResult(str(path), skipped=str(reason))
        except Exception as error:  # what nobody foresaw must not cost the others
            result = FrameResult(str(path), skipped=_unforeseen(path, error))
        results.append(result)
        if each:
            each(result)
    results = two_eyes.all_agreed(results, other_eye)
    surveys = _surveyed(clouds, given, hazards, survey_as)
    candidates = looks.confirmed(results)
    denied = frozenset(o for c in candidates if c.verdict is Verdict.DENIED for o in c.observations)
    left_out = denied | frozenset(o for r in results for o in r.known)
    seen = [o for r in results for o in r.observations if o.id not in left_out]
    seen += [o for s in surveys for o in s.observations]
    return Inspection(tuple(results), joined(seen), surveys, candidates)


def pictures(paths: Iterable[str | Path]) -> Iterable[Path]:
    """Yield the files named, and in folders (at any depth) those whose ending is a picture's.

    A folder without any is yielded itself, to be told of.
    """
    for path in map(Path, paths):
        if not path.is_dir():
            yield path
            continue
        inside = (p for p in path.rglob("*") if p.suffix.lower() in _ENDINGS and p.is_file())
        yield from sorted(inside) or [path]


def _shot_ids(files: Iterable[Path]) -> dict[Path, str]:
    """Return each file's shot: its stem, after its folder where another folder has that stem too."""
    shots = {f: f.parent / f.stem for f in files}
    alike = Counter(shot.name for shot in set(shots.values()))
    return {f: str(shot) if alike[shot.name] > 1 else f.stem for f, shot in shots.items()}


def joined(observations: Iterable[Observation]) -> tuple[Incident, ...]:
    """Return the incidents that observations add up to, in the order of time."""
    found: dict[str, Incident] = {}
    for observation in sorted(observations, key=lambda o: o.seen_at):
        decision = incidents.absorb(found.values(), observation, now=observation.seen_at)
        if decision.incident:
            found[decision.incident.id] = decision.incident
    return tuple(found.values())


_ENDINGS = frozenset({".jpg", ".jpeg", ".tif", ".tiff", ".png"}) | CLOUD_ENDINGS


def _surveyed(
    clouds: list[Path], terrain: Terrain | None, hazards: Collection[Hazard] | None, survey_as: SurveyAs
) -> tuple[Survey, ...]:
    """Return what point clouds show, when line clearance is asked for or nothing in particular."""
    if hazards is not None and Hazard.LINE_CLEARANCE not in hazards:
        idle = "not searched: a point cloud shows line_clearance, which was not asked for"
        return tuple(Survey(str(path), note=idle) for path in clouds)
    surveys = []
    for path in clouds:
        try:
            surveys.append(survey(path, crs=survey_as.crs, voltage_kv=survey_as.voltage_kv, terrain=terrain))
        except Exception as error:  # as there
            surveys.append(Survey(str(path), skipped=_unforeseen(path, error)))
    return tuple(surveys)


def _unforeseen(path: Path, error: Exception) -> str:
    """Log what went wrong with a file and return it as a reason."""
    _log.error("%s could not be searched", path, exc_info=error)
    return f"could not be searched: {error!r}"


def _logged(frame: Frame, log: flightlog.Log | None) -> Frame:
    """Return the frame with the flight log's time and pose, where its file has none and the log does."""
    if log is None:
        return frame
    picture = log.pictures.get(Path(frame.shot.file).name)
    if picture and frame.shot.taken_at is None:
        metadata = replace(frame.metadata, zone_stated=True)
        frame = replace(frame, shot=replace(frame.shot, taken_at=picture.taken_at), metadata=metadata)
    if frame.shot.pose is not None:
        return frame
    pose = log.pose_of(Path(frame.shot.file).name, error=PoseError())
    if isinstance(pose, str):
        return replace(frame, unplaced=f"{frame.unplaced}, and {pose}")
    note = "; ".join(n for n in (frame.note, "its pose is the flight log's") if n)
    return replace(frame, shot=replace(frame.shot, pose=pose), unplaced=None, note=note)


def _inspected(
    frame: Frame,
    path: Path,
    grounds: Grounds,
    hazards: Collection[Hazard] | None,
    now: datetime | None,
    scene: Scene,
    model: Path | None,
) -> FrameResult:
    """Return what a frame shows on the ground that lies at hand."""
    frame, swapped = repair.unswapped(frame, covered=lambda place: grounds.covers(path, place))
    place = frame.shot.pose.place if frame.shot.pose else frame.metadata.reading.place
    return _examined(
        frame,
        grounds.under(path, place),
        hazards,
        now=now,
        noted=swapped,
        scene=scene,
        model=model,
        with_trials=True,
    )


def _examined(
    frame: Frame,
    ground: Ground | None,
    hazards: Collection[Hazard] | None,
    *,
    now: datetime | None = None,
    noted: str | None = None,
    scene: Scene = _NOTHING_ELSE,
    model: Path | None = None,
    with_trials: registry.Trials = False,
) -> FrameResult:
    """Return what a frame shows on a ground."""
    frame, timed = repair.in_time(frame, now=now)
    if frame.chart is not None:
        return _charted(
            frame,
            frame.chart,
            _looked(frame, replace(scene, now=now), hazards, model, with_trials=with_trials),
            timed,
        )
    frame, ground, higher = repair.heightened(frame, ground)
    ground = ground or _level(frame)
    frame, raised = repair.raised(frame, ground)
    ring, unplaced = _ground_seen(frame, ground)
    if ring and ground:
        camera = frame.shot.camera
        frame = replace(frame, pixel_m2=ground_m2(ring) / (camera.width_px * camera.height_px))
    looked = _looked(
        frame, replace(scene, ground=ground, now=now or scene.now), hazards, model, with_trials=with_trials
    )
    result = FrameResult(
        file=frame.shot.file,
        shot=frame.shot,
        detections=looked.detections,
        footprint=ring,
        ground=ground.source if ground and ring else None,
        reading=frame.metadata.reading,
        searched=looked.searched,
        gsd_m=frame.pixel_m2**0.5 if ring and frame.pixel_m2 else None,
    )
    notes = [
        frame.note,
        noted,
        higher,
        raised,
        *frame.metadata.reading.notes,
        *looked.notes,
        f"not put on the ground: {unplaced}" if unplaced else None,
    ]
    if ring and ground and frame.shot.pose:
        result, reasons = _placed(result, frame, frame.shot.pose, ground)
        notes += reasons
        result = replace(result, observations=beside_vehicles(result.observations))
        result, sources = _explained(result, scene)
        notes += sources
        result = _aimed(result, frame, frame.shot.pose, ground)
    notes.append(timed)
    return replace(result, note="; ".join(n for n in notes if n) or None)


def _charted(frame: Frame, chart: Chart, looked: _Looked, timed: str | None) -> FrameResult:
    """Return what a chart shows: it lies where its file says, and its findings with it."""
    on_ground = [i for i, d in enumerate(looked.detections) if d.ground is not None]
    found = [charted.observation(chart, looked.detections[i], i, frame.shot) for i in on_ground]
    return FrameResult(
        file=frame.shot.file,
        shot=frame.shot,
        detections=looked.detections,
        observations=tuple(found),
        note="; ".join(n for n in (frame.note, *looked.notes, timed) if n) or None,
        footprint=charted.footprint(chart),
        placed=tuple(on_ground),
        ground="where the file itself says that its pixels lie",
        reading=frame.metadata.reading,
        searched=looked.searched,
        gsd_m=chart.grid.pixel_m,
    )


def prepared(frame: Frame, ground: Ground | None = None) -> Frame:
    """Return a frame that knows how much ground its pixels cover, where its pose tells; else as it was."""
    ring, _ = _ground_seen(frame, ground or _level(frame))
    if not ring:
        return frame
    camera = frame.shot.camera
    return replace(frame, pixel_m2=ground_m2(ring) / (camera.width_px * camera.height_px))


def _ground_seen(frame: Frame, ground: Ground | None) -> tuple[tuple[LatLon, ...] | None, str | None]:
    """Return the ring of ground a frame shows, or None and why there is none."""
    if frame.shot.pose is None:
        return None, frame.unplaced
    if ground is None:
        return None, "no elevation model covers the place and the height over take-off is not known"
    seen = footprint(frame.shot.camera, frame.shot.pose, ground=ground)
    return (None, seen.reason) if isinstance(seen, Unplaced) else (seen, None)


def _looked(
    frame: Frame,
    scene: Scene,
    hazards: Collection[Hazard] | None,
    model: Path | None,
    *,
    with_trials: registry.Trials,
) -> _Looked:
    """Return what every detector that reads the frame says of the hazards wanted."""
    wanted = frozenset(Hazard) if hazards is None else frozenset(hazards)
    reading = [d for d in registry.chosen(hazards, model=model, with_trials=with_trials) if d.reads(frame)]
    detections: list[Detection] = []
    searched: frozenset[Hazard] = frozenset()
    notes = []
    for detector in reading:
        found = detector.detect(frame, scene)
        if isinstance(found, Abstained):
            notes.append(f"not searched for {_listed(detector.hazards & wanted)}: {found.reason}")
            continue
        if not getattr(detector, "is_hint", False):
            searched |= detector.hazards & wanted
        sure = [d for d in found if scene.calibration.keeps(d, frame.shot.camera.name)]
        detections += [d for d in sure if d.hazard in wanted]
    unread = frozenset(hazards or ()) - frozenset(h for d in reading for h in d.hazards)
    if unread:
        notes.append(f"not searched for {_listed(unread)}: nothing that finds it reads this kind of picture")
    elif not reading:
        notes.append("not searched: no detector that runs unasked reads this kind of picture")
    return _Looked(tuple(detections), searched, tuple(notes))


def _explained(result: FrameResult, scene: Scene) -> tuple[FrameResult, list[str]]:
    """Return the result with the observations that known sources explain, and whose they are."""
    pairs = [(o.id, scene.calibration.source_of(o)) for o in result.observations]
    known = {name: source for name, source in pairs if source is not None}
    words = sorted({f"known source: {s.kind.replace('_', ' ')} of {s.owner}" for s in known.values()})
    return replace(result, known=frozenset(known)), words


def _listed(hazards: Collection[Hazard]) -> str:
    return ", ".join(sorted(h.value.replace("_", " ") for h in hazards))


def _aimed(result: FrameResult, frame: Frame, pose: CameraPose, ground: Ground) -> FrameResult:
    """Return the result with where the picture's middle looks, or what lies below it where that is sky."""
    camera = frame.shot.camera
    pixels = np.array([[camera.width_px / 2, camera.height_px * share] for share in _AIMS])
    for (x, y), at in zip(pixels, georeference.locate_many(camera, pose, pixels, ground=ground), strict=True):
        if isinstance(at, Located):
            return replace(result, aim=at, aim_px=(float(x), float(y)))
    return result


def _placed(
    result: FrameResult, frame: Frame, pose: CameraPose, ground: Ground
) -> tuple[FrameResult, list[str]]:
    """Return the result with its detections on the ground, and why some are not."""
    if not result.detections:
        return result, []
    camera, detections = frame.shot.camera, result.detections
    pixels = np.array([_middle(d) for d in detections])
    located = georeference.locate_many(camera, pose, pixels, ground=ground)
    rings = [np.array(d.outline_px[:-1], dtype=float).reshape(-1, 2) for d in detections]
    areas = outlines(camera, pose, rings, ground=ground)
    observations, placed, reasons = [], [], []
    for i, (detection, at) in enumerate(zip(detections, located, strict=True)):
        if isinstance(at, Unplaced):
            reasons.append(f"{detection.hazard} at pixel {pixels[i][0]:.0f}, {pixels[i][1]:.0f}: {at.reason}")
            continue
        observations.append(_observation(detection, i, at, frame, areas[i]))
        placed.append(i)
    return replace(result, observations=tuple(observations), placed=tuple(placed)), reasons


def _observation(
    detection: Detection, i: int, at: Located, frame: Frame, outline: Area | None
) -> Observation:
    shot = frame.shot
    outline = detection.ground or outline
    area = charted.area_m2(outline) if outline and detection.area_px is None else None
    area = area if detection.area_px is None else detection.area_px * at.pixel_m2
    return Observation(
        id=str(uuid.uuid5(_NAMES, f"{shot.id}#{detection.detector}#{i}")),
        hazard=detection.hazard,
        confidence=detection.confidence,
        place=detection.at or at.place,
        ellipse=at.ellipse,
        seen_at=shot.taken_at or datetime.fromtimestamp(Path(shot.file).stat().st_mtime, UTC),
        shot=shot.id,
        detector=detection.detector,
        area_m2=area,
        kind=detection.kind,
        sources=detection.sources or (detection.detector,),
        power_w=None if detection.power_w_per_m2 is None else detection.power_w_per_m2 * at.pixel_m2,
        temp_max_c=detection.temp_max_c,
        facts=detection.facts,
        outline=outline,
        drone=shot.drone,
        sortie=shot.sortie,
        sight=None if detection.at else at.sight,
    )


def _middle(detection: Detection) -> tuple[float, float]:
    """Return the pixel that stands for a detection: its outline's centre of area, else its box's."""
    if len(detection.outline_px) > 3:
        moments = cv2.moments(np.array(detection.outline_px, dtype=np.float32))
        if moments["m00"] > 0:
            return moments["m10"] / moments["m00"], moments["m01"] / moments["m00"]
    return detection.box.middle_px


def _level(frame: Frame) -> Ground | None:
    """Return level ground at take-off height, None when the height over take-off is not known."""
    above, pose = frame.metadata.reading.above_takeoff_m, frame.shot.pose
    return FlatGround(pose.altitude_m - above) if pose and above is not None and above > 0 else None
