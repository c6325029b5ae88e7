"""What a detector is: a function from a frame and its scene to detections, with a name and a version."""

from dataclasses import dataclass
from typing import Protocol

from missions.model import Hazard
from vision.frame import Frame
from vision.model import Detection
from vision.scene import Scene


@dataclass(frozen=True, slots=True)
class Abstained:
    """A detector's word that it could not tell, and why: the frame is *not searched* for its hazards."""

    reason: str


Found = tuple[Detection, ...] | Abstained
"""What looking gives: detections (none means none there), or the reason why nothing can be said."""


class Detector(Protocol):
    """Finds some hazards in the frames it can read.

    One whose `is_hint` is true finds a sign of its hazard at most: it alone makes no frame a searched one.
    """

    @property
    def name(self) -> str:
        """Name and version, kept with every detection."""
        ...

    @property
    def hazards(self) -> frozenset[Hazard]: ...

    def reads(self, frame: Frame) -> bool:
        """Return whether frames of this kind are its business at all; cheap, looks at no pixel."""
        ...

    def detect(self, frame: Frame, scene: Scene) -> Found:
        """Return what the frame shows, or why that cannot be told from this one."""
        ...
