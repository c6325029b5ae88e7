"""The wires in a point cloud, found by their shape alone: no class is trusted.

High points that lie along lines are joined into chains where each goes on in the other's direction; a
chain is cut where one catenary does not fit it (at a tower), chains that continue each other's
catenary across a gap are joined, and what is left must be long, hang like a wire, and hang free: almost
nothing around it that is not itself.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from missions.geo import Floats
from vision.lidar.catenary import Catenary, fit
from vision.lidar.linear import Pieces, pieces

LEAST_POINTS = 30
REACH_M = 3.0  # a piece looks for its next this far
BESIDE_M = 0.6  # how far two pieces of one wire may lie side by side: bundled conductors
TURN = 0.985  # cosine of the most a wire turns from piece to piece
KINK_M, STRAY_M = 0.20, 0.35  # pieces' distance from their catenary: surely one wire, and at the most
LANE_M, DEEPEST = 0.3, 6  # gap between wires side by side; how often a chain is cut
CHAIN_M, WIRE_M = 6.0, 18.0  # shortest chain followed, shortest wire told
BRIDGE_M = 80.0  # longest gap in a wire that is bridged, where its curve is known
GAP_M = 12.0  # longest gap at a wire's end
TUBE_M, SKIN_M, AROUND_M = 0.35, 0.10, 1.3  # a wire's points; how far beyond 95 % of them; its surroundings
SPREAD_M = 0.235  # points spread evenly through the tube have 0.247: no wire
FREE, STATION_M = 0.6, 2.0  # share of a wire's stations around which nothing else is
SLACKEST_M = 80.0  # catenary constant of the slackest wire


@dataclass(frozen=True, slots=True, eq=False)
class Wire:
    """One wire of one span, bundled conductors together.

    `points` are indices into the cloud; `radius_m` is how far from its middle line 95 % of them lie,
    `error_m` the root mean square of that, `free` the share of its length with nothing else around.
    """

    curve: Catenary
    points: npt.NDArray[np.intp]
    radius_m: float
    error_m: float
    free: float


def find_wires(points_m: Floats, candidates: npt.NDArray[np.intp]) -> tuple[Wire, ...]:
    """Return the wires among the candidates (indices of points high enough), longest first."""
    high = points_m[candidates]
    if len(high) < LEAST_POINTS:
        return ()
    tree = cKDTree(high)
    chains = _joined([part for chain in _chains(pieces(high)) for part in _cut(chain)])
    hung = [found for found in (_hung(chain, high, tree) for chain in chains) if found is not None]
    claimed = np.zeros(len(high), bool)
    for found in hung:
        claimed[found.own] = True
    wires = [
        Wire(found.curve, candidates[found.own], found.radius_m, found.error_m, free)
        for found in _unrivalled(sorted(hung, key=lambda h: -h.curve.length_m))
        if (free := _free(found, high, claimed)) >= FREE
    ]
    return tuple(wires)


def _chains(found: Pieces) -> Iterator[Floats]:
    """Yield the middles of pieces that continue each other."""
    if len(found) < 2:
        return
    pairs = cKDTree(found.middles_m).query_pairs(REACH_M, output_type="ndarray")
    a, b = pairs[:, 0], pairs[:, 1]
    between = found.middles_m[b] - found.middles_m[a]
    alike = np.abs(np.einsum("ij,ij->i", found.directions[a], found.directions[b])) > TURN
    off = np.maximum(_off_line(between, found.directions[a]), _off_line(between, found.directions[b]))
    a, b = a[alike & (off < BESIDE_M)], b[alike & (off < BESIDE_M)]
    links = coo_array((np.ones(len(a)), (a, b)), shape=(len(found), len(found)))
    _, label = connected_components(links, directed=False)
    order = np.argsort(label, kind="stable")
    for members in np.split(order, np.flatnonzero(np.diff(label[order])) + 1):
        if _is_long(found.middles_m[members]):
            yield found.middles_m[members]


def _off_line(between: Floats, direction: Floats) -> Floats:
    along = np.einsum("ij,ij->i", between, direction)
    return np.asarray(np.linalg.norm(between - along[:, None] * direction, axis=1))


def _cut(chain: Floats, depth: int = 0) -> Iterator[Floats]:
    """Yield the chain, or its parts that one catenary each fits: side by side, or either side of a kink."""
    curve = fit(chain)
    if curve is None or _stray_m(curve, chain) <= KINK_M:
        if curve is not None:
            yield chain
        return
    if depth == DEEPEST:
        if _stray_m(curve, chain) <= STRAY_M:
            yield chain
        return
    for part in _beside(curve, chain) or _ahead(curve, chain):
        if _is_long(part):
            yield from _cut(part, depth + 1)


def _is_long(part: Floats) -> bool:
    return len(part) >= 5 and float(np.linalg.norm(np.ptp(part[:, :2], axis=0))) >= CHAIN_M


def _beside(curve: Catenary, chain: Floats) -> list[Floats]:
    """Return the chain in two where a gap runs along its whole length, beside or above; else nothing."""
    s, t = curve.along_across(chain)
    for off in (t - curve.sideways_m(s), chain[:, 2] - curve.height_m(s)):
        order = np.sort(off)
        widest = int(np.argmax(np.diff(order)))
        if order[widest + 1] - order[widest] < LANE_M:
            continue
        lower = off <= (order[widest] + order[widest + 1]) / 2
        if _is_long(chain[lower]) and _is_long(chain[~lower]):
            return [chain[lower], chain[~lower]]
    return []


def _ahead(curve: Catenary, chain: Floats) -> list[Floats]:
    """Return the chain in two, cut where its halves fit their own parabolas best."""
    s, _ = curve.along_across(chain)
    places = np.quantile(s, np.linspace(0.06, 0.94, 23))
    best = min(places, key=lambda at: _badness(chain[s < at]) + _badness(chain[s >= at]))
    return [chain[s < best], chain[s >= best]]


def _badness(part: Floats) -> float:
    """Return the summed squared distance of pieces from their own parabola, in plan and height."""
    if len(part) < 5:
        return 0.0
    middle = part[:, :2].mean(axis=0)
    _, _, axes = np.linalg.svd(part[:, :2] - middle, full_matrices=False)
    s, t = ((part[:, :2] - middle) @ axes.T).T
    total = 0.0
    for value, degree in ((part[:, 2], 2), (t, 1)):
        columns = np.vander(s, degree + 1)
        found, *_ = np.linalg.lstsq(columns, value, rcond=None)
        total += float(np.sum((value - columns @ found) ** 2))
    return total


def _stray_m(curve: Catenary, middles: Floats) -> float:
    """Return the typical distance of pieces from a curve (root mean square)."""
    return float(np.sqrt(np.mean(curve.distance_m(middles) ** 2)))


def _joined(chains: list[Floats]) -> list[Floats]:
    """Return the chains, those joined that lie on one catenary across a gap; the longest grows first."""
    left = sorted(chains, key=lambda c: -float(np.linalg.norm(np.ptp(c[:, :2], axis=0))))
    whole = []
    while left:
        grown, left = left[0], left[1:]
        added = True
        while added:
            added = False
            curve = fit(grown)
            if curve is None:
                break
            for i, other in enumerate(left):
                both = _continues(curve, grown, other)
                if both is not None:
                    grown, added = both, True
                    del left[i]
                    break
        whole.append(grown)
    return whole


def _continues(curve: Catenary, grown: Floats, other: Floats) -> Floats | None:
    """Return both chains as one if the other lies where the curve goes on, else None."""
    s, t = curve.along_across(other)
    gap = max(float(s.min()) - curve.end_m, curve.begin_m - float(s.max()), 0.0)
    if gap > min(BRIDGE_M, max(curve.length_m, GAP_M)):
        return None
    beyond = 1.0 + 2.0 * gap / max(curve.length_m, 1.0)
    if np.abs(t - curve.sideways_m(s)).mean() > BESIDE_M * beyond:
        return None
    if np.abs(other[:, 2] - curve.height_m(s)).mean() > BESIDE_M * beyond:
        return None
    both = np.concatenate([grown, other])
    refit = fit(both)
    if refit is None or max(_stray_m(refit, other), _stray_m(refit, grown)) > KINK_M * 1.25:
        return None
    return both


@dataclass(frozen=True, slots=True, eq=False)
class _Hung:
    """What hangs like a wire: its curve, its own points, all points around it and their distances."""

    curve: Catenary
    own: npt.NDArray[np.intp]
    near: npt.NDArray[np.intp]
    off_m: Floats
    radius_m: float
    error_m: float


def _hung(chain: Floats, high: Floats, tree: cKDTree) -> _Hung | None:
    """Return a chain with all the points of its wire, None if it does not hang like one."""
    curve = fit(chain)
    if curve is None or curve.length_m < CHAIN_M or curve.constant_m < SLACKEST_M:
        return None
    near = _near(curve, high, tree)
    own = near[curve.distance_m(high[near]) <= TUBE_M + BESIDE_M / 4]
    refit = fit(high[own]) if len(own) >= 8 else None
    if refit is None or refit.constant_m < SLACKEST_M:
        return None
    curve = _lengthened(refit, tree)
    near = _near(curve, high, tree)
    off = curve.distance_m(high[near])
    core = off[off <= TUBE_M]
    if curve.length_m < WIRE_M or len(core) < curve.length_m / 2:
        return None
    radius, error = float(np.quantile(core, 0.95)), float(np.sqrt(np.mean(core**2)))
    if error > SPREAD_M:
        return None
    return _Hung(curve, near[off <= radius + SKIN_M], near, off, radius, error)


def _near(curve: Catenary, high: Floats, tree: cKDTree) -> npt.NDArray[np.intp]:
    """Return the indices of high points within reach of a curve and a little beyond its ends."""
    s = np.arange(curve.begin_m - 1.0, curve.end_m + 1.0, 1.0)
    found = tree.query_ball_point(curve.points_m(s), AROUND_M + 0.6, return_sorted=False)
    return np.unique(np.concatenate([np.asarray(f, np.intp) for f in found]))


def _lengthened(curve: Catenary, tree: cKDTree) -> Catenary:
    """Return the curve as far as points go on along it without a long gap, either way."""
    s = np.arange(curve.begin_m - BRIDGE_M, curve.end_m + BRIDGE_M, 0.5)
    inside = np.flatnonzero(tree.query_ball_point(curve.points_m(s), TUBE_M, return_length=True))
    if not len(inside):
        return curve
    runs = np.split(inside, np.flatnonzero(np.diff(s[inside]) > GAP_M) + 1)
    run = max(runs, key=len)
    return replace(curve, begin_m=float(s[run[0]]), end_m=float(s[run[-1]]))


def _free(found: _Hung, high: Floats, claimed: npt.NDArray[np.bool_]) -> float:
    """Return the share of a wire's two-metre stations that hold its own points and nothing but wires."""
    curve, off = found.curve, found.off_m
    station = ((curve.nearest_s_m(high[found.near]) - curve.begin_m) / STATION_M).astype(int)
    count = int(curve.length_m / STATION_M) + 1
    is_other = (off > found.radius_m + 2 * SKIN_M) & (off < AROUND_M) & ~claimed[found.near]
    own = np.bincount(station[off <= found.radius_m + SKIN_M], minlength=count)
    other = np.bincount(station[is_other], minlength=count)
    return float(np.mean((own > 0) & (other <= 0.15 * own)))


def _unrivalled(hung: list[_Hung]) -> Iterator[_Hung]:
    """Yield those that do not mostly repeat the points of an earlier one."""
    taken: set[int] = set()
    for found in hung:
        members = set(found.own.tolist())
        if len(members & taken) < 0.5 * len(members):
            taken |= members
            yield found
