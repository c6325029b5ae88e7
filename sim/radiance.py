"""Temperature to what a long-wave camera collects, and back.

A pixel that is half flame does not read the mean temperature: it collects the mean
radiance of the 8-14 µm band and reads the temperature of a black body with that
radiance. Mixing is therefore done in band radiance, by Planck's law integrated over the
band (W/m²/sr), on a table of one kelvin steps.
"""

from functools import cache

import numpy as np

from missions.geo import Floats

BAND_M = (8e-6, 14e-6)
TABLE_C = np.arange(-80.0, 1301.0)
_FIRST, _SECOND = 1.191042972e-16, 1.438776877e-2  # Planck's radiation constants 2hc² and hc/k


def radiance(temp_c: Floats) -> Floats:
    """Return the band radiance of black bodies."""
    return np.asarray(np.interp(temp_c, TABLE_C, _table()))


def temperature_c(band_radiance: Floats) -> Floats:
    """Return the temperatures of black bodies with these band radiances."""
    return np.asarray(np.interp(band_radiance, _table(), TABLE_C))


@cache
def _table() -> Floats:
    wave = np.linspace(*BAND_M, 121)
    kelvin = TABLE_C[:, None] + 273.15
    spectral = _FIRST / wave**5 / np.expm1(_SECOND / (wave * kelvin))
    return np.asarray(np.trapezoid(spectral, wave, axis=1))
