"""A plume below an outfall, told from the water above it; what is not told, and what is said instead."""

import numpy as np
import pytest

from missions.geo import LatLon
from missions.layers import Outfall, ReferenceLayers, River
from missions.model import Camera, CameraPose, Sensor, Shot
from vision.detectors import Abstained
from vision.detectors.discharge import Discharge
from vision.frame import Frame
from vision.georeference import FlatGround
from vision.metadata import Metadata
from vision.metadata.reading import Reading
from vision.scene import Scene

MIDDLE = LatLon(30.0, 119.0)
CAMERA = Camera("t", Sensor.THERMAL, 640, 512, 640.0, 320.0, 256.0)
RIVER_M, HALF_M = 111_194.9, 9.0  # a degree of latitude; the river's half-width
NORTHWARDS = River("r", {"en-US": "R"}, (LatLon(29.997, 119.0), LatLon(30.003, 119.0)), half_width_m=HALF_M)
AT_LEFT = Outfall("O1", {"en-US": "pipe"}, LatLon(30.0, 119.0 - HALF_M / (RIVER_M * np.cos(np.radians(30)))))


def frame(*, warmer_k: float = 0.0, side: int = -1, begins_m: float = 0.0, seed: int = 1) -> Frame:
    """Return a look straight down from 100 m at a river flowing up the picture, its outfall on the left."""
    rng = np.random.default_rng(seed)
    x, y = np.meshgrid((np.arange(640) - 319.5) * 100 / 640, (255.5 - np.arange(512)) * 100 / 640)
    water = np.abs(x) < HALF_M
    from_bank = HALF_M - side * x if side > 0 else HALF_M + x
    down = y - begins_m
    wide = 2.0 + 0.1 * np.maximum(down, 0)
    plume = np.exp(-np.maximum(down, 0) / 40) * np.exp(-((from_bank / wide) ** 2) / 2) * (down > 0)
    celsius = np.where(water, 18.0 + warmer_k * plume, 26.0 + rng.normal(0, 1.0, x.shape))
    celsius = celsius + rng.normal(0, 0.15, x.shape) - 0.4 * ((x / 50) ** 2 + (y / 40) ** 2)
    pose = CameraPose(MIDDLE, 100.0, 0.0, -90.0)
    shot = Shot("s", CAMERA, None, pose, "s.tif")
    return Frame(shot, Metadata(CAMERA, Reading("made"), None, False, {}), celsius=celsius.astype(np.float32))


def scene(outfalls: tuple[Outfall, ...] = (AT_LEFT,)) -> Scene:
    return Scene(ground=FlatGround(0.0), references=ReferenceLayers(rivers=(NORTHWARDS,), outfalls=outfalls))


def test_warm_water_below_an_outfall_is_told_with_its_length_and_warmth():
    (found,) = Discharge().detect(frame(warmer_k=4.0), scene())
    assert found.kind == "warm"
    assert found.facts["outfall"] == "O1"
    assert 1.3 < found.facts["warmer_k"] < 4.0
    assert 20.0 < found.facts["length_m"] < 45.0
    assert found.box.right_px < 345


def test_a_river_of_one_warmth_is_no_discharge_whatever_the_lens_does():
    assert Discharge().detect(frame(), scene()) == ()


def test_cold_water_is_told_as_cold():
    (found,) = Discharge().detect(frame(warmer_k=-4.0), scene())
    assert found.kind == "cold"
    assert found.facts["warmer_k"] < -1.3


@pytest.mark.parametrize(("side", "begins_m"), [(1, 0.0), (-1, -60.0)])
def test_warm_water_from_the_other_bank_or_from_above_is_not_this_outfalls(side, begins_m):
    assert Discharge().detect(frame(warmer_k=4.0, side=side, begins_m=begins_m), scene()) == ()


@pytest.mark.parametrize(
    ("missing", "words"),
    [
        (Scene(ground=FlatGround(0.0)), "names no outfalls"),
        (Scene(references=scene().references), "without a place on the ground"),
        (scene((Outfall("O9", {}, LatLon(30.1, 119.0)),)), "no known outfall"),
        (scene((Outfall("O9", {}, LatLon(29.99975, 119.0 - 9e-5)),)), "no known outfall"),
    ],
)
def test_what_cannot_be_told_is_said(missing, words):
    """The last outfall lies at the picture's foot: no water above it is seen."""
    told = Discharge().detect(frame(warmer_k=4.0), missing)
    assert isinstance(told, Abstained)
    assert words in told.reason
