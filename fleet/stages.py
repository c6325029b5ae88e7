"""The words of a sortie under way: its stages, what it waits for, what it sees and asks (pure)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from fleet.autopilots import Flying, Step
from fleet.docks import DockAction, DockState
from fleet.parameters import ProfileResult
from fleet.transfer import UploadResult
from fleet.vehicle import VehicleState


class Stage(StrEnum):
    """Where a sortie is; the table is in the module's docstring."""

    PREFLIGHT = "preflight"
    CHARGING = "charging"
    DOOR = "door"
    PROFILE = "profile"
    UPLOAD = "upload"
    ARMING = "arming"
    STARTING = "starting"
    FLYING = "flying"
    RETURNING = "returning"
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
        return self in (Stage.STARTING, Stage.FLYING, Stage.RETURNING)


class Wish(StrEnum):
    """What a person may ask of a sortie under way."""

    RECALL = "recall"
    PAUSE = "pause"
    RESUME = "resume"


class Need(StrEnum):
    """What the machine asks of those around it, besides the vehicle and the dock."""

    CHECK_PROFILE = "check the parameters"
    UPLOAD = "upload the mission"
    CLEAR = "clear the mission"


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
class Sight:
    """What the machine sees at one moment."""

    vehicle: VehicleState | None
    flying: Flying = Flying.OTHER
    mode: str = "unknown"
    dock: DockState | None = None
    profile: ProfileResult | None = None
    upload: UploadResult | None = None
    refusals: Mapping[Step, str] = field(default_factory=dict)
    dock_refusal: str | None = None
    taken: int = 0
    files: int = 0
    files_wanted: int = 0


Action = Step | DockAction | Need | Report

WAITS = {
    Stage.PREFLIGHT: Wait("the drone to be ready", 45, 180),
    Stage.CHARGING: Wait("the battery to be charged", 1800, 7200, again_s=60),
    Stage.DOOR: Wait("the dock's door to open", 20, 90, again_s=30),
    Stage.PROFILE: Wait("the parameters to be checked", 2, 60, again_s=120),
    Stage.UPLOAD: Wait("the mission to be uploaded and read back", 15, 600, again_s=900),
    Stage.ARMING: Wait("the drone to arm", 3, 90, again_s=4),
    Stage.STARTING: Wait("the drone to take off", 8, 60, again_s=3),
    Stage.RETURNING: Wait("the drone to come home and land", 120, 1200, again_s=30),
    Stage.CLOSING: Wait("the dock's door to close", 20, 90, again_s=30),
    Stage.ABORTING: Wait("the drone to be disarmed and the door to close", 20, 120, again_s=5),
}
