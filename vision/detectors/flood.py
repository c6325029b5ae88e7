"""Water that should not be there.

Water is seen first: by its index where the picture has near infrared, by a segmenter where it has colour
alone. It is laid on the ground and compared with what belongs there: the site's rivers and lakes, and the
extent that a baseline shows. What is left is a flood if it reaches further than the two may be apart by
error; a river in its bed leaves nothing. Without either there is nothing to compare with, and the
detector says so.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
from shapely.geometry import Polygon

from missions.model import Hazard, Sensor
from vision import expected, flood, orthophoto, registration, water, water_model
from vision.baselines import Baseline, Before, Missing
from vision.chart import Chart, Grid, Mask, polygons, smoothed
from vision.detectors import Abstained, Found
from vision.frame import Frame
from vision.georeference import Unplaced
from vision.model import Box, Detection, Fact
from vision.orthophoto import Projection
from vision.registration import Registered, Unregistered
from vision.scene import Scene

NAME = "flood 1"

POSE_M = 8.0
"""So far the water's edge may seem to be off by the camera's pose alone (99 %)."""

CHART_PX = 1.5
WITHIN_M = 20.0
LEAST_M2, LEAST_PX = 60.0, 10
DRY, FEWEST_DRY = 0.3, 0.02
LIKELY, MAY_BE = 0.5, 0.12
"""Water for sure, and water where it adjoins that on ground that has changed."""

DIFFERS, SURELY, SOFT_M = 0.16, 0.3, 0.8
"""Ground looks other than before from this share of its brightness on, summed over colours."""

SEED_M = 2.0
"""A flood holds ground of this radius that is surely water and surely changed."""

HOLE_M2 = 120.0
"""Trees and roofs up to this size that stand in water are in the flood."""

DARK = 25.0
"""Below this mean brightness a colour picture shows nothing: night."""

FLAT = 6.0
"""Below this scatter of brightness all looks alike: fog, cloud, a lens cap."""


@dataclass(frozen=True, slots=True, eq=False)
class _View:
    """One look laid on the ground: its chart, where it shows water, and how sure that is."""

    chart: Chart
    wet: Mask
    likely: water_model.Shares | None
    laid: Projection | None


class Flood:
    """Finds water outside its bed in colour frames that have a pose, and in charts."""

    name = NAME
    hazards = frozenset({Hazard.FLOOD})

    def __init__(self, model: Path | None = None) -> None:
        self._model = model

    def reads(self, frame: Frame) -> bool:
        """Return whether it is a colour picture."""
        return frame.pixels is not None and frame.pixels.ndim == 3

    def detect(self, frame: Frame, scene: Scene) -> Found:
        """Return the water that should not be there, or why that cannot be told."""
        if reason := unseen(frame):
            return Abstained(reason)
        looked = self._seen(frame, scene)
        if isinstance(looked, Abstained):
            return looked
        known = _expected(looked, scene)
        if isinstance(known, Abstained):
            return known
        belongs, error_px, wet = known
        found = excess(wet & looked.chart.known, belongs, error_px=error_px)
        least_px = max(LEAST_M2 / looked.chart.grid.pixel_m2, LEAST_PX)
        shapes = [smoothed(p) for p in polygons(found, at_least_px=least_px)]
        seen = replace(looked, wet=wet)
        return tuple(self._detection(shape, seen, belongs, frame, scene) for shape in shapes)

    def _seen(self, frame: Frame, scene: Scene) -> _View | Abstained:
        """Return the frame on the ground with its water."""
        assert frame.pixels is not None
        if frame.chart is not None:
            return self._of_chart(frame.chart)
        if scene.ground is None:
            return Abstained("without a place on the ground a flood cannot be told from a river in its bed")
        laid = orthophoto.projected(frame, scene.ground)
        if isinstance(laid, Unplaced):
            return Abstained(f"not laid on the ground: {laid.reason}")
        values = laid.onto(frame.pixels)
        chart = Chart(laid.grid, values, laid.seen, ("red", "green", "blue"), frame.shot.file)
        likely = np.asarray(laid.onto(self._shares(frame.pixels)), np.float32)
        return _View(chart, (likely > LIKELY) & laid.seen, likely, laid)

    def _of_chart(self, chart: Chart) -> _View:
        if chart.has("green", "nir"):
            return _View(chart, water.by_index(chart), None, None)
        likely = self._shares(chart.rgb)
        return _View(chart, (likely > LIKELY) & chart.known, likely, None)

    def _shares(self, pixels: np.ndarray[tuple[int, ...], np.dtype[np.uint8]]) -> water_model.Shares:
        model = water_model.loaded(self._model) if self._model else water_model.shipped()
        return model(pixels)

    def _detection(
        self, shape: Polygon, looked: _View, belongs: Mask, frame: Frame, scene: Scene
    ) -> Detection:
        grid = looked.chart.grid
        ring = np.asarray(shape.exterior.coords)
        in_picture = looked.laid.to_picture(ring) if looked.laid else ring
        confidence = _certainty(shape, looked)
        return Detection(
            hazard=Hazard.FLOOD,
            confidence=round(confidence, 3),
            box=_box(in_picture, frame),
            detector=self.name,
            sensor=Sensor.RGB,
            pixels=round(shape.area),
            outline_px=tuple((float(x), float(y)) for x, y in in_picture),
            ground=grid.area(shape),
            facts=_facts(shape, looked, belongs, scene),
        )


def unseen(frame: Frame) -> str | None:
    """Return why a colour picture shows nothing to anybody, None where it shows something."""
    assert frame.pixels is not None
    grey = cv2.cvtColor(frame.pixels, cv2.COLOR_RGB2GRAY)[::4, ::4].astype(np.float32)
    if frame.chart is not None:
        grey = grey[frame.chart.known[::4, ::4]]
        if not grey.size:
            return "no pixel of it is known"
    if float(grey.mean()) < DARK and float(np.percentile(grey, 95)) < 3 * DARK:
        return "too dark to tell anything by colour: night"
    if float(grey.std()) < FLAT:
        return "everything in it looks alike: fog, cloud or a covered lens"
    return None


def excess(wet: Mask, belongs: Mask, *, error_px: float) -> Mask:
    """Return water outside where it belongs: whole parts that reach further out than the error."""
    out = wet & ~belongs
    side = 2 * max(round(error_px), 1) + 1
    near = cv2.dilate(belongs.astype(np.uint8), cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side)))
    core = cv2.morphologyEx((out & (near == 0)).astype(np.uint8), cv2.MORPH_OPEN, np.ones((2, 2), np.uint8))
    return water.grown_back(core > 0, out)


def laid_over(today: Chart, before: Before, *, within_m: float) -> Registered | Unregistered:
    """Return how a chart lies on what was there before."""
    grey = [cv2.cvtColor(c.rgb, cv2.COLOR_RGB2GRAY) for c in (today, before.chart)]
    return registration.register(
        np.asarray(grey[0]),
        np.asarray(grey[1]),
        known=today.known & before.chart.known,
        pixel_m=today.grid.pixel_m,
        within_m=within_m,
    )


def _expected(looked: _View, scene: Scene) -> tuple[Mask, float, Mask] | Abstained:
    """Return where water belongs on the look's grid, how many pixels that may be off, and today's water.

    Beside a baseline today's water is what looks like water *and* no more as it did; without one, what
    hangs together with the water that belongs there.
    """
    grid = looked.chart.grid
    pose_px = CHART_PX if looked.laid is None else POSE_M / grid.pixel_m
    permanent = expected.permanent_water(scene.references, grid)
    baseline: Baseline | None = scene.baseline
    if baseline is None:
        if permanent is None:
            return Abstained("no baseline of this place yet, and the site names no permanent water here")
        return permanent, pose_px, _joined(looked.wet, permanent, pose_px)
    before = baseline.before(grid)
    if isinstance(before, Missing):
        if permanent is None:
            return Abstained(before.reason)
        return permanent, pose_px, _joined(looked.wet, permanent, pose_px)
    fit = laid_over(looked.chart, before, within_m=max(WITHIN_M, 8 * grid.pixel_m))
    if isinstance(fit, Unregistered):
        if permanent is None:
            return Abstained(f"it does not fit onto {before.version}: {fit.reason}")
        return permanent, pose_px, _joined(looked.wet, permanent, pose_px)
    past = _past_water(before, looked)
    back = replace(fit, matrix=np.asarray(np.linalg.inv(fit.matrix), np.float64))
    there = back.onto(past.astype(np.uint8), nearest=True) > 0
    if permanent is not None:
        there |= back.onto(permanent.astype(np.uint8), nearest=True) > 0
    wet = looked.wet
    if looked.likely is not None:
        past_rgb = np.asarray(back.onto(before.chart.rgb), np.uint8)
        shown = back.onto(before.chart.known.astype(np.uint8), nearest=True) > 0
        wet = _risen(looked, past_rgb, np.asarray(shown), there)
    return there, max(CHART_PX, 2.0 * fit.error_m / grid.pixel_m), wet


def _joined(wet: Mask, permanent: Mask, error_px: float) -> Mask:
    """Return the water that hangs together with the water that belongs there: no paddy, no pool."""
    side = 2 * max(round(error_px), 1) + 1
    near = cv2.dilate(permanent.astype(np.uint8), cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side)))
    return np.asarray(water.grown_back(wet & (near > 0), wet))


def _risen(looked: _View, past: npt.NDArray[np.uint8], shown: Mask, belongs: Mask) -> Mask:
    """Return today's water where the ground looks other than before; trees that stand in it count as flooded.

    From ground that is surely water and surely changed it is followed to where it is likely. Where the
    baseline shows nothing, what hangs together with that counts.
    """
    assert looked.likely is not None
    both = shown & looked.chart.known
    dry = both & (looked.likely < DRY)
    share = differs(looked.chart.rgb, past, dry=dry, pixel_m=looked.chart.grid.pixel_m)
    changed = both & (share > DIFFERS)
    seed_px = max(round(SEED_M / looked.chart.grid.pixel_m), 1)
    strong = _narrower((looked.likely > LIKELY) & both & (share > SURELY), seed_px)
    whole = water.grown_back(strong, (looked.likely > MAY_BE) & changed)
    hole_px = HOLE_M2 / looked.chart.grid.pixel_m2
    beyond = looked.wet & looked.chart.known & ~shown
    joined = water.grown_back(whole, whole | beyond | (looked.wet & belongs))
    return np.asarray(_filled(joined, hole_px) & looked.chart.known)


def differs(
    now: npt.NDArray[np.uint8], past: npt.NDArray[np.uint8], *, dry: Mask, pixel_m: float
) -> npt.NDArray[np.float32]:
    """Return how other ground looks than before, as a share of its brightness.

    What the light did to ground that is dry on both days is taken out.
    """
    width = max(SOFT_M / pixel_m, 0.8)
    soft = [cv2.GaussianBlur(v.astype(np.float32), (0, 0), width) for v in (now, past)]
    gain = np.ones(3, np.float32)
    if dry.mean() > FEWEST_DRY:
        gain = np.median(soft[0][dry] / np.maximum(soft[1][dry], 8.0), axis=0).astype(np.float32)
    off = np.abs(soft[0] - soft[1] * gain).sum(axis=-1)
    level = np.maximum((soft[0] + soft[1] * gain).sum(axis=-1) / 2, 60.0)
    return np.asarray(off / level, np.float32)


def _narrower(mask: Mask, px: int) -> Mask:
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * px + 1, 2 * px + 1))
    return np.asarray(cv2.erode(mask.astype(np.uint8), kernel) > 0)


def _filled(mask: Mask, hole_px: float) -> Mask:
    """Return a mask whose holes up to a size are closed."""
    _, labels = cv2.connectedComponents((~mask).astype(np.uint8), connectivity=4)
    small = np.bincount(labels.ravel()) <= hole_px
    small[0] = False
    return np.asarray(mask | small[labels])


def _past_water(before: Before, looked: _View) -> Mask:
    """Return where there was water before: kept with the baseline, else told from its picture."""
    if before.water is not None:
        return before.water
    if before.chart.has("green", "nir"):
        return water.by_index(before.chart)
    likely = water_model.shipped()(before.chart.rgb)
    return (likely > LIKELY) & before.chart.known


def _certainty(shape: Polygon, looked: _View) -> float:
    """Return how sure it is: by the segmenter's own word, and by how large it is."""
    large = min(float(shape.area) / 200.0, 1.0)
    if looked.likely is None:
        return 0.8 + 0.15 * large
    inside = np.zeros(looked.wet.shape, np.uint8)
    cv2.fillPoly(inside, [np.round(np.asarray(shape.exterior.coords)).astype(np.int32)], 1)
    word = float(looked.likely[(inside > 0) & looked.wet].mean()) if (inside > 0).any() else LIKELY
    return min(word, 0.95) * (0.7 + 0.3 * large)


