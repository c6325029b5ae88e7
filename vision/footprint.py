"""The ground a picture shows, and the ground inside rings of its pixels."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from missions.geo import Area, Floats, LatLon
from missions.model import Camera, CameraPose
from vision.georeference import Ground, Unplaced, intersect, no_ground, unusable
from vision.pinhole import rays
from vision.tangent import Tangent

_COLUMNS, _ROWS = 9, 33


def footprint(camera: Camera, pose: CameraPose, *, ground: Ground) -> tuple[LatLon, ...] | Unplaced:
    """Return the ring of ground a picture shows, clockwise from its top left, or why there is none.

    Where the top of the picture looks over the horizon or out of the model, the
    ring ends at the last ground seen in each column, within `MAX_RANGE_M`.
    """
    if reason := unusable(camera, pose, ground):
        return Unplaced(reason)
    hits = intersect(pose, rays(camera, pose, _border(camera)), ground=ground)
    if hits.found.all():
        return _places(pose, hits.point_m)
    xs, ys = np.linspace(0, camera.width_px, _COLUMNS), np.linspace(0, camera.height_px, _ROWS)
    grid = np.stack(np.meshgrid(xs, ys), axis=-1).reshape(-1, 2)
    hits = intersect(pose, rays(camera, pose, grid), ground=ground)
    if not hits.found.any():
        return Unplaced(no_ground(bool(hits.left_model.any()), ground))
    ring = _ring(hits.found.reshape(_ROWS, _COLUMNS))
    return _places(pose, hits.point_m[[row * _COLUMNS + column for row, column in ring]])


def outlines(
    camera: Camera, pose: CameraPose, rings: Sequence[Floats], *, ground: Ground
) -> list[Area | None]:
    """Return the ground inside open rings of pixels; None for a ring that is none or meets no ground."""
    if not any(len(ring) for ring in rings):
        return [None] * len(rings)
    hits = intersect(pose, rays(camera, pose, np.concatenate(rings)), ground=ground)
    ends = np.cumsum([len(ring) for ring in rings])
    found: list[Area | None] = []
    for ring, end in zip(rings, ends, strict=True):
        part = slice(int(end) - len(ring), int(end))
        whole = len(ring) >= 3 and hits.found[part].all()
        found.append(Area(_places(pose, hits.point_m[part])) if whole else None)
    return found


def ground_m2(ring: Sequence[LatLon]) -> float:
    """Return the level area inside a ring of places, in square metres."""
    level = Tangent(ring[0], 0.0)
    points = level.local([p.lat_deg for p in ring], [p.lon_deg for p in ring], 0.0)
    x, y = points[:, 0], points[:, 1]
    return float(abs(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1))) / 2)


def _border(camera: Camera) -> Floats:
    """Return pixels around the picture's edge, clockwise from the top left, open."""
    corners = np.array([[0, 0], [1, 0], [1, 1], [0, 1], [0, 0]], dtype=float)
    sides = [np.linspace(a, b, 6)[:-1] for a, b in pairwise(corners)]
    return np.asarray(np.concatenate(sides) * (camera.width_px, camera.height_px))


def _places(pose: CameraPose, points: Floats) -> tuple[LatLon, ...]:
    lat, lon, _ = Tangent(pose.place, pose.altitude_m).geodetic(points)
    return tuple(LatLon(float(a), float(b)) for a, b in zip(lat, lon, strict=True))


def _ring(found: npt.NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Return grid cells around the ground seen: along the top, down the right side, back, and up."""
    columns = [c for c in range(found.shape[1]) if found[:, c].any()]
    top = [(int(np.argmax(found[:, c])), c) for c in columns]
    bottom = [(found.shape[0] - 1 - int(np.argmax(found[::-1, c])), c) for c in columns]
    middle = slice(1, -1)
    right = [(r, columns[-1]) for r in _between(top[-1][0], bottom[-1][0])[middle]]
    left = [(r, columns[0]) for r in _between(top[0][0], bottom[0][0])[middle]]
    return top + right + bottom[::-1] + left[::-1]


def _between(first: int, last: int) -> list[int]:
    """Return five rows, evenly spread, both ends included."""
    return [round(first + (last - first) * i / 4) for i in range(5)]
