"""The one clock, handed in.

Simulated and real time differ only here. A `ScaledClock` is a pure function of
the wall clock, so processes that are given the same three numbers agree on the
simulated time without talking to each other; its text form travels in
`GRIDPATROL_CLOCK` ("2026-06-01T02:00:00+00:00@1780279200.0x20").
"""

import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol

from missions.errors import InputWrong


class Clock(Protocol):
    """Where a component learns the time; `speed` is simulated over wall seconds."""

    @property
    def speed(self) -> float: ...

    def now(self) -> datetime:
        """Return the present as aware UTC."""
        ...


@dataclass(frozen=True, slots=True)
class SystemClock:
    """The machine's own clock."""

    speed: float = 1.0

    def now(self) -> datetime:
        return datetime.now(UTC)

    def __str__(self) -> str:
        return ""  # what `clock_from` reads as the machine's own


@dataclass(frozen=True, slots=True)
class ScaledClock:
    """Simulated time that began at `epoch_at` when the wall clock read `wall_s`."""

    epoch_at: datetime
    wall_s: float
    speed: float

    @classmethod
    def starting_now(cls, epoch_at: datetime, speed: float) -> "ScaledClock":
        return cls(epoch_at, time.time(), speed)

    def now(self) -> datetime:
        return self.epoch_at + timedelta(seconds=(time.time() - self.wall_s) * self.speed)

    def __str__(self) -> str:
        return f"{self.epoch_at.isoformat()}@{self.wall_s!r}x{self.speed:g}"


class FakeClock:
    """A clock that stands still until a test moves it."""

    speed = 1.0

    def __init__(self, now: datetime) -> None:
        self._now = now

    def now(self) -> datetime:
        return self._now

    def advance(self, seconds: float) -> None:
        """Move the clock forward."""
        self._now += timedelta(seconds=seconds)


def clock_from(text: str | None) -> Clock:
    """Return the clock that `GRIDPATROL_CLOCK` names; nothing means the machine's own."""
    if not text:
        return SystemClock()
    try:
        epoch, _, rest = text.partition("@")
        wall, _, speed = rest.partition("x")
        epoch_at = datetime.fromisoformat(epoch)
        if epoch_at.tzinfo is None:
            raise ValueError
        clock = ScaledClock(epoch_at.astimezone(UTC), float(wall), float(speed))
        clock.now()  # a number beyond all dates fails here, not in the middle of the work
        if not clock.speed > 0:
            raise ValueError
        return clock
    except (ValueError, OverflowError):
        raise InputWrong(
            f"GRIDPATROL_CLOCK: found {text!r}, expected TIME@WALL_SECONDSxSPEED "
            "with a time zone, as 2026-06-01T02:00:00+00:00@1780279200.0x20"
        ) from None
