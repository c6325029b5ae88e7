"""Water that should not be there, by night: told by how warm it is.

By night water keeps the day's warmth while fields and crowns lose theirs, so it stands out, smooth and all
alike. The river itself is the measure: where it runs for sure, the picture shows how warm its water is just
now; ground as warm as that which hangs together with it is under the same water. Asphalt, gravel and yards
keep warm as well, until midnight as warm as water, later not. So it looks between midnight and sunrise alone,
and abstains where too little of the river or of cooler land is seen, as in fog, rain and wind. Pictures of
an unknown scale are read by the same rule, in deviations.
"""

from dataclasses import dataclass
from datetime import UTC

import numpy as np
import numpy.typing as npt
from shapely.geometry import Polygon

from missions.model import Hazard, Sensor
from vision import expected, orthophoto, told
from vision.baselines import Before
from vision.chart import Grid, Mask, polygons, smoothed
from vision.comparison import box_of, outline_of
from vision.detectors import Abstained, Found
from vision.detectors.flood import excess
from vision.frame import Frame
from vision.georeference import Unplaced
from vision.model import Detection, Fact
from vision.morphology import filled, grown_back, narrower, opened, wider
from vision.orthophoto import Projection
from vision.scene import Scene
from vision.sun import elevation_deg

NAME = "flood by night 1"
POSE_M = 8.0
"""So far the water's edge may seem to be off by the camera's pose alone (99 %)."""

NIGHT_DEG, NOON_H = 0.0, 12.0
SURE_INSIDE_M, LEAST_SURE_M2 = 5.0, 60.0
"""So far inside its bed a river runs for sure; and of so much of it its warmth is read."""

LAND_FROM_M = 25.0
"""Ground farther than this from the bed tells how warm land is."""

LEAST_CONTRAST_K, LEAST_CONTRAST = 3.0, 4.0
"""Land must be cooler than the river by so much, and by so many deviations of the river."""

ALIKE, OTHER = 0.35, 0.6
"""Ground within the first share of the contrast is as warm as the river, from the second on it is land."""

LEAST_LAND, MOST_BETWEEN = 0.06, 0.2
"""So much of a picture must be land, and no more may be neither land nor water, else the two run together."""

NARROW_M, SEED_M = 2.0, 3.5
"""A strip narrower than twice the first is left out; beyond the error a flood is wider than a road."""

LEAST_M2, HOLE_M2 = 150.0, 120.0
_TO_SIGMA = 1.4826

Values = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Warmth:
    """How warm the river and the land are in one picture, and how far the river's own water scatters."""

    river: float
    land: float
    scatter: float

    @property
    def contrast(self) -> float:
        """How much warmer the river is than land."""
        return self.river - self.land

    def off(self, warm: Values) -> Values:
        """Return how far ground is off the river's warmth towards land's, as a share of the contrast."""
        return np.asarray((warm - self.river) / (self.land - self.river), np.float32)


class FloodThermal:
    """Finds water outside its bed in thermal frames that have a pose and were taken by night."""

    name = NAME
    hazards = frozenset({Hazard.FLOOD})

    def reads(self, frame: Frame) -> bool:
        """Return whether it is a thermal picture."""
        return frame.shot.camera.sensor is Sensor.THERMAL and frame.chart is None

    def detect(self, frame: Frame, scene: Scene) -> Found:
        """Return the water that should not be there, or why that cannot be told."""
        if reason := _not_by_night(frame):
            return Abstained(reason)
        if scene.ground is None:
            return Abstained("without a place on the ground a flood cannot be told from a river in its bed")
        laid = orthophoto.projected(frame, scene.ground)
        if isinstance(laid, Unplaced):
            return Abstained(f"not laid on the ground: {laid.reason}")
        belongs = _belongs(scene, laid.grid)
        if isinstance(belongs, Abstained):
            return belongs
        warm = np.asarray(laid.onto(_warmth(frame)), np.float32)
        read = warmth(warm, belongs, laid.seen, laid.grid.pixel_m, in_k=frame.celsius is not None)
        if isinstance(read, Abstained):
            return read
        out = flooded(warm, belongs, laid.seen, laid.grid.pixel_m, read)
        shapes = [smoothed(p) for p in polygons(out, at_least_px=LEAST_M2 / laid.grid.pixel_m2)]
        return tuple(self._detection(shape, laid, read, frame, scene) for shape in shapes)

    def _detection(
        self, shape: Polygon, laid: Projection, read: Warmth, frame: Frame, scene: Scene
    ) -> Detection:
        in_picture = laid.to_picture(np.asarray(shape.exterior.coords))
        grid = laid.grid
        facts: dict[str, Fact] = {"area_m2": round(grid.area_m2(shape), 1)}
        if frame.celsius is not None:
            facts["water_c"] = round(read.river, 1)
            facts["land_c"] = round(read.land, 1)
        if reached := expected.reached(scene.references, grid, shape):
            facts |= {"reached": reached, "reached_counts": told.counts(reached)}
        sure = min(read.contrast / max(read.scatter, 1e-3) / 20.0, 1.0)
        return Detection(
            hazard=Hazard.FLOOD,
            confidence=round(0.4 + 0.3 * sure + 0.2 * min(float(shape.area) / 1000.0, 1.0), 3),
            box=box_of(in_picture, frame.shot.camera),
            detector=self.name,
            sensor=Sensor.THERMAL,
            pixels=round(shape.area),
            outline_px=outline_of(in_picture),
            ground=grid.area(shape),
            facts=facts,
        )


