"""The benches that fly: a few sorties each, so that the code that measures is held to the rules, too."""

import random

import pytest

from fleet.bench import resume
from fleet.bench.faults import _ended, _entries
from fleet.bench.faultsite import places
from fleet.bench.model_drone import ModelCarrier, ModelDrone, patrol
from fleet.bench.restart import Sent, _twice
from fleet.failsafe import FAULTS, End
from fleet.order import DockPlace, order_from
from missions.measure import Job, Raw

DOCK = DockPlace("dock-a", 30.28, 119.42, 82.0)


def test_cut_sorties_miss_no_picture_and_repeat_at_most_one():
    """A tenth of all records lost, thirty cuts: recall, battery, landing, killed gateways."""
    rows = {r.name: r for r in resume.rows(Job(Raw(None), lambda text: None, quick=True))}
    assert rows["resume.cuts"].value >= 30
    assert rows["resume.missed"].value == 0
    assert rows["resume.max_duplicates"].value <= 1
    assert rows["resume.camera_not_restored"].value == 0


async def test_a_model_drone_takes_what_it_is_told():
    """Every planned shot once, by both cameras, and back on its dock."""
    rng = random.Random(3)
    order = patrol(rng, DOCK, "S1", "D1")
    order_from(order.to_json())
    drone = ModelDrone("D1", DOCK.place, rng)
    carrier = ModelCarrier(drone)
    carrier.begin(order)
    carrier.load()
    drone.armed, drone.flying = True, carrier.progress().flying.MISSION
    for _ in range(5000):
        await carrier.beat()
    assert not drone.armed
    assert sorted(s.shot for s in drone.taken) == sorted([*range(order.shots)] * 2)


@pytest.mark.parametrize(
    ("event", "state", "ended"),
    [
        ({"landed_at": {"kind": "dock"}}, {}, End.DOCK),
        ({"landed_at": {"kind": "alternate"}}, {}, End.ALTERNATE),
        ({"landed_at": {"kind": "open ground"}}, {}, End.GROUND),
        ({}, {"armed": False}, End.KEPT),
    ],
)
def test_a_sortie_ends_in_the_state_its_last_event_tells(event, state, ended):
    """A drone that never left stands in its dock."""
    (place,) = places(1)
    told = [{"state": "failed", "evidence": "", **event}]
    here = {"lat_deg": place.dock.lat_deg, "lon_deg": place.dock.lon_deg, "armed": False} | state
    assert _ended(told, here, place) == ended


def test_a_sortie_without_an_end_is_none_of_the_four_states():
    """It is told apart, and counts as unexplained."""
    (place,) = places(1)
    assert "never ended" in _ended([{"state": "returning", "evidence": ""}], None, place)


def test_each_fault_strikes_its_own_drone_or_dock():
    """Many are flown at once."""
    (place,) = places(1)
    for fault in FAULTS:
        for entry in _entries(fault, place):
            struck = entry.get("dock", entry.get("drone"))
            assert struck == (place.dock.id if entry["kind"].startswith("dock") else place.drone)


def test_a_promised_recall_is_owed_once_and_everything_else_never():
    """Copies of an order that was not answered are not a second order."""
    recall = Sent(176, (1.0, 6.0, 0.0, 0.0, 0.0, 0.0, 0.0), 0)
    again = Sent(176, recall.params, 1)
    arm = Sent(400, (1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0), 0)
    assert _twice([recall, again], promised=True) == 0
    assert _twice([recall, recall], promised=True) == 1
    assert _twice([recall], promised=False) == 1
    assert _twice([arm], promised=True) == 1
