"""Trees that are gone without leave.

Today's picture is laid on what the place looked like before. Where canopy stood and is gone, and neither
the river nor the season took it, trees were felled; where no permit covers the place on that date, that is
the hazard. A permit covers its own ground and no more: of a felling across its border the rest is told.
Where the site names forest compartments, nothing is told outside them: a crop that was cut looks felled.
Long narrow strips of felled ground are fresh tracks. Logs and stacks were not learnt, and it says that it
cannot tell them. Without a baseline nobody knows what stood there, and the detector says so.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

import cv2
import numpy as np
from shapely.geometry import Polygon
from shapely.geometry.base import BaseGeometry
from shapely.ops import unary_union

from missions.model import Hazard, Sensor
from vision import canopy, timber
from vision.canopy import Loss, Untold
from vision.chart import Chart, Grid, covered, polygons, smoothed
from vision.comparison import WITHIN_M, Compared, beside, box_of, fitted, inside, is_colour, outline_of
from vision.detectors import Abstained, Found
from vision.frame import Frame
from vision.model import Detection, Fact
from vision.morphology import narrower
from vision.registration import Registered
from vision.scene import Scene
from vision.trails import Trail, are_shown, trails

NAME = "felling 1"
LEAST_M2, LEAST_PX = 70.0, 4
CUT_M2, RIM_M = 150.0, 1.0
"""Less than this cut by a picture's border may be the end of a felling: the next picture tells it better."""

EDGE_M = 0.8
"""One standard deviation of where the edge of a felled area is drawn: crowns lean and overhang."""

OFF_M = 6.0
"""A felling may seem to reach so far over a permit's border by the pose of its baseline alone."""

MOSTLY = 0.7
"""What is a track for so much of its area is told as one."""

NOT_TOLD = ("felled logs", "stacks", "machinery in colour")


class Felling:
    """Finds felled forest in colour frames that have a pose, and in charts, against a baseline."""

    name = NAME
    hazards = frozenset({Hazard.LOGGING})

    def reads(self, frame: Frame) -> bool:
        """Return whether it is a colour picture."""
        return is_colour(frame)

    def detect(self, frame: Frame, scene: Scene) -> Found:
        """Return the forest that is gone without leave, or why that cannot be told.

        A camera's picture without bare ground in or near the site's forest is clear as it is.
        """
        looks = beside(frame, scene, unknown="what stood there before is not known")
        if isinstance(looks, Abstained):
            return looks
        if looks[0].by is not None and not _may_be_felled(looks[0].chart, scene):
            return ()
        pair = fitted(*looks)
        if isinstance(pair, Abstained):
            return pair
        loss = canopy.lost(pair.before.chart, pair.today)
        if isinstance(loss, Untold):
            return Abstained(loss.reason)
        at = frame.shot.taken_at or scene.now
        return tuple(_found(loss, pair, frame, scene, at))


def _may_be_felled(today: Chart, scene: Scene) -> bool:
    """Return whether a look alone leaves room for a felling, so far as its pose may be off."""
    grid, forest = today.grid, _Watched.on(today.grid, scene, None).forest
    near = covered(forest.buffer(WITHIN_M / grid.pixel_m), grid.shape) if forest else today.known
    return canopy.may_be_lost(today, near)


def _found(
    loss: Loss, pair: Compared, frame: Frame, scene: Scene, at: datetime | None
) -> Iterator[Detection]:
    """Yield a detection for each felled area that no permit covers."""
    grid = pair.before.chart.grid
    least_px = max(LEAST_M2 / grid.pixel_m2, LEAST_PX)
    grey = np.asarray(cv2.cvtColor(pair.before.chart.rgb, cv2.COLOR_RGB2GRAY), np.uint8)
    found = [smoothed(p) for p in polygons(loss.felled, at_least_px=least_px) if not is_an_end(p, pair)]
    strips = trails(loss.felled, grid.pixel_m) if found else []
    watched = _Watched.on(grid, scene, at)
    for shape in (part for p in found for part in watched.without_leave(p, least_px=least_px)):
        in_picture = pair.to_picture(np.asarray(shape.exterior.coords))
        yield Detection(
            hazard=Hazard.LOGGING,
            confidence=_certainty(shape, loss, pair.fit),
            box=box_of(in_picture, frame.shot.camera),
            detector=NAME,
            sensor=Sensor.RGB,
            pixels=round(shape.area),
            outline_px=outline_of(in_picture),
            ground=grid.area(shape),
            kind=_kind(shape, strips),
            facts=_facts(shape, loss, grey, pair, scene, at) | _tracks(shape, strips),
        )


