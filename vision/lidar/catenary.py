"""A wire between two towers as a curve: where it hangs, how far anything is from it.

A wire of even weight hangs as a catenary, z = low + c (cosh((s - s_low) / c) - 1), where c = H / w is
its horizontal pull over its weight a metre: 300 m for a slack house service, 800-2000 m for a
transmission line at its everyday pull. Wind swings the whole curve out of its vertical plane, so
a small bow to the side is fitted as well.

Everything is in metres: s along the span in plan, t to its left, z up.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from missions.geo import Floats

STRAIGHT_M = 50_000.0
"""The catenary constant given to what has no measurable sag."""

ROUNDS = 4


@dataclass(frozen=True, slots=True)
class Catenary:
    """A hanging wire from `begin_m` to `end_m` along its span.

    `east_m`, `north_m` is the plan position of s = 0 and `dir_east`, `dir_north` the unit vector of s;
    `across_m` are the coefficients of the sideways offset, constant first.
    """

    east_m: float
    north_m: float
    dir_east: float
    dir_north: float
    across_m: tuple[float, float, float]
    low_m: float
    s_low_m: float
    constant_m: float
    begin_m: float
    end_m: float

    @property
    def length_m(self) -> float:
        """How far it reaches in plan."""
        return self.end_m - self.begin_m

    @property
    def sag_m(self) -> float:
        """How far its lowest part hangs below the chord of its ends."""
        ends = self.height_m(np.array([self.begin_m, self.end_m]))
        s = np.linspace(self.begin_m, self.end_m, 65)
        chord = np.interp(s, [self.begin_m, self.end_m], ends)
        return float(np.max(chord - self.height_m(s)))

    def height_m(self, s_m: Floats) -> Floats:
        """Return its height at places along the span."""
        return hanging_m(np.asarray(s_m, float), self.low_m, self.s_low_m, self.constant_m)

    def sideways_m(self, s_m: Floats) -> Floats:
        """Return its offset to the left of the span's line."""
        a, b, c = self.across_m
        s = np.asarray(s_m, float)
        return np.asarray(a + s * (b + s * c))

    def along_across(self, points_m: Floats) -> tuple[Floats, Floats]:
        """Return s and t of points, (n, 2) or wider."""
        east, north = points_m[:, 0] - self.east_m, points_m[:, 1] - self.north_m
        return (
            east * self.dir_east + north * self.dir_north,
            north * self.dir_east - east * self.dir_north,
        )

    def points_m(self, s_m: Floats) -> Floats:
        """Return points of the wire, (n, 3): east, north, up."""
        s = np.asarray(s_m, float)
        t = self.sideways_m(s)
        return np.column_stack(
            [
                self.east_m + s * self.dir_east - t * self.dir_north,
                self.north_m + s * self.dir_north + t * self.dir_east,
                self.height_m(s),
            ]
        )

    def nearest_s_m(self, points_m: Floats) -> Floats:
        """Return where along the span the wire comes nearest to points, (n, 3)."""
        s0, t = self.along_across(points_m)
        s, z = np.clip(s0, self.begin_m, self.end_m), points_m[:, 2]
        for _ in range(ROUNDS):
            rise = np.sinh((s - self.s_low_m) / self.constant_m)
            drift = self.across_m[1] + 2 * self.across_m[2] * s
            gap = (s0 - s) + (z - self.height_m(s)) * rise + (t - self.sideways_m(s)) * drift
            s = np.clip(s + gap / (1 + rise**2 + drift**2), self.begin_m, self.end_m)
        return s

    def distance_m(self, points_m: Floats) -> Floats:
        """Return how far points, (n, 3), are from the wire's middle line."""
        return np.asarray(np.linalg.norm(points_m - self.points_m(self.nearest_s_m(points_m)), axis=1))


