"""The coordinator's eye on what is followed: from what the frames show to the gateway's next word of it.

A gateway tells in its reports which sortie's camera follows something. From then on what the frames of that
sortie show of people, vehicles and animals is tracked on the ground (`vision.following`). Where it is known
what is followed, that word begins its track; else the track nearest to where the mover was expected is taken
for it. Each frame that shows it again sends where it is by now, how fast and which way. Nothing is kept on
disk: where this process ends, the gateway hears no more of the mover and lets the camera look ahead again by
itself.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import numpy as np

from fleet.following import LOST_S
from missions.geo import LatLon, LocalFrame
from vision.following import CONFIRMED, FASTEST_M_S, MOVES, Following, Track, follow, sighted
from vision.model import Observation

Json = Mapping[str, Any]

WITHIN_M = 15.0
"""A track is taken for the mover that near to where it was expected, and farther as time passes."""

PLACE_M, OWN_M_S = 5.0, 1.5
"""One deviation of where a mover is first told to be and of its velocity."""

_UNKNOWN = 20.0  # m/s, as fast as what nobody names may have gone


@dataclass(frozen=True, slots=True)
class _Known:
    """Where the mover was last known to be: metres east and north, their rates, when; a kind once one is."""

    east_m: float = 0.0
    north_m: float = 0.0
    east_m_s: float = 0.0
    north_m_s: float = 0.0
    at_s: float = 0.0
    kind: str | None = None

    def off_m(self, track: Track, at_s: float) -> float:
        """Return how far a track is from where the mover is expected by now."""
        since_s = at_s - self.at_s
        return math.hypot(
            float(track.state[0]) - self.east_m - self.east_m_s * since_s,
            float(track.state[1]) - self.north_m - self.north_m_s * since_s,
        )

    def may_be(self, track: Track, at_s: float) -> bool:
        """Return whether a track may be the mover: it may have stopped or turned, or gone off if it stood."""
        speed_m_s = math.hypot(self.east_m_s, self.north_m_s) or FASTEST_M_S.get(track.kind, _UNKNOWN)
        reach_m = WITHIN_M + (at_s - self.at_s) * speed_m_s
        return self.kind in (None, track.kind) and self.off_m(track, at_s) <= reach_m


@dataclass(slots=True)
class _Pursued:
    gateway: str
    frame: LocalFrame
    began_at: datetime
    known: _Known = field(default_factory=_Known)
    tracks: Following = field(default_factory=Following)
    at_s: float = 0.0
    track: int | None = None


class Pursuits:
    """What is followed now, by sortie."""

    def __init__(self) -> None:
        self._pursued: dict[str, _Pursued] = {}

    def heard(self, gateway: str, event: Json) -> None:
        """Take in a report of a sortie: with `follows` its camera follows something, without nothing."""
        mover = event.get("follows")
        if mover is None:
            self._pursued.pop(event["sortie"], None)
        elif event["sortie"] not in self._pursued:
            place = LatLon(mover["lat_deg"], mover["lon_deg"])
            began_at = datetime.fromisoformat(mover["seen_at"]).astimezone(UTC)
            speed_m_s, heading = mover.get("speed_m_s", 0.0), math.radians(mover.get("heading_deg", 0.0))
            known = _Known(east_m_s=speed_m_s * math.sin(heading), north_m_s=speed_m_s * math.cos(heading))
            pursued = _Pursued(gateway, LocalFrame(place), began_at, known)
            if kind := _kind(mover.get("kind")):
                pursued.tracks, pursued.track = _begun(kind, known), 1
            self._pursued[event["sortie"]] = pursued

    def __bool__(self) -> bool:
        return bool(self._pursued)

    def seen(
        self, sortie: str, frame: str, taken_at: datetime, observations: Sequence[Observation]
    ) -> tuple[str, Json] | None:
        """Return (gateway, command) after a frame that shows the mover again, None after others."""
        pursued = self._pursued.get(sortie)
        if pursued is None:
            return None
        at_s = (taken_at - pursued.began_at).total_seconds()
        if at_s < pursued.at_s:
            return None  # an older frame that was searched later
        sightings = sighted(observations, pursued.frame)
        pursued.tracks, pursued.at_s = follow(pursued.tracks, sightings, at_s, lost_s=LOST_S), at_s
        track = _chosen(pursued)
        if track is None or track.seen_at_s < at_s or not track.is_told:
            return None
        east_m, north_m, east_m_s, north_m_s = map(float, track.state)
        pursued.known = _Known(east_m, north_m, east_m_s, north_m_s, at_s, track.kind)
        place = pursued.frame.to_place(east_m, north_m)
        mover = {
            "kind": track.kind,
            "lat_deg": place.lat_deg,
            "lon_deg": place.lon_deg,
            "speed_m_s": track.speed_m_s if track.heading_deg is not None else 0.0,
            "heading_deg": track.heading_deg or 0.0,
            "seen_at": taken_at.isoformat(),
        }
        command = {"id": f"{sortie}:follow:{frame}", "action": "follow", "sortie": {"id": sortie}}
        return pursued.gateway, {**command, "mover": mover}


def _kind(told: str | None) -> str | None:
    """Return what a track of it is called: a hazard's word of it, or a kind itself."""
    return told if told in FASTEST_M_S else next((k for h, k in MOVES.items() if h.value == told), None)


def _begun(kind: str, known: _Known) -> Following:
    """Return the track that a word of the mover begins: one sighting near there is enough for the next."""
    state = np.array([0.0, 0.0, known.east_m_s, known.north_m_s])
    spread = np.diag([PLACE_M**2] * 2 + [OWN_M_S**2] * 2)
    return Following((Track(1, kind, state, spread, 0.0, 0.0, CONFIRMED),), next_id=2)


def _chosen(pursued: _Pursued) -> Track | None:
    """Return the track of what is followed: the one it has, or the nearest to where it is expected by now."""
    track = next((t for t in pursued.tracks.tracks if t.id == pursued.track), None)
    if track is not None:
        return track
    known, at_s = pursued.known, pursued.at_s
    near = [t for t in pursued.tracks.told if known.may_be(t, at_s)]
    nearest = min(near, key=lambda t: known.off_m(t, at_s), default=None)
    if nearest is not None:
        pursued.track = nearest.id
    return nearest
