"""A site with a dock, an alternate dock and a drone for each fault, so that many fly at once and apart.

The example valley with other docks: found on its flat ground, so that a short
sortie of each stays clear of it.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from ruamel.yaml import YAML

from fleet.order import DockPlace, SortieOrder
from fleet.zones import Landing
from missions.errors import WorkFailed
from missions.geo import LatLon, distance_m, moved
from missions.items import MissionItem
from missions.terrain import Terrain

HEIGHT_M = 60.0
SHOTS = 5
_STEP_M = 60.0
_WAIT_S = 60.0
_APART_M = 45.0
_CLEAR_M = 25.0
_BESIDE_M = 130.0
_EDGE_M = 400.0
_NOTHING = (0.0, 0.0, 0.0, 0.0)


@dataclass(frozen=True, slots=True)
class Place:
    """One drone's dock and alternate."""

    drone: str
    dock: DockPlace
    alternate: Landing


def valley() -> Path:
    """Return the example site.

    Raises:
        WorkFailed: it is not here.
    """
    path = Path(__file__).parents[2] / "examples" / "valley" / "site.yaml"
    if not path.exists():
        raise WorkFailed("the example site examples/valley/site.yaml is not here: run this from a checkout")
    return path


def places(count: int) -> list[Place]:
    """Return so many docks with an alternate each, on ground that a sortie to the north stays clear of."""
    terrain = _terrain()
    found: list[Place] = []
    for spot in _grid(terrain):
        if len(found) == count:
            return found
        alternate = moved(spot, 270.0, _BESIDE_M)
        ground = [_height(terrain, p) for p in (spot, alternate)]
        way = [_height(terrain, p) for p in _way(spot)] + ground
        taken = any(distance_m(spot, p.dock.place) < _APART_M for p in found)
        if taken or not np.isfinite(way).all() or max(way) > ground[0] + HEIGHT_M - _CLEAR_M:
            continue
        number = len(found) + 1
        found.append(
            Place(
                f"D{number}",
                DockPlace(f"dock-{number}", spot.lat_deg, spot.lon_deg, ground[0]),
                Landing(f"other-{number}", "dock", alternate.lat_deg, alternate.lon_deg, ground[1]),
            )
        )
    raise WorkFailed(f"the valley has room for {len(found)} drones only")


def above_ground_m(state: Mapping[str, Any]) -> float:
    """Return how high above the valley's ground a drone says it is, 0 where it does not say."""
    if state["lat_deg"] is None or state["altitude_m"] is None:
        return 0.0
    return float(state["altitude_m"] - _height(_terrain(), LatLon(state["lat_deg"], state["lon_deg"])))


def write(chosen: Sequence[Place], path: Path) -> None:
    """Write the site file of these docks and drones."""
    yaml = YAML(typ="safe")
    site = yaml.load(valley().read_text(encoding="utf-8"))
    site["terrain"] = str(valley().with_name(site["terrain"]))
    site["shapes"] = str(valley().with_name(site["shapes"]))
    homes = [_dock(p.dock.id, p.dock.place, p.drone, n) for n, p in enumerate(chosen, start=1)]
    # A dock of a site has a drone: those of the alternates come last and are not flown.
    others = [
        _dock(p.alternate.id, p.alternate.place, f"parked-{p.drone}", n + len(chosen))
        for n, p in enumerate(chosen, start=1)
    ]
    site["docks"] = [*homes, *others]
    with path.open("w", encoding="utf-8") as file:
        yaml.dump(site, file)


def sortie(place: Place, name: str) -> SortieOrder:
    """Return a sortie to the north with pictures on the way, and its alternate."""
    dock = place.dock
    items = [
        _at(22, dock.place),
        MissionItem(178, 2, (1.0, 8.0, -1.0, 0.0)),
        MissionItem(205, 2, (-90.0, 0.0, 0.0, 0.0)),
    ]
    for shot in range(SHOTS):
        items.append(_at(16, moved(dock.place, 0.0, _STEP_M * (shot + 1))))
        items.append(MissionItem(2000, 2, (0.0, 0.0, 1.0, shot + 1.0), shot=shot))
    # It waits at the far end, so that a dock's fault, which counts from the start, finds it in the air.
    farthest = replace(
        _at(16, moved(dock.place, 0.0, _STEP_M * (SHOTS + 1))), params=(_WAIT_S, 0.0, 0.0, 0.0)
    )
    items += [farthest, _at(16, dock.place), MissionItem(20, 2, _NOTHING)]
    return SortieOrder(
        name,
        place.drone,
        dock,
        tuple(items),
        SHOTS,
        expected_s=300.0,
        max_wind_m_s=10.0,
        climb_m_s=4.0,
        descent_m_s=3.0,
        landings=(place.alternate,),
    )


def _dock(name: str, place: LatLon, drone: str, system_id: int) -> dict[str, object]:
    return {
        "id": name,
        "name": {"en-US": name, "zh-CN": name},
        "lat_deg": place.lat_deg,
        "lon_deg": place.lon_deg,
        "charge_min": 32,
        "max_wind_m_s": 10,
        "drones": [{"id": drone, "model": "GP-1", "system_id": system_id}],
    }


def _grid(terrain: Terrain) -> Iterator[LatLon]:
    west, south, east, north = terrain.bounds
    corner, far = LatLon(south, west), LatLon(north, east)
    wide, high = distance_m(corner, LatLon(south, east)), distance_m(corner, LatLon(north, west))
    for up in np.arange(_EDGE_M, high - _EDGE_M, 60.0):
        for right in np.arange(_EDGE_M, wide - _EDGE_M, 200.0):
            spot = moved(moved(corner, 0.0, float(up)), 90.0, float(right))
            if spot.lat_deg < far.lat_deg:
                yield LatLon(round(spot.lat_deg, 6), round(spot.lon_deg, 6))


@cache
def _terrain() -> Terrain:
    return Terrain.open(valley().with_name("valley_dem.tif"))


def _way(spot: LatLon) -> list[LatLon]:
    return [moved(spot, 0.0, away) for away in np.arange(0.0, _STEP_M * (SHOTS + 2), 20.0).tolist()]


def _height(terrain: Terrain, place: LatLon) -> float:
    return float(terrain.elevation_m(place.lat_deg, place.lon_deg))


def _at(command: int, place: LatLon) -> MissionItem:
    return MissionItem(command, 3, _NOTHING, round(place.lat_deg, 7), round(place.lon_deg, 7), HEIGHT_M)
