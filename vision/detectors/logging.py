"""Trees that are gone without leave.

Today's picture is laid on what the place looked like before. Where canopy stood and is gone, and neither
the river nor the season took it, trees were felled; where no permit covers the place on that date, that is
the hazard. Without a baseline nobody knows what stood there, and the detector says so.
"""

from dataclasses import replace
from datetime import datetime

import cv2
import numpy as np
from shapely.geometry import Polygon

from missions.model import Hazard, Sensor
from vision import canopy, orthophoto, timber
from vision.baselines import Before, Missing
from vision.canopy import Loss, Untold
from vision.chart import Chart, Grid, polygons, smoothed
from vision.detectors import Abstained, Found
from vision.detectors.flood import laid_over, unseen
from vision.frame import Frame
from vision.georeference import Unplaced
from vision.model import Box, Detection, Fact
from vision.orthophoto import Projection
from vision.registration import Registered, Unregistered
from vision.scene import Scene

NAME = "felling 1"
LEAST_M2, LEAST_PX = 70.0, 4
WITHIN_M = 20.0
EDGE_M = 0.8
"""One standard deviation of where the edge of a felled area is drawn: crowns lean and overhang."""

ALLOWED_SHARE = 0.9
"""A felled area counts as allowed when permits in force cover so much of it."""


class Felling:
    """Finds felled forest in colour frames that have a pose, and in charts, against a baseline."""

    name = NAME
    hazards = frozenset({Hazard.LOGGING})

    def reads(self, frame: Frame) -> bool:
        """Return whether it is a colour picture."""
        return frame.pixels is not None and frame.pixels.ndim == 3

    def detect(self, frame: Frame, scene: Scene) -> Found:
        """Return the forest that is gone without leave, or why that cannot be told."""
        if reason := unseen(frame):
            return Abstained(reason)
        if scene.baseline is None:
            return Abstained("no baseline of this place yet: what stood there before is not known")
        seen = _on_ground(frame, scene)
        if isinstance(seen, Abstained):
            return seen
        chart, laid = seen
        before = scene.baseline.before(chart.grid)
        if isinstance(before, Missing):
            return Abstained(before.reason)
        fit = laid_over(chart, before, within_m=max(WITHIN_M, 8 * chart.grid.pixel_m))
        if isinstance(fit, Unregistered):
            return Abstained(f"it does not fit onto {before.version}: {fit.reason}")
        loss = canopy.lost(before.chart, _moved(chart, fit))
        if isinstance(loss, Untold):
            return Abstained(loss.reason)
        at = frame.shot.taken_at or scene.now
        return tuple(_found(loss, before, fit, laid, frame, scene, at))


def _on_ground(frame: Frame, scene: Scene) -> tuple[Chart, Projection | None] | Abstained:
    """Return the frame on the ground."""
    if frame.chart is not None:
        return frame.chart, None
    if scene.ground is None:
        return Abstained("without a place on the ground it cannot be compared with what was there before")
    laid = orthophoto.projected(frame, scene.ground)
    if isinstance(laid, Unplaced):
        return Abstained(f"not laid on the ground: {laid.reason}")
    assert frame.pixels is not None
    values = laid.onto(frame.pixels)
    return Chart(laid.grid, values, laid.seen, ("red", "green", "blue"), frame.shot.file), laid


def _moved(chart: Chart, fit: Registered) -> Chart:
    """Return today's chart where before has it."""
    values = fit.onto(chart.values)
    known = fit.onto(chart.known.astype(np.uint8), nearest=True) > 0
    return replace(chart, values=values, known=np.asarray(known))


