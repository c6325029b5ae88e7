"""The words all packages share: who asks, what must be seen, what flies, what it sees with.

Values only. A demand is what an agency asks for; a task is one look, or one
strip of looks, that serves one demand or several; a sortie is one flight; a
plan is the sorties chosen together with what could not be served and why.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from missions.air import Aloft as Aloft
from missions.air import NoFly as NoFly
from missions.air import NoPhoto as NoPhoto
from missions.air import Obstacle as Obstacle
from missions.air import Wind as Wind
from missions.cameras import Camera as Camera
from missions.cameras import CameraPose as CameraPose
from missions.cameras import PoseError as PoseError
from missions.cameras import Sensor as Sensor
from missions.cameras import Shot as Shot
from missions.duty import Channel, Member, Shift
from missions.geo import Altitude, Area, Corridor, LatLon
from missions.layers import NamedArea as NamedArea
from missions.layers import PowerLine as PowerLine
from missions.layers import ReferenceLayers as ReferenceLayers
from missions.layers import River as River
from missions.layers import Road as Road
from missions.sought import Sought as Sought
from missions.view import PLAIN, View


class Hazard(StrEnum):
    """What is looked for (DESIGN section 9)."""

    FIRE = "fire"
    SMOKE = "smoke"
    HOT_SPOT = "hot_spot"
    HOT_JOINT = "hot_joint"
    BURNING = "burning"
    FLOOD = "flood"
    LOGGING = "logging"
    DISCHARGE = "discharge"
    LINE_CLEARANCE = "line_clearance"
    FOREIGN_OBJECT = "foreign_object"
    INTRUSION = "intrusion"
    PERSON = "person"
    WILDLIFE = "wildlife"
    TREE_HEALTH = "tree_health"


class Severity(StrEnum):
    """How bad it is, worst first."""

    RED = "red"
    ORANGE = "orange"
    YELLOW = "yellow"
    BLUE = "blue"

    @property
    def rank(self) -> int:
        """4 for red down to 1 for blue."""
        return _RANKS[self]

    def reaches(self, floor: "Severity") -> bool:
        """Return whether this is at least as bad as the floor."""
        return self.rank >= floor.rank


_RANKS = {severity: 4 - place for place, severity in enumerate(Severity)}


@dataclass(frozen=True, slots=True)
class DroneModel:
    """A type of drone: how it flies, what it burns, what it sees with.

    Powers are electrical watts in still air; `reserve` is the share of the
    battery that must be left on landing, `health` the share that an aged battery
    still holds. `accel_m_s2` and `jerk_m_s3` are how hard and how suddenly it speeds
    up along a leg (ArduCopter's own as it comes).
    """

    name: str
    cruise_m_s: float
    climb_m_s: float
    descent_m_s: float
    battery_wh: float
    hover_w: float
    climb_w: float
    cruise_w: float
    descent_w: float
    reserve: float
    max_wind_m_s: float
    cameras: tuple[Camera, ...]
    accel_m_s2: float = 2.5
    jerk_m_s3: float = 1.0
    health: float = 1.0

    def camera(self, sensor: Sensor) -> Camera | None:
        """Return the camera with this sensor, or None."""
        return next((c for c in self.cameras if c.sensor is sensor), None)


@dataclass(frozen=True, slots=True)
class Drone:
    """One aircraft we own. `system_id` is its MAVLink id.

    serial: the maker's number; clock: what its camera's clock is set by (satellite, network, hand).
    """

    id: str
    model: str
    dock: str
    system_id: int
    serial: str | None = None
    clock: str | None = None


@dataclass(frozen=True, slots=True)
class Dock:
    """A box on a grid asset; `elevation_m` is its pad above mean sea level."""

    id: str
    name: Mapping[str, str]
    place: LatLon
    elevation_m: float
    charge_s: float
    max_wind_m_s: float
    serial: str | None = None


LEAST_CONFIDENCE = 0.5
"""Below this an agency is not told unless it asks for less; a person looks at it when there is time."""


@dataclass(frozen=True, slots=True)
class Subscription:
    """Which hazards one agency wants to hear of, from which severity and which confidence on."""

    hazards: frozenset[Hazard]
    floor: Severity
    confidence: float = LEAST_CONFIDENCE


@dataclass(frozen=True, slots=True)
class Agency:
    """Who is told. `jurisdiction` is its ground; names by language ("en-US", "zh-CN").

    `channels` are the agency's own, tried in their order before anybody on call; `quiet_hours` are
    seconds after the site's midnight in which only red alerts call people. `exact_places` are hazards whose
    places others are told only roughly.
    """

    id: str
    name: Mapping[str, str]
    language: str
    jurisdiction: tuple[Area, ...]
    subscriptions: tuple[Subscription, ...]
    channels: tuple[Channel, ...] = (Channel("webhook"),)
    members: tuple[Member, ...] = ()
    shifts: tuple[Shift, ...] = ()
    quiet_hours: tuple[float, float] | None = None
    exact_places: frozenset[Hazard] = frozenset()


class Shared(StrEnum):
    """What one agency may let another see of its own."""

    INCIDENTS = "incidents"
    PICTURES = "pictures"
    ORDERS = "orders"


@dataclass(frozen=True, slots=True)
class Sharing:
    """What agency `giver` lets agency `taker` see: these things of these hazards from a severity on."""

    giver: str
    taker: str
    hazards: frozenset[Hazard]
    floor: Severity
    what: frozenset[Shared]


@dataclass(frozen=True, slots=True)
class Demand:
    """What one agency asks to be watched.

    `where` is a point, a corridor or an area; `height_m` above the ground;
    `revisit_s` the longest time between two looks; `window` the hours of the
    site's day in which a look counts, as seconds after local midnight. What is a
    `must` is left out only where it cannot be flown; `worth_s` is how much flying
    the rest may take at most before it is left out, None for as much as there is. With `sought` an area
    is searched, from no higher than shows it.
    """

    id: str
    agency: str
    hazards: frozenset[Hazard]
    where: LatLon | Corridor | Area
    sensors: frozenset[Sensor]
    height_m: float
    revisit_s: float
    priority: int = 1
    window: tuple[float, float] | None = None
    must: bool = False
    worth_s: float | None = None
    view: View = PLAIN
    sought: Sought | None = None


class TaskKind(StrEnum):
    """How a task is flown."""

    POINT = "point"  # fly there, look once
    STRIP = "strip"  # fly along, look every few metres; either direction


@dataclass(frozen=True, slots=True)
class Look:
    """One planned picture: where the drone is, how it looks, for which demands.

    `heading_deg` is the true bearing the camera looks along, None for that of the
    way flown; the drone hovers for `dwell_s`.
    """

    place: LatLon
    altitude: Altitude
    pitch_deg: float
    demands: tuple[str, ...]
    heading_deg: float | None = None
    dwell_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Task:
    """Looks that are flown together, with every demand and agency they serve.

    `looks` has one entry for a point and, for a strip, the pictures in flying
    order; a strip may be flown from either end. `prize` is what it is worth beside
    others when not all can be flown; a `must` goes before all that are not; `worth_s`
    is the most flying that it may take, None for any; `revisit_s` the tightest asked for.
    """

    id: str
    kind: TaskKind
    looks: tuple[Look, ...]
    sensors: frozenset[Sensor]
    demands: tuple[str, ...]
    agencies: tuple[str, ...]
    prize: int = 1
    must: bool = False
    worth_s: float | None = None
    revisit_s: float | None = None

    @property
    def is_shared(self) -> bool:
        """Whether one flight over it serves more than one agency."""
        return len(self.agencies) > 1


@dataclass(frozen=True, slots=True)
class Waypoint:
    """A place a sortie passes, and whether a picture is taken there.

    `altitude` is above mean sea level; `above_dock_m` the same height above
    the dock the sortie starts from, which is what the autopilot is told. On the way
    from it to the next the camera is off where `is_blind`. Heading and dwell as a `Look`'s.
    """

    place: LatLon
    altitude: Altitude
    above_dock_m: float
    speed_m_s: float
    pitch_deg: float
    shoots: bool
    task: str | None = None
    agencies: tuple[str, ...] = ()
    heading_deg: float | None = None
    dwell_s: float = 0.0
    is_blind: bool = False


@dataclass(frozen=True, slots=True)
class Sortie:
    """One flight from take-off to landing. `reserve_min` is hover time left on landing.

    Time and energy are those of the wind expected; `worst_s` and `worst_wh` those of the
    worst that the forecast has on each leg. `spare_wh` is what would be left above the
    reserve if it broke off where that is dearest, in that wind, and flew to a dock.
    `end` is the dock it lands at when that is another than `dock`.
    """

    id: str
    dock: str
    model: str
    waypoints: tuple[Waypoint, ...]
    tasks: tuple[str, ...]
    agencies: tuple[str, ...]
    flight_s: float
    energy_wh: float
    reserve_min: float
    worst_s: float = 0.0
    worst_wh: float = 0.0
    spare_wh: float = 0.0
    end: str = ""

    @property
    def lands_at(self) -> str:
        """The dock it lands at."""
        return self.end or self.dock

    @property
    def needs_wh(self) -> float:
        """The energy it takes in the worst wind of the forecast."""
        return max(self.energy_wh, self.worst_wh)

    @property
    def shots(self) -> tuple[Waypoint, ...]:
        """The waypoints at which a picture is planned, in flying order."""
        return tuple(w for w in self.waypoints if w.shoots)


@dataclass(frozen=True, slots=True)
class Unserved:
    """A demand that no sortie serves, or serves only in part, with why and what would help."""

    demand: str
    reason: str
    would_help: str


@dataclass(frozen=True, slots=True)
class Slot:
    """One sortie in the timetable, in seconds after local midnight."""

    sortie: str
    drone: str
    starts_s: float
    lands_s: float
    ready_s: float


@dataclass(frozen=True, slots=True)
class Plan:
    """Sorties chosen together for one site, when they fly (where that was planned), and what is left out."""

    site: str
    seed: int
    sorties: tuple[Sortie, ...]
    tasks: tuple[Task, ...]
    unserved: tuple[Unserved, ...]
    saving: float | None = None
    slots: tuple[Slot, ...] = ()

    @property
    def flight_s(self) -> float:
        return sum(s.flight_s for s in self.sorties)

    @property
    def energy_wh(self) -> float:
        return sum(s.energy_wh for s in self.sorties)

    @property
    def shared_tasks(self) -> int:
        """How many flown tasks serve more than one agency."""
        flown = {t for s in self.sorties for t in s.tasks}
        return sum(t.is_shared for t in self.tasks if t.id in flown)


@dataclass(frozen=True, slots=True)
class Site:
    """Everything a site file says, checked.

    `terrain` is the path of the elevation model (heights above EGM96 sea level);
    `forecast` are winds that may blow beside the one expected.
    """

    id: str
    name: Mapping[str, str]
    timezone: str
    terrain: str
    origin: LatLon
    docks: tuple[Dock, ...]
    drones: tuple[Drone, ...]
    models: tuple[DroneModel, ...]
    agencies: tuple[Agency, ...]
    demands: tuple[Demand, ...]
    no_fly: tuple[NoFly, ...]
    layers: ReferenceLayers
    wind: Wind
    sharing: tuple[Sharing, ...] = ()
    forecast: tuple[Wind, ...] = ()
    no_photo: tuple[NoPhoto, ...] = ()
    obstacles: tuple[Obstacle, ...] = ()

    @property
    def winds(self) -> tuple[Wind, ...]:
        """The wind expected, and what else it may become."""
        return (self.wind, *self.forecast)

    def dock(self, dock_id: str) -> Dock:
        return next(d for d in self.docks if d.id == dock_id)

    def model(self, name: str) -> DroneModel:
        return next(m for m in self.models if m.name == name)

    def agency(self, agency_id: str) -> Agency:
        return next(a for a in self.agencies if a.id == agency_id)
