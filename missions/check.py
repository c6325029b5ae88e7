"""Proves a plan from its waypoints alone, by other means than those that made it.

Nothing of the planner is imported: distances are geodesic, wind is a vector
equation, the terrain is asked directly, zones are cut in degrees. A fault is a
sentence; no faults means that the plan may be flown as far as can be known
beforehand.
"""

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import pairwise

import numpy as np
from shapely.geometry import LineString, Polygon

from missions.check_views import shown
from missions.geo import LatLon, bearing_deg, distance_m
from missions.model import Demand, Dock, DroneModel, NoFly, Plan, Site, Sortie, Task, Waypoint, Wind
from missions.terrain import Terrain

LEAST_CLEARANCE_M = 30.0
EVERY_M = 10.0
MOST_SHOTS = 300
MOST_ITEMS = 650

# Points of ours that lie on the very rim of a demand may miss the last picture by a hand.
LEAST_SHOWN = 0.99

# What the plan says and what we work out may differ by this share: a turn here, a rounding there;
# on a hop of a minute one turn is more than that, and allowed.
AGREE = 0.04

# Taking off, touching down and turning about, in seconds of hovering (flown, not calculated).
SPIN_UP_S, TOUCHDOWN_S, ABOUT_TURN_S = 5.0, 15.0, 4.0


def faults(
    plan: Plan,
    site: Site,
    terrain: Terrain,
    *,
    demands: Sequence[Demand] | None = None,
    longest_s: float | None = None,
) -> tuple[str, ...]:
    """Return what is wrong with a plan, nothing when it holds.

    `demands` are what it was asked for (the site's unless given), `longest_s`
    the longest flight allowed.
    """
    wanted = site.demands if demands is None else demands
    found = [*_served(plan, wanted), *_seen(plan, site, terrain, wanted)]
    for sortie in plan.sorties:
        problems = (
            *_shape(sortie, plan, site),
            *_clearance(sortie, terrain),
            *_zones(sortie, site.no_fly),
            *_endurance(sortie, site, longest_s),
        )
        found += [f"sortie {sortie.id}: {problem}" for problem in problems]
    return tuple(found)


def _served(plan: Plan, demands: Sequence[Demand]) -> Iterator[str]:
    """Yield demands that are neither flown in full nor admitted as unserved, and tasks flown twice."""
    times = Counter(task for sortie in plan.sorties for task in sortie.tasks)
    yield from (f"task {task} is flown {n} times" for task, n in times.items() if n > 1)
    admitted = {u.demand for u in plan.unserved}
    for demand in demands:
        needed = {t.id for t in plan.tasks if demand.id in t.demands}
        if demand.id not in admitted and (not needed or needed - times.keys()):
            yield f"demand {demand.id} is neither served nor listed as unserved"


def _seen(plan: Plan, site: Site, terrain: Terrain, demands: Sequence[Demand]) -> Iterator[str]:
    """Yield demands that are said to be served and whose ground is not in the pictures."""
    admitted = {u.demand for u in plan.unserved}
    claimed = [d for d in demands if d.id not in admitted]
    for demand, (share, points) in shown(plan, site, terrain, claimed).items():
        if share < LEAST_SHOWN:
            yield f"demand {demand}: {1 - share:.0%} of its {points} points on the ground are in no picture"


