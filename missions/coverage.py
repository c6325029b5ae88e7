"""Demands become tasks: where to look, and whom each look serves.

Demands of all agencies at about the same height are laid out together, so that
ground wanted twice is flown over once. Areas are mown as one union. What their
looks already see of a corridor is taken off it, and the rest is flown along its
line. What is then still unseen gets single looks. In the end every look is
credited to each demand whose ground it sees, whoever it was laid for.

"Seen" is settled on points 5 m apart, over the real terrain (see
`missions.footprint`), not by area arithmetic.
"""

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import shapely
from scipy.spatial import cKDTree
from shapely.ops import substring

from missions import lanes
from missions.airspace import CLEARANCE_M, Airspace, Ground
from missions.footprint import Footprint, Poses, seen
from missions.geo import Altitude, Area, Corridor, Datum, Floats, LatLon, LocalFrame
from missions.model import Demand, Look, Site, Task, TaskKind, Unserved
from missions.terrain import Terrain
from missions.vantage import Stand, Vantage, line_m, vantages
from missions.view import STRAIGHT_DOWN_DEG
from missions.volumes import Hours
from missions.watch import GRID_M, Group, Watch, groups
from missions.words import text

# How much closer than on level ground lanes and looks may be laid for the sake of slopes.
TIGHTER = (1.0, 0.94, 0.88, 0.82, 0.76, 0.7)

# Going out of one's way for a single look takes as long as so many looks of a strip.
LOOKS_OF_A_SINGLE = 2.5

# Unseen stretches of a corridor with less than this between them are flown as one.
JOIN_M = 60.0

# A demand that was due so many revisits ago is worth no more for waiting still longer.
MOST_LATE = 10.0

NO_POINTS = np.empty(0, dtype=np.intp)

# Below this a demand cannot be flown: legs keep 30 m over the ground.
LOWEST_M = 30.0


@dataclass(slots=True)
class _Strip:
    """Looks flown together: for each the demands it serves, for each demand the points all show."""

    poses: Poses
    serves: list[list[str]]
    stands: tuple[Stand, ...] = ()
    is_point: bool = False
    shows: dict[str, npt.NDArray[np.intp]] = field(default_factory=dict)


def tasks_of(
    site: Site,
    terrain: Terrain,
    demands: Sequence[Demand] | None = None,
    *,
    airspace: Airspace | None = None,
    late_s: Mapping[str, float] | None = None,
    language: str = "en-US",
) -> tuple[tuple[Task, ...], tuple[Unserved, ...]]:
    """Return the tasks that see all ground demanded, and the demands of which some cannot be seen.

    `demands` are the site's unless given, `airspace` that in which they are flown;
    `late_s` how long ago they were due. Whether a drone can reach a task is the
    planner's question.
    """
    wanted = tuple(site.demands if demands is None else demands)
    airspace = airspace or airspace_of(site, Ground.of(site, terrain, wanted), wanted)
    ground = airspace.ground
    unserved: list[Unserved] = []
    watches: list[Watch] = []
    oblique: list[Demand] = []
    for demand in wanted:
        footprint = Footprint.of(site.models, demand.sensors)
        if footprint is None:
            unserved.append(_unserved(demand, "no_camera", language))
        elif demand.view.is_oblique:
            oblique.append(demand)
        elif demand.height_m + (demand.view.wire_m or 0.0) < LOWEST_M:
            unserved.append(_unserved(demand, "too_low", language, lowest=LOWEST_M))
        else:
            watches.append(Watch.of(demand, footprint, ground))
    strips = [strip for group in groups(watches, site.models) for strip in _laid(group, airspace)]
    docks = np.array([ground.frame.to_local(d.place) for d in site.docks]).reshape(-1, 2)
    vantage, missed = vantages(oblique, airspace, site.models, docks)
    strips += [_standing(each) for each in vantage]
    unserved += [_unserved(m.demand, m.why, language, percent=m.percent) for m in missed]
    unserved += [u for watch in watches if (u := _left(watch, airspace, language))]
    return _tasks(site, wanted, strips, ground.frame, late_s or {}), tuple(unserved)


