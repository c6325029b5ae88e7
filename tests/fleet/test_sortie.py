"""One flight as tables: what is seen, what is done."""

from dataclasses import replace

import pytest

from fleet.autopilots import Flying, Step
from fleet.docks import DockAction
from fleet.parameters import ProfileResult
from fleet.sortie import SortieMachine
from fleet.stages import Leg, Need, Report, Sight, Stage, Wish
from fleet.transfer import UploadResult
from tests.fleet.builders import dock, high, order, sight

PROFILE = ProfileResult((), (), ())
VERIFIED = UploadResult(True, True)
AIR = {"armed": True, "on_ground": False, "motion": high(), "flying": Flying.MISSION}
GROUND = {"armed": False, "on_ground": True}


class Timeline:
    """Moves a machine through time; keeps what it did and told."""

    def __init__(self, *, has_dock: bool = True, **values) -> None:
        self.machine = SortieMachine(order(**values), has_dock=has_dock, now=0.0)
        self.now = 0.0
        self.done: list = []
        self.told: list[Report] = []

    def see(self, after: float = 0.1, *, door: str | None = "closed", **values) -> Stage:
        """Let some time pass and show something; return the stage then."""
        self.now += after
        state = None if door is None else dock(self.now, door=door)
        return self.show(sight(self.now, dock=state, **values))

    def show(self, seen: Sight) -> Stage:
        actions = self.machine.step(seen, self.now)
        self.told += [a for a in actions if isinstance(a, Report)]
        self.done += [a for a in actions if not isinstance(a, Report)]
        return self.machine.stage

    def states(self) -> list[str]:
        return [r.state for r in self.told]

    def until(self, stage: Stage) -> "Timeline":
        """Go the good way to a stage."""
        for seen in (
            {},
            {"door": "open"},
            {"door": "open", "profile": PROFILE},
            {"door": "open", "profile": PROFILE, "upload": VERIFIED},
            {"door": "open", "armed": True, "flying": Flying.READY},
            {"door": "open", **AIR},
            {"door": "open", **AIR, "leg": Leg.HOME},
        ):
            if self.machine.stage is stage:
                break
            self.see(**seen)
        assert self.machine.stage is stage
        return self


def test_a_whole_sortie_goes_from_door_to_door():
    """Each step is told once, in order."""
    flight = Timeline().until(Stage.RETURNING)
    assert flight.see(door="open", **GROUND) is Stage.RETURNING
    assert flight.see(1.1, door="open", **GROUND) is Stage.CLOSING
    assert flight.see(door="open", **GROUND) is Stage.CLOSING
    assert flight.see(door="closed", **GROUND, taken=3, files=4, files_wanted=6) is Stage.COLLECTING
    assert flight.see(door="closed", **GROUND, taken=3, files=6, files_wanted=6) is Stage.DONE
    assert flight.states() == [
        "preflight",
        "door_open",
        "uploading",
        "verified",
        "armed",
        "flying",
        "returning",
        "landed",
        "door_closed",
        "done",
    ]
    assert flight.told[-1].evidence == "3 of 3 pictures, 6 files"


def test_nothing_is_armed_before_the_mission_is_proven_on_board():
    """However long it takes."""
    flight = Timeline().until(Stage.UPLOAD)
    for _ in range(50):
        flight.see(5.0, door="open")
    assert Step.ARM not in flight.done
    assert flight.done.count(Need.UPLOAD) == 1


def test_the_upload_does_not_begin_before_the_door_is_open():
    """A stuck door must not leave a drone ready to fly."""
    flight = Timeline().until(Stage.DOOR)
    for _ in range(10):
        flight.see(door="opening")
    assert Need.UPLOAD not in flight.done
    assert DockAction.OPEN in flight.done


