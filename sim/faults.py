"""What goes wrong, and when: the file of `gridpatrol sim --faults`, read and checked.

A fault file is YAML or JSON (docs/faults.md shows one). Each fault names its
kind, whom it strikes and when: `at_s` simulated seconds after a moment (the
start of the simulation, or the first arming, take-off or way home of the drone
it strikes), for `for_s` seconds or for good. The same file and seed give the
same faults.
"""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

from missions.yaml_lines import Keys, Lined

MOST_FAULTS = 10_000


class Moment(StrEnum):
    """What a fault's time counts from."""

    START = "start"
    ARMED = "armed"
    TAKEOFF = "takeoff"
    RETURNING = "returning"
    LANDED = "landed"


class Struck(StrEnum):
    """What kind of thing a fault strikes."""

    DRONE = "drone"
    DOCK = "dock"


@dataclass(frozen=True, slots=True)
class Number:
    """A value of a fault: a number with its limits; without a default it must be given."""

    low: float
    high: float
    default: float | None = None


@dataclass(frozen=True, slots=True)
class Choice:
    """A value of a fault: one word of several, the first being the default."""

    words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Kind:
    """What a kind of fault strikes, its values, and what it does, in one sentence."""

    strikes: Struck
    values: Mapping[str, Number | Choice]
    does: str
    lasts: bool = True  # False: it happens once, and `for_s` means nothing


_SHARE = Number(0.0, 1.0, 0.0)
_DIRECTION = Choice(("both", "up", "down"))  # up: to the drone
KINDS: dict[str, Kind] = {
    "link": Kind(
        Struck.DRONE,
        {
            "direction": _DIRECTION,
            "loss": _SHARE,
            "delay_s": Number(0.0, 60.0, 0.0),
            "jitter_s": Number(0.0, 60.0, 0.0),
            "duplicate": _SHARE,
            "reorder": _SHARE,
            "corrupt": _SHARE,
        },
        "loses, delays, repeats, swaps or spoils packets",
    ),
    "gps_jump": Kind(
        Struck.DRONE,
        {n: Number(-5000.0, 5000.0, 0.0) for n in ("east_m", "north_m", "up_m")},
        "moves the place the drone believes in",
    ),
    "gps_lost": Kind(Struck.DRONE, {}, "takes the position away"),
    "compass": Kind(
        Struck.DRONE, {"error_deg": Number(-180.0, 180.0)}, "turns the heading the drone believes in"
    ),
    "gust": Kind(
        Struck.DRONE,
        {"speed_m_s": Number(0.0, 60.0), "from_deg": Number(0.0, 360.0, 0.0)},
        "adds a wind",
    ),
    "low_cell": Kind(Struck.DRONE, {"drop_v": Number(0.0, 30.0)}, "takes volts off the battery"),
    "battery": Kind(
        Struck.DRONE, {"share": Number(0.0, 1.0)}, "leaves that share of a full battery", lasts=False
    ),
    "motor_weak": Kind(
        Struck.DRONE, {"thrust": Number(0.0, 1.0)}, "leaves that share of the thrust there is to spare"
    ),
    "camera_mute": Kind(
        Struck.DRONE,
        {"what": Choice(("records", "shutter", "files"))},
        "tells of no picture, takes none, or gives no file",
    ),
    "reboot": Kind(
        Struck.DRONE, {"dark_s": Number(0.5, 120.0, 4.0)}, "starts the autopilot afresh", lasts=False
    ),
    "clock_jump": Kind(Struck.DRONE, {"by_s": Number(-1e8, 1e8)}, "sets the drone's clock off"),
    "dock_stuck": Kind(
        Struck.DOCK,
        {"door": Choice(("as_it_is", "open", "shut"))},
        "stops the dock's door for good or a time",
    ),
    "dock_silent": Kind(Struck.DOCK, {}, "makes the dock hear and say nothing"),
    "dock_wind": Kind(
        Struck.DOCK, {"speed_m_s": Number(0.0, 80.0)}, "makes the dock's anemometer read that wind"
    ),
    "dock_rain": Kind(Struck.DOCK, {"rain_mm_h": Number(0.0, 300.0)}, "makes it rain on the dock"),
}
_COMMON = ("kind", "at_s", "after", "for_s")
_LONGEST_S = 1e9


@dataclass(frozen=True, slots=True)
class Fault:
    """One line of the timeline: what happens to whom, when, and for how long."""

    kind: str
    at_s: float = 0.0
    after: Moment = Moment.START
    for_s: float = math.inf
    whom: tuple[str, ...] = ()  # drones or docks by name; empty: all of them
    values: Mapping[str, float | str] = field(default_factory=dict)

    @property
    def strikes(self) -> Struck:
        return KINDS[self.kind].strikes

    @property
    def lasts(self) -> bool:
        return KINDS[self.kind].lasts

    def number(self, name: str) -> float:
        """Return a value that is a number."""
        return float(self.values[name])

    def word(self, name: str) -> str:
        """Return a value that is a word."""
        return str(self.values[name])


@dataclass(frozen=True, slots=True)
class FaultPlan:
    """All faults of one run and the seed of their chances."""

    faults: tuple[Fault, ...] = ()
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Change:
    """A fault that begins or ends on one drone or dock."""

    fault: Fault
    on: str
    begins: bool


@dataclass(slots=True)
class _Strike:
    fault: Fault
    on: str
    began: bool = False
    ended: bool = False


