"""Water that should not be there.

Water is seen first: by its index where the picture has near infrared, by a segmenter where it has colour
alone. It is laid on the ground and compared with what belongs there: the site's rivers and lakes, and the
extent that a baseline shows. What is left is a flood if it reaches further than the two may be apart by
error; a river in its bed leaves nothing. Without either there is nothing to compare with, and the
detector says so. Laying a picture on its baseline costs ten times as much as all before it, so it is done
only where the picture alone leaves room for a flood.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
from shapely.geometry import Polygon

from missions.model import Hazard, Sensor
from vision import expected, flood, told, water_model
from vision.baselines import Baseline, Missing
from vision.chart import Chart, Grid, Mask, polygons, smoothed
from vision.comparison import Laid, box_of, inside, is_colour, on_ground, outline_of, registered, unseen
from vision.detectors import Abstained, Found
from vision.frame import Frame
from vision.inundation import Day, differs, may_be_risen, risen
from vision.model import Detection, Fact
from vision.morphology import filled, grown_back, narrower, small, wider
from vision.registration import Registered
from vision.scene import Scene
from vision.water_model import LIKELY

NAME = "flood 1"

CHART_PX = 1.5
LEAST_M2, LEAST_PX = 60.0, 10
DRY, MAY_BE_WET = 0.3, 0.4
LEAST_SURE = 0.55
"""What is less sure is not told: paddies beside a river that are newly under water have .51 to .53."""

MAY_BE = 0.12
"""Water where it adjoins sure water on ground that has changed."""

DIFFERS, SURELY = 0.16, 0.3
"""Ground looks other than before from this share of its brightness on, summed over colours."""

SEED_M = 2.0
"""A flood holds ground of this radius that is surely water and surely changed."""

HOLE_M2 = 120.0
"""Trees and roofs up to this size that stand in water are in the flood."""

ALONE_M2 = 500.0
"""Where no river is in sight, colour tells water from this size on: roofs seen aslant are grey and new."""

BANK_M = 4.0
"""An edge this near to the bed is its bank's."""

LEVEL_M = 0.3
"""An elevation model that varies less over a look tells nothing of where water stands."""

_NODE_PX, _COARSE = 8, 16
_ALONE = "what looks like water may be a field or a roof: too little of a river of the site is in sight"


@dataclass(frozen=True, slots=True, eq=False)
class _View:
    """One look laid on the ground: its chart, where it shows water, and how sure that is."""

    laid: Laid
    wet: Mask
    likely: water_model.Shares | None

    @property
    def chart(self) -> Chart:
        return self.laid.chart


@dataclass(frozen=True, slots=True, eq=False)
class _Past:
    """How the look's ground was before, on its own grid: picture, water, how likely, what laid it there."""

    chart: Chart
    wet: Mask
    likely: water_model.Shares | None
    back: Registered
    error_m: float

    def onto_today(self, mask: Mask) -> Mask:
        """Return a mask of before's grid where today has it."""
        return np.asarray(self.back.onto(mask.astype(np.uint8), nearest=True) > 0)


@dataclass(frozen=True, slots=True, eq=False)
class _Out:
    """Where water belongs, where it stands out of there, and all the water of the day."""

    belongs: Mask
    out: Mask
    wet: Mask


class Flood:
    """Finds water outside its bed in colour frames that have a pose, and in charts."""

    name = NAME
    hazards = frozenset({Hazard.FLOOD})

    def __init__(self, model: Path | None = None) -> None:
        self._model = model

    def reads(self, frame: Frame) -> bool:
        """Return whether it is a colour picture."""
        return is_colour(frame)

    def detect(self, frame: Frame, scene: Scene) -> Found:
        """Return the water that should not be there, or why that cannot be told.

        A picture from a camera is laid on its baseline only where the look alone leaves room for a flood:
        where it shows a river of the site, and what may be its water outside its bed. One without any such
        water has been looked at, and is clear. One without a river in sight tells no flood, for fields and
        roofs that changed look like water too: if it shows what may be water, it is not searched.
        """
        if reason := unseen(frame):
            return Abstained(reason)
        laid = on_ground(frame, scene, else_unknown="a flood cannot be told from a river in its bed")
        if isinstance(laid, Abstained):
            return laid
        permanent = expected.permanent_water(scene.references, laid.chart.grid)
        if permanent is None and (reason := _unknown(laid.chart.grid, scene)):
            return Abstained(reason)
        looked = self._seen(frame, laid)
        if laid.by is not None:
            may_be = _may_be_out(looked, permanent)
            if not may_be or isinstance(may_be, Abstained):
                return may_be or ()
        known = _compared(looked, permanent, scene)
        if isinstance(known, Abstained):
            return known
        least_px = max(LEAST_M2 / looked.chart.grid.pixel_m2, LEAST_PX)
        shapes = [smoothed(p) for p in polygons(known.out, at_least_px=least_px)]
        seen = replace(looked, wet=known.wet)
        found = (self._detection(shape, seen, known.belongs, frame, scene) for shape in shapes)
        return tuple(d for d in found if d.confidence >= LEAST_SURE)

    def _seen(self, frame: Frame, laid: Laid) -> _View:
        """Return the frame on the ground with its water."""
        model = water_model.loaded(self._model) if self._model else water_model.shipped()
        if laid.by is None:
            return _View(laid, *water_model.extent(laid.chart, model))
        assert frame.pixels is not None
        likely = np.asarray(laid.by.onto(model(frame.pixels)), np.float32)
        return _View(laid, (likely > LIKELY) & laid.chart.known, likely)

    def _detection(
        self, shape: Polygon, looked: _View, belongs: Mask, frame: Frame, scene: Scene
    ) -> Detection:
        grid = looked.chart.grid
        in_picture = looked.laid.to_picture(np.asarray(shape.exterior.coords))
        return Detection(
            hazard=Hazard.FLOOD,
            confidence=round(_certainty(shape, looked), 3),
            box=box_of(in_picture, frame.shot.camera),
            detector=self.name,
            sensor=Sensor.RGB,
            pixels=round(shape.area),
            outline_px=outline_of(in_picture),
            ground=grid.area(shape),
            facts=_facts(shape, looked, belongs, scene),
        )


