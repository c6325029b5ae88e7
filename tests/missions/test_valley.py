"""The example valley plans, also in wind and from one dock; its terrain is what its script makes."""

import runpy
import shutil
from pathlib import Path

import numpy as np
import pytest

from missions.model import Plan, Site
from missions.places import describe_all
from missions.planner import plan
from missions.terrain import Terrain
from tests.builders import VALLEY


@pytest.fixture(scope="module")
def terrain(valley: Site) -> Terrain:
    return Terrain.open(valley.terrain)


@pytest.fixture(scope="module")
def calm(valley: Site, terrain: Terrain) -> Plan:
    return plan(valley, terrain=terrain, iterations=5)


def test_wind_costs_energy_and_leaves_nobody_out(calm: Plan, valley_windy: Site, terrain: Terrain) -> None:
    """Against 9 m/s the same looks need more battery, and still all are flown."""
    windy = plan(valley_windy, terrain=terrain, iterations=5)
    assert windy.unserved == calm.unserved == ()
    assert windy.energy_wh > 1.2 * calm.energy_wh


def test_one_dock_serves_all_by_itself(valley_one_dock: Site, terrain: Terrain) -> None:
    """Every sortie starts at the dock there is."""
    alone = plan(valley_one_dock, terrain=terrain, iterations=5)
    assert alone.unserved == ()
    assert {sortie.dock for sortie in alone.sorties} == {"dock-west"}


def test_every_dock_and_tower_has_a_name_in_both_languages(valley: Site) -> None:
    """A tower is called by its line, whatever stands around it."""
    for _, tower in valley.layers.lines[0].towers:
        words = describe_all(tower, valley.layers)
        assert words["en-US"].startswith("110 kV Jingle line, towers ")
        assert words["zh-CN"].startswith("110千伏景乐线")


def test_the_script_makes_the_terrain_that_is_shipped(terrain: Terrain, tmp_path: Path) -> None:
    """To a step of the file, 1/16 m: the last bits of an exponential differ between machines."""
    for name in ("make_dem.py", "shapes.geojson"):
        shutil.copy(VALLEY / name, tmp_path / name)
    runpy.run_path(str(tmp_path / "make_dem.py"), run_name="__main__")
    made = Terrain.open(tmp_path / "valley_dem.tif")
    assert made.bounds == terrain.bounds
    assert np.abs(made.heights_m - terrain.heights_m).max() <= 1 / 16
