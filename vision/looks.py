"""Frames' results as looks at the ground, for the confirmation over frames."""

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

import shapely

from missions.geo import LatLon
from missions.model import Sensor
from vision import confirmation
from vision.confirmation import Candidate, Look, Seen
from vision.tangent import Scale

if TYPE_CHECKING:
    from vision.inspection import FrameResult

_MARGIN = 0.08
"""The share of a frame's extent along its edge that a thing may miss by the error of its place."""


def confirmed(results: Iterable["FrameResult"]) -> tuple[Candidate, ...]:
    """Return the candidates that frames add up to: each drone's each eye by itself, in the order of time.

    What one eye cannot see (smoke by heat, a small flame by colour) is no miss of the other's.
    """
    by_eye: dict[tuple[str, Sensor], list[Look]] = {}
    for result in results:
        look = look_of(result)
        if look is not None and result.shot is not None:
            by_eye.setdefault((result.shot.drone, result.shot.camera.sensor), []).append(look)
    return tuple(c for looks in by_eye.values() for c in confirmation.over(looks))


def look_of(result: "FrameResult") -> Look | None:
    """Return one frame as a look, None if it has no time or shows no ground that is known."""
    shot = result.shot
    if shot is None or shot.taken_at is None or not result.footprint:
        return None
    seen = tuple(
        Seen(observation, result.detections[i].box.middle_px)
        for i, observation in zip(result.placed, result.observations, strict=True)
    )
    camera = shot.pose.place if shot.pose else None
    return Look(shot.taken_at, seen, result.searched, showing(result.footprint), camera)


def showing(ring: tuple[LatLon, ...]) -> Callable[[LatLon], bool]:
    """Return whether a place lies well inside a ring of ground, as a function."""
    scale = Scale.at(ring[0])
    whole = shapely.Polygon([scale.to_local(p) for p in ring])
    inside = whole.buffer(-_MARGIN * float(whole.area) ** 0.5)
    shapely.prepare(inside)

    def shows(place: LatLon) -> bool:
        return bool(shapely.contains_xy(inside, *scale.to_local(place)))

    return shows