def is_an_end(shape: Polygon, pair: Compared) -> bool:
    """Return whether it is little and a camera's picture may show but the end of it."""
    grid = pair.today.grid
    if pair.laid.by is None or shape.area * grid.pixel_m2 >= CUT_M2:
        return False
    known = np.pad(pair.today.known, 1)
    rim = ~narrower(known, max(round(RIM_M / grid.pixel_m), 1))[1:-1, 1:-1]
    return bool((inside(shape, grid.shape) & rim).any())


@dataclass(frozen=True, slots=True)
class _Watched:
    """The site's forest on a grid, None where it names none, and the ground that may be felled."""

    forest: BaseGeometry | None
    allowed: BaseGeometry
    off_px: float

    @classmethod
    def on(cls, grid: Grid, scene: Scene, at: datetime | None) -> "_Watched":
        """Return what is watched at a time.

        A crop that was cut looks felled; where the site names compartments, what lies outside is no forest.
        """
        off_px = max(OFF_M / grid.pixel_m, 1.0)
        woods = [grid.polygon(c.area) for c in scene.references.compartments]
        allowed = [grid.polygon(p.area) for p in scene.references.permits if at and p.holds(at)]
        return cls(unary_union(woods).buffer(off_px) if woods else None, unary_union(allowed), off_px)

    def without_leave(self, shape: Polygon, *, least_px: float) -> Iterator[Polygon]:
        """Yield the parts of a felled area in the forest that no permit in force covers."""
        rest = shape if self.forest is None else shape.intersection(self.forest)
        if self.allowed.intersects(rest):
            rest = rest.difference(self.allowed.buffer(self.off_px))
        parts = (part for part in getattr(rest, "geoms", [rest]) if isinstance(part, Polygon))
        yield from (part for part in parts if part.area >= least_px)


def _inside(shape: Polygon, strips: Sequence[Trail]) -> list[Trail]:
    return [strip for strip in strips if shape.intersects(strip.middle)]


def _kind(shape: Polygon, strips: Sequence[Trail]) -> str:
    """Return "track" where hardly anything but one was felled."""
    narrow_px = sum(strip.area_px for strip in _inside(shape, strips))
    return "track" if narrow_px >= MOSTLY * shape.area else ""


def _tracks(shape: Polygon, strips: Sequence[Trail]) -> dict[str, Fact]:
    """Return how long the fresh tracks of a felled area are together, and how wide the widest is."""
    inside = _inside(shape, strips)
    if not inside:
        return {}
    return {
        "track_m": round(sum(strip.long_m for strip in inside), 0),
        "track_wide_m": round(max(strip.wide_m for strip in inside), 1),
    }


def _certainty(shape: Polygon, loss: Loss, fit: Registered) -> float:
    """Return how sure it is: how much greener and rougher it was, how well the two dates fit, how large."""
    chosen = inside(shape, loss.felled.shape) & loss.felled
    word = float(loss.sure[chosen].mean()) if chosen.any() else 0.5
    large = min(float(shape.area) / 150.0, 1.0)
    return round(min(0.97, (0.45 + 0.5 * word) * (0.8 + 0.2 * large) * (0.85 + 0.15 * fit.share)), 3)


def _facts(
    shape: Polygon,
    loss: Loss,
    grey: np.ndarray[tuple[int, ...], np.dtype[np.uint8]],
    pair: Compared,
    scene: Scene,
    at: datetime | None,
) -> dict[str, Fact]:
    """Return what a case needs: area, trees and timber with their intervals, and what it is compared with."""
    before, fit, grid = pair.before, pair.fit, pair.before.chart.grid
    edge_m = shape.length * grid.pixel_m
    error_m = float(np.hypot(max(EDGE_M, 0.35 * grid.pixel_m), fit.error_m * 0.5))
    area = timber.area_interval(grid.area_m2(shape), edge_m, error_m / 3.0)
    counted = timber.crowns(grey, inside(shape, loss.felled.shape) & loss.stood, grid.pixel_m)
    facts: dict[str, Fact] = {
        "area_m2": area,
        "trees": timber.trees(area, counted),
        "timber_m3": timber.timber_m3(area),
        "compared_with": before.version,
        "registered_m": round(fit.error_m, 2),
        "not_told": NOT_TOLD if are_shown(grid.pixel_m) else ("tracks", *NOT_TOLD),
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
