"""Proves a sortie's time, energy and reserve, and that it could break off anywhere and still reach a dock.

Wind is a vector at the heights it is told for, and each leg is worked out for every wind of the
forecast. Nothing of the planner is imported.
"""

import math
from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import pairwise

import numpy as np
from shapely.geometry import LineString, Polygon

from missions.geo import LatLon, bearing_deg, distance_m
from missions.model import Dock, DroneModel, Site, Sortie, Waypoint, Wind
from missions.terrain import Terrain

# What the plan says and what we work out may differ by this share: a turn here, a rounding there;
# on a hop of a minute one turn is more than that, and allowed.
AGREE = 0.04

# Taking off, touching down and turning about, in seconds of hovering (flown, not calculated).
SPIN_UP_S, TOUCHDOWN_S, ABOUT_TURN_S = 5.0, 15.0, 4.0

# A leg through changing wind is worked out in so many pieces.
PIECES = 4

# Breaking off, the drone first climbs to this over the highest ground in between.
SAFE_M, OVER_DOCK_M = 40.0, 40.0

Leg = tuple[float, float]  # seconds, joules


def faults(sortie: Sortie, site: Site, terrain: Terrain, longest_s: float | None) -> Iterator[str]:
    """Yield where time, energy or reserve are claimed wrongly or are more than there is."""
    model, dock = site.model(sortie.model), site.dock(sortie.dock)
    if max(w.speed_m_s for w in site.winds) > min(
        model.max_wind_m_s, dock.max_wind_m_s, site.dock(sortie.lands_at).max_wind_m_s
    ):
        yield "the wind is more than the drone or the dock may bear"
    try:
        time_s, energy_wh, _ = _flown(sortie, site, [site.wind])
        worst_s, worst_wh, used_wh = _flown(sortie, site, site.winds)
    except ValueError:
        yield "the wind along a leg is stronger than the drone"
        return
    turn_wh = ABOUT_TURN_S * model.hover_w / 3600
    for claimed, found, unit, turn in (
        (sortie.flight_s, time_s, "s", ABOUT_TURN_S),
        (sortie.energy_wh, energy_wh, "Wh", turn_wh),
        (sortie.worst_s, worst_s, "s in the worst wind", ABOUT_TURN_S),
        (sortie.worst_wh, worst_wh, "Wh in the worst wind", turn_wh),
    ):
        if abs(found - claimed) > max(AGREE * found, turn):
            yield f"it says {claimed:.0f} {unit} and takes {found:.0f} {unit}"
    usable_wh = model.battery_wh * model.health * (1 - model.reserve)
    if max(worst_wh, sortie.needs_wh) > usable_wh:
        yield f"it eats into the reserve: {worst_wh:.0f} of {model.battery_wh:g} Wh"
    left_min = 60 * (model.battery_wh * model.health - sortie.needs_wh) / model.hover_w
    if abs(left_min - sortie.reserve_min) > 0.2:
        yield f"it says {sortie.reserve_min:.1f} min of reserve and has {left_min:.1f}"
    if longest_s is not None and max(worst_s, sortie.flight_s) > longest_s:
        yield f"{worst_s / 60:.1f} min are longer than {longest_s / 60:.0f} min"
    if sortie.spare_wh < 0:
        yield f"breaking off it would eat {-sortie.spare_wh:.0f} Wh into the reserve, by its own word"
    yield from _stranded(sortie, site, terrain, used_wh, usable_wh)


def _stranded(
    sortie: Sortie, site: Site, terrain: Terrain, used_wh: Sequence[float], usable_wh: float
) -> Iterator[str]:
    """Yield the waypoint from which no dock can be reached with the reserve left, if there is one."""
    model = site.model(sortie.model)
    home_wh = np.array([_home_wh(sortie, dock, site, model, terrain) for dock in site.docks])
    nearest = home_wh.min(axis=0)
    for number, (used, home) in enumerate(zip(used_wh, nearest, strict=True)):
        # Where zones shut all straight ways, the way flown is the proof, and counted as a whole.
        if math.isfinite(home) and used + home > usable_wh * (1 + AGREE):
            yield f"from waypoint {number} no dock is in reach in the worst wind"
            return


