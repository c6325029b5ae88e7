"""What the person asked of the demo, and what came of it."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from api.demo.score import Score

LANDED_WITHIN_M = 5.0


@dataclass(frozen=True, slots=True)
class Wish:
    """What the person asked for."""

    site: Path
    scenario: str
    minutes: float
    speed: float
    seed: int
    http_port: int
    stays: bool
    out: Path | None


@dataclass(slots=True)
class Result:
    """What came of it; filled as it comes."""

    first_alert_s: float | None = None
    desks: dict[str, str] = field(default_factory=dict)
    incidents: dict[str, Any] = field(default_factory=lambda: {"type": "FeatureCollection", "features": []})
    sorties: list[dict[str, Any]] = field(default_factory=list)
    score: Score | None = None
    frames: int = 0
    reports: list[dict[str, Any]] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        """Return the one JSON value of the command."""
        score = self.score or Score((), (), (), 0)
        flown = [s for s in self.sorties if s["started_at"]]
        return {
            "sorties": {"flown": len(flown), "landed_at_dock": sum(map(landed_at_dock, flown))},
            "frames": self.frames,
            "incidents": [{"hazard": m.hazard, "error_m": m.error_m} for m in score.found],
            "missed": len(score.missed),
            "false": len(score.false),
            "decoys": score.decoys,
            "alerts_delivered": len(self.desks),
            "first_alert_s": self.first_alert_s,
            "reports": self.reports,
        }


def landed_at_dock(sortie: dict[str, Any]) -> bool:
    """Return whether a sortie ended on its own pad."""
    off_m = sortie.get("landed_from_dock_m")
    return sortie["landed_at"] is not None and off_m is not None and off_m <= LANDED_WITHIN_M
