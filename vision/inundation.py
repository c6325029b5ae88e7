"""Which ground beside a river its water covers, when the site says where the river runs.

The river itself is the measure. Where it runs for sure, a picture shows what its water looks like that day
(colour and smoothness, by medians and their scatter); ground that looks the same and hangs together with it
is under the same water, a paddy of another colour is not. The bed is read from the earlier picture the
same way, and the site's polygon is moved onto it: poses put either metres off. Trees hide the water's edge;
there the elevation model carries the level on at which the edge is seen beside them.
"""

from dataclasses import dataclass, replace

import cv2
import numpy as np
import numpy.typing as npt

from vision import canopy
from vision.chart import Chart, Mask
from vision.morphology import closed, filled, grown_back, narrower, opened, wider
from vision.water_model import LIKELY, Shares

Values = npt.NDArray[np.float32]

SURE_INSIDE_M = 6.0
"""So far inside its polygon a river runs for sure, whatever a pose is off."""

OFF_M = 15
"""Poses put the polygon off by no more than this, in whole metres."""

LEAST_SURE_M2 = 15.0
EDGE_M = 0.9
"""So far in from the bank water looks mixed with it."""

ALIKE_PAST, ALIKE_NOW = 3.5, 4.0
"""Deviations from the river's own look within which ground looks like its water."""

LEAST_SCATTER = np.array([1.5, 1.0, 1.0, 0.4], np.float32)
"""Lightness, two of colour (CIE Lab), roughness: water never scatters less."""

MAY_BE, WAS_MAYBE, BECAME = 0.12, 0.2, 0.5
"""What the segmenter must say of the river today, of the bed, and by how much more of flooded ground."""

DIFFERS, SURELY, SMALL_CHANGE_M = 0.12, 0.2, 3.0
"""Ground looks other than before, and surely, from these shares of brightness on; small gaps are chance."""

SEED_M, BEYOND_M = 2.0, 5.0
NEARLY, LEAST_BEYOND_M2 = 0.4, 20.0
"""What may be a flood by the day's look alone: nearly as likely, a third as large as the least one told."""

DRY, FEWEST_DRY, SOFT_M = 0.3, 0.02, 0.8
DARK_BESIDE, LEAFY = 0.62, 0.25
"""What hides water: shade, as a share of the water's lightness, and leaves."""

HIDDEN_M, LEVEL_M, LEVEL_OFF_M, CLOSES_M, HOLE_M2 = 16.0, 12.0, -0.1, 6.0, 200.0
"""How far under trees water is followed, over which length its edge is levelled, and by how much less."""

_LONGEST = 300
_ROUNDS, _FEWEST_OF_A_KIND = 8, 0.1


@dataclass(frozen=True, slots=True, eq=False)
class Day:
    """One day's picture of the place: its chart, and how likely each pixel is water."""

    chart: Chart
    likely: Shares


@dataclass(frozen=True, slots=True, eq=False)
class Risen:
    """Ground under water beside the bed, and the bed."""

    flooded: Mask
    bed: Mask


def risen(now: Day, past: Day | None, permanent: Mask, height_m: Values | None) -> Risen | None:
    """Return the ground under water beside a river, None where too little of the river itself is seen.

    All lie on one grid; `past` is registered to `now`, None where there is none. `height_m` is the elevation
    model. Nothing is under water unless ground of radius `SEED_M` surely is and surely was not; without a
    past, unless it reaches further out than a pose can be off.
    """
    pixel_m = now.chart.grid.pixel_m
    known = now.chart.known
    bed = bed_of(past, permanent) if past else None
    shown = past.chart.known if past and bed is not None else np.zeros_like(known)
    inside = narrower(bed, _px(2.0, pixel_m)) if bed is not None else _surely(permanent, pixel_m)
    alike = like(now, inside & known & (now.likely > MAY_BE), within=ALIKE_NOW)
    if alike is None:
        return None
    if bed is None:
        bed = wider(aligned(permanent, alike, known, pixel_m), _px(3.0, pixel_m))
    changed, surely = ~shown, ~wider(bed, _px(BEYOND_M, pixel_m))
    if past is not None and shown.any():
        share = differs(now.chart, past.chart, dry=known & shown & (now.likely < DRY))
        became = np.asarray(now.likely - past.likely > BECAME)
        changed = closed(~shown | (share > DIFFERS) | became, _px(SMALL_CHANGE_M, pixel_m))
        surely = shown & (share > SURELY)
    wet = narrower(alike & (changed | bed), 1)
    wet = wider(_joined(wet, bed, wet & shown & (now.likely > LIKELY), pixel_m), 1) & known
    strong = narrower(wet & ~bed & (now.likely > LIKELY) & surely, _px(SEED_M, pixel_m))
    if not strong.any():
        return Risen(strong, bed)
    whole = _under_trees(now, wet, bed, height_m)
    return Risen(opened(whole & ~bed & known, _px(0.75, pixel_m)), bed)


