"""Where the hazards of a scenario are: sown from a seed over the ground that is watched.

Scenario "fire": eight to eleven fires and thirteen to sixteen decoys inside the
ground that the site's demands watch for fire. Half the fires lie anywhere in it,
half within 25 m of its edge or along its corridors; all at least 60 m from each
other and from every decoy. Fires cover the sizes from 0.3 to 14 m² evenly on a log
scale, one from each stratum, so that every seed has small and large ones.

Scenario "report": the same decoys and, at first, no fire. One breaks out in the wood when the
first patrol has long passed; a resident reports its smoke, and another a kitchen's (`sim.residents`).

Scenario "flood": the river has left its bed along one reach of what is watched for floods. Scenario
"logging": three patches of the forest that is watched for logging are gone since last year.

Decoys stand where such things are: chimneys on houses, stoves in yards, vehicles on
roads, rocks on slopes, metal roofs by the wayside; anywhere else if there is no such place.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np
from shapely import contains_xy, prepare
from shapely.geometry import Point
from shapely.geometry.base import BaseGeometry
from shapely.ops import unary_union

from missions.errors import InputWrong
from missions.geo import Area, Corridor, LatLon, LocalFrame
from missions.model import Demand, Hazard, Site
from sim.changes import Changes, Conditions, fellings, flood
from sim.hazards import FIRE_SMALLEST_M2, Decoy, DecoyKind, Fire, ignition_at
from sim.landscape import House, Landscape, Road
from sim.relief import Relief

SCENARIOS = ("fire", "report", "calm", "flood", "logging")
APART_M, DECOYS_APART_M = 60.0, 25.0
EDGE_M, INSET_M = 25.0, 3.0
POINT_WATCH_M = 30.0
LARGEST_AT_EPOCH_M2 = 14.0
CREEP_M_S = (0.2 / 3600, 1.0 / 3600)
OLDEST_S = 20 * 60.0
LATE_S, LATE_M2, LATE_C = 30 * 60.0, 3.0, 600.0  # of the one fire that somebody reports
TRIES = 4000
LOGGED_M2 = (350.0, 900.0, 1600.0)

Spot = tuple[float, float]
Likely = tuple[Spot, House | Road | None]  # a place and what stands there already


@dataclass(frozen=True, slots=True, eq=False)
class Sowing:
    """What is needed to put hazards on the ground."""

    frame: LocalFrame
    relief: Relief
    landscape: Landscape
    epoch_at: datetime
    rng: np.random.Generator


def sow(scenario: str, site: Site, sowing: Sowing) -> tuple[tuple[Fire, ...], tuple[Decoy, ...]]:
    """Return the fires and decoys of a scenario.

    Raises:
        InputWrong: there is no such scenario, or the site watches no ground for fire.
    """
    if scenario not in SCENARIOS:
        raise InputWrong(f"scenario: found {scenario!r}, expected one of {', '.join(SCENARIOS)}")
    if scenario in ("calm", "flood", "logging"):
        return (), ()
    watched = watched_for(Hazard.FIRE, site, sowing.frame)
    if watched.is_empty:
        raise InputWrong(f"site {site.id}: no demand watches for fire, so scenario fire has nowhere to burn")
    fires = _late_fire(watched, sowing) if scenario == "report" else _fires(watched, site, sowing)
    return fires, _decoys(watched, fires, sowing)


def changed(scenario: str, site: Site, sowing: Sowing) -> Changes:
    """Return what of a scenario's ground is no more as it was: one flood, or three fellings, or nothing.

    Raises:
        InputWrong: the site watches no water or no forest, or there is no room for what is asked for.
    """
    if scenario not in ("flood", "logging"):
        return Changes()
    hazard = Hazard(scenario)
    watched = watched_for(hazard, site, sowing.frame)
    if watched.is_empty:
        raise InputWrong(f"site {site.id}: no demand watches for {scenario}, so there is nowhere to put it")
    if hazard is Hazard.FLOOD:
        risen = flood("W1", sowing.landscape, sowing.relief, sowing.rng, within=watched)
        if risen is None:
            raise InputWrong(f"site {site.id}: no river lies in the ground that is watched for flood")
        return Changes(floods=(risen,))
    felled = fellings(3, sowing.landscape, sowing.rng, within=watched, apart_m=150.0, areas_m2=LOGGED_M2)
    if not felled:
        raise InputWrong(f"site {site.id}: no forest lies in the ground that is watched for logging")
    return Changes(fellings=felled, conditions=Conditions(season=0.15, year=1))


def watched_ground(site: Site, frame: LocalFrame) -> BaseGeometry:
    """Return all ground that the site's demands watch, for whatever, in local metres."""
    return unary_union([_ground(d, frame) for d in site.demands])


