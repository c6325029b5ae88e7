"""Looks that are not straight down in passing: beside a point or a line, or all round from one place.

Such a look is taken standing still, the drone turned to where the camera is to look, since a copter that
flies on turns its nose along its way. What hills hide is not seen: the straight line from the camera
must stay over the ground.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import shapely
from shapely.geometry import LineString
from shapely.geometry.base import BaseGeometry

from missions.airspace import CLEARANCE_M, Airspace
from missions.footprint import FORWARD_OVERLAP, SIDELAP, Footprint
from missions.geo import Area, Corridor, Floats, LatLon
from missions.lanes import MOST_LOOKS
from missions.model import Demand, DroneModel, Sensor
from missions.view import STRAIGHT_DOWN_DEG, Side
from missions.watch import shape_of

# Turning to a new heading and letting the gimbal settle.
SETTLE_S = 5.0

# Bearings tried where any will do.
BEARINGS = 12

# Demands on one target no further apart than this share a look.
SAME_M = 15.0

# How far inside the picture a target must lie: gimbals and compasses are off by a degree or two.
EDGE_DEG = 2.5

# A line of sight is looked at in so many places, and must clear the ground by this.
SIGHT_STEPS, SIGHT_CLEAR_M = 40, 1.0

# Ground to be seen from afar is looked up this many times along the reach.
GRAINS = 30
MOST_POINTS = 6_000


@dataclass(frozen=True, slots=True)
class Stand:
    """Where the drone stands, in local metres and above sea level, and how it looks from there."""

    east_m: float
    north_m: float
    altitude_m: float
    pitch_deg: float
    heading_deg: float | None
    dwell_s: float


@dataclass(frozen=True, slots=True)
class Vantage:
    """Looks flown together: all from one place, or from one after the other along a line."""

    stands: tuple[Stand, ...]
    demands: tuple[str, ...]
    is_point: bool


@dataclass(frozen=True, slots=True)
class Missed:
    """A demand of which a part in a hundred is not seen, and why: a key of the catalogue."""

    demand: Demand
    why: str
    percent: int


def vantages(
    demands: Sequence[Demand], airspace: Airspace, models: tuple[DroneModel, ...], docks: Floats
) -> tuple[list[Vantage], list[Missed]]:
    """Return the looks that demands with a view of their own ask for, and what they miss.

    `docks` are the docks' places, a row each: of several places to stand the nearest to one is taken.
    """
    found: list[Vantage] = []
    missed: list[Missed] = []
    for group in _together(demands, airspace, models):
        demand = group[0]
        sensors = frozenset().union(*(d.sensors for d in group))
        footprint = Footprint.of(models, sensors)
        assert footprint is not None
        dwell_s = max(d.view.dwell_s for d in group)
        if isinstance(demand.where, LatLon):
            made, share, why = _beside_point(demand, airspace, footprint, docks, dwell_s)
        elif isinstance(demand.where, Corridor):
            made, share, why = _beside_line(demand, demand.where, airspace, footprint)
        else:
            made, share, why = _all_round(demand, demand.where, airspace, footprint)
        names = tuple(d.id for d in group)
        found += [replace(each, demands=names) for each in made]
        if share > 0:
            missed += [Missed(d, why, max(1, round(100 * share))) for d in group]
    return found, missed


Made = tuple[list[Vantage], float, str]


def _together(
    demands: Sequence[Demand], airspace: Airspace, models: tuple[DroneModel, ...]
) -> list[list[Demand]]:
    """Return demands that one look serves, whoever asks; what is not a point is by itself."""
    groups: list[list[Demand]] = []
    for demand in demands:
        for group in groups:
            if _is_same(demand, group[0], airspace) and _is_carried([*group, demand], models):
                group.append(demand)
                break
        else:
            groups.append([demand])
    return groups


def _is_same(a: Demand, b: Demand, airspace: Airspace) -> bool:
    alike = a.height_m == b.height_m and replace(a.view, dwell_s=0.0) == replace(b.view, dwell_s=0.0)
    if not alike or type(a.where) is not type(b.where):
        return False
    if isinstance(a.where, LatLon) and isinstance(b.where, LatLon):
        here, there = (np.array(airspace.ground.frame.to_local(p)) for p in (a.where, b.where))
        return bool(np.hypot(*(here - there)) <= SAME_M)
    return a.where == b.where


def _is_carried(demands: Sequence[Demand], models: tuple[DroneModel, ...]) -> bool:
    sensors: frozenset[Sensor] = frozenset().union(*(d.sensors for d in demands))
    return Footprint.of(models, sensors) is not None


def _beside_point(
    demand: Demand, airspace: Airspace, footprint: Footprint, docks: Floats, dwell_s: float
) -> Made:
    """Return the look at a point from the side it may be seen from."""
    assert isinstance(demand.where, LatLon)
    view = demand.view
    east, north = airspace.ground.frame.to_local(demand.where)
    target_m = float(airspace.ground.exact_m(np.array(east), np.array(north)))
    if math.isnan(target_m):
        return [], 1.0, "off_terrain"
    bearings = (
        [view.heading_deg] if view.heading_deg is not None else list(np.arange(BEARINGS) * 360 / BEARINGS)
    )
    places = [
        (
            east - view.stand_off_m * math.sin(math.radians(b)),
            north - view.stand_off_m * math.cos(math.radians(b)),
            b,
        )
        for b in bearings
    ]
    places.sort(key=lambda place: float(np.hypot(*(docks - np.array(place[:2])).T).min(initial=np.inf)))
    why = "no_stand"
    for x, y, bearing in places:
        altitude_m = _height(airspace, x, y, target_m + demand.height_m)
        if altitude_m is None or not _sees(airspace, (x, y, altitude_m), (east, north, target_m)):
            continue
        pitch_deg = _pitch(view.pitch_deg, view.stand_off_m, altitude_m - target_m)
        if pitch_deg is None or not _is_framed(pitch_deg, view.stand_off_m, altitude_m - target_m, footprint):
            why = "bad_pitch"
            continue
        heading_deg = float(bearing) if view.stand_off_m > 0 or view.heading_deg is not None else None
        settle_s = SETTLE_S if heading_deg is not None else 0.0
        stand = Stand(x, y, altitude_m, pitch_deg, heading_deg, max(dwell_s, settle_s))
        return [Vantage((stand,), (), True)], 0.0, ""
    return [], 1.0, why


def _beside_line(demand: Demand, where: Corridor, airspace: Airspace, footprint: Footprint) -> Made:
    """Return the looks along one side of a line, or along both."""
    view, line = demand.view, airspace.ground.frame.line(where.line)
    slant_m = math.hypot(view.stand_off_m, demand.height_m)
    step_m = max(5.0, 2 * footprint.across * slant_m * (1 - FORWARD_OVERLAP))
    sides = {Side.LEFT: (1,), Side.RIGHT: (-1,), Side.BOTH: (1, -1)}[view.side]
    found: list[Vantage] = []
    lost = total = 0
    why = "in_zone"
    for side in sides:
        stands: list[Stand] = []
        many = max(2, math.ceil(line.length / step_m) + 1)
        for at_m in np.linspace(0, line.length, many):
            total += 1
            stand = _stand_beside(demand, line, float(at_m), side, airspace, footprint)
            if isinstance(stand, Stand):
                stands.append(stand)
            else:
                lost, why = lost + 1, stand
                found += _pieces(stands)
                stands = []
        found += _pieces(stands)
    return found, lost / total, why


def _stand_beside(
    demand: Demand, line: LineString, at_m: float, side: int, airspace: Airspace, footprint: Footprint
) -> Stand | str:
    """Return where to stand beside a line, or the reason why nowhere."""
    view, target = demand.view, line.interpolate(at_m)
    before, after = line.interpolate(max(0.0, at_m - 1)), line.interpolate(min(line.length, at_m + 1))
    track = math.atan2(after.x - before.x, after.y - before.y)
    away = track - side * math.pi / 2
    x, y = target.x + view.stand_off_m * math.sin(away), target.y + view.stand_off_m * math.cos(away)
    target_m = line_m(demand, line, at_m, airspace)
    altitude_m = _height(airspace, x, y, target_m + demand.height_m)
    if altitude_m is None:
        return "in_zone"
    pitch_deg = _pitch(view.pitch_deg, view.stand_off_m, altitude_m - target_m)
    if pitch_deg is None or not _is_framed(pitch_deg, view.stand_off_m, altitude_m - target_m, footprint):
        return "bad_pitch"
    heading_deg = math.degrees(away + math.pi) % 360
    return Stand(x, y, altitude_m, pitch_deg, round(heading_deg, 1), SETTLE_S)


def line_m(demand: Demand, line: LineString, at_m: float, airspace: Airspace) -> float:
    """Return the height above the sea of a line's wire, or of the ground under it, so far along."""
    view = demand.view
    if view.wire_m is None:
        here = line.interpolate(at_m)
        return float(airspace.ground.elevation_m(np.array(here.x), np.array(here.y)))
    corners = np.asarray(line.coords)
    reach = np.r_[0.0, np.cumsum(np.hypot(*np.diff(corners, axis=0).T))]
    k = int(np.clip(np.searchsorted(reach, at_m, side="right") - 1, 0, len(reach) - 2))
    share = (at_m - reach[k]) / max(reach[k + 1] - reach[k], 1e-9)
    low, high = airspace.ground.elevation_m(corners[k : k + 2, 0], corners[k : k + 2, 1]) + view.wire_m
    # A wire hangs in a parabola, near enough: so much lower in the middle of the span.
    return float(low + share * (high - low) - 4 * view.sag_m * share * (1 - share))