def airspace_of(
    site: Site, ground: Ground, demands: Sequence[Demand], *, hours: Hours | None = None
) -> Airspace:
    """Return the airspace in which these demands are flown: up to a little over the highest look."""
    highest = max((d.height_m + (d.view.wire_m or 0.0) for d in demands), default=0.0)
    return Airspace.of(site, ground, top_m=ground.top_m + highest, hours=hours)


def _standing(vantage: Vantage) -> _Strip:
    """Return looks that are taken standing still, as a strip."""
    east, north, altitude = np.array([(s.east_m, s.north_m, s.altitude_m) for s in vantage.stands]).T
    poses = Poses(east, north, altitude, np.full((len(east), 2), np.nan))
    serves = [list(vantage.demands) for _ in vantage.stands]
    return _Strip(poses, serves, vantage.stands, vantage.is_point)


def _laid(group: Group, airspace: Airspace) -> list[_Strip]:
    height_m = group[0].demand.height_m
    strips = _areas(group, airspace, height_m)
    for watch in sorted(group, key=lambda w: -w.shape.area):
        if isinstance(watch.demand.where, Corridor):
            strips += _corridor(watch, group, airspace, height_m)
    return strips + _single_looks(group, airspace, height_m)


def _areas(group: Group, airspace: Airspace, height_m: float) -> list[_Strip]:
    """Return strips over the union of the group's areas."""
    areas = [w for w in group if isinstance(w.demand.where, Area)]
    if not areas:
        return []
    footprint = areas[0].footprint
    for watch in areas[1:]:
        footprint = footprint.narrowest(watch.footprint)
    strips: list[_Strip] = []
    for part in lanes.polygons(airspace.without_zones(shapely.union_all([w.shape for w in areas]), height_m)):
        strips += _best(
            (
                lanes.over(
                    part, footprint, height_m=height_m, heights=airspace.ground.elevation_m, tight=tight
                )
                for tight in TIGHTER
            ),
            [(w, shapely.intersects_xy(part, w.points[:, 0], w.points[:, 1])) for w in areas],
            group,
            airspace,
            height_m,
        )
    return strips


def _corridor(watch: Watch, group: Group, airspace: Airspace, height_m: float) -> list[_Strip]:
    """Return strips along the stretches of a corridor that nothing laid so far sees."""
    where = watch.demand.where
    assert isinstance(where, Corridor)
    line = airspace.ground.frame.line(where.line)
    stretches = _stretches(shapely.line_locate_point(line, shapely.points(watch.unseen[:, :2])))
    return _best(
        (
            [
                lane
                for start, end in stretches
                for lane in lanes.along(
                    substring(line, start, end),
                    where.half_width_m,
                    watch.footprint,
                    height_m=height_m,
                    tight=tight,
                )
            ]
            for tight in TIGHTER
        ),
        [(watch, np.ones(len(watch.points), dtype=bool))],
        group,
        airspace,
        height_m,
    )


def _best(
    choices: Iterable[list[lanes.Lane]],
    ground: list[tuple[Watch, npt.NDArray[np.bool_]]],
    group: Group,
    airspace: Airspace,
    height_m: float,
) -> list[_Strip]:
    """Return the strips of the cheapest choice, single looks for what it leaves of the ground counted.

    Choices come from the widest apart to the closest, so that the first which
    leaves nothing is the best of all that follow. What it shows becomes seen.
    """
    best: list[_Strip] = []
    least = math.inf
    reach_m = min(group[0].footprint.reach_m(height_m))
    for laid in choices:
        strips = _credited(laid, group, airspace, height_m)
        singles = _clusters(np.vstack([_missed(w, mine, strips) for w, mine in ground]), reach_m)
        worth = sum(len(s.poses) for s in strips) + LOOKS_OF_A_SINGLE * singles
        if worth < least:
            best, least = strips, worth
        if not singles:
            break
    _mark(best, group)
    return best


