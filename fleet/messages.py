"""What a vehicle and a ground station say to each other, free of wire words.

One frozen value per message we use; `fleet/wire.py` turns them into MAVLink and
back. Degrees, metres, seconds and percent throughout. The machines of this
package (transfer, commanding, sortie) take these in and give these out, so
they never see a socket or a packet.
"""

from dataclasses import dataclass
from enum import IntEnum, StrEnum


class Role(StrEnum):
    """What the sender of a heartbeat is."""

    VEHICLE = "vehicle"
    CAMERA = "camera"
    GROUND_STATION = "ground station"
    OTHER = "other"


class Firmware(StrEnum):
    """Which autopilot a vehicle runs."""

    ARDUPILOT = "ardupilot"
    PX4 = "px4"
    OTHER = "other"


class Verdict(IntEnum):
    """How a vehicle judges a mission message (MAV_MISSION_RESULT)."""

    ACCEPTED = 0
    ERROR = 1
    UNSUPPORTED_FRAME = 2
    UNSUPPORTED = 3
    NO_SPACE = 4
    INVALID = 5
    INVALID_PARAM1 = 6
    INVALID_PARAM2 = 7
    INVALID_PARAM3 = 8
    INVALID_PARAM4 = 9
    INVALID_LATITUDE = 10
    INVALID_LONGITUDE = 11
    INVALID_ALTITUDE = 12
    INVALID_SEQUENCE = 13
    DENIED = 14
    CANCELLED = 15

    @property
    def words(self) -> str:
        """The verdict as a person reads it."""
        return self.name.lower().replace("_", " ")


class Answer(IntEnum):
    """How a vehicle answers a command (MAV_RESULT)."""

    ACCEPTED = 0
    TEMPORARILY_REJECTED = 1
    DENIED = 2
    UNSUPPORTED = 3
    FAILED = 4
    IN_PROGRESS = 5
    CANCELLED = 6

    @property
    def words(self) -> str:
        """The answer as a person reads it."""
        return self.name.lower().replace("_", " ")


class ListKind(IntEnum):
    """Which of a vehicle's lists a transfer is about (MAV_MISSION_TYPE)."""

    MISSION = 0
    FENCE = 1
    RALLY = 2

    @property
    def words(self) -> str:
        """The list as a person reads it."""
        return ("mission", "fence", "list of rally points")[self]


class MissionState(IntEnum):
    """What a vehicle says about the mission on board."""

    UNKNOWN = 0
    NONE = 1
    NOT_STARTED = 2
    ACTIVE = 3
    PAUSED = 4
    COMPLETE = 5


@dataclass(frozen=True, slots=True)
class Item:
    """One item of a list with its place in it; heights in the item's own frame."""

    seq: int
    command: int
    frame: int
    params: tuple[float, float, float, float]
    lat_deg: float
    lon_deg: float
    altitude_m: float
    kind: ListKind = ListKind.MISSION


# --- from the vehicle -------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """Somebody is alive; mode and arming hold for vehicles only."""

    role: Role
    firmware: Firmware
    armed: bool
    mode: int


@dataclass(frozen=True, slots=True)
class Health:
    """The pre-arm verdict and the battery; None where the vehicle does not know."""

    ready_to_arm: bool | None
    battery_percent: float | None
    voltage_v: float | None


@dataclass(frozen=True, slots=True)
class Estimate:
    """Whether the position estimate may be flown on."""

    has_position: bool


@dataclass(frozen=True, slots=True)
class Fix:
    """What the satellite receiver has: 3 is a 3D fix, 5 and 6 are RTK."""

    kind: int
    satellites: int | None


@dataclass(frozen=True, slots=True)
class Motion:
    """Where the vehicle is and how it moves; `altitude_m` above mean sea level."""

    lat_deg: float
    lon_deg: float
    altitude_m: float
    above_home_m: float
    speed_m_s: float
    climb_m_s: float
    heading_deg: float | None


@dataclass(frozen=True, slots=True)
class Ground:
    """Whether the vehicle itself believes it stands on the ground; None: it does not say."""

    landed: bool | None


@dataclass(frozen=True, slots=True)
class Home:
    """The place the vehicle returns to."""

    lat_deg: float
    lon_deg: float
    altitude_m: float


@dataclass(frozen=True, slots=True)
class Said:
    """A sentence of the vehicle; severity 0 emergency … 7 debug."""

    severity: int
    text: str


@dataclass(frozen=True, slots=True)
class CommandAnswer:
    """The vehicle's answer to a command: taken, not done."""

    command: int
    answer: Answer


@dataclass(frozen=True, slots=True)
class Progress:
    """Where in the mission the vehicle is; `seq` counts home where the autopilot has it.

    `ids` are the opaque ids of mission, fence and rally points, 0 where the autopilot tells none.
    """

    seq: int
    state: MissionState
    ids: tuple[int, int, int] = (0, 0, 0)


