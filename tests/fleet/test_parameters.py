"""The parameters a flight relies on."""

from fleet.autopilots.ardupilot import ArduCopter
from fleet.messages import Parameter, ParameterSet, ParameterWanted
from fleet.parameters import Profile, Remembered, Wanted
from fleet.zones import Zone
from missions.geo import LatLon
from tests.fleet.builders import item, mission, order


def run(profile, board, *, drop=(), stubborn=()):
    """Answer a profile from a dictionary as ArduPilot would: an unknown name is not answered."""
    now, out = 0.0, profile.start(0.0)
    for _ in range(500):
        if profile.result is not None:
            return profile.result
        answers = []
        for message in out:
            if isinstance(message, ParameterSet) and message.name not in stubborn:
                board[message.name] = message.value
            if message.name in board and now not in drop:
                answers.append(Parameter(message.name, board[message.name], 9))
        now += 0.5
        out = [m for a in answers for m in profile.receive(a, now)] or profile.tick(now)
    raise AssertionError("the profile never ended")


def test_what_differs_is_written_and_told():
    """What is right is left alone."""
    board = {"A": 0.0, "B": 2.0}
    result = run(Profile([Wanted("A", 1, "why"), Wanted("B", 2, "why")]), board)
    assert board == {"A": 1.0, "B": 2.0}
    assert [str(c) for c in result.changes] == ["A 0 → 1 (why)"]
    assert result.passed


def test_a_check_changes_nothing_and_tells_the_same():
    """For --check."""
    board = {"A": 0.0}
    result = run(Profile([Wanted("A", 1, "why")], write=False), board)
    assert board == {"A": 0.0}
    assert [c.name for c in result.changes] == ["A"]


def test_bits_are_added_to_those_set():
    """FS_OPTIONS holds other wishes, too."""
    board = {"A": 16.0}
    run(Profile([Wanted("A", 2, "why", is_mask=True)]), board)
    assert board == {"A": 18.0}


def test_an_unknown_parameter_is_passed_over():
    """ArduPilot does not answer for a name it does not have."""
    result = run(Profile([Wanted("GONE", 1, "why"), Wanted("A", 1, "why")]), {"A": 1.0})
    assert result.unknown == ("GONE",)
    assert result.passed


def test_a_lost_answer_is_asked_for_again():
    """The first two answers are lost."""
    result = run(Profile([Wanted("A", 1, "why")]), {"A": 0.0}, drop=(0.0, 1.0))
    assert len(result.changes) == 1


def test_a_write_that_does_not_stick_stops_the_flight():
    """A failsafe that stays off is a reason not to fly."""
    result = run(Profile([Wanted("A", 1, "why")]), {"A": 0.0}, stubborn=("A",))
    assert result.by_hand == ("A stays at 0: set it to 1",)
    assert not result.passed


def test_what_only_a_person_can_mend_is_said():
    """CAM1_TYPE is read at the start of the autopilot."""
    wanted = next(w for w in ArduCopter().profile(order()) if w.name == "CAM1_TYPE")
    assert not run(Profile([wanted]), {"CAM1_TYPE": 0.0}).passed
    assert run(Profile([wanted]), {"CAM1_TYPE": 6.0}).passed


def test_the_way_home_is_as_high_as_the_sortie():
    """In ArduPilot's centimetres, rounded up."""
    flown = order(items=(item(22, altitude_m=199.2), *mission()[1:]))
    wanted = next(w for w in ArduCopter().profile(flown) if w.name == "RTL_ALT")
    assert wanted.value == 20000


def test_a_fence_is_watched_without_the_ceiling_and_the_circle_that_come_with_it():
    """Out of the box FENCE_TYPE is 7: 100 m high and 300 m round, which would end every sortie."""
    ring = tuple(LatLon(30.28 + north, 119.41 + east) for north, east in ((-1, -1), (-1, 1), (1, 1), (1, -1)))
    board = {"FENCE_TYPE": 7.0, "FENCE_ENABLE": 0.0, "FENCE_ACTION": 1.0}
    wanted = [w for w in ArduCopter().profile(order(fence=(Zone(True, ring),))) if w.name in board]
    run(Profile(wanted), board)
    assert board == {"FENCE_TYPE": 4.0, "FENCE_ENABLE": 1.0, "FENCE_ACTION": 1.0}


def test_the_vehicle_flies_as_fast_as_was_planned():
    """In cm/s; what the order does not say stays as it is."""
    values = {w.name: w.value for w in ArduCopter().profile(order(climb_m_s=4.0))}
    assert (values["WPNAV_SPEED"], values["WPNAV_SPEED_UP"]) == (1200, 400)
    assert "WPNAV_SPEED_DN" not in values


def test_only_parameters_are_asked_and_written():
    """Nothing else goes out."""
    profile = Profile([Wanted("A", 1, "why")])
    assert profile.start(0.0) == [ParameterWanted("A")]
    assert profile.receive(Parameter("A", 0.0, 2), 0.1) == [ParameterSet("A", 1, 2)]


def test_many_parameters_are_asked_for_at_once():
    """A round trip for each would take a minute over a slow link."""
    profile = Profile([Wanted(f"P{n}", 1, "why") for n in range(12)])
    assert len(profile.start(0.0)) == 8
    assert profile.receive(Parameter("P3", 1.0, 9), 0.1) == [ParameterWanted("P8")]


def test_the_same_hash_makes_reading_again_needless():
    """PX4 keeps one over all parameters: what was read before still holds."""
    remembered = Remembered()
    wanted = [Wanted(f"P{n}", 1, "why") for n in range(12)]
    board = {"_HASH_CHECK": 77.0} | {f"P{n}": 1.0 for n in range(12)}
    run(Profile(wanted, hash_name="_HASH_CHECK", remembered=remembered), board)
    again = Profile(wanted, hash_name="_HASH_CHECK", remembered=remembered)
    again.start(0.0)
    again.receive(Parameter("_HASH_CHECK", 77.0, 5), 0.1)
    assert again.result is not None
    assert again.result.passed


def test_another_hash_means_reading_again():
    """Somebody changed something."""
    remembered = Remembered()
    board = {"_HASH_CHECK": 77.0, "A": 1.0}
    run(Profile([Wanted("A", 1, "why")], hash_name="_HASH_CHECK", remembered=remembered), board)
    board |= {"_HASH_CHECK": 78.0, "A": 0.0}
    result = run(Profile([Wanted("A", 1, "why")], hash_name="_HASH_CHECK", remembered=remembered), board)
    assert [c.name for c in result.changes] == ["A"]
    assert board["A"] == 1.0


def test_a_hash_from_before_a_write_is_not_believed():
    """The vehicle has another one since."""
    remembered = Remembered()
    board = {"_HASH_CHECK": 77.0, "A": 0.0}
    run(Profile([Wanted("A", 1, "why")], hash_name="_HASH_CHECK", remembered=remembered), board)
    assert remembered.hashed is None