def _pieces(stands: Sequence[Stand]) -> Iterator[Vantage]:
    """Yield stands along a line in pieces that a sortie can take by itself."""
    count = math.ceil(len(stands) / MOST_LOOKS)
    for piece in np.array_split(np.arange(len(stands)), count) if count else ():
        yield Vantage(tuple(stands[k] for k in piece), (), len(piece) == 1)


def _all_round(demand: Demand, where: Area, airspace: Airspace, footprint: Footprint) -> Made:
    """Return viewpoints from which, turning about, an area is seen: greedily, the most new ground first."""
    reach_m = demand.view.reach_m
    assert reach_m is not None
    shape = shape_of(where, airspace.ground.frame)
    points = _grid(shape, max(5.0, reach_m / GRAINS, math.sqrt(shape.area / MOST_POINTS)))
    heights = airspace.ground.elevation_m(points[:, 0], points[:, 1])
    known = ~np.isnan(heights)
    ground = np.column_stack([points[known], heights[known]])
    rings = _rings(demand.height_m, reach_m, footprint)
    places = _grid(shape, 0.6 * reach_m)
    shown = [_shown(airspace, x, y, demand, reach_m, ground) for x, y in places]
    unseen, found = np.ones(len(ground), dtype=bool), []
    while unseen.any():
        gains = [int((unseen & each).sum()) if each is not None else 0 for each in shown]
        best = int(np.argmax(gains)) if gains else 0
        if not gains or gains[best] == 0:
            break
        mine = shown[best]
        assert mine is not None
        shown[best] = None
        x, y = places[best]
        wanted = np.flatnonzero(unseen & mine)
        stands, framed = _turning(airspace, x, y, demand, rings, footprint, ground[wanted])
        if stands:
            found.append(Vantage(stands, (), True))
            unseen[wanted[framed]] = False
    share = float(unseen.sum() + (~known).sum()) / max(1, len(points))
    return found, share, "off_terrain" if unseen.sum() == 0 else "hidden"


