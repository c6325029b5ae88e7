"""Film near a line: told by what is new there and where it lies; vans, snow and villages are not film."""

from dataclasses import replace

import cv2
import numpy as np
import pytest
from affine import Affine

from missions.geo import Area, LatLon
from missions.layers import NamedArea, PowerLine, ReferenceLayers
from missions.model import LEAST_CONFIDENCE, Hazard
from tests.vision.grounds_drawn import chart, frame_of, texture
from vision.baselines.single import ChartBaseline
from vision.chart import Chart, Grid
from vision.detectors import Abstained, registry
from vision.detectors.foreign_object import ForeignObject, sheets
from vision.scene import Scene

SIDE_PX, PIXEL_M = 400, 0.2
GRID = Grid("EPSG:32650", Affine(PIXEL_M, 0, 732_000, 0, -PIXEL_M, 3_352_000), SIDE_PX, SIDE_PX)
SHEET = ((150, 200), (18, 9), 30)  # x and y of its middle, half axes in pixels, turned


def meadow(*sheets_drawn: tuple, colour=(225, 226, 222), seed: int = 1, light: float = 1.0) -> Chart:
    """Return a meadow with sheets in it."""
    ground = 1 + 0.12 * texture((SIDE_PX, SIDE_PX), seed=4)
    rgb = light * np.stack([ground * v for v in (95, 130, 65)], axis=-1)
    for middle, axes, turn in sheets_drawn:
        drawn = np.zeros((SIDE_PX, SIDE_PX), np.uint8)
        cv2.ellipse(drawn, middle, axes, turn, 0, 360, 1, -1)
        rgb[drawn > 0] = colour
    noisy = rgb + np.random.default_rng(seed).normal(0, 4, rgb.shape)
    return chart(noisy, ("red", "green", "blue"), GRID)


def line(column: int, voltage_kv: float = 110.0) -> PowerLine:
    """Return a line that runs down the chart."""
    lats, lons = GRID.to_places(np.array([[column, 0.0], [column, float(SIDE_PX)]]))
    towers = tuple(
        (str(i), LatLon(float(a), float(b))) for i, (a, b) in enumerate(zip(lats, lons, strict=True))
    )
    return PowerLine("L1", {"en-US": "L1"}, voltage_kv, towers)


def scene(before: Chart | None, *, column: int = 250, **layers) -> Scene:
    known = ReferenceLayers(lines=(line(column),), **layers)
    return Scene(baseline=ChartBaseline(before) if before else None, references=known)


@pytest.mark.parametrize("colour", [(225, 226, 222), (55, 110, 185)])
def test_a_new_sheet_is_told_with_its_size_and_distance_to_the_line(colour):
    found = ForeignObject().detect(frame_of(meadow(SHEET, colour=colour, seed=2, light=0.9)), scene(meadow()))
    assert not isinstance(found, Abstained)
    (sheet,) = found
    assert sheet.hazard is Hazard.FOREIGN_OBJECT
    assert sheet.facts["area_m2"] == pytest.approx(np.pi * 18 * 9 * PIXEL_M**2, rel=0.15)
    assert sheet.facts["distance_m"] == pytest.approx((250 - 150 - 17) * PIXEL_M, abs=1.0)
    assert (sheet.facts["line"], sheet.facts["in_zone"]) == ("L1", False)
    assert sheet.confidence > LEAST_CONFIDENCE


def test_inside_the_zone_is_said():
    (sheet,) = ForeignObject().detect(frame_of(meadow(SHEET, seed=2)), scene(meadow(), column=190))
    assert sheet.facts["in_zone"] is True


def test_what_lay_there_before_is_not_told():
    assert ForeignObject().detect(frame_of(meadow(SHEET, seed=2)), scene(meadow(SHEET))) == ()


def test_without_a_baseline_it_is_a_suspicion_that_nobody_is_told_of():
    (sheet,) = ForeignObject().detect(frame_of(meadow(SHEET)), scene(None))
    assert sheet.confidence < LEAST_CONFIDENCE
    assert sheet.facts["compared_with"] == "nothing"


def test_film_in_a_field_is_where_it_belongs():
    lats, lons = GRID.to_places(np.array([[100.0, 150], [200, 150], [200, 250], [100, 250]]))
    ring = tuple(LatLon(float(a), float(b)) for a, b in zip(lats, lons, strict=True))
    field = NamedArea("F1", "field", {"en-US": "F1"}, Area(ring))
    assert ForeignObject().detect(frame_of(meadow(SHEET)), scene(meadow(), fields=(field,))) == ()


def test_a_white_van_is_no_film():
    """A rectangle of a vehicle's size."""
    van = meadow(seed=2)
    values = van.values.copy()
    values[190:200, 140:166] = 222
    assert sheets(replace(van, values=values), meadow()) == ()


@pytest.mark.parametrize(
    ("today", "known", "words"),
    [
        (meadow(SHEET), Scene(), "no power line is known"),
        (meadow(SHEET), scene(meadow(), column=2000), "no power line within 60 m"),
        (meadow(SHEET, light=0.1, colour=(9, 9, 9)), scene(meadow()), "night"),
        (meadow(((200, 200), (190, 190), 0)), scene(meadow()), "snow"),
    ],
)
def test_what_cannot_be_told_is_said(today, known, words):
    told = ForeignObject().detect(frame_of(today), known)
    assert isinstance(told, Abstained)
    assert words in told.reason


def test_it_is_on_trial_and_asked_by_name():
    assert registry.chosen([Hazard.FOREIGN_OBJECT]) == ()
    (asked,) = registry.chosen([Hazard.FOREIGN_OBJECT], with_trials=True)
    assert asked.name == "foreign-object 1"
