"""What a drone in the air does when it cannot, or shall not, land at home."""

from dataclasses import replace

import pytest

from fleet.autopilots import Flying, Step
from fleet.docks import DockAction
from fleet.stages import Divert, Leg, Memory, Need, Stage, Wish
from tests.fleet.builders import MEADOW, WEST, high, sight
from tests.fleet.test_sortie import AIR, GROUND, Timeline

RETURN = AIR | {"flying": Flying.RETURN}
LAND = AIR | {"flying": Flying.LAND}
AWAY = AIR | {"leg": Leg.ELSEWHERE}


def flight(stage: Stage = Stage.FLYING) -> Timeline:
    return Timeline(landings=(MEADOW, WEST)).until(stage)


def at(landing) -> dict:
    """Return standing on the ground of a landing."""
    place = {"lat_deg": landing.lat_deg, "lon_deg": landing.lon_deg}
    return GROUND | {"motion": replace(high(0.0), **place)}


def landed(flown: Timeline, door: str | None = "open", **seen) -> Stage:
    flown.see(door=door, **seen)
    return flown.see(1.1, door=door, **seen)


def test_a_diverted_drone_opens_the_other_door_and_lands_there():
    """The jump is repeated until the drone flies the way there; its own door is closed behind it."""
    flown = flight()
    assert flown.machine.wish(Wish.DIVERT, "dock-west") is None
    assert flown.see(door="closed", **AIR) is Stage.DIVERTING
    assert flown.machine.dock_id == "dock-west"
    flown.see(6.0, door="closed", **AIR)
    assert flown.done.count(Divert("dock-west")) >= 2
    assert DockAction.OPEN in flown.done
    flown.see(6.0, door="open", **AWAY)
    asked = flown.done.count(Divert("dock-west"))
    flown.see(6.0, door="open", **AWAY)
    assert flown.done.count(Divert("dock-west")) == asked
    assert landed(flown, **at(WEST)) is Stage.CLOSING
    assert Need.CLOSE_HOME in flown.done
    flown.see(door="closed", **at(WEST))
    assert flown.see(door="closed", **at(WEST)) is Stage.DONE
    assert str(flown.machine.landed_at) == "dock-west"
    assert flown.machine.landed_at.kind == "alternate"


@pytest.mark.parametrize("stage", [Stage.FLYING, Stage.RETURNING])
def test_a_stuck_door_sends_the_drone_to_the_nearest_landing(stage):
    """Whether it still flies or comes home already."""
    flown = flight(stage)
    flown.see(door="stuck", **AIR)
    assert flown.machine.stage is Stage.DIVERTING
    assert Divert("meadow") in flown.done
    assert "door of dock-east is stuck" in flown.told[-1].evidence
    assert landed(flown, door=None, **at(MEADOW)) is Stage.COLLECTING


def test_a_door_that_went_shut_is_opened_again_before_the_drone_goes_elsewhere():
    """It takes 20 s; after a minute and a half the landing is sure, the door is not."""
    flown = flight(Stage.RETURNING)
    flown.see(door="closed", **RETURN)
    assert DockAction.OPEN in flown.done
    flown.see(60.0, door="opening", **RETURN)
    assert flown.machine.stage is Stage.RETURNING
    flown.see(40.0, door="opening", **RETURN)
    assert flown.machine.stage is Stage.DIVERTING


def test_a_door_that_opens_again_changes_nothing():
    """The drone lands at home."""
    flown = flight(Stage.RETURNING)
    flown.see(door="closed", **RETURN)
    flown.see(60.0, door="open", **RETURN)
    flown.see(600.0, door="open", **RETURN)
    assert flown.machine.stage is Stage.RETURNING


def test_without_another_landing_it_comes_home_to_a_stuck_door_and_says_so():
    """A lid is better known than the woods."""
    flown = Timeline().until(Stage.RETURNING)
    flown.see(door="stuck", **RETURN)
    flown.see(200.0, door="stuck", **RETURN)
    assert flown.machine.stage is Stage.RETURNING
    assert "is stuck" in flown.told[-1].evidence


def test_a_landing_the_autopilot_begins_is_followed_and_its_place_told():
    """A critical battery, a lost estimate: it comes down where it is."""
    flown = flight()
    assert flown.see(door="open", **LAND) is Stage.LANDING
    field = replace(high(0.0), lat_deg=30.29)
    assert landed(flown, **GROUND, motion=field) is Stage.CLOSING
    flown.see(door="closed", **GROUND, motion=field)
    assert flown.see(door="closed", **GROUND, motion=field) is Stage.FAILED
    assert flown.machine.landed_at.kind == "open ground"
    assert "30.290000, 119.420000" in flown.told[-1].evidence


def test_a_person_can_send_it_down_where_it_is():
    """Asked again until the mode says so."""
    flown = flight()
    assert flown.machine.wish(Wish.ABORT) is None
    flown.see(door="open", **AIR)
    flown.see(4.0, door="open", **AIR)
    assert flown.done.count(Step.LAND) == 2
    flown.see(4.0, door="open", **LAND)
    assert flown.done.count(Step.LAND) == 2
    assert flown.machine.stage is Stage.LANDING


