"""What each agency's part of a plan is: how many looks serve it, and which share of the flying is its own.

A picture that serves three agencies costs each a third of it; the way between
pictures is borne like the pictures of its sortie. The shares add up to the plan.
"""

from collections import Counter, defaultdict
from dataclasses import dataclass

from missions.model import Plan, Sortie


@dataclass(frozen=True, slots=True)
class Share:
    """One agency's part. `flight_s` and `energy_wh` are its share, `looks` every picture that serves it."""

    agency: str
    sorties: int
    looks: int
    shared_looks: int
    flight_s: float
    energy_wh: float
    part: float


def shares(plan: Plan) -> tuple[Share, ...]:
    """Return the share of every agency that a plan serves, the largest first."""
    parts: defaultdict[str, float] = defaultdict(float)
    energy: defaultdict[str, float] = defaultdict(float)
    looks: Counter[str] = Counter()
    together: Counter[str] = Counter()
    sorties: Counter[str] = Counter()
    for sortie in plan.sorties:
        for agency, part in _parts(sortie).items():
            parts[agency] += part * sortie.flight_s
            energy[agency] += part * sortie.energy_wh
            sorties[agency] += 1
        for shot in sortie.shots:
            looks.update(shot.agencies)
            together.update(shot.agencies if len(shot.agencies) > 1 else ())
    whole_s = plan.flight_s or 1.0
    made = [
        Share(
            agency,
            sorties[agency],
            looks[agency],
            together[agency],
            parts[agency],
            energy[agency],
            parts[agency] / whole_s,
        )
        for agency in parts
    ]
    return tuple(sorted(made, key=lambda share: (-share.part, share.agency)))


def _parts(sortie: Sortie) -> dict[str, float]:
    """Return which part of a sortie each agency bears; they add up to 1."""
    borne: defaultdict[str, float] = defaultdict(float)
    shots = [shot for shot in sortie.shots if shot.agencies]
    for shot in shots:
        for agency in shot.agencies:
            borne[agency] += 1 / len(shot.agencies)
    if not shots:
        return {agency: 1 / len(sortie.agencies) for agency in sortie.agencies}
    return {agency: part / len(shots) for agency, part in borne.items()}