def _missed(watch: Watch, mine: npt.NDArray[np.bool_], strips: list[_Strip]) -> Floats:
    """Return the points that would still be unseen after the strips."""
    is_seen = watch.is_seen.copy()
    for strip in strips:
        is_seen[strip.shows.get(watch.demand.id, NO_POINTS)] = True
    return watch.points[mine & ~is_seen & ~np.isnan(watch.points[:, 2])]


def _clusters(points: Floats, reach_m: float) -> int:
    """Return about how many single looks would show the points."""
    count = 0
    while len(points):
        points = points[np.hypot(*(points[:, :2] - points[0, :2]).T) > reach_m / 2]
        count += 1
    return count


def _mark(strips: list[_Strip], group: Group) -> None:
    for strip in strips:
        for name, points in strip.shows.items():
            group.by_id[name].is_seen[points] = True


def _stretches(at_m: Floats) -> list[tuple[float, float]]:
    """Return the stretches of a line around the given chainages, near ones joined."""
    if not len(at_m):
        return []
    ordered = np.sort(at_m)
    cuts = np.flatnonzero(np.diff(ordered) > JOIN_M)
    starts, ends = ordered[np.r_[0, cuts + 1]], ordered[np.r_[cuts, len(ordered) - 1]]
    return [(float(s), float(max(e, s + 2 * GRID_M))) for s, e in zip(starts, ends, strict=True)]


def _single_looks(group: Group, airspace: Airspace, height_m: float) -> list[_Strip]:
    """Return one look for each cluster of points that no strip sees; point demands are such points."""
    strips: list[_Strip] = []
    reach_m = min(min(w.footprint.reach_m(height_m)) for w in group)
    todo = [(w, k) for w in group for k in np.flatnonzero(~w.is_seen & ~np.isnan(w.points[:, 2]))]
    if not todo:
        return strips
    places = np.array([w.points[k, :2] for w, k in todo])
    tree = cKDTree(places)
    for n, (watch, k) in enumerate(todo):
        if watch.is_seen[k]:
            continue
        around = [
            m for m in tree.query_ball_point(places[n], reach_m / 2) if not todo[m][0].is_seen[todo[m][1]]
        ]
        # From the middle of the cluster if that shows the point, else from straight above it.
        for place in (places[around].mean(axis=0), places[n]):
            if not watch.is_seen[k]:
                strips += (more := _credited([place[None, :]], group, airspace, height_m))
                _mark(more, group)
    return strips


def _credited(laid: list[lanes.Lane], group: Group, airspace: Airspace, height_m: float) -> list[_Strip]:
    """Return the lanes that show anybody's ground, as strips."""
    strips = []
    for lane in laid:
        altitude_m = _altitude_m(lane, group[0], airspace, height_m)
        flyable = airspace.is_open(lane[:, 0], lane[:, 1], altitude_m) & ~np.isnan(altitude_m)
        flyable &= ~airspace.is_blind(lane[:, 0], lane[:, 1])
        if not flyable.any():
            continue
        lane, altitude_m = lane[flyable], altitude_m[flyable]
        headings = lanes.headings_deg(lane) if len(lane) > 1 else np.full((1, 2), np.nan)
        strip = _Strip(Poses(lane[:, 0], lane[:, 1], altitude_m, headings), [[] for _ in lane])
        for watch in group.near(strip.poses):
            shown = seen(strip.poses, watch.footprint, watch.points, watch.tree)
            strip.shows[watch.demand.id] = np.unique(np.concatenate(shown))
            for k, points in enumerate(shown):
                if len(points):
                    strip.serves[k].append(watch.demand.id)
        if any(strip.serves):
            strips.append(strip)
    return strips


def _altitude_m(lane: lanes.Lane, watch: Watch, airspace: Airspace, height_m: float) -> Floats:
    """Return how high to fly over each point: over the ground, or over the wire that is watched."""
    ground_m = airspace.ground.exact_m(lane[:, 0], lane[:, 1])
    demand = watch.demand
    if demand.view.wire_m is None or not isinstance(demand.where, Corridor):
        return ground_m + height_m
    line = airspace.ground.frame.line(demand.where.line)
    at_m = shapely.line_locate_point(line, shapely.points(lane[:, :2]))
    wire_m = np.array([line_m(demand, line, float(at), airspace) for at in at_m])
    return np.maximum(wire_m + height_m, ground_m + CLEARANCE_M)