@dataclass(frozen=True, slots=True)
class Reached:
    """All items up to this one are done."""

    seq: int


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter as the vehicle holds it."""

    name: str
    value: float
    kind: int


@dataclass(frozen=True, slots=True)
class ShutterFired:
    """The autopilot fired the camera, told once and not attributed to an item."""

    index: int
    lat_deg: float
    lon_deg: float


@dataclass(frozen=True, slots=True)
class PictureTaken:
    """A camera's own record of one picture; component tells the camera.

    Angles are those of the picture: the bearing of its optical axis (of its top
    edge when it looks straight down), None when the camera does not say.
    `taken_us` is microseconds since 1970 in UTC, 0 when unknown.
    """

    component: int
    index: int
    taken_us: int
    lat_deg: float
    lon_deg: float
    altitude_m: float
    heading_deg: float | None
    pitch_deg: float | None
    roll_deg: float | None
    good: bool
    url: str


@dataclass(frozen=True, slots=True)
class CameraCount:
    """How many pictures a camera has taken since it was switched on."""

    component: int
    count: int


@dataclass(frozen=True, slots=True)
class Abilities:
    """What an autopilot says it can do (AUTOPILOT_VERSION).

    `identity` is the board's own number, the same on every link; "" where it tells none.
    """

    has_files: bool
    has_fence: bool
    has_rally: bool
    identity: str = ""

    @property
    def lists(self) -> tuple["ListKind", ...]:
        """The lists it keeps beside its mission."""
        kept = ((self.has_fence, ListKind.FENCE), (self.has_rally, ListKind.RALLY))
        return tuple(kind for has, kind in kept if has)


@dataclass(frozen=True, slots=True)
class GroundWanted:
    """The vehicle lacks heights of the ground: a corner, the grid's step and a bit for each block."""

    lat_deg: float
    lon_deg: float
    spacing_m: int
    mask: int


# --- list transfer, either way ----------------------------------------------


@dataclass(frozen=True, slots=True)
class ItemCount:
    """How many items a list has; `opaque_id` tells which list it is, 0 where the autopilot has no ids."""

    count: int
    kind: ListKind = ListKind.MISSION
    opaque_id: int = 0


@dataclass(frozen=True, slots=True)
class PartOffer:
    """The items from `first` to `last`, both included, shall be replaced."""

    first: int
    last: int
    kind: ListKind = ListKind.MISSION


@dataclass(frozen=True, slots=True)
class ItemWanted:
    """The item of this number is asked for."""

    seq: int
    kind: ListKind = ListKind.MISSION


@dataclass(frozen=True, slots=True)
class ListWanted:
    """The list on board is asked for: the answer is its count."""

    kind: ListKind = ListKind.MISSION


@dataclass(frozen=True, slots=True)
class ClearWanted:
    """The list on board shall be deleted."""

    kind: ListKind = ListKind.MISSION


@dataclass(frozen=True, slots=True)
class MissionVerdict:
    """The end of a transfer, or a complaint in the middle of it."""

    verdict: Verdict
    kind: ListKind = ListKind.MISSION
    opaque_id: int = 0


@dataclass(frozen=True, slots=True)
class FileMessage:
    """One message of MAVLink FTP either way, its payload as `fleet/ftp.py` reads it."""

    payload: bytes


# --- from the ground station ------------------------------------------------


@dataclass(frozen=True, slots=True)
class Alive:
    """The ground station's own heartbeat."""


@dataclass(frozen=True, slots=True)
class Command:
    """An order by number with seven parameters; `component` 1 is the autopilot.

    With a `frame` the fifth and sixth are degrees and go out whole (COMMAND_INT), to the centimetre.
    """

    number: int
    params: tuple[float, float, float, float, float, float, float] = (0.0,) * 7
    component: int = 1
    attempt: int = 0
    frame: int | None = None


@dataclass(frozen=True, slots=True)
class ParameterWanted:
    """The value of a parameter is asked for."""

    name: str


@dataclass(frozen=True, slots=True)
class ParameterSet:
    """A parameter shall have this value."""

    name: str
    value: float
    kind: int


@dataclass(frozen=True, slots=True)
class GroundBlock:
    """Sixteen heights of the ground above mean sea level, four to the east, four times to the north."""

    lat_deg: float
    lon_deg: float
    spacing_m: int
    bit: int
    heights_m: tuple[int, ...]


@dataclass(frozen=True, slots=True, repr=False)
class KeySetup:
    """A signing key for the vehicle, all zeros to stop signing; never shown, never recorded."""

    key: bytes
    timestamp: int


Transfer = Item | ItemCount | PartOffer | ItemWanted | ListWanted | ClearWanted | MissionVerdict | FileMessage
Outgoing = Transfer | Alive | Command | ParameterWanted | ParameterSet | KeySetup | GroundBlock
Incoming = (
    Transfer
    | Abilities
    | GroundWanted
    | Heartbeat
    | Health
    | Estimate
    | Fix
    | Motion
    | Ground
    | Home
    | Said
    | CommandAnswer
    | Progress
    | Reached
    | Parameter
    | ShutterFired
    | PictureTaken
    | CameraCount
)


@dataclass(frozen=True, slots=True)
class Heard:
    """A message together with who sent it on which link."""

    link: str
    system: int
    component: int
    message: Incoming
