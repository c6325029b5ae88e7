"""Following what moves: trucks, people and boats in ground coordinates, through the frames of one drone.

A camera that flies makes everything move in the picture, so a track lives on the ground: metres east and
north of where it began, with a velocity. It is a Kalman filter of constant velocity whose velocity wanders; a
frame's sightings are given to tracks all at once, at the least total cost (Kuhn-Munkres), and only within the
distance that both errors together allow. All sightings of one frame share the error of its pose, so
before they are given out their common shift against the tracks is taken off, as far as it is known.

Pure: `follow(tracks, sightings, at_s)` returns the tracks after a frame. Whether a camera may be turned after
one is the gateway's to say (`fleet/following.py`).
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from scipy.optimize import linear_sum_assignment

from missions.geo import Floats, LocalFrame
from missions.model import Hazard
from vision.model import Observation

GATE = 13.8  # chi-square of two degrees of freedom, 99.9 %
CONFIRMED = 3  # sightings before a track is told of
LOST_S = 6.0  # unseen for so long, a track ends
FRAME_M = 1.6  # one deviation of a frame's common shift, each way
STRANGER = GATE - 1.0  # cost of leaving a sighting to a new track
FASTEST_M_S = {"person": 4.0, "truck": 30.0, "vehicle": 35.0, "boat": 15.0}
RESTLESS_M_S2 = {"person": 0.3, "truck": 0.8, "vehicle": 0.8, "boat": 0.3}
STANDING_M_S = 0.3
MOVES = {Hazard.PERSON: "person", Hazard.INTRUSION: "vehicle", Hazard.WILDLIFE: "animal"}
"""What may move, and what a track of it is called where its detector does not say."""

SAME_M = 0.5
"""Two detectors' words on one frame this near are about one thing."""


@dataclass(frozen=True, slots=True)
class Sighting:
    """Something seen in one frame: what it is, where on the ground (metres), and one deviation of that."""

    kind: str
    east_m: float
    north_m: float
    error_m: float = 0.5


@dataclass(frozen=True, slots=True, eq=False)
class Track:
    """One thing followed: `state` is east, north, and their rates; `spread` its covariance."""

    id: int
    kind: str
    state: Floats
    spread: Floats
    seen_at_s: float
    begun_at_s: float
    sightings: int = 1

    @property
    def is_told(self) -> bool:
        """Whether it was seen often enough to be told of."""
        return self.sightings >= CONFIRMED

    @property
    def speed_m_s(self) -> float:
        """Its speed over the ground."""
        return float(np.hypot(self.state[2], self.state[3]))

    @property
    def heading_deg(self) -> float | None:
        """Where it moves, true bearing; None while it stands."""
        if self.speed_m_s < STANDING_M_S:
            return None
        return math.degrees(math.atan2(self.state[2], self.state[3])) % 360.0

    def ahead(self, at_s: float) -> "Track":
        """Return the track as it is expected at a later time."""
        dt = max(at_s - self.seen_at_s, 0.0)
        step = np.eye(4)
        step[0, 2] = step[1, 3] = dt
        wander = RESTLESS_M_S2.get(self.kind, 0.5) ** 2
        level = np.array([[dt**3 / 3, dt**2 / 2], [dt**2 / 2, dt]]) * wander
        noise = np.zeros((4, 4))
        noise[np.ix_([0, 2], [0, 2])] = noise[np.ix_([1, 3], [1, 3])] = level
        return replace(self, state=step @ self.state, spread=step @ self.spread @ step.T + noise)


@dataclass(frozen=True, slots=True)
class Following:
    """All tracks after a frame, and where the next new one is counted from."""

    tracks: tuple[Track, ...] = ()
    next_id: int = 1
    given: tuple[int, ...] = field(default=())
    """For each sighting of the last frame, the id of its track."""

    @property
    def told(self) -> tuple[Track, ...]:
        """The tracks seen often enough to be told of."""
        return tuple(t for t in self.tracks if t.is_told)


def sighted(seen: Iterable[Observation], frame: LocalFrame) -> tuple[Sighting, ...]:
    """Return what a frame shows of what may move; the error that all of it shares is `follow`'s business."""
    found: list[Sighting] = []
    for one in seen:
        if one.hazard not in MOVES:
            continue
        kind = one.kind if one.kind in FASTEST_M_S else MOVES[one.hazard]
        east_m, north_m = frame.to_local(one.place)
        near = (math.hypot(east_m - s.east_m, north_m - s.north_m) for s in found if s.kind == kind)
        if min(near, default=SAME_M) >= SAME_M:
            found.append(Sighting(kind, east_m, north_m))
    return tuple(found)


