"""Several looks at one object, made into one place with an honest ellipse.

Every look gives a place on the elevation model and, by its `Sight`, how that place answers to each
error behind it. Three things make the looks depend on each other, and all three are in the equations:

* what drifts (GPS, barometer, gimbal, compass) is shared by the looks of one drone and forgotten
  over a minute, so eight looks in ten seconds are worth little more than one;
* the elevation model's error under the object is the same in all of them. It is an unknown of its
  own: looks from several sides cut at the true height and take it out (bearings intersect);
* pixel and clock errors are each look's alone and average out.

The estimate is the generalised least squares solution, which no linear filter can beat. A look that
the others contradict is left out, the worst first, as long as most remain. When that does not help,
the ellipse is widened until the looks agree with it.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from missions.geo import Floats, LatLon
from vision.model import Ellipse, Look, Observation, Shift, Sight
from vision.tangent import Scale
from vision.uncertainty import to_ellipse, variances

OUTLIER = 18.4
"""Squared deviations from what the others say beyond which a look is wrong: once in ten thousand."""

_POSE_ERRORS = 6
_CONTRADICTED_SHARE = 1 / 3  # more looks than this are never left out
_UNKNOWN_DRIFT_SHARE = 0.5
_ROUNDING_M2 = 1e-6


@dataclass(frozen=True, slots=True)
class Fused:
    """One place from several looks; `left_out` are the looks the others contradict.

    `widened` is by how much the ellipse was stretched because the looks do not agree: 1 where they do.
    """

    place: LatLon
    ellipse: Ellipse
    left_out: tuple[str, ...] = ()
    widened: float = 1.0


def look_of(seen: Observation) -> Look:
    """Return an observation as a look; one that has only its ellipse is taken at its word."""
    sight = seen.sight or of_ellipse(seen.ellipse)
    return Look(seen.id, seen.place, seen.seen_at, sight, seen.drone, seen.shot)


def of_ellipse(ellipse: Ellipse, *, drift_share: float = _UNKNOWN_DRIFT_SHARE) -> Sight:
    """Return the sight of a place of which only the ellipse is known.

    Half of its variance is taken to be shared, for ever, by whatever the same source tells:
    its looks are never averaged below that. A source whose errors are independent has a share of 0.
    """
    ee, nn, en = variances(ellipse)
    # The square root of the covariance, lower triangle first (Cholesky), written out for two dimensions.
    east = math.sqrt(ee + _ROUNDING_M2)
    pose: tuple[Shift, ...] = (
        (east, en / east),
        (0.0, math.sqrt(nn + _ROUNDING_M2 - (en / east) ** 2)),
    )
    return Sight(pose, (), (0.0, 0.0), drift_share, math.inf)


def fuse(looks: Sequence[Look], *, wander_m_s: float = 0.0) -> Fused:
    """Return where the object is that all these looks show; at least one look.

    `wander_m_s` is how fast the object itself may move: what was seen earlier then counts for less.
    """
    here = Scale.at(looks[0].place)
    places = np.array([here.to_local(o.place) for o in looks])
    estimate = solve(places, looks, wander_m_s=wander_m_s)
    return Fused(
        here.to_place(float(estimate.at_m[0]), float(estimate.at_m[1])),
        to_ellipse(estimate.covariance),
        tuple(looks[i].id for i in estimate.left_out),
        estimate.widened,
    )


@dataclass(frozen=True, slots=True, eq=False)
class Estimate:
    """The solution in local metres: east and north, their covariance, and what was left out (indices)."""

    at_m: Floats
    covariance: Floats
    left_out: tuple[int, ...]
    widened: float


def solve(places_m: Floats, looks: Sequence[Look], *, wander_m_s: float = 0.0) -> Estimate:
    """Return the estimate from places in local metres (rows of east, north), one a look."""
    seconds = _seconds(looks)
    noise, ground = noise_m2([o.sight for o in looks], [o.track for o in looks], seconds)
    if wander_m_s:
        noise[np.diag_indices(len(noise))] += np.repeat((wander_m_s * (seconds.max() - seconds)) ** 2, 2)
    kept = list(range(len(looks)))
    left_out: list[int] = []
    while True:
        at, spread, surprise = _least_squares(places_m[kept], noise, ground, kept)
        worst = int(np.argmax(surprise))
        if surprise[worst] <= OUTLIER:
            return Estimate(at, spread, tuple(left_out), 1.0)
        if len(left_out) + 1 > len(looks) * _CONTRADICTED_SHARE:
            widened = float(surprise[worst]) / OUTLIER
            return Estimate(at, spread * widened, tuple(left_out), math.sqrt(widened))
        left_out.append(kept.pop(worst))


def noise_m2(sights: Sequence[Sight], tracks: Sequence[str], seconds: Floats) -> tuple[Floats, Floats]:
    """Return the joint covariance (2n × 2n) of the looks' places, and how they answer to the ground.

    The ground's part is not in the covariance: it is one unknown that all share, and its column
    (2n values) says how each place moves with one deviation of it.
    """
    n = len(sights)
    flat = _stacked([o.pose for o in sights], _POSE_ERRORS).transpose(0, 2, 1).reshape(2 * n, _POSE_ERRORS)
    noise = flat @ flat.T
    noise.reshape(n, 2, n, 2)[...] *= _shared(sights, tracks, seconds)[:, None, :, None]
    if most := max(len(o.own) for o in sights):
        own, each = _stacked([o.own for o in sights], most), np.arange(n)
        noise.reshape(n, 2, n, 2)[each, :, each, :] += own.transpose(0, 2, 1) @ own
    noise.ravel()[:: 2 * n + 1] += _ROUNDING_M2
    return noise, np.array([o.ground for o in sights], dtype=float).ravel()


def _stacked(shifts: Sequence[tuple[Shift, ...]], most: int) -> Floats:
    """Return shifts of many sights as one array (sights × most × 2), zeros where a sight has fewer."""
    if all(len(one) == most for one in shifts):
        return np.array(shifts, dtype=float).reshape(len(shifts), most, 2)
    nothing = ((0.0, 0.0),)
    return np.array([(*one, *nothing * (most - len(one))) for one in shifts], dtype=float)


def _shared(sights: Sequence[Sight], tracks: Sequence[str], seconds: Floats) -> Floats:
    """Return which share of their pose errors each two looks have in common; 1 with itself."""
    share, memory_s = np.array([(o.drift_share, o.drift_s) for o in sights]).T
    codes = {track: code for code, track in enumerate(dict.fromkeys(tracks))}
    track = np.array([codes[t] for t in tracks])
    apart_s = np.abs(seconds[:, None] - seconds)
    shared = np.exp(-apart_s / np.minimum(memory_s[:, None], memory_s))
    shared *= np.sqrt(share[:, None] * share) * (track[:, None] == track)
    np.fill_diagonal(shared, 1.0)
    return np.asarray(shared)


def _least_squares(
    places: Floats, noise: Floats, ground: Floats, kept: Sequence[int]
) -> tuple[Floats, Floats, Floats]:
    """Return the place, its covariance, and each look's squared deviation from what the others say.

    The unknowns are east, north and the ground's deviation, which is known to be 0 ± 1.
    """
    n = len(kept)
    if 2 * n < len(noise):
        rows = np.array([2 * i + axis for i in kept for axis in (0, 1)])
        noise, ground = noise[np.ix_(rows, rows)], ground[rows]
    weight: Floats = np.asarray(np.linalg.inv(noise), dtype=float)
    model = np.zeros((2 * n, 3))
    model[0::2, 0] = model[1::2, 1] = 1.0
    model[:, 2] = ground
    seen = places.ravel()
    weighted = weight @ model
    information = model.T @ weighted
    information[2, 2] += 1.0
    spread: Floats = np.asarray(np.linalg.inv(information), dtype=float)
    unknown = spread @ (weighted.T @ seen)
    if n == 1:
        return unknown[:2], spread[:2, :2], np.zeros(1)
    left = weight @ (seen - model @ unknown)
    telling = weight - weighted @ spread @ weighted.T
    e, f = left[0::2], left[1::2]
    diagonal = np.diagonal(telling)
    ee, ff, ef = diagonal[0::2], diagonal[1::2], np.diagonal(telling, 1)[0::2]
    surprise = (ff * e * e - 2 * ef * e * f + ee * f * f) / (ee * ff - ef * ef)
    return unknown[:2], spread[:2, :2], surprise


def _seconds(looks: Sequence[Look]) -> Floats:
    return np.array([(o.seen_at - looks[0].seen_at).total_seconds() for o in looks])
