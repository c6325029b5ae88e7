"""DJI radiometric JPEGs of cameras with an InfiRay core: Mavic 2 EA, Mavic 3T, H20N and their like.

Nothing of the format is published. What the bytes tell, found on six pictures of three cameras:

* APP3 holds a temperature in 1/64 kelvin for each pixel, as the core measured it: as if everything were a
  black body with nothing in between (InfiRay's USB cameras write the same unit).
* APP4 holds the conditions as floats: air °C, distance m, emissivity, humidity (a share), mirrored °C; since
  the Mavic 3T behind 32 bytes that begin with "iirp".
* APP5 is a head of 128 words (`FFFF`), then how much the air lets through, in 1/16384, as a table of
  4 x 14 x 64: humidity, air in steps of 5 °C from -15 °C, distance (0.25 m steps to 5 m, 0.5 m to 9 m,
  1 m to 19 m, then 5 m steps); then 8192 temperatures in 1/16 kelvin and a checksum.

What the core saw is then, by radiation W, `e t k W(object) + (1 - e t k) W(surroundings)`. The factor k is
not in the bytes: 0.925 stands for what the maker's own program divides by besides emissivity and air, taken
from pictures of all three cameras (M2EA .930 over every pixel, M3T .918, H20N .925), and for the last two
leaves 0.4 °C and less between 0 and 55 °C.
"""

import struct
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from vision.radiometry import Celsius, Temperatures, checked
from vision.radiometry.conditions import Conditions, Full

_PREFIX = b"\xff\xd2\xd1\xffiirp"
_CONDITIONS_END = b"\x2c\x01\x20\x00"  # what stands 32 bytes behind their beginning in every file seen
_PER_KELVIN, _ZERO_C_IN_K = 64.0, 273.15
_HEAD, _AIR_SHAPE, _ONE = 128, (4, 14, 64), 16384.0
_FROM_C, _STEP_C = -15.0, 5.0
_DISTANCES_M = np.concatenate(
    [np.arange(1, 21) * 0.25, np.arange(11, 19) * 0.5, np.arange(10, 20) * 1.0, np.arange(4, 11) * 5.0]
)
_REMAINDER = 0.925
_BAND_UM, _C2_UM_K = 12.0, 14387.8


@dataclass(frozen=True, slots=True, eq=False)
class InfirayPicture:
    """What the segments hold: the black-body kelvins of the core, the conditions, the air's table."""

    kelvin: npt.NDArray[np.float64]
    conditions: Conditions
    air: npt.NDArray[np.float64]


def picture(app3: bytes, app4: bytes, app5: bytes, size: tuple[int, int]) -> InfirayPicture | None:
    """Return the parts of a picture of this family (size is rows, columns), None for another family's."""
    start = 32 if app4.startswith(_PREFIX) else 0
    if app4[start + 32 : start + 36] != _CONDITIONS_END:
        return None
    words = np.frombuffer(app5, "<u2", count=len(app5) // 2)
    cells = int(np.prod(_AIR_SHAPE))
    if len(words) < _HEAD + cells or len(app3) < 2 * size[0] * size[1]:
        return None
    air_c, distance, emissivity, humidity, reflected_c = struct.unpack_from("<5f", app4, start)
    counts = np.frombuffer(app3, "<u2", count=size[0] * size[1]).reshape(size)
    return InfirayPicture(
        counts / _PER_KELVIN,
        Conditions(
            emissivity=emissivity if 0.05 <= emissivity <= 1 else None,
            distance_m=distance if 0 <= distance <= 10_000 else None,
            humidity=humidity if 0 <= humidity <= 1 else None,
            reflected_c=reflected_c if -90 < reflected_c < 200 else None,
            air_c=air_c if -90 < air_c < 100 else None,
        ),
        words[_HEAD : _HEAD + cells].reshape(_AIR_SHAPE) / _ONE,
    )


def celsius(found: InfirayPicture, conditions: Conditions) -> Temperatures:
    """Return the objects' temperatures under the conditions given, the file's where none are."""
    full = conditions.over(found.conditions)
    note = (
        "decoded from the bytes of DJI's unpublished format (InfiRay core), good to 1 °C from 0 to 55 °C; "
        f"emissivity {full.emissivity:.2f}, {full.distance_m:g} m, mirrored {full.reflected_c:g} °C"
    )
    return checked(_objects(found, full), note, decoder="dji-infiray 1")


def _objects(found: InfirayPicture, full: Full) -> Celsius:
    through = air_lets_through(found.air, full) * _REMAINDER
    own = full.emissivity * through
    others = (1 - full.emissivity) * through * _radiation(full.reflected_c + _ZERO_C_IN_K)
    others = others + (1 - through) * _radiation(full.air_c + _ZERO_C_IN_K)
    levels, which = np.unique(found.kelvin, return_inverse=True)
    with np.errstate(divide="ignore", invalid="ignore"):
        radiation = (_radiation(np.maximum(levels, 100.0)) - others) / own
        kelvin = _C2_UM_K / _BAND_UM / np.log1p(1 / radiation)
    return np.asarray((kelvin - _ZERO_C_IN_K).astype(np.float32)[which].reshape(found.kelvin.shape))


def air_lets_through(table: npt.NDArray[np.float64], full: Full) -> float:
    """Return the share of radiation that comes through the air.

    The rows beyond the first repeat its last ones on four pictures of five, so only the first is used.
    """
    row = table[0]
    step = int(np.clip(round((full.air_c - _FROM_C) / _STEP_C), 0, len(row) - 1))
    at = np.interp(full.distance_m, _DISTANCES_M, np.arange(len(_DISTANCES_M)))
    return float(np.clip(np.interp(at, np.arange(row.shape[1]), row[step]), 0.05, 1.0))


def _radiation(kelvin: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Return Planck's radiance at one wavelength, in arbitrary units."""
    return np.asarray(1.0 / np.expm1(_C2_UM_K / (_BAND_UM * np.asarray(kelvin, dtype=float))))
