"""Vehicles in colour pictures by day, seen from above or aslant, by a small trained model.

The model learnt cars, vans, trucks and buses at one scale, so the picture is shrunk until a pixel covers
`PIXEL_M` of ground: without a scale nothing is told, and pixels too coarse to show a car tell nothing
either. What is boxed and on the ground no vehicle's size is dropped. It cannot tell a loader from a truck;
`warm_bodies.Machinery` and `warm_bodies.Intrusion` say whose business the vehicle is.
"""

import math
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from missions.model import Hazard, Sensor
from vision.comparison import is_colour, unseen
from vision.detectors import Abstained, runtime
from vision.detectors.runtime import Model, Rgb
from vision.frame import Frame
from vision.model import Box, Detection
from vision.tiling import merged, tiles

SHIPPED = runtime.SHIPPED.with_name("vehicles.onnx.xz")

PIXEL_M = 0.2
"""The ground that a pixel's side covers as pictures are shown to the model: a car is 21 pixels long."""

COARSEST_M = 0.3
"""From pixels larger than this nobody tells a car from a rock."""

VEHICLE_M = (2.0, 20.0)
"""A vehicle's box along the picture's sides is no shorter than a quad and no longer than a loaded truck."""

SIDE_PX, OVERLAP_PX = 640, 112

Boxes = npt.NDArray[np.float32]


class Vehicles:
    """Finds vehicles in colour frames whose scale is known; what they do there is for others to say."""

    def __init__(self, model: Path | None = None) -> None:
        self._path = model or SHIPPED

    @property
    def name(self) -> str:
        """The model's name and version."""
        return _loaded(self._path).title

    def reads(self, frame: Frame) -> bool:
        """Return whether it is a camera's colour picture."""
        return frame.shot.camera.sensor is Sensor.RGB and is_colour(frame) and frame.chart is None

    def seen(self, frame: Frame) -> list[Detection] | Abstained:
        """Return the vehicles, surest first, or why none can be told."""
        if reason := unseen(frame):
            return Abstained(reason)
        if frame.pixel_m2 is None:
            return Abstained("without a scale a vehicle cannot be told from what looks like one")
        pixel_m = math.sqrt(frame.pixel_m2)
        if pixel_m > COARSEST_M:
            return Abstained(f"a pixel covers {pixel_m:.2f} m: too coarse to tell vehicles")
        assert frame.pixels is not None
        model = _loaded(self._path)
        boxes, scores = candidates(model, frame.pixels, pixel_m, model.card.box["vehicle"])
        return [
            self._detection(box, score, pixel_m)
            for box, score in zip(boxes, scores, strict=True)
            if may_be_vehicle(box, pixel_m)
        ]

    def _detection(self, box: Boxes, score: float, pixel_m: float) -> Detection:
        there = Box(*map(float, box))
        return Detection(
            hazard=Hazard.INTRUSION,
            confidence=round(float(score), 3),
            box=there,
            detector=self.name,
            sensor=Sensor.RGB,
            pixels=round(there.area_px),
            outline_px=there.outline_px,
            kind="vehicle",
            facts={"length_m": round(float((box[2:] - box[:2]).max()) * pixel_m, 1)},
            sources=(self.name,),
        )


def candidates(
    model: Model, pixels: Rgb, pixel_m: float, limit: float
) -> tuple[Boxes, npt.NDArray[np.float32]]:
    """Return boxes in a picture's pixels (left, top, right, bottom) and scores from a limit on, surest first.

    pixel_m: the ground that a side of one of its pixels covers.
    """
    scale = pixel_m / PIXEL_M
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    shrunk = np.asarray(cv2.resize(pixels, None, fx=scale, fy=scale, interpolation=how), np.uint8)
    height, width = shrunk.shape[:2]
    boxes, scores = [np.zeros((0, 4), np.float32)], [np.zeros(0, np.float32)]
    for cut in tiles(width, height, side=SIDE_PX, least_overlap=OVERLAP_PX):
        part = shrunk[cut.top_px : cut.bottom_px, cut.left_px : cut.right_px]
        seen = model.see(_padded(part))
        sure = seen.scores[:, 0] >= limit
        corner = np.array([cut.left_px, cut.top_px] * 2, np.float32)
        boxes.append(seen.boxes[sure] + corner)
        scores.append(seen.scores[sure, 0])
    every, sureness = np.concatenate(boxes), np.concatenate(scores)
    every = (every / np.float32(scale)).clip(0, np.array([*pixels.shape[1::-1]] * 2, np.float32))
    kept = merged(every, sureness, np.zeros(len(every), np.int64))
    return every[kept], sureness[kept]


def may_be_vehicle(box: Boxes, pixel_m: float) -> bool:
    """Return whether a box has a vehicle's size on the ground."""
    return VEHICLE_M[0] <= float((box[2:] - box[:2]).max()) * pixel_m <= VEHICLE_M[1]


def _padded(pixels: Rgb) -> Rgb:
    """Return a piece with grey to its right and below, so that its sides are whole steps."""
    below, beside = (-side % runtime.STEP_PX for side in pixels.shape[:2])
    return np.asarray(
        cv2.copyMakeBorder(pixels, 0, below, 0, beside, cv2.BORDER_CONSTANT, value=(114, 114, 114)), np.uint8
    )


@lru_cache(maxsize=4)
def _loaded(path: Path) -> Model:
    return runtime.load(path)