@pytest.mark.parametrize(
    ("stage", "seen", "reason"),
    [
        (Stage.PREFLIGHT, {"ready_to_arm": False, "after": 200.0}, "not ready to arm"),
        (Stage.PREFLIGHT, {"armed": True}, "armed already"),
        (Stage.DOOR, {"door": "stuck"}, "is stuck"),
        (Stage.DOOR, {"door": "opening", "after": 100.0}, "did not open"),
        (Stage.PROFILE, {"profile": ProfileResult((), ("set CAM1_TYPE",), ())}, "set CAM1_TYPE"),
        (Stage.PROFILE, {"after": 70.0}, "could not be read"),
        (Stage.UPLOAD, {"upload": UploadResult(False, True, "item 3 differs")}, "item 3 differs"),
        (Stage.UPLOAD, {"after": 700.0}, "it took too long"),
        (Stage.ARMING, {"after": 100.0, "refusals": {Step.ARM: "failed"}}, "failed"),
        (Stage.STARTING, {"after": 70.0, "armed": True}, "did not take off"),
    ],
)
def test_every_wait_before_take_off_ends_in_a_failure_with_its_reason(stage, seen, reason):
    """Never in a drone that waits for ever."""
    flight = Timeline().until(stage)
    flight.see(**({"door": "open"} | seen))
    assert flight.machine.stage is Stage.ABORTING
    assert reason in flight.machine.failure
    flight.see(door="closed", **GROUND)
    assert flight.machine.stage is Stage.FAILED
    assert flight.told[-1].state == "failed"
    assert reason in flight.told[-1].evidence


def test_a_drone_that_disarms_before_take_off_is_armed_again_but_not_for_ever():
    """ArduCopter disarms after ten idle seconds on the ground."""
    flight = Timeline().until(Stage.STARTING)
    for _ in range(2):
        assert flight.see(12.0, door="open", armed=False) is Stage.ARMING
        assert flight.see(door="open", armed=True) is Stage.STARTING
    flight.see(12.0, door="open", armed=False)
    assert flight.machine.stage is Stage.ABORTING
    assert "disarmed before take-off" in flight.machine.failure


def test_a_failed_upload_is_cleared_and_the_door_closed():
    """A rejected upload leaves its head on board."""
    flight = Timeline().until(Stage.UPLOAD)
    flight.see(door="open", upload=UploadResult(False, True, "no"))
    assert Need.CLEAR in flight.done
    flight.see(door="open", **GROUND)
    assert DockAction.CLOSE in flight.done
    assert flight.machine.stage is Stage.ABORTING


def test_an_armed_drone_is_disarmed_before_its_door_closes():
    """On the ground, when taking off failed."""
    flight = Timeline().until(Stage.STARTING)
    flight.see(70.0, door="open", armed=True)
    flight.see(door="open", armed=True)
    assert Step.DISARM in flight.done
    assert DockAction.CLOSE not in flight.done


@pytest.mark.parametrize("gives_up", [False, True])
def test_a_drone_that_falls_silent_at_its_start_may_be_flying(gives_up):
    """Neither is it disarmed blindly nor its sortie ended: whatever is heard of it next decides."""
    flight = Timeline().until(Stage.STARTING)
    if gives_up:
        flight.see(70.0, door="open", armed=True)
    silent, before = sight(flight.now, dock=dock(flight.now, door="open"), armed=True), len(flight.done)
    for _ in range(60):
        flight.now += 5.0
        flight.show(silent)
    assert flight.done[before:] == []
    assert not flight.machine.stage.is_over
    again = Timeline()
    again.machine.reattach(flight.machine.stage, Sight(vehicle=None), 0.0, flight.machine.memory)
    again.now = 600.0
    again.show(Sight(vehicle=None))
    assert (again.done, again.machine.stage.is_over) == ([], False)
    flight.see(door="open", **AIR)
    assert flight.see(door="open", **AIR) is Stage.FLYING
    assert (Step.RECALL in flight.done) is gives_up


@pytest.mark.parametrize("seen", [AIR, {"armed": True}])
def test_a_drone_that_somebody_else_armed_is_ordered_nothing(seen):
    """It may be another sortie's in the air, or in a technician's hands."""
    flight = Timeline()
    for _ in range(20):
        flight.see(10.0, **seen)
    assert (flight.machine.stage, flight.done) == (Stage.FAILED, [])
    assert "armed already" in flight.told[-1].evidence


