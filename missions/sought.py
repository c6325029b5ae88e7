"""What a search looks for and how likely it finds it: the theory of search in numbers. Values only.

Koopman's: a camera that passes over ground finds what lies there within its sweep width W; effort over an
area A along a track L is the coverage C = W·L / A; strips whose places are not sure to fit find a thing that
lies there with 1 - e^(-C), the chance of a random search (Koopman 1980, *Search and Screening*, ch. 3;
IAMSAR manual vol. II, ch. 4), which even strips can only better. The chance to find it at all is that times
the chance that it is there: POS = POC · POD.
"""

import math
from dataclasses import dataclass

from missions.geo import LatLon

PERSON_M = 0.5
"""Shoulders, the shorter side of a person seen from above."""

PIXELS = 4
"""So many pixels must lie across what is sought; people were found as `RECALL` says with four to five."""

RECALL = 0.72
"""One look's chance to find a person: 118 of 164 in thermal pictures held out (`vision/models/warm.md`)."""

_RADIUS_95 = math.sqrt(5.991)


@dataclass(frozen=True, slots=True)
class Sought:
    """What is sought: how wide, with which chance one look finds it, and where it was seen last.

    With `last_seen` it lies within `within_m` of there with 95 %, spread as a round normal distribution.
    """

    wide_m: float = PERSON_M
    recall: float = RECALL
    last_seen: LatLon | None = None
    within_m: float = 1000.0

    def highest_m(self, focal_px: float) -> float:
        """Return from how high a camera still has `PIXELS` across it."""
        return self.wide_m / PIXELS * focal_px

    @property
    def sigma_m(self) -> float:
        """The deviation of where it lies, each way."""
        return self.within_m / _RADIUS_95


@dataclass(frozen=True, slots=True)
class Effort:
    """What a search lays over an area: strips, their length and how wide each finds things, in metres."""

    demand: str
    strips: int
    track_m: float
    sweep_m: float
    area_m2: float
    height_m: float
    inside: float | None = None

    @property
    def coverage(self) -> float:
        """Koopman's C."""
        return self.sweep_m * self.track_m / self.area_m2

    @property
    def detection(self) -> float:
        """The chance to find what lies in the area (POD)."""
        return -math.expm1(-self.coverage)

    @property
    def success(self) -> float | None:
        """The chance to find it at all (POS), None where nobody knows where it was last."""
        return None if self.inside is None else self.inside * self.detection


def sweep_m(swath_m: float, recall: float) -> float:
    """Return a strip's sweep width: a strip so wide that misses nothing in it finds as much."""
    return swath_m * recall
