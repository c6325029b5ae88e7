"""One command of a kind in flight, repeated until answered."""

from fleet.commanding import ATTEMPTS, Commands
from fleet.messages import Answer, Command, CommandAnswer

ARM = Command(400, (1.0, 0, 0, 0, 0, 0, 0))
DISARM = Command(400, (0.0, 0, 0, 0, 0, 0, 0))


def test_silence_repeats_with_a_rising_counter_and_then_gives_up():
    """Giving up is an outcome without an answer."""
    commands, outcomes = Commands(), []
    sent = commands.ask(ARM, 0.0, outcomes.append)
    for second in range(1, 10):
        sent += commands.tick(float(second))
    assert [c.attempt for c in sent] == list(range(ATTEMPTS))
    assert outcomes[0].answer is None
    assert outcomes[0].words == "no answer"


def test_in_progress_makes_it_wait_longer():
    """It is an answer, but not the last one."""
    commands, outcomes = Commands(), []
    commands.ask(ARM, 0.0, outcomes.append)
    commands.receive(CommandAnswer(400, Answer.IN_PROGRESS), 0.5)
    assert commands.tick(3.0) == []
    assert outcomes == []
    commands.receive(CommandAnswer(400, Answer.ACCEPTED), 3.2)
    assert outcomes[0].taken


def test_a_second_command_of_the_same_number_waits_for_the_first():
    """Their answers could not be told apart."""
    commands = Commands()
    assert commands.ask(ARM, 0.0) == [ARM]
    assert commands.ask(DISARM, 0.1) == []
    assert commands.receive(CommandAnswer(400, Answer.ACCEPTED), 0.2) == [DISARM]


def test_the_same_command_is_not_queued_behind_itself():
    """Asking again changes nothing while it is under way."""
    commands = Commands()
    commands.ask(ARM, 0.0)
    commands.ask(ARM, 0.1)
    assert commands.receive(CommandAnswer(400, Answer.ACCEPTED), 0.2) == []


def test_commands_to_other_components_go_at_once():
    """Two cameras answer for themselves."""
    commands = Commands()
    first, second = Command(512, component=100), Command(512, component=101)
    assert commands.ask(first, 0.0) == [first]
    assert commands.ask(second, 0.0) == [second]
    commands.receive(CommandAnswer(512, Answer.ACCEPTED), 0.1, 101)
    assert [c.component for c in commands.tick(1.5)] == [100]


def test_a_refusal_is_told_and_not_repeated():
    """Whoever asked decides whether to ask again."""
    commands, outcomes = Commands(), []
    commands.ask(ARM, 0.0, outcomes.append)
    commands.receive(CommandAnswer(400, Answer.FAILED), 0.1)
    assert outcomes[0].words == "failed"
    assert commands.tick(5.0) == []


def test_an_answer_nobody_waits_for_is_passed_over():
    """A repeat may be answered twice."""
    assert Commands().receive(CommandAnswer(400, Answer.ACCEPTED), 0.0) == []