@pytest.mark.parametrize(
    ("worse", "why"),
    [
        ({"wind_m_s": 25.0}, "wind"),
        ({"rain_mm_h": 30.0}, "rain"),
        ({"heard_s": -900.0}, "not heard"),
        ({}, "battery"),
    ],
)
def test_what_has_turned_worse_since_preflight_keeps_it_on_the_ground(worse, why):
    """The mission may have gone up for ten minutes."""
    flight = Timeline().until(Stage.ARMING)
    for _ in range(20):
        flight.now += 5.0
        state = replace(dock(flight.now, door="open"), **worse)
        values = {} if worse else {"battery_percent": 12.0}
        flight.show(sight(flight.now, dock=state, flying=Flying.READY, **values))
    assert Step.ARM not in flight.done
    assert why in flight.machine.failure


def test_a_drone_does_not_start_under_a_door_that_shuts():
    """Another drone of the dock may have come home."""
    flight = Timeline().until(Stage.STARTING)
    flight.see(door="closing", armed=True)
    flight.see(door="closing", armed=True)
    assert Step.DISARM in flight.done
    assert Step.START not in flight.done


def test_a_drone_that_takes_off_late_is_brought_home_and_not_forgotten():
    """It rose just after we gave up."""
    flight = Timeline().until(Stage.STARTING)
    flight.see(70.0, door="open", armed=True)
    flight.see(door="open", **AIR)
    flight.see(door="open", **AIR)
    assert flight.machine.stage is Stage.FLYING
    assert Step.RECALL in flight.done
    flight.see(door="open", **(AIR | {"flying": Flying.RETURN}))
    flight.see(door="open", **GROUND)
    flight.see(1.0, door="open", **GROUND)
    flight.see(door="closed", **GROUND)
    flight.see(door="closed", **GROUND)
    assert flight.machine.stage is Stage.FAILED
    assert flight.machine.landed


def test_orders_are_repeated_until_their_effect_is_seen():
    """An acknowledgement is not completion."""
    flight = Timeline().until(Stage.ARMING)
    for _ in range(10):
        flight.see(1.0, door="open", flying=Flying.READY)
    assert flight.done.count(Step.ARM) >= 2


@pytest.mark.parametrize("stage", [Stage.FLYING, Stage.RETURNING])
def test_a_lost_drone_is_not_a_landed_one(stage):
    """Its last word was "on the ground", an hour ago."""
    flight = Timeline().until(stage)
    silent = sight(flight.now, dock=None, **GROUND)
    flight.now += 3600.0
    assert flight.show(silent) is stage
    assert not flight.machine.landed
    assert "not heard" in flight.told[-1].evidence
    count = len(flight.told)
    flight.now += 5.0
    flight.show(silent)
    assert len(flight.told) == count


def test_recall_is_repeated_until_the_drone_comes_home():
    """And told with who asked."""
    flight = Timeline().until(Stage.FLYING)
    assert flight.machine.wish(Wish.RECALL) is None
    for _ in range(4):
        flight.see(2.0, door="open", **AIR)
    assert flight.done.count(Step.RECALL) >= 2
    flight.see(door="open", **(AIR | {"flying": Flying.RETURN}))
    assert flight.machine.stage is Stage.RETURNING
    assert "recalled by a person" in flight.told[-1].evidence
    flight.done.clear()
    flight.see(door="open", **AIR)
    assert flight.done == [Step.RECALL]  # its mission went on: an older start came late


def test_recall_before_take_off_ends_the_sortie_on_the_ground():
    """The door closes again."""
    flight = Timeline().until(Stage.UPLOAD)
    flight.machine.wish(Wish.RECALL)
    flight.see(door="open")
    assert DockAction.CLOSE in flight.done
    flight.see(door="closed")
    assert flight.machine.stage is Stage.FAILED


def test_pause_and_resume_are_ordered_once():
    """And told."""
    flight = Timeline().until(Stage.FLYING)
    flight.machine.wish(Wish.PAUSE)
    flight.see(door="open", **AIR)
    flight.see(door="open", **AIR)
    flight.machine.wish(Wish.RESUME)
    flight.see(door="open", **AIR)
    assert flight.done.count(Step.PAUSE) == 1
    assert flight.done.count(Step.RESUME) == 1
    assert flight.machine.stage is Stage.FLYING