def _left(watch: Watch, airspace: Airspace, language: str) -> Unserved | None:
    """Return what stays unseen of a demand and why, or None when all of it is seen."""
    missing = watch.points[~watch.is_seen]
    if not len(missing):
        return None
    percent = max(1, round(100 * len(missing) / len(watch.points)))
    flown_m = missing[:, 2] + watch.demand.height_m
    if not airspace.is_open(missing[:, 0], missing[:, 1], flown_m).all():
        why = "in_zone"
    elif airspace.is_blind(missing[:, 0], missing[:, 1]).any():
        why = "no_photo"
    elif np.isnan(missing[:, 2]).any():
        why = "off_terrain"
    else:
        why = "too_steep"
    return _unserved(watch.demand, why, language, percent=percent)


def _unserved(demand: Demand, why: str, language: str, **values: object) -> Unserved:
    values |= {
        "height": f"{demand.height_m:g}",
        "sensors": " + ".join(sorted(demand.sensors)),
    }
    return Unserved(
        demand.id,
        text(f"unserved.{why}", language, **values),
        text(f"unserved.{why}.help", language, **values),
    )


def _tasks(
    site: Site,
    demands: Sequence[Demand],
    strips: list[_Strip],
    frame: LocalFrame,
    late_s: Mapping[str, float],
) -> tuple[Task, ...]:
    """Return the strips as tasks; each asks for what all it serves ask for together."""
    by_id, place = {d.id: d for d in demands}, {d.id: k for k, d in enumerate(demands)}
    order = [a.id for a in site.agencies]
    looks = Counter(demand for strip in strips for look in strip.serves for demand in look)
    tasks = []
    for number, strip in enumerate(strips, start=1):
        mine = Counter(demand for look in strip.serves for demand in look)
        served = sorted((by_id[d] for d in mine), key=lambda d: place[d.id])
        agencies = {d.agency for d in served}
        tasks.append(
            Task(
                id=f"T{number:03d}",
                kind=TaskKind.POINT if strip.is_point or len(strip.poses) == 1 else TaskKind.STRIP,
                looks=_looks(strip, frame),
                sensors=frozenset().union(*(by_id[d].sensors for d in mine)),
                demands=tuple(d.id for d in served),
                agencies=tuple(sorted(agencies, key=lambda a: order.index(a) if a in order else len(order))),
                prize=round(sum(mine[d.id] * d.priority * _urgency(d, late_s) for d in served)),
                must=any(d.must for d in served),
                worth_s=_worth_s(served, mine, looks),
                revisit_s=min(d.revisit_s for d in served),
            )
        )
    return tuple(tasks)


def _urgency(demand: Demand, late_s: Mapping[str, float]) -> float:
    """Return how many times its priority a demand is worth: once more for each revisit it is late."""
    return 1.0 + min(MOST_LATE, max(0.0, late_s.get(demand.id, 0.0)) / demand.revisit_s)


def _worth_s(served: Sequence[Demand], mine: Counter[str], looks: Counter[str]) -> float | None:
    """Return the flying that a task is worth: its part of what its demands are; None for any."""
    worth = [d.worth_s * mine[d.id] / looks[d.id] for d in served if d.worth_s is not None]
    return sum(worth) if len(worth) == len(served) else None


def _looks(strip: _Strip, frame: LocalFrame) -> tuple[Look, ...]:
    lat, lon = frame.lat_lon(strip.poses.east_m, strip.poses.north_m)
    stands = strip.stands or [None] * len(strip.poses)
    return tuple(
        Look(
            LatLon(round(float(a), 7), round(float(o), 7)),
            Altitude(round(float(z), 2), Datum.AMSL),
            stand.pitch_deg if stand else STRAIGHT_DOWN_DEG,
            tuple(serves),
            stand.heading_deg if stand else None,
            stand.dwell_s if stand else 0.0,
        )
        for a, o, z, serves, stand in zip(lat, lon, strip.poses.altitude_m, strip.serves, stands, strict=True)
    )
