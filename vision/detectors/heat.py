"""How much of a hot thing burns, and what it radiates.

Radiative power is what a grey body of the pixels' temperatures sends out beyond what the ground around it
does: `emissivity * sigma * (T^4 - T_background^4)` for each square metre (Stefan and Boltzmann; as Wooster et
al. 2003, Remote Sens. Environ. 86, 83, define fire radiative power). An 8-14 µm camera reads thin flames
cooler than they are, so what is said here is the least there is, the more so where the camera is at its
limit.
"""

import numpy as np
import numpy.typing as npt

from vision.detectors.regions import Region
from vision.radiometry import Celsius

FLAME_C = 500.0
"""Taken for the flame when a source is smaller than its pixels (Johnston et al. 2014: 400-800 °C)."""

SMALL_PIXELS = 9
"""Up to here most pixels of a source are edge, and its area is the sum of their hot fractions."""

EMISSIVITY = 0.95
POWER_FROM = (
    f"Stefan-Boltzmann over the background, emissivity {EMISSIVITY}; Wooster et al. 2003, "
    "Remote Sens. Environ. 86, 83; the least there is"
)
_SIGMA = 5.670374419e-8  # W / (m² K⁴)
_BAND_UM, _C2_UM_K, _ZERO_C_IN_K = 10.5, 14387.8, 273.15


def hot_pixels(region: Region, celsius: Celsius, background_c: float) -> float:
    """Return how many pixels' worth of ground burns.

    A large source is its pixels. In a small one every pixel is part flame and part ground: its share
    follows from the radiance between the background's and a flame's.
    """
    if region.pixels > SMALL_PIXELS:
        return float(region.pixels)
    flame = max(FLAME_C, region.peak)
    low, high = _radiance(np.array([background_c, flame]))
    share = (_radiance(celsius[region.window(1)].astype(float)) - low) / (high - low)
    return float(np.nansum(np.clip(share, 0.0, 1.0)))


def power_w_per_m2(region: Region, celsius: Celsius, background_c: float) -> float:
    """Return the radiative power of a region for each square metre that one pixel covers, in watts."""
    kelvin = region.values(celsius).astype(float) + _ZERO_C_IN_K
    ground = background_c + _ZERO_C_IN_K
    return float(EMISSIVITY * _SIGMA * np.sum(np.clip(kelvin**4 - ground**4, 0.0, None)))


def _radiance(celsius: npt.NDArray[np.floating]) -> npt.NDArray[np.float64]:
    """Return Planck's radiance in the middle of the 8-14 µm band, in arbitrary units."""
    kelvin = np.asarray(celsius, dtype=float) + _ZERO_C_IN_K
    return np.asarray(1.0 / np.expm1(_C2_UM_K / (_BAND_UM * kelvin)))
