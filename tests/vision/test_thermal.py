"""What is fire in a picture of temperatures, and what only looks warm."""

from dataclasses import replace

import numpy as np
import pytest

from missions.model import Hazard
from tests.vision.conftest import meadow, write_thermal
from vision import radiometry
from vision.detectors import regions
from vision.detectors.thermal import ThermalFire, warm_from_c
from vision.frame import Frame, load
from vision.scene import Scene

PIXEL_M2 = 0.025  # at 120 m


@pytest.fixture
def seen(tmp_path, pose):
    """Return a function from °C to what the detector finds."""

    def detect(celsius: np.ndarray):
        frame = load(write_thermal(tmp_path / "a.tif", celsius, pose))
        return ThermalFire().detect(replace(frame, pixel_m2=PIXEL_M2), Scene())

    return detect


def hazards(detections) -> list[Hazard]:
    return [d.hazard for d in detections]


def test_a_meadow_holds_nothing(seen):
    assert seen(meadow()) == ()


def test_one_pixel_as_hot_as_flame_is_fire(seen):
    celsius = meadow()
    celsius[200, 300] = 420.0
    (fire,) = seen(celsius)
    assert fire.hazard is Hazard.FIRE
    assert (fire.box.left_px, fire.box.top_px, fire.box.right_px, fire.box.bottom_px) == (300, 200, 301, 201)
    assert fire.temp_max_c == pytest.approx(420.0)
    assert fire.background_c == pytest.approx(22, abs=1)


def test_a_large_roof_at_seventy_degrees_is_no_fire(seen):
    celsius = meadow()
    celsius[100:220, 200:360] = 70.0 + np.random.default_rng(2).normal(0, 1.5, (120, 160))
    assert Hazard.FIRE not in hazards(seen(celsius))


def test_a_fire_on_a_hot_roof_is_still_one_small_fire(seen):
    celsius = meadow()
    celsius[100:220, 200:360] = 75.0
    celsius[150:156, 250:256] = 500.0
    fires = [d for d in seen(celsius) if d.hazard is Hazard.FIRE]
    assert len(fires) == 1
    assert fires[0].pixels == 36
    assert fires[0].background_c == pytest.approx(75.0)


@pytest.mark.parametrize(("side_px", "heat_c"), [(3, 160.0), (4, 250.0), (2, 110.0)])
def test_chimney_stove_and_engine_are_hot_spots(seen, side_px, heat_c):
    """0.2 to 0.5 m2 at up to 250 °C: hotter than the sun makes anything, smaller or cooler than fire."""
    celsius = meadow()
    celsius[250 : 250 + side_px, 330 : 330 + side_px] = heat_c
    assert hazards(seen(celsius)) == [Hazard.HOT_SPOT]


def test_a_square_metre_at_two_hundred_degrees_is_fire(seen):
    """Smouldering under ash, or flame behind leaves: too large for any stove."""
    celsius = meadow()
    celsius[250:258, 330:338] = 210.0
    assert hazards(seen(celsius)) == [Hazard.FIRE]


def test_a_hot_camera_in_a_hot_place_cries_no_fire(seen):
    """Everything is at 140 °C and nothing stands out."""
    assert Hazard.FIRE not in hazards(seen(meadow() + 118.0))


def test_a_square_metre_at_the_cameras_limit_is_fire_and_flagged(seen):
    """A camera in its high-gain range shows flame as 150 °C and no more."""
    celsius = meadow()
    celsius[250:257, 330:338] = 150.0
    (fire,) = seen(celsius)
    assert fire.hazard is Hazard.FIRE
    assert fire.saturated


def test_the_background_is_as_much_ground_from_whatever_height():
    """Ten pixels around a stove by night are yard from 120 m, and from 15 m still its own hot stones."""
    celsius = meadow()
    celsius[180:240, 280:340] = 60.0
    celsius[200:220, 300:320] = 200.0
    (stove,) = regions.regions(celsius, 120.0)
    assert regions.background(stove, celsius, 120.0).middle == pytest.approx(60.0)
    assert regions.background(stove, celsius, 120.0, pixel_m2=0.0004).middle == pytest.approx(22.0, abs=1)


def test_nan_pixels_are_neither_fire_nor_background(seen):
    celsius = meadow()
    celsius[:200] = np.nan
    celsius[199, 100] = 400.0
    celsius[300, 300] = np.inf
    (fire,) = seen(celsius)
    assert fire.temp_max_c == pytest.approx(400.0)
    assert fire.background_c == pytest.approx(22, abs=1)


def test_two_fires_are_two_detections_hottest_first(seen):
    celsius = meadow()
    celsius[100:105, 100:105] = 380.0
    celsius[400:405, 500:505] = 620.0
    assert [d.temp_max_c for d in seen(celsius)] == pytest.approx([620.0, 380.0])


