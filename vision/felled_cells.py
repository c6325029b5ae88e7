"""What a picture's cells look like, in numbers by which felled ground is told from living wood.

A cell is `CELL_PX` across when the picture's longer side is `LONGEST_PX`. Each has its colours, the
share of it that is green, brown or grey, how rough it is at three sizes and whether light or dark
stands out there, how straight its lines run (trunks lie straight, crowns do not), of what colour its bright
lines are (bare wood is not green), local patterns, and what the water segmenter's encoder makes of it.
"""

from collections.abc import Iterator

import cv2
import numpy as np
import numpy.typing as npt

from vision.water_model import WaterModel

LONGEST_PX, CELL_PX = 512, 32
GREEN, NEARLY_GREY = 0.04, 0.08
BRIGHT, DARK = 75.0, 20.0  # CIE lightness
STRAIGHT = 0.6
FINEST_PX = (1, 2, 4)
SPREADS_PX = (3.0, 8.0)

Band = npt.NDArray[np.float32]
Pixels = npt.NDArray[np.uint8]


def described(pixels: Pixels, model: WaterModel) -> Band:
    """Return the numbers of every cell of a picture of red, green and blue: rows, columns, numbers."""
    picture = fitted(pixels)
    own = np.stack([in_cells(band) for band in _bands(picture)], axis=-1)
    return np.concatenate([own, _derived(picture), model.cells(picture)], axis=-1).astype(np.float32)


def fitted(pixels: Pixels) -> Pixels:
    """Return a picture in the size that the cells are cut from."""
    height, width = pixels.shape[:2]
    scale = LONGEST_PX / max(height, width)
    size = tuple(max(round(n * scale) // CELL_PX, 1) * CELL_PX for n in (width, height))
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(pixels, size, interpolation=how), np.uint8)


def in_cells(band: Band) -> Band:
    """Return a band's means by cell."""
    rows, columns = (n // CELL_PX for n in band.shape[:2])
    return np.asarray(band.reshape(rows, CELL_PX, columns, CELL_PX).mean(axis=(1, 3)), np.float32)


def _bands(picture: Pixels) -> Iterator[Band]:
    """Yield what is averaged over each cell: kinds of pixel and local patterns."""
    lab, excess, red_green, red_blue = _colours(picture)
    light = lab[..., 0]
    kinds = (
        excess > GREEN,
        (red_green > 0) & (excess < GREEN),
        (np.abs(excess) <= GREEN) & (np.abs(red_blue) < NEARLY_GREY),
        light > BRIGHT,
        light < DARK,
    )
    yield from (kind.astype(np.float32) for kind in kinds)
    yield from _patterns(light)


def _derived(picture: Pixels) -> Band:
    """Return what is reckoned from several means of a cell: spreads, roughness, straightness, bare wood."""
    lab, excess, red_green, red_blue = _colours(picture)
    light = lab[..., 0]
    steady = (light / 50, excess * 5, red_green * 5, red_blue * 5, lab[..., 1] / 20, lab[..., 2] / 20)
    bands = [np.asarray(band, np.float32) for band in steady]
    numbers = [number for band in bands for number in (in_cells(band), _spread(band))]
    numbers += [*_roughness(light), *_straightness(light)]
    ridge = np.maximum(_blurred(light, 0.7) - _blurred(light, 2.5), 0)
    ridges = in_cells(ridge) + 1e-3
    numbers += [in_cells(ridge * band) / ridges * 5 for band in (excess, red_green)]
    return np.stack(numbers, axis=-1)


def _colours(picture: Pixels) -> tuple[Band, Band, Band, Band]:
    """Return CIE Lab and, as shares of a pixel's light, green over both others, red over green, over blue."""
    rgb = picture.astype(np.float32) / 255
    red, green, blue = np.moveaxis(rgb / (rgb.sum(axis=2, keepdims=True) + 0.06), 2, 0)
    lab = np.asarray(cv2.cvtColor(rgb, cv2.COLOR_RGB2Lab), np.float32)
    return lab, 2 * green - red - blue, red - green, red - blue


def _spread(band: Band) -> Band:
    """Return a band's standard deviation by cell."""
    return np.asarray(np.sqrt(np.maximum(in_cells(band * band) - in_cells(band) ** 2, 0)), np.float32)


def _roughness(light: Band) -> Iterator[Band]:
    """Yield, at each size, how rough a cell is and whether light or dark stands out."""
    around = _blurred(light, 6.0) + 5
    for size in FINEST_PX:
        detail = (_blurred(light, size * 0.6) - _blurred(light, size * 1.2)) / around
        yield np.log(np.sqrt(in_cells(detail * detail)) + 1e-3)
        up, down = (in_cells(np.maximum(part, 0) ** 3) + 1e-7 for part in (detail, -detail))
        yield np.asarray(np.log(up / down) / 5, np.float32)


def _straightness(light: Band) -> Iterator[Band]:
    """Yield how much of a cell's edges run one way, at two neighbourhoods."""
    smooth = _blurred(light, 0.8)
    across, down = cv2.Sobel(smooth, cv2.CV_32F, 1, 0), cv2.Sobel(smooth, cv2.CV_32F, 0, 1)
    for spread in SPREADS_PX:
        xx, yy, xy = (_blurred(v, spread) for v in (across * across, down * down, across * down))
        one_way = np.sqrt((xx - yy) ** 2 + 4 * xy * xy) / (xx + yy + 1e-3)
        weight = np.sqrt(xx + yy)
        yield in_cells(one_way)
        yield in_cells(one_way * weight) / (in_cells(weight) + 1e-3)
        yield in_cells((one_way > STRAIGHT).astype(np.float32))


def _patterns(light: Band) -> Iterator[Band]:
    """Yield where a pixel has so many lighter neighbours in one run (nine kinds), and where in several."""
    smooth = _blurred(light, 0.7)
    around = ((-2, -2), (-2, 0), (-2, 2), (0, 2), (2, 2), (2, 0), (2, -2), (0, -2))
    lighter = np.stack([np.roll(smooth, step, axis=(0, 1)) > smooth for step in around])
    count = lighter.sum(axis=0)
    one_run = (lighter != np.roll(lighter, 1, axis=0)).sum(axis=0) <= 2
    for many in range(9):
        yield np.asarray((count == many) & one_run, np.float32) * 4
    yield np.asarray(~one_run, np.float32) * 2


def _blurred(band: Band, spread_px: float) -> Band:
    return np.asarray(cv2.GaussianBlur(band, (0, 0), spread_px), np.float32)
