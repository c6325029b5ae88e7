"""A vehicle that says anything at any time: no machine falls over, and none believes what was not shown."""

from hypothesis import given, settings
from hypothesis import strategies as st

from fleet.autopilots.ardupilot import ArduCopter
from fleet.autopilots.px4 import Px4
from fleet.bench.plans import uploaded
from fleet.clearing import Clear
from fleet.commanding import Commands
from fleet.ftp import FileRead, FileWrite, Op, Packet
from fleet.messages import (
    Answer,
    ClearWanted,
    Command,
    CommandAnswer,
    FileMessage,
    Item,
    ItemCount,
    ItemWanted,
    ListKind,
    ListWanted,
    MissionVerdict,
    Parameter,
    PartOffer,
    Verdict,
)
from fleet.parameters import Profile, Remembered, Wanted
from fleet.placement import Placement
from fleet.readback import Download

NUMBER = st.integers(0, 12) | st.integers(0, 0xFFFF)
KIND = st.sampled_from(ListKind)
PLAN = uploaded(ArduCopter(), 9)
FOREIGN = Item(0, 16, 3, (0.0, 0.0, 0.0, 0.0), 1.0, 2.0, 3.0)

WORD = st.one_of(
    st.builds(ItemCount, NUMBER, KIND, st.integers(0, 3)),
    st.builds(ItemWanted, NUMBER, KIND),
    st.builds(ListWanted, KIND),
    st.builds(ClearWanted, KIND),
    st.builds(PartOffer, NUMBER, NUMBER, KIND),
    st.builds(MissionVerdict, st.sampled_from(Verdict), KIND, st.integers(0, 3)),
    st.builds(
        lambda seq, kind: Item(seq, 16, 3, (0.0, 0.0, 0.0, 0.0), 1.0, 2.0, 3.0, kind),
        NUMBER,
        KIND,
    ),
    st.builds(FileMessage, st.binary(max_size=40)),
    st.builds(
        lambda seq, op, asked, offset, data, over: FileMessage(
            Packet(seq, op, 71, asked, offset, data, None, over).pack()
        ),
        NUMBER,
        st.sampled_from([Op.ACK, Op.NAK]),
        st.sampled_from(Op),
        NUMBER,
        st.binary(max_size=20),
        st.booleans(),
    ),
)
TALK = st.lists(st.tuples(st.floats(0.0, 4.0), WORD), max_size=40)


def hold(machine, talk) -> None:
    """Let a vehicle say these words after these pauses; what goes out must be messages."""
    now, out = 0.0, list(machine.start(0.0))
    for pause_s, word in talk:
        now += pause_s
        out += machine.tick(now)
        out += machine.receive(word, now)
    assert all(message is not None for message in out)
    assert len(out) < 60 * (len(talk) + 1)


@settings(max_examples=200)
@given(TALK, st.booleans())
def test_no_talk_makes_a_placement_believe_in_a_foreign_plan(talk, files):
    """Nothing said here shows the plan, so nothing may be called proven."""
    for autopilot in (ArduCopter(), Px4()):
        machine = Placement(PLAN, autopilot, files=files)
        hold(machine, talk)
        assert machine.result is None or not machine.result.verified


@given(TALK)
def test_no_talk_harms_reading_and_clearing(talk):
    """They end, or they wait; they do not fall over."""
    hold(Download(window=8), talk)
    hold(Clear(first=1), talk)
    hold(FileRead("@MISSION/mission.dat"), talk)
    hold(FileWrite("@MISSION/mission.dat", b"x" * 900), talk)


@given(
    st.lists(
        st.tuples(
            st.floats(0.0, 3.0),
            st.sampled_from([176, 400, 512]),
            st.sampled_from(Answer),
            st.integers(0, 3),
            st.booleans(),
        ),
        max_size=60,
    )
)
def test_never_are_two_commands_of_a_kind_in_flight(talk):
    """Whatever is answered, ordered and promised in whatever order."""
    commands, now = Commands(), 0.0
    waiting: dict[int, Command] = {}
    for pause_s, number, answer, value, urgent in talk:
        now += pause_s
        for sent in commands.tick(now):
            waiting[sent.number] = sent
        order = Command(number, (float(value), 0, 0, 0, 0, 0, 0))
        for sent in commands.ask(order, now, kept=lambda: False, urgent=urgent):
            waiting[sent.number] = sent
        for sent in commands.receive(CommandAnswer(number, answer), now):
            waiting[sent.number] = sent
        assert len(commands._flying) <= 3
        for key, flight in commands._flying.items():
            assert waiting[key[0]].params == flight.order.command.params


@given(
    st.lists(
        st.tuples(st.floats(0.0, 2.0), st.sampled_from(["A", "B", "C", "_HASH_CHECK"]), st.floats(width=32)),
        max_size=40,
    )
)
def test_no_values_harm_a_profile(talk):
    """Not even those that are no numbers."""
    wanted = [
        Wanted("A", 1, "why"),
        Wanted("B", 2, "why", is_mask=True),
        Wanted("C", None, "why", by_hand="do"),
    ]
    profile, now = Profile(wanted, hash_name="_HASH_CHECK", remembered=Remembered()), 0.0
    profile.start(now)
    for pause_s, name, value in talk:
        now += pause_s
        profile.tick(now)
        profile.receive(Parameter(name, value, 9), now)