def _found(
    loss: Loss,
    before: Before,
    fit: Registered,
    laid: Projection | None,
    frame: Frame,
    scene: Scene,
    at: datetime | None,
) -> list[Detection]:
    """Return a detection for each felled area that no permit covers."""
    grid = before.chart.grid
    least_px = max(LEAST_M2 / grid.pixel_m2, LEAST_PX)
    grey = np.asarray(cv2.cvtColor(before.chart.rgb, cv2.COLOR_RGB2GRAY), np.uint8)
    found = []
    for shape in (smoothed(p) for p in polygons(loss.felled, at_least_px=least_px)):
        if _is_allowed(shape, grid, scene, at):
            continue
        ring = np.asarray(shape.exterior.coords)
        found.append(
            Detection(
                hazard=Hazard.LOGGING,
                confidence=_certainty(shape, loss, fit),
                box=_box(_in_picture(ring, fit, laid), frame),
                detector=NAME,
                sensor=Sensor.RGB,
                pixels=round(shape.area),
                outline_px=tuple((float(x), float(y)) for x, y in _in_picture(ring, fit, laid)),
                ground=grid.area(shape),
                facts=_facts(shape, loss, grey, before, fit, scene, at),
            )
        )
    return found


def _in_picture(
    ring: np.ndarray[tuple[int, ...], np.dtype[np.float64]], fit: Registered, laid: Projection | None
) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    """Return the picture's pixels of a ring on before's grid."""
    back = np.linalg.inv(fit.matrix)
    own = cv2.perspectiveTransform(ring[None].astype(float), back)[0]
    return laid.to_picture(own) if laid else np.asarray(own)


def _is_allowed(shape: Polygon, grid: Grid, scene: Scene, at: datetime | None) -> bool:
    """Return whether permits in force at that time cover the area."""
    if at is None:
        return False
    allowed = [grid.polygon(p.area) for p in scene.references.permits if p.holds(at)]
    covered = sum(float(shape.intersection(area).area) for area in allowed)
    return covered >= ALLOWED_SHARE * float(shape.area)


def _certainty(shape: Polygon, loss: Loss, fit: Registered) -> float:
    """Return how sure it is: how much greener and rougher it was, how well the two dates fit, how large."""
    inside = np.zeros(loss.felled.shape, np.uint8)
    cv2.fillPoly(inside, [np.round(np.asarray(shape.exterior.coords)).astype(np.int32)], 1)
    chosen = (inside > 0) & loss.felled
    word = float(loss.sure[chosen].mean()) if chosen.any() else 0.5
    large = min(float(shape.area) / 150.0, 1.0)
    return round(min(0.97, (0.45 + 0.5 * word) * (0.8 + 0.2 * large) * (0.85 + 0.15 * fit.share)), 3)


def _facts(
    shape: Polygon,
    loss: Loss,
    grey: np.ndarray[tuple[int, ...], np.dtype[np.uint8]],
    before: Before,
    fit: Registered,
    scene: Scene,
    at: datetime | None,
) -> dict[str, Fact]:
    """Return what a case needs: area, trees and timber with their intervals, and what it is compared with."""
    grid = before.chart.grid
    edge_m = shape.length * grid.pixel_m
    error_m = float(np.hypot(max(EDGE_M, 0.35 * grid.pixel_m), fit.error_m * 0.5))
    area = timber.area_interval(grid.area_m2(shape), edge_m, error_m / 3.0)
    inside = np.zeros(loss.felled.shape, np.uint8)
    cv2.fillPoly(inside, [np.round(np.asarray(shape.exterior.coords)).astype(np.int32)], 1)
    counted = timber.crowns(grey, (inside > 0) & loss.stood, grid.pixel_m)
    facts: dict[str, Fact] = {
        "area_m2": area,
        "trees": timber.trees(area, counted),
        "timber_m3": timber.timber_m3(area),
        "compared_with": before.version,
        "registered_m": round(fit.error_m, 2),
    }
    if before.taken_at:
        facts["before_at"] = before.taken_at.isoformat()
    taken = float(loss.river.sum()) * grid.pixel_m2
    if taken:
        facts["forest_taken_by_water_m2"] = round(taken, 1)
    if scene.references.permits:
        facts["permits"] = (
            "none covers this place on this date" if at else "not checked: the date is not known"
        )
    return facts


def _box(ring: np.ndarray[tuple[int, ...], np.dtype[np.float64]], frame: Frame) -> Box:
    width, height = frame.shot.camera.width_px, frame.shot.camera.height_px
    (left, top), (right, bottom) = ring.min(axis=0), ring.max(axis=0)
    return Box(float(max(left, 0)), float(max(top, 0)), float(min(right, width)), float(min(bottom, height)))