def _home_wh(sortie: Sortie, dock: Dock, site: Site, model: DroneModel, terrain: Terrain) -> np.ndarray:
    """Return the energy to a dock from each waypoint straight on, infinite where a zone is in between."""
    share = np.linspace(0, 1, 60)
    lat = np.array([w.place.lat_deg for w in sortie.waypoints])[:, None]
    lon = np.array([w.place.lon_deg for w in sortie.waypoints])[:, None]
    ground = terrain.elevation_m(
        lat + share * (dock.place.lat_deg - lat), lon + share * (dock.place.lon_deg - lon)
    )
    shut = [Polygon([(p.lon_deg, p.lat_deg) for p in zone.area.outer]) for zone in site.no_fly]
    found = []
    for waypoint, below in zip(sortie.waypoints, ground, strict=True):
        if np.isnan(below).any() or _is_shut_off(waypoint.place, dock.place, shut):
            found.append(math.inf)
            continue
        here_m, over_m = waypoint.altitude.metres, dock.elevation_m + OVER_DOCK_M
        height_m = max(here_m, float(below[:-1].max()) + SAFE_M, over_m)
        try:
            joules = max(
                _arc_j(waypoint.place, dock.place, (here_m, height_m, over_m), model, wind)
                for wind in site.winds
            )
        except ValueError:
            found.append(math.inf)
            continue
        down_s = (over_m - dock.elevation_m) / model.descent_m_s
        found.append((joules + down_s * model.descent_w + TOUCHDOWN_S * model.hover_w) / 3600)
    return np.array(found)


def _arc_j(
    a: LatLon, b: LatLon, heights_m: tuple[float, float, float], model: DroneModel, wind: Wind
) -> float:
    """Return the joules of a leg that climbs to its middle height and comes down again on the way."""
    here_m, top_m, there_m = heights_m
    seconds, joules = _leg(a, b, top_m - here_m, top_m, model, wind)
    up_s, down_s = (top_m - here_m) / model.climb_m_s, (top_m - there_m) / model.descent_m_s
    longer_s = max(0.0, up_s + down_s - seconds)
    return joules + down_s * (model.descent_w - model.hover_w) + longer_s * model.hover_w


def _is_shut_off(a: LatLon, b: LatLon, shut: Sequence[Polygon]) -> bool:
    leg = LineString([(a.lon_deg, a.lat_deg), (b.lon_deg, b.lat_deg)])
    return any(zone.intersects(leg) for zone in shut)


def _flown(sortie: Sortie, site: Site, winds: Sequence[Wind]) -> tuple[float, float, list[float]]:
    """Return seconds and watt hours from pad to pad, and those used at each waypoint, in the worst wind."""
    model, dock, landing = site.model(sortie.model), site.dock(sortie.dock), site.dock(sortie.lands_at)
    first, last = sortie.waypoints[0], sortie.waypoints[-1]
    up_s = SPIN_UP_S + (first.altitude.metres - dock.elevation_m) / model.climb_m_s
    down_s = (last.altitude.metres - landing.elevation_m) / model.descent_m_s
    seconds, joules = up_s, up_s * model.climb_w
    used = [joules / 3600]
    track: float | None = None
    for a, b in pairwise(sortie.waypoints):
        if distance_m(a.place, b.place) > 0.5:
            onward = bearing_deg(a.place, b.place)
            if track is not None:
                turning_s = ABOUT_TURN_S * abs((onward - track + 180) % 360 - 180) / 180
                seconds, joules = seconds + turning_s, joules + turning_s * model.hover_w
            track = onward
        leg_s, leg_j = _worst_leg(a, b, model, winds)
        seconds, joules = seconds + leg_s + b.dwell_s, joules + leg_j + b.dwell_s * model.hover_w
        used.append(joules / 3600)
    seconds += down_s + TOUCHDOWN_S
    joules += down_s * model.descent_w + TOUCHDOWN_S * model.hover_w
    return seconds, joules / 3600, used


