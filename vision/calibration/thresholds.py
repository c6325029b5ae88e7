"""Thresholds by camera and hazard that silence false alarms and cost no more recall than is allowed.

A threshold is raised only as far as it silences something, and only if the labels *prove* that it is cheap:
with 95 % confidence (Clopper and Pearson) it loses no greater share of real events than allowed. Few labels
therefore change nothing: to raise a threshold at an allowed loss of 1 % takes 299 real ones that all stay
above it.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from scipy.stats import beta

from missions.model import Hazard
from vision.calibration.labels import Label, Verdict

CONFIDENCE = 0.95
_ABOVE = 1e-4


@dataclass(frozen=True, slots=True)
class Learnt:
    """What the labels of one camera and hazard say: the threshold, what it silences and costs.

    `threshold` is None where it stays as it was, and `why` says so.
    """

    camera: str
    hazard: Hazard
    real: int
    false: int
    threshold: float | None
    silenced: int
    lost: int
    lost_share_at_most: float
    why: str


def learn(labels: Iterable[Label], *, most_recall_loss: float) -> list[Learnt]:
    """Return what each camera's labels allow for each hazard, by name."""
    groups: defaultdict[tuple[str, Hazard], list[Label]] = defaultdict(list)
    for label in labels:
        groups[label.camera, label.hazard].append(label)
    return [_learnt(key, some, most_recall_loss) for key, some in sorted(groups.items())]


def _learnt(key: tuple[str, Hazard], labels: Sequence[Label], allowed: float) -> Learnt:
    real = sorted(one.score for one in labels if one.verdict.is_real)
    false = sorted(one.score for one in labels if one.verdict is Verdict.FALSE)
    best: float | None = None
    for score in false:
        lost = sum(r < score + _ABOVE for r in real)
        if lost_at_most(lost, len(real)) <= allowed:
            best = round(score + _ABOVE, 4)
    if best is None:
        why = "nothing to silence" if not false else f"{len(real)} real events prove too little"
        return Learnt(*key, len(real), len(false), None, 0, 0, 0.0, why)
    lost = sum(r < best for r in real)
    silenced = sum(f < best for f in false)
    at_most = round(lost_at_most(lost, len(real)), 4)
    why = f"silences {silenced} of {len(false)} false alarms"
    return Learnt(*key, len(real), len(false), best, silenced, lost, at_most, why)


def lost_at_most(lost: int, real: int) -> float:
    """Return the share that is lost at most, with 95 % confidence, when so many of so many were."""
    return 1.0 if lost >= real else float(beta.ppf(CONFIDENCE, lost + 1, real - lost))