def test_a_diversion_that_never_arrives_ends_in_a_landing():
    """Every wait has a way out."""
    flown = flight()
    flown.machine.wish(Wish.DIVERT, "meadow")
    flown.see(door="open", **AIR)
    for _ in range(200):
        flown.see(6.0, door="open", **AWAY)
    assert flown.machine.stage is Stage.LANDING
    assert Step.LAND in flown.done


def test_an_autopilot_that_insists_on_coming_home_is_not_fought():
    """Its battery failsafe knows more than we do."""
    flown = flight()
    flown.machine.wish(Wish.DIVERT, "meadow")
    for _ in range(6):
        flown.see(6.0, door="open", **RETURN)
    assert flown.machine.stage is Stage.RETURNING
    asked = flown.done.count(Divert("meadow"))
    flown.see(6.0, door="open", **RETURN)
    assert flown.done.count(Divert("meadow")) == asked


def test_where_it_cannot_be_diverted_says_why():
    """An unknown place, or a drone on the ground."""
    assert "dock-west" in flight().machine.wish(Wish.DIVERT, "moon")
    assert "in the air" in flight(Stage.UPLOAD).machine.wish(Wish.DIVERT, "meadow")


def test_one_word_of_landing_is_not_a_landing():
    """An autopilot that reboots in the air says "disarmed" before it knows where it is."""
    flown = flight()
    flown.see(door="open", **GROUND)
    flown.see(0.5, door="open", **AIR)
    flown.see(2.0, door="open", **GROUND)
    assert not flown.machine.landed


@pytest.mark.parametrize(
    ("memory", "seen", "stage", "done"),
    [
        (Memory(recalled="recalled by a person"), AIR, Stage.FLYING, Step.RECALL),
        (Memory(landing="meadow"), AIR, Stage.DIVERTING, Divert("meadow")),
        (Memory(down="sent down"), AIR, Stage.LANDING, Step.LAND),
        (Memory(wishes=((Wish.RECALL, ""),)), AIR, Stage.FLYING, Step.RECALL),
        (Memory(wishes=((Wish.DIVERT, "meadow"),)), AIR, Stage.DIVERTING, Divert("meadow")),
    ],
)
def test_what_was_promised_before_a_kill_is_done_after_it(memory, seen, stage, done):
    """And what the drone does already is not ordered again."""
    flown = Timeline(landings=(MEADOW, WEST))
    kept = Memory.from_json(memory.to_json())
    assert kept == memory
    flown.machine.reattach(Stage.FLYING, sight(0.0, dock=None, **seen), 0.0, kept)
    flown.see(door="open", **seen)
    assert flown.machine.stage is stage
    assert done in flown.done


@pytest.mark.parametrize(
    ("memory", "seen", "order"),
    [
        (Memory(recalled="recalled by a person"), RETURN, Step.RECALL),
        (Memory(wishes=((Wish.RECALL, ""),)), RETURN, Step.RECALL),
        (Memory(landing="meadow"), AWAY, Divert("meadow")),
        (Memory(down="sent down"), LAND, Step.LAND),
        (Memory(paused=True), AIR, Step.PAUSE),
    ],
)
def test_what_the_drone_does_already_is_not_ordered_twice(memory, seen, order):
    """After a kill -9 the effect is looked at first."""
    flown = Timeline(landings=(MEADOW, WEST))
    flown.machine.reattach(Stage.FLYING, sight(0.0, dock=None, **seen), 0.0, memory)
    for _ in range(5):
        flown.see(3.0, door="open", **seen)
    assert order not in flown.done


def test_a_landing_far_from_home_leaves_no_door_open():
    """Neither at home nor elsewhere."""
    flown = flight(Stage.RETURNING)
    flown.machine.wish(Wish.DIVERT, "meadow")
    flown.see(door="open", **AIR)
    landed(flown, **at(MEADOW))
    assert flown.done.count(Need.CLOSE_HOME) == 1


def test_a_door_closed_for_another_drone_is_opened_on_the_way_home_only():
    """The dock holds two, and the other one landed first."""
    flown = flight()
    flown.see(door="closed", **AIR)
    flown.see(200.0, door="closed", **AIR)
    assert flown.machine.stage is Stage.FLYING
    opened = flown.done.count(DockAction.OPEN)
    flown.see(door="closed", **RETURN)
    flown.see(door="closed", **RETURN)
    assert flown.done.count(DockAction.OPEN) == opened + 1


def test_a_nearly_empty_battery_is_the_autopilots_business_first():
    """An order to come home would undo a landing it has just begun to hold for; nobody acts, we do."""
    flown = flight()
    flown.see(door="open", battery_percent=4.0, **AIR)
    flown.see(10.0, door="open", battery_percent=4.0, **AIR)
    assert Step.RECALL not in flown.done
    flown.see(3.0, door="open", battery_percent=4.0, **AIR)
    assert Step.RECALL in flown.done
