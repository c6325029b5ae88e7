"""How long silence lasts before something is sent again."""

from fleet.patience import Patience


def answered_every(patience: Patience, round_trip_s: float, *, times: int = 30) -> None:
    for n in range(times):
        patience.answered(n + round_trip_s, first_s=float(n), last_s=float(n))


def test_a_fast_link_is_waited_for_briefly_and_a_slow_one_long():
    """The timeout follows the link, not a table."""
    fast, slow = Patience(), Patience()
    answered_every(fast, 0.02)
    answered_every(slow, 1.2)
    assert 0.02 < fast.after(0) < 0.04
    assert 1.2 < slow.after(0) < 2.0


def test_a_link_that_varies_is_waited_for_longer():
    """Four times the variation, as RFC 6298 has it."""
    steady, jittery = Patience(), Patience()
    for n in range(50):
        steady.answered(n + 0.2, first_s=float(n), last_s=float(n))
        jittery.answered(n + (0.1 if n % 2 else 0.3), first_s=float(n), last_s=float(n))
    assert jittery.after(0) > 1.5 * steady.after(0)


def test_nothing_is_learnt_from_an_answer_that_may_be_to_either_copy():
    """Karn's rule: which copy was answered cannot be known."""
    patience = Patience()
    answered_every(patience, 0.1)
    before = patience.after(0)
    patience.answered(10.0, first_s=9.0, last_s=9.9)
    assert patience.after(0) == before


def test_an_answer_too_soon_after_a_repeat_shows_that_the_link_became_slower():
    """It belongs to the copy before."""
    patience = Patience()
    answered_every(patience, 0.1)
    for n in range(20):
        patience.answered(n + 0.16, first_s=float(n), last_s=n + 0.13)
    assert patience.after(0) > 0.16


def test_a_vehicle_that_asks_again_by_itself_is_no_slow_answer():
    """ArduPilot does so after a second, on a link of a tenth."""
    patience = Patience()
    answered_every(patience, 0.1)
    before = patience.after(0)
    patience.answered(21.02, first_s=20.0, last_s=21.0)
    assert patience.after(0) == before


def test_repeats_come_briskly_and_then_back_off_to_a_limit():
    """On a lossy link the next copy often arrives; a dead one is not flooded."""
    patience = Patience()
    waits = [patience.after(n) for n in range(12)]
    assert waits[0] == waits[3] == 0.25
    assert waits == sorted(waits)
    assert waits[-1] == 1.5


def test_a_needless_repeat_makes_it_wait_longer():
    """The vehicle's word that it has the item already."""
    patience = Patience()
    answered_every(patience, 0.1)
    before = patience.after(0)
    for _ in range(5):
        patience.hurried()
    assert patience.after(0) > before


def test_a_sped_up_loop_sets_the_least():
    """What its own ticks take is no silence of the vehicle."""
    patience = Patience(floor_s=0.5)
    answered_every(patience, 0.01)
    assert patience.after(0) == 0.5