def _worst_leg(a: Waypoint, b: Waypoint, model: DroneModel, winds: Sequence[Wind]) -> Leg:
    rise_m = b.altitude.metres - a.altitude.metres
    legs = [_leg(a.place, b.place, rise_m, b.altitude.metres, model, wind) for wind in winds]
    return max(seconds for seconds, _ in legs), max(joules for _, joules in legs)


def _leg(a: LatLon, b: LatLon, rise_m: float, end_m: float, model: DroneModel, wind: Wind) -> Leg:
    """Return seconds and joules of one leg: cruising as long as that takes, hovering for the rest."""
    run_m = distance_m(a, b)
    cruising_s = 0.0
    if run_m > 0.01:
        reached, track = _reached(run_m, model.accel_m_s2, model.jerk_m_s3), bearing_deg(a, b)
        pieces = PIECES if wind.aloft else 1
        cruising_s = sum(
            run_m / pieces / min(_over_ground(track, model, _blowing(wind, height_m)), reached)
            for height_m in (end_m - rise_m + rise_m * (k + 0.5) / pieces for k in range(pieces))
        )
    up_s, down_s = max(rise_m, 0) / model.climb_m_s, max(-rise_m, 0) / model.descent_m_s
    seconds = max(cruising_s, up_s, down_s)
    joules = cruising_s * model.cruise_w + (seconds - cruising_s) * model.hover_w
    joules += up_s * (model.climb_w - model.hover_w) + down_s * (model.descent_w - model.hover_w)
    return seconds, joules


@lru_cache(maxsize=4096)  # a leg is asked for once a wind
def _reached(run_m: float, accel_m_s2: float, jerk_m_s3: float) -> float:
    """Return the speed a drone has halfway when it starts and ends a leg at rest, by halving.

    It speeds up for v/a seconds and, as thrust changes no faster than the jerk, a/j
    more; it covers the middle speed times that, twice.
    """
    low, high = 0.0, 100.0
    for _ in range(40):
        v = (low + high) / 2
        a = min(accel_m_s2, math.sqrt(v * jerk_m_s3))
        is_too_far = v * (v / a + a / jerk_m_s3) > run_m
        low, high = (low, v) if is_too_far else (v, high)
    return low


def _blowing(wind: Wind, height_m: float) -> tuple[float, float]:
    """Return east and north metres a second of the air at a height."""
    heights, east, north = _layers(wind)
    return float(np.interp(height_m, heights, east)), float(np.interp(height_m, heights, north))


@lru_cache(maxsize=64)
def _layers(wind: Wind) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the heights a wind is told for, and east and north metres a second of the air there."""
    layers = [(wind.above_sea_m, wind.speed_m_s, wind.from_deg)]
    layers += [(k.above_sea_m, k.speed_m_s, k.from_deg) for k in wind.aloft]
    heights, speeds, bearings = (np.array(column) for column in zip(*sorted(layers), strict=True))
    return heights, -speeds * np.sin(np.radians(bearings)), -speeds * np.cos(np.radians(bearings))


def _over_ground(track: float, model: DroneModel, air: tuple[float, float]) -> float:
    """Return the speed g along the track for which |g·track - air| is the airspeed."""
    speed = math.hypot(*air)
    along = air[0] * math.sin(math.radians(track)) + air[1] * math.cos(math.radians(track))
    # g² - 2·g·along + |air|² - airspeed² = 0; a negative root has no real speed (ValueError).
    found = along + math.sqrt(along**2 - speed**2 + model.cruise_m_s**2)
    if found <= 0 or speed > model.max_wind_m_s * 1.02:
        raise ValueError
    return found
