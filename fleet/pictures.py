"""Which planned picture is in which file (pure).

Each shot has one record a camera (thermal and RGB), told once by
CAMERA_IMAGE_CAPTURED; a lossy link loses some. Records are numbered per camera
from the moment it was switched on, so the first number of a sortie is what the
camera had counted before take-off. The place of each record proves the match:
where a camera missed a shot the numbers slide, the places do not.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from fleet.messages import PictureTaken
from missions.geo import LatLon, distance_m

# Flown through at speed with a consumer GPS: radius of the waypoint, drift, and a second of flight.
NEAR_M = 25.0


@dataclass(frozen=True, slots=True)
class Picture:
    """A record matched to its planned shot; `shot` is None where it fits none."""

    shot: int | None
    record: PictureTaken


def match(
    records: Mapping[int, PictureTaken], places: Mapping[int, LatLon], first_index: int | None
) -> dict[int, int]:
    """Return {image index: shot} for one camera's records of one sortie.

    `places` are where shots are planned. A record is the shot its number says
    if it was taken there, else the next later shot that was; shots and numbers
    rise together.
    """
    matched: dict[int, int] = {}
    shots = sorted(places)
    last_shot, last_index = -1, None
    for index in sorted(records):
        here = LatLon(records[index].lat_deg, records[index].lon_deg)
        guess = _guess(index, first_index, last_shot, last_index)
        later = [s for s in shots if s > last_shot]
        if guess is not None and guess in places and guess > last_shot:
            later = [guess, *later]
        shot = next((s for s in later if distance_m(here, places[s]) <= NEAR_M), None)
        if shot is not None:
            matched[index] = last_shot = shot
            last_index = index
    return matched


@dataclass(slots=True)
class PictureLedger:
    """All records of one sortie by camera, and what is still missing."""

    places: Mapping[int, LatLon]
    counted: dict[int, int] = field(default_factory=dict)  # camera -> pictures before take-off
    totals: dict[int, int] = field(default_factory=dict)  # camera -> pictures by its own last count
    settled: set[int] = field(default_factory=set)  # cameras that told their count after landing
    records: dict[int, dict[int, PictureTaken]] = field(default_factory=dict)
    shutters: set[int] = field(default_factory=set)  # the autopilot's own numbers, rising by one

    def add(self, record: PictureTaken) -> bool:
        """Take in a record; return whether it is a new one of this sortie."""
        if record.index < self.counted.get(record.component, 0):
            return False  # of an earlier flight, sent again
        known = self.records.setdefault(record.component, {})
        if record.index in known and (known[record.index].url or not record.url):
            return False
        known[record.index] = record
        return True

    @property
    def fired(self) -> int:
        """How often the autopilot fired the shutter, from the first time told to the last."""
        return max(self.shutters) - min(self.shutters) + 1 if self.shutters else 0

    def count(self, camera: int, count: int, *, before: bool = False, after: bool = False) -> None:
        """Note how many pictures a camera says it has taken, before take-off or after landing."""
        self.totals[camera] = count
        if before:
            self.counted[camera] = count
        if after:
            self.settled.add(camera)

    @property
    def taken(self) -> int:
        """How many planned pictures at least one camera took."""
        most = max((len(self.records.get(c, {})) + len(self.missing(c)) for c in self._cameras), default=0)
        return min(len(self.places), max(most, self.fired))

    @property
    def files_wanted(self) -> int:
        """How many files the cameras that were heard of should have given.

        A camera that told its count before take-off is owed one more until it
        has told it after landing, too: the last records may be the lost ones.
        """
        owed = len(self.counted.keys() - self.settled)
        return owed + sum(len(self.records.get(c, {})) + len(self.missing(c)) for c in self._cameras)

    @property
    def _cameras(self) -> set[int]:
        return self.records.keys() | self.counted.keys()

    def missing(self, camera: int) -> list[int]:
        """Return the image indexes a camera must have used but that were never told."""
        known = self.records.get(camera, {})
        first = self.counted.get(camera, min(known, default=0))
        end = max(self.totals.get(camera, 0), max(known, default=-1) + 1)
        return [i for i in range(first, end) if i not in known]

    def all_missing(self) -> list[tuple[int, int]]:
        """Return (camera, image index) of all records to be asked for again."""
        return [(c, i) for c in sorted(self._cameras) for i in self.missing(c)]

    def shot_of(self, record: PictureTaken) -> int | None:
        """Return the planned shot a record belongs to."""
        records = self.records.get(record.component, {})
        return match(records, self.places, self.counted.get(record.component)).get(record.index)


def _guess(index: int, first: int | None, last_shot: int, last_index: int | None) -> int | None:
    if last_index is not None:
        return last_shot + (index - last_index)
    return None if first is None else index - first
