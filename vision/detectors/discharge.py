"""What an outfall lets into a river: warmer, colder or coloured water below it, against the water above it.

The river is straightened and every cell below a known outfall is compared with those above it at the same
distance from the bank, in the same picture: season, hour, weather and the camera's own offset are in both
and fall out. What changes along the whole width (a lens that darkens to its corners, a slope of light) is
taken from the far side. A plume is what is left: it begins at the outfall, lies on its side, and is long
for its width.
"""

from dataclasses import dataclass, replace

import cv2
import numpy as np
import numpy.typing as npt
from scipy import ndimage

from missions.geo import Floats
from missions.layers import Outfall, River
from missions.model import Hazard, Sensor
from vision import orthophoto
from vision.chart import Grid, Mask
from vision.comparison import box_of, is_colour, outline_of, unseen
from vision.detectors import Abstained, Found
from vision.frame import Frame
from vision.georeference import Unplaced
from vision.model import Detection, Fact
from vision.orthophoto import Projection
from vision.scene import Scene
from vision.watercourse import Reach, station_left, straightened

ABOVE_M, BELOW_M, GAP_M = 70.0, 110.0, 12.0  # the gap is what a pose may be off along the river
LEAST_ABOVE_M, LEAST_BELOW_M = 10.0, 12.0
BESIDE_M = 8.0  # so far beyond its half-width the river is looked for: the pose is metres off
BANK_M = 2.5  # the cells at a bank hold stones and hanging branches
SHOAL_K, SHOAL_LAB = 2.2, 14.0  # water along a bank may differ so much from the middle of the stream
LEAST_WIDE_M = 5
BEGINS_M = 24.0  # a plume shows no later than this below its outfall
LEAST_LONG_M, LEAST_M2 = 12.0, 16.0  # counted from the outfall
WARMER_K, WARMER_DEVIATIONS = 0.5, 4.5
COLDER_K = 1.0  # shade and a riffle cool water a little; what is let in cold is told from more on
TINT, TINT_DEVIATIONS = 6.0, 5.0
CHART_M = 0.3
AT_RIVER_M = 30.0


@dataclass(frozen=True, slots=True, eq=False)
class Plume:
    """A plume in the cells of a reach: which, how far it differs (K, or steps of Lab), by what noise."""

    cells: Mask
    differs: Floats
    noise: float
    long_m: float
    open_end: bool


