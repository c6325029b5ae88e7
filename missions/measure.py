"""Benchmarks: named rows, their targets and the raw events behind them.

A *suite* is one `gridpatrol bench NAME`; packages add groups of rows to it when they register
their commands, each by the place of a function ("fleet.bench.upload:rows"), which is loaded only
when its rows are asked for. The function takes a `Job` and yields `Row`s. A row says what was
measured, by which clock, beside which anchor, and whether its target was reached; it is never
a test that fails because a machine was busy. What stands behind a figure goes to `Job.raw`,
so that others can compute it again.
"""

import importlib
import json
import math
import time
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from missions.errors import InputWrong

Clock = Literal["wall", "cpu", "simulated", "none"]

CALIBRATION_S = 0.5
_CALIBRATION_STEPS = 20_000


@dataclass(frozen=True, slots=True)
class Row:
    """One figure. `ok` is None where there is no target, or where the row was skipped."""

    name: str
    value: float | None
    unit: str
    clock: Clock = "wall"
    anchor: str | None = None
    target: str | None = None
    ok: bool | None = None
    skipped: str | None = None


def at_most(
    name: str, value: float, limit: float, *, unit: str, clock: Clock = "wall", anchor: str | None = None
) -> Row:
    """Return the row of a figure that must not be above `limit`."""
    return Row(name, value, unit, clock, anchor, f"≤ {limit:g}", value <= limit)


def at_least(
    name: str, value: float, limit: float, *, unit: str, clock: Clock = "wall", anchor: str | None = None
) -> Row:
    """Return the row of a figure that must not be below `limit`."""
    return Row(name, value, unit, clock, anchor, f"≥ {limit:g}", value >= limit)


def within(
    name: str,
    value: float,
    limits: tuple[float, float],
    *,
    unit: str,
    clock: Clock = "wall",
    anchor: str | None = None,
) -> Row:
    """Return the row of a figure that must lie between two limits, both included."""
    low, high = limits
    return Row(name, value, unit, clock, anchor, f"{low:g} … {high:g}", low <= value <= high)


def measured(name: str, value: float, *, unit: str, clock: Clock = "wall", anchor: str | None = None) -> Row:
    """Return the row of a figure that has no target."""
    return Row(name, value, unit, clock, anchor)


def skipped(name: str, reason: str, *, unit: str = "", target: str | None = None) -> Row:
    """Return the row of a figure that could not be measured here, and why."""
    return Row(name, None, unit, target=target, skipped=reason)


class Raw:
    """The events behind the figures, a file of JSON lines for each name; without a folder nothing is kept."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        self._begun: set[str] = set()

    @property
    def folder(self) -> Path | None:
        """Where pictures and the like may be written beside the events, None where nothing is kept."""
        return self._folder

    def write(self, name: str, *events: Mapping[str, Any]) -> None:
        """Append events to NAME.jsonl; the first write of a run starts the file anew."""
        if self._folder is None:
            return
        mode = "a" if name in self._begun else "w"
        self._begun.add(name)
        with (self._folder / f"{name}.jsonl").open(mode, encoding="utf-8") as lines:
            for event in events:
                lines.write(json.dumps(event, ensure_ascii=False, default=str) + "\n")


@dataclass(frozen=True, slots=True)
class Job:
    """What a row function is handed: where raw events go, how to speak, and how much to do.

    quick: a short run of the same code, for a first look and for tests; its rows are not the
        figures a target is held to.
    only: the row names asked for, as prefixes; empty for all.
    """

    raw: Raw
    say: Callable[[str], None]
    quick: bool = False
    only: tuple[str, ...] = ()

    def wants(self, name: str) -> bool:
        """Return whether this row, or some row below or above this name, was asked for."""
        return not self.only or any(_meet(name, wanted) for wanted in self.only)


@dataclass(slots=True)
class Suite:
    """The rows of one `gridpatrol bench NAME`, in groups that packages add."""

    name: str
    groups: dict[str, str] = field(default_factory=dict)
    notes: dict[str, str] = field(default_factory=dict)

    def add(self, group: str, place: str, note: str = "") -> None:
        """Add a group: the first word of its rows' names, and "module:function" that yields them."""
        self.groups[group] = place
        self.notes[group] = note

    def run(self, job: Job) -> list[Row]:
        """Return the rows asked for, measured now, group after group.

        A group that breaks keeps no other from being measured: what it had is kept, and a row named like
        the group says why there is no more.

        Raises:
            InputWrong: a wanted name belongs to no group.
        """
        for wanted in job.only:
            if not any(_meet(group, wanted) for group in self.groups):
                raise InputWrong(
                    f"--only {wanted}: bench {self.name} has no such row; it has {', '.join(self.groups)}"
                )
        rows: list[Row] = []
        for group, place in self.groups.items():
            if job.wants(group):
                job.say(f"{self.name}: {group} …")
                rows.extend(row for row in _until_it_breaks(group, place, job) if job.wants(row.name))
        return rows


