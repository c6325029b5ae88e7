"""What flying together saves, on five fixed sites whose agencies want more and more of the same ground.

Four agencies each ask for ground of the same size on gentle hills with two
docks between; of each agency's ground the given share is the same block for all
four, the rest lies apart around it. The shared plan and the four separate ones
come from the same solver with the same CPU: the shared search gets as much as
the four together. Every plan is proven by the checker, pictures included.
"""

import math
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import rasterio
from rasterio.transform import from_origin

from missions import check
from missions.errors import WorkFailed
from missions.geo import Area, LatLon, LocalFrame
from missions.measure import Job, Row, at_least
from missions.model import (
    Agency,
    Camera,
    Demand,
    Dock,
    Drone,
    DroneModel,
    Hazard,
    Plan,
    ReferenceLayers,
    Sensor,
    Site,
    Wind,
)
from missions.planner import plan
from missions.terrain import Terrain

OVERLAPS = (0.0, 0.2, 0.5, 0.8, 1.0)
AT_HALF = 0.30
"""What the planner is held to where half of the ground is wanted by all."""

AGENCIES = ("forestry", "water", "power", "emergency")
GROUND_M2 = 300_000.0
APART_M = 420.0
HEIGHT_M = 120.0
ITERATIONS = 400
ORIGIN = LatLon(30.28, 119.42)
DAY_S = 86_400.0


def rows(job: Job) -> Iterator[Row]:
    """Yield the saving of each site, as the share of the flight time of separate flights."""
    with TemporaryDirectory() as folder:
        terrain = hills(Path(folder) / "hills.tif")
        for overlap in OVERLAPS:
            site = site_of(overlap, terrain)
            shared, alone = compare(site, terrain, iterations=ITERATIONS // 8 if job.quick else ITERATIONS)
            saving = 1 - shared.flight_s / sum(p.flight_s for p in alone)
            job.raw.write(
                "sharing",
                {
                    "overlap": overlap,
                    "shared_s": shared.flight_s,
                    "alone_s": [p.flight_s for p in alone],
                    "shared_sorties": len(shared.sorties),
                    "alone_sorties": sum(len(p.sorties) for p in alone),
                },
            )
            least = AT_HALF if overlap == 0.5 else 0.0
            name = f"sharing.overlap{overlap * 100:03.0f}.saving"
            yield at_least(name, saving, least, unit="1", clock="none", anchor="a nest paper saved 32-34 %")


def compare(site: Site, terrain: Terrain, *, iterations: int) -> tuple[Plan, tuple[Plan, ...]]:
    """Return the shared plan of a site and each agency's own, all complete and proven.

    Raises:
        WorkFailed: some plan leaves a demand out, or the checker found a fault.
    """
    alone = tuple(
        _proven(site, terrain, [d for d in site.demands if d.agency == agency.id], iterations)
        for agency in site.agencies
    )
    return _proven(site, terrain, list(site.demands), iterations * len(alone)), alone


def _proven(site: Site, terrain: Terrain, demands: list[Demand], iterations: int) -> Plan:
    made = plan(site, terrain=terrain, demands=demands, iterations=iterations)
    faults = check.faults(made, site, terrain, demands=demands)
    if faults or made.unserved:
        left = [f"{u.demand}: {u.reason}" for u in made.unserved]
        raise WorkFailed(f"a plan of site {site.id} does not hold: {'; '.join((*faults, *left))}")
    return made


def site_of(overlap: float, terrain: Terrain) -> Site:
    """Return the site whose agencies have this share of their ground in common, 0 to 1."""
    frame = LocalFrame(ORIGIN)
    common = _block(frame, 0.0, 0.0, GROUND_M2 * overlap)
    quarters = ((-1, -1), (1, -1), (-1, 1), (1, 1))
    demands = []
    for agency, (east, north) in zip(AGENCIES, quarters, strict=True):
        own = _block(frame, east * APART_M * 1.6, north * APART_M * 1.4, GROUND_M2 * (1 - overlap))
        grounds = {"common": common, "own": own}
        demands += [_demand(agency, part, area) for part, area in grounds.items() if area]
    docks = tuple(
        Dock(f"dock-{n}", {"en-US": f"Dock {n}"}, place, terrain.elevation_at(place), 1200, 12)
        for n, place in enumerate((frame.to_place(-350, 0), frame.to_place(350, 0)), start=1)
    )
    return Site(
        id=f"overlap-{overlap:.0%}",
        name={"en-US": f"Four agencies, {overlap:.0%} in common"},
        timezone="Asia/Shanghai",
        terrain="",
        origin=ORIGIN,
        docks=docks,
        drones=tuple(Drone(f"D{n}", "GP-1", docks[n % 2].id, n + 1) for n in range(4)),
        models=(_model(),),
        agencies=tuple(Agency(a, {"en-US": a}, "en-US", (), ()) for a in AGENCIES),
        demands=tuple(demands),
        no_fly=(),
        layers=ReferenceLayers(),
        wind=Wind(4.0, 300.0),
    )


def _demand(agency: str, part: str, area: Area) -> Demand:
    sensors = frozenset({Sensor.THERMAL})
    return Demand(f"{agency}-{part}", agency, frozenset({Hazard.FIRE}), area, sensors, HEIGHT_M, DAY_S)


def _block(frame: LocalFrame, east_m: float, north_m: float, ground_m2: float) -> Area | None:
    """Return a rectangle of that size, 4 to 3, around a place; None for no ground at all."""
    if ground_m2 <= 0:
        return None
    half_east, half_north = math.sqrt(ground_m2 * 4 / 3) / 2, math.sqrt(ground_m2 * 3 / 4) / 2
    corners = ((-1, -1), (1, -1), (1, 1), (-1, 1))
    return Area(tuple(frame.to_place(east_m + x * half_east, north_m + y * half_north) for x, y in corners))


def _model() -> DroneModel:
    camera = Camera.from_optics(
        "T", Sensor.THERMAL, width_px=640, height_px=512, focal_mm=9.1, sensor_width_mm=7.68
    )
    return DroneModel(
        "GP-1", cruise_m_s=12, climb_m_s=4, descent_m_s=3, battery_wh=500, hover_w=520, climb_w=700,
        cruise_w=480, descent_w=450, reserve=0.25, max_wind_m_s=12, cameras=(camera,),
    )  # fmt: skip


def hills(path: Path) -> Terrain:
    """Return five kilometres of hills, forty metres from valley to top."""
    step, many = 0.0001, 500
    places = (np.arange(many) - many / 2) * step
    north, east = np.meshgrid(-places, places, indexing="ij")
    heights = (120 + 20 * np.sin(east * 900) * np.cos(north * 800)).astype(np.float32)
    corner = from_origin(ORIGIN.lon_deg - many / 2 * step, ORIGIN.lat_deg + many / 2 * step, step, step)
    with rasterio.open(
        path, "w", driver="GTiff", width=many, height=many, count=1, dtype="float32", crs="EPSG:4326",
        transform=corner,
    ) as raster:  # fmt: skip
        raster.write(heights, 1)
    return Terrain.open(path)
