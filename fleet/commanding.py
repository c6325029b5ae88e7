"""Commands to one vehicle as a machine without I/O.

MAVLink's command protocol (mavlink.io/en/services/command.html): one command of
a number is in flight at a time, because its answer does not say which one it
answers; it is repeated with a rising attempt counter until answered; IN_PROGRESS
means "wait longer"; TEMPORARILY_REJECTED means "ask again later", so it is asked
again after growing pauses. An answer says that the vehicle took the order, never
that it is done: whoever gives a `kept` with a command is told only when that
holds, or when it does not within its time.
"""

from collections import deque
from collections.abc import Callable, Collection
from dataclasses import dataclass, field, replace

from fleet.messages import Answer, Command, CommandAnswer, Outgoing

RETRY_S = 1.0
PROGRESS_S = 3.0
ATTEMPTS = 6
LATER_S = (1.0, 2.0, 4.0, 8.0)  # the pauses after one temporary rejection after the other
KEEP_S = 5.0  # how long a vehicle may take to do what it took

Key = tuple[int, int]  # command number, component


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a command ended; no answer is None. `kept` is None where nothing was promised."""

    command: Command
    answer: Answer | None
    at_s: float
    kept: bool | None = None
    replaced: bool = False  # by a newer order, before it was answered

    @property
    def taken(self) -> bool:
        """Whether the vehicle took the order."""
        return self.answer is Answer.ACCEPTED

    @property
    def done(self) -> bool:
        """Whether the vehicle took the order and did what that promises."""
        return self.taken and self.kept is not False

    @property
    def words(self) -> str:
        """The outcome as a person reads it."""
        if self.replaced:
            return "replaced by a newer order"
        if self.taken and self.kept is False:
            return f"accepted, but not done within {KEEP_S:.0f} s"
        return self.answer.words if self.answer is not None else "no answer"


Told = Callable[[Outcome], None]
Kept = Callable[[], bool]


@dataclass(frozen=True, slots=True)
class _Order:
    command: Command
    told: Told | None
    kept: Kept | None
    urgent: bool


@dataclass(slots=True)
class _Flight:
    order: _Order
    wait_until_s: float
    attempts: int = 1
    rejections: int = 0
    is_later: bool = False  # temporarily rejected: nothing is in flight until the pause is over


@dataclass(slots=True)
class _Promise:
    order: _Order
    until_s: float


@dataclass(slots=True)
class Commands:
    """The commands in flight to one vehicle, those waiting behind them, and what was promised."""

    retry_s: float = RETRY_S
    outcomes: dict[int, Outcome] = field(default_factory=dict)
    _flying: dict[Key, _Flight] = field(default_factory=dict)
    _waiting: deque[_Order] = field(default_factory=deque)
    _promised: dict[Key, _Promise] = field(default_factory=dict)

    def ask(
        self,
        command: Command,
        now: float,
        told: Told | None = None,
        *,
        kept: Kept | None = None,
        urgent: bool = False,
    ) -> list[Outgoing]:
        """Return what to send for a new command; nothing while one like it is in flight.

        An urgent one takes the place of an older order of its kind as soon as
        that is not waiting for its answer any more, instead of its repeat.
        """
        key = _key(command)
        order = _Order(command, told, kept, urgent)
        flight = self._flying.get(key)
        if flight is None:
            promise = self._promised.get(key)
            if promise is not None and promise.order.command == command and now < promise.until_s:
                return []  # it took this very order and is about to do it
            self._promised.pop(key, None)  # a newer order of its kind: the older promise is off
            self._flying[key] = _Flight(order, now + self.retry_s)
            return [command]
        if any(command == o.command for o in (flight.order, *self._waiting)):
            return []  # the same order is under way already
        self._waiting.append(order)
        return self._replace(key, now) if urgent and flight.is_later else []

    def withdraw(self, numbers: Collection[int], now: float) -> None:
        """Repeat no order of these numbers any more: a newer one of another kind would be undone by it."""
        gone = [self._flying.pop(key).order for key in list(self._flying) if key[0] in numbers]
        gone += [o for o in self._waiting if o.command.number in numbers]
        self._waiting = deque(o for o in self._waiting if o.command.number not in numbers)
        for order in gone:
            self._tell(order, Outcome(order.command, None, now, replaced=True))

    def receive(self, answer: CommandAnswer, now: float, component: int = 1) -> list[Outgoing]:
        """Take in an answer; return what may be sent now."""
        key = (answer.command, component)
        flight = self._flying.get(key)
        if flight is None or flight.is_later:
            return []
        if answer.answer is Answer.IN_PROGRESS:
            flight.wait_until_s = now + PROGRESS_S * self.retry_s
            return []
        if answer.answer is Answer.TEMPORARILY_REJECTED and flight.rejections < len(LATER_S):
            flight.wait_until_s = now + LATER_S[flight.rejections] * self.retry_s
            flight.rejections += 1
            flight.is_later = True
            return self._replace(key, now)
        return self._end(key, answer.answer, now)

    def tick(self, now: float) -> list[Outgoing]:
        """Return the repeats that are due, and tell of promises kept or broken."""
        out: list[Outgoing] = []
        for key, flight in list(self._flying.items()):
            if now < flight.wait_until_s:
                continue
            newer = self._replace(key, now)
            if newer:
                out += newer
            elif flight.attempts >= ATTEMPTS:
                out += self._end(key, None, now)
            else:
                # Rejected for the time being it is a new request, not a repeat.
                flight.attempts = 1 if flight.is_later else flight.attempts + 1
                flight.is_later = False
                flight.wait_until_s = now + self.retry_s
                out.append(replace(flight.order.command, attempt=flight.attempts - 1))
        self._watch_promises(now)
        return out

    def _replace(self, key: Key, now: float) -> list[Outgoing]:
        """Return the urgent order that takes the place of the one in flight, if there is one."""
        newest = next((o for o in reversed(self._waiting) if o.urgent and _key(o.command) == key), None)
        if newest is None:
            return []
        gone = [self._flying.pop(key).order, *(o for o in self._waiting if _key(o.command) == key)]
        self._waiting = deque(o for o in self._waiting if _key(o.command) != key)
        for order in gone:
            if order is not newest:
                self._tell(order, Outcome(order.command, None, now, replaced=True))
        return self.ask(newest.command, now, newest.told, kept=newest.kept, urgent=True)

    def _end(self, key: Key, answer: Answer | None, now: float) -> list[Outgoing]:
        order = self._flying.pop(key).order
        if answer is Answer.ACCEPTED and order.kept is not None:
            self._promised[key] = _Promise(order, now + KEEP_S * self.retry_s)
            self._watch_promises(now)
        else:
            self._tell(order, Outcome(order.command, answer, now))
        for index, waiting in enumerate(self._waiting):
            if _key(waiting.command) == key:
                del self._waiting[index]
                return self.ask(waiting.command, now, waiting.told, kept=waiting.kept, urgent=waiting.urgent)
        return []

    def _watch_promises(self, now: float) -> None:
        for key, promise in list(self._promised.items()):
            kept = promise.order.kept is None or promise.order.kept()
            if kept or now >= promise.until_s:
                del self._promised[key]
                outcome = Outcome(promise.order.command, Answer.ACCEPTED, now, kept)
                self._tell(promise.order, outcome)

    def _tell(self, order: _Order, outcome: Outcome) -> None:
        self.outcomes[order.command.number] = outcome
        if order.told is not None:
            order.told(outcome)


def _key(command: Command) -> Key:
    return command.number, command.component
