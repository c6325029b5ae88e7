"""The simulator's looks, searched as a drone's: straw fires and their empty sisters; crowns that died."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from affine import Affine

from missions.geo import Area, LatLon
from missions.layers import NamedArea, ReferenceLayers
from missions.model import Hazard
from vision.bench.sights import searched
from vision.chart import Chart, Grid
from vision.detectors import Abstained
from vision.detectors.burning import Burning, field_at
from vision.detectors.tree_health import TreeHealth, died
from vision.frame import load
from vision.georeference import FlatGround
from vision.scene import Scene

SIDE_PX, PIXEL_M = 240, 0.2
GRID = Grid("EPSG:32650", Affine(PIXEL_M, 0, 500_000, 0, -PIXEL_M, 3_300_000), SIDE_PX, SIDE_PX)


@pytest.fixture(scope="module")
def drawn(tmp_path_factory) -> Path:
    """A field with a straw fire and one without, both at eight in the evening."""
    out = tmp_path_factory.mktemp("sights")
    subprocess.run([sys.executable, "-m", "sim.sights", "burning", str(out), "--seeds", "8-9"], check=True)
    return out


def wood(
    seed: int, *, dead: tuple[tuple[int, int], ...] = (), yellow: float = 0.0, white: bool = False
) -> Chart:
    """Return green crowns of three metres, some of them rusty, seen with a camera's noise."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:SIDE_PX, :SIDE_PX]
    light = 0.75 + 0.25 * np.cos(x * 2 * np.pi / 30) * np.cos(y * 2 * np.pi / 30)
    rgb = (
        np.stack([70 + yellow * 60 + 0 * light, 110 + 0 * light, 60 + 0 * light], axis=-1) * light[..., None]
    )
    for row, column in dead:
        rgb[np.hypot(x - column, y - row) < 12] = (140, 95, 60)
    if white:
        rgb[:] = 240
    noisy = np.clip(rgb + rng.normal(0, 6, rgb.shape), 0, 255).astype(np.uint8)
    return Chart(GRID, noisy, np.ones((SIDE_PX, SIDE_PX), bool), ("red", "green", "blue"), "wood")


def test_burning_straw_is_found_in_its_field_and_nothing_in_an_empty_one(drawn):
    empty, full = searched(drawn, Hazard.BURNING)
    assert {d.facts["field"] for d in full.found} == {full.truth["field"]}
    assert empty.found == ()
    assert all("nothing that finds it reads" in reason for reason in (*full.unsearched, *empty.unsearched))


def test_without_fields_or_a_baseline_nothing_can_be_told(drawn):
    look = next(drawn.glob("*/truth.json"))
    files = json.loads(look.read_text("utf-8"))["files"]
    ground = FlatGround(200.0)
    assert isinstance(Burning().detect(load(look.parent / files["thermal"]), Scene(ground=ground)), Abstained)
    assert isinstance(TreeHealth().detect(load(look.parent / files["rgb"]), Scene(ground=ground)), Abstained)


def test_crowns_that_died_are_counted_and_those_dead_before_are_not():
    old, new = ((60, 60),), ((120, 40), (180, 190), (40, 200))
    found = died(wood(1, dead=old), wood(2, dead=old + new))
    assert not isinstance(found, Abstained)
    middles = sorted(tuple(np.round(d.ring.mean(axis=0)).astype(int)) for d in found)
    assert np.abs(np.array(middles) - np.array(sorted((x, y) for y, x in new))).max() <= 3


def test_a_wood_that_turned_as_a_whole_has_no_dead_crowns():
    assert died(wood(1), wood(2, yellow=0.4)) == ()


@pytest.mark.parametrize(
    ("before", "words"), [(wood(1, white=True), "snow"), (wood(1, yellow=2.0), "no green")]
)
def test_snow_and_ground_without_wood_are_said(before, words):
    told = died(before, wood(2, white=words == "snow"))
    assert isinstance(told, Abstained)
    assert words in told.reason


def test_a_fire_belongs_to_a_field_it_lies_in_or_at_the_very_edge_of():
    south, north, west, east = 30.0, 30.001, 119.0, 119.001
    ring = (LatLon(south, west), LatLon(south, east), LatLon(north, east), LatLon(north, west))
    field = NamedArea("F", "field", {}, Area(ring))
    layers = ReferenceLayers(fields=(field,))
    assert field_at(LatLon(30.0005, 119.0005), layers.fields) is field
    assert field_at(LatLon(29.99998, 119.0005), layers.fields) is field
    assert field_at(LatLon(29.9998, 119.0005), layers.fields) is None
