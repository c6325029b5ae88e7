"""Mutes: an agency hears nothing of some hazards, at a place or everywhere, until a time. Pure.

Every mute has an owner, a reason and an end; none lasts longer than 30 days. A mute
silences the first telling alone: what was told before and gets worse is told. Known heat
that is masked is silent as long as it looks like itself: a fire beside a kiln is told.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from api.errors import BadRequest
from missions.geo import LatLon, distance_m
from missions.model import Hazard
from vision.calibration import GROWN

LONGEST = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Mute:
    """Silence about `hazards` within `radius_m` of a place, or on all the agency's ground.

    `largest_m2` is the size of a known source: what is `GROWN` times larger is not it.
    """

    agency: str
    hazards: frozenset[Hazard]
    begins_at: datetime
    ends_at: datetime
    place: LatLon | None = None
    radius_m: float | None = None
    largest_m2: float | None = None

    def covers(self, hazard: Hazard, place: LatLon, now: datetime, *, area_m2: float | None = None) -> bool:
        """Return whether nothing is said now of a hazard at a place, of that size where it is known."""
        if hazard not in self.hazards or not self.begins_at <= now < self.ends_at:
            return False
        if self.largest_m2 and area_m2 is not None and area_m2 > GROWN * self.largest_m2:
            return False
        if self.place is None or self.radius_m is None:
            return True
        return distance_m(self.place, place) <= self.radius_m


def check_length(begins_at: datetime, ends_at: datetime) -> None:
    """Return when a mute may last so long.

    Raises:
        BadRequest: it ends before it begins, or later than is allowed.
    """
    if ends_at <= begins_at:
        raise BadRequest("a mute ends after it begins")
    if ends_at - begins_at > LONGEST:
        raise BadRequest(f"a mute lasts {LONGEST.days} days at most: set it again when it has ended")
