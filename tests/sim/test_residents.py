"""Residents who report smoke: one fire late, one kitchen, pins as far off as an eye is."""

import math
from datetime import timedelta

import pytest

from missions.geo import LatLon, distance_m
from sim.residents import CLEAR_M, PIN_OFF_M, SEES_AFTER
from sim.scenarios import LATE_S
from tests.sim.hills import EPOCH_AT, world


@pytest.mark.parametrize("seed", range(1, 6))
def test_one_report_is_of_the_fire_and_the_other_of_a_kitchen(seed):
    there = world(seed=seed, scenario="report")
    (fire,) = there.fires
    assert fire.ignited_at == EPOCH_AT + timedelta(seconds=LATE_S)
    assert fire.area_m2(fire.ignited_at - timedelta(seconds=1)) == 0.0
    right, wrong = there.calls
    assert right.at == fire.ignited_at + SEES_AFTER
    assert math.hypot(right.east_m - fire.east_m, right.north_m - fire.north_m) < 5 * PIN_OFF_M
    assert math.hypot(wrong.east_m - fire.east_m, wrong.north_m - fire.north_m) > CLEAR_M - 5 * PIN_OFF_M
    smoky = [d for d in there.decoys if d.kind.value in ("stove", "chimney")]
    assert min(math.hypot(wrong.east_m - d.east_m, wrong.north_m - d.north_m) for d in smoky) < 5 * PIN_OFF_M


def test_before_the_fire_breaks_out_the_truth_holds_none():
    there = world(scenario="report")
    hazards = {f["properties"]["hazard"] for f in there.truth(EPOCH_AT)["features"]}
    assert hazards == {"none"}
    later = there.truth(EPOCH_AT + timedelta(hours=1))
    assert [f["properties"]["id"] for f in later["features"] if f["properties"]["hazard"] == "fire"] == ["F1"]


def test_what_leaves_the_simulator_does_not_say_whether_it_is_true():
    there = world(scenario="report")
    told = [call.to_json(there.frame) for call in there.calls]
    assert [set(t) for t in told] == [
        {
            "service_request_id",
            "service_code",
            "lat",
            "long",
            "datum",
            "place_by",
            "description",
            "requested_datetime",
        }
    ] * 2
    assert {t["service_code"] for t in told} == {"smoke"}
    fire = there.frame.to_place(there.fires[0].east_m, there.fires[0].north_m)
    assert distance_m(LatLon(told[0]["lat"], told[0]["long"]), fire) < 100


def test_in_other_scenarios_nobody_calls():
    assert world(scenario="fire").calls == ()
    assert world(scenario="calm").calls == ()