_SUITES: dict[str, Suite] = {}


def suite(name: str) -> Suite:
    """Return the suite of that name, the same one for everybody who asks."""
    return _SUITES.setdefault(name, Suite(name))


def suites() -> Sequence[Suite]:
    """Return all suites that packages have added rows to."""
    return tuple(_SUITES.values())


def calibration_loops_per_s() -> float:
    """Return how many fixed loops of plain Python a second of this machine's CPU does, in thousands.

    It is printed with every bench, so that figures of two machines can be set side by side.
    """
    loops, began = 0, time.process_time()
    while (spent := time.process_time() - began) < CALIBRATION_S:
        total = 0.0
        for step in range(_CALIBRATION_STEPS):
            total += math.sqrt(step) * 0.5
        loops += _CALIBRATION_STEPS
    return loops / spent / 1_000


def to_json(rows: Iterable[Row]) -> dict[str, Any]:
    """Return the one JSON value of `gridpatrol bench`, as DESIGN's command line section words it."""
    keys = ("name", "value", "unit", "clock", "anchor", "target", "ok", "skipped")
    results = [{key: _finite(getattr(row, key)) for key in keys} for row in rows]
    return {"results": results, "calibration_loops_per_s": round(calibration_loops_per_s() * 1_000)}


def table(rows: Sequence[Row]) -> str:
    """Return the rows as lines for people: name, figure, target, and whether it was reached."""
    wide = max((len(row.name) for row in rows), default=0)
    return "\n".join(_line(row, wide) for row in rows)


def _line(row: Row, wide: int) -> str:
    if row.value is None:
        return f"  {row.name:<{wide}}  skipped: {row.skipped}"
    verdict = {True: "reached", False: "MISSED", None: ""}[row.ok]
    target = f"target {row.target}" if row.target else ""
    anchor = f"({row.anchor})" if row.anchor else ""
    figure = f"{row.value:>12.4g} {row.unit:<8} {row.clock:<9}"
    return f"  {row.name:<{wide}}  {figure} {target:<16} {verdict:<8} {anchor}".rstrip()


def _until_it_breaks(group: str, place: str, job: Job) -> Iterator[Row]:
    """Yield a group's rows, and where it fails one more that names the failure."""
    try:
        yield from _load(place)(job)
    except InputWrong:
        raise
    except Exception as error:
        job.say("".join(traceback.format_exception(error)))
        lines = f"{error}".strip().splitlines() or [""]
        yield skipped(group, f"broke off: {type(error).__name__}: {lines[0][:300]}")


def _load(place: str) -> Callable[[Job], Iterable[Row]]:
    module, _, function = place.partition(":")
    found: Callable[[Job], Iterable[Row]] = getattr(importlib.import_module(module), function)
    return found


def _meet(name: str, wanted: str) -> bool:
    return name.startswith(wanted) or wanted.startswith(f"{name}.")


def _finite(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value