class Timeline:
    """Tells which faults begin and end as time goes on."""

    def __init__(self, faults: Iterable[Fault], *, drones: Sequence[str], docks: Sequence[str]) -> None:
        self._strikes: list[_Strike] = []
        for fault in faults:
            everyone = drones if fault.strikes is Struck.DRONE else docks
            self._strikes += [_Strike(fault, name) for name in fault.whom or everyone]

    def due(self, now_s: float, moment_s: Callable[[str, Moment], float | None]) -> list[Change]:
        """Return what begins or ends now, in order of the file; `moment_s` says when a moment was."""
        found = []
        for strike in self._strikes:
            fault = strike.fault
            since_s = moment_s(strike.on, fault.after)
            if since_s is None:
                continue
            if not strike.began and now_s >= since_s + fault.at_s:
                strike.began = True
                found.append(Change(fault, strike.on, begins=True))
            if strike.began and not strike.ended and now_s >= since_s + fault.at_s + fault.for_s:
                strike.ended = True
                if fault.lasts:
                    found.append(Change(fault, strike.on, begins=False))
        self._strikes = [s for s in self._strikes if not s.ended and (s.fault.lasts or not s.began)]
        return found


def load_faults(path: Path, *, drones: Sequence[str], docks: Sequence[str]) -> FaultPlan:
    """Return what a fault file says.

    Raises:
        InputWrong: it cannot be read, or says something no fault file says; the
            text names the line, what was found and what was expected.
    """
    lined = Lined(path)
    root = lined.root
    if not isinstance(root, Mapping) or "faults" not in root:
        raise lined.wrong(
            (), found="no key 'faults'", expected="a mapping with the key faults: a list of faults"
        )
    _only(lined, (), root, ("faults", "seed"))
    seed = root.get("seed", 0)
    if not isinstance(seed, int) or isinstance(seed, bool) or seed < 0:
        raise lined.wrong(("seed",), found=repr(seed), expected="a whole number, 0 or more")
    entries = root["faults"]
    if not isinstance(entries, Sequence) or isinstance(entries, str):
        raise lined.wrong(("faults",), found=repr(entries)[:60], expected="a list of faults")
    if len(entries) > MOST_FAULTS:
        raise lined.wrong(("faults",), found=f"{len(entries)} faults", expected=f"at most {MOST_FAULTS}")
    names = {Struck.DRONE: tuple(drones), Struck.DOCK: tuple(docks)}
    return FaultPlan(tuple(_fault(lined, i, entry, names) for i, entry in enumerate(entries)), seed)


def _fault(lined: Lined, index: int, entry: Any, names: Mapping[Struck, tuple[str, ...]]) -> Fault:
    keys: Keys = ("faults", index)
    if not isinstance(entry, Mapping):
        raise lined.wrong(keys, found=repr(entry)[:60], expected="a fault: kind, at_s …")
    word = entry.get("kind")
    kind = KINDS.get(word) if isinstance(word, str) else None
    if kind is None:
        raise lined.wrong((*keys, "kind"), found=repr(word), expected=f"one of {', '.join(KINDS)}")
    _only(lined, keys, entry, (*_COMMON, kind.strikes, *kind.values))
    after = _choice(lined, (*keys, "after"), entry.get("after", Moment.START), tuple(Moment))
    if kind.strikes is Struck.DOCK and after != Moment.START:
        raise lined.wrong(
            (*keys, "after"), found=repr(after), expected="start: a dock neither arms nor flies"
        )
    if not kind.lasts and "for_s" in entry:
        raise lined.wrong((*keys, "for_s"), found="for_s", expected=f"none: {word} happens once")
    return Fault(
        kind=str(word),
        at_s=_number(lined, (*keys, "at_s"), entry.get("at_s", 0.0), 0.0, _LONGEST_S),
        after=Moment(after),
        for_s=_number(lined, (*keys, "for_s"), entry["for_s"], 0.0, _LONGEST_S)
        if "for_s" in entry
        else math.inf,
        whom=_whom(lined, (*keys, kind.strikes), entry.get(kind.strikes), names[kind.strikes]),
        values={name: _value(lined, keys, entry, name, form) for name, form in kind.values.items()},
    )


def _only(lined: Lined, keys: Keys, entry: Mapping[Any, Any], known: Iterable[str]) -> None:
    names = [str(k) for k in known]
    for key in entry:
        if key not in names:
            raise lined.wrong(
                (*keys, key), found=f"the unknown key {key!r}", expected=f"only {', '.join(names)}"
            )


def _whom(lined: Lined, keys: Keys, said: Any, known: tuple[str, ...]) -> tuple[str, ...]:
    if said is None:
        return ()
    asked = [said] if isinstance(said, str) else said
    if not isinstance(asked, Sequence):
        raise lined.wrong(keys, found=repr(said)[:60], expected="a name or a list of names")
    for name in asked:
        if name not in known:
            raise lined.wrong(keys, found=repr(name), expected=f"one of {', '.join(known)}")
    return tuple(str(name) for name in asked)


def _value(
    lined: Lined, keys: Keys, entry: Mapping[str, Any], name: str, form: Number | Choice
) -> float | str:
    if isinstance(form, Choice):
        return _choice(lined, (*keys, name), entry.get(name, form.words[0]), form.words)
    if name not in entry:
        if form.default is None:
            raise lined.wrong(keys, found=f"no {name}", expected=f"{name}: {form.low:g} to {form.high:g}")
        return form.default
    return _number(lined, (*keys, name), entry[name], form.low, form.high)


def _number(lined: Lined, keys: Keys, said: Any, low: float, high: float) -> float:
    number = said if isinstance(said, int | float) and not isinstance(said, bool) else math.nan
    if not low <= number <= high:
        raise lined.wrong(keys, found=repr(said)[:60], expected=f"a number from {low:g} to {high:g}")
    return float(number)


def _choice(lined: Lined, keys: Keys, said: Any, words: Sequence[str]) -> str:
    if said not in tuple(words):
        raise lined.wrong(keys, found=repr(said)[:60], expected=f"one of {', '.join(words)}")
    return str(said)
