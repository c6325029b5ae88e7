"""Where a camera was at one moment, from what its aircraft told before and after.

Telemetry comes a few times a second and pictures in between. Positions are joined by straight lines,
headings and gimbal angles by the shortest turn, and the speed between two positions is the speed of the
pose. Times are the autopilot's own (seconds since it started), in which positions and pictures are both
stamped.
"""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass

from missions.geo import LatLon
from missions.model import CameraPose, PoseError
from vision.attitude import Attitude, between, composed
from vision.tangent import Scale

MOST_APART_S = 2.0
"""Telemetry further apart than this says nothing of the time in between."""


@dataclass(frozen=True, slots=True)
class Fix:
    """Where the aircraft was and which way its nose pointed; height above mean sea level."""

    at_s: float
    place: LatLon
    altitude_m: float
    heading_deg: float


@dataclass(frozen=True, slots=True)
class Turn:
    """How the gimbal stood: yaw from nose or north, pitch and roll from the horizon (MAVLink's gimbals)."""

    at_s: float
    attitude: Attitude
    is_from_north: bool = False


@dataclass(frozen=True, slots=True)
class Track:
    """A flight's fixes and gimbal attitudes, each in the order of time."""

    fixes: tuple[Fix, ...]
    turns: tuple[Turn, ...]


def pose_at(track: Track, at_s: float, *, error: PoseError, turn: Attitude | None = None) -> CameraPose | str:
    """Return the camera's pose at a time, or a sentence on why the log does not tell it.

    `turn` is the picture's own attitude over the ground, where its camera recorded one; else the
    gimbal's is taken, carried by the nose.
    """
    around = _around([f.at_s for f in track.fixes], at_s)
    if around is None:
        return f"the flight log has no two positions within {MOST_APART_S:g} s of the picture"
    before, after = track.fixes[around[0]], track.fixes[around[1]]
    share = (at_s - before.at_s) / (after.at_s - before.at_s) if after.at_s > before.at_s else 0.0
    scale = Scale.at(before.place)
    east, north = scale.to_local(after.place)
    up = after.altitude_m - before.altitude_m
    seconds = max(after.at_s - before.at_s, 1e-3)
    nose = between(Attitude(before.heading_deg, 0.0, 0.0), Attitude(after.heading_deg, 0.0, 0.0), share)
    camera = turn or _carried(track, at_s, nose)
    if camera is None:
        return "the flight log tells neither the picture's attitude nor the gimbal's at that time"
    return CameraPose(
        place=scale.to_place(east * share, north * share),
        altitude_m=before.altitude_m + up * share,
        heading_deg=camera.yaw_deg % 360.0,
        pitch_deg=camera.pitch_deg,
        roll_deg=camera.roll_deg,
        error=error,
        velocity_m_s=(east / seconds, north / seconds, up / seconds),
    )


def _carried(track: Track, at_s: float, nose: Attitude) -> Attitude | None:
    """Return the gimbal's attitude over the ground, None where the log does not tell it."""
    around = _around([t.at_s for t in track.turns], at_s)
    if around is None:
        return None
    before, after = track.turns[around[0]], track.turns[around[1]]
    share = (at_s - before.at_s) / (after.at_s - before.at_s) if after.at_s > before.at_s else 0.0
    a, b = (t.attitude if t.is_from_north else composed(nose, t.attitude) for t in (before, after))
    return between(a, b, share)


def _around(times: Sequence[float], at_s: float) -> tuple[int, int] | None:
    """Return the indices of the last sample before and the first after a time, None where either is far."""
    after = bisect_left(times, at_s)
    if after < len(times) and times[after] == at_s:
        return after, after
    if after == 0 or after == len(times) or times[after] - times[after - 1] > MOST_APART_S:
        return None
    return after - 1, after
