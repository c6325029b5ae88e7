"""What carries a sortie: the narrow protocol between the machine and whatever flies.

MAVLink is the first carrier (`fleet/mavlink.py`). Another way to a drone, such as
a maker's dock-to-cloud protocol that is handed a whole flight and reports its
progress, has to do no more than this: prepare, load with proof, do one step,
divert, and tell what is seen and which pictures were taken. Nothing here names a
packet, a mode number or an item's place in a list.
"""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from fleet.autopilots import Flying, Step
from fleet.messages import CameraCount, PictureTaken, ShutterFired
from fleet.order import SortieOrder
from fleet.parameters import ProfileResult
from fleet.stages import Leg
from fleet.transfer import UploadResult
from fleet.vehicle import VehicleState
from missions.clock import Clock
from missions.geo import LatLon

CameraEvent = PictureTaken | CameraCount | ShutterFired


@dataclass(frozen=True, slots=True)
class Progress:
    """What a carrier sees of its drone and of what it was asked.

    `profile` and `upload` are None while the answer is not known; `refusals`
    hold why a step was not taken, until it is. `cameras` are those that will tell
    of each picture they take, and how many they have taken. `blind` says that it is over no-photo ground.
    """

    vehicle: VehicleState | None
    flying: Flying = Flying.OTHER
    mode: str = "unknown"
    leg: Leg | None = None
    blind: bool = False
    profile: ProfileResult | None = None
    upload: UploadResult | None = None
    refusals: dict[Step, str] = field(default_factory=dict)
    cameras: frozenset[int] = frozenset()


class Carrier(Protocol):
    """The way to one drone. Its calls return at once; what came of them is in `progress`."""

    clock: Clock
    on_camera: Callable[[CameraEvent], None] | None

    def now(self) -> float:
        """Return the steady clock, in simulated seconds."""
        ...

    async def beat(self) -> None:
        """Wait a moment, in which something may have been heard."""
        ...

    def begin(self, order: SortieOrder) -> None:
        """Take up a sortie: what is loaded, steered and seen from now on is of this order."""
        ...

    def prepare(self) -> None:
        """Make the drone's settings what the sortie relies on."""
        ...

    def load(self) -> None:
        """Put the sortie on board, with its fence and its landings, and prove that it is there."""
        ...

    def clear(self) -> None:
        """Take off board what was not proven."""
        ...

    def do(self, step: Step) -> None:
        """Order a step: arm, start, pause, resume, recall, land and the like."""
        ...

    def divert(self, landing: str) -> None:
        """Order the drone to one of the sortie's landings."""
        ...

    def look_at(self, place: LatLon, ground_m: float) -> None:
        """Order the camera to look at a place on the ground, the flight unchanged."""
        ...

    def look_ahead(self) -> None:
        """Order the camera back to where the mission wants it."""
        ...

    def shoot(self) -> None:
        """Order one picture that the mission does not hold."""
        ...

    def progress(self) -> Progress:
        """Return what is seen now."""
        ...

    def ask_shots(self, missing: Sequence[tuple[int, int]] = ()) -> None:
        """Ask for the pictures' counts, and again for the records of (camera, image) that are missing."""
        ...

    def recording(self, path: Path) -> AbstractContextManager[None]:
        """Return a context in which all that is said is kept in a file."""
        ...
