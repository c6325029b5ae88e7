"""What a detector is: a function from a frame to detections, with a name and a version."""

from typing import Protocol

from missions.model import Hazard
from vision.frame import Frame
from vision.model import Detection


class Detector(Protocol):
    """Finds some hazards in the frames it can read; others give nothing."""

    @property
    def name(self) -> str:
        """Name and version, kept with every detection."""
        ...

    @property
    def hazards(self) -> frozenset[Hazard]: ...

    def reads(self, frame: Frame) -> bool:
        """Return whether this detector can say anything about a frame."""
        ...

    def detect(self, frame: Frame) -> tuple[Detection, ...]: ...
