"""The moving point: legs, corners, wind, the battery, the ground."""

import math
from dataclasses import replace

import pytest

from sim.drone import (
    Follow,
    Hold,
    Idle,
    Limits,
    Multirotor,
    Point,
    Rest,
    Sink,
    corner_speed_m_s,
    peak_m_s,
    power_w,
)
from tests.sim.gcs import MODEL

DT = 0.1


def airborne_at(point: Point) -> Multirotor:
    drone = Multirotor(MODEL)
    drone.at, drone.airborne = point, True
    return drone


def test_take_off_climbs_at_the_models_rate_and_stops_at_the_height() -> None:
    drone = Multirotor(MODEL)
    leg = Follow(Point(0, 0, 0), Point(0, 0, 60), 12)
    seconds = 0.0
    while drone.remaining_m(leg) > 0.5:
        drone.step(DT, leg)
        seconds += DT
    assert drone.airborne
    # 60 m at 4 m/s, with 1 m/s² to speed up and to slow down
    assert seconds == pytest.approx(60 / 4 + 4, abs=2)


def test_a_leg_is_flown_straight_at_its_speed() -> None:
    drone = airborne_at(Point(0, 0, 100))
    leg = Follow(Point(0, 0, 100), Point(300, 400, 100), 12)
    fastest = 0.0
    while drone.remaining_m(leg) > 0.5:
        drone.step(DT, leg)
        fastest = max(fastest, drone.ground_speed_m_s)
        assert abs(drone.at.east_m * 0.8 - drone.at.north_m * 0.6) < 0.1
    assert fastest == pytest.approx(12, abs=0.1)


def test_a_steep_leg_is_slowed_to_the_climb_the_model_can() -> None:
    drone = airborne_at(Point(0, 0, 50))
    leg = Follow(Point(0, 0, 50), Point(100, 0, 150), 12)
    fastest = 0.0
    while drone.remaining_m(leg) > 1:
        drone.step(DT, leg)
        fastest = max(fastest, drone.velocity[2])
    assert fastest == pytest.approx(MODEL.climb_m_s, abs=0.2)


def test_the_end_of_a_leg_is_passed_at_the_exit_speed() -> None:
    drone = airborne_at(Point(0, 0, 100))
    leg = Follow(Point(0, 0, 100), Point(200, 0, 100), 12, exit_m_s=5)
    while drone.remaining_m(leg) > 0:
        drone.step(DT, leg)
    assert drone.ground_speed_m_s == pytest.approx(5, abs=0.5)


def test_corners_are_slower_the_sharper_they_are() -> None:
    leg = Follow(Point(0, 0, 0), Point(100, 0, 0), 12)
    straight, slight, square, back = (
        corner_speed_m_s(leg, Point(*p, 0), Limits()) for p in ((200, 0), (200, 20), (100, 100), (0, 0))
    )
    assert straight == math.inf
    assert straight > slight > square > back == 0
    assert square == pytest.approx(2.9, abs=0.1)  # seen on a real ArduCopter: about 3 m/s


@pytest.mark.parametrize(("jerk", "fastest"), [(1.0, 8.5), (5.0, 10.6)])
def test_a_short_leg_is_never_flown_faster_than_one_could_stop_within_it(jerk: float, fastest: float) -> None:
    """As a real ArduCopter did with pictures 50 m apart: 7 to 8.5 m/s with its stock jerk."""
    assert peak_m_s(50.0, 2.5, jerk) == pytest.approx(fastest, abs=0.1)
    assert peak_m_s(500.0, 2.5, jerk) > 20


def test_a_drone_in_gusts_stays_near_its_point() -> None:
    drone = airborne_at(Point(0, 0, 100))
    for n in range(600):
        gust = 8 + 3 * math.sin(n / 7)
        drone.step(DT, Hold(Point(0, 0, 100)), (gust, 0))
    assert 0 < math.dist(drone.at, (0, 0, 100)) < 1.5