def may_be_risen(now: Day, permanent: Mask) -> bool | None:
    """Return whether water may stand beside a river by one look alone; None where too little of it is seen.

    It asks less in every way than `risen`, on every second pixel: what it denies needs no past.
    """
    grid = now.chart.grid.coarser(2)
    every = np.s_[: 2 * grid.height : 2, : 2 * grid.width : 2]
    seen, likely, permanent = now.chart.known[every], now.likely[every], permanent[every]
    values = cv2.resize(now.chart.values, grid.shape[::-1], interpolation=cv2.INTER_AREA)
    half = Day(replace(now.chart, grid=grid, values=values, known=seen), likely)
    sure = _surely(permanent, grid.pixel_m) & seen & (likely > MAY_BE)
    alike = like(half, sure, within=1.5 * ALIKE_NOW)
    if alike is None:
        return None
    bed = aligned(permanent, alike & (likely > MAY_BE), seen, grid.pixel_m)
    may_be = alike & (likely > NEARLY)
    joined = _joined(alike, wider(bed, _px(3.0, grid.pixel_m)), may_be, grid.pixel_m)
    beyond = narrower(may_be & joined & ~bed, _px(SEED_M / 2, grid.pixel_m))
    return bool(beyond.sum() * grid.pixel_m2 > LEAST_BEYOND_M2)


def _joined(wet: Mask, bed: Mask, sure: Mask, pixel_m: float) -> Mask:
    """Return the water that hangs together with the bed: in the open, and where sure, past crowns between."""
    open_water = grown_back(bed & wet, wet)
    bridged = closed(open_water | sure, _px(CLOSES_M, pixel_m))
    return (open_water | sure) & grown_back(open_water, bridged)


def bed_of(past: Day, permanent: Mask) -> Mask | None:
    """Return where a river ran the day before, None where too little of it was seen.

    It is what looked like its middle, held to the site's polygon once that is moved onto it.
    """
    pixel_m, shown = past.chart.grid.pixel_m, past.chart.known
    sure = _surely(permanent, pixel_m) & shown & (past.likely > LIKELY)
    alike = like(past, sure, within=ALIKE_PAST)
    if alike is None:
        return None
    near = wider(permanent, _px(2 * SURE_INSIDE_M, pixel_m))
    seen = filled(grown_back(sure, alike & near & (past.likely > WAS_MAYBE)), 60.0 / pixel_m**2) & near
    seen = wider(seen, _px(EDGE_M, pixel_m))
    drawn = aligned(permanent, seen, shown, pixel_m)
    least, most = narrower(drawn, _px(1.5, pixel_m)), wider(drawn, _px(3.0, pixel_m))
    return np.asarray(np.where(shown, (seen | least) & most, drawn))