def test_a_pause_refused_during_take_off_is_asked_again():
    """Until it is taken; a pause nobody asked for is never sent."""
    flight = Timeline().until(Stage.FLYING)
    refused = AIR | {"refusals": {Step.PAUSE: "failed", Step.RESUME: "failed"}}
    flight.see(5.0, door="open", **refused)
    assert Step.RESUME not in flight.done
    flight.machine.wish(Wish.PAUSE)
    for _ in range(3):
        flight.see(4.0, door="open", **refused)
    assert flight.done.count(Step.PAUSE) == 4
    flight.see(4.0, door="open", **AIR)
    assert flight.done.count(Step.PAUSE) == 4


def test_a_pause_without_end_becomes_a_recall():
    """The battery does not wait."""
    flight = Timeline().until(Stage.FLYING)
    flight.machine.wish(Wish.PAUSE)
    flight.see(door="open", **AIR)
    flight.see(700.0, door="open", **AIR)
    assert Step.RECALL in flight.done


def test_a_flight_that_takes_far_too_long_is_recalled():
    """One and a half times what was planned, and five minutes."""
    flight = Timeline(expected_s=100.0).until(Stage.FLYING)
    flight.see(440.0, door="open", **AIR)
    assert Step.RECALL not in flight.done
    flight.see(30.0, door="open", **AIR)
    assert Step.RECALL in flight.done


def test_a_battery_far_below_the_plan_brings_the_drone_home():
    """An autopilot that watches volts alone flies on at 0 %."""
    flight = Timeline().until(Stage.FLYING)
    flight.see(door="open", battery_percent=16.0, **AIR)
    assert Step.RECALL not in flight.done
    flight.see(door="open", battery_percent=14.0, **AIR)
    assert Step.RECALL in flight.done


@pytest.mark.parametrize("stage", [Stage.DONE, Stage.RETURNING, Stage.UPLOAD])
def test_what_cannot_be_wished_says_why(stage):
    """A person gets an answer, not silence."""
    flight = Timeline(has_dock=False)
    if stage is Stage.DONE:
        flight.until(Stage.RETURNING).see(**GROUND)
        flight.see(1.0, **GROUND)
        flight.see(**GROUND)
        assert flight.machine.wish(Wish.RECALL) == "the sortie is over"
    else:
        flight.until(stage)
        assert str(stage) in flight.machine.wish(Wish.PAUSE)


def test_a_low_battery_is_charged_in_the_dock_first():
    """Then the sortie starts by itself."""
    flight = Timeline()
    assert flight.see(battery_percent=20.0) is Stage.CHARGING
    flight.see(battery_percent=20.0)
    assert DockAction.CHARGE in flight.done
    assert flight.see(1000.0, battery_percent=99.0) is Stage.PREFLIGHT
    assert flight.see(battery_percent=99.0) is Stage.DOOR


def test_without_a_dock_a_low_battery_fails_at_once():
    """Nobody is there to charge it."""
    flight = Timeline(has_dock=False)
    assert flight.see(battery_percent=20.0) is Stage.ABORTING


@pytest.mark.parametrize(
    ("away_m", "inside", "closes"),
    [(0.5, ("D1",), True), (0.5, None, True), (6.0, (), False), (3.0, ("D2",), False), (60.0, ("D2",), True)],
)
def test_a_door_does_not_close_on_a_drone_that_stands_half_outside(away_m, inside, closes):
    """A drone far away is no obstacle."""
    flight = Timeline().until(Stage.RETURNING)
    motion = high(0.0)
    motion = replace(motion, lat_deg=motion.lat_deg + away_m / 111_000)
    for _ in range(2):
        flight.now += 1.0
        state = dock(flight.now, door="open", drones_in=inside)
        flight.show(sight(flight.now, dock=state, motion=motion, **GROUND))
    flight.show(sight(flight.now, dock=state, motion=motion, **GROUND))
    assert (DockAction.CLOSE in flight.done) is closes
    flight.now += 100.0
    flight.show(sight(flight.now, dock=dock(flight.now, door="open", drones_in=inside), motion=motion))
    assert ("half outside" in flight.told[-1].evidence) is not closes
    assert flight.machine.landed_from_dock_m == pytest.approx(away_m, rel=0.05)


