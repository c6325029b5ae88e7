"""Which detectors there are: one line each, loaded when first needed.

A detector that runs by default looks at every frame it reads. The others run when their hazard is asked
for by name (`gridpatrol inspect --hazard`, a demand): they are slow, need something beside the frame, or
answer a question that nobody asks of every picture.
"""

import importlib
from collections.abc import Collection
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from missions.errors import InputWrong
from missions.model import Hazard
from vision.detectors import Detector


@dataclass(frozen=True, slots=True)
class Entry:
    """One detector: "module:Class", what it finds, whether it runs unasked, whether `--model` is for it.

    One on trial answers only where a person reads the answer (`gridpatrol inspect`, when its hazard is asked
    for by name); its word makes no incident, and its silence clears none.

    `wants_whole` is False for one that reads no colour picture or cuts it into pieces itself: for its sake a
    large one is not decoded whole.
    """

    place: str
    hazards: frozenset[Hazard]
    by_default: bool = True
    takes_model: bool = False
    on_trial: bool = False
    wants_whole: bool = True


ENTRIES: tuple[Entry, ...] = (
    Entry(
        "vision.detectors.discharge:Discharge", frozenset({Hazard.DISCHARGE}), by_default=False, on_trial=True
    ),
    Entry(
        "vision.detectors.tree_health:TreeHealth",
        frozenset({Hazard.TREE_HEALTH}),
        by_default=False,
        on_trial=True,
    ),
    Entry("vision.detectors.burning:Burning", frozenset({Hazard.BURNING}), by_default=False),
    Entry(
        "vision.detectors.line_clearance:LineClearance",
        frozenset({Hazard.LINE_CLEARANCE}),
        by_default=False,
        wants_whole=False,
    ),
    Entry(
        "vision.detectors.thermal:ThermalFire", frozenset({Hazard.FIRE, Hazard.HOT_SPOT}), wants_whole=False
    ),
    Entry(
        "vision.detectors.hot_joint:HotJoint",
        frozenset({Hazard.HOT_JOINT}),
        by_default=False,
        wants_whole=False,
    ),
    Entry(
        "vision.detectors.rgb_fire:RgbFire",
        frozenset({Hazard.FIRE, Hazard.SMOKE}),
        by_default=False,
        takes_model=True,
        wants_whole=False,
    ),
    Entry("vision.detectors.flood:Flood", frozenset({Hazard.FLOOD}), by_default=False),
    Entry(
        "vision.detectors.flood_thermal:FloodThermal",
        frozenset({Hazard.FLOOD}),
        by_default=False,
        on_trial=True,
    ),
    Entry(
        "vision.detectors.warm_bodies:WarmBodies",
        frozenset({Hazard.PERSON}),
        by_default=False,
        on_trial=True,
    ),
    Entry(
        "vision.detectors.warm_bodies:Intrusion",
        frozenset({Hazard.INTRUSION}),
        by_default=False,
        on_trial=True,
    ),
    Entry(
        "vision.detectors.wildlife:Wildlife", frozenset({Hazard.WILDLIFE}), by_default=False, on_trial=True
    ),
    Entry(
        "vision.detectors.foreign_object:ForeignObject",
        frozenset({Hazard.FOREIGN_OBJECT}),
        by_default=False,
        on_trial=True,
    ),
    Entry("vision.detectors.logging:Felling", frozenset({Hazard.LOGGING}), by_default=False),
    Entry(
        "vision.detectors.warm_bodies:Machinery",
        frozenset({Hazard.LOGGING}),
        by_default=False,
        on_trial=True,
    ),
    Entry("vision.detectors.felled:FelledLook", frozenset({Hazard.LOGGING}), by_default=False, on_trial=True),
)


Trials = bool | Collection[Hazard]
"""Whether detectors on trial are asked too: all, none, or those of some hazards."""


def sought(entries: Collection[Entry] = ENTRIES) -> frozenset[Hazard]:
    """Return the hazards that some detector finds; nothing is loaded for it."""
    return frozenset(hazard for entry in entries for hazard in entry.hazards)


def usual() -> frozenset[Hazard]:
    """Return the hazards that are looked for unasked."""
    return frozenset(hazard for entry in ENTRIES if entry.by_default for hazard in entry.hazards)


def chosen(
    hazards: Collection[Hazard] | None = None, *, model: Path | None = None, with_trials: Trials = False
) -> tuple[Detector, ...]:
    """Return the detectors to run: those of the hazards asked for, without any those on by default.

    `model` goes to the detectors that take one in place of their own; those on trial need `with_trials`.
    """
    entries = _entries(hazards, with_trials)
    if model and not any(entry.takes_model for entry in entries):
        raise InputWrong("--model: found no detector to take it, expected --hazard fire or smoke")
    return tuple(_loaded(entry.place, model if entry.takes_model else None) for entry in entries)


def want_whole(hazards: Collection[Hazard] | None = None, *, with_trials: Trials = False) -> bool:
    """Return whether one of the detectors to run needs every pixel of a colour picture; nothing is loaded."""
    return any(entry.wants_whole for entry in _entries(hazards, with_trials))


def _entries(hazards: Collection[Hazard] | None, with_trials: Trials) -> list[Entry]:
    tried = frozenset(Hazard if with_trials is True else with_trials or ())
    wanted = frozenset(hazards) if hazards is not None else None
    return [
        entry
        for entry in ENTRIES
        if (entry.by_default if wanted is None else entry.hazards & wanted)
        and (not entry.on_trial or entry.hazards & tried)
    ]


@lru_cache(maxsize=64)
def _loaded(place: str, model: Path | None) -> Detector:
    """Return a detector, made once: a model is read once per process."""
    module, _, name = place.partition(":")
    made = getattr(importlib.import_module(module), name)
    detector: Detector = made(model=model) if model else made()
    return detector
