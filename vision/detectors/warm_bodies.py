"""People and vehicles in thermal pictures, by a small trained model: boxes with how sure it is.

The model reads one band. Temperatures are laid over its 256 steps as a thermal camera's own display does, so
that a picture in °C and one in 8 bits look alike. A body is told as what it was learnt as; what is warm and
neither person, vehicle nor bicycle is not told. `Intrusion` tells those that are on the ground inside a power
line's protected zone, `Machinery` vehicles in forest that no permit to fell covers. Of colour pictures both
ask another model, which knows vehicles alone (`vision/detectors/vehicles.py`).

Its word is a suspicion: the model learnt from 85 pictures of one drone (`vision/models/warm.md`).
"""

from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
from shapely import Point
from shapely.geometry import LineString

from missions.geo import LatLon, LocalFrame
from missions.layers import NamedArea, PowerLine
from missions.model import LEAST_CONFIDENCE, Hazard, Sensor
from vision.detectors import Abstained, Found, runtime
from vision.detectors.runtime import Model, Rgb
from vision.detectors.vehicles import Vehicles
from vision.expected import compartment_of, permitted
from vision.frame import Frame
from vision.georeference import Located, locate_many
from vision.model import Box, Detection
from vision.morphology import grown_back
from vision.near_vehicles import MACHINERY
from vision.scene import Scene
from vision.tiling import merged

KINDS = ("person", "vehicle", "bicycle")
SHIPPED = runtime.SHIPPED.with_name("warm.onnx.xz")
ENDS = (1.0, 99.8)
"""Percentiles of a picture's temperatures that become black and white."""

LEAST_C = 8.0  # a range of grey narrower than this would show noise

ZONES = ((10.0, 5.0), (110.0, 10.0), (330.0, 15.0), (500.0, 20.0), (float("inf"), 25.0))
"""Up to so many kV a line's protected zone reaches so many metres to each side.

To 500 kV after article 10 of China's regulations on protecting power installations (1987, amended 2011),
which measures from the outer wire; the steps above it are ours.
"""

HOTTEST_C, LONGEST_M = 45.0, 2.4
"""Where a frame tells temperatures and the ground's scale: no person is hotter, or longer on the ground."""

VEHICLE_M = (2.5, 16.0)
"""A vehicle, boxed along the picture's sides, is no shorter than a quad and no longer than a loaded truck."""

ENGINE_K = 10.0
"""An engine that ran within the hour is so much warmer than what lies around the vehicle."""

SUREST = LEAST_CONFIDENCE - 0.05

Boxes = npt.NDArray[np.float32]


class WarmBodies:
    """People in thermal frames."""

    hazards = frozenset({Hazard.PERSON})

    def __init__(self, model: Path | None = None) -> None:
        self._path = model or SHIPPED

    @property
    def name(self) -> str:
        """The model's name and version."""
        return f"warm-bodies {_loaded(self._path).card.version}"

    def reads(self, frame: Frame) -> bool:
        """Return whether the frame is a thermal camera's."""
        return frame.shot.camera.sensor is Sensor.THERMAL and (frame.celsius is not None or _is_warmth(frame))

    def detect(self, frame: Frame, scene: Scene) -> Found:
        """Return the people, surest first."""
        return tuple(d for d in self.bodies(frame) if d.kind == "person" and _may_be_person(d, frame))

    def bodies(self, frame: Frame) -> list[Detection]:
        """Return people, vehicles and bicycles, surest first; `kind` says which."""
        model = _loaded(self._path)
        boxes, scores, kinds = candidates(model, grey(frame), model.card.box)
        return [self._detection(*found) for found in zip(boxes, scores, kinds, strict=True)]

    def _detection(self, box: Boxes, score: float, kind: int) -> Detection:
        there = Box(*map(float, box))
        return Detection(
            hazard=Hazard.PERSON,
            confidence=round(float(score), 3),
            box=there,
            detector=self.name,
            sensor=Sensor.THERMAL,
            pixels=round(there.area_px),
            outline_px=there.outline_px,
            kind=KINDS[int(kind)],
            sources=(self.name,),
        )