def follow(
    before: Following, sightings: Sequence[Sighting], at_s: float, *, lost_s: float = LOST_S
) -> Following:
    """Return the tracks after a frame's sightings; what was not seen for `lost_s` has ended."""
    living = [t for t in before.tracks if at_s - t.seen_at_s <= lost_s]
    expected = [t.ahead(at_s) for t in living]
    pairs = _pairs(expected, sightings, np.zeros(2))
    shift, _ = _shift(expected, sightings, pairs)
    pairs = _pairs(expected, sightings, shift)
    after = {t.id: t for t in living}
    given = [0] * len(sightings)
    for i, j in pairs:
        # A sighting must not speak of its own shift: the others do.
        others = _shift(expected, sightings, [pair for pair in pairs if pair != (i, j)])
        after[living[i].id] = _seen(expected[i], sightings[j], *others, at_s)
        given[j] = living[i].id
    next_id = before.next_id
    for j, sighting in enumerate(sightings):
        if not given[j]:
            after[next_id], given[j] = _begun(next_id, sighting, shift, at_s), next_id
            next_id += 1
    return Following(tuple(after.values()), next_id, tuple(given))


def _pairs(expected: Sequence[Track], sightings: Sequence[Sighting], shift: Floats) -> list[tuple[int, int]]:
    """Return which track each sighting belongs to, as pairs of indices, at the least total cost."""
    if not expected or not sightings:
        return []
    cost = np.full((len(expected), len(sightings)), 1e6)
    for i, track in enumerate(expected):
        for j, sighting in enumerate(sightings):
            if sighting.kind == track.kind:
                cost[i, j] = _distance(track, sighting, shift)
    rows, columns = linear_sum_assignment(np.minimum(cost, STRANGER + 1))
    return [(int(i), int(j)) for i, j in zip(rows, columns, strict=True) if cost[i, j] <= GATE]


def _distance(track: Track, sighting: Sighting, shift: Floats) -> float:
    """Return the squared Mahalanobis distance of a sighting from where a track is expected."""
    off = np.array([sighting.east_m, sighting.north_m]) - shift - track.state[:2]
    spread = track.spread[:2, :2] + np.eye(2) * (sighting.error_m**2 + FRAME_M**2)
    return float(off @ np.linalg.solve(spread, off))


def _shift(
    expected: Sequence[Track], sightings: Sequence[Sighting], pairs: Sequence[tuple[int, int]]
) -> tuple[Floats, float]:
    """Return how far a frame as a whole seems to be off, and the variance left of that, each way.

    Each pair says its own offset, blurred by how well its track and its sighting are known; nobody saying
    anything leaves zero, known to `FRAME_M`.
    """
    information, total = 1 / FRAME_M**2, np.zeros(2)
    for i, j in pairs:
        track, sighting = expected[i], sightings[j]
        variance = float(np.trace(track.spread[:2, :2])) / 2 + sighting.error_m**2
        total += (np.array([sighting.east_m, sighting.north_m]) - track.state[:2]) / variance
        information += 1 / variance
    return total / information, 1 / information


def _seen(track: Track, sighting: Sighting, shift: Floats, shift_var: float, at_s: float) -> Track:
    """Return the track put right by a sighting."""
    sense = np.eye(2, 4)
    noise = np.eye(2) * (sighting.error_m**2 + shift_var)
    gain = track.spread @ sense.T @ np.linalg.inv(sense @ track.spread @ sense.T + noise)
    off = np.array([sighting.east_m, sighting.north_m]) - shift - track.state[:2]
    return replace(
        track,
        state=track.state + gain @ off,
        spread=(np.eye(4) - gain @ sense) @ track.spread,
        seen_at_s=at_s,
        sightings=track.sightings + 1,
    )


def _begun(number: int, sighting: Sighting, shift: Floats, at_s: float) -> Track:
    """Return a track that begins with a sighting and may move as fast as its kind does."""
    fast = FASTEST_M_S.get(sighting.kind, 20.0) / 2
    spread = np.diag([sighting.error_m**2 + FRAME_M**2] * 2 + [fast**2] * 2)
    state = np.array([sighting.east_m - shift[0], sighting.north_m - shift[1], 0.0, 0.0])
    return Track(number, sighting.kind, state, spread, at_s, at_s)