def test_power_follows_the_drone_model() -> None:
    assert power_w(MODEL, 0, 0) == MODEL.hover_w
    assert power_w(MODEL, MODEL.cruise_m_s, 0) == MODEL.cruise_w
    assert power_w(MODEL, 0, MODEL.climb_m_s) == MODEL.climb_w
    assert power_w(MODEL, 0, -MODEL.descent_m_s) == MODEL.descent_w
    assert power_w(MODEL, 18, 0) > 1.5 * MODEL.cruise_w


def test_an_hour_of_hovering_costs_what_the_model_says() -> None:
    drone = airborne_at(Point(0, 0, 50))
    for _ in range(1800):
        drone.step(DT, Hold(Point(0, 0, 50)))
    assert drone.battery.capacity_wh - drone.battery.energy_wh == pytest.approx(
        MODEL.hover_w * 180 / 3600, rel=0.01
    )


def test_headwind_costs_more_than_tailwind() -> None:
    spent = []
    for wind in ((-6.0, 0.0), (6.0, 0.0)):
        drone = airborne_at(Point(0, 0, 100))
        leg = Follow(Point(0, 0, 100), Point(1000, 0, 100), 12)
        while drone.remaining_m(leg) > 1:
            drone.step(DT, leg, wind)
        spent.append(drone.battery.capacity_wh - drone.battery.energy_wh)
    assert spent[0] > 1.5 * spent[1]


def test_voltage_falls_with_the_charge_and_under_load() -> None:
    drone = airborne_at(Point(0, 0, 50))
    full = drone.battery.voltage_v
    drone.step(DT, Hold(Point(0, 0, 50)))
    loaded = drone.battery.voltage_v
    drone.battery.energy_wh *= 0.1
    assert full > loaded > drone.battery.voltage_v + 5


def test_a_drone_with_an_empty_battery_falls_and_breaks() -> None:
    drone = airborne_at(Point(0, 0, 50))
    drone.battery.energy_wh = 0.01
    for _ in range(200):
        drone.step(DT, Hold(Point(0, 0, 50)))
    assert drone.crashed
    assert not drone.airborne


def test_a_gentle_descent_lands_whole() -> None:
    drone = airborne_at(Point(3, 4, 5))
    while drone.airborne:
        drone.step(DT, Sink(Point(3, 4, 5), 0.5))
    assert not drone.crashed
    assert drone.at.up_m == 0


def test_flying_into_a_slope_breaks_the_drone() -> None:
    drone = Multirotor(MODEL, ground_m=lambda east, north: max(0.0, east - 50))
    drone.at, drone.airborne = Point(0, 0, 20), True
    leg = Follow(Point(0, 0, 20), Point(300, 0, 20), 12)
    for _ in range(300):
        drone.step(DT, leg if not drone.crashed else Rest())
    assert drone.crashed
    assert drone.at.east_m == pytest.approx(70, abs=2)


def test_a_shut_lid_holds_the_drone_down() -> None:
    drone = Multirotor(MODEL)
    drone.held_down = True
    for _ in range(100):
        drone.step(DT, Follow(Point(0, 0, 0), Point(0, 0, 30), 12))
    assert not drone.airborne


def test_motors_off_on_the_ground_cost_nothing_and_turning_costs_a_little() -> None:
    drone = Multirotor(replace(MODEL))
    drone.step(3600, Rest())
    assert drone.battery.share == 1
    drone.step(3600, Idle())
    assert 0.8 < drone.battery.share < 1


def test_the_nose_turns_no_faster_than_it_can() -> None:
    drone = airborne_at(Point(0, 0, 50))
    drone.heading_deg, drone.face_deg = 350.0, 80.0
    drone.step(1.0, Hold(Point(0, 0, 50)))
    assert drone.heading_deg == pytest.approx(50)
    drone.step(1.0, Hold(Point(0, 0, 50)))
    assert drone.heading_deg == pytest.approx(80)