def _rings(height_m: float, reach_m: float, footprint: Footprint) -> list[float]:
    """Return pitches, from the one that reaches furthest down to where straight down takes over."""
    half = math.degrees(math.atan(footprint.along)) - EDGE_DEG
    down = math.degrees(math.atan2(height_m, reach_m))
    pitches = []
    while down < 90 - half:
        pitches.append(-min(90.0, down + half))
        down += 2 * half * (1 - SIDELAP)
    return pitches


def _shown(
    airspace: Airspace, x: float, y: float, demand: Demand, reach_m: float, ground: Floats
) -> np.ndarray | None:
    """Return which points a viewpoint sees within its reach, None where it cannot be."""
    here_m = float(airspace.ground.elevation_m(np.array(x), np.array(y)))
    altitude_m = _height(airspace, x, y, here_m + demand.height_m)
    if altitude_m is None:
        return None
    away = np.hypot(ground[:, 0] - x, ground[:, 1] - y)
    near = (away <= 0.95 * reach_m) & (ground[:, 2] < altitude_m)
    seen = np.zeros(len(ground), dtype=bool)
    chosen = np.flatnonzero(near)
    share = np.linspace(0.05, 0.97, SIGHT_STEPS)[:, None]
    line_x, line_y = x + share * (ground[chosen, 0] - x), y + share * (ground[chosen, 1] - y)
    line_z = altitude_m + share * (ground[chosen, 2] - altitude_m)
    seen[chosen] = ((line_z - airspace.ground.elevation_m(line_x, line_y)) > SIGHT_CLEAR_M).all(axis=0)
    return seen


