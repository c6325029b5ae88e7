"""The words of witnesses: what somebody else than our own drones says is there.

A sighting is one such word, with its own error and with the class of witness it is from. Two
sightings of one class may repeat each other's mistake; two of different classes do not (see
`vision.witnesses.agreement`). Readers turn files into sightings and change nothing else.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from missions.geo import Area, LatLon
from missions.model import Hazard, Severity
from vision.model import Ellipse


class Witness(StrEnum):
    """A class of witnesses that err together; witnesses of different classes err independently."""

    DRONE = "drone"
    SATELLITE = "satellite"
    RANGER = "ranger"
    RESIDENT = "resident"
    GAUGE = "gauge"
    CAMERA = "camera"

    @property
    def asks_for_a_look(self) -> bool:
        """Whether a drone should see for itself before people are sent."""
        return self in (Witness.SATELLITE, Witness.RESIDENT, Witness.CAMERA)


@dataclass(frozen=True, slots=True)
class Sighting:
    """One word of one witness.

    `id` follows from what the source itself calls it, so that the same word read twice is one.
    `facts` are the source's own values, as plain JSON. `masked` says why it must open nothing;
    `severity` is the least the incident is worth because of it; `notes` name each repair.
    """

    id: str
    witness: Witness
    source: str
    hazard: Hazard
    confidence: float
    place: LatLon
    ellipse: Ellipse
    seen_at: datetime
    facts: Mapping[str, Any] = field(default_factory=dict)
    outline: Area | None = None
    severity: Severity | None = None
    masked: str | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Refused:
    """A row that could not be used, where it stands and why."""

    line: int
    reason: str


@dataclass(frozen=True, slots=True)
class Read:
    """What a file said: `rows` in all, sightings, rows that name no hazard, and rows refused."""

    rows: int
    sightings: tuple[Sighting, ...]
    quiet: int = 0
    refused: tuple[Refused, ...] = ()
