"""Commands to one vehicle as a machine without I/O.

MAVLink's command protocol: one command of a number is in flight at a time, it
is repeated with a rising attempt counter until answered, IN_PROGRESS means
"wait longer". The answer says that the vehicle took the order, never that it
is done: whoever asked watches the vehicle for that.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from fleet.messages import Answer, Command, CommandAnswer, Outgoing

RETRY_S = 1.0
PROGRESS_S = 3.0
ATTEMPTS = 6

Key = tuple[int, int]  # command number, component


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a command ended; no answer is None."""

    command: Command
    answer: Answer | None
    at_s: float

    @property
    def taken(self) -> bool:
        """Whether the vehicle took the order."""
        return self.answer is Answer.ACCEPTED

    @property
    def words(self) -> str:
        """The outcome as a person reads it."""
        return self.answer.words if self.answer is not None else "no answer"


Told = Callable[[Outcome], None]


@dataclass(slots=True)
class _Flight:
    command: Command
    told: Told | None
    attempts: int
    wait_until_s: float


@dataclass(slots=True)
class Commands:
    """The commands in flight to one vehicle and those waiting behind them."""

    retry_s: float = RETRY_S
    outcomes: dict[int, Outcome] = field(default_factory=dict)
    _flying: dict[Key, _Flight] = field(default_factory=dict)
    _waiting: deque[tuple[Command, Told | None]] = field(default_factory=deque)

    def ask(self, command: Command, now: float, told: Told | None = None) -> list[Outgoing]:
        """Return what to send for a new command; nothing while one like it is in flight."""
        key = (command.number, command.component)
        flight = self._flying.get(key)
        if flight is None:
            self._flying[key] = _Flight(command, told, 1, now + self.retry_s)
            return [command]
        orders = [flight.command, *(c for c, _ in self._waiting)]
        if command in orders:
            return []  # the same order is under way already
        self._waiting.append((command, told))
        return []

    def receive(self, answer: CommandAnswer, now: float, component: int = 1) -> list[Outgoing]:
        """Take in an answer; return what may be sent now."""
        key = (answer.command, component)
        flight = self._flying.get(key)
        if flight is None:
            return []
        if answer.answer is Answer.IN_PROGRESS:
            flight.wait_until_s = now + PROGRESS_S * self.retry_s
            return []
        return self._end(key, answer.answer, now)

    def tick(self, now: float) -> list[Outgoing]:
        """Return the repeats that are due."""
        out: list[Outgoing] = []
        for key, flight in list(self._flying.items()):
            if now < flight.wait_until_s:
                continue
            if flight.attempts >= ATTEMPTS:
                out += self._end(key, None, now)
                continue
            out.append(replace(flight.command, attempt=flight.attempts))
            flight.attempts += 1
            flight.wait_until_s = now + self.retry_s
        return out

    def _end(self, key: Key, answer: Answer | None, now: float) -> list[Outgoing]:
        flight = self._flying.pop(key)
        outcome = Outcome(flight.command, answer, now)
        self.outcomes[key[0]] = outcome
        if flight.told is not None:
            flight.told(outcome)
        for index, (command, told) in enumerate(self._waiting):
            if (command.number, command.component) == key:
                del self._waiting[index]
                return self.ask(command, now, told)
        return []
