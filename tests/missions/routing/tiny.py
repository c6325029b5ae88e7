"""Routing problems small enough to know the answer of."""

import numpy as np
from scipy.spatial.distance import cdist

from missions.routing.problem import Fleet, Job, Problem


def ring(points: int = 12, *, docks: int = 1, most_time: int | None = None, tours: int = 4) -> Problem:
    """Points on a circle of radius 1000 around docks near its middle; a leg's time is its length."""
    turn = 2 * np.pi * np.arange(points) / points
    middle = np.column_stack([10.0 * np.arange(docks), np.zeros(docks)])
    at = np.vstack([middle, 1000 * np.column_stack([np.cos(turn), np.sin(turn)])])
    time = np.ceil(cdist(at, at)).astype(np.int64)
    return Problem(
        depots=docks,
        fleets=tuple(Fleet(d, d, tours, most_time, None, (points,)) for d in range(docks)),
        jobs=tuple(Job((docks + k,), 100_000, (1,)) for k in range(points)),
        time=(time,),
        energy=(2 * time,),
    )


def strips(count: int = 6) -> Problem:
    """Strips of 300 m side by side, 50 m apart, east of the dock; each may be flown either way."""
    y = 50.0 * np.arange(count)
    near, far = np.column_stack([0 * y + 100, y]), np.column_stack([0 * y + 400, y])
    starts = np.vstack([[[0.0, 0.0]], np.stack([near, far], axis=1).reshape(-1, 2)])
    ends = np.vstack([[[0.0, 0.0]], np.stack([far, near], axis=1).reshape(-1, 2)])
    time = np.rint(cdist(ends, starts)).astype(np.int64)
    time[:, 1:] += 300
    np.fill_diagonal(time, 0)
    return Problem(
        depots=1,
        fleets=(Fleet(0, 0, 2, None, None, ()),),
        jobs=tuple(Job((1 + 2 * k, 2 + 2 * k), 100_000) for k in range(count)),
        time=(time,),
        energy=(time,),
    )