def test_missing_pictures_are_told_and_end_no_flight():
    """The wait for them is limited."""
    flight = Timeline(has_dock=False).until(Stage.RETURNING)
    flight.see(**GROUND)
    flight.see(10.0, **GROUND, taken=3, files=5, files_wanted=6)
    assert flight.machine.stage is Stage.COLLECTING
    flight.see(500.0, **GROUND, taken=3, files=5, files_wanted=6)
    assert flight.machine.stage is Stage.DONE
    assert "1 files missing" in flight.told[-1].evidence


@pytest.mark.parametrize(
    ("stage", "seen", "then"),
    [
        (Stage.PREFLIGHT, GROUND, Stage.ABORTING),
        (Stage.UPLOAD, GROUND, Stage.ABORTING),
        (Stage.ARMING, GROUND, Stage.ABORTING),
        (Stage.ARMING, AIR, Stage.FLYING),
        (Stage.STARTING, AIR, Stage.FLYING),
        (Stage.STARTING, GROUND, Stage.RETURNING),
        (Stage.FLYING, AIR, Stage.FLYING),
        (Stage.FLYING, AIR | {"flying": Flying.RETURN}, Stage.RETURNING),
        (Stage.FLYING, GROUND, Stage.RETURNING),
        (Stage.RETURNING, AIR | {"flying": Flying.RETURN}, Stage.RETURNING),
        (Stage.CLOSING, GROUND, Stage.RETURNING),
        (Stage.COLLECTING, GROUND, Stage.RETURNING),
    ],
)
def test_a_restarted_gateway_takes_a_sortie_up_without_upload_or_start(stage, seen, then):
    """What may be in the air goes on; what never left the ground ends."""
    flight = Timeline()
    flight.now = 1.0
    flight.machine.reattach(stage, sight(1.0, dock=None, **seen), 1.0)
    assert flight.machine.stage is then
    for _ in range(20):
        flight.see(2.0, door="open", **seen)
    assert not {Need.UPLOAD, Step.ARM, Step.START, Step.READY} & set(flight.done)


@pytest.mark.parametrize("armed", [True, False])
def test_a_gateway_killed_before_take_off_does_not_call_it_a_flight(armed):
    """The drone disarmed by itself, or had not risen yet."""
    flight = Timeline(has_dock=False)
    flight.machine.reattach(Stage.STARTING, sight(0.0, dock=None, armed=armed), 0.0)
    for _ in range(5):
        flight.see(1.0, **GROUND)
    assert flight.machine.stage is Stage.FAILED
    assert "leave the ground" in flight.told[-1].evidence


def test_a_restarted_gateway_that_hears_nothing_keeps_watching():
    """The drone may be behind the ridge."""
    flight = Timeline()
    flight.machine.reattach(Stage.FLYING, Sight(vehicle=None), 0.0)
    flight.now = 600.0
    assert flight.show(Sight(vehicle=None)) is Stage.RETURNING


def test_every_stage_that_waits_says_what_for_and_how_long():
    """For the person at the terminal."""
    machine = SortieMachine(order(), has_dock=True, now=0.0)
    for stage in Stage:
        machine.stage = stage
        if stage.is_over:
            assert machine.wait is None
        else:
            assert machine.wait.text
            assert 0 < machine.wait.usually_s <= machine.wait.limit_s


def test_a_parameter_the_drone_does_not_know_is_told():
    """An older autopilot may lack one; people should hear which."""
    flight = Timeline().until(Stage.PROFILE)
    flight.see(door="open", profile=ProfileResult((), (), ("RALLY_INCL_HOME",)))
    assert flight.machine.stage is Stage.UPLOAD
    assert flight.told[-1].evidence == "all parameters right; it knows no RALLY_INCL_HOME"