def test_a_small_fire_beside_hundreds_of_larger_warm_things_is_found(seen):
    celsius = meadow()
    many = np.arange(640) % 25 < 5
    celsius[np.outer(many[:512], many)] = 130.0
    celsius[40:42, 40:42] = 700.0
    assert hazards(seen(celsius))[0] is Hazard.FIRE


def test_leaves_that_split_a_fire_by_a_pixel_leave_it_one(seen):
    celsius = meadow()
    celsius[100:110, 100:104] = celsius[100:110, 105:109] = 450.0
    assert len(seen(celsius)) == 1


def test_the_warm_rim_of_a_fire_is_no_hot_spot_beside_it(seen):
    celsius = meadow()
    celsius[100:106, 100:106] = 450.0
    celsius[109:111, 102:104] = 85.0
    assert hazards(seen(celsius)) == [Hazard.FIRE]


def test_the_outline_is_a_closed_ring_around_the_pixels(seen):
    celsius = meadow()
    celsius[100:110, 200:220] = 400.0
    (fire,) = seen(celsius)
    assert fire.outline_px[0] == fire.outline_px[-1]
    xs, ys = zip(*fire.outline_px, strict=True)
    assert (min(xs), max(xs)) == pytest.approx((200, 220), abs=0.5)
    assert (min(ys), max(ys)) == pytest.approx((100, 110), abs=0.5)


def test_a_source_smaller_than_its_pixels_has_the_area_of_its_hot_share(seen):
    """One pixel at 300 °C holds flame over less than half of itself."""
    celsius = meadow()
    celsius[200, 300] = 300.0
    (fire,) = seen(celsius)
    assert 0.2 < fire.area_px < 0.5
    celsius[200:220, 300:320] = 300.0
    (large,) = seen(celsius)
    assert large.area_px == 400


def test_a_frame_without_temperatures_is_not_read(tmp_path, pose):
    frame = load(write_thermal(tmp_path / "a.tif", meadow(), pose))
    blind = Frame(frame.shot, frame.metadata, pixels=np.zeros((512, 640), np.uint8))
    assert not ThermalFire().reads(blind)
    assert ThermalFire().detect(blind, Scene()) == ()


def test_saturation_is_several_pixels_sharing_the_highest_value():
    celsius = meadow()
    assert radiometry.checked(celsius).saturated_c is None
    celsius[0, :5] = 500.0
    assert radiometry.checked(celsius).saturated_c == 500.0
    celsius[0, 0] = 501.0
    assert radiometry.checked(celsius).saturated_c is None


def test_the_sun_in_a_pane_is_no_fire_and_flame_in_two_pixels_is(seen):
    """By day one or two pixels alone must be flame, not only hot."""
    celsius = meadow()
    celsius[250, 330] = 310.0
    celsius[100, 100:102] = 480.0
    assert sorted(hazards(seen(celsius))) == [Hazard.FIRE, Hazard.HOT_SPOT]


@pytest.mark.parametrize(
    ("heat_c", "height", "width", "kind"),
    [(520.0, 6, 6, "flames"), (290.0, 9, 9, "smouldering"), (450.0, 3, 60, "front")],
)
def test_a_fires_kind_follows_from_heat_and_shape(seen, heat_c, height, width, kind):
    celsius = meadow()
    celsius[200 : 200 + height, 300 : 300 + width] = heat_c
    (fire,) = seen(celsius)
    assert fire.kind == kind


def test_radiative_power_is_stefan_and_boltzmanns(seen):
    """A hundred pixels at 500 °C over a meadow of 22 °C, emissivity 0.95."""
    celsius = meadow()
    celsius[200:210, 300:310] = 500.0
    (fire,) = seen(celsius)
    expected = 100 * 0.95 * 5.670374e-8 * (773.15**4 - 295.15**4)
    assert fire.power_w_per_m2 == pytest.approx(expected, rel=0.01)


def test_every_candidate_has_a_score_and_the_threshold_decides(tmp_path, pose):
    celsius = meadow()
    celsius[250:253, 330:333] = 240.0  # a stove
    frame = replace(load(write_thermal(tmp_path / "a.tif", celsius, pose)), pixel_m2=PIXEL_M2)
    (spot,) = ThermalFire().detect(frame, Scene())
    (candidate,) = ThermalFire(threshold=0.0).detect(frame, Scene())
    assert spot.hazard is Hazard.HOT_SPOT
    assert candidate.hazard is Hazard.FIRE
    assert candidate.confidence < 0.5


def test_what_is_warm_follows_the_hour():
    """Forty-five degrees are warm by night; under a high sun every roof has them."""
    by_hour = [warm_from_c(sun_deg) for sun_deg in (-20.0, 0.0, 15.0, 30.0, 70.0)]
    assert by_hour == [45.0, 45.0, 52.5, 60.0, 60.0]
    assert warm_from_c(None) == 60.0, "where the hour is not known"
