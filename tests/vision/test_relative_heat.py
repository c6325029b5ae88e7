"""Fire in thermal pictures without temperatures, by their background alone."""

import cv2
import numpy as np
import pytest

from missions.model import Hazard
from vision.detectors.relative_heat import CONTRAST, blobs
from vision.detectors.thermal import ThermalFire
from vision.frame import load
from vision.scene import Scene


def ground(seed: int = 1, deviation: float = 2.0) -> np.ndarray:
    """Return a landscape in °C: broad warm and cool parts, and noise."""
    rng = np.random.default_rng(seed)
    broad = cv2.GaussianBlur(rng.normal(0, 1, (512, 640)), (0, 0), 12)
    return (20 + deviation * broad / broad.std() + rng.normal(0, 0.1, (512, 640))).astype(np.float32)


def with_thing(celsius: np.ndarray, heat_c: float, *, height: int, width: int) -> np.ndarray:
    celsius = celsius.copy()
    celsius[200 : 200 + height, 300 : 300 + width] = heat_c
    return cv2.GaussianBlur(celsius, (0, 0), 0.8)


def stretched(celsius: np.ndarray, low: float | None = None, high: float | None = None) -> np.ndarray:
    low = float(celsius.min()) if low is None else low
    high = float(celsius.max()) if high is None else high
    return np.clip((celsius - low) * 255 / (high - low), 0, 255).astype(np.uint8).astype(np.float32)


def calls(warmth: np.ndarray, sun_deg: float | None = None) -> bool:
    return any(b.score >= 0.5 for b in blobs(warmth, limit=255.0, sun_deg=sun_deg))


@pytest.mark.parametrize(("low", "high"), [(None, None), (-20.0, 150.0), (0.0, 550.0)])
def test_a_third_of_a_square_metre_of_flame_is_found_however_the_camera_stretches(low, high):
    flame = with_thing(ground(), 600.0, height=4, width=4)
    assert calls(stretched(flame, low, high))


@pytest.mark.parametrize(
    ("heat_c", "height", "width"),
    [(70.0, 60, 80), (90.0, 10, 20), (140.0, 3, 3), (34.0, 6, 3), (200.0, 3, 3)],
)
def test_roof_car_flue_person_and_stove_are_not_called_by_day(heat_c, height, width):
    """In the sun the ground itself varies by several degrees."""
    warm = with_thing(ground(deviation=5.0), heat_c, height=height, width=width)
    rng = np.random.default_rng(2)
    warm += rng.normal(0, 0.4, warm.shape).astype(np.float32)
    assert not calls(stretched(warm), sun_deg=50.0)
    assert not calls(stretched(warm))


def test_a_picture_whose_levels_are_spread_evenly_is_silent():
    """After histogram equalisation the hottest pixels of any picture are white."""
    warm = stretched(with_thing(ground(), 33.0, height=8, width=4)).astype(np.uint8)
    assert not calls(cv2.equalizeHist(warm).astype(np.float32))


def test_an_even_picture_and_one_of_nothing_hold_nothing():
    assert blobs(np.full((64, 64), 9.0, np.float32), limit=255.0, sun_deg=None) == []
    assert blobs(np.full((64, 64), np.nan, np.float32), limit=255.0, sun_deg=None) == []


def test_counts_of_more_than_eight_bits_are_held_to_the_same(tmp_path):
    counts = 3000 + 20 * with_thing(ground(), 600.0, height=5, width=5)
    assert any(b.score >= 0.5 for b in blobs(counts.astype(np.float32), limit=65535.0, sun_deg=None))


def test_the_limit_falls_when_the_sun_stands_high():
    """What stands 80 deviations up may be a stove at night, and is fire at noon."""
    warm = np.tile(np.linspace(10, 23.2, 640, dtype=np.float32), (512, 1))
    low, middle, high = np.percentile(warm[::4, ::4], [5, 50, 95])
    warm[200:203, 300:303] = middle + 80 * (high - low) / 3.29
    assert CONTRAST > 80
    night = blobs(warm, limit=None, sun_deg=-20.0)
    noon = blobs(warm, limit=None, sun_deg=60.0)
    assert night[0].score < 0.5 <= noon[0].score


def test_an_eight_bit_file_is_searched_and_says_that_it_is_relative(tmp_path):
    path = tmp_path / "flight_T.png"
    cv2.imwrite(str(path), stretched(with_thing(ground(), 600.0, height=5, width=5)).astype(np.uint8))
    frame = load(path)
    (fire,) = ThermalFire().detect(frame, Scene())
    assert (fire.hazard, fire.temp_max_c) == (Hazard.FIRE, None)
    assert "relative" in fire.detector
    assert "relative thermal" in str(frame.note)


@pytest.mark.shared_data
def test_drone_pictures_of_people_and_cars_stay_silent(shared):
    files = sorted((shared / "thermal" / "hit_uav" / "images").glob("*.jpg"))[::6]
    assert [f.name for f in files if ThermalFire().detect(load(f, thermal=True), Scene())] == []
