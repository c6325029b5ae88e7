"""Line clearance in pictures: there is none to be had.

How near a tree comes to a wire is measured in a point cloud (`vision.lidar`). A picture that is asked for it
answers so, and counts as not searched.
"""

from missions.model import Hazard
from vision.detectors import Abstained, Found
from vision.frame import Frame
from vision.scene import Scene


class LineClearance:
    """The word that a picture has for line clearance."""

    name = "line-clearance 1"
    hazards = frozenset({Hazard.LINE_CLEARANCE})

    def reads(self, frame: Frame) -> bool:
        return True

    def detect(self, frame: Frame, scene: Scene) -> Found:
        return Abstained("metres to a wire are measured in a point cloud (LAS, LAZ), not in a picture")