def _shape(sortie: Sortie, plan: Plan, site: Site) -> Iterator[str]:
    """Yield what is wrong with a sortie as a list: its ends, heights, pictures and agencies."""
    dock, points = site.dock(sortie.dock), sortie.waypoints
    if len(points) < 3 or len(sortie.shots) == 0:
        yield "it looks at nothing"
        return
    for end, name in ((points[0], "start"), (points[-1], "end")):
        if distance_m(end.place, dock.place) > 2.0:
            yield f"it does not {name} over dock {dock.id}"
    if any(abs(w.altitude.metres - dock.elevation_m - w.above_dock_m) > 0.02 for w in points):
        yield "a height over the dock does not fit the height over the sea"
    if not any(d.dock == sortie.dock and d.model == sortie.model for d in site.drones):
        yield f"dock {sortie.dock} has no drone of model {sortie.model}"
    if len(sortie.shots) > MOST_SHOTS or len(points) + len(sortie.shots) + 6 > MOST_ITEMS:
        yield f"{len(sortie.shots)} pictures and {len(points)} waypoints are more than an autopilot holds"
    if set(sortie.agencies) != {a for w in points for a in w.agencies}:
        yield "its agencies are not those of its pictures"
    known = {t.id: t for t in plan.tasks}
    if {w.task for w in sortie.shots} != set(sortie.tasks):
        yield "the tasks it names are not those it looks at"
    model = site.model(sortie.model)
    for task in (known[t] for t in sortie.tasks if t in known):
        if not all(model.camera(sensor) for sensor in task.sensors):
            yield f"model {model.name} lacks a camera that task {task.id} needs"
        if not _is_flown(task, [w for w in sortie.shots if w.task == task.id]):
            yield f"the pictures of task {task.id} are not where the task has them"
    yield from (f"task {t} is not in the plan" for t in sortie.tasks if t not in known)


def _is_flown(task: Task, shots: list[Waypoint]) -> bool:
    """Return whether the pictures are the task's looks, one after the other from either end."""
    if len(shots) != len(task.looks):
        return False
    return any(
        all(
            distance_m(shot.place, look.place) <= 1.0
            and abs(shot.altitude.metres - look.altitude.metres) <= 0.1
            for shot, look in zip(shots, looks, strict=True)
        )
        for looks in (task.looks, task.looks[::-1])
    )


def _clearance(sortie: Sortie, terrain: Terrain) -> Iterator[str]:
    """Yield legs that come closer to the ground than is safe, or leave the elevation model."""
    for number, (a, b) in enumerate(pairwise(sortie.waypoints)):
        share = np.linspace(0, 1, max(2, math.ceil(distance_m(a.place, b.place) / EVERY_M) + 1))
        ground = terrain.elevation_m(
            a.place.lat_deg + share * (b.place.lat_deg - a.place.lat_deg),
            a.place.lon_deg + share * (b.place.lon_deg - a.place.lon_deg),
        )
        flown = a.altitude.metres + share * (b.altitude.metres - a.altitude.metres)
        if np.isnan(ground).any():
            yield f"leg {number} leaves the elevation model"
        elif (lowest := float((flown - ground).min())) < LEAST_CLEARANCE_M:
            yield f"leg {number} comes within {lowest:.0f} m of the ground"


def _zones(sortie: Sortie, zones: Sequence[NoFly]) -> Iterator[str]:
    for zone in zones:
        shape = Polygon(
            [(p.lon_deg, p.lat_deg) for p in zone.area.outer],
            [[(p.lon_deg, p.lat_deg) for p in hole] for hole in zone.area.holes],
        )
        for number, (a, b) in enumerate(pairwise(sortie.waypoints)):
            low, high = sorted((a.altitude.metres, b.altitude.metres))
            over = zone.ceiling_m is not None and low > zone.ceiling_m
            under = zone.floor_m is not None and high < zone.floor_m
            ends = [(p.place.lon_deg, p.place.lat_deg) for p in (a, b)]
            if not over and not under and shape.intersects(LineString(ends)):
                yield f"leg {number} enters no-fly zone {zone.id}"


def _endurance(sortie: Sortie, site: Site, longest_s: float | None) -> Iterator[str]:
    """Yield where time, energy or reserve are claimed wrongly or are more than there is."""
    model, dock = site.model(sortie.model), site.dock(sortie.dock)
    if site.wind.speed_m_s > min(model.max_wind_m_s, dock.max_wind_m_s):
        yield "the wind is more than the drone or the dock may bear"
    try:
        time_s, energy_wh = _flown(sortie, model, dock, site.wind)
    except ValueError:
        yield "the wind along a leg is stronger than the drone"
        return
    if abs(time_s - sortie.flight_s) > max(AGREE * time_s, ABOUT_TURN_S):
        yield f"it says {sortie.flight_s:.0f} s and takes {time_s:.0f} s"
    turn_wh = ABOUT_TURN_S * model.hover_w / 3600
    if abs(energy_wh - sortie.energy_wh) > max(AGREE * energy_wh, turn_wh):
        yield f"it says {sortie.energy_wh:.0f} Wh and takes {energy_wh:.0f} Wh"
    if max(energy_wh, sortie.energy_wh) > model.battery_wh * model.health * (1 - model.reserve):
        yield f"it eats into the reserve: {energy_wh:.0f} of {model.battery_wh:g} Wh"
    left_min = 60 * (model.battery_wh * model.health - sortie.energy_wh) / model.hover_w
    if abs(left_min - sortie.reserve_min) > 0.2:
        yield f"it says {sortie.reserve_min:.1f} min of reserve and has {left_min:.1f}"
    if longest_s is not None and max(time_s, sortie.flight_s) > longest_s:
        yield f"{time_s / 60:.1f} min are longer than {longest_s / 60:.0f} min"


