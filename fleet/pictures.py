"""Which planned picture is in which file (pure).

Each shot has one record a camera (thermal and RGB), told once by
CAMERA_IMAGE_CAPTURED; a lossy link loses some. Records are numbered per camera
from the moment it was switched on, so the first number of a sortie is what the
camera had counted before take-off. The place of each record proves the match:
where a camera missed a shot the numbers slide, the places do not.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from fleet.messages import PictureTaken, ShutterFired
from missions.geo import LatLon, distance_m

# Flown through at speed with a consumer GPS: radius of the waypoint, drift, and a second of flight.
NEAR_M = 25.0

AUTOPILOT = 1  # its component, beside those of the cameras: it counts how often it fired them


Aside = Sequence[tuple[int, int]]
"""First and last numbers of pictures that were taken of something else than planned."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A record matched to its planned shot; `shot` is None where it fits none."""

    shot: int | None
    record: PictureTaken


def match(
    records: Mapping[int, PictureTaken | ShutterFired],
    places: Mapping[int, LatLon],
    first_index: int | None,
    aside: Aside = (),
) -> dict[int, int]:
    """Return {image index: shot} for one camera's records of one sortie.

    `places` are where shots are planned; their numbers rise, with gaps where a
    sortie flies the rest of another. A record is the shot its number says if it
    was taken there, else the next later shot that was; shots and numbers rise together. Numbers `aside` are
    of no shot, and behind them a number says nothing: the nearest shot does.
    """
    matched: dict[int, int] = {}
    shots = sorted(places)
    last_rank, last_index = -1, None
    for index in sorted(records):
        if _is_in(index, aside):
            continue
        here = LatLon(records[index].lat_deg, records[index].lon_deg)
        guess = _guess(index, first_index, last_rank, last_index)
        later = list(range(last_rank + 1, len(shots)))
        if guess is not None and last_rank < guess < len(shots):
            later = [guess, *later]
        if any((last_index is None or last_index < first) and last < index for first, last in aside):
            later = sorted(range(last_rank + 1, len(shots)), key=lambda r: distance_m(here, places[shots[r]]))
        rank = next((r for r in later if distance_m(here, places[shots[r]]) <= NEAR_M), None)
        if rank is not None:
            matched[index] = shots[rank]
            last_rank, last_index = rank, index
    return matched


