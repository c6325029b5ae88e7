"""What the analyst cannot tell of a place counts as not seen for that hazard."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from api.coverage import demands_covered
from api.roles.examining import Looking, looked
from missions.geo import LatLon, moved
from missions.layers import Outfall, ReferenceLayers, River
from missions.model import Camera, CameraPose, Hazard, Sensor, Site
from missions.terrain import Terrain
from sim.picture_files import Caption, write_colour
from tests.api.test_coverage import Look, square, wants
from tests.api.world import NOW
from tests.vision.conftest import write_level_dem
from tests.vision.grounds_drawn import texture
from vision import orthophoto
from vision.baselines.opening import LateBaseline
from vision.baselines.store import write_cog
from vision.chart import Chart
from vision.frame import load
from vision.scene import Scene

HERE, AWAY = LatLon(30.28, 119.42), LatLon(30.2815, 119.4215)
EYE = Camera("GP-1 W", Sensor.RGB, 640, 480, 600.0, 320.0, 240.0)
ALL = frozenset({Hazard.FLOOD, Hazard.LOGGING, Hazard.DISCHARGE, Hazard.TREE_HEALTH})
COURSE = (moved(HERE, 180.0, 900.0), moved(HERE, 0.0, 900.0))
RIVER = ReferenceLayers(
    rivers=(River("r", {}, COURSE, 0.0, 9.0),), outfalls=(Outfall("O", {}, moved(HERE, 270.0, 9.0)),)
)
NOTHING = ReferenceLayers()
SEEN = {"night": (0.06, 0.0), "fog": (0.02, 170.0), "snow": (0.1, 220.0), "winter": ((2.5, 1.2, 2.0), 0.0)}


def taken(folder: Path, kind: str, at: LatLon = HERE) -> Path:
    """Return the file of a picture straight down at a wood with a river through its middle."""
    wood = np.array((60.0, 115.0, 50.0)) * (1 + 0.12 * texture((480, 640), wave_px=3.0)[..., None])
    wood[:, 275:365] = np.array((95.0, 112.0, 118.0)) + texture((480, 640), seed=7)[:, 275:365, None]
    light, veil = SEEN.get(kind, (1.0, 0.0))
    noise = np.random.default_rng(len(kind)).normal(0, 2, wood.shape)
    picture = np.clip(wood * light + veil + noise, 0, 255).astype(np.uint8)
    caption = Caption(EYE, CameraPose(at, 220.0, 0.0, -90.0), 120.0, NOW, "D", 1)
    write_colour(folder / f"{kind}.jpg", picture[..., ::-1], caption)
    return folder / f"{kind}.jpg"


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Level ground, and what it and the ground beside it looked like before."""
    folder = tmp_path_factory.mktemp("place")
    ground = Terrain.open(write_level_dem(folder / "level.tif"))
    for name, at in (("before", HERE), ("elsewhere", AWAY)):
        chart = orthophoto.rectified(load(taken(folder, name, at)), ground)
        assert isinstance(chart, Chart)
        write_cog(folder / f"{name}.tif", chart.values, chart.known, chart.grid)
    return folder


@pytest.mark.parametrize(
    ("kind", "before", "layers", "unseen"),
    [
        ("clear", "before", RIVER, set()),
        ("night", "before", RIVER, ALL),
        ("fog", "before", RIVER, ALL),
        ("snow", "before", RIVER, ALL),
        ("winter", "before", RIVER, {Hazard.TREE_HEALTH}),
        ("clear", "none yet", NOTHING, ALL),
        ("clear", "elsewhere", NOTHING, ALL),
        ("clear", "none yet", RIVER, {Hazard.LOGGING, Hazard.TREE_HEALTH}),
    ],
)
def test_what_cannot_be_told_counts_as_not_seen_for_its_hazard(
    place: Path,
    tmp_path: Path,
    site: Site,
    kind: str,
    before: str,
    layers: ReferenceLayers,
    unseen: set[Hazard],
) -> None:
    """Beside a river of the site a flood is told without a baseline, and a plume needs none."""
    scene = Scene(references=layers, baseline=LateBaseline(place / f"{before}.tif"))
    looking = Looking(Terrain.open(place / "level.tif"), scene, ALL, ALL)
    found = looked(taken(tmp_path, kind), None, looking, {"id": kind, "sensor": "rgb", "pose": None})
    assert (found.searched, found.detections) == (ALL - unseen, ())
    ring = [[p.lon_deg, p.lat_deg] for p in found.footprint or ()]
    look = Look(ring, sensor="rgb", hazards=tuple(h.value for h in found.searched))
    demand = wants("wood", "water", square(HERE, 30.0), hazards=ALL, sensors=frozenset({Sensor.RGB}))
    (seen,) = demands_covered(replace(site, demands=(demand,)), [look], now=NOW)
    assert {Hazard(h) for h, share in seen.searched_by_hazard.items() if share == 0.0} == unseen
