"""The coordinator's eye on what is followed: from what the frames show to the gateway's next word of it.

A gateway tells in its reports which sortie's camera follows something. From then on what the frames of that
sortie show of people, vehicles and animals is tracked on the ground (`vision.following`), the track nearest
to where the mover was expected is taken for it, and each frame that shows it again sends where it is by now,
how fast and which way. Nothing is kept on disk: where this process ends, the gateway hears no more of the
mover and lets the camera look ahead again by itself.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from missions.geo import LatLon, LocalFrame
from vision.following import FASTEST_M_S, Following, Track, follow, sighted
from vision.model import Observation

Json = Mapping[str, Any]

WITHIN_M = 15.0
"""A track is taken for the mover that near to where it was expected, and farther as time passes."""


@dataclass(slots=True)
class _Pursued:
    gateway: str
    frame: LocalFrame
    began_at: datetime
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
            self._pursued[event["sortie"]] = _Pursued(gateway, LocalFrame(place), began_at)

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
        pursued.tracks, pursued.at_s = follow(pursued.tracks, sightings, at_s), at_s
        track = _chosen(pursued)
        if track is None or track.seen_at_s < at_s or not track.is_told:
            return None
        place = pursued.frame.to_place(float(track.state[0]), float(track.state[1]))
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


def _chosen(pursued: _Pursued) -> Track | None:
    """Return the track of what is followed: the one it has, or the nearest to where it was asked for."""
    known = next((t for t in pursued.tracks.tracks if t.id == pursued.track), None)
    if known is not None:
        return known
    told = [(math.hypot(t.state[0], t.state[1]), t.id, t) for t in pursued.tracks.told]
    off_m, _, nearest = min(told, default=(math.inf, 0, None))
    if nearest is None or off_m > WITHIN_M + pursued.at_s * FASTEST_M_S.get(nearest.kind, 20.0):
        return None
    pursued.track = nearest.id
    return nearest