class _OfBodies:
    """What a detector has that asks where people and vehicles stand: by warmth, or vehicles by their look."""

    def __init__(self, model: Path | None = None, *, colour: Path | None = None) -> None:
        self._bodies, self._vehicles = WarmBodies(model), Vehicles(colour)

    @property
    def name(self) -> str:
        """The models' names and versions."""
        return f"{self._bodies.name}, {self._vehicles.name}"

    def reads(self, frame: Frame) -> bool:
        """Return whether the frame is a thermal or a colour camera's."""
        return self._bodies.reads(frame) or self._vehicles.reads(frame)

    def _seen(self, frame: Frame) -> list[Detection] | Abstained:
        """Return who and what is in a frame, or why that cannot be told."""
        if self._bodies.reads(frame):
            return self._bodies.bodies(frame)
        seen = self._vehicles.seen(frame)
        return seen or Abstained("no vehicle stands out by its look, which clears no place")


class Intrusion(_OfBodies):
    """People and vehicles on the ground inside a power line's protected zone."""

    hazards = frozenset({Hazard.INTRUSION})

    def detect(self, frame: Frame, scene: Scene) -> Found:
        """Return who and what stands in a line's zone, or why that cannot be told."""
        if not scene.references.lines:
            return Abstained("no power line is known here: name the site that has it")
        if frame.shot.pose is None or scene.ground is None:
            return Abstained("without a place on the ground nothing can be told to be inside a line's zone")
        bodies = self._seen(frame)
        if isinstance(bodies, Abstained):
            return bodies
        if not bodies:
            return ()
        feet = np.array([(d.box.middle_px[0], d.box.bottom_px) for d in bodies])
        places = locate_many(frame.shot.camera, frame.shot.pose, feet, ground=scene.ground)
        return tuple(
            replace(body, hazard=Hazard.INTRUSION, facts={**body.facts, "line": line.id})
            for body, at in zip(bodies, places, strict=True)
            if isinstance(at, Located) and (line := line_over(at.place, scene.references.lines))
        )


class Machinery(_OfBodies):
    """Vehicles inside forest where no permit to fell covers place and date: a suspicion, never more.

    Half of what the thermal model takes for vehicles are none, and neither can tell a loader from a car.
    """

    hazards = frozenset({Hazard.LOGGING})
    is_hint = True

    def detect(self, frame: Frame, scene: Scene) -> Found:
        """Return the vehicles in the wood, or why that cannot be told."""
        if not scene.references.compartments:
            return Abstained(
                "the site names no forest compartments in which a vehicle could have no business"
            )
        at = frame.shot.taken_at or scene.now
        if at is None and scene.references.permits:
            return Abstained("its date is not known, so no permit can be checked")
        if frame.shot.pose is None or scene.ground is None:
            return Abstained("without a place on the ground nothing can be told to be inside a forest")
        seen = self._seen(frame)
        if isinstance(seen, Abstained):
            return seen
        warm = self._bodies.reads(frame)
        bodies = [d for d in seen if d.kind == "vehicle" and (not warm or _may_be_vehicle(d, frame))]
        if not bodies:
            return Abstained("no vehicle stands out by its warmth, which clears no place")
        middles = np.array([d.box.middle_px for d in bodies])
        places = locate_many(frame.shot.camera, frame.shot.pose, middles, ground=scene.ground)
        return tuple(
            self._told(body, wood, scene)
            for body, on in zip(bodies, places, strict=True)
            if isinstance(on, Located)
            and (wood := compartment_of(scene.references, on.place))
            and not permitted(scene.references, on.place, at)
        )

    def _told(self, body: Detection, wood: NamedArea, scene: Scene) -> Detection:
        by = "by its warmth" if body.sensor is Sensor.THERMAL else "by its look"
        facts = {**body.facts, "vehicle": by, "compartment": wood.id}
        if scene.references.permits:
            facts["permits"] = "none covers this place on this date"
        sure = round(min(body.confidence, SUREST), 3)
        return replace(body, hazard=Hazard.LOGGING, kind=MACHINERY, confidence=sure, facts=facts)


def candidates(
    model: Model, pixels: Rgb, limits: Mapping[str, float]
) -> tuple[Boxes, npt.NDArray[np.float32], npt.NDArray[np.int64]]:
    """Return boxes in pixels of the picture, scores and kinds from the limits on, surest first."""
    seen, scale = model.see_whole(pixels)
    needed = np.array([limits[name] for name in model.card.classes], np.float32)
    rows, kinds = np.nonzero(seen.scores >= needed)
    boxes, scores = seen.boxes[rows] / np.float32(scale), seen.scores[rows, kinds]
    boxes[:, [0, 2]] = boxes[:, [0, 2]].clip(0, pixels.shape[1])
    boxes[:, [1, 3]] = boxes[:, [1, 3]].clip(0, pixels.shape[0])
    kept = merged(boxes, scores, kinds.astype(np.int64))
    return boxes[kept], scores[kept], kinds[kept].astype(np.int64)


