"""What moved in a flight: tracks over its frames, each with speed and heading and how sure those are.

The frames of one drone's one eye are taken in the order of time and joined by `vision.following`. A pose
that wanders makes what stands still seem to creep, so a thing is only said to move where its velocity, by a
straight line through its latest places, is more than that line's own error explains (99 %).
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np

from missions.geo import Floats, LatLon, LocalFrame
from missions.model import Sensor
from vision.following import MOVES, Following, Track, follow, sighted
from vision.model import Observation

if TYPE_CHECKING:
    from vision.inspection import FrameResult

SURELY = 9.21  # chi-square of two degrees of freedom, 99 %
LEAST_S, LINE_S = 2.0, 20.0
"""A shorter track tells no speed; of a longer one the last part does."""

OWN_M = 0.5
DRIFT_M, DRIFT_S = 1.5, 60.0
"""How far the errors of a flight's places wander together, and in how long."""


@dataclass(frozen=True, slots=True)
class Moved:
    """One thing that was tracked: what, where last, and how it moves; `speed_error_m_s` is one deviation.

    `heading_deg` is None for what stands, or may.
    """

    kind: str
    drone: str
    place: LatLon
    begun_at: datetime
    seen_at: datetime
    sightings: int
    speed_m_s: float
    speed_error_m_s: float | None
    heading_deg: float | None


def tracks(results: Iterable["FrameResult"]) -> tuple[Moved, ...]:
    """Return what several frames of one eye show of people, vehicles and animals, in the order of time."""
    by_eye: dict[tuple[str, Sensor], list[FrameResult]] = {}
    for result in results:
        shot = result.shot
        if shot and shot.taken_at and result.searched & MOVES.keys():
            by_eye.setdefault((shot.drone, shot.camera.sensor), []).append(result)
    found = [moved for (drone, _), looks in by_eye.items() for moved in _of_one_eye(drone, looks)]
    return tuple(sorted(found, key=lambda m: (m.begun_at, m.seen_at)))


def to_json(moved: Moved) -> dict[str, Any]:
    """Return a track as the command prints it."""
    error = moved.speed_error_m_s
    return {
        "kind": moved.kind,
        "drone": moved.drone,
        "lat_deg": round(moved.place.lat_deg, 7),
        "lon_deg": round(moved.place.lon_deg, 7),
        "begun_at": moved.begun_at.isoformat(),
        "seen_at": moved.seen_at.isoformat(),
        "sightings": moved.sightings,
        "speed_m_s": round(moved.speed_m_s, 2),
        "speed_error_m_s": None if error is None else round(error, 2),
        "heading_deg": None if moved.heading_deg is None else round(moved.heading_deg, 1),
    }


def line(moved: Moved) -> str:
    """Return a track as a sentence."""
    where = f"{moved.place.lat_deg:.6f}, {moved.place.lon_deg:.6f}"
    does = "stands, or hardly moves"
    if moved.heading_deg is not None:
        pace = f"{moved.speed_m_s:.1f} ± {moved.speed_error_m_s:.1f} m/s"
        does = f"goes towards {moved.heading_deg:.0f}° at {pace}"
    return f"{moved.kind} {does}; last at {where}, {moved.sightings} sightings"


def _of_one_eye(drone: str, looks: list["FrameResult"]) -> Iterable[Moved]:
    """Yield the tracks of one eye's frames that were seen often enough."""
    return told_of(drone, [(_taken_at(look), look.observations) for look in sorted(looks, key=_taken_at)])


def told_of(drone: str, looks: Sequence[tuple[datetime, Sequence[Observation]]]) -> Iterable[Moved]:
    """Yield the tracks of what one eye saw at several times, in their order, that were seen often enough."""
    seen = [o for _, shown in looks for o in shown if o.hazard in MOVES]
    if not seen:
        return
    began_at, frame = looks[0][0], LocalFrame(seen[0].place)
    state, told = Following(), dict[int, Track]()
    ways: dict[int, list[tuple[float, float, float]]] = {}
    for taken_at, observations in looks:
        at_s = (taken_at - began_at).total_seconds()
        shown = sighted(observations, frame)
        state = follow(state, shown, at_s)
        for number, sighting in zip(state.given, shown, strict=True):
            ways.setdefault(number, []).append((at_s, sighting.east_m, sighting.north_m))
        told |= {track.id: track for track in state.told}
    for track in told.values():
        yield _told(track, np.array(ways[track.id], float), drone, began_at, frame)


def _told(track: Track, way: Floats, drone: str, began_at: datetime, frame: LocalFrame) -> Moved:
    velocity, error = slope(way)
    speed = float(np.hypot(*velocity))
    goes = math.isfinite(error) and speed**2 > SURELY * error**2
    return Moved(
        kind=track.kind,
        drone=drone,
        place=frame.to_place(float(track.state[0]), float(track.state[1])),
        begun_at=began_at + timedelta(seconds=track.begun_at_s),
        seen_at=began_at + timedelta(seconds=track.seen_at_s),
        sightings=track.sightings,
        speed_m_s=speed,
        speed_error_m_s=error if math.isfinite(error) else None,
        heading_deg=math.degrees(math.atan2(*velocity)) % 360.0 if goes else None,
    )


def slope(way: Floats) -> tuple[Floats, float]:
    """Return the velocity of a straight line through rows of (seconds, east, north), and its deviation.

    Of the last `LINE_S` only: people and cars turn. Each place is off by the error of its frame, and all of
    them drift together. Too few rows or too short a time leave it unknown: infinite.
    """
    late = way[way[:, 0] >= way[-1, 0] - LINE_S]
    since = late[:, 0] - late[:, 0].mean()
    lever = float(since @ since)
    if len(late) < 3 or since[-1] - since[0] < LEAST_S:
        return np.zeros(2), math.inf
    velocity = since @ late[:, 1:] / lever
    off = late[:, 1:] - late[:, 1:].mean(axis=0) - since[:, None] * velocity
    scatter = float((off**2).sum()) / (2 * (len(late) - 2))
    drift = DRIFT_M * math.sqrt(2 * (since[-1] - since[0]) / DRIFT_S) / (since[-1] - since[0])
    return velocity, math.sqrt(max(scatter, OWN_M**2) / lever + drift**2)


def _taken_at(look: "FrameResult") -> datetime:
    assert look.shot is not None
    assert look.shot.taken_at is not None
    return look.shot.taken_at