def like(day: Day, sure: Mask, *, within: float) -> Mask | None:
    """Return what looks like a river's own water, None where too little of that is seen."""
    pixel_m = day.chart.grid.pixel_m
    if sure.sum() * pixel_m**2 < LEAST_SURE_M2:
        return None
    looks = _looks(day.chart)
    sample = looks[sure][:: max(int(sure.sum()) // 5000, 1)]
    off = np.min([_off(looks, *_look_of(part)) for part in kinds(sample)], axis=0)
    return np.asarray((off < within) & day.chart.known)


def kinds(sample: Values) -> tuple[Values, ...]:
    """Return a sample of water as the one or two kinds it is of: mud may come into a clear river.

    One median between two kinds would be the look of neither, and its scatter would take in the meadow too.
    """
    scaled = (sample - np.median(sample, axis=0)) / LEAST_SCATTER
    axis = np.linalg.svd(scaled - scaled.mean(axis=0), full_matrices=False)[2][0]
    along = scaled @ axis
    is_far = along > (along.min() + along.max()) / 2
    for _ in range(_ROUNDS):
        if not _FEWEST_OF_A_KIND < is_far.mean() < 1 - _FEWEST_OF_A_KIND:
            return (sample,)
        is_far = along > (along[is_far].mean() + along[~is_far].mean()) / 2
    parts = (sample[~is_far], sample[is_far])
    (one, its_scatter), (other, their_scatter) = map(_look_of, parts)
    apart = np.sqrt((((one - other) / np.maximum(its_scatter, their_scatter)) ** 2).mean())
    return parts if apart > ALIKE_NOW else (sample,)


def _look_of(sample: Values) -> tuple[Values, Values]:
    """Return the middle and the scatter of a sample's looks."""
    middle = np.median(sample, axis=0)
    return middle, np.maximum(1.4826 * np.median(np.abs(sample - middle), axis=0), LEAST_SCATTER)


def _off(looks: Values, middle: Values, scatter: Values) -> Values:
    return np.asarray(np.sqrt((((looks - middle) / scatter) ** 2).mean(axis=-1)), np.float32)


def aligned(permanent: Mask, seen: Mask, shown: Mask, pixel_m: float) -> Mask:
    """Return the site's water moved to where it covers best what is seen of it."""
    height, width = permanent.shape
    cell = max(1.0 / pixel_m, max(height, width) / _LONGEST)
    size = (max(int(width / cell), 1), max(int(height / cell), 1))
    drawn, water, judged = (
        np.asarray(cv2.resize(m.astype(np.float32), size, interpolation=cv2.INTER_AREA))
        for m in (permanent, seen, shown)
    )
    reach = max(round(OFF_M / (cell * pixel_m)), 1)
    best, move = np.inf, np.eye(2, 3)
    for across in range(-reach, reach + 1):
        for down in range(-reach, reach + 1):
            step = np.array([[1.0, 0.0, across], [0.0, 1.0, down]])
            there = cv2.warpAffine(drawn, step, size, borderMode=cv2.BORDER_REPLICATE)
            cost = float((np.abs(there - water) * judged).sum()) + 3.0 * float(np.hypot(across, down))
            if cost < best:
                best, move = cost, step
    move[:, 2] *= cell
    moved = cv2.warpAffine(permanent.astype(np.uint8), move, (width, height), borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(moved > 0)


def differs(now: Chart, past: Chart, *, dry: Mask) -> Values:
    """Return how other ground looks than before, as a share of its brightness.

    What the light did to ground that is dry on both days is taken out.
    """
    width = max(SOFT_M / now.grid.pixel_m, 0.8)
    soft = [_softly(c.rgb.astype(np.float32), c.known, width) for c in (now, past)]
    gain = np.ones(3, np.float32)
    if dry.mean() > FEWEST_DRY:
        gain = np.median(soft[0][dry] / np.maximum(soft[1][dry], 8.0), axis=0).astype(np.float32)
    off = np.abs(soft[0] - soft[1] * gain).sum(axis=-1)
    level = np.maximum((soft[0] + soft[1] * gain).sum(axis=-1) / 2, 60.0)
    return np.asarray(off / level, np.float32)


def _under_trees(now: Day, wet: Mask, bed: Mask, height_m: Values | None) -> Mask:
    """Return water and bed with the ground between that trees and their shade hide."""
    pixel_m, known = now.chart.grid.pixel_m, now.chart.known
    joined = wet | bed
    lightness = _looks(now.chart)[..., 0]
    dark = lightness < DARK_BESIDE * float(np.median(lightness[wet]))
    leafy = canopy.leafiness(now.chart, pixel_m) > LEAFY
    hidden = closed(known & ~wet & (leafy | dark), _px(SOFT_M, pixel_m)) & known & ~wet
    if height_m is not None:
        low = _below_the_edge(wet & ~bed, joined | wider(hidden, _px(1.0, pixel_m)), bed, height_m, pixel_m)
        under = hidden & low & wider(joined, _px(HIDDEN_M, pixel_m))
        joined |= grown_back(wider(joined, 1) & under, under)
    between = closed(joined | ~known, _px(CLOSES_M, pixel_m)) & (joined | hidden)
    return filled(closed(between, _px(2.0, pixel_m)), HOLE_M2 / pixel_m**2)


def _below_the_edge(new: Mask, not_dry: Mask, bed: Mask, height_m: Values, pixel_m: float) -> Mask:
    """Return the ground that lies below the water's level, as its edge on open land tells that nearby."""
    one = _px(1.0, pixel_m)
    shore = new & wider(~not_dry, one) & ~wider(bed, one)
    middle = float(np.median(height_m[shore])) if shore.any() else 0.0
    near = cv2.GaussianBlur(shore.astype(np.float32), (0, 0), LEVEL_M / pixel_m)
    summed = cv2.GaussianBlur((height_m - middle) * shore, (0, 0), LEVEL_M / pixel_m)
    told = np.asarray(near) > 1e-4
    level = np.where(told, summed / np.maximum(near, 1e-6) + middle, np.percentile(height_m[new], 90))
    return np.asarray(height_m <= level + LEVEL_OFF_M)


def _looks(chart: Chart) -> Values:
    """Return lightness, colour (CIE Lab) and roughness of each pixel, (rows, columns, 4)."""
    pixel_m = chart.grid.pixel_m
    lab = np.asarray(cv2.cvtColor(chart.rgb.astype(np.float32) / 255.0, cv2.COLOR_RGB2Lab), np.float32)
    light = lab[..., 0]
    fine, coarse = max(0.5 / pixel_m, 0.8), max(1.0 / pixel_m, 1.2)
    rough = np.sqrt(_softly((light - _softly(light, chart.known, coarse)) ** 2, chart.known, coarse))
    return np.asarray(np.dstack([_softly(lab, chart.known, fine), rough]), np.float32)


def _softly(values: Values, known: Mask, width_px: float) -> Values:
    """Return values blurred over what is known alone."""
    weight = known.astype(np.float32)
    share = np.maximum(cv2.GaussianBlur(weight, (0, 0), width_px), 1e-3)
    flat = values.ndim == 2
    summed = cv2.GaussianBlur(values * (weight if flat else weight[..., None]), (0, 0), width_px)
    return np.asarray(summed / (share if flat else share[..., None]), np.float32)


def _surely(permanent: Mask, pixel_m: float) -> Mask:
    return narrower(permanent, _px(SURE_INSIDE_M, pixel_m))


def _px(metres: float, pixel_m: float) -> int:
    return max(round(metres / pixel_m), 1)
