"""The MAVLink carrier: what it will not do, and what it does not let happen."""

import asyncio

import pytest

from fleet.autopilots import Step
from fleet.autopilots.px4 import Px4
from fleet.bench.plans import DOCK, patrol
from fleet.loading import Loading
from fleet.mavlink import MavlinkCarrier, listen
from fleet.messages import (
    Abilities,
    Alive,
    Answer,
    Command,
    CommandAnswer,
    Firmware,
    Heard,
    Heartbeat,
    Parameter,
    Role,
)
from fleet.order import SortieOrder
from fleet.transfer import UploadResult
from missions.clock import SystemClock

BEAT = Heartbeat(Role.VEHICLE, Firmware.ARDUPILOT, False, 0)
ORDER = SortieOrder(id="S1", drone="D1", dock=DOCK, items=patrol(20), shots=5, expected_s=100.0)


class Counted:
    unreadable = 0


class Wire:
    """A link that keeps what is sent and yields what it is given."""

    def __init__(self, *batches) -> None:
        self.sent: list = []
        self.given = batches
        self.counts = Counted()
        self.taps: list = []

    def send(self, message, system: int) -> None:
        self.sent.append((message, system))

    async def batches(self):
        for batch in self.given:
            yield list(batch)

    def commands(self, number: int) -> list[Command]:
        return [m for m, _ in self.sent if isinstance(m, Command) and m.number == number]


def heard(message, system: int = 1, component: int = 1) -> Heard:
    return Heard("wire", system, component, message)


def carrier(wire: Wire, **values) -> MavlinkCarrier:
    made = MavlinkCarrier(wire, SystemClock(), system=1, **values)
    made.hear(heard(BEAT))
    return made


@pytest.mark.parametrize("result", [None, UploadResult(False, True, "item 3 differs")])
def test_a_drone_whose_mission_is_not_proven_is_not_armed(result):
    """Whoever asks: not a byte goes out, and the refusal says why."""
    wire = Wire()
    flown = carrier(wire)
    flown.begin(ORDER)
    flown.loading = Loading([])
    flown.loading.result = result
    flown.do(Step.ARM)
    assert wire.commands(400) == []
    assert "not proven" in flown.refusals[Step.ARM]


def test_a_drone_whose_mission_is_proven_is_armed():
    """And told so once, until it has answered."""
    wire = Wire()
    flown = carrier(wire)
    flown.begin(ORDER)
    flown.loading = Loading([])
    flown.loading.result = UploadResult(True, True)
    flown.do(Step.ARM)
    flown.do(Step.ARM)
    assert [c.params[0] for c in wire.commands(400)] == [1.0]


def test_a_mission_longer_than_the_vehicle_holds_is_refused_before_the_first_byte():
    """With both numbers."""
    wire = Wire()
    flown = carrier(wire, autopilot=Px4())
    flown.begin(SortieOrder(id="S1", drone="D1", dock=DOCK, items=patrol(501), shots=5, expected_s=1.0))
    before = len(wire.sent)
    flown.load()
    assert flown.progress().upload.reason == "it has 501 items, and PX4 holds 500"
    assert len(wire.sent) == before


def test_an_accepted_step_that_does_not_happen_is_a_refusal(monkeypatch):
    """The acknowledgement alone is not it."""
    wire, now = Wire(), [100.0]
    flown = carrier(wire)
    monkeypatch.setattr(flown, "now", lambda: now[0])
    flown.do(Step.RECALL)
    flown.hear(heard(CommandAnswer(176, Answer.ACCEPTED)))
    for _ in range(8):
        now[0] += 1.0
        flown._tick(now[0])
    assert flown.refusals[Step.RECALL] == "accepted, but not done within 5 s"


def test_an_order_that_nobody_answered_is_not_repeated_after_one_that_undoes_it(monkeypatch):
    """A start after a recall would send the drone off again, a look at the mover turn the camera back."""
    wire, now = Wire(), [100.0]
    flown = carrier(wire)
    monkeypatch.setattr(flown, "now", lambda: now[0])
    flown.hear(heard(Heartbeat(Role.VEHICLE, Firmware.ARDUPILOT, True, 3)))
    flown.do(Step.START)
    flown.look_at(DOCK.place, 100.0)
    flown.do(Step.RECALL)
    flown.look_ahead()
    flown.hear(heard(CommandAnswer(176, Answer.ACCEPTED)))
    for _ in range(8):
        now[0] += 1.0
        flown._tick(now[0])
    assert [len(wire.commands(number)) for number in (300, 195)] == [1, 1]


async def test_a_message_that_nobody_foresaw_ends_no_flight(caplog):
    """The next one is heard; the odd one is counted."""
    wire = Wire(
        [
            heard(BEAT),
            heard(Parameter("X", 1.0, 9)),
            heard(Heartbeat(Role.CAMERA, Firmware.OTHER, False, 0), component=100),
        ]
    )
    flown = carrier(wire)

    class Broken:
        result = None

        def receive(self, message, now):
            raise RuntimeError("not foreseen")

        def tick(self, now):
            return []

    flown.profile = Broken()
    await listen(wire, [flown])
    assert flown.cameras == {100}
    assert wire.counts.unreadable == 1


async def test_each_vehicle_hears_what_is_its_own():
    """Two on one link; a third that is not known yet takes the first it hears."""
    wire = Wire([heard(BEAT, 7), heard(BEAT, 8), heard(BEAT, 7)])
    seven, eight, unknown = (MavlinkCarrier(wire, SystemClock(), system=s) for s in (7, 8, 0))
    await listen(wire, [seven, eight, unknown])
    assert [c.state.key.system for c in (seven, eight, unknown)] == [7, 8, 7]


def test_our_heartbeat_goes_to_the_vehicle_once_a_simulated_second(monkeypatch):
    """At its own pace, or it takes us for silent."""
    wire, now = Wire(), [0.0]
    flown = carrier(wire)
    monkeypatch.setattr(flown, "now", lambda: now[0])
    for _ in range(100):
        now[0] += 0.1
        flown._tick(now[0])
    beats = [system for message, system in wire.sent if isinstance(message, Alive)]
    assert set(beats) == {1}
    assert 9 <= len(beats) <= 11


def test_what_a_vehicle_can_do_is_asked_until_it_says_so(monkeypatch):
    """The answer to the request is not the message it promised."""
    wire, now = Wire(), [0.0]
    flown = carrier(wire)
    monkeypatch.setattr(flown, "now", lambda: now[0])

    def asked() -> int:
        return len([c for c in wire.commands(512) if c.params[0] == 148.0 and c.attempt == 0])

    for _ in range(60):
        now[0] += 0.1
        flown._tick(now[0])
        flown.hear(heard(BEAT))
        flown.hear(heard(CommandAnswer(512, Answer.ACCEPTED)))
    assert asked() == 2
    flown.hear(heard(Abilities(True, True, True)))
    for _ in range(60):
        now[0] += 0.1
        flown._tick(now[0])
    assert asked() == 2


async def test_a_beat_wakes_whoever_waits():
    """Waits are for events."""
    flown = carrier(Wire())
    running = asyncio.create_task(flown.run())
    async with asyncio.timeout(2):
        await flown.beat()
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


def test_a_drone_that_answers_no_question_for_a_parameter_does_not_pass():
    """Every one unknown is not "all of them right"."""
    wire = Wire()
    flown = carrier(wire)
    flown.begin(ORDER)
    flown.prepare()
    now = flown.now()
    for second in range(60):
        flown.profile.tick(now + second)
    assert not flown.progress().profile.passed
    assert "not one parameter could be read" in flown.progress().profile.by_hand[0]
