"""Known sources on the ground, from verdicts that named somebody's heat: chimney, flare, permitted burn.

A source needs an owner. A permitted burn ends when its permit does (a day after it was seen, where nobody
said), industrial heat has to be named again after a year. A source is refused where more real events lie in
it than recall may be lost.
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from missions.geo import distance_m
from vision.calibration import Source
from vision.calibration.labels import Label, Verdict

LEAST_RADIUS_M = 15.0
LASTS = {Verdict.PERMITTED: timedelta(days=1), Verdict.INDUSTRIAL_HEAT: timedelta(days=365)}


@dataclass(frozen=True, slots=True)
class Refused:
    """A verdict that makes no source, and why."""

    label: Label
    why: str


def learn(
    labels: Sequence[Label], *, most_recall_loss: float
) -> tuple[tuple[Source, ...], tuple[Refused, ...]]:
    """Return the sources that labels name, and the labels that name none with the reason."""
    found: list[Source] = []
    refused: list[Refused] = []
    for label in labels:
        if label.verdict.is_known_heat:
            made = _source(label, labels, most_recall_loss)
            if isinstance(made, Refused):
                refused.append(made)
            else:
                found = _with(found, made)
    return tuple(found), tuple(refused)


def _source(label: Label, labels: Iterable[Label], allowed: float) -> Source | Refused:
    if label.place is None or label.seen_at is None:
        return Refused(label, "it has no place or no time")
    if not label.owner:
        return Refused(label, "nobody is named as owner")
    radius = max(LEAST_RADIUS_M, label.ellipse_m or 0.0)
    wanted = [one for one in labels if one.verdict.is_wanted and one.hazard is label.hazard and one.place]
    inside = sum(distance_m(label.place, one.place) <= radius for one in wanted if one.place)
    if inside > allowed * len(wanted):
        return Refused(label, f"{inside} of {len(wanted)} real events lie within {radius:.0f} m of it")
    name = hashlib.sha256(f"{label.hazard}{label.place}{label.owner}".encode()).hexdigest()[:12]
    expires_at = label.expires_at or label.seen_at + LASTS[label.verdict]
    return Source(
        name, label.hazard, label.place, radius, label.verdict.value, label.owner, expires_at, label.area_m2
    )


def _with(sources: list[Source], new: Source) -> list[Source]:
    """Return the sources with one more, joined to the one of the same owner that it lies in."""
    for i, old in enumerate(sources):
        same = (old.hazard, old.kind, old.owner) == (new.hazard, new.kind, new.owner)
        if same and distance_m(old.place, new.place) <= old.radius_m:
            later = max(old, new, key=lambda s: s.expires_at)
            sizes = [s.largest_m2 for s in (old, new) if s.largest_m2 is not None]
            joined = Source(
                old.id,
                old.hazard,
                old.place,
                max(old.radius_m, new.radius_m),
                old.kind,
                old.owner,
                later.expires_at,
                max(sizes, default=None),
            )
            return [*sources[:i], joined, *sources[i + 1 :]]
    return [*sources, new]
