"""Where there is forest, and where there was: told from two charts of one place.

Three kinds of charts, three ways to see canopy. With short-wave infrared: leaves hold water, so forest
sends back more near than short-wave infrared (NDMI, Wilson & Sader 2002, Remote Sens. Environ. 80, 385)
and more than red. With near infrared alone: NDVI and the roughness of crowns. With colour alone, from a
drone: green over red and blue, and roughness at the scale of crowns.

Seasons, haze and light move a whole picture; felling moves a part of it. So each index is measured against
the forest of its own picture: its middle and its scatter over what is surely canopy before. Where more of
the forest changed than stayed, nobody can tell from one pair which it was, and the answer says so.
"""

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from vision.chart import Chart, Mask
from vision.morphology import grown_back, narrower, wider
from vision.water import by_index

Index = npt.NDArray[np.float32]

CROWN_M = 4.0
"""Roughness is looked for at this scale."""

WOOD_SIDE_M, WOOD_ROUGH = 6.0, 0.09
"""The middle pixel of what was felled stood in canopy that scatters so much in every window of this side.

Fellings of seeds 101-140 have .12 and more; fields beside the wood .07 and less.
"""

SOFT_M = 0.7
BARE, HALF_BARE = 0.35, 0.7
"""Leafiness below the first is bare ground; its patch ends where leafiness is half."""

WARM, FEW_CROWNS_M2 = 0.24, 150.0
"""Patches smaller than a few crowns, with so much more red than blue, are leaves that turn."""

LAID_BARE = 1.4
"""Soil and logs send back so much more than the crowns that stood there; leaves that turn do not."""

WHITE, WHITE_SHARE = 200, 0.4
"""Brighter than this in all colours over so much of a picture is snow or cloud."""

MOST_CHANGED = 0.75
TURNED = 0.2
"""Where the middle of a forest's index fell so far, seasons and light are no longer told from felling."""
SEASON = (
    "another season or light rather than felling, which one pair of pictures cannot tell apart; "
    "compare with a baseline of the same season"
)
_RIVER_PX, _BAR_PX, _RIVERS_SHARE = 7, 12, 0.3


@dataclass(frozen=True, slots=True, eq=False)
class Loss:
    """Canopy that is gone: `felled`, what the river took or laid bare (`river`), and how sure each pixel is.

    `stood` is where there was canopy before.
    """

    felled: Mask
    river: Mask
    stood: Mask
    sure: Index


@dataclass(frozen=True, slots=True)
class Untold:
    """Why two charts do not tell what became of the forest."""

    reason: str


def lost(before: Chart, now: Chart) -> Loss | Untold:
    """Return the canopy that stood before and is gone now; both charts lie on one grid, registered."""
    known = before.known & now.known
    for chart, when in ((before, "baseline"), (now, "picture")):
        if _is_white(chart, known):
            return Untold(f"snow or cloud covers much of the {when}")
    if before.has("nir", "red", "swir1") and now.has("nir", "red", "swir1"):
        return _by_infrared(before, now, known)
    if before.has("nir", "red") and now.has("nir", "red"):
        return _by_near_infrared(before, now, known)
    if before.has("red", "green", "blue") and now.has("red", "green", "blue"):
        return _by_colour(before, now, known)
    return Untold("the two have no bands in common that show plants")


def may_be_lost(now: Chart, where: Mask) -> bool:
    """Return whether a colour chart alone leaves room for a loss: some of that ground is bare now."""
    where, pixel_m = where & now.known, now.grid.pixel_m
    return bool(where.any() and _core(where & (leafiness(now, pixel_m) < BARE), pixel_m).any())


def normalised(one: Index, other: Index) -> Index:
    """Return (one - other) / (one + other)."""
    return np.asarray((one - other) / np.maximum(one + other, 1.0), np.float32)


def _by_infrared(before: Chart, now: Chart, known: Mask) -> Loss | Untold:
    """Return the loss by leaf water and greenness; wet and sandy ground beside water is the river's."""
    moist = [normalised(c.band("nir"), c.band("swir1")) for c in (before, now)]
    green = [normalised(c.band("nir"), c.band("red")) for c in (before, now)]
    water = [by_index(c) for c in (before, now)]
    stood = known & ~water[0] & (moist[0] > _forest_cut(moist[0][known])) & (green[0] > 0.6)
    if stood.mean() < 0.01:
        return Loss(np.zeros_like(stood), np.zeros_like(stood), stood, np.zeros_like(moist[0]))
    if float(np.median((moist[0] - moist[1])[stood])) > TURNED:
        return Untold(f"most of the canopy lost much of its leaf water at once: {SEASON}")
    drier = _dropped(moist, stood, deviations=2.5, least=0.12)
    gone = stood & ((drier & _dropped(green, stood, deviations=1.5, least=0.05)) | water[1])
    belt = _river_belt(water[0] | water[1], gone & water[1])
    rivers = gone & (water[1] | belt)
    rivers |= _mostly(gone, rivers, share=_RIVERS_SHARE)
    felled = _cleaned(gone & ~rivers)
    sure = np.clip((_drop(moist, stood) - 0.08) / 0.2, 0, 1).astype(np.float32)
    return _told(felled, rivers, stood, sure)