def excess(wet: Mask, belongs: Mask, *, error_px: float) -> Mask:
    """Return water outside where it belongs: whole parts that reach further out than the error."""
    out = wet & ~belongs
    near = wider(belongs, max(round(error_px), 1))
    core = cv2.morphologyEx((out & ~near).astype(np.uint8), cv2.MORPH_OPEN, np.ones((2, 2), np.uint8))
    return grown_back(core > 0, out)


def _unknown(grid: Grid, scene: Scene) -> str | None:
    """Return why nothing is known of what a grid's ground was before, None where something is."""
    if scene.baseline is None:
        return "no baseline of this place yet, and the site names no permanent water here"
    before = scene.baseline.before(grid.coarser(_COARSE))
    return before.reason if isinstance(before, Missing) else None


def _may_be_out(looked: _View, permanent: Mask | None) -> bool | Abstained:
    """Return whether a picture alone leaves room for a flood, or that it cannot tell one."""
    assert looked.likely is not None
    beside = None if permanent is None else may_be_risen(Day(looked.chart, looked.likely), permanent)
    if beside is not None:
        return beside
    wet = (looked.likely > MAY_BE_WET) & looked.chart.known
    if (wet & ~small(wet, ALONE_M2 / 2 / looked.chart.grid.pixel_m2)).any():
        return Abstained(_ALONE)
    return False


def _compared(looked: _View, permanent: Mask | None, scene: Scene) -> _Out | Abstained:
    """Return where water belongs on the look's grid, where it is out of there, and all of today's water.

    Where the site says that a river runs, its own water is the measure. Elsewhere, in a chart, today's water
    is what looks like water *and* no more as it did in the baseline.
    """
    grid = looked.chart.grid
    past = _past(looked, scene)
    if isinstance(past, Abstained) and permanent is None:
        return past
    if permanent is not None and looked.likely is not None:
        beside = _beside_river(looked, None if isinstance(past, Abstained) else past, permanent, scene)
        if beside is not None:
            return beside
    if looked.laid.by is not None:
        return Abstained(_ALONE)
    if isinstance(past, Abstained):
        assert permanent is not None
        wet = _joined(looked.wet, permanent, CHART_PX)
        return _Out(permanent, excess(wet & looked.chart.known, permanent, error_px=CHART_PX), wet)
    there = past.wet if permanent is None else past.wet | past.onto_today(permanent)
    wet = looked.wet if looked.likely is None else _risen(looked, past.chart, there)
    error_px = max(CHART_PX, 2.0 * past.error_m / grid.pixel_m)
    out = excess(wet & looked.chart.known, there, error_px=error_px)
    if looked.likely is not None:
        out &= ~small(out | there, ALONE_M2 / grid.pixel_m2)
    return _Out(there, out, wet)


def _past(looked: _View, scene: Scene) -> _Past | Abstained:
    """Return how the look's ground was before, on its own grid, or why that is not known."""
    baseline: Baseline | None = scene.baseline
    if baseline is None:
        return Abstained("no baseline of this place yet, and the site names no permanent water here")
    before = baseline.before(looked.chart.grid)
    if isinstance(before, Missing):
        return Abstained(before.reason)
    fit = registered(looked.chart, before)
    if isinstance(fit, Abstained):
        return fit
    back = replace(fit, matrix=np.asarray(np.linalg.inv(fit.matrix), np.float64))
    known = back.onto(before.chart.known.astype(np.uint8), nearest=True) > 0
    chart = replace(before.chart, values=back.onto(before.chart.values), known=np.asarray(known))
    wet, likely = water_model.extent(before.chart)
    wet = wet if before.water is None else before.water
    there = np.asarray(back.onto(wet.astype(np.uint8), nearest=True) > 0)
    shares = None if likely is None else np.asarray(back.onto(likely), np.float32)
    return _Past(chart, there, shares, back, fit.error_m)


