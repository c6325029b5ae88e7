"""Temperatures out of thermal files, one file per format.

TIFFs of floats (`celsius_tiff.py`) and of 16-bit counts (`linear16.py`); radiometric JPEGs through one door
(`makers.read`): FLIR's and the XT2's by FLIR's formula (`flir.py`), DJI's as far as the bytes tell
(`dji_infiray.py`: M2EA, M3T, H20N; `dji_guide.py`: H20T, M30T). What cannot be had comes back with its
reason and, where it has them, its counts: whoever reads it gets a *relative thermal* frame, never a guess.
`conditions.py` says what is assumed between object and camera.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Celsius = npt.NDArray[np.float32]

COLDEST_C, HOTTEST_C = -90.0, 3000.0
"""Outside this no camera measures: such values are fill, not temperature."""

_SATURATION_FROM_C = 120.0  # no drone's thermal camera saturates below its high-gain limit of 135-160 °C
_SATURATION_PIXELS = 4


@dataclass(frozen=True, slots=True, eq=False)
class Temperatures:
    """A picture in °C, NaN where nothing was measured.

    `saturated_c` is the highest temperature the camera could show, None when
    nothing in the picture reached it: there the truth is at least that. `decoder` names the reader.
    """

    celsius: Celsius
    saturated_c: float | None
    note: str | None = None
    decoder: str = ""


def checked(celsius: Celsius, note: str | None = None, *, decoder: str = "") -> Temperatures:
    """Return temperatures with what cannot be one made NaN, and the saturation found."""
    hottest, coldest = float(np.max(celsius)), float(np.min(celsius))
    if not (coldest > COLDEST_C and hottest < HOTTEST_C):  # NaN fails too
        celsius = np.where((celsius > COLDEST_C) & (celsius < HOTTEST_C), celsius, np.float32(np.nan))
        hottest = float(np.nanmax(celsius, initial=-np.inf))
    return Temperatures(celsius, _saturation(celsius, hottest), note, decoder)


def _saturation(celsius: Celsius, hottest: float) -> float | None:
    """Return the highest value if several pixels share it exactly, as noise never does."""
    if hottest < _SATURATION_FROM_C:
        return None
    return hottest if np.count_nonzero(celsius == np.float32(hottest)) >= _SATURATION_PIXELS else None