def _river_belt(water: Mask, taken: Mask) -> Mask:
    """Return the ground that belongs to a river that moves: its water, old and new, and the bars between.

    A river that took forest moves; along such water the bars it laid bare lie within a few pixels. Still
    water keeps a rim of one pixel.
    """
    moving = grown_back(taken, water) if taken.any() else np.zeros_like(water)
    side = 2 * _BAR_PX + 1
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
    between = cv2.morphologyEx(moving.astype(np.uint8), cv2.MORPH_CLOSE, kernel) > 0
    return wider(moving, _RIVER_PX) | between | wider(water, 1)


def _by_near_infrared(before: Chart, now: Chart, known: Mask) -> Loss | Untold:
    green = [normalised(c.band("nir"), c.band("red")) for c in (before, now)]
    rough = [roughness(c.band("nir"), before.grid.pixel_m) for c in (before, now)]
    water = [by_index(c) for c in (before, now)]
    stood = known & ~water[0] & (green[0] > max(0.3, _forest_cut(green[0][known]))) & (rough[0] > 0.05)
    gone = stood & _dropped(green, stood, deviations=3.0, least=0.15)
    rivers = gone & wider(water[1], 2)
    sure = np.clip((_drop(green, stood) - 0.1) / 0.3, 0, 1).astype(np.float32)
    return _told(_cleaned(gone & ~rivers), rivers, stood, sure)


def _by_colour(before: Chart, now: Chart, known: Mask) -> Loss | Untold:
    """Return the loss seen in colour: canopy is green for its picture, and rough; bare ground is neither.

    A shadow is dark but keeps its colour; leaves that turn keep their roughness; a meadow that grows is
    green but smooth.
    """
    pixel_m = before.grid.pixel_m
    leaf = [leafiness(c, pixel_m) for c in (before, now)]
    stood = known & (leaf[0] > 0.5)
    stood = wider(narrower(stood, 2), 2) & stood
    if stood.mean() < 0.02:
        return Loss(np.zeros_like(stood), np.zeros_like(stood), stood, leaf[0])
    sure = np.clip(leaf[0] - leaf[1], 0, 1).astype(np.float32)
    core = _core(stood & (leaf[1] < BARE) & (sure > 0.3), pixel_m)
    if not core.any():
        return Loss(core, core, stood, sure)
    gone = grown_back(core, stood & (leaf[1] < HALF_BARE) & (sure > 0.2))
    turned = _turned(before, now, stood & (leaf[1] > 0.5), pixel_m)
    felled = _that_was_wood(_without_few_crowns(gone & ~turned, now, pixel_m), before, pixel_m)
    return _told(felled, np.zeros_like(gone), stood, sure)


def _core(bare: Mask, pixel_m: float) -> Mask:
    return narrower(bare, max(round(0.75 / pixel_m), 1))


def _turned(before: Chart, now: Chart, stands: Mask, pixel_m: float) -> Mask:
    """Return where leaves turned: warm in colour, yet no brighter than the crowns that stood there.

    Light and exposure are those of the canopy that still stands (`stands`).
    """
    was, is_now = (np.maximum(sum(_softly(c, pixel_m)), 30.0) for c in (before, now))
    brighter = is_now / was
    light = float(np.median(brighter[stands])) if stands.any() else 1.0
    return np.asarray((_warmth(now, pixel_m) > WARM) & (brighter < LAID_BARE * light))


def _without_few_crowns(gone: Mask, now: Chart, pixel_m: float) -> Mask:
    """Return a loss without the patches of a few crowns that are warm in colour: leaves that turned."""
    warm = _warmth(now, pixel_m)
    _, labels = cv2.connectedComponents(gone.astype(np.uint8), connectivity=4)
    sizes = np.maximum(np.bincount(labels.ravel()), 1)
    warmth = np.bincount(labels.ravel(), weights=warm.ravel()) / sizes
    leaves = (warmth > WARM) & (sizes * pixel_m**2 < FEW_CROWNS_M2)
    leaves[0] = True
    return np.asarray(~leaves[labels])


def _that_was_wood(gone: Mask, before: Chart, pixel_m: float) -> Mask:
    """Return a loss without the patches that were smooth in themselves, whatever stood beside: fields."""
    rough = _rough_throughout(before.values[..., :3].mean(axis=-1).astype(np.float32), pixel_m)
    return _mostly(gone, np.asarray(rough > WOOD_ROUGH), share=0.5)