def _facts(shape: Polygon, looked: _View, belongs: Mask, scene: Scene) -> dict[str, Fact]:
    grid = looked.chart.grid
    facts: dict[str, Fact] = {"area_m2": round(grid.area_m2(shape), 1)}
    if names := expected.reached(scene.references, grid, shape):
        facts["reached"] = names
    rise = _rise(shape, looked, belongs, scene)
    if rise is not None:
        facts["rise_m"] = rise
    return facts


def _rise(shape: Polygon, looked: _View, belongs: Mask, scene: Scene) -> tuple[float, float, float] | None:
    """Return how far the water stands over where it belongs, low, middle and high in metres.

    The elevation model is read along both edges: where the flood ends on land, and where the bed does.
    """
    if scene.ground is None:
        return None
    grid = looked.chart.grid
    land = ~(looked.wet | belongs) & looked.chart.known
    edge = _edge(shape, grid, near=land)
    bank = _edge(shape, grid, near=belongs)
    if len(edge) < flood.FEWEST or len(bank) < flood.FEWEST:
        return None
    return flood.above(edge, bank, ground=scene.ground)


def _edge(shape: Polygon, grid: Grid, *, near: Mask) -> Sequence[tuple[float, float]]:
    """Return the points (latitude, longitude) along a polygon's border that lie beside a mask."""
    points = np.array([shape.exterior.interpolate(d).coords[0] for d in np.arange(0, shape.length, 4.0)])
    if not len(points):
        return []
    beside = cv2.dilate(near.astype(np.uint8), np.ones((5, 5), np.uint8))
    columns = np.clip(points[:, 0].astype(int), 0, grid.width - 1)
    rows = np.clip(points[:, 1].astype(int), 0, grid.height - 1)
    at_rim = (columns < 3) | (rows < 3) | (columns > grid.width - 4) | (rows > grid.height - 4)
    chosen = points[(beside[rows, columns] > 0) & ~at_rim]
    if not len(chosen):
        return []
    lat, lon = grid.to_places(chosen)
    return list(zip(lat.tolist(), lon.tolist(), strict=True))


def _box(ring: np.ndarray[tuple[int, ...], np.dtype[np.float64]], frame: Frame) -> Box:
    width, height = frame.shot.camera.width_px, frame.shot.camera.height_px
    (left, top), (right, bottom) = ring.min(axis=0), ring.max(axis=0)
    return Box(float(max(left, 0)), float(max(top, 0)), float(min(right, width)), float(min(bottom, height)))