def grey(frame: Frame) -> Rgb:
    """Return a thermal frame as the model learnt to see it: 8 bits, three times the same."""
    if frame.celsius is None and frame.pixels is not None and frame.warmth_limit == 255.0:
        values = frame.pixels
    else:
        warm = frame.celsius if frame.celsius is not None else frame.warmth
        assert warm is not None
        known = warm[np.isfinite(warm)]
        low, high = np.percentile(known, ENDS) if known.size else (0.0, 1.0)
        least = LEAST_C if frame.celsius is not None else 1.0
        high = max(high, low + least)
        values = np.clip((np.nan_to_num(warm, nan=low) - low) * (255.0 / (high - low)), 0, 255).astype(
            np.uint8
        )
    return values if values.ndim == 3 else np.repeat(values[..., None], 3, axis=2)


def line_over(place: LatLon, lines: tuple[PowerLine, ...]) -> PowerLine | None:
    """Return the line in whose protected zone a place lies, the nearest first, None outside all."""
    frame = LocalFrame(place)
    away = []
    for line in lines:
        path = [frame.to_local(tower) for _, tower in line.towers]
        if len(path) > 1:
            away.append((LineString(path).distance(Point(0.0, 0.0)) - zone_m(line.voltage_kv), line.id, line))
    inside = [entry for entry in away if entry[0] <= 0]
    return min(inside)[2] if inside else None


def zone_m(voltage_kv: float) -> float:
    """Return how far a line's protected zone reaches to each side."""
    return next(reach_m for up_to_kv, reach_m in ZONES if voltage_kv <= up_to_kv)


def _may_be_person(seen: Detection, frame: Frame) -> bool:
    """Return whether heat and size leave room for a person, as far as a frame tells them."""
    box = seen.box
    if frame.celsius is not None:
        inside = frame.celsius[
            int(box.top_px) : int(box.bottom_px) + 1, int(box.left_px) : int(box.right_px) + 1
        ]
        if inside.size and float(np.nanmax(inside)) > HOTTEST_C:
            return False
    long_px = max(box.right_px - box.left_px, box.bottom_px - box.top_px)
    return frame.pixel_m2 is None or long_px * frame.pixel_m2**0.5 <= LONGEST_M


def _may_be_vehicle(seen: Detection, frame: Frame) -> bool:
    """Return whether size and heat leave room for a vehicle that ran lately, as far as a frame tells them."""
    box = seen.box
    wide_px, high_px = box.right_px - box.left_px, box.bottom_px - box.top_px
    if frame.pixel_m2 is not None:
        long_m = float(max(wide_px, high_px) * frame.pixel_m2**0.5)
        if not VEHICLE_M[0] <= long_m <= VEHICLE_M[1]:
            return False
    if frame.celsius is None:
        return True
    inside = _part(frame.celsius, box, 0.0, 0.0)
    around = _part(frame.celsius, box, wide_px, high_px)
    close = _part(frame.celsius, box, wide_px / 4, high_px / 4)
    hottest_c = float(np.nanmax(inside, initial=-np.inf))
    return hottest_c - float(np.nanmedian(around)) >= ENGINE_K and is_island(
        np.asarray(close >= hottest_c - ENGINE_K / 2), np.asarray(close == hottest_c)
    )


def is_island(warm: npt.NDArray[np.bool_], hottest: npt.NDArray[np.bool_]) -> bool:
    """Return whether the warm ground at the hottest pixel ends within the part: a field's goes on."""
    reached = grown_back(hottest, warm)
    return not any(edge.any() for edge in (reached[0], reached[-1], reached[:, 0], reached[:, -1]))


def _part(
    celsius: npt.NDArray[np.float32], box: Box, beside_px: float, above_px: float
) -> npt.NDArray[np.float32]:
    """Return a box of a picture, wider and higher by so much on each side."""
    top, left = max(int(box.top_px - above_px), 0), max(int(box.left_px - beside_px), 0)
    return celsius[top : int(box.bottom_px + above_px) + 1, left : int(box.right_px + beside_px) + 1]


def _is_warmth(frame: Frame) -> bool:
    return frame.warmth is not None


@lru_cache(maxsize=4)
def _loaded(path: Path) -> Model:
    return runtime.load(path)
