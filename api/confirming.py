"""When what a picture shows is told: at once where it is urgent, else when a further look says so. Pure.

A frame alone is often wrong about small things: the sun's flash in glass, a bad cell, a spark. So a find
waits for the next looks of the same camera (`vision.confirmation` weighs them by the place on the ground).
It is told as soon as it is confirmed, at the latest after `MOST_LOOKS` further pictures or when the camera
has been silent for `PATIENCE` and none of its pictures is left to be searched, unless it was denied by then:
who cannot be asked again is believed, but for a hot joint and for smoke that is not `SURE_SMOKE`. What is
urgent (`is_urgent`) never waits, and neither does what is no point on the ground, as a flood.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from missions.model import Hazard
from vision.confirmation import Candidate, Look, Verdict, after
from vision.model import Observation

MOST_LOOKS = 2
PATIENCE = timedelta(seconds=30)
MOST_BEHIND = timedelta(hours=1)
"""Nobody waits longer for pictures that have come and were not searched: the analyst is down."""

WAIT = frozenset({Hazard.FIRE, Hazard.SMOKE, Hazard.BURNING, Hazard.HOT_JOINT})
"""Hazards that are points on the ground and that a second picture shows again."""

MUST = frozenset({Hazard.HOT_JOINT})
"""Of these what was never confirmed is not told: they can wait for the next flight."""

SURE_SMOKE = 0.65
"""Smoke less sure than this is not told by one look. The simulator's forest comes to .48 in 1,700 pictures.
Of the shared data's pictures 2 of 283 without smoke are as sure as this, and 353 of 482 with smoke."""

URGENT_M2, URGENT_C, URGENT_SURE = 2.0, 280.0, 0.8
"""No flash and no bad cell is so large, so hot and so sure; from this size on it takes a crew."""

ONCE = "no further look confirmed it"
RODE = "it stays at its pixel while the camera moves on, so it is the camera's own"


@dataclass(frozen=True, slots=True)
class Seen:
    """An observation and the frame that shows it."""

    frame: str
    observation: Observation


@dataclass(frozen=True, slots=True)
class Waiting:
    """A place with what is held back of it; `further` counts the camera's pictures while it waited.

    `is_told` once something of it was told: what is seen there later is told at once.
    """

    candidate: Candidate
    held: tuple[Seen, ...] = ()
    further: int = 0
    is_told: bool = False

    @property
    def is_over(self) -> bool:
        """Whether it has waited long enough to be believed unless it is denied."""
        return self.further >= MOST_LOOKS


@dataclass(frozen=True, slots=True)
class Denied:
    """An observation that is not told, and why."""

    seen: Seen
    reason: str


@dataclass(frozen=True, slots=True)
class Step:
    """What one look changes: places as they are now, what is told now, what never will be."""

    waiting: tuple[Waiting, ...]
    told: tuple[Seen, ...]
    denied: tuple[Denied, ...]


def is_urgent(seen: Observation) -> bool:
    """Return whether an observation cannot wait: a large hot fire, or one that two detectors agree on."""
    if seen.hazard is not Hazard.FIRE or seen.confidence < URGENT_SURE:
        return False
    is_hot = seen.temp_max_c is None or seen.temp_max_c >= URGENT_C
    return len(set(seen.sources)) > 1 or (is_hot and (seen.area_m2 or 0.0) >= URGENT_M2)


def step(waiting: Iterable[Waiting], look: Look, frame: str) -> Step:
    """Return what one more look of a camera changes; `look` sees nothing but what may wait."""
    before = {one.candidate.id: one for one in waiting}
    new = {one.observation.id: Seen(frame, one.observation) for one in look.seen}
    kept: list[Waiting] = []
    told: list[Seen] = []
    denied: list[Denied] = []
    for candidate in after([one.candidate for one in before.values()], look):
        fresh = tuple(new.pop(name) for name in candidate.observations if name in new)
        was = before.pop(candidate.id, None)
        now = Waiting(candidate, fresh)
        if was is not None:
            now = Waiting(candidate, was.held + fresh, was.further + bool(was.held), was.is_told)
        now, out, off = _settled(now)
        kept.append(now)
        told += out
        denied += off
    told += [seen for forgotten in before.values() for seen in forgotten.held]
    denied += [Denied(seen, RODE) for seen in new.values()]
    return Step(tuple(kept), tuple(told), tuple(denied))


def silent(waiting: Waiting) -> tuple[Waiting, tuple[Seen, ...], tuple[Denied, ...]]:
    """Return a place whose camera says nothing any more, what is told of it now and what never will be."""
    if _must_be_confirmed(waiting):
        return replace(waiting, held=()), (), tuple(Denied(seen, ONCE) for seen in waiting.held)
    return replace(waiting, held=(), is_told=True), waiting.held, ()


def _must_be_confirmed(waiting: Waiting) -> bool:
    """Return whether what is held back is not told without a further look that shows it."""
    if waiting.candidate.hazard is Hazard.SMOKE:
        return all(seen.observation.confidence < SURE_SMOKE for seen in waiting.held)
    return waiting.candidate.hazard in MUST


def _settled(now: Waiting) -> tuple[Waiting, Sequence[Seen], Sequence[Denied]]:
    """Return the place after its verdict, what is told of it now and what never will be."""
    if not now.held:
        return now, (), ()
    verdict = now.candidate.verdict
    is_sure = now.is_told or verdict is Verdict.CONFIRMED or any(is_urgent(s.observation) for s in now.held)
    if is_sure:
        return replace(now, held=(), is_told=True), now.held, ()
    if now.is_over and verdict is Verdict.WAITING:
        return silent(now)
    if verdict is Verdict.DENIED:
        its = now.candidate
        reason = f"seen in {its.hits} of {its.looks} looks that should have shown it"
        return replace(now, held=()), (), [Denied(seen, reason) for seen in now.held]
    return now, (), ()
