"""Lanes: where to fly and look so that an area or a corridor is seen without a gap.

An area is mown in parallel lanes. The plane is cut into slabs as wide as the
lane spacing, and each lane looks at the part of the area inside its slab, from
the first to the last bit of it. The direction is the one that takes the least
time, climbs counted. A corridor is flown along its line, in as many parallel
lanes as its width asks for.
"""

import math
from collections.abc import Callable, Iterator

import numpy as np
import shapely
from shapely import affinity
from shapely.geometry import LineString, MultiPolygon, Polygon, box
from shapely.geometry.base import BaseGeometry

from missions.footprint import Footprint
from missions.geo import Floats

# A lane's points in local metres, in flying order, one row a look.
Lane = Floats

# What reaching one more lane costs, in seconds, when directions are compared.
LANE_CHANGE_S = 12.0
DIRECTION_STEP_DEG = 5
CRUISE_M_S, RATE_M_S = 12.0, 3.0  # typical; only directions are compared by them

# Share of the reach left beyond the last look of a corridor, whose end is seldom square to the track.
CORRIDOR_END = 0.6

# A strip no longer than this many looks lets several sorties share one area.
MOST_LOOKS = 12

Heights = Callable[[Floats, Floats], Floats]


def over(
    shape: BaseGeometry, footprint: Footprint, *, height_m: float, heights: Heights, tight: float = 1.0
) -> list[Lane]:
    """Return lanes that see the whole shape from a height over its ground.

    `tight` under 1 lays lanes and looks closer, for slopes where the uphill side is near.
    """
    lanes: list[Lane] = []
    for part in polygons(shape):
        choices: list[list[Lane]] = [
            _mown(part, angle, footprint, height_m=height_m, tight=tight) for angle in _directions(part)
        ]
        lanes += choices[int(np.argmin([_time_s(choice, heights) for choice in choices]))]
    return [piece for lane in lanes for piece in split(lane)]


def along(
    line: LineString, half_width_m: float, footprint: Footprint, *, height_m: float, tight: float = 1.0
) -> list[Lane]:
    """Return lanes along a line that see it and its ground on both sides."""
    reach_across, reach_along = footprint.reach_m(height_m)
    side = max(0.0, half_width_m - reach_across)
    lanes = 1 + math.ceil(2 * side / (footprint.lane_spacing_m(height_m) * tight))
    offsets = [0.0] if lanes == 1 else np.linspace(-side, side, lanes)
    found: list[Lane] = []
    for offset in offsets:
        beside = line if offset == 0 else line.offset_curve(offset)
        for piece in getattr(beside, "geoms", [beside]):
            if piece.length > 0:
                step = footprint.shot_spacing_m(height_m) * tight
                at = _stations(0.0, piece.length, reach_along * CORRIDOR_END, step)
                found += split(np.array([piece.interpolate(s).coords[0][:2] for s in at]))
    return found


def split(lane: Lane) -> list[Lane]:
    """Return the lane in pieces of nearly equal length with no more looks than a strip may have."""
    pieces = math.ceil(len(lane) / MOST_LOOKS)
    return [np.asarray(piece) for piece in np.array_split(lane, pieces)]


def headings_deg(lane: Lane) -> Floats:
    """Return for each look the heading of the way to it and of the way from it (n × 2)."""
    steps = np.diff(lane, axis=0)
    bearing = np.degrees(np.arctan2(steps[:, 0], steps[:, 1])) % 360
    return np.column_stack([np.r_[bearing[:1], bearing], np.r_[bearing, bearing[-1:]]])


def _directions(part: Polygon) -> Iterator[float]:
    """Yield angles worth trying: that of the narrowest box around the part, then all round."""
    corners = np.asarray(part.minimum_rotated_rectangle.exterior.coords)
    sides = np.diff(corners, axis=0)[:2]
    longest = sides[np.argmax(np.hypot(*sides.T))]
    yield math.degrees(math.atan2(longest[1], longest[0])) % 180
    yield from range(0, 180, DIRECTION_STEP_DEG)


def _mown(
    part: Polygon, angle_deg: float, footprint: Footprint, *, height_m: float, tight: float
) -> list[Lane]:
    """Return the lanes over a polygon that run at an angle, counter-clockwise from east."""
    turned = affinity.rotate(part, -angle_deg, origin=(0, 0))
    shapely.prepare(turned)
    left, bottom, right, top = turned.bounds
    reach_across, reach_along = footprint.reach_m(height_m)
    step = footprint.shot_spacing_m(height_m) * tight
    widest = min(footprint.lane_spacing_m(height_m) * tight, 2 * reach_across)
    count = max(1, math.ceil((top - bottom - 2 * reach_across) / widest) + 1)
    low, high = bottom + reach_across, top - reach_across
    middles = np.linspace(low, high, count) if count > 1 else np.array([(bottom + top) / 2])
    edges = np.r_[bottom - 1, (middles[1:] + middles[:-1]) / 2, top + 1]
    sin, cos = math.sin(math.radians(angle_deg)), math.cos(math.radians(angle_deg))
    lanes = []
    for y, below, above in zip(middles, edges, edges[1:], strict=False):
        slab = turned.intersection(box(left - 1, below, right + 1, above))
        for start, end in _intervals(slab, gap=2 * step):
            x = _stations(start, end, reach_along, step)
            lanes.append(np.column_stack([x * cos - y * sin, x * sin + y * cos]))
    return lanes


def _stations(start: float, end: float, reach_m: float, step_m: float) -> Floats:
    """Return where to look along a line so that all of it is within reach; at least two places.

    One look would have no direction of its own.
    """
    inner = end - start - 2 * reach_m
    if inner <= 0:
        middle, apart = (start + end) / 2, min(step_m, max(end - start, 10.0)) / 2
        return np.array([middle - apart / 2, middle + apart / 2])
    return np.linspace(start + reach_m, end - reach_m, max(2, math.ceil(inner / step_m) + 1))


def _intervals(slab: BaseGeometry, *, gap: float) -> Iterator[tuple[float, float]]:
    """Yield the stretches of x that the parts of a slab fill, those closer than `gap` as one."""
    spans = sorted((p.bounds[0], p.bounds[2]) for p in polygons(slab))
    if not spans:
        return
    start, end = spans[0]
    for left, right in spans[1:]:
        if left - end > gap:
            yield start, end
            start = left
        end = max(end, right)
    yield start, end


def polygons(shape: BaseGeometry) -> list[Polygon]:
    if isinstance(shape, Polygon):
        return [] if shape.is_empty else [shape]
    if isinstance(shape, MultiPolygon):
        return list(shape.geoms)
    return [p for part in getattr(shape, "geoms", []) for p in polygons(part)]


def _time_s(lanes: list[Lane], heights: Heights) -> float:
    """Return about how long the lanes take: along, or up and down where that is slower."""
    total = LANE_CHANGE_S * len(lanes)
    for lane in lanes:
        rise = np.abs(np.diff(np.nan_to_num(heights(lane[:, 0], lane[:, 1]))))
        run = np.hypot(*np.diff(lane, axis=0).T)
        total += float(np.maximum(run / CRUISE_M_S, rise / RATE_M_S).sum())
    return total
