"""When demands are due and which sortie may start."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from api.schedule import Flight, Heard, due, late_s, launches, needed_percent
from missions.geo import LatLon
from missions.model import Demand, DroneModel, Hazard, Sensor

NOW = datetime(2026, 6, 1, 2, 0, tzinfo=UTC)  # 10:00 in Shanghai
SHANGHAI = ZoneInfo("Asia/Shanghai")
MODEL = DroneModel("GP-1", 12, 4, 3, 500, 520, 700, 480, 450, 0.25, 12, ())
MODELS = {"GP-1": MODEL}
FLIGHT = Flight("P1-S1", "east", "GP-1", None, "planned", 300.0, ("forest",), None, None)
DRONE = Heard("D1", "east", "GP-1", "docked", 100.0, NOW)


def demand(name="forest", revisit_s=3600.0, window=None):
    return Demand(
        name,
        "forestry",
        frozenset({Hazard.FIRE}),
        LatLon(30, 119),
        frozenset({Sensor.THERMAL}),
        120,
        revisit_s,
        1,
        window,
    )


def names(*args, now=NOW, tried=None, flights=()):
    return [d.id for d in due(args, flights, tried or {}, now=now, timezone=SHANGHAI)]


def ago(minutes):
    return NOW - timedelta(minutes=minutes)


def test_what_was_never_looked_at_is_due():
    assert names(demand("a"), demand("b")) == ["a", "b"]


def test_a_demand_is_due_again_when_its_revisit_time_has_passed():
    done = replace(FLIGHT, state="done", began_at=ago(59), changed_at=ago(30))
    assert names(demand(), flights=[done]) == []
    assert names(demand(), flights=[replace(done, began_at=ago(61))]) == ["forest"]


def test_what_is_due_soon_is_planned_along():
    """Five minutes early is within a tenth of the hour; twenty are not."""
    flights = [
        replace(FLIGHT, id="1", demands=("late",), state="done", began_at=ago(61)),
        replace(FLIGHT, id="2", demands=("soon",), state="done", began_at=ago(55)),
        replace(FLIGHT, id="3", demands=("fresh",), state="done", began_at=ago(40)),
    ]
    assert names(demand("late"), demand("soon"), demand("fresh"), flights=flights) == ["late", "soon"]
    assert names(demand("soon"), demand("fresh"), flights=flights) == []


@pytest.mark.parametrize("state", ["planned", "ordered", "accepted", "flying", "landed"])
def test_a_demand_somebody_looks_after_is_not_planned_again(state):
    assert names(demand(), flights=[replace(FLIGHT, state=state)]) == []


def test_a_demand_that_could_not_be_served_rests_before_it_is_planned_again():
    assert names(demand(), tried={"forest": ago(9)}) == []
    assert names(demand(), tried={"forest": ago(11)}) == ["forest"]
    failed = replace(FLIGHT, state="failed", changed_at=ago(9))
    assert names(demand(), flights=[failed]) == []
    assert names(demand(), flights=[replace(failed, changed_at=ago(11))]) == ["forest"]
    assert launched(replace(failed, changed_at=ago(60))) == ()


@pytest.mark.parametrize(
    ("window", "is_open"),
    [((9, 12), True), ((11, 12), False), ((22, 11), True), ((22, 6), False)],
)
def test_the_hours_of_a_demand_are_those_of_the_site(window, is_open):
    begins, ends = window
    assert bool(names(demand(window=(begins * 3600.0, ends * 3600.0)))) is is_open


def launched(*flights, drones=(DRONE,), last=None, now=NOW):
    return launches(flights, drones, MODELS, last or {}, now=now)


def test_a_charged_drone_in_its_dock_takes_the_first_sortie_of_that_dock():
    west = replace(FLIGHT, id="P1-S2", dock="west")
    assert launched(west, FLIGHT, replace(FLIGHT, id="P1-S3")) == (("P1-S1", "D1"),)


@pytest.mark.parametrize(
    "drone",
    [
        replace(DRONE, battery_percent=84.0),
        replace(DRONE, battery_percent=None),
        replace(DRONE, state="flying"),
        replace(DRONE, at=NOW - timedelta(seconds=61)),
        replace(DRONE, dock="west"),
        replace(DRONE, model="GP-2"),
    ],
    ids=["not charged", "charge unknown", "in the air", "silent", "elsewhere", "another model"],
)
def test_a_drone_that_is_not_fit_for_it_does_not_start(drone):
    assert needed_percent(FLIGHT.energy_wh, MODEL) == 85.0
    assert launched(FLIGHT, drones=[drone]) == ()


def test_two_drones_of_one_dock_leave_a_minute_apart():
    drones = (DRONE, replace(DRONE, drone="D2"))
    flying, waiting = replace(FLIGHT, state="flying", drone="D1"), replace(FLIGHT, id="P1-S2")
    assert launched(flying, waiting, drones=drones, last={"east": NOW - timedelta(seconds=59)}) == ()
    assert launched(flying, waiting, drones=drones, last={"east": ago(1)}) == (("P1-S2", "D2"),)


def test_an_order_without_an_answer_is_sent_again_and_holds_its_drone():
    ordered = replace(FLIGHT, state="ordered", drone="D1")
    assert launched(ordered, replace(FLIGHT, id="P1-S2")) == (("P1-S1", None),)


def test_what_was_due_long_ago_is_later_than_what_was_never_looked_at():
    """Nobody waits for the second look yet at what has had no first."""
    done = replace(FLIGHT, demands=("a",), state="done", began_at=ago(300), changed_at=ago(280))
    assert late_s((demand("a"), demand("b")), [done], {}, now=NOW) == {"a": 240 * 60.0}
