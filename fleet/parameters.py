"""The parameters a flight relies on, read, compared and written, as a machine without I/O.

A vehicle comes out of its box with failsafes that suit a pilot with a stick in
his hand. A docked drone has no pilot, so before each flight its profile is
compared and what differs is written and read again; every change is told.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from fleet.messages import Outgoing, Parameter, ParameterSet, ParameterWanted

_RETRY_S = 1.0
_ATTEMPTS = 5


@dataclass(frozen=True, slots=True)
class Wanted:
    """A parameter with the value a flight wants, or the bits that must be set in it.

    `by_hand` names what a person must do where writing is not enough (the
    vehicle reads it only at its start, for instance); `value` None then means
    "anything but 0".
    """

    name: str
    value: float | None
    why: str
    is_mask: bool = False
    by_hand: str = ""

    def target(self, found: float) -> float | None:
        """Return the value to write, or None if what was found will do."""
        if self.value is None:
            return None
        if self.is_mask:
            bits = int(found) | int(self.value)
            return None if bits == int(found) else float(bits)
        return None if abs(found - self.value) <= 1e-4 * max(1.0, abs(self.value)) else self.value

    def needs_a_person(self, found: float) -> bool:
        """Return whether only a person can mend the value found."""
        return bool(self.by_hand) and found == 0.0


@dataclass(frozen=True, slots=True)
class Change:
    """A parameter that differed, and what it is now or should be."""

    name: str
    was: float
    value: float
    why: str

    def __str__(self) -> str:
        return f"{self.name} {self.was:g} → {self.value:g} ({self.why})"


@dataclass(frozen=True, slots=True)
class ProfileResult:
    """How comparing a profile ended."""

    changes: tuple[Change, ...]
    by_hand: tuple[str, ...]
    unknown: tuple[str, ...]

    @property
    def passed(self) -> bool:
        """Whether the vehicle may fly with what it has now."""
        return not self.by_hand


@dataclass(slots=True)
class Profile:
    """Compares the parameters wanted one after the other, and writes them if told to."""

    wanted: Sequence[Wanted]
    write: bool = True
    result: ProfileResult | None = None
    _next: int = 0
    _attempt: int = 0
    _asked_s: float = 0.0
    _change: Change | None = None
    _pending: Outgoing | None = None
    _changes: list[Change] = field(default_factory=list)
    _by_hand: list[str] = field(default_factory=list)
    _unknown: list[str] = field(default_factory=list)

    def start(self, now: float) -> list[Outgoing]:
        """Return the first question."""
        return self._ask_next(now)

    def receive(self, parameter: Parameter, now: float) -> list[Outgoing]:
        """Take in a value; return what to send next."""
        if self.result is not None or parameter.name != self.wanted[self._next].name:
            return []
        wanted = self.wanted[self._next]
        if wanted.needs_a_person(parameter.value):
            self._by_hand.append(f"{wanted.name} is {parameter.value:g}: {wanted.by_hand}")
            return self._go_on(now)
        target = wanted.target(parameter.value)
        if target is None:
            return self._settled(now)
        if self._change is None:
            self._change = Change(wanted.name, parameter.value, target, wanted.why)
            if not self.write:
                return self._settled(now)
            self._attempt = 0
            return self._send(ParameterSet(wanted.name, target, parameter.kind), now)
        return []  # an older answer, or a write that was refused: the repeat decides

    def tick(self, now: float) -> list[Outgoing]:
        """Return the repeat that is due."""
        if self.result is not None or self._pending is None or now - self._asked_s < _RETRY_S:
            return []
        if self._attempt < _ATTEMPTS:
            return self._send(self._pending, now)
        name = self.wanted[self._next].name
        if self._change is None:
            self._unknown.append(name)
        else:
            self._by_hand.append(f"{name} stays at {self._change.was:g}: set it to {self._change.value:g}")
            self._change = None
        return self._go_on(now)

    def _settled(self, now: float) -> list[Outgoing]:
        if self._change is not None:
            self._changes.append(self._change)
        return self._go_on(now)

    def _go_on(self, now: float) -> list[Outgoing]:
        self._next += 1
        self._change = None
        return self._ask_next(now)

    def _ask_next(self, now: float) -> list[Outgoing]:
        if self._next >= len(self.wanted):
            self.result = ProfileResult(tuple(self._changes), tuple(self._by_hand), tuple(self._unknown))
            return []
        self._attempt = 0
        return self._send(ParameterWanted(self.wanted[self._next].name), now)

    def _send(self, message: Outgoing, now: float) -> list[Outgoing]:
        self._pending = message
        self._asked_s = now
        self._attempt += 1
        return [message]