def hanging_m(s_m: Floats, low_m: float, s_low_m: float, constant_m: float) -> Floats:
    """Return the height of a catenary; written so that a nearly straight one loses no digits."""
    half = np.sinh((s_m - s_low_m) / (2 * constant_m))
    return np.asarray(low_m + 2 * constant_m * half * half)


def fit(points_m: Floats) -> Catenary | None:
    """Return the catenary through points that belong to one wire, None where they do not hang.

    Points off the curve by more than three times the typical distance lose their say. A wire too short
    or too straight for its sag to be told gets `STRAIGHT_M`; one that bends upwards is no wire.
    """
    middle = points_m[:, :2].mean(axis=0)
    _, _, axes = np.linalg.svd(points_m[:, :2] - middle, full_matrices=False)
    direction = axes[0] if axes[0][0] + 1e-3 * axes[0][1] >= 0 else -axes[0]
    east, north = (points_m[:, :2] - middle).T
    s = east * direction[0] + north * direction[1]
    t = north * direction[0] - east * direction[1]
    z = points_m[:, 2]
    length = float(np.ptp(s))
    if length <= 0 or len(s) < 4:
        return None
    bow, kept_t = _polynomial(s, t, 2 if length > 40 else 1)
    curve, kept = _polynomial(s, z, 2)
    if curve[2] < -1.0 / 400 and length > 30:
        return None
    if curve[2] < 1 / (2 * STRAIGHT_M):
        curve, kept = _polynomial(s, z, 1)
        hung = _straight(curve)
    else:
        hung = _hung(s[kept], z[kept], curve)
    inside = s[kept & kept_t] if (kept & kept_t).any() else s
    return Catenary(
        float(middle[0]),
        float(middle[1]),
        float(direction[0]),
        float(direction[1]),
        (float(bow[0]), float(bow[1]), float(bow[2])),
        *hung,
        float(inside.min()),
        float(inside.max()),
    )


def _polynomial(s: Floats, value: Floats, degree: int) -> tuple[Floats, npt.NDArray[np.bool_]]:
    """Return robust coefficients, constant first and always three, and which points had a say."""
    scale = max(float(np.abs(s).max()), 1.0)
    columns = np.vander(s / scale, degree + 1, increasing=True)
    kept = np.ones(len(s), bool)
    found: Floats = np.zeros(degree + 1)
    for _ in range(ROUNDS):
        found = np.asarray(np.linalg.lstsq(columns[kept], value[kept], rcond=None)[0])
        off = np.abs(value - columns @ found)
        kept = off <= max(3 * float(np.median(off[kept])) * 1.48, 0.05)
        if kept.sum() <= degree + 1:
            kept[:] = True
            break
    whole = np.zeros(3)
    whole[: degree + 1] = found / scale ** np.arange(degree + 1)
    return whole, kept


def _straight(line: Floats) -> tuple[float, float, float]:
    """Return low, s_low and constant of a curve that is straight to the eye."""
    s_low = -float(line[1]) * STRAIGHT_M
    low = float(line[0]) - s_low * s_low / (2 * STRAIGHT_M)
    return low, s_low, STRAIGHT_M


def _hung(s: Floats, z: Floats, curve: Floats) -> tuple[float, float, float]:
    """Return low, s_low and constant by Gauss-Newton from the parabola that touches the catenary."""
    k, b, a = (float(v) for v in curve)
    constant, s_low = 1 / (2 * a), -b / (2 * a)
    low = k - b * b / (4 * a)
    for _ in range(ROUNDS):
        u = (s - s_low) / constant
        model = hanging_m(s, low, s_low, constant)
        slopes = np.column_stack([np.ones_like(s), -np.sinh(u), np.cosh(u) - 1 - u * np.sinh(u)])
        step, *_ = np.linalg.lstsq(slopes, z - model, rcond=None)
        if not np.isfinite(step).all() or constant + step[2] <= 0:
            break
        low, s_low, constant = low + float(step[0]), s_low + float(step[1]), constant + float(step[2])
    return low, s_low, constant