def _turning(
    airspace: Airspace,
    x: float,
    y: float,
    demand: Demand,
    rings: Sequence[float],
    footprint: Footprint,
    wanted: Floats,
) -> tuple[tuple[Stand, ...], np.ndarray]:
    """Return the looks of one viewpoint that add something, and which of the wanted points they show."""
    here_m = float(airspace.ground.elevation_m(np.array(x), np.array(y)))
    altitude_m = _height(airspace, x, y, here_m + demand.height_m)
    assert altitude_m is not None
    step_deg = 2 * (math.degrees(math.atan(footprint.across)) - EDGE_DEG) * (1 - SIDELAP)
    many = math.ceil(360 / step_deg)
    turns = [(pitch, heading) for pitch in rings for heading in np.arange(many) * 360 / many]
    choices = [Stand(x, y, altitude_m, STRAIGHT_DOWN_DEG, 0.0, SETTLE_S)]
    choices += [Stand(x, y, altitude_m, round(p, 1), round(float(h), 1), SETTLE_S) for p, h in turns]
    framed = np.zeros(len(wanted), dtype=bool)
    kept = []
    for stand in choices:
        new = _framed(stand, wanted, footprint) & ~framed
        if new.any():
            kept.append(stand)
            framed |= new
    return tuple(kept), framed


def _framed(stand: Stand, points: Floats, footprint: Footprint) -> np.ndarray:
    """Return which points lie well inside the picture of a look."""
    east, north, up = (points - (stand.east_m, stand.north_m, stand.altitude_m)).T
    heading, pitch = math.radians(stand.heading_deg or 0.0), math.radians(stand.pitch_deg)
    ahead = east * math.sin(heading) + north * math.cos(heading)
    depth = ahead * math.cos(pitch) + up * math.sin(pitch)
    inside = depth > 0
    for off, half in (
        (east * math.cos(heading) - north * math.sin(heading), footprint.across),
        (up * math.cos(pitch) - ahead * math.sin(pitch), footprint.along),
    ):
        inside &= np.abs(off) <= depth * math.tan(math.atan(half) - math.radians(EDGE_DEG))
    return np.asarray(inside)


def _grid(shape: BaseGeometry, step_m: float) -> Floats:
    """Return points inside a shape, so far apart; one at least."""
    left, bottom, right, top = shapely.bounds(shape)
    x, y = np.meshgrid(
        np.arange(left + step_m / 2, right, step_m), np.arange(bottom + step_m / 2, top, step_m)
    )
    inside = shapely.contains_xy(shape, x, y)
    if not inside.any():
        middle = shapely.point_on_surface(shape)
        return np.array([[shapely.get_x(middle), shapely.get_y(middle)]])
    return np.column_stack([x[inside], y[inside]])


def _height(airspace: Airspace, x: float, y: float, wanted_m: float) -> float | None:
    """Return the height wanted, or what the ground below asks for; None where nothing may fly."""
    ground_m = float(airspace.ground.exact_m(np.array(x), np.array(y)))
    if math.isnan(ground_m):
        return None
    altitude_m = max(wanted_m, ground_m + CLEARANCE_M)
    at = np.array([x]), np.array([y])
    is_open = airspace.is_open(*at, np.array([altitude_m])) & ~airspace.is_blind(*at)
    return round(altitude_m, 2) if is_open.all() else None


def _sees(airspace: Airspace, a: tuple[float, float, float], b: tuple[float, float, float]) -> bool:
    """Return whether no ground stands between a camera and its target."""
    share = np.linspace(0.05, 0.95, SIGHT_STEPS)
    x, y, z = (p + share * (q - p) for p, q in zip(a, b, strict=True))
    return bool((z - airspace.ground.elevation_m(x, y) > 0).all())


def _pitch(wanted_deg: float, beside_m: float, above_m: float) -> float | None:
    """Return the pitch that is asked for, or the one that aims at the target."""
    if wanted_deg != STRAIGHT_DOWN_DEG or beside_m == 0:
        return wanted_deg
    return round(-math.degrees(math.atan2(above_m, beside_m)), 1)


def _is_framed(pitch_deg: float, beside_m: float, above_m: float, footprint: Footprint) -> bool:
    """Return whether the target lies well inside the picture at this pitch."""
    down_deg = math.degrees(math.atan2(above_m, beside_m))
    return abs(down_deg + pitch_deg) <= math.degrees(math.atan(footprint.along)) - EDGE_DEG