class Discharge:
    """Finds plumes at known outfalls in frames of °C and in colour frames that have a pose."""

    name = "discharge 1"
    hazards = frozenset({Hazard.DISCHARGE})

    def reads(self, frame: Frame) -> bool:
        """Return whether it is a picture of temperatures or of colour."""
        return frame.celsius is not None or is_colour(frame)

    def detect(self, frame: Frame, scene: Scene) -> Found:
        """Return a plume for each outfall that has one, or why none can be told."""
        if not scene.references.outfalls:
            return Abstained("the site names no outfalls: where a discharge would begin is not known")
        if frame.celsius is None and (reason := unseen(frame)):
            return Abstained(reason)
        if scene.ground is None:
            return Abstained("without a place on the ground no outfall can be found in it")
        laid = orthophoto.projected(frame, scene.ground, pixel_m=CHART_M)
        if isinstance(laid, Unplaced):
            return Abstained(f"not laid on the ground: {laid.reason}")
        values = _bands(frame, laid)
        looked = [
            self._at(outfall, river, values, laid, frame)
            for outfall in scene.references.outfalls
            if (river := _river_of(outfall, scene.references.rivers, laid.grid)) is not None
        ]
        told = [found for found in looked if not isinstance(found, Abstained)]
        if not told:
            return Abstained("it shows no known outfall with enough of the river above and below it")
        return tuple(detection for found in told for detection in found)

    def _at(
        self, outfall: Outfall, river: River, values: Floats, laid: Projection, frame: Frame
    ) -> tuple[Detection, ...] | Abstained:
        """Return the plume at one outfall, nothing, or that too little is seen of it."""
        at = laid.grid.line((outfall.place,))
        station, left = (float(v[0]) for v in station_left(river, laid.grid, at))
        reach = straightened(
            river,
            laid.grid,
            values,
            laid.seen,
            between_m=(station - ABOVE_M, station + BELOW_M),
            reach_m=river.half_width_m + BESIDE_M,
        )
        if reach is None or not _is_enough(reach, station):
            return Abstained("too little of the river is seen above and below the outfall")
        thermal = frame.celsius is not None
        reach = aligned(reach, station, on_left=left > 0, thermal=thermal)
        banks = banks_of(reach, station, thermal=thermal)
        if banks is None:
            return Abstained("the river's banks cannot be told above the outfall")
        plume = plume_of(reach, station, banks=banks, on_left=left > 0, thermal=thermal)
        if plume is None:
            return ()
        return (self._detection(plume, reach, outfall, river, laid, frame),)

    def _detection(
        self,
        plume: Plume,
        reach: Reach,
        outfall: Outfall,
        river: River,
        laid: Projection,
        frame: Frame,
    ) -> Detection:
        ring = _ring(plume, reach, river, laid)
        in_picture = laid.to_picture(ring)
        thermal = frame.celsius is not None
        # Measured some metres off the bank, where a plume is strongest: it is at least so warm.
        differs = float(np.percentile(np.abs(plume.differs[plume.cells]), 98))
        sign = float(np.sign(np.median(plume.differs[plume.cells]))) if thermal else 1.0
        clear = min(differs / (3 * WARMER_DEVIATIONS * plume.noise), 1.0)
        facts: dict[str, Fact] = {
            "outfall": outfall.id,
            "outfall_name": dict(outfall.name),
            "length_m": plume.long_m,
            "area_m2": float(plume.cells.sum()),
            "goes_on_beyond_the_picture": "yes" if plume.open_end else "no",
        }
        facts |= {"warmer_k": round(sign * differs, 2)} if thermal else {"tint_lab": round(differs, 1)}
        return Detection(
            hazard=Hazard.DISCHARGE,
            confidence=round(0.5 + 0.45 * clear * min(plume.long_m / 25.0, 1.0), 3),
            box=box_of(in_picture, frame.shot.camera),
            detector=self.name,
            sensor=Sensor.THERMAL if thermal else Sensor.RGB,
            outline_px=outline_of(in_picture),
            kind="warm" if thermal and sign > 0 else "cold" if thermal else "coloured",
            facts=facts,
        )


def aligned(reach: Reach, station_m: float, *, on_left: bool, thermal: bool) -> Reach:
    """Return the reach with its far bank straight: a drawn river cuts its bends, and a fix is metres off.

    The far bank is the one without the outfall, which no plume reaches. Rows where it is not seen
    move as those beside them.
    """
    values = np.where(reach.known[..., None], reach.values, np.nan)
    middle = values.shape[1] // 2
    core = _median(_median(values[_above(reach, station_m), middle - 2 : middle + 3], axis=0), axis=0)
    dry = np.linalg.norm(values - core, axis=2) > (SHOAL_K if thermal else SHOAL_LAB)
    outward = dry[:, middle::-1] if on_left else dry[:, middle:]
    edge = np.where(outward.any(axis=1), outward.argmax(axis=1), -1).astype(float)
    told = np.flatnonzero(edge > 0)
    if len(told) < LEAST_ABOVE_M:
        return reach
    edge = np.interp(np.arange(len(edge)), told, edge[told])
    smooth = ndimage.gaussian_filter1d(ndimage.median_filter(edge, 15, mode="nearest"), 4)
    shift = np.round(smooth - np.median(smooth[told])).astype(int)
    moved = -shift if on_left else shift
    columns = np.arange(values.shape[1])[None] + moved[:, None]
    inside = (columns >= 0) & (columns < values.shape[1])
    rows = np.arange(len(values))[:, None]
    safe = np.clip(columns, 0, values.shape[1] - 1)
    counts = np.where(inside, reach.counts[rows, safe], 0)
    return replace(reach, values=reach.values[rows, safe], counts=counts, moved=moved)


