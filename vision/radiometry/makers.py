"""Radiometric JPEGs: whose they are, and their temperatures as far as they can be had.

`read` is the one door: it knows the makers' segments and asks the reader of the family. A picture that is
radiometric and cannot be decoded comes back with its counts, which still say what is warmer than what.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from vision.metadata.xmp import segments
from vision.radiometry import Temperatures, dji_guide, dji_infiray, flir
from vision.radiometry.conditions import Conditions

_APP2, _APP3, _APP4, _APP5 = 0xE2, 0xE3, 0xE4, 0xE5
_DJI_SIZES = ((512, 640), (1024, 1280), (256, 336))
_AS_FILED = Conditions()


@dataclass(frozen=True, slots=True, eq=False)
class Undecoded:
    """Radiometric data without temperatures: whose, why, and where they can be told the counts."""

    maker: str
    reason: str
    counts: npt.NDArray[np.uint16] | None = None


def read(data: bytes, conditions: Conditions = _AS_FILED) -> Temperatures | Undecoded | None:
    """Return a JPEG's temperatures, what stands in their way, or None for an ordinary picture."""
    try:
        found = flir.celsius(data, conditions)
    except flir.Malformed as reason:
        return Undecoded("FLIR", str(reason))
    made = found or _dji(data, conditions)
    if isinstance(made, Temperatures) and not np.isfinite(made.celsius).any():
        return Undecoded("FLIR" if found else "DJI", "not one pixel of which holds a temperature")
    return made


def _dji(data: bytes, conditions: Conditions) -> Temperatures | Undecoded | None:
    """Return what the counts in a JPEG's APP3 (the XT S: APP4) say."""
    parts = {m: bytearray() for m in (_APP2, _APP3, _APP4, _APP5)}
    for marker, body in segments(data):
        if marker in parts:
            parts[marker] += body
    app3, app4, app5 = (bytes(parts[m]) for m in (_APP3, _APP4, _APP5))
    if len(app3) == 2 * dji_guide.CURVE_WORDS and len(app4) > len(app3):
        app3, app4, app5 = app4, bytes(parts[_APP2]), app3
    size = next((s for s in _DJI_SIZES if len(app3) == 2 * s[0] * s[1]), None)
    if size is None:
        return Undecoded("DJI", "counts of an unknown size") if len(app3) >= 2 * 160 * 120 else None
    infiray = dji_infiray.picture(app3, app4, app5, size)
    if infiray is not None:
        return dji_infiray.celsius(infiray, conditions)
    counts = np.frombuffer(app3, "<u2").reshape(size)
    guide = dji_guide.celsius(counts, app5, app4)
    return Undecoded("DJI", guide.reason, counts) if isinstance(guide, dji_guide.Unreached) else guide
