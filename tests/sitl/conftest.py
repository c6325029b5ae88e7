"""A short sortie from the valley's west dock, and an ArduCopter that stands there."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from fleet.fly import order_of
from fleet.order import SortieOrder
from missions.export import planfile
from missions.geo import Altitude, Datum, moved
from missions.model import Dock, Plan, Site, Sortie, Waypoint
from missions.planner import plan
from missions.terrain import Terrain
from missions.view import View
from tests.sitl.copter import copter

SHOTS = 4


@pytest.fixture
def order(valley: Site, tmp_path: Path) -> SortieOrder:
    """Return a short sortie to the north-east of the west dock, by way of its plan file."""
    dock = valley.dock("dock-west")
    waypoints = (
        _waypoint(dock, 0.0, shoots=False),
        *(_waypoint(dock, 40.0 * (i + 1), shoots=True) for i in range(SHOTS)),
        _waypoint(dock, 0.0, shoots=False),
    )
    sortie = Sortie("S1", dock.id, "GP-1", waypoints, (), (), 120.0, 20.0, 40.0)
    planfile.write(Plan(valley.id, 1, (sortie,), (), ()), valley, tmp_path / "plan.json")
    planned = order_of(planfile.read(tmp_path / "plan.json"), "S1", drone="D1")
    return replace(planned, fence=())  # the flights that are about a fence have their own


@pytest.fixture
def turned(valley: Site, tmp_path: Path) -> tuple[SortieOrder, Sortie]:
    """Return a planned sortie of two looks from beside, each turned to its bearing and taking its time."""
    dock = valley.dock("dock-west")
    asked = tuple(
        replace(
            valley.demands[0],
            id=f"look-{bearing:.0f}",
            where=moved(dock.place, 45.0, away_m),
            height_m=60.0,
            window=None,
            view=View(25.0, heading_deg=bearing, dwell_s=dwell_s),
        )
        for bearing, away_m, dwell_s in ((135.0, 150.0, 10.0), (300.0, 260.0, 6.0))
    )
    site = replace(valley, demands=asked)
    made = plan(site, terrain=Terrain.open(site.terrain), iterations=20)
    (sortie,) = made.sorties
    planfile.write(made, site, tmp_path / "plan.json")
    return order_of(planfile.read(tmp_path / "plan.json"), sortie.id, drone="D1"), sortie


def _waypoint(dock: Dock, away_m: float, *, shoots: bool) -> Waypoint:
    place = moved(dock.place, 45.0, away_m)
    height = Altitude(dock.elevation_m + 40.0, Datum.AMSL)
    return Waypoint(place, height, 40.0, 12.0, -90.0, shoots)


@pytest.fixture
def vehicle(order: SortieOrder, tmp_path: Path) -> Iterator[str]:
    """Yield the connection to an ArduCopter that has just been switched on in the dock."""
    with copter(order, tmp_path) as connect:
        yield connect