def banks_of(reach: Reach, station_m: float, *, thermal: bool) -> slice | None:
    """Return the columns that are water for sure, None where the banks cannot be told.

    Above the outfall water is alike along the river and nearly so across it; the first column to
    either side that is not is the bank, and the metres before it are left out.
    """
    above = _above(reach, station_m)
    values = np.where(reach.known[..., None], reach.values, np.nan)[above]
    profile = _median(values, axis=0)
    middle = profile.shape[0] // 2
    core = _median(profile[middle - 2 : middle + 3], axis=0)
    departs = np.linalg.norm(profile - core, axis=1)
    scatter = np.linalg.norm(_median(np.abs(values - profile), axis=0), axis=1)
    calm = float(np.nanmedian(scatter[middle - 2 : middle + 3]))
    wet = (departs < (SHOAL_K if thermal else SHOAL_LAB)) & (scatter < 3 * calm + (0.25 if thermal else 2.0))
    dry = np.flatnonzero(~wet)
    right, left = dry[dry < middle].max(initial=-1), dry[dry > middle].min(initial=len(wet))
    seen = ~wet & np.isfinite(departs)
    if not (seen[:middle].any() and seen[middle:].any()):
        return None
    first, last = int(right + 1 + BANK_M + 0.5), int(left - BANK_M)
    return slice(first, last) if last - first >= LEAST_WIDE_M else None


def plume_of(reach: Reach, station_m: float, *, banks: slice, on_left: bool, thermal: bool) -> Plume | None:
    """Return the plume that begins at a place of a straightened river, None where the water is alike."""
    differs, noise = differences(reach, station_m, banks=banks, on_left=on_left, thermal=thermal)
    if thermal:
        level = max(WARMER_K, WARMER_DEVIATIONS * noise)
        parts = [differs > level, differs < -max(level, COLDER_K)]
    else:
        level = max(TINT, TINT_DEVIATIONS * noise)
        parts = [differs > level]
    for part in parts:
        closed = ndimage.binary_closing(part & reach.known, np.ones((3, 3)))
        label, count = ndimage.label(ndimage.binary_opening(closed, np.ones((2, 2))))
        for number in range(1, count + 1):
            plume = _checked(
                np.asarray(label == number),
                differs,
                noise,
                reach,
                reach.row_of(station_m),
                banks,
                on_left=on_left,
            )
            if plume is not None:
                return plume
    return None


