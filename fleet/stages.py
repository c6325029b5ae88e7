"""The words of a sortie under way: its stages, what it waits for, what it sees and asks (pure)."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any

from fleet.autopilots import Flying, Step
from fleet.docks import DockAction, DockState
from fleet.parameters import ProfileResult
from fleet.transfer import UploadResult
from fleet.vehicle import VehicleState
from missions.geo import LatLon


class Stage(StrEnum):
    """Where a sortie is; the table is in the docstring of `fleet/sortie.py`."""

    PREFLIGHT = "preflight"
    CHARGING = "charging"
    DOOR = "door"
    PROFILE = "profile"
    UPLOAD = "upload"
    ARMING = "arming"
    STARTING = "starting"
    FLYING = "flying"
    RETURNING = "returning"
    DIVERTING = "diverting"
    LANDING = "landing"
    CLOSING = "closing"
    COLLECTING = "collecting"
    ABORTING = "aborting"
    DONE = "done"
    FAILED = "failed"

    @property
    def is_over(self) -> bool:
        """Whether nothing more will happen."""
        return self in (Stage.DONE, Stage.FAILED)

    @property
    def may_be_airborne(self) -> bool:
        """Whether a drone may be in the air in it."""
        return self in (Stage.STARTING, Stage.FLYING, Stage.RETURNING, Stage.DIVERTING, Stage.LANDING)


class Wish(StrEnum):
    """What a person may ask of a sortie under way."""

    RECALL = "recall"
    PAUSE = "pause"
    RESUME = "resume"
    DIVERT = "divert"  # land at another dock or rally point of the order
    ABORT = "abort"  # come down where it is


class Leg(StrEnum):
    """Which part of what is on board a vehicle flies."""

    OUT = "out"
    HOME = "home"  # the way home at the mission's end
    ELSEWHERE = "elsewhere"  # the way to a landing


class Need(StrEnum):
    """What the machine asks of those around it, besides the vehicle and the dock."""

    CHECK_PROFILE = "check the parameters"
    UPLOAD = "upload the mission"
    CLEAR = "clear the mission"
    CLOSE_HOME = "close the door of the dock left behind"


@dataclass(frozen=True, slots=True)
class Divert:
    """Fly to one of the order's landings and land there."""

    landing: str


@dataclass(frozen=True, slots=True)
class LookAt:
    """Turn the camera to a place on the ground, `ground_m` above sea level, and perhaps take a picture."""

    place: LatLon
    ground_m: float
    shoots: bool


@dataclass(frozen=True, slots=True)
class LookAhead:
    """Turn the camera back to where the mission wants it."""


@dataclass(frozen=True, slots=True)
class Report:
    """A step of the sortie with its evidence, to be journalled and told."""

    state: str
    evidence: str


@dataclass(frozen=True, slots=True)
class Wait:
    """What is waited for, how long that usually takes and how long it may take."""

    text: str
    usually_s: float
    limit_s: float
    again_s: float = 5.0


@dataclass(frozen=True, slots=True)
class Memory:
    """What a machine must not forget when its process is killed.

    `recalled` and `down` are why it was called home or down, `landing` where it
    was diverted to, `wishes` what was promised to people and not yet begun, `follows` that the camera
    looks at something else than planned, `armed` that it was when it was last heard.
    """

    recalled: str | None = None
    landing: str | None = None
    down: str | None = None
    paused: bool = False
    failure: str | None = None
    follows: bool = False
    wishes: tuple[tuple[Wish, str], ...] = ()
    armed: bool = False

    def to_json(self) -> dict[str, Any]:
        """Return it as plain JSON values."""
        return asdict(self)

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> "Memory":
        """Return what `to_json` gave."""
        wishes = tuple((Wish(wish), str(to)) for wish, to in value.get("wishes", ()))
        return cls(**{**value, "wishes": wishes})


@dataclass(frozen=True, slots=True)
class Sight:
    """What the machine sees at one moment; `dock` is the one it wants to land in."""

    vehicle: VehicleState | None
    flying: Flying = Flying.OTHER
    mode: str = "unknown"
    leg: Leg | None = None
    blind: bool = False  # over no-photo ground
    dock: DockState | None = None
    profile: ProfileResult | None = None
    upload: UploadResult | None = None
    refusals: Mapping[Step, str] = field(default_factory=dict)
    dock_refusal: str | None = None
    uncounted: int = 0  # cameras that have not told how many pictures they had taken before take-off
    taken: int = 0
    files: int = 0
    files_wanted: int = 0


Action = Step | DockAction | Need | Divert | LookAt | LookAhead | Report

WAITS = {
    Stage.PREFLIGHT: Wait("the drone to be ready", 45, 180),
    Stage.CHARGING: Wait("the battery to be charged", 1800, 7200, again_s=60),
    Stage.DOOR: Wait("the dock's door to open", 20, 90, again_s=30),
    Stage.PROFILE: Wait("the parameters to be checked", 2, 60, again_s=120),
    Stage.UPLOAD: Wait("the mission to be uploaded and read back", 15, 600, again_s=900),
    Stage.ARMING: Wait("the drone to arm", 3, 90, again_s=4),
    Stage.STARTING: Wait("the drone to take off", 8, 60, again_s=3),
    Stage.RETURNING: Wait("the drone to come home and land", 120, 1200, again_s=30),
    Stage.DIVERTING: Wait("the drone to land at its alternate", 180, 900, again_s=5),
    Stage.LANDING: Wait("the drone to come down where it is", 60, 600, again_s=5),
    Stage.CLOSING: Wait("the dock's door to close", 20, 90, again_s=30),
    Stage.ABORTING: Wait("the drone to be disarmed and the door to close", 20, 120, again_s=5),
}
