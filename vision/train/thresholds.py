"""From which score on a model's word counts, found on pictures kept aside."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from vision import labelled
from vision.detectors import rgb_fire
from vision.detectors.runtime import Model
from vision.labelled import LabelledPicture
from vision.tiling import tiles
from vision.train.targets import CLASSES

FALSE_ALARMS = 0.04
"""Largest share of the kept-aside negatives that one class may alarm on: half of what both may."""

AS_GOOD = 0.01
"""How far below the best F1 a threshold is still as good."""

_UNSURE = 0.5
_CUT_UP = 180  # pictures whose pieces are compared


def best(model: Model, pictures: Sequence[LabelledPicture]) -> dict[str, float]:
    """Return per class the threshold of best F1 that keeps the false alarms on negatives low."""
    said = np.array([_answer(model, picture) for picture in pictures], np.float32)
    truth = np.array([picture.labels for picture in pictures])
    return {name: threshold(said[:, kind], truth, kind) for kind, name in enumerate(CLASSES)}


def threshold(said: npt.NDArray[np.float32], truth: npt.NDArray[Any], kind: int) -> float:
    """Return one class's threshold: the lowest whose F1 is as good as the best.

    Only such count whose false alarms are few enough. These pictures are of kinds that were learnt from; of
    strange ones the network is less sure, and what it misses nobody looks at again.
    """
    known = truth[:, kind] >= 0
    negatives = said[(truth == 0).all(1)]
    limits, scores = [], []
    for limit in np.linspace(0.02, 0.98, 193):
        if negatives.size and (negatives >= limit).mean() > FALSE_ALARMS:
            continue
        hits = int(((said >= limit) & (truth[:, kind] == 1)).sum())
        called, there = int((said >= limit)[known].sum()), int((truth[:, kind] == 1).sum())
        limits.append(float(limit))
        scores.append(2 * hits / max(called + there, 1))
    if not limits:
        return _UNSURE
    highest = max(scores)
    return round(next(limit for limit, f1 in zip(limits, scores, strict=True) if f1 >= highest - AS_GOOD), 3)


def as_often(
    whole: Model, small: Model, limits: Mapping[str, float], pictures: Sequence[LabelledPicture]
) -> dict[str, float]:
    """Return per class the threshold that as many pieces pass by the 8-bit network as `limits` by the other.

    A piece is seen once, not on several canvases whose errors cancel: rounding moves its answers, and the
    thresholds for whole pictures would pass fewer.
    """
    pieces = [
        rgb_fire.piece(pixels, tile)
        for picture in pictures[:: max(1, len(pictures) // _CUT_UP)]
        for pixels in (labelled.load_rgb(picture.path),)
        for tile in tiles(pixels.shape[1], pixels.shape[0])
    ]
    full, rounded = (np.array([model.see(p).picture for p in pieces]) for model in (whole, small))
    shares = {name: float((full[:, kind] >= limits[name]).mean()) for kind, name in enumerate(CLASSES)}
    return {
        name: round(float(np.quantile(rounded[:, kind], 1 - shares[name])), 3)
        for kind, name in enumerate(CLASSES)
    }


def _answer(model: Model, picture: LabelledPicture) -> list[float]:
    seen, _ = model.see_whole(labelled.load_rgb(picture.path))
    return [float(value) for value in seen.picture]