def differences(
    reach: Reach, station_m: float, *, banks: slice, on_left: bool, thermal: bool
) -> tuple[Floats, float]:
    """Return how each cell differs from those above the outfall at its distance from the bank, and the noise.

    Cells that are no sure water differ by nothing.
    """
    above = _above(reach, station_m)
    values = np.where(reach.known[..., None], reach.values, np.nan)
    off = values - _median(values[above], axis=0)
    wide = banks.stop - banks.start
    near_far = (wide // 6, wide // 2) if on_left else (wide - wide // 2, wide - wide // 6)
    far = slice(banks.start + near_far[0], banks.start + near_far[1])
    off = np.nan_to_num(off - _smoothed(_median(off[:, far], axis=1))[:, None])
    water = np.zeros(off.shape[:2], bool)
    water[:, banks] = reach.known[:, banks]
    weight = ndimage.uniform_filter(water.astype(float), 3)
    summed = [ndimage.uniform_filter(np.where(water, off[..., b], 0.0), 3) for b in range(off.shape[2])]
    off = np.stack(summed, axis=-1) / np.maximum(weight, 1e-6)[..., None] * water[..., None]
    quiet = off[above][water[above]]
    spread = 1.4826 * np.median(np.abs(quiet), axis=0)
    if thermal:
        return np.asarray(off[..., 0]), max(float(spread[0]), 0.03)
    return np.asarray(np.linalg.norm(off, axis=2)), max(float(np.linalg.norm(spread)), 0.3)


def _above(reach: Reach, station_m: float) -> slice:
    return slice(0, max(reach.row_of(station_m) - int(GAP_M), 0))


def _checked(
    cells: Mask, differs: Floats, noise: float, reach: Reach, mouth: int, banks: slice, *, on_left: bool
) -> Plume | None:
    """Return the cells as a plume, None where they begin elsewhere, lie on the other side or are a speck."""
    rows, columns = np.nonzero(cells)
    first, last = int(rows.min()), int(rows.max())
    long_m = float(last - max(first, mouth) + 1)
    if long_m < LEAST_LONG_M or len(rows) < LEAST_M2:
        return None
    if not mouth - GAP_M <= first <= mouth + BEGINS_M:
        return None
    half = (banks.start + banks.stop - 1) / 2
    if (float(columns.mean()) > half) != on_left:
        return None
    seen_to = int(np.flatnonzero(reach.known.any(axis=1)).max())
    return Plume(cells, differs, noise, long_m, last >= seen_to - 2)


def _bands(frame: Frame, laid: Projection) -> Floats:
    """Return temperatures, or lightness and colour (CIE Lab), on the ground."""
    if frame.celsius is not None:
        return np.asarray(laid.onto(frame.celsius.astype(np.float32)), float)[..., None]
    assert frame.pixels is not None
    lab = cv2.cvtColor(frame.pixels.astype(np.float32) / 255, cv2.COLOR_RGB2Lab)
    return np.asarray(laid.onto(cv2.GaussianBlur(lab, (0, 0), 1.2)), float)


def _river_of(outfall: Outfall, rivers: tuple[River, ...], grid: Grid) -> River | None:
    """Return the river an outfall lets into, None where none is near or the outfall is not on the grid."""
    at = grid.line((outfall.place,))
    if not (0 <= at[0, 0] < grid.width and 0 <= at[0, 1] < grid.height):
        return None
    near = [
        (abs(float(station_left(river, grid, at)[1][0])) - river.half_width_m, river)
        for river in rivers
        if len(river.line) > 1
    ]
    best = min(near, key=lambda found: found[0], default=None)
    return best[1] if best and best[0] < AT_RIVER_M else None


def _is_enough(reach: Reach, station_m: float) -> bool:
    """Return whether enough of the river is seen above and below."""
    rows = (reach.known.mean(axis=1) > 0.5).astype(int)
    mouth = reach.row_of(station_m)
    above, below = rows[: max(mouth - int(GAP_M), 0)].sum(), rows[mouth:].sum()
    return bool(above >= LEAST_ABOVE_M and below >= LEAST_BELOW_M)


def _ring(plume: Plume, reach: Reach, river: River, laid: Projection) -> Floats:
    """Return the ring of grid pixels around a plume's cells."""
    rows, columns = np.nonzero(laid.seen)
    station, left = station_left(river, laid.grid, np.column_stack([columns + 0.5, rows + 0.5]))
    down = (station - reach.first_m).astype(int)
    across = (left + reach.reach_m).astype(int)
    if reach.moved is not None:
        across = across - reach.moved[np.clip(down, 0, len(reach.moved) - 1)]
    inside = (down >= 0) & (down < plume.cells.shape[0]) & (across >= 0) & (across < plume.cells.shape[1])
    mask = np.zeros(laid.grid.shape, np.uint8)
    mask[rows[inside], columns[inside]] = plume.cells[down[inside], across[inside]]
    shapes, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    largest = max(shapes, key=cv2.contourArea)
    ring = cv2.approxPolyDP(largest, 1.5, True)[:, 0].astype(float) + 0.5
    return np.vstack([ring, ring[:1]])


def _median(values: npt.NDArray[np.float64], axis: int) -> Floats:
    """Return medians without the warning that numpy gives where nothing is known."""
    known = np.isfinite(values).any(axis=axis)
    filled = np.where(np.expand_dims(known, axis), values, 0.0)
    return np.asarray(np.where(known, np.nanmedian(filled, axis=axis), np.nan))


def _smoothed(along: Floats) -> Floats:
    """Return the trend along the river: medians over eleven metres, unknown rows without any."""
    filled = np.nan_to_num(along)
    return np.stack(
        [ndimage.median_filter(filled[:, b], 11, mode="nearest") for b in range(filled.shape[1])], axis=-1
    )
