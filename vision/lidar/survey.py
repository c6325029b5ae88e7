"""The front door of point clouds: a file in, wires and what comes near them out.

What the file cannot bear is refused in words: wires that hang below the ground or far above
their towers are in another height system than the rest, and a catenary no conductor is strung to is a
sign of feet that were read as metres.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pyproj

from missions.airspace import CLEARANCE_M
from missions.geo import Floats, LatLon
from missions.model import Hazard
from vision.errors import Unreadable
from vision.georeference import Ground
from vision.lidar import clearance, standards
from vision.lidar.clearance import Clearance, Near, Tower
from vision.lidar.cloud import PointCloud, read
from vision.lidar.ground import GroundGrid, ground_of
from vision.lidar.viewpoints import Viewpoint, viewpoints
from vision.lidar.wires import Wire, find_wires
from vision.model import Ellipse, Observation

DETECTOR = "lidar-clearance 1"
FLOWN_M = CLEARANCE_M + 1.0
"""Plans fly no lower over the ground; a metre for what the elevation model is off."""

LOWEST_M, HIGHEST_M = 4.0, 150.0  # wires of a line hang between these above the ground
WATCH_M = 2.0  # things this much farther than they must be are told too
ABOVE_TOWER_M = 5.0
TAUT_M = 3000.0  # catenary constant, metres, beyond what conductors are strung to
LONG_SPAN_M = 60.0
DATUM_M = 3.0
PLACED_M = 0.5  # 95 % of where a laser survey places a point on the map
_NAMES = uuid.UUID("7c0e6c1c-61b8-5a0e-8a2b-6d51a2a1c6d7")


@dataclass(frozen=True, slots=True)
class SurveyAs:
    """What somebody says of point clouds that they may not say themselves."""

    crs: pyproj.CRS | None = None
    voltage_kv: float | None = None


@dataclass(frozen=True, slots=True)
class SpanWire:
    """One wire as told: where it begins and ends in the file's coordinates, how it hangs, how high."""

    begin: tuple[float, float, float]
    end: tuple[float, float, float]
    length_m: float
    constant_m: float
    sag_m: float
    fit_error_m: float
    points: int
    lowest_above_ground_m: float


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing near a wire, with its place in the file's coordinates and, where that is known, on earth."""

    clearance: Clearance
    at: tuple[float, float, float]
    place: LatLon | None
    source: str


@dataclass(frozen=True, slots=True)
class CloseUp:
    """Where to see a joint of a tower from, in the file's coordinates and, where that is known, on earth."""

    view: Viewpoint
    camera: tuple[float, float, float]
    joint: tuple[float, float, float]
    place: LatLon | None
    above_ground_m: float


@dataclass(frozen=True, slots=True)
class Survey:
    """What one point cloud showed; `skipped` says why nothing can be told, `note` what one should know."""

    file: str
    points: int = 0
    crs: str | None = None
    voltage_kv: float | None = None
    skipped: str | None = None
    note: str | None = None
    wires: tuple[SpanWire, ...] = ()
    findings: tuple[Finding, ...] = ()
    observations: tuple[Observation, ...] = ()
    close_ups: tuple[CloseUp, ...] = ()
    flown: tuple[CloseUp, ...] = ()  # the same as a plan may fly them: higher, looking down more steeply

    @property
    def searched(self) -> frozenset[Hazard]:
        """The hazards that would have been found here."""
        return frozenset() if self.skipped or not self.wires else frozenset({Hazard.LINE_CLEARANCE})


