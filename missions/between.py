"""What lies between all spots of a site: time and energy of the way from each to each, row by row in numpy.

Most ways touch no volume seen from above: they are straight lines, or taut strings over the ground, and
are drawn and measured a row at a time. The others (round a zone, over or under it) are asked of the
airspace one by one.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from missions import legs
from missions.air import Wind
from missions.airspace import Airspace, Spot, Way
from missions.geo import Floats
from missions.legs import Legs
from missions.model import DroneModel
from missions.ridges import strings

# Shorter ways are left to the airspace: the two ends may be one.
SHORT_M = 1.0

Mask = np.ndarray
WayOf = Callable[[Spot, Spot], Way | None]
Tell = Callable[[float], None]
Fewer = Callable[[], Mask | None]


@dataclass(frozen=True, slots=True)
class Flown:
    """By what and in which winds: the worst one counts for each leg."""

    models: Sequence[DroneModel]
    winds: Sequence[Wind]


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
    flown: Flown,
    *,
    way: WayOf,
    tell: Tell,
    fewer: Fewer = lambda: None,
) -> Between:
    """Return what lies between the spots, where `wanted` (a symmetric mask) asks for it.

    `way` answers for ways that are not straight; `tell` hears the share that is done. Once `fewer`
    answers with a mask, the rows that are left are filled there alone.
    """
    at = np.array([(s.east_m, s.north_m, s.altitude_m) for s in spots]).reshape(-1, 3)
    size = len(spots)
    found = Between(
        tuple(np.full((size, size), np.inf) for _ in flown.models),
        tuple(np.full((size, size), np.inf) for _ in flown.models),
        np.full((size, size), np.nan),
        np.full((size, size), np.nan),
        np.zeros((size, size), dtype=bool),
    )
    shut = shapely.union_all([volume.shape for volume in airspace.volumes])
    shapely.prepare(shut)
    less: Mask | None = None
    for i in range(size):
        tell(i / size)
        if less is None and (less := fewer()) is not None:
            wanted = wanted & less
        later = np.flatnonzero(wanted[i, i + 1 :]) + i + 1
        open_ = _are_open(shut, at[i], at[later])
        _fill_lines(found, at, i, later[open_], airspace, flown)
        for j in (int(k) for k in later[~open_]):
            there = way(spots[i], spots[j])
            if there is not None:
                _fill_way(found, (i, j), there, flown)
                _fill_way(found, (j, i), there[::-1], flown)
    return found


def _are_open(shut: BaseGeometry, here: Floats, others: Floats) -> Mask:
    """Return to which places the straight line touches nothing that is shut at some height."""
    ends = others[:, :2]
    lines = shapely.linestrings(np.stack([np.broadcast_to(here[:2], ends.shape), ends], axis=1))
    return np.asarray((np.hypot(*(ends - here[:2]).T) >= SHORT_M) & ~shapely.intersects(shut, lines))


def _fill_lines(found: Between, at: Floats, i: int, others: Mask, airspace: Airspace, flown: Flown) -> None:
    """Fill in the ways from one spot to others that touch no volume: straight, or over a ridge."""
    if not len(others):
        return
    lines = strings(airspace.ground, at[[i]].repeat(len(others), axis=0), at[others])
    inner = lines.way[:-1] == lines.way[1:]
    number, starts, ends = lines.way[:-1][inner], lines.corners[:-1][inner], lines.corners[1:][inner]
    no_way = np.where(lines.is_known, 0.0, np.inf)
    for row, column, each in ((i, others, Legs.of(starts, ends)), (others, i, Legs.of(ends, starts))):
        # Seen from above such a way is one straight line: it has one track.
        track = each.track_deg[np.flatnonzero(np.diff(number, prepend=-1))]
        found.first_deg[row, column] = found.last_deg[row, column] = track
        for m, model in enumerate(flown.models):
            time_s, energy_wh = legs.worst(model, each, flown.winds)
            found.time_s[m][row, column] = np.bincount(number, time_s) + no_way
            found.energy_wh[m][row, column] = np.bincount(number, energy_wh) + no_way


def _fill_way(found: Between, where: tuple[int, int], way: Way, flown: Flown) -> None:
    """Fill in one way as the airspace draws it, the turns at its corners counted."""
    points = np.array([(s.east_m, s.north_m, s.altitude_m) for s in way])
    each = Legs.of(points[:-1], points[1:])
    tracks = each.track_deg[~np.isnan(each.track_deg)]
    if len(tracks):
        found.first_deg[where], found.last_deg[where] = tracks[0], tracks[-1]
    found.is_nothing[where] = len(way) == 1
    turning_s = float(legs.turns_s(np.diff(tracks)).sum())
    for m, model in enumerate(flown.models):
        time_s, energy_wh = legs.worst(model, each, flown.winds)
        found.time_s[m][where] = time_s.sum() + turning_s
        found.energy_wh[m][where] = energy_wh.sum() + turning_s * model.hover_w / 3600
