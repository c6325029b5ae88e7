"""16-bit TIFFs of counts that are linear in temperature, where the file states the scale.

FLIR cores write kelvin × 100 (low resolution: kelvin × 25, `TlinearGain` 0.04);
thermal tools write centikelvin and say so in the image description. Counts of
an unstated scale are read as centikelvin only where they can be nothing else: above all 14-bit
counts, and as warm as a landscape. Any other stay counts.
"""

import re
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from vision.metadata.xmp import number
from vision.radiometry import Celsius
from vision.radiometry.celsius_tiff import ZERO_C_IN_K

_CENTIKELVIN = re.compile(r"centi-?kelvin|kelvin\s*[x×*]\s*100|0\.01\s*k\b", re.IGNORECASE)

_ABOVE_14_BIT = 16384
_COLD, _WARM = 23315, 33315  # -40 and 60 °C in 0.01 K


def gain_k(xmp: Mapping[str, str], description: str) -> float | None:
    """Return kelvin per count as the file states it, None when it does not."""
    stated = number(xmp.get("FLIR:TlinearGain"))
    if stated and 0 < stated < 1:
        return stated
    return 0.01 if _CENTIKELVIN.search(description) else None


def looks_centikelvin(counts: npt.NDArray[np.integer]) -> bool:
    """Return whether counts of no stated scale are a landscape in 0.01 K and no 14-bit counts."""
    real = counts[::4, ::4]
    real = real[real > 0]
    return bool(real.size) and bool(real.min() >= _ABOVE_14_BIT and _COLD <= np.median(real) <= _WARM)


def to_celsius(counts: npt.NDArray[np.integer], *, kelvin_per_count: float) -> Celsius:
    """Return °C of linear counts; 0 counts is a pixel that measured nothing."""
    celsius = counts.astype(np.float32) * np.float32(kelvin_per_count) - np.float32(ZERO_C_IN_K)
    return np.where(counts == 0, np.float32(np.nan), celsius)
