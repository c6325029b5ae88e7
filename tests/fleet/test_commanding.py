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


AUTO, RTL = Command(176, (1.0, 3.0, 0, 0, 0, 0, 0)), Command(176, (1.0, 6.0, 0, 0, 0, 0, 0))
NOT_NOW = CommandAnswer(176, Answer.TEMPORARILY_REJECTED)


def test_a_temporary_rejection_is_asked_again_after_growing_pauses():
    """Not at once, not as a repeat, and not for ever."""
    commands, outcomes = Commands(), []
    sent, at = commands.ask(AUTO, 0.0, outcomes.append), [0.0]
    now = 0.0
    while not outcomes and now < 60:
        if sent:
            commands.receive(NOT_NOW, now)
        now += 0.5
        sent = commands.tick(now)
        at += [now] * len(sent)
        assert all(c.attempt == 0 for c in sent)
    assert at == [0.0, 1.0, 3.0, 7.0, 15.0]
    assert outcomes[0].answer is Answer.TEMPORARILY_REJECTED


def test_an_urgent_order_does_not_wait_for_one_that_was_put_off():
    """Coming home does not wait for a mission that may not start yet."""
    commands, outcomes = Commands(), []
    commands.ask(AUTO, 0.0, outcomes.append)
    commands.receive(NOT_NOW, 0.1)
    assert commands.ask(RTL, 0.2, urgent=True) == [RTL]
    assert outcomes[0].words == "replaced by a newer order"
    assert not outcomes[0].taken


def test_an_urgent_order_goes_out_instead_of_the_next_repeat():
    """Until then the answer of the older one may be on its way."""
    commands = Commands()
    commands.ask(AUTO, 0.0)
    assert commands.ask(RTL, 0.2, urgent=True) == []
    assert commands.tick(0.5) == []
    assert commands.tick(1.0) == [RTL]
    assert commands.receive(CommandAnswer(176, Answer.ACCEPTED), 1.1) == []


def test_requests_wait_for_each_other_and_none_is_replaced():
    """Each picture's record is asked for by the same command."""
    commands = Commands()
    first, second = Command(512, (263.0, 1, 0, 0, 0, 0, 0)), Command(512, (263.0, 2, 0, 0, 0, 0, 0))
    commands.ask(first, 0.0)
    commands.ask(second, 0.1)
    assert commands.tick(1.0)[0].params == first.params
    assert commands.receive(CommandAnswer(512, Answer.ACCEPTED), 1.1) == [second]


def test_an_order_is_done_when_the_vehicle_does_it_not_when_it_says_so():
    """The answer came at once; the mode changed two seconds later."""
    commands, outcomes, mode = Commands(), [], {"now": 0}
    commands.ask(AUTO, 0.0, outcomes.append, kept=lambda: mode["now"] == 3)
    commands.receive(CommandAnswer(176, Answer.ACCEPTED), 0.1)
    commands.tick(1.0)
    assert outcomes == []
    mode["now"] = 3
    commands.tick(2.0)
    assert outcomes[0].done


def test_a_promise_that_is_not_kept_is_told():
    """Accepted and not done is not done."""
    commands, outcomes = Commands(), []
    commands.ask(AUTO, 0.0, outcomes.append, kept=lambda: False)
    commands.receive(CommandAnswer(176, Answer.ACCEPTED), 0.1)
    for second in range(1, 8):
        commands.tick(float(second))
    assert not outcomes[0].done
    assert outcomes[0].words == "accepted, but not done within 5 s"


def test_a_newer_order_takes_back_the_promise_of_the_older_one():
    """It will never be in AUTO if it was sent home."""
    commands, outcomes = Commands(), []
    commands.ask(AUTO, 0.0, outcomes.append, kept=lambda: False)
    commands.receive(CommandAnswer(176, Answer.ACCEPTED), 0.1)
    assert commands.ask(RTL, 0.5, kept=lambda: True) == [RTL]
    commands.receive(CommandAnswer(176, Answer.ACCEPTED), 0.6)
    commands.tick(9.0)
    assert outcomes == []
    assert commands.outcomes[176].command == RTL


def test_an_order_that_was_taken_is_not_given_again_while_it_may_still_be_done():
    """Asked for once more in the meantime it would be started twice."""
    commands, mode = Commands(), {"now": 0}
    commands.ask(AUTO, 0.0, kept=lambda: mode["now"] == 3)
    commands.receive(CommandAnswer(176, Answer.ACCEPTED), 0.1)
    assert commands.ask(AUTO, 2.0, kept=lambda: mode["now"] == 3) == []
    commands.tick(6.0)
    assert commands.ask(AUTO, 6.1, kept=lambda: mode["now"] == 3) == [AUTO]
