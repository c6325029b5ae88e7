"""Our own measured cases: docks, points, zones to fly round, and one kind of drone.

The time of a leg is the longer of its way over the ground (round the zones, whose
corners are passed a little outside) at the drone's speed and of its climb or descent.
"""

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import shapely
from scipy.sparse.csgraph import dijkstra
from scipy.spatial.distance import cdist
from shapely.geometry import MultiPolygon, Polygon

from missions.errors import InputWrong
from missions.geo import Floats
from missions.routing.problem import Fleet, Job, Problem, Whole

PER_S = 100  # times are counted in hundredths: each leg is rounded up, in tenths by a second a sortie

# Tours are offered for so few points each.
LEAST_POINTS_A_TOUR = 14

# The corners of a zone are passed so far outside, and the zone itself is touched no nearer than this.
CORNER_M, TOUCH_M = 5.0, 1e-3


@dataclass(frozen=True, slots=True)
class Case:
    """Docks and points (east, north, height in metres; one row each) and what flies between them."""

    name: str
    docks: Floats
    points: Floats
    no_fly: tuple[Polygon, ...]
    speed_m_s: float
    climb_m_s: float
    descent_m_s: float
    service_s: float
    endurance_s: float

    @property
    def most_time(self) -> int:
        """The longest tour, in the units of the problem."""
        return int(self.endurance_s * PER_S)


def read(path: Path) -> Case:
    """Return the case of a file.

    Raises:
        InputWrong: it cannot be read, or lacks something a case must say.
    """
    try:
        raw = json.loads(path.read_text())
        case = Case(
            name=str(raw["name"]),
            docks=np.array(raw["docks"], dtype=float).reshape(-1, 3),
            points=np.array(raw["points"], dtype=float).reshape(-1, 3),
            no_fly=tuple(Polygon(ring) for ring in raw["no_fly"]),
            **{key: float(raw[key]) for key in ("speed_m_s", "climb_m_s", "descent_m_s")},
            service_s=float(raw["service_s"]),
            endurance_s=float(raw["endurance_s"]),
        )
    except KeyError as error:
        raise InputWrong(f"{path}: a case says {error} too") from None
    except (OSError, ValueError, TypeError) as error:
        raise InputWrong(f"{path}: not a case ({error})") from error
    if not len(case.docks) or not np.isfinite(case.docks).all() or not np.isfinite(case.points).all():
        raise InputWrong(f"{path}: a case needs a dock, and numbers for every place")
    return case


def times_s(case: Case, at: Floats) -> Floats:
    """Return the time of the leg from every place to every other, in seconds; infinite where none is."""
    run_m = _round_zones(at[:, :2], case.no_fly)
    rise_m = at[None, :, 2] - at[:, None, 2]
    height_s = np.where(rise_m > 0, rise_m / case.climb_m_s, -rise_m / case.descent_m_s)
    return np.asarray(np.maximum(run_m / case.speed_m_s, height_s))


def problem_of(
    case: Case, docks: Sequence[int], points: Sequence[int], *, tours: Sequence[int] | None = None
) -> Problem:
    """Return the routing problem of some docks and points of a case.

    `tours` says how many may start from each dock at most.
    """
    at = np.vstack([case.docks[list(docks)], case.points[list(points)]])
    seconds = times_s(case, at)
    seconds[:, len(docks) :] += case.service_s
    time = _whole(seconds, case.most_time)
    most = tours if tours is not None else [_most_tours(len(points), len(docks))] * len(docks)
    prize = 2 * case.most_time  # dearer than any tour for a single point
    return Problem(
        depots=len(docks),
        fleets=tuple(Fleet(d, d, n, case.most_time) for d, n in enumerate(most)),
        jobs=tuple(Job((len(docks) + k,), prize) for k in range(len(points))),
        time=(time,),
        energy=(np.zeros_like(time),),
    )


def _whole(seconds: Floats, limit: int) -> Whole:
    """Return seconds in whole units, rounded up; what cannot be flown is beyond the limit."""
    units = np.ceil(np.where(np.isfinite(seconds), seconds * PER_S, 4.0 * limit) - 1e-6)
    np.fill_diagonal(units, 0)
    return np.asarray(units, dtype=np.int64)


def _round_zones(at: Floats, zones: tuple[Polygon, ...]) -> Floats:
    """Return the shortest ways between all places that cross no zone, over the zones' corners."""
    length = cdist(at, at)
    if not zones:
        return np.asarray(length)
    core = shapely.union_all(zones).buffer(-TOUCH_M)
    shapely.prepare(core)
    grown = shapely.union_all([z.buffer(CORNER_M, join_style="mitre", mitre_limit=5.0) for z in zones])
    parts = grown.geoms if isinstance(grown, MultiPolygon) else [grown]
    corners = np.array([corner for part in parts for corner in part.exterior.coords[:-1]])
    rows, columns = np.triu_indices(len(at), 1)
    blocked = _crosses(core, at[rows], at[columns])
    rows, columns = rows[blocked], columns[blocked]
    seen = _lengths(core, corners, corners)
    around = dijkstra(np.where(np.isfinite(seen), seen, 0.0), directed=False)
    to_corner = _lengths(core, at, corners)
    # From a place to each corner over any others, then on to the second place.
    reach = np.min(to_corner[:, :, None] + around[None, :, :], axis=1)
    length[rows, columns] = _least_sum(reach, to_corner, rows, columns)
    length[columns, rows] = length[rows, columns]
    return np.asarray(length)


def _least_sum(left: Floats, right: Floats, rows: Whole, columns: Whole) -> Floats:
    """Return for each pair the least sum over the corners, a slice of pairs at a time."""
    found = np.empty(len(rows))
    for start in range(0, len(rows), 20_000):
        part = slice(start, start + 20_000)
        found[part] = np.min(left[rows[part]] + right[columns[part]], axis=1)
    return found


def _lengths(core: Polygon, starts: Floats, ends: Floats) -> Floats:
    """Return the straight distances, infinite where the straight line crosses a zone."""
    i, j = np.indices((len(starts), len(ends))).reshape(2, -1)
    blocked = _crosses(core, starts[i], ends[j])
    far = np.hypot(*(starts[i] - ends[j]).T)
    return np.asarray(np.where(blocked, np.inf, far).reshape(len(starts), len(ends)))


def _crosses(core: Polygon, starts: Floats, ends: Floats) -> np.ndarray:
    return np.asarray(shapely.intersects(core, shapely.linestrings(np.stack([starts, ends], axis=1))))


def _most_tours(points: int, docks: int) -> int:
    """Return how many tours to offer each dock: spare ones mislead the search, too few leave points out."""
    return max(4, math.ceil(points / docks / LEAST_POINTS_A_TOUR))