def survey(
    path: Path,
    *,
    crs: pyproj.CRS | None = None,
    voltage_kv: float | None = None,
    terrain: Ground | None = None,
) -> Survey:
    """Return the wires of a point cloud and what comes near them; a file that cannot be used says why.

    `crs` counts where the file names none, `voltage_kv` decides which distances are asked for, `terrain` is
    compared with the cloud's own ground to tell a wrong height system.
    """
    try:
        cloud = read(path, crs=crs)
    except Unreadable as reason:
        return Survey(str(path), skipped=str(reason))
    ground = ground_of(cloud.points_m)
    wires = wires_of(cloud, ground)
    base = Survey(str(path), len(cloud), cloud.crs.name if cloud.crs else None, voltage_kv)
    if not wires:
        return replace(base, note=_join(*cloud.notes, "no wires found: nothing is told of clearances"))
    near = clearance.near_wires(cloud.points_m, wires, ground, classes=cloud.classes)
    wrong = doubt(cloud, ground, wires, near)
    if wrong:
        return replace(base, skipped=_join(wrong, *cloud.notes))
    things = clearance.clearances(cloud.points_m, wires, near, classes=cloud.classes, voltage_kv=voltage_kv)
    told = [c for c in things if c.clearance_m < c.required_m + WATCH_M]
    findings = _findings(cloud, told)
    stood = towers_of(cloud, ground, wires)
    views, hidden = viewpoints(cloud.points_m, stood, wires, voltage_kv=voltage_kv)
    flown, _ = viewpoints(
        cloud.points_m, stood, wires, voltage_kv=voltage_kv, floor=lambda at: ground.height_m(at) + FLOWN_M
    )
    return replace(
        base,
        note=_join(
            *cloud.notes,
            _voltage_note(voltage_kv),
            _datum_note(cloud, ground, terrain),
            f"{len(hidden)} joints of towers have no safe viewpoint on both faces" if hidden else None,
        ),
        close_ups=_close_ups(cloud, ground, views),
        flown=_close_ups(cloud, ground, flown),
        wires=tuple(_wire(cloud, ground, w) for w in wires),
        findings=findings,
        observations=tuple(
            _observation(path, cloud, i, f, f.place) for i, f in enumerate(findings) if f.place is not None
        ),
    )


def wires_of(cloud: PointCloud, ground: GroundGrid) -> tuple[Wire, ...]:
    """Return the wires of a cloud; classes are not looked at."""
    above = cloud.points_m[:, 2] - ground.height_m(cloud.points_m)
    return find_wires(cloud.points_m, np.flatnonzero(above > LOWEST_M))


def towers_of(cloud: PointCloud, ground: GroundGrid, wires: Sequence[Wire]) -> tuple[Tower, ...]:
    """Return the towers that the wires hang on."""
    high = cloud.points_m[:, 2] - ground.height_m(cloud.points_m) > clearance.HIGH_M
    for wire in wires:
        high[wire.points] = False
    return clearance.towers(cloud.points_m, wires, np.flatnonzero(high))


def doubt(cloud: PointCloud, ground: GroundGrid, wires: Sequence[Wire], near: Near) -> str | None:
    """Return why the cloud's wires cannot be where it says, None where nothing speaks against them."""
    heights = np.array([_lowest_m(ground, wire) for wire in wires])
    if np.median(heights) > HIGHEST_M:
        return (
            f"its wires hang {np.median(heights):.0f} m above the ground: their heights are of another datum"
        )
    stood = towers_of(cloud, ground, wires)
    gaps = [float(tower.ends_m.max()) - tower.top_m for tower in stood]
    if gaps and min(gaps) > ABOVE_TOWER_M:
        return (
            f"its wires end {min(gaps):.0f} m above the towers they should hang on: "
            "the heights of wires and ground are of different datums; have both delivered in one"
        )
    constants = [w.curve.constant_m for w in wires if w.curve.length_m > LONG_SPAN_M]
    if not cloud.is_known_metres and constants and np.median(constants) > TAUT_M:
        return (
            "its wires hang flatter than any conductor is strung (catenary constant "
            f"{np.median(constants):.0f} of the file's units): it is probably in feet (--crs EPSG:… says so)"
        )
    return None


def _lowest_m(ground: GroundGrid, wire: Wire) -> float:
    """Return the least height of a wire above the ground."""
    along = wire.curve.points_m(np.linspace(wire.curve.begin_m, wire.curve.end_m, 65))
    return float(np.min(along[:, 2] - ground.height_m(along)))


def _findings(cloud: PointCloud, told: Sequence[Clearance]) -> tuple[Finding, ...]:
    if not told:
        return ()
    points = np.array([c.point_m for c in told])
    given, placed = cloud.file_coordinates(points), cloud.places(points)
    places = (
        [None] * len(told)
        if placed is None
        else [LatLon(float(lat), float(lon)) for lat, lon in zip(*placed, strict=True)]
    )
    return tuple(
        Finding(c, _triple(at), place, standards.source(c.kind))
        for c, at, place in zip(told, given, places, strict=True)
    )


