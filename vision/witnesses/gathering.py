"""Many hot spots gathered into events: pixels that touch, within a day of each other, are one fire.

A fire line of a thousand pixels becomes one event with the front's extent as its ellipse, not a
thousand. All arrays are parallel: one entry a hot spot.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from missions.geo import Floats
from vision.uncertainty import CHI2_95

Ints = npt.NDArray[np.intp]
Flags = npt.NDArray[np.bool_]

EARTH_M = 6_371_000.0
TOGETHER_S = 24 * 3600.0

# A place that is hot on so many passes, so long, and never moves by more than its pixel, burns nothing:
# flares, steel works, volcanoes. A wildfire moves on or goes out.
STATIC_PASSES, STATIC_S = 4, 30 * 3600.0
PASS_S = 1800.0  # rows of one overpass lie closer together than this


@dataclass(frozen=True, slots=True)
class Spots:
    """Hot spots as arrays: where, half the pixel's diagonal, when (seconds), how hot (MW or 1)."""

    lat_deg: Floats
    lon_deg: Floats
    reach_m: Floats
    at_s: Floats

    def __len__(self) -> int:
        return len(self.lat_deg)

    def points(self) -> Floats:
        """Return them on the sphere, in metres from its middle."""
        lat, lon = np.radians(self.lat_deg), np.radians(self.lon_deg)
        around = np.cos(lat)
        return EARTH_M * np.column_stack([around * np.cos(lon), around * np.sin(lon), np.sin(lat)])


@dataclass(frozen=True, slots=True)
class Extent:
    """Where the hot spots of each event lie: middle, and the (east, north) covariance in square metres."""

    lat_deg: Floats
    lon_deg: Floats
    east_m2: Floats
    north_m2: Floats
    both_m2: Floats


def gathered(spots: Spots) -> Ints:
    """Return for each spot the number of its event, 0 and up."""
    count = len(spots)
    if not count:
        return np.empty(0, dtype=np.intp)
    points = spots.points()
    near = cKDTree(points).query_pairs(2 * float(spots.reach_m.max()), output_type="ndarray")
    a, b = near[:, 0], near[:, 1]
    apart = np.linalg.norm(points[a] - points[b], axis=1)
    touch = (apart <= spots.reach_m[a] + spots.reach_m[b]) & (
        np.abs(spots.at_s[a] - spots.at_s[b]) <= TOGETHER_S
    )
    a, b = a[touch], b[touch]
    graph = coo_matrix((np.ones(len(a), dtype=bool), (a, b)), shape=(count, count))
    return np.asarray(connected_components(graph, directed=False)[1], dtype=np.intp)


def extents(spots: Spots, events: Ints, east_m2: Floats, north_m2: Floats) -> Extent:
    """Return where each event lies, from its spots and the variance of each spot's own error."""
    count = np.bincount(events)
    means = np.column_stack([np.bincount(events, weights=axis) / count for axis in spots.points().T])
    middle_lat = np.degrees(np.arctan2(means[:, 2], np.hypot(means[:, 0], means[:, 1])))
    middle_lon = np.degrees(np.arctan2(means[:, 1], means[:, 0]))
    metres = np.pi / 180.0 * EARTH_M
    north = (spots.lat_deg - middle_lat[events]) * metres
    turned = (spots.lon_deg - middle_lon[events] + 180.0) % 360.0 - 180.0
    east = turned * metres * np.cos(np.radians(middle_lat[events]))

    def mean(values: Floats) -> Floats:
        return np.asarray(np.bincount(events, weights=values) / count)

    return Extent(
        middle_lat, middle_lon, mean(east**2 + east_m2), mean(north**2 + north_m2), mean(east * north)
    )


def ellipses(extent: Extent) -> Floats:
    """Return the 95 % ellipse of each event: major and minor semi-axis in metres, bearing in degrees."""
    half_sum = (extent.east_m2 + extent.north_m2) / 2
    half_difference = (extent.east_m2 - extent.north_m2) / 2
    root = np.hypot(half_difference, extent.both_m2)
    major = np.sqrt((half_sum + root) * CHI2_95)
    minor = np.sqrt(np.maximum(half_sum - root, 0.0) * CHI2_95)
    # The major axis makes half this angle with east, counter-clockwise.
    angle = 0.5 * np.arctan2(2 * extent.both_m2, extent.east_m2 - extent.north_m2)
    return np.column_stack([major, minor, (90.0 - np.degrees(angle)) % 180.0])


def is_static(spots: Spots) -> Flags:
    """Return which spots lie where it was hot on many passes over more than a day and nothing moved.

    Judged within one pixel around each spot: enough passes, over long enough, and no hot neighbour
    beyond it, for a fire that lives so long has spread.
    """
    static = np.zeros(len(spots), dtype=bool)
    if len(spots) < STATIC_PASSES or np.ptp(spots.at_s) < STATIC_S:
        return static
    points = spots.points()
    tree = cKDTree(points)
    passes = np.floor(spots.at_s / PASS_S).astype(np.int64)
    here = tree.query_ball_point(points, spots.reach_m)
    around = tree.query_ball_point(points, 3 * spots.reach_m, return_length=True)
    for i, near in enumerate(here):
        if len(near) < STATIC_PASSES or around[i] > 1.5 * len(near):
            continue
        times = spots.at_s[near]
        static[i] = len(np.unique(passes[near])) >= STATIC_PASSES and np.ptp(times) >= STATIC_S
    return static
