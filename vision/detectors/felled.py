"""Ground that looks felled where nobody knows what stood there: a suspicion, never more.

A single picture shows logs, brash, tracks and bare ground, but not whether a wood stood there last month; a
building site looks much the same. So this is asked only where no baseline is at hand, its confidence stays
below that at which an agency is told unasked, and its silence clears no place.
"""

import cv2
import numpy as np

from missions.model import LEAST_CONFIDENCE, Hazard, Sensor
from vision import felled_ground
from vision.comparison import is_colour, unseen
from vision.detectors import Abstained, Found
from vision.expected import permitted
from vision.felled_cells import Band
from vision.frame import Frame
from vision.georeference import Located, locate_many
from vision.model import Box, Detection
from vision.scene import Scene

SUREST = LEAST_CONFIDENCE - 0.05
LEAST_CELLS = 4


class FelledLook:
    """Suspects felled forest in colour frames of places without a baseline."""

    name = "felled look 1"
    hazards = frozenset({Hazard.LOGGING})
    is_hint = True

    def reads(self, frame: Frame) -> bool:
        """Return whether it is a colour picture."""
        return is_colour(frame) and frame.chart is None

    def detect(self, frame: Frame, scene: Scene) -> Found:
        """Return the patches that look felled, or why it says nothing: none does, or a baseline can tell."""
        if reason := unseen(frame):
            return Abstained(reason)
        if scene.baseline is not None:
            return Abstained("the baseline tells what was felled")
        assert frame.pixels is not None
        model = felled_ground.shipped()
        likely = model.cells(frame.pixels)
        if felled_ground.share_of(likely) < model.share:
            return Abstained("nothing looks felled, which without a baseline clears no place")
        height, width = frame.pixels.shape[:2]
        found = (self._detection(patch, likely, width, height) for patch in patches(likely))
        return tuple(d for d in found if not _has_leave(d, frame, scene))

    def _detection(self, patch: Band, likely: Band, width: int, height: int) -> Detection:
        rows, columns = likely.shape
        wide, high = width / columns, height / rows
        inside = patch > 0
        down, across = np.nonzero(inside)
        sure = float(likely[inside].mean())
        return Detection(
            hazard=Hazard.LOGGING,
            confidence=round(SUREST * sure, 3),
            box=Box(
                float(across.min() * wide),
                float(down.min() * high),
                float((across.max() + 1) * wide),
                float((down.max() + 1) * high),
            ),
            detector=self.name,
            sensor=Sensor.RGB,
            pixels=round(float(inside.sum()) * wide * high),
            kind="looks felled",
            facts={"share_of_picture": round(float(inside.mean()), 3), "compared_with": "nothing"},
        )


def _has_leave(found: Detection, frame: Frame, scene: Scene) -> bool:
    """Return whether a permit in force covers the middle of a patch, as far as that has a place."""
    if not scene.references.permits or frame.shot.pose is None or scene.ground is None:
        return False
    (on,) = locate_many(
        frame.shot.camera, frame.shot.pose, np.array([found.box.middle_px]), ground=scene.ground
    )
    at = frame.shot.taken_at or scene.now
    return isinstance(on, Located) and permitted(scene.references, on.place, at)


def patches(likely: Band) -> list[Band]:
    """Return the patches of cells that look felled, the largest first; specks are left out."""
    count, label = cv2.connectedComponents((likely > felled_ground.LIKELY).astype(np.uint8), connectivity=4)
    found = [np.asarray(label == number, np.float32) for number in range(1, count)]
    return sorted((p for p in found if p.sum() >= LEAST_CELLS), key=lambda p: -float(p.sum()))
