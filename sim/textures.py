"""Endless patterns: noise and tree crowns on tiles whose edges meet.

A tile is square and wraps around, so a landscape of any size can be painted
piece by piece and every piece fits its neighbours.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Pixels = npt.NDArray[np.float32]

NO_TREE = 2.0  # a `lot` above every density


@dataclass(frozen=True, slots=True, eq=False)
class Crowns:
    """A closed wood from above: crown surface in metres, and two numbers drawn once for each crown.

    `tint` lies in -1..1 and colours the crown; `lot` lies in 0..1, so that the
    crowns with a lot below d are a thin wood of density d.
    """

    height_m: Pixels
    tint: Pixels
    lot: Pixels


@dataclass(frozen=True, slots=True)
class Species:
    """How a wood grows: metres between stems, crown radius, top, and how pointed (1 cone, 2 dome)."""

    spacing_m: float
    radius_m: tuple[float, float]
    top_m: tuple[float, float]
    bluntness: float


def noise(rng: np.random.Generator, size: int, wave_px: float) -> Pixels:
    """Return a tile of noise around a wavelength, mean 0, standard deviation 1."""
    y, x = np.meshgrid(np.fft.fftfreq(size), np.fft.rfftfreq(size), indexing="ij")
    octaves = np.log2(np.maximum(np.hypot(x, y), 1e-9) * wave_px)
    spectrum = np.fft.rfft2(rng.standard_normal((size, size))) * np.exp(-0.5 * (octaves / 0.8) ** 2)
    # Equal strength for each octave: without this the fine side of the band drowns the coarse.
    spectrum /= np.maximum(np.hypot(x, y), 1e-9)
    spectrum[0, 0] = 0
    tile = np.fft.irfft2(spectrum, (size, size))
    return np.asarray(tile / tile.std(), dtype=np.float32)


def crowns(rng: np.random.Generator, species: Species, *, size: int, step_m: float) -> Crowns:
    """Return a tile of crowns set on a shaken grid; the higher one hides the lower."""
    height = np.zeros((size, size), np.float32)
    tint = np.zeros((size, size), np.float32)
    lot = np.full((size, size), NO_TREE, np.float32)
    count = int(size * step_m / species.spacing_m)
    pitch = size / count
    for row in range(count):
        for column in range(count):
            y, x = (np.array([row, column]) + 0.5 + rng.uniform(-0.42, 0.42, 2)) * pitch
            _raise_crown(height, tint, lot, (y, x), species, step_m, rng)
    return Crowns(height, tint, lot)


def cut(tile: Pixels, row: int, column: int, shape: tuple[int, int]) -> Pixels:
    """Return the piece of the endless pattern whose first pixel is at a row and column."""
    size = tile.shape[0]
    rows = np.arange(row, row + shape[0]) % size
    columns = np.arange(column, column + shape[1]) % size
    return np.asarray(tile[rows[:, None], columns])


def slopes(tile: Pixels, step_m: float) -> tuple[Pixels, Pixels]:
    """Return the rise of a tile's surface per metre to the right and downwards."""
    right = (np.roll(tile, -1, 1) - np.roll(tile, 1, 1)) / (2 * step_m)
    down = (np.roll(tile, -1, 0) - np.roll(tile, 1, 0)) / (2 * step_m)
    return right, down


def _raise_crown(
    height: Pixels,
    tint: Pixels,
    lot: Pixels,
    centre: tuple[float, float],
    species: Species,
    step_m: float,
    rng: np.random.Generator,
) -> None:
    size = height.shape[0]
    radius_px = rng.uniform(*species.radius_m) / step_m
    top, hue, draw = rng.uniform(*species.top_m), rng.uniform(-1, 1), rng.random()
    reach = int(radius_px) + 1
    rows = np.arange(int(centre[0]) - reach, int(centre[0]) + reach + 1)
    columns = np.arange(int(centre[1]) - reach, int(centre[1]) + reach + 1)
    apart = np.hypot(rows[:, None] - centre[0], columns - centre[1]) / radius_px
    dome = (top * (1 - 0.65 * apart**species.bluntness)).astype(np.float32)
    where = np.ix_(rows % size, columns % size)
    higher = (apart < 1) & (dome > height[where])
    height[where] = np.where(higher, dome, height[where])
    tint[where] = np.where(higher, np.float32(hue), tint[where])
    lot[where] = np.where(higher, np.float32(draw), lot[where])