def _rough_throughout(values: Index, pixel_m: float) -> Index:
    """Return how much values scatter, as a share of their mean, in the smoothest window that holds a pixel.

    A wood is rough to every side; a field beside it is smooth on one.
    """
    smooth = cv2.GaussianBlur(values, (0, 0), max(0.5 / pixel_m, 0.6))
    half = max(int(WOOD_SIDE_M / pixel_m) // 2, 1)
    window = (2 * half + 1, 2 * half + 1)
    middle = cv2.blur(smooth, window)
    spread = np.sqrt(np.maximum(cv2.blur(smooth**2, window) - middle**2, 0.0))
    sides = np.zeros(window, np.uint8)
    sides[::half, ::half] = 1
    return np.asarray(cv2.erode(spread / np.maximum(middle, 12.0), sides), np.float32)


def _warmth(chart: Chart, pixel_m: float) -> Index:
    """Return how much more red than blue a chart shows, as a share of all its light."""
    red, green, blue = _softly(chart, pixel_m)
    return np.asarray((red - blue) / np.maximum(red + green + blue, 30.0), np.float32)


def leafiness(chart: Chart, pixel_m: float) -> Index:
    """Return how much each pixel of a colour chart looks like canopy, 0 to 1."""
    red, green, blue = _softly(chart, pixel_m)
    total = np.maximum(red + green + blue, 30.0)
    excess = (2 * green - red - blue) / total
    brown = (red - green) / total
    colour = 1 / (1 + np.exp(-(excess - 0.05 - 1.5 * np.maximum(brown, 0)) / 0.025))
    rough = roughness(chart.values[..., :3].mean(axis=-1).astype(np.float32), pixel_m)
    crowns = 1 / (1 + np.exp(-(rough - 0.10) / 0.02))
    return np.asarray(np.sqrt(colour * crowns), np.float32)


def _softly(chart: Chart, pixel_m: float) -> tuple[Index, Index, Index]:
    """Return red, green and blue without what is finer than a branch."""
    width = max(SOFT_M / pixel_m, 0.8)
    red, green, blue = (
        np.asarray(cv2.GaussianBlur(chart.band(b), (0, 0), width), np.float32)
        for b in ("red", "green", "blue")
    )
    return red, green, blue


def roughness(values: Index, pixel_m: float) -> Index:
    """Return how much values scatter at the scale of crowns, as a share of their mean."""
    fine = max(0.5 / pixel_m, 0.6)
    coarse = max(CROWN_M / pixel_m, 1.5)
    smooth = cv2.GaussianBlur(values, (0, 0), fine)
    middle = cv2.GaussianBlur(smooth, (0, 0), coarse)
    spread = np.sqrt(cv2.GaussianBlur((smooth - middle) ** 2, (0, 0), coarse))
    return np.asarray(spread / np.maximum(middle, 12.0), np.float32)


def _mostly(mask: Mask, within: Mask, *, share: float) -> Mask:
    """Return the parts of a mask of which more than a share lies within another."""
    _, labels = cv2.connectedComponents(mask.astype(np.uint8), connectivity=8)
    sizes = np.bincount(labels.ravel())
    inside = np.bincount(labels[within & mask].ravel(), minlength=len(sizes))
    chosen = inside > share * np.maximum(sizes, 1)
    chosen[0] = False
    return np.asarray(chosen[labels])


def _told(felled: Mask, river: Mask, stood: Mask, sure: Index) -> Loss | Untold:
    """Return the loss, unless so much changed at once that it may as well be the season."""
    if stood.any() and felled.sum() > MOST_CHANGED * stood.sum() and stood.mean() > 0.05:
        return Untold(
            f"{100 * felled.sum() / stood.sum():.0f} % of the canopy looks different at once: {SEASON}"
        )
    return Loss(felled, river, stood, sure)


def _forest_cut(index: Index) -> float:
    """Return from which index on ground is forest: below the middle of the greenest half by its scatter."""
    sample = index[:: max(index.size // 200_000, 1)]
    upper = sample[sample >= np.median(sample)]
    middle = float(np.median(upper))
    spread = 1.4826 * float(np.median(np.abs(upper - middle)))
    return max(middle - 3.0 * max(spread, 0.02), 0.1)


def _drop(index: list[Index], stood: Mask) -> Index:
    """Return how far an index fell, beyond what it fell for the forest as a whole."""
    common = float(np.median((index[1] - index[0])[stood])) if stood.any() else 0.0
    return np.asarray(index[0] + common - index[1], np.float32)


def _dropped(index: list[Index], stood: Mask, *, deviations: float, least: float) -> Mask:
    drop = _drop(index, stood)
    spread = 1.4826 * float(np.median(np.abs(drop[stood]))) if stood.any() else 0.0
    return np.asarray(drop > max(deviations * spread, least))


def _is_white(chart: Chart, known: Mask) -> bool:
    if not known.any():
        return False
    white = (chart.rgb.min(axis=-1) > WHITE)[known]
    return bool(white.mean() > WHITE_SHARE)


def _cleaned(mask: Mask) -> Mask:
    """Return a mask without threads and specks."""
    opened = cv2.morphologyEx(mask.astype(np.uint8), cv2.MORPH_OPEN, np.ones((2, 2), np.uint8))
    return np.asarray(opened > 0)