def _close_ups(cloud: PointCloud, ground: GroundGrid, views: Sequence[Viewpoint]) -> tuple[CloseUp, ...]:
    if not views:
        return ()
    cameras, at = (np.array(rows) for rows in ([v.camera_m for v in views], [v.joint.at_m for v in views]))
    placed, above = cloud.places(cameras), cameras[:, 2] - ground.height_m(cameras)
    places = (
        [None] * len(views)
        if placed is None
        else [LatLon(float(lat), float(lon)) for lat, lon in zip(*placed, strict=True)]
    )
    return tuple(
        CloseUp(view, _triple(camera), _triple(joint), place, float(high))
        for view, camera, joint, place, high in zip(
            views, cloud.file_coordinates(cameras), cloud.file_coordinates(at), places, above, strict=True
        )
    )


def _wire(cloud: PointCloud, ground: GroundGrid, wire: Wire) -> SpanWire:
    curve = wire.curve
    ends = cloud.file_coordinates(curve.points_m(np.array([curve.begin_m, curve.end_m])))
    return SpanWire(
        _triple(ends[0]),
        _triple(ends[1]),
        curve.length_m,
        curve.constant_m,
        curve.sag_m,
        wire.error_m,
        len(wire.points),
        _lowest_m(ground, wire),
    )


def _observation(path: Path, cloud: PointCloud, number: int, found: Finding, place: LatLon) -> Observation:
    c = found.clearance
    return Observation(
        id=str(uuid.uuid5(_NAMES, f"{path.name}#{number}#{c.point_m}")),
        hazard=Hazard.LINE_CLEARANCE,
        confidence=c.confidence,
        place=place,
        ellipse=Ellipse(PLACED_M, PLACED_M, 0.0),
        seen_at=cloud.flown_at or datetime.fromtimestamp(path.stat().st_mtime, UTC),
        shot=path.name,
        detector=DETECTOR,
        kind=c.kind,
        facts=facts(c),
    )


def facts(c: Clearance) -> dict[str, float | str | None]:
    """Return what is told of a clearance beside its place."""
    return {
        "object": c.kind,
        "clearance_m": round(c.clearance_m, 2),
        "error_m": round(c.error_m, 2),
        "level_m": round(c.level_m, 2),
        "upright_m": round(c.upright_m, 2),
        "required_m": c.required_m,
        "allows_kv": c.allows_kv,
        "wire": float(c.wire),
        "station_m": round(c.station_m, 1),
    }


def _voltage_note(voltage_kv: float | None) -> str | None:
    hour = "distances are those of the hour of the flight, without the sag of a hot day and the swing of wind"
    if voltage_kv is not None:
        return hour
    return (
        f"the line's voltage is not known: held to what {standards.UNKNOWN_KV:.0f} kV asks for "
        f"(--voltage-kv says it); {hour}"
    )


def _datum_note(cloud: PointCloud, ground: GroundGrid, terrain: Ground | None) -> str | None:
    """Return how the cloud's ground differs from an elevation model's, None where it agrees."""
    if terrain is None or cloud.crs is None:
        return None
    sample = cloud.points_m[:: max(len(cloud) // 400, 1)]
    placed = cloud.places(sample)
    if placed is None:
        return None
    own = ground.height_m(sample) + cloud.origin_m[2]
    off = own - np.asarray(terrain.elevation_m(*placed), float)
    off = off[np.isfinite(off)]
    if not len(off) or abs(np.median(off)) <= DATUM_M:
        return None
    return (
        f"its ground lies {np.median(off):+.1f} m beside the elevation model's: its heights are over another "
        "datum (clearances are measured inside the cloud and stand)"
    )


def _triple(row: Floats) -> tuple[float, float, float]:
    return float(row[0]), float(row[1]), float(row[2])


def _join(*notes: str | None) -> str | None:
    return "; ".join(n for n in notes if n) or None