def warmth(warm: Values, belongs: Mask, known: Mask, pixel_m: float, *, in_k: bool) -> Warmth | Abstained:
    """Return how warm river and land are; `in_k` says that the values are kelvins apart."""
    sure = narrower(belongs, _px(SURE_INSIDE_M, pixel_m)) & known
    if sure.sum() * pixel_m**2 < LEAST_SURE_M2:
        return Abstained("too little of the river is seen to read how warm its water is")
    river, scatter = _middle(warm[sure])
    least = max(LEAST_CONTRAST * scatter, LEAST_CONTRAST_K if in_k else 0.0)
    dry = warm[known & ~wider(belongs, _px(LAND_FROM_M, pixel_m))]
    land = dry[dry < river - least]
    if len(land) < LEAST_LAND * known.sum():
        return Abstained("too little land is cooler than the water to tell them apart")
    read = Warmth(river, float(np.median(land)), scatter)
    off = read.off(dry)
    if ((off > ALIKE) & (off < OTHER)).sum() > MOST_BETWEEN * known.sum():
        return Abstained("how warm land is runs together with how warm the water is")
    return read


def flooded(warm: Values, belongs: Mask, known: Mask, pixel_m: float, read: Warmth) -> Mask:
    """Return ground as warm as the river and joined to it, out of its bed by more than the error."""
    error_px = max(POSE_M / pixel_m, 1.0)
    like = opened((np.abs(read.off(warm)) < ALIKE) & known, _px(NARROW_M, pixel_m))
    like = filled(like, HOLE_M2 / pixel_m**2) & known
    water = grown_back(like & wider(belongs, round(error_px)), like)
    out = excess(water, belongs, error_px=error_px)
    seeds = narrower(out & ~wider(belongs, round(error_px)), _px(SEED_M, pixel_m))
    return grown_back(seeds, opened(out, _px(NARROW_M, pixel_m)))


def _belongs(scene: Scene, grid: Grid) -> Mask | Abstained:
    """Return where water belongs: by the site's vectors, or by the extent that a baseline shows."""
    permanent = expected.permanent_water(scene.references, grid)
    if permanent is not None:
        return permanent
    before = scene.baseline.before(grid) if scene.baseline is not None else None
    if isinstance(before, Before) and before.water is not None and before.water.any():
        return before.water
    return Abstained("no baseline of this place yet that shows its water, and the site names none here")


def _not_by_night(frame: Frame) -> str | None:
    pose, at = frame.shot.pose, frame.shot.taken_at
    if pose is None or at is None:
        return "it says neither where nor when it was taken, so nobody knows whether it was night"
    if elevation_deg(pose.place, at) > NIGHT_DEG:
        return "by day the sun warms land as it likes: water is told by colour then"
    utc = at.astimezone(UTC)
    solar_h = (utc.hour + utc.minute / 60.0 + pose.place.lon_deg / 15.0) % 24.0
    if solar_h > NOON_H:
        return "before midnight gravel, yards and roads are still as warm as water"
    return None


def _warmth(frame: Frame) -> Values:
    """Return °C, or how warm in steps of a scale that nobody knows."""
    if frame.celsius is not None:
        return np.asarray(np.nan_to_num(frame.celsius, nan=-1e3), np.float32)
    assert frame.warmth is not None
    return frame.warmth


def _middle(values: Values) -> tuple[float, float]:
    """Return the median and one deviation, by the median of deviations."""
    middle = float(np.median(values))
    return middle, float(_TO_SIGMA * np.median(np.abs(values - middle)))


def _px(metres: float, pixel_m: float) -> int:
    return max(round(metres / pixel_m), 1)