@dataclass(slots=True)
class PictureLedger:
    """All records of one sortie by camera, and what is still missing."""

    places: Mapping[int, LatLon]
    counted: dict[int, int] = field(default_factory=dict)  # camera -> pictures before take-off
    totals: dict[int, int] = field(default_factory=dict)  # camera -> pictures by its own last count
    settled: set[int] = field(default_factory=set)  # cameras that told their count after landing
    records: dict[int, dict[int, PictureTaken]] = field(default_factory=dict)
    shutters: dict[int, ShutterFired] = field(default_factory=dict)  # by the autopilot's own numbers
    aside: dict[int, dict[int, tuple[int, int]]] = field(default_factory=dict)  # camera -> time -> numbers

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
        """How often the autopilot fired the shutter, by its own numbers and its own count."""
        first = self._first_fired
        last = max(self.totals.get(AUTOPILOT, 0), max(self.shutters, default=0))
        return 0 if first is None else max(0, last - first + 1)

    @property
    def _first_fired(self) -> int | None:
        """The number of the autopilot's first picture of this sortie, if it is known."""
        if AUTOPILOT in self.counted:
            return self.counted[AUTOPILOT] + 1
        return min(self.shutters, default=None)

    def note_shutter(self, fired: ShutterFired) -> None:
        """Take in that the autopilot fired the camera."""
        self.shutters[fired.index] = fired

    def set_aside(self, camera: int, index: int, time: int) -> None:
        """Note that a picture shows something else than planned; `time` counts the times that happened.

        Whatever a camera took between two such pictures of one time is set aside with them.
        """
        times = self.aside.setdefault(camera, {})
        first, last = times.get(time, (index, index))
        times[time] = (min(first, index), max(last, index))

    def _aside(self, camera: int) -> Aside:
        return tuple(self.aside.get(camera, {}).values())

    def _set_aside(self, camera: int) -> int:
        return sum(last - first + 1 for first, last in self._aside(camera))

    @property
    def proven(self) -> frozenset[int]:
        """The shots of which every camera told a record; without cameras, those the autopilot fired for.

        What only one of two cameras took is not proven: it is flown again, rather
        than missed by the other.
        """
        cameras = self._cameras
        if not cameras:
            return self._fired_for()
        return frozenset.intersection(*(frozenset(self._matched(c).values()) for c in cameras))

    def _matched(self, camera: int) -> dict[int, int]:
        return match(self.records.get(camera, {}), self.places, self.counted.get(camera), self._aside(camera))

    def _fired_for(self) -> frozenset[int]:
        """Return the shots the shutter was told for, and those that must lie between two of them."""
        first, fired = self._first_fired, self.fired
        if first is None:
            return frozenset()
        shots = sorted(self.places)
        aside = self._aside(AUTOPILOT)
        if fired == len(shots) and not aside:
            return frozenset(shots)
        matched = match(self.shutters, self.places, first, aside)
        proven: set[int] = set(matched.values())
        known = [(first - 1, -1), *((n, shots.index(s)) for n, s in sorted(matched.items()))]
        for (number, rank), (later, later_rank) in pairwise(known):
            if later - number == later_rank - rank:
                proven.update(shots[rank + 1 : later_rank])
        return frozenset(proven)

    def count(self, camera: int, count: int, *, before: bool = False, after: bool = False) -> None:
        """Note how many pictures a camera says it has taken, before take-off or after landing."""
        if not 0 <= count < 10**7:
            return  # no camera lasts so long
        self.totals[camera] = count
        if before:
            self.counted[camera] = count
        if after:
            self.settled.add(camera)

    @property
    def taken(self) -> int:
        """How many planned pictures at least one camera took."""
        most = max(
            (len(self.records.get(c, {})) + len(self.missing(c)) - self._set_aside(c) for c in self._cameras),
            default=0,
        )
        return min(len(self.places), max(most, self.fired - self._set_aside(AUTOPILOT)))

    @property
    def files_wanted(self) -> int:
        """How many files the cameras that were heard of should have given.

        A camera that told its count before take-off is owed one more until it
        has told it after landing, too: the last records may be the lost ones.
        """
        owed = len(self.counted.keys() - self.settled - {AUTOPILOT})
        return owed + sum(len(self.records.get(c, {})) + len(self.missing(c)) for c in self._cameras)

    @property
    def _cameras(self) -> set[int]:
        return (self.records.keys() | self.counted.keys()) - {AUTOPILOT}

    def missing(self, camera: int) -> list[int]:
        """Return the image indexes a camera must have used but that were never told."""
        known = self.records.get(camera, {})
        first = self.counted.get(camera, min(known, default=0))
        ends = self.totals.get(camera, 0), *(i + 1 for i in known)
        most = first + len(self.places) + 2000  # no battery lasts for more: a number beyond says nothing
        end = max((e for e in ends if e <= most), default=0)
        return [i for i in range(first, end) if i not in known]

    def all_missing(self) -> list[tuple[int, int]]:
        """Return (camera, image index) of all records to be asked for again."""
        return [(c, i) for c in sorted(self._cameras) for i in self.missing(c)]

    def shot_of(self, record: PictureTaken) -> int | None:
        """Return the planned shot a record belongs to."""
        return self._matched(record.component).get(record.index)


def _guess(index: int, first: int | None, last_rank: int, last_index: int | None) -> int | None:
    if last_index is not None:
        return last_rank + (index - last_index)
    return None if first is None else index - first


def _is_in(index: int, aside: Aside) -> bool:
    return any(first <= index <= last for first, last in aside)
