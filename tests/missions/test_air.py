"""Wind by height, forecasts, the way back, wires and no-photo ground: planned, and proven by the checker."""

from dataclasses import replace

import pytest

from missions import check
from missions.air import Aloft, NoPhoto, Obstacle, Wind
from missions.geo import distance_m
from missions.items import CAMERA_MODE, IMAGE_START_CAPTURE, IMAGE_STOP_CAPTURE, mission_items
from missions.model import Demand, Plan, Site
from missions.planner import plan
from missions.terrain import Terrain
from tests.missions.tiny import FIRE, FRAME, THERMAL, line, square


def quick(site: Site, terrain: Terrain) -> Plan:
    made = plan(site, terrain=terrain, iterations=40)
    assert check.faults(made, site, terrain) == ()
    return made


@pytest.fixture
def field(site: Site) -> Site:
    """One field west of the ridge."""
    wanted = Demand("field", "forestry", FIRE, square(-700, 0, 300), THERMAL, 120, 7200)
    return replace(site, demands=(wanted,))


def test_wind_turns_and_grows_evenly_between_two_heights() -> None:
    wind = Wind(4, 270, above_sea_m=100, aloft=(Aloft(300, 8, 270), Aloft(500, 8, 90)))
    assert wind.at(50).speed_m_s == pytest.approx(4)
    assert wind.at(200).speed_m_s == pytest.approx(6)
    assert wind.at(400).speed_m_s == pytest.approx(0, abs=1e-9)
    assert wind.at(900).from_deg == pytest.approx(90)


def test_stronger_wind_aloft_costs_more_and_the_checker_finds_it_too(field: Site, terrain: Terrain) -> None:
    calm = quick(field, terrain)
    windy = quick(replace(field, wind=Wind(0, 0, 100, (Aloft(180, 9, 270),))), terrain)
    assert windy.flight_s > calm.flight_s * 1.03
    told = replace(field, wind=Wind(0, 0, 100, (Aloft(180, 9, 270),)))
    assert any("takes" in fault for fault in check.faults(calm, told, terrain))


def test_every_leg_is_counted_in_the_worst_wind_of_the_forecast(field: Site, terrain: Terrain) -> None:
    """What is told of the flight is the wind expected; what it must have on board is the worst."""
    made = quick(replace(field, forecast=(Wind(8, 90), Wind(8, 270))), terrain)
    for sortie in made.sorties:
        assert sortie.worst_wh > sortie.energy_wh * 1.03
        assert sortie.needs_wh == sortie.worst_wh
    brave = replace(made, sorties=tuple(replace(s, worst_wh=s.energy_wh) for s in made.sorties))
    told = replace(field, forecast=(Wind(8, 90), Wind(8, 270)))
    assert any("in the worst wind" in fault for fault in check.faults(brave, told, terrain))


def test_a_wind_aloft_that_no_drone_stands_keeps_it_down(field: Site, terrain: Terrain) -> None:
    made = quick(replace(field, wind=Wind(3, 0, 100, (Aloft(140, 13, 0),))), terrain)
    assert made.sorties == ()
    assert made.unserved[0].demand == "field"


def test_a_sortie_can_break_off_anywhere_and_still_reach_a_dock(field: Site, terrain: Terrain) -> None:
    """The battery is just enough for the plan; on one a little smaller the checker says where it fails."""
    made = quick(field, terrain)
    assert all(s.spare_wh > 0 for s in made.sorties)
    most = max(s.needs_wh for s in made.sorties)
    model = replace(field.models[0], battery_wh=most / (1 - field.models[0].reserve) * 0.8)
    found = check.faults(made, replace(field, models=(model,)), terrain)
    assert any("no dock is in reach" in fault for fault in found)


def test_a_sortie_flies_over_the_wires_and_the_checker_finds_one_that_does_not(
    field: Site, terrain: Terrain
) -> None:
    wires = Obstacle("line-7", line((-800, -900), (-800, 900)), height_m=110, margin_m=20)
    made = quick(replace(field, obstacles=(wires,)), terrain)
    assert made.sorties
    low = quick(field, terrain)
    found = check.faults(low, replace(field, obstacles=(wires,)), terrain)
    assert any("of obstacle line-7" in fault for fault in found)


def test_over_no_photo_ground_the_camera_is_off_and_nothing_is_taken(field: Site, terrain: Terrain) -> None:
    school = NoPhoto("school", square(-600, 100, 80))
    asked = replace(field, no_photo=(school,))
    made = quick(asked, terrain)
    middle = FRAME.to_place(-560, 140)
    assert min(distance_m(s.place, middle) for x in made.sorties for s in x.shots) > 40
    commands = [
        i.command for s in made.sorties for i in mission_items(s, asked.dock(s.dock))
    ]  # a way over it may or may not be taken: what stops is started again
    assert commands.count(IMAGE_STOP_CAPTURE) == commands.count(CAMERA_MODE)
    found = check.faults(quick(field, terrain), asked, terrain)
    assert any("no-photo ground school" in fault for fault in found)


def test_a_way_over_no_photo_ground_switches_the_camera_off_and_on(field: Site, terrain: Terrain) -> None:
    """It lies between the dock and the field, as wide as the valley: no way leads round it."""
    strip = NoPhoto("strip", square(-850, -1500, 100, tall_m=3000))
    asked = replace(field, no_photo=(strip,), docks=field.docks[:1], drones=field.drones[:1])
    made = quick(asked, terrain)
    (sortie,) = made.sorties
    commands = [i.command for i in mission_items(sortie, asked.dock(sortie.dock))]
    assert commands.count(IMAGE_STOP_CAPTURE) == commands.count(CAMERA_MODE) == 2
    off = commands.index(IMAGE_STOP_CAPTURE)
    on = commands.index(CAMERA_MODE)
    assert IMAGE_START_CAPTURE not in commands[off:on]
    seeing = replace(
        made,
        sorties=(replace(sortie, waypoints=tuple(replace(w, is_blind=False) for w in sortie.waypoints)),),
    )
    assert any("has its camera on" in fault for fault in check.faults(seeing, asked, terrain))
