"""TIFFs of floats: degrees Celsius, or kelvin where no pixel could be Celsius.

Written by FLAME 3's tools, thermal decoders, Pix4D and our own cameras.
"""

import numpy as np
import numpy.typing as npt

from vision.radiometry import COLDEST_C, Celsius

ZERO_C_IN_K = 273.15
_NO_SCENE_IS_ALL_ABOVE_C = 180.0
_NO_SCENE_IS_MOSTLY_ABOVE_K = 400.0


def to_celsius(values: npt.NDArray[np.floating]) -> tuple[Celsius, str | None]:
    """Return °C and what was assumed to get there."""
    celsius = values.astype(np.float32, copy=False)
    real = celsius[::8, ::8]
    real = real[np.isfinite(real) & (real > COLDEST_C) & (real != 0)]  # the rest is fill
    if not real.size:
        return celsius, None
    if real.min() > _NO_SCENE_IS_ALL_ABOVE_C and np.median(real) < _NO_SCENE_IS_MOSTLY_ABOVE_K:
        return celsius - np.float32(ZERO_C_IN_K), "read as kelvin: no pixel measured is below 180"
    return celsius, None