def watched_for(hazard: Hazard, site: Site, frame: LocalFrame) -> BaseGeometry:
    """Return the ground that the site's demands watch for a hazard, in local metres."""
    return unary_union([_ground(d, frame) for d in site.demands if hazard in d.hazards])


def _ground(demand: Demand, frame: LocalFrame) -> BaseGeometry:
    match demand.where:
        case LatLon() as place:
            return Point(frame.to_local(place)).buffer(POINT_WATCH_M)
        case Corridor(line, half_width_m):
            return frame.line(line).buffer(half_width_m, cap_style="flat")
        case Area() as area:
            return frame.polygon(area).buffer(0)


def _fires(watched: BaseGeometry, site: Site, sowing: Sowing) -> tuple[Fire, ...]:
    rng = sowing.rng
    count = int(rng.integers(8, 12))
    burnable = watched.buffer(-INSET_M).difference(sowing.landscape.water.buffer(5.0))
    houses = [Point(h.east_m, h.north_m).buffer(12.0) for h in sowing.landscape.houses]
    burnable = burnable.difference(unary_union(houses))
    corridors = unary_union(
        [
            _ground(d, sowing.frame)
            for d in site.demands
            if Hazard.FIRE in d.hazards and isinstance(d.where, Corridor)
        ]
    )
    rims = unary_union([_rim(_ground(d, sowing.frame)) for d in site.demands if Hazard.FIRE in d.hazards])
    edge = burnable.intersection(rims.union(corridors))
    spots: list[Spot] = []
    for zone in [burnable] * (count - count // 2) + [edge] * (count // 2):
        found = _first_apart(_inside(zone, rng), [(s, APART_M) for s in spots])
        if found is not None:
            spots.append(found[0])
    shares = (rng.permutation(len(spots)) + rng.random(len(spots))) / max(len(spots), 1)
    return tuple(
        _fire(f"F{i + 1}", spot, share, sowing)
        for i, (spot, share) in enumerate(zip(spots, shares.tolist(), strict=True))
    )


def _late_fire(watched: BaseGeometry, sowing: Sowing) -> tuple[Fire, ...]:
    """Return the one fire that breaks out when the first patrol is over."""
    wood = unary_union(sowing.landscape.compartments).intersection(watched.buffer(-EDGE_M))
    zone = (wood if not wood.is_empty else watched).difference(sowing.landscape.water.buffer(5.0))
    spot = next((place for place, _ in _inside(zone, sowing.rng)), None)
    if spot is None:
        return ()
    fire = _fire("F1", spot, 0.5, sowing)
    ignited_at = ignition_at(sowing.epoch_at, -LATE_S)
    return (replace(fire, area_at_epoch_m2=LATE_M2, temp_c=LATE_C, ignited_at=ignited_at, leaf_cover=0.05),)


def _rim(ground: BaseGeometry) -> BaseGeometry:
    return ground.difference(ground.buffer(-EDGE_M))


def _fire(name: str, spot: Spot, share: float, sowing: Sowing) -> Fire:
    """Return a fire whose size at the epoch is `share` of the way up the log scale."""
    rng = sowing.rng
    area = FIRE_SMALLEST_M2 * 1.05 * (LARGEST_AT_EPOCH_M2 / FIRE_SMALLEST_M2 / 1.05) ** share
    in_forest = any(c.contains(Point(spot)) for c in sowing.landscape.compartments)
    return Fire(
        id=name,
        east_m=spot[0],
        north_m=spot[1],
        ground_m=sowing.relief.at(*spot),
        area_at_epoch_m2=area,
        spread_m_s=rng.uniform(*CREEP_M_S),
        temp_c=rng.uniform(450.0 if area < 1.0 else 350.0, 800.0),
        epoch_at=sowing.epoch_at,
        ignited_at=ignition_at(sowing.epoch_at, rng.uniform(0.0, OLDEST_S)),
        shape=rng.uniform(0.0, 2 * math.pi),
        leaf_cover=rng.uniform(0.05, 0.25) if in_forest else 0.0,
    )


def _decoys(watched: BaseGeometry, fires: tuple[Fire, ...], sowing: Sowing) -> tuple[Decoy, ...]:
    rng = sowing.rng
    inside = watched.buffer(-INSET_M)
    anywhere = inside.difference(sowing.landscape.water.buffer(6.0))
    taken = [((f.east_m, f.north_m), APART_M) for f in fires]
    decoys: list[Decoy] = []
    for kind in [k for k in DecoyKind for _ in range(int(rng.integers(2, 4)))] + list(DecoyKind)[:3]:
        likely = (spot for spot in _likely(kind, sowing) if contains_xy(inside, *spot[0]))
        found = _first_apart(likely, taken) or _first_apart(_inside(anywhere, rng), taken)
        if found is None:
            continue
        decoys.append(_decoy(f"N{len(decoys) + 1}", kind, found, sowing))
        taken.append((found[0], DECOYS_APART_M))
    return tuple(decoys)


def _likely(kind: DecoyKind, sowing: Sowing) -> Iterator[Likely]:
    """Yield places where such a thing would stand, in a random order."""
    rng, landscape = sowing.rng, sowing.landscape
    houses = [landscape.houses[i] for i in rng.permutation(len(landscape.houses))]
    match kind:
        case DecoyKind.CHIMNEY:
            yield from (((h.east_m, h.north_m), h) for h in houses)
        case DecoyKind.STOVE:
            yield from ((_beside(h, 2.5), h) for h in houses)
        case DecoyKind.VEHICLE:
            yield from _along_roads(landscape.roads, 0.0, rng)
        case DecoyKind.METAL_ROOF:
            yield from (s for s in _along_roads(landscape.roads, 14.0, rng) if _is_free(s[0], landscape))
        case DecoyKind.WARM_ROCK:
            return


def _along_roads(roads: tuple[Road, ...], beside_m: float, rng: np.random.Generator) -> Iterator[Likely]:
    if not roads:
        return
    lengths = np.array([r.line.length for r in roads])
    for _ in range(300):
        road = roads[int(rng.choice(len(roads), p=lengths / lengths.sum()))]
        at = rng.uniform(0.0, road.line.length)
        heading = math.radians(_heading_at(road, at))
        offset = (beside_m + 1.3 if road.paved else beside_m) * float(rng.choice([-1.0, 1.0]))
        point = road.line.interpolate(at)
        yield (point.x + math.cos(heading) * offset, point.y - math.sin(heading) * offset), road


def _is_free(spot: Spot, landscape: Landscape) -> bool:
    near = Point(spot).buffer(10.0)
    return not near.intersects(landscape.water) and all(
        math.hypot(h.east_m - spot[0], h.north_m - spot[1]) > 16.0 for h in landscape.houses
    )


def _beside(house: House, clear_m: float) -> Spot:
    heading = math.radians(house.heading_deg)
    out = house.width_m / 2 + clear_m
    return house.east_m + math.cos(heading) * out, house.north_m - math.sin(heading) * out


def _heading_at(road: Road, at_m: float) -> float:
    a, b = road.line.interpolate(max(at_m - 2.0, 0.0)), road.line.interpolate(at_m + 2.0)
    return math.degrees(math.atan2(b.x - a.x, b.y - a.y))


def _decoy(name: str, kind: DecoyKind, likely: Likely, sowing: Sowing) -> Decoy:
    rng, (spot, on) = sowing.rng, likely
    heading = rng.uniform(0.0, 360.0)
    height = 0.0
    match kind:
        case DecoyKind.METAL_ROOF:
            length, width, temp = rng.uniform(7, 12), rng.uniform(5, 8), rng.uniform(50, 75)
            height = 3.5
        case DecoyKind.CHIMNEY:
            length = width = rng.uniform(0.5, 0.6)
            temp = rng.uniform(80, 160)
            height = on.ridge_m + 1.0 if isinstance(on, House) else 3.0
        case DecoyKind.VEHICLE:
            length, width, temp, height = 4.5, 1.8, rng.uniform(60, 110), 0.9
        case DecoyKind.WARM_ROCK:
            length, width, temp = rng.uniform(1.2, 3.5), rng.uniform(1.0, 2.5), rng.uniform(40, 58)
            height = 0.5
        case DecoyKind.STOVE:
            length = width = math.sqrt(rng.uniform(0.2, 0.5))
            temp, height = rng.uniform(150, 250), 0.7
    if isinstance(on, Road):
        heading = _heading_at(on, on.line.project(Point(spot))) + float(rng.choice([0.0, 180.0]))
    elif isinstance(on, House):
        heading = on.heading_deg
    ground = sowing.relief.at(*spot)
    return Decoy(name, kind, *spot, ground, height, float(length), float(width), heading, float(temp))


def _inside(zone: BaseGeometry, rng: np.random.Generator) -> Iterator[Likely]:
    """Yield places spread evenly over a zone."""
    if zone.is_empty:
        return
    prepare(zone)
    west, south, east, north = zone.bounds
    for _ in range(TRIES):
        x, y = rng.uniform(west, east), rng.uniform(south, north)
        if contains_xy(zone, x, y):
            yield (x, y), None


def _first_apart(spots: Iterator[Likely], taken: list[tuple[Spot, float]]) -> Likely | None:
    """Return the first place that keeps its distance from all taken ones."""
    return next((s for s in spots if _keeps_apart(s[0], taken)), None)


def _keeps_apart(spot: Spot, taken: list[tuple[Spot, float]]) -> bool:
    return all(math.hypot(spot[0] - x, spot[1] - y) >= apart for (x, y), apart in taken)
