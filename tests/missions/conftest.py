"""One tiny world for the planning tests: two docks, a ridge between, four agencies' demands."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import rasterio
from rasterio.transform import from_origin

from missions.geo import Area, Corridor
from missions.model import (
    Agency,
    Camera,
    Demand,
    Dock,
    Drone,
    DroneModel,
    Plan,
    ReferenceLayers,
    Sensor,
    Site,
    Wind,
)
from missions.planner import plan
from missions.terrain import Terrain
from tests.missions.tiny import FIRE, FRAME, ORIGIN, RGB, THERMAL, line, square


@pytest.fixture(scope="session")
def terrain(tmp_path_factory: pytest.TempPathFactory) -> Terrain:
    """4 km by 4 km at 100 m, with a ridge of 160 m more that runs north-south at east 0."""
    path = tmp_path_factory.mktemp("dem") / "tiny.tif"
    step = 0.0001  # about 10 m
    lon = ORIGIN.lon_deg - 0.02 + step * (np.arange(400) + 0.5)
    east, _ = FRAME.east_north(np.full(400, ORIGIN.lat_deg), lon)
    heights = np.tile(100 + 160 * np.exp(-((east / 150) ** 2)), (400, 1)).astype(np.float32)
    transform = from_origin(ORIGIN.lon_deg - 0.02, ORIGIN.lat_deg + 0.02, step, step)
    with rasterio.open(
        path, "w", driver="GTiff", width=400, height=400, count=1, dtype="float32", crs="EPSG:4326",
        transform=transform,
    ) as raster:  # fmt: skip
        raster.write(heights, 1)
    return Terrain.open(path)


@pytest.fixture(scope="session")
def model() -> DroneModel:
    return DroneModel(
        "GP-1", cruise_m_s=12, climb_m_s=4, descent_m_s=3, battery_wh=500, hover_w=520, climb_w=700,
        cruise_w=480, descent_w=450, reserve=0.25, max_wind_m_s=12,
        cameras=(
            Camera.from_optics(
                "T", Sensor.THERMAL, width_px=640, height_px=512, focal_mm=9.1, sensor_width_mm=7.68
            ),
            Camera.from_optics(
                "W", Sensor.RGB, width_px=1280, height_px=960, focal_mm=4.5, sensor_width_mm=4.8
            ),
        ),
    )  # fmt: skip


@pytest.fixture(scope="session")
def site(model: DroneModel) -> Site:
    """West of the ridge a forest, watched twice in part; a line over the ridge; a river."""

    def dock(name: str, east_m: float) -> Dock:
        return Dock(name, {"en-US": name}, FRAME.to_place(east_m, 0), 104.0, charge_s=1800, max_wind_m_s=12)

    def demand(name: str, agency: str, where: Corridor | Area, sensors: frozenset[Sensor]) -> Demand:
        return Demand(name, agency, FIRE, where, sensors, height_m=120, revisit_s=7200)

    return Site(
        id="tiny",
        name={"en-US": "Tiny"},
        timezone="Asia/Shanghai",
        terrain="tiny.tif",
        origin=ORIGIN,
        docks=(dock("west", -900), dock("east", 900)),
        drones=(Drone("D1", "GP-1", "west", 1), Drone("D2", "GP-1", "east", 2)),
        models=(model,),
        agencies=tuple(
            Agency(name, {"en-US": name}, "en-US", (), ())
            for name in ("forestry", "water", "power", "emergency")
        ),
        demands=(
            demand("forest", "forestry", square(-700, 0, 400), THERMAL),
            demand("village", "emergency", square(-500, 100, 300), THERMAL),
            demand("line", "power", Corridor(line((-600, -100), (0, -60), (600, 0)), 40), THERMAL),
            demand("river", "water", Corridor(line((500, -400), (600, 0), (500, 400)), 30), RGB),
        ),
        no_fly=(),
        layers=ReferenceLayers(),
        wind=Wind(),
    )


@pytest.fixture(scope="session")
def planned(site: Site, terrain: Terrain) -> Plan:
    return plan(site, terrain=terrain, iterations=150, seed=1)


@pytest.fixture(scope="session")
def with_demand() -> Callable[[Site, Demand], Site]:
    """Return a site with one demand more."""
    return lambda site, demand: replace(site, demands=(*site.demands, demand))


@pytest.fixture(scope="session")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("out")
