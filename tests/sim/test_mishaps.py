"""Faults that happen to a flying drone, as its ground station sees them."""

import math
from typing import Any

import pytest

from sim.faults import KINDS, Fault, Number
from sim.troubles import SOUND, Troubles, troubles_of
from tests.sim.gcs import HOME, READY_S, RETURN, TAKEOFF, WAYPOINT, Station, item, small_mission

LAND = 9


def fault(kind: str, **values: Any) -> Fault:
    named = KINDS[kind].values
    defaults = {n: f.default if isinstance(f, Number) else f.words[0] for n, f in named.items()}
    return Fault(kind, values=defaults | values)


def struck(station: Station, *faults: Fault) -> None:
    station.vehicle.suffer(troubles_of(faults) if faults else SOUND)


def flying() -> Station:
    station = Station()
    station.fly([HOME, item(TAKEOFF, up_m=40), item(WAYPOINT, 400, 0, 40), item(RETURN)])
    station.wait_for(lambda: station.vehicle.drone.at.east_m > 60)
    return station


def test_no_faults_are_a_sound_drone() -> None:
    assert troubles_of([]) == SOUND == Troubles()


def test_like_faults_add_up() -> None:
    troubles = troubles_of(
        [fault("gps_jump", east_m=3), fault("gps_jump", east_m=4), fault("motor_weak", thrust=0.5)]
    )
    assert (troubles.gps_off_m, troubles.thrust) == ((7.0, 0.0, 0.0), 0.5)


def test_a_small_gps_jump_takes_the_drone_off_its_line() -> None:
    """It believes in its GPS: told and flown places agree, the true one is off."""
    station = flying()
    struck(station, fault("gps_jump", north_m=15))
    station.wait(15)
    assert station.vehicle.drone.at.north_m == pytest.approx(-15, abs=2)
    assert station.pilot.mode != LAND


@pytest.mark.parametrize(
    "wrong",
    [fault("gps_jump", east_m=80), fault("gps_lost"), fault("compass", error_deg=90)],
    ids=lambda f: f.kind,
)
def test_a_lost_position_ends_in_a_landing(wrong: Fault) -> None:
    station = flying()
    struck(station, wrong)
    station.wait(3)
    assert station.pilot.mode == LAND
    assert "EKF variance" in station.texts()
    assert not station.vehicle.drone.airborne or station.wait_for(lambda: not station.pilot.armed)
    assert not station.vehicle.drone.crashed


def test_without_a_gps_nothing_arms() -> None:
    station = Station()
    struck(station, fault("gps_lost"))
    station.mode(4)
    assert station.arm() != 0
    struck(station)
    assert station.arm() == 0


def test_a_gust_is_felt_and_leaves_again() -> None:
    station = flying()
    calm = station.vehicle.air
    struck(station, fault("gust", speed_m_s=9, from_deg=270))
    station.wait(1)
    assert station.vehicle.air[0] - calm[0] == pytest.approx(9)
    struck(station)
    station.wait(1)
    assert station.vehicle.air == calm


def test_a_storm_drives_the_drone_back() -> None:
    station = flying()
    struck(station, fault("gust", speed_m_s=40, from_deg=90))
    before = station.vehicle.drone.at.east_m
    station.wait(20)
    assert station.vehicle.drone.at.east_m < before


def test_a_bad_cell_shows_in_the_voltage_and_brings_the_drone_home() -> None:
    station = Station()
    station.parameter("BATT_FS_LOW_ACT", 2)
    station.fly([HOME, item(TAKEOFF, up_m=40), item(WAYPOINT, 900, 0, 40), item(RETURN)])
    station.wait_for(lambda: station.vehicle.drone.at.east_m > 60)
    before = station.vehicle.drone.battery.voltage_v
    struck(station, fault("low_cell", drop_v=8))
    assert station.vehicle.drone.battery.voltage_v == pytest.approx(before - 8)
    station.wait(8)
    assert station.pilot.mode == 6
    assert any("Battery 1 is low" in t for t in station.texts())


def test_a_very_weak_motor_cannot_hold_the_height() -> None:
    station = flying()
    struck(station, fault("motor_weak", thrust=0.1))
    station.wait_for(lambda: not station.vehicle.drone.airborne, limit_s=60)
    assert any("Crash" in t for t in station.texts())


def test_a_weak_motor_climbs_slowly_and_takes_more_power() -> None:
    station = Station()
    struck(station, fault("motor_weak", thrust=0.6))
    station.fly()
    station.wait(8)
    assert 0 < station.vehicle.drone.velocity[2] <= 0.6 * 4 + 0.01


@pytest.mark.parametrize(
    ("what", "records", "exposed"), [("records", 0, 3), ("shutter", 0, 0), ("files", 6, 0)]
)
def test_a_mute_camera_is_mute_in_one_way(what: str, records: int, exposed: int) -> None:
    station = Station()
    struck(station, fault("camera_mute", what=what))
    station.fly(small_mission())
    station.wait_for(lambda: not station.pilot.armed)
    assert len(station.messages("CAMERA_IMAGE_CAPTURED")) == records
    assert len(station.vehicle.taken()) == exposed


def test_records_that_were_not_told_can_be_asked_for() -> None:
    station = Station()
    struck(station, fault("camera_mute", what="records"))
    station.fly(small_mission())
    station.wait_for(lambda: not station.pilot.armed)
    assert station.command(512, 263, 2, component=100) == 0
    assert station.messages("CAMERA_IMAGE_CAPTURED")[-1].image_index == 2


def test_a_reboot_on_the_ground_is_silence_and_a_fresh_start() -> None:
    station = Station()
    station.vehicle.crash_and_boot(5)
    assert station.wait(4.5) == []
    assert station.wait(2)
    assert station.now_s > READY_S
    station.mode(4)
    assert station.arm() != 0  # the estimate is not ready again
    station.wait(READY_S)
    assert station.arm() == 0


def test_a_reboot_in_the_air_ends_in_a_landing() -> None:
    station = flying()
    station.vehicle.crash_and_boot(4)
    station.wait_for(lambda: not station.vehicle.drone.airborne)
    station.wait(2)
    assert (station.pilot.mode, station.pilot.armed, station.vehicle.drone.crashed) == (LAND, False, False)


def test_a_clock_jump_is_in_the_times_it_tells() -> None:
    station = Station()
    struck(station, fault("clock_jump", by_s=3600))
    station.command(512, 2)
    assert station.messages("SYSTEM_TIME")[-1].time_unix_usec / 1e6 == pytest.approx(
        station.vehicle.now_s + 3600
    )


def test_the_moments_faults_count_from_are_the_first_ones() -> None:
    station = Station()
    station.fly(small_mission())
    station.wait_for(lambda: not station.pilot.armed)
    station.wait(1)
    moments = station.vehicle.moments
    assert list(moments) == ["armed", "takeoff", "returning", "landed"]
    assert sorted(moments.values()) == list(moments.values())
    assert not any(math.isinf(m) for m in moments.values())
