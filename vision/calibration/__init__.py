"""What duty officers said of past alarms, turned into thresholds and known sources; every step can be undone.

`labels.py` keeps verdicts with their crops, `thresholds.py` and `sources.py` learn from them, `store.py`
keeps the versions, `Calibration` (below) is what an inspection applies.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from missions.geo import LatLon, distance_m
from missions.model import Hazard
from vision.model import Detection, Observation


@dataclass(frozen=True, slots=True)
class Source:
    """Known heat on the ground: whose it is, until when it counts, and how large it was when it was named.

    `hazard` is what it is mistaken for.
    """

    id: str
    hazard: Hazard
    place: LatLon
    radius_m: float
    kind: str
    owner: str
    expires_at: datetime
    largest_m2: float | None = None


@dataclass(frozen=True, slots=True)
class Calibration:
    """Thresholds by camera and hazard, and known sources; `version` 0 is the one that changes nothing."""

    version: int = 0
    thresholds: Mapping[tuple[str, Hazard], float] = field(default_factory=dict)
    sources: tuple[Source, ...] = ()

    def keeps(self, detection: Detection, camera: str) -> bool:
        """Return whether a detection is sure enough for its camera."""
        return detection.confidence >= self.thresholds.get((camera, detection.hazard), 0.0)

    def source_of(self, observation: Observation) -> Source | None:
        """Return the known source that explains an observation, None if nothing does.

        A fire beside a chimney is still a fire: what is `GROWN` times larger than the source ever was is not
        explained by it.
        """
        for source in self.sources:
            if source.hazard is not observation.hazard or observation.seen_at >= source.expires_at:
                continue
            if distance_m(source.place, observation.place) > source.radius_m:
                continue
            area, known = observation.area_m2, source.largest_m2
            if area is None or known is None or area <= GROWN * known:
                return source
        return None


GROWN = 3.0
"""How many times larger than when it was named a known source may be seen."""

NOTHING_LEARNT = Calibration()
