"""DJI radiometric JPEGs of cameras with a Guide core: H20T, M30T, and the XT S as far as it goes.

Nothing of the format is published. What the bytes tell:

* One APP segment holds 16384 temperatures in 0.1 °C, the camera's curve (APP5; the XT S: APP3).
* The M30T (APP4 "girp") writes counts that are places on that curve.
* The H20T (APP4 begins `AA 55 12 06`) writes counts of four times the curve's step and with an offset that
  follows the temperatures of lens and shutter. Its header lists, from word 342 on, sixteen pixels as the
  camera itself measured them when it took the picture: count, x, y, temperature in 0.1 °C. They give offset
  and slope for this picture, so nothing has to be assumed.
* The XT S (APP4 counts, APP2 "Plug") has such an offset too, and lists no pixels that would tell it.

The temperatures are those of the camera's own settings (H20T: emissivity in per cent, mirrored °C, distance
and humidity in words 68-74 of APP4); other conditions are not applied, for the curve has them inside.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from vision.radiometry import Temperatures, checked

CURVE_WORDS = 16384
_H20T, _M30T = b"\xaa\x55\x12\x06", b"\xff\xd2\xd1\xffgirp"
_SPOTS_AT, _SPOTS = 342, 16
_FEWEST_SPOTS, _WORST_C = 4, 1.5
_H20T_PER_STEP = 4.0
_SLOPE_WITHIN = 0.15


@dataclass(frozen=True, slots=True)
class Unreached:
    """A picture whose format is known, and why its temperatures are not."""

    reason: str


def celsius(counts: npt.NDArray[np.uint16], curve: bytes, header: bytes) -> Temperatures | Unreached:
    """Return the temperatures of counts by the camera's curve, or what stands in the way."""
    if len(curve) < 2 * CURVE_WORDS:
        return Unreached("its curve of temperatures is cut off")
    curve_c = np.frombuffer(curve, "<i2", count=CURVE_WORDS) / 10.0
    if header.startswith(_M30T):
        return _on_curve(counts.astype(np.float64), curve_c, "by the camera's own curve (M30T)")
    if header.startswith(_H20T):
        return _by_spots(counts, curve_c, header)
    return Unreached(
        "its counts have an offset that follows the temperatures of lens and shutter, "
        "and how it does is not published"
    )


def _by_spots(
    counts: npt.NDArray[np.uint16], curve_c: npt.NDArray[np.float64], header: bytes
) -> Temperatures | Unreached:
    """Return temperatures by the pixels that the camera measured itself."""
    seen, temp_c = _spots(header, counts.shape)
    if len(seen) < _FEWEST_SPOTS or np.ptp(seen) <= 0:
        return Unreached("its header lists too few pixels that the camera measured itself")
    rising = _rising(curve_c)
    steps = np.interp(temp_c, curve_c[rising], rising.astype(float))
    slope, offset = np.polyfit(seen, steps, 1)
    off_c = float(np.abs(np.interp(slope * seen + offset, np.arange(CURVE_WORDS), curve_c) - temp_c).max())
    if abs(slope * _H20T_PER_STEP - 1) > _SLOPE_WITHIN or off_c > _WORST_C:
        return Unreached("the pixels that its header lists do not lie on its curve")
    note = f"by the camera's own curve and {len(seen)} pixels it measured itself, met within {off_c:.1f} °C"
    return _on_curve(slope * counts + offset, curve_c, note)


def _spots(header: bytes, shape: tuple[int, ...]) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Return counts and °C of the pixels measured on board."""
    words = np.frombuffer(header, "<i2", count=len(header) // 2)
    if len(words) < _SPOTS_AT + 4 * _SPOTS:
        return np.zeros(0), np.zeros(0)
    rows = words[_SPOTS_AT : _SPOTS_AT + 4 * _SPOTS].reshape(-1, 4)
    height, width = shape
    inside = (rows[:, 1] >= 0) & (rows[:, 1] < width) & (rows[:, 2] >= 0) & (rows[:, 2] < height)
    real = rows[inside & (rows[:, 0] != 0)]
    return real[:, 0].astype(np.uint16).astype(float), real[:, 3] / 10.0


def _rising(curve_c: npt.NDArray[np.float64]) -> npt.NDArray[np.int64]:
    """Return where the curve really rises: its flat ends say only "colder" and "hotter"."""
    return np.concatenate([[0], np.flatnonzero(np.diff(curve_c) > 0) + 1])


def _on_curve(steps: npt.NDArray[np.float64], curve_c: npt.NDArray[np.float64], note: str) -> Temperatures:
    """Return the curve's temperatures at places on it."""
    at = np.clip(steps, 0, CURVE_WORDS - 1)
    found = np.interp(at, np.arange(CURVE_WORDS), curve_c).astype(np.float32)
    note = f"decoded from the bytes of DJI's unpublished format: {note}"
    return checked(found, note, decoder="dji-guide 1")