def _flown(sortie: Sortie, model: DroneModel, dock: Dock, wind: Wind) -> tuple[float, float]:
    """Return the seconds and watt hours of the whole flight, the dock's pad to the dock's pad."""
    first, last = sortie.waypoints[0], sortie.waypoints[-1]
    up_s = SPIN_UP_S + (first.altitude.metres - dock.elevation_m) / model.climb_m_s
    down_s = (last.altitude.metres - dock.elevation_m) / model.descent_m_s
    seconds = up_s + down_s + TOUCHDOWN_S
    joules = up_s * model.climb_w + down_s * model.descent_w + TOUCHDOWN_S * model.hover_w
    track: float | None = None
    for a, b in pairwise(sortie.waypoints):
        run_m, rise_m = distance_m(a.place, b.place), b.altitude.metres - a.altitude.metres
        if run_m > 0.5:
            onward = bearing_deg(a.place, b.place)
            if track is not None:
                turning_s = ABOUT_TURN_S * abs((onward - track + 180) % 360 - 180) / 180
                seconds, joules = seconds + turning_s, joules + turning_s * model.hover_w
            track = onward
        leg_s, leg_j = _leg(a.place, b.place, run_m, rise_m, model, wind)
        seconds, joules = seconds + leg_s, joules + leg_j
    return seconds, joules / 3600


def _leg(
    a: LatLon, b: LatLon, run_m: float, rise_m: float, model: DroneModel, wind: Wind
) -> tuple[float, float]:
    """Return seconds and joules of one leg: cruising as long as that takes, hovering for the rest."""
    cruising_s = 0.0
    if run_m > 0.01:
        cruising_s = run_m / min(
            _over_ground(bearing_deg(a, b), model.cruise_m_s, wind), _reached(run_m, model)
        )
    up_s, down_s = max(rise_m, 0) / model.climb_m_s, max(-rise_m, 0) / model.descent_m_s
    seconds = max(cruising_s, up_s, down_s)
    joules = cruising_s * model.cruise_w + (seconds - cruising_s) * model.hover_w
    joules += up_s * (model.climb_w - model.hover_w) + down_s * (model.descent_w - model.hover_w)
    return seconds, joules


def _reached(run_m: float, model: DroneModel) -> float:
    """Return the speed a drone has halfway when it starts and ends a leg at rest, by halving.

    It speeds up for v/a seconds and, as thrust changes no faster than the jerk, a/j
    more; it covers the middle speed times that, twice.
    """
    low, high = 0.0, 100.0
    for _ in range(40):
        v = (low + high) / 2
        a = min(model.accel_m_s2, math.sqrt(v * model.jerk_m_s3))
        is_too_far = v * (v / a + a / model.jerk_m_s3) > run_m
        low, high = (low, v) if is_too_far else (v, high)
    return low


def _over_ground(track: float, airspeed: float, wind: Wind) -> float:
    """Return the speed g along the track for which |g·track - wind| is the airspeed."""
    blows = math.radians(wind.from_deg + 180)
    wind_east, wind_north = wind.speed_m_s * math.sin(blows), wind.speed_m_s * math.cos(blows)
    along = wind_east * math.sin(math.radians(track)) + wind_north * math.cos(math.radians(track))
    # g² - 2·g·along + |wind|² - airspeed² = 0; a negative root has no real speed (ValueError).
    speed = along + math.sqrt(along**2 - wind.speed_m_s**2 + airspeed**2)
    if speed <= 0:
        raise ValueError
    return speed
