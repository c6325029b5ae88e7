"""What lies between all spots of a site: time and energy of the way from each to each, row by row in numpy.

Most ways are straight: no volume is touched and the ground stays far enough below. Those are found
and measured a row at a time. The others (round a zone, over a ridge) are asked of the airspace one
by one, and their legs measured together.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import shapely

from missions import legs
from missions.air import Wind
from missions.airspace import CLEARANCE_M, SAMPLE_M, Airspace, Spot, Way
from missions.geo import Floats
from missions.legs import Legs
from missions.model import DroneModel

# Points of the ground looked up at a time.
MOST_SAMPLES = 500_000

# Shorter ways are left to the airspace: the two ends may be one.
SHORT_M = 1.0

Mask = np.ndarray
WayOf = Callable[[Spot, Spot], Way | None]
Tell = Callable[[float], None]


@dataclass(frozen=True, slots=True)
class Between:
    """Matrices by spot: a row is where a way begins, a column where it ends; infinite where there is none.

    Times and energies have one matrix a drone model. `first_deg` and `last_deg` are the tracks
    of a way's first and last legs over the ground, NaN where it has none; `is_nothing` says that
    both ends are one place.
    """

    time_s: tuple[Floats, ...]
    energy_wh: tuple[Floats, ...]
    first_deg: Floats
    last_deg: Floats
    is_nothing: Mask


def measured(
    spots: Sequence[Spot],
    wanted: Mask,
    airspace: Airspace,
    models: Sequence[DroneModel],
    winds: Sequence[Wind],
    *,
    way: WayOf,
    tell: Tell,
) -> Between:
    """Return what lies between the spots, where `wanted` (a symmetric mask) asks for it.

    `way` answers for ways that are not straight; `tell` hears the share that is done.
    """
    at = np.array([(s.east_m, s.north_m, s.altitude_m) for s in spots]).reshape(-1, 3)
    size = len(spots)
    found = Between(
        tuple(np.full((size, size), np.inf) for _ in models),
        tuple(np.full((size, size), np.inf) for _ in models),
        np.full((size, size), np.nan),
        np.full((size, size), np.nan),
        np.zeros((size, size), dtype=bool),
    )
    straight = Straight(airspace)
    for i in range(size):
        tell(i / size)
        later = np.flatnonzero(wanted[i, i + 1 :]) + i + 1
        clear = straight.are(at[[i]].repeat(len(later), axis=0), at[later])
        _fill_straight(found, at, i, later[clear], models, winds)
        for j in (int(k) for k in later[~clear]):
            there = way(spots[i], spots[j])
            if there is not None:
                _fill_way(found, (i, j), there, models, winds)
                _fill_way(found, (j, i), there[::-1], models, winds)
    return found


class Straight:
    """Tells which straight lines may be flown as they are."""

    def __init__(self, airspace: Airspace) -> None:
        self._ground = airspace.ground
        self._shut = shapely.union_all([volume.shape for volume in airspace.volumes])
        shapely.prepare(self._shut)

    def are(self, starts: Floats, ends: Floats) -> Mask:
        """Return for each line (rows of east, north, height) whether nothing is in its way."""
        length = np.hypot(*(ends - starts)[:, :2].T)
        clear = length >= SHORT_M
        if not self._shut.is_empty:
            lines = shapely.linestrings(np.stack([starts[:, :2], ends[:, :2]], axis=1))
            clear &= ~shapely.intersects(self._shut, lines)
        counts = np.maximum(3, np.ceil(length / SAMPLE_M).astype(int) + 1)
        asked = np.flatnonzero(clear)
        for part in _shares(asked, counts[asked]):
            clear[part] = self._is_over_ground(starts[part], ends[part], counts[part])
        return np.asarray(clear)

    def _is_over_ground(self, starts: Floats, ends: Floats, counts: np.ndarray) -> Mask:
        """Return which lines keep clear of the ground at evenly spread samples, the ends left out."""
        first = np.cumsum(counts) - counts
        number = np.arange(counts.sum()) - np.repeat(first, counts)
        share = number / np.repeat(counts - 1, counts)
        line = np.repeat(starts, counts, axis=0) + np.repeat(ends - starts, counts, axis=0) * share[:, None]
        below = self._ground.elevation_m(line[:, 0], line[:, 1]) + CLEARANCE_M
        is_end = (number == 0) | (number == np.repeat(counts - 1, counts))
        holds = (below <= line[:, 2] + 1e-9) | (is_end & ~np.isnan(below))
        return np.asarray(np.logical_and.reduceat(holds, first))


def _shares(numbers: np.ndarray, counts: np.ndarray) -> list[np.ndarray]:
    """Return the numbers in parts that have not too many samples together."""
    if not len(numbers):
        return []
    return np.split(numbers, np.flatnonzero(np.diff(np.cumsum(counts) // MOST_SAMPLES)) + 1)


def _fill_straight(
    found: Between,
    at: Floats,
    i: int,
    others: np.ndarray,
    models: Sequence[DroneModel],
    winds: Sequence[Wind],
) -> None:
    here = at[[i]].repeat(len(others), axis=0)
    for row, column, each in (
        (i, others, Legs.of(here, at[others])),
        (others, i, Legs.of(at[others], here)),
    ):
        found.first_deg[row, column] = found.last_deg[row, column] = each.track_deg
        for m, model in enumerate(models):
            found.time_s[m][row, column], found.energy_wh[m][row, column] = legs.worst(model, each, winds)


def _fill_way(
    found: Between, where: tuple[int, int], way: Way, models: Sequence[DroneModel], winds: Sequence[Wind]
) -> None:
    points = np.array([(s.east_m, s.north_m, s.altitude_m) for s in way])
    each = Legs.of(points[:-1], points[1:])
    tracks = each.track_deg[~np.isnan(each.track_deg)]
    if len(tracks):
        found.first_deg[where], found.last_deg[where] = tracks[0], tracks[-1]
    found.is_nothing[where] = len(way) == 1
    turning_s = float(legs.turns_s(np.diff(tracks)).sum())
    for m, model in enumerate(models):
        time_s, energy_wh = legs.worst(model, each, winds)
        found.time_s[m][where] = time_s.sum() + turning_s
        found.energy_wh[m][where] = energy_wh.sum() + turning_s * model.hover_w / 3600
