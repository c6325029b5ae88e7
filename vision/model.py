"""The words of seeing: what is found in a picture, on the ground, and as one event."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from missions.geo import Area, LatLon
from missions.model import Hazard, Sensor

Reached = Mapping[str, str | Mapping[str, str]]
"""Something of the site's that a hazard has reached: its `kind`, its `id`, its `name` by language."""

Fact = (
    float
    | str
    | tuple[str, ...]
    | tuple[float, float, float]
    | tuple[Reached, ...]
    | Mapping[str, int | str]
    | None
)
"""What a detector can say besides place and size; three numbers are low, middle and high of 90 %."""


@dataclass(frozen=True, slots=True)
class Box:
    """A region of a picture in pixels; right and bottom are one past the last pixel."""

    left_px: float
    top_px: float
    right_px: float
    bottom_px: float

    @property
    def middle_px(self) -> tuple[float, float]:
        """The middle, x and y."""
        return (self.left_px + self.right_px) / 2, (self.top_px + self.bottom_px) / 2

    @property
    def area_px(self) -> float:
        """How many pixels it covers."""
        return (self.right_px - self.left_px) * (self.bottom_px - self.top_px)

    @property
    def outline_px(self) -> tuple[tuple[float, float], ...]:
        """Its closed ring of (x, y)."""
        left, top, right, bottom = self.left_px, self.top_px, self.right_px, self.bottom_px
        return (left, top), (right, top), (right, bottom), (left, bottom), (left, top)


@dataclass(frozen=True, slots=True)
class Detection:
    """A hazard seen in one picture. `outline_px` is a closed ring of (x, y), may be empty.

    `saturated` says that `temp_max_c` is the camera's limit: the truth is at least that. `kind` tells
    the hazard more closely ("smouldering"). `area_px` is how many pixels' worth of ground it covers, which
    for a source smaller than its pixels is a fraction; `power_w_per_m2` is radiative power for each square
    metre that a pixel covers. `sources` are the detectors whose word this is, where it is more than
    one's own: names and versions. `ground` is there when the detector itself laid the finding on the ground
    (on a chart, or registered to what was there before), `facts` what else it can say, by name and unit.
    `at` is there when the detector knows above which place it hangs: what is on a line lies not where its
    pixel's ray meets the ground.
    """

    hazard: Hazard
    confidence: float
    box: Box
    detector: str  # name and version, "thermal-contextual 1"
    sensor: Sensor
    temp_max_c: float | None = None
    background_c: float | None = None
    pixels: int = 0
    outline_px: tuple[tuple[float, float], ...] = ()
    saturated: bool = False
    kind: str = ""
    area_px: float | None = None
    power_w_per_m2: float | None = None
    sources: tuple[str, ...] = ()
    ground: Area | None = None
    facts: Mapping[str, Fact] = field(default_factory=dict)
    at: LatLon | None = None


@dataclass(frozen=True, slots=True)
class Ellipse:
    """Where the truth lies with 95 % probability: semi-axes in metres, true bearing of the major."""

    major_m: float
    minor_m: float
    bearing_deg: float


Shift = tuple[float, float]
"""How far a place moves, metres east and north."""


@dataclass(frozen=True, slots=True)
class Sight:
    """How a look's place answers to one deviation of each of its errors.

    `pose` are the camera's errors (east, north, up, heading, pitch, sideways tilt), of which
    `drift_share` of the variance is shared with looks of the same drone and forgotten over
    `drift_s`; `own` are this look's alone (pixel, clock); `ground` is the elevation model's,
    which every look at the same place shares.
    """

    pose: tuple[Shift, ...]
    own: tuple[Shift, ...]
    ground: Shift
    drift_share: float
    drift_s: float


@dataclass(frozen=True, slots=True)
class Observation:
    """A detection on the ground and in time; `kind`, `sources` and `facts` are the detection's.

    `sight` is there when we placed it ourselves; a place that somebody else told has only its ellipse.
    `power_w` is the radiative power of the whole source.
    """

    id: str
    hazard: Hazard
    confidence: float
    place: LatLon
    ellipse: Ellipse
    seen_at: datetime
    shot: str
    detector: str
    area_m2: float | None = None
    temp_max_c: float | None = None
    outline: Area | None = None
    drone: str = ""
    sortie: str = ""
    sight: Sight | None = None
    kind: str = ""
    sources: tuple[str, ...] = ()
    power_w: float | None = None
    facts: Mapping[str, Fact] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Look:
    """One look at an object: where it put it, when, in which picture, and what that place answers to.

    Looks with the same `track` share what drifts.
    """

    id: str
    place: LatLon
    seen_at: datetime
    sight: Sight
    track: str
    shot: str = ""


@dataclass(frozen=True, slots=True)
class Spot:
    """One source within an incident: its fused place, its size as a radius, the looks worth keeping."""

    place: LatLon
    ellipse: Ellipse
    radius_m: float
    seen_at: datetime
    looks: tuple[Look, ...] = ()


class IncidentState(StrEnum):
    """How an incident stands: seen, spreading, not seen again, over."""

    OPEN = "open"
    GROWING = "growing"
    FADING = "fading"
    CLOSED = "closed"

    @property
    def is_live(self) -> bool:
        """Whether what is seen there belongs to it."""
        return self is not IncidentState.CLOSED


@dataclass(frozen=True, slots=True)
class Incident:
    """Observations believed to be one event, best estimate of place and size first.

    `opened_at` is its first look, `seen_at` its latest: times of pictures, not of their analysis.
    `facts` are those of the look that shows it best, with what any look says that it reached.
    `spots` are the sources it is made of, one for a small fire and many for a fire line; `merged`
    the incidents that grew into it. `clean_miss` is the chance that every look since that found
    nothing there overlooked it (1 before the first), `looked_at` when the last of them was.
    """

    id: str
    hazard: Hazard
    place: LatLon
    ellipse: Ellipse
    confidence: float
    opened_at: datetime
    seen_at: datetime
    looks: int
    area_m2: float | None = None
    temp_max_c: float | None = None
    best_shot: str = ""
    best_confidence: float = 0.0
    observations: tuple[str, ...] = field(default_factory=tuple)
    state: IncidentState = IncidentState.OPEN
    spots: tuple[Spot, ...] = ()
    merged: tuple[str, ...] = ()
    base_area_m2: float | None = None
    base_at: datetime | None = None
    clean_miss: float = 1.0
    looked_at: datetime | None = None
    facts: Mapping[str, Fact] = field(default_factory=dict)
