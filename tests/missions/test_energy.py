"""Time and energy of legs."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from missions import energy
from missions.energy import UnflyableLeg
from missions.model import DroneModel, Wind

CALM = Wind()


def test_a_level_leg_takes_cruise_speed_and_cruise_power(model: DroneModel) -> None:
    cost = energy.leg(model, run_m=1200, rise_m=0, track_deg=0, wind=CALM)
    assert cost.time_s == pytest.approx(100)
    assert cost.energy_wh == pytest.approx(480 * 100 / 3600)


def test_straight_up_takes_climb_power_and_straight_down_descent_power(model: DroneModel) -> None:
    up = energy.leg(model, run_m=0, rise_m=40, track_deg=0, wind=CALM)
    down = energy.leg(model, run_m=0, rise_m=-30, track_deg=0, wind=CALM)
    assert (up.time_s, down.time_s) == pytest.approx((10, 10))
    assert up.energy_wh == pytest.approx(700 * 10 / 3600)
    assert down.energy_wh == pytest.approx(450 * 10 / 3600)


def test_a_steep_leg_is_slowed_to_the_climb_rate(model: DroneModel) -> None:
    assert energy.leg(model, run_m=12, rise_m=40, track_deg=0, wind=CALM).time_s == pytest.approx(10)


def test_a_tail_wind_helps_by_less_than_the_same_head_wind_hurts(model: DroneModel) -> None:
    def time_s(track_deg: float) -> float:
        wind = Wind(speed_m_s=5, from_deg=0)
        return energy.leg(model, run_m=1000, rise_m=0, track_deg=track_deg, wind=wind).time_s

    calm_s = 1000 / 12
    assert time_s(180) == pytest.approx(1000 / 17)
    assert time_s(0) == pytest.approx(1000 / 7)
    assert time_s(0) - calm_s > calm_s - time_s(180)


@given(track=st.floats(0, 360), speed=st.floats(0, 11), blows=st.floats(0, 360))
def test_ground_speed_solves_the_wind_triangle(track: float, speed: float, blows: float) -> None:
    """Over ground minus wind is through the air, whose speed is the airspeed."""
    try:
        ground = energy.ground_speed_m_s(12, track_deg=track, wind=Wind(speed, blows))
    except UnflyableLeg:
        assert speed > 10.9
        return
    east = ground * math.sin(math.radians(track)) + speed * math.sin(math.radians(blows))
    north = ground * math.cos(math.radians(track)) + speed * math.cos(math.radians(blows))
    assert math.hypot(east, north) == pytest.approx(12)


@pytest.mark.parametrize("from_deg", [0, 90])
def test_wind_stronger_than_the_drone_makes_a_leg_unflyable(model: DroneModel, from_deg: float) -> None:
    with pytest.raises(UnflyableLeg, match="wind of 13 m/s"):
        energy.leg(model, run_m=100, rise_m=0, track_deg=0, wind=Wind(13, from_deg))


def test_turning_about_costs_more_than_a_slight_bend_and_either_way_the_same(model: DroneModel) -> None:
    assert energy.turn(model, by_deg=180).time_s == pytest.approx(energy.TURN_ABOUT_S)
    assert energy.turn(model, by_deg=350).time_s == pytest.approx(energy.turn(model, by_deg=10).time_s)


def test_the_reserve_is_hover_time_from_what_is_left(model: DroneModel) -> None:
    assert energy.reserve_min(model, 240) == pytest.approx(30)
    assert energy.usable_wh(model) == pytest.approx(375)


@pytest.mark.parametrize(("run_m", "speed"), [(20.0, 4.6416), (50.0, 8.4856), (1000.0, 46.972)])
def test_short_legs_are_flown_no_faster_than_from_rest_to_rest(
    model: DroneModel, run_m: float, speed: float
) -> None:
    """Half the leg to speed up in: v/2 · (v/a + a/j), or v · √(v/j) where a is never reached."""
    a, j = model.accel_m_s2, model.jerk_m_s3
    v = energy.peak_m_s(model, run_m)
    assert v == pytest.approx(speed, rel=1e-3)
    to_reach = v * math.sqrt(v / j) if v < a * a / j else v / 2 * (v / a + a / j)
    assert to_reach == pytest.approx(run_m / 2)


def test_pictures_fifty_metres_apart_take_longer_than_cruising_past_them(model: DroneModel) -> None:
    """ArduCopter made 7 to 8.5 m/s between such pictures where 12 were planned."""
    between = energy.leg(model, run_m=50, rise_m=0, track_deg=0, wind=CALM)
    assert 50 / 8.5 <= between.time_s <= 50 / 7


def test_cold_takes_from_a_battery_and_warmth_adds_nothing() -> None:
    assert energy.cold(20) == energy.cold(35) == 1
    assert energy.cold(-5) == pytest.approx(0.8)
    assert energy.cold(-60) == 0.5