def _beside_river(looked: _View, past: _Past | None, permanent: Mask, scene: Scene) -> _Out | None:
    """Return what the river covers beside its bed, None where too little of the river is seen."""
    assert looked.likely is not None
    belongs = permanent if past is None else past.onto_today(permanent)
    before = Day(past.chart, past.likely) if past and past.likely is not None else None
    found = risen(Day(looked.chart, looked.likely), before, belongs, _height_m(looked.chart.grid, scene))
    return None if found is None else _Out(found.bed, found.flooded, found.flooded | found.bed)


def _height_m(grid: Grid, scene: Scene) -> npt.NDArray[np.float32] | None:
    """Return the elevation model on a grid, None where it does not cover it or is level."""
    if scene.ground is None:
        return None
    columns, rows = (np.arange(0, n + _NODE_PX, _NODE_PX) for n in (grid.width, grid.height))
    at = np.meshgrid(columns + _NODE_PX / 2, rows + _NODE_PX / 2)
    height = scene.ground.elevation_m(*grid.to_places(np.column_stack([a.ravel() for a in at])))
    if not np.isfinite(height).all() or float(np.ptp(height)) < LEVEL_M:
        return None
    nodes = np.asarray(height, np.float32).reshape(len(rows), len(columns))
    size = (len(columns) * _NODE_PX, len(rows) * _NODE_PX)
    fine = cv2.resize(nodes, size, interpolation=cv2.INTER_LINEAR)
    return np.asarray(fine[: grid.height, : grid.width], np.float32)


def _joined(wet: Mask, permanent: Mask, error_px: float) -> Mask:
    """Return the water that hangs together with the water that belongs there: no paddy, no pool."""
    return grown_back(wet & wider(permanent, max(round(error_px), 1)), wet)


def _risen(looked: _View, past: Chart, belongs: Mask) -> Mask:
    """Return today's water where the ground looks other than before; trees that stand in it count as flooded.

    From ground that is surely water and surely changed it is followed to where it is likely. Where the
    baseline shows nothing, what hangs together with that counts.
    """
    assert looked.likely is not None
    shown = past.known
    both = shown & looked.chart.known
    dry = both & (looked.likely < DRY)
    share = differs(looked.chart, past, dry=dry)
    changed = both & (share > DIFFERS)
    seed_px = max(round(SEED_M / looked.chart.grid.pixel_m), 1)
    strong = narrower((looked.likely > LIKELY) & both & (share > SURELY), seed_px)
    whole = grown_back(strong, (looked.likely > MAY_BE) & changed)
    hole_px = HOLE_M2 / looked.chart.grid.pixel_m2
    beyond = looked.wet & looked.chart.known & ~shown
    joined = grown_back(whole, whole | beyond | (looked.wet & belongs))
    return np.asarray(filled(joined, hole_px) & looked.chart.known)


def _certainty(shape: Polygon, looked: _View) -> float:
    """Return how sure it is: by the segmenter's own word, and by how large it is."""
    large = min(float(shape.area) / 200.0, 1.0)
    if looked.likely is None:
        return 0.8 + 0.15 * large
    drawn = inside(shape, looked.wet.shape)
    word = float(looked.likely[drawn & looked.wet].mean()) if drawn.any() else LIKELY
    return min(word, 0.95) * (0.7 + 0.3 * large)


def _facts(shape: Polygon, looked: _View, belongs: Mask, scene: Scene) -> dict[str, Fact]:
    grid = looked.chart.grid
    facts: dict[str, Fact] = {"area_m2": round(grid.area_m2(shape), 1)}
    if reached := expected.reached(scene.references, grid, shape):
        facts |= {"reached": reached, "reached_counts": told.counts(reached)}
    return facts | _heights(shape, looked, belongs, scene)


def _heights(shape: Polygon, looked: _View, belongs: Mask, scene: Scene) -> dict[str, Fact]:
    """Return how far the water stands over where it belongs, and how high above the sea, where that is told.

    The elevation model is read along both edges: where the flood ends on land, and where the bed does. Beside
    the bed a gap between the two is its bank, metres lower than where the flood ends.
    """
    if scene.ground is None:
        return {}
    grid = looked.chart.grid
    land = ~(looked.wet | wider(belongs, max(round(BANK_M / grid.pixel_m), 1))) & looked.chart.known
    edge, bank = (_edge(shape, grid, near=mask) for mask in (land, belongs))
    heights = {
        "rise_m": flood.above(edge, bank, ground=scene.ground),
        "level_m": flood.level(edge, ground=scene.ground),
    }
    return {name: value for name, value in heights.items() if value is not None}


def _edge(shape: Polygon, grid: Grid, *, near: Mask) -> Sequence[tuple[float, float]]:
    """Return the points (latitude, longitude) along a polygon's border that lie beside a mask."""
    steps = np.arange(0, shape.length, flood.EVERY_M / grid.pixel_m)
    points = np.array([shape.exterior.interpolate(d).coords[0] for d in steps])
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
