"""The one clock: its text form travels between processes and means the same in each."""

from datetime import UTC, datetime

import pytest

from missions.clock import FakeClock, ScaledClock, SystemClock, clock_from
from missions.errors import InputWrong

EPOCH = datetime(2026, 6, 1, 2, tzinfo=UTC)


def test_scaled_clock_survives_its_text_form() -> None:
    """Two processes given the same text agree to the microsecond."""
    clock = ScaledClock(EPOCH, 1780279200.125, 20.0)
    assert clock_from(str(clock)) == clock


def test_scaled_clock_runs_as_many_times_faster_as_it_says() -> None:
    """Simulated seconds are wall seconds times the speed, from the epoch on."""
    clock = ScaledClock.starting_now(EPOCH, 1000.0)
    first = clock.now()
    while clock.now() == first:
        pass
    assert first >= EPOCH
    assert clock.speed == 1000.0


def test_no_text_means_the_machines_own_clock() -> None:
    """Outside a simulation nothing needs to be set."""
    assert isinstance(clock_from(None), SystemClock)
    assert clock_from("").now().tzinfo is UTC
    assert isinstance(clock_from(str(SystemClock())), SystemClock)


@pytest.mark.parametrize(
    "text",
    [
        "now",
        "2026-06-01T02:00:00@1x2",
        "2026-06-01T02:00:00+00:00@xx3",
        "2026-06-01T02:00:00+00:00@1x0",
        "2026-06-01T02:00:00+00:00@1x-2",
        "2026-06-01T02:00:00+00:00@nanx2",
        "2026-06-01T02:00:00+00:00@1xinf",
    ],
)
def test_bad_clock_text_is_refused_with_an_example(text: str) -> None:
    """A time without a zone is as wrong as no time at all, and so is one that does not pass."""
    with pytest.raises(InputWrong, match="2026-06-01T02:00:00"):
        clock_from(text)


def test_fake_clock_moves_only_when_told() -> None:
    """Timelines in tests are exact."""
    clock = FakeClock(EPOCH)
    clock.advance(90)
    assert (clock.now() - EPOCH).total_seconds() == 90
