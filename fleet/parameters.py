"""The parameters a flight relies on, read, compared and written, as a machine without I/O.

A vehicle comes out of its box with failsafes that suit a pilot with a stick in
his hand. A docked drone has no pilot, so before each flight its profile is
compared and what differs is written and read again; every change is told. An
autopilot that keeps a hash over its parameters is not read twice for nothing.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

from fleet.messages import Outgoing, Parameter, ParameterSet, ParameterWanted

_RETRY_S = 1.0
_ATTEMPTS = 5
_AT_ONCE = 8  # questions under way; each is answered on its own


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
        if not math.isfinite(found):
            return self.value  # what a vehicle holds that is no number is mended, not believed
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
class Remembered:
    """The parameters a vehicle was seen to have, true while its own hash over all of them stays the same."""

    hashed: float | None = None
    values: dict[str, Parameter] = field(default_factory=dict)


@dataclass(slots=True)
class _Question:
    wanted: Wanted
    pending: Outgoing
    asked_s: float
    attempt: int = 1
    change: Change | None = None


@dataclass(slots=True)
class Profile:
    """Compares the parameters wanted, a few at a time, and writes those that differ if told to.

    Where the autopilot keeps a hash over its parameters (`hash_name`, PX4's
    _HASH_CHECK) the hash is asked for beside the rest: the same as remembered, what
    is remembered counts and nothing more is waited for.
    """

    wanted: Sequence[Wanted]
    write: bool = True
    hash_name: str = ""
    remembered: Remembered | None = None
    result: ProfileResult | None = None
    _next: int = 0
    _open: dict[str, _Question] = field(default_factory=dict)
    _hash: float | None = None
    _values: dict[str, Parameter] = field(default_factory=dict)
    _changes: dict[str, Change] = field(default_factory=dict)
    _by_hand: dict[str, str] = field(default_factory=dict)
    _unknown: set[str] = field(default_factory=set)

    def start(self, now: float) -> list[Outgoing]:
        """Return the first questions."""
        hash_first = [ParameterWanted(self.hash_name)] if self.hash_name else []
        return [*hash_first, *self._go_on(now)]

    def receive(self, parameter: Parameter, now: float) -> list[Outgoing]:
        """Take in a value; return what to send next."""
        if self.result is not None:
            return []
        if self.hash_name and parameter.name == self.hash_name:
            return self._hash_told(parameter.value, now)
        question = self._open.get(parameter.name)
        return [] if question is None else self._answered(question, parameter, now)

    def tick(self, now: float) -> list[Outgoing]:
        """Return the repeats that are due."""
        if self.result is not None:
            return []
        out: list[Outgoing] = []
        for question in list(self._open.values()):
            if now - question.asked_s < _RETRY_S:
                continue
            if question.attempt >= _ATTEMPTS:
                out += self._given_up(question, now)
            else:
                question.attempt += 1
                question.asked_s = now
                out.append(question.pending)
        return out

    def _hash_told(self, value: float, now: float) -> list[Outgoing]:
        self._hash = value
        known = self.remembered
        if known is None or known.hashed is None or known.hashed != value:
            return []
        out: list[Outgoing] = []
        for wanted in self.wanted:
            found = known.values.get(wanted.name)
            if found is None or wanted.name in self._values or self._was_written(wanted.name):
                continue
            question = self._open.get(wanted.name) or _Question(wanted, ParameterWanted(wanted.name), now)
            self._open[wanted.name] = question
            out += self._answered(question, found, now)
        return out

    def _was_written(self, name: str) -> bool:
        question = self._open.get(name)
        return question is not None and question.change is not None

    def _answered(self, question: _Question, found: Parameter, now: float) -> list[Outgoing]:
        wanted = question.wanted
        if wanted.needs_a_person(found.value):
            self._by_hand[wanted.name] = f"{wanted.name} is {found.value:g}: {wanted.by_hand}"
            return self._settled(question, found, now)
        target = wanted.target(found.value)
        if target is None:
            if question.change is not None:
                self._changes[wanted.name] = question.change
            return self._settled(question, found, now)
        if question.change is not None:
            return []  # an older answer, or a write that was refused: the repeat decides
        question.change = Change(wanted.name, found.value, target, wanted.why)
        if not self.write:
            self._changes[wanted.name] = question.change
            return self._settled(question, found, now)
        question.pending = ParameterSet(wanted.name, target, found.kind)
        question.attempt, question.asked_s = 1, now
        return [question.pending]

    def _given_up(self, question: _Question, now: float) -> list[Outgoing]:
        name, change = question.wanted.name, question.change
        if change is None:
            self._unknown.add(name)
        else:
            self._by_hand[name] = f"{name} stays at {change.was:g}: set it to {change.value:g}"
        return self._settled(question, None, now)

    def _settled(self, question: _Question, found: Parameter | None, now: float) -> list[Outgoing]:
        self._open.pop(question.wanted.name, None)
        if found is not None:
            self._values[question.wanted.name] = found
        return self._go_on(now)

    def _go_on(self, now: float) -> list[Outgoing]:
        out: list[Outgoing] = []
        while self._next < len(self.wanted) and len(self._open) < _AT_ONCE:
            wanted = self.wanted[self._next]
            self._next += 1
            if wanted.name in self._open or wanted.name in self._values:
                continue
            self._open[wanted.name] = _Question(wanted, ParameterWanted(wanted.name), now)
            out.append(self._open[wanted.name].pending)
        if not self._open and self._next >= len(self.wanted):
            self._finish()
        return out

    def _finish(self) -> None:
        names = [w.name for w in self.wanted]
        self.result = ProfileResult(
            tuple(self._changes[n] for n in names if n in self._changes),
            tuple(self._by_hand[n] for n in names if n in self._by_hand),
            tuple(n for n in names if n in self._unknown),
        )
        if self.remembered is not None:
            # A write makes another hash, which the next reading learns.
            self.remembered.hashed = None if self.write and self._changes else self._hash
            self.remembered.values.update(self._values)
