"""A short sortie from the valley's west dock, and an ArduCopter that stands there."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from fleet.fly import order_of
from fleet.order import SortieOrder
from missions.export import planfile
from missions.geo import Altitude, Datum, moved
from missions.model import Dock, Plan, Site, Sortie, Waypoint
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
    return order_of(planfile.read(tmp_path / "plan.json"), "S1", drone="D1")


def _waypoint(dock: Dock, away_m: float, *, shoots: bool) -> Waypoint:
    place = moved(dock.place, 45.0, away_m)
    height = Altitude(dock.elevation_m + 40.0, Datum.AMSL)
    return Waypoint(place, height, 40.0, 12.0, -90.0, shoots)


@pytest.fixture
def vehicle(order: SortieOrder, tmp_path: Path) -> Iterator[str]:
    """Yield the connection to an ArduCopter that has just been switched on in the dock."""
    with copter(order, tmp_path) as connect:
        yield connect
