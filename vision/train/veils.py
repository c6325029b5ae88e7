"""Weather and seasons drawn over quiet pictures: fog, haze, dust, autumn's leaves.

Open collections of these are few, and nobody flies for them. A veil is what the air between camera and ground
adds and takes (Koschmieder's law, as Narasimhan and Nayar 2002 use it for images): with distance the light of
things fades and that of the air comes in. How far things are is guessed: as over flat ground under a horizon,
or the same everywhere as from above, thicker and thinner by chance, but without an edge.
"""

import cv2
import numpy as np
import numpy.typing as npt

Picture = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]

_FAR = 6.0  # how many times the middle distance the sky is away
_GREEN = (25.0, 95.0, 25.0)  # hues of leaves (0 to 180), and the least saturation
GREEN_SHARE = 0.12
"""Pictures with less of such green have no leaves to turn."""


def fogged(pixels: Picture, rng: np.random.Generator) -> Picture:
    """Return a picture in fog: of the light of things at a middle distance 3 to 60 % is left."""
    bright = rng.uniform(130, 240)
    air = bright * np.array([rng.uniform(0.94, 1.02), 1.0, rng.uniform(0.98, 1.08)], np.float32)
    return _veiled(pixels, air, float(rng.uniform(0.03, 0.6)), rng)


def dusty(pixels: Picture, rng: np.random.Generator) -> Picture:
    """Return a picture with yellow to brown dust in its air."""
    bright = rng.uniform(120, 225)
    tint = [rng.uniform(1.0, 1.15), rng.uniform(0.72, 0.92), rng.uniform(0.4, 0.75)]
    return _veiled(pixels, bright * np.array(tint, np.float32), float(rng.uniform(0.05, 0.6)), rng)


def hazy(pixels: Picture, rng: np.random.Generator) -> Picture:
    """Return a picture with thin haze: what burns in it can still be told."""
    return _veiled(pixels, np.full(3, rng.uniform(150, 230), np.float32), float(rng.uniform(0.6, 0.92)), rng)


def autumnal(pixels: Picture, rng: np.random.Generator) -> Picture | None:
    """Return a picture whose leaves have turned yellow to red; None where there are hardly any."""
    tones = cv2.cvtColor(pixels, cv2.COLOR_RGB2HSV).astype(np.float32)
    hue, saturation = tones[..., 0], tones[..., 1]
    lowest, highest, dull = _GREEN
    leaf = _rising(hue - lowest) * _rising(highest - hue) * np.clip((saturation - dull) / 25, 0, 1)
    if leaf.mean() < GREEN_SHARE:
        return None
    size = hue.shape
    if rng.random() < 0.6:
        leaf = leaf * np.clip(0.75 + 0.5 * _wandering(size, 3.0, rng), 0, 1)
    turned = rng.uniform(4, 26) + rng.uniform(2, 7) * _wandering(size, rng.uniform(6, 25), rng)
    tones[..., 0] = hue * (1 - leaf) + np.clip(turned, 0, 32) * leaf
    tones[..., 1] *= 1 + leaf * rng.uniform(0.2, 1.0)
    tones[..., 2] *= 1 + leaf * rng.uniform(0.0, 0.5)
    return np.asarray(cv2.cvtColor(tones.clip(0, 255).astype(np.uint8), cv2.COLOR_HSV2RGB), np.uint8)


def _veiled(pixels: Picture, air: Floats, left: float, rng: np.random.Generator) -> Picture:
    """Return a picture through air of a colour; `left` is the share of light that comes from mid distance."""
    height, width = pixels.shape[:2]
    down = np.linspace(0, 1, height, dtype=np.float32)[:, None]
    if rng.random() < 0.6:
        below = np.maximum(down - rng.uniform(-0.2, 0.55), 1e-3)
        away = np.minimum(0.35 / below, _FAR) * np.ones((1, width), np.float32)
    else:
        away = np.repeat(1 + rng.uniform(-0.5, 0.5) * (down - 0.5), width, axis=1)
    uneven = _wandering((height, width), rng.uniform(1.5, 5.0), rng)
    away = away * np.exp(rng.uniform(0.05, 0.35) * uneven)
    share = left ** (away / np.median(away))[..., None]
    patchy = 1 + 0.06 * rng.random() * _wandering((height, width), 2.0, rng)[..., None]
    seen = pixels * share + air * patchy * (1 - share) + rng.normal(0, rng.uniform(0.5, 3), pixels.shape)
    return np.asarray(np.clip(seen, 0, 255), np.uint8)


def _wandering(size: tuple[int, int], cells: float, rng: np.random.Generator) -> Floats:
    """Return smooth noise of spread 1 with about so many humps along the longer side."""
    height, width = size
    rows, columns = (int(cells * side / max(size) + 2) for side in size)
    coarse = rng.standard_normal((rows, columns)).astype(np.float32)
    fine = np.asarray(cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC), np.float32)
    return fine / max(float(fine.std()), 1e-6)


def _rising(values: Floats) -> Floats:
    return np.asarray(np.clip(values / 10, 0, 1), np.float32)
