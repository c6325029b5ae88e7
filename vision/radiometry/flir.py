"""FLIR radiometric JPEGs: counts and Planck constants out of the FFF records, temperature by FLIR's formula.

The JPEG's APP1 segments marked FLIR, put together, are a file of records (FFF): a directory of entries
of 32 bytes, among them the raw counts (type 1, either plain or as a PNG) and the camera's information
(type 32), both as ExifTool documents them. Counts follow the radiation as

    counts = R1 / (R2 (exp(B / T) - F)) - O,    T in kelvin

and what reaches the camera is the object's part (emissivity), the mirrored surroundings', the air's and,
where there is one, the window's. How much the air lets through is FLIR's published formula (ThermaCAM
manuals): two exponentials in the square root of distance with the water vapour in their exponents.
Cores that write "TLinear" counts have no Planck constants and are read as kelvin in steps.
"""

import math
import struct
from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO

import numpy as np
import numpy.typing as npt
from PIL import Image

from vision.metadata.xmp import segments
from vision.radiometry import Celsius, Temperatures, checked
from vision.radiometry.conditions import Conditions, Full

_ZERO_C_IN_K = 273.15
_RAW, _CAMERA = 1, 32
_ENTRY_BYTES = 32
_LARGEST_PX = 4096


class Malformed(Exception):
    """The records do not hold what they should; the text says what."""


@dataclass(frozen=True, slots=True)
class _Camera:
    """What the camera's record says: Planck and air constants, conditions, the window before the lens."""

    r1: float
    r2: float
    b: float
    f: float
    o: float
    air: tuple[float, float, float, float, float]
    conditions: Conditions
    window_c: float
    window_share: float


def celsius(data: bytes, conditions: Conditions) -> Temperatures | None:
    """Return the temperatures of a FLIR JPEG, None for any other file.

    Raises:
        Malformed: the records are cut off or tell nothing usable.
    """
    fff = b"".join(body[8:] for marker, body in segments(data) if marker == 0xE1 and body[:5] == b"FLIR\0")
    if not fff:
        return None
    try:
        records = _records(fff)
        counts, camera = _counts(records[_RAW]), _camera(records[_CAMERA])
        found = to_celsius(counts, camera, conditions.over(camera.conditions))
    except KeyError:
        raise Malformed("the FLIR records lack the raw counts or the camera's constants") from None
    except (struct.error, OSError, SyntaxError, Image.DecompressionBombError) as error:
        raise Malformed(f"the FLIR records are damaged: {error}") from None
    except (ValueError, ArithmeticError) as error:
        raise Malformed(f"the FLIR records cannot be: {error}") from None
    return checked(found, decoder="flir-planck 1")


def to_celsius(counts: npt.NDArray[np.uint16], camera: _Camera, full: Full) -> Celsius:
    """Return °C of counts under given conditions; NaN where the counts mean less than no radiation."""
    through = _air(camera, full)
    window = camera.window_share
    own = full.emissivity * through * window * through
    others = (
        (1 - full.emissivity) * through * window * through * _radiation(camera, full.reflected_c)
        + (1 - through) * window * through * _radiation(camera, full.air_c)
        + (1 - window) * through * _radiation(camera, camera.window_c)
        + (1 - through) * _radiation(camera, full.air_c)
    )
    # One value per count that occurs in a file is worked out, not one per pixel.
    table = np.arange(65536, dtype=np.float64)
    with np.errstate(all="ignore"):
        radiation = (table - others) / own
        kelvin = camera.b / np.log(camera.r1 / (camera.r2 * (radiation + camera.o)) + camera.f)
        return np.asarray((kelvin - _ZERO_C_IN_K).astype(np.float32)[counts])


def _air(camera: _Camera, full: Full) -> float:
    """Return the share that half the way lets through; the formula counts air before and after a window."""
    a1, a2, b1, b2, x = camera.air
    t = full.air_c
    vapour = full.humidity * math.exp(1.5587 + 0.06939 * t - 0.00027816 * t**2 + 6.8455e-7 * t**3)
    way, wet = math.sqrt(full.distance_m / 2), math.sqrt(vapour)
    return x * math.exp(-way * (a1 + b1 * wet)) + (1 - x) * math.exp(-way * (a2 + b2 * wet))


def _radiation(camera: _Camera, temp_c: float) -> float:
    """Return the counts that a black body of a temperature gives."""
    return camera.r1 / (camera.r2 * (math.exp(camera.b / (temp_c + _ZERO_C_IN_K)) - camera.f)) - camera.o


def _records(fff: bytes) -> dict[int, bytes]:
    """Return the first record of each type."""
    if fff[:4] not in (b"FFF\0", b"AFF\0"):
        raise Malformed("the FLIR segments hold no FFF records")
    order = next((o for o in "><" if 100 <= struct.unpack_from(o + "I", fff, 20)[0] < 200), ">")
    start, count = struct.unpack_from(order + "II", fff, 24)
    found: dict[int, bytes] = {}
    for i in range(min(count, 256)):
        at = start + i * _ENTRY_BYTES
        kind, offset, length = (
            *struct.unpack_from(order + "H", fff, at),
            *struct.unpack_from(order + "II", fff, at + 12),
        )
        if kind and offset + length <= len(fff):
            found.setdefault(kind, fff[offset : offset + length])
    return found


def _counts(record: bytes) -> npt.NDArray[np.uint16]:
    """Return the counts of a raw record."""
    order = "<" if struct.unpack_from("<H", record)[0] == 2 else ">"
    width, height = struct.unpack_from(order + "HH", record, 2)
    if not (0 < width <= _LARGEST_PX and 0 < height <= _LARGEST_PX):
        raise Malformed(f"the FLIR records give a picture of {width} x {height} counts")
    body = record[32:]
    if body.startswith(b"\x89PNG"):
        with Image.open(BytesIO(body)) as image:
            values = np.asarray(image).astype(np.uint16)
        values = values.byteswap()  # FLIR's PNGs hold the bytes of a count the other way round
    else:
        values = np.frombuffer(body, dtype=f"{order}u2", count=width * height).astype(np.uint16)
    return values.reshape(height, width)


def _camera(record: bytes) -> _Camera:
    """Return the constants of the camera's record."""
    order = "<" if struct.unpack_from("<H", record)[0] == 2 else ">"

    def number(at: int) -> float:
        return float(struct.unpack_from(order + "f", record, at)[0])

    r1, b, f, r2 = number(0x58), number(0x5C), number(0x60), number(0x30C)
    if not (r1 > 0 and b > 0 and f > 0 and r2 > 0):
        raise Malformed("the FLIR records hold no Planck constants")
    window = number(0x34)
    return _Camera(
        r1=r1,
        r2=r2,
        b=b,
        f=f,
        o=float(struct.unpack_from(order + "i", record, 0x308)[0]),
        air=(number(0x70), number(0x74), number(0x78), number(0x7C), number(0x80)),
        conditions=_conditions(number),
        window_c=number(0x30) - _ZERO_C_IN_K,
        window_share=window if 0.05 < window <= 1.0 else 1.0,
    )


def _conditions(number: Callable[[int], float]) -> Conditions:
    """Return what the file says of the conditions; what cannot be true counts as not said."""
    emissivity, humidity = number(0x20), number(0x3C)
    humidity = humidity / 100 if humidity > 2 else humidity
    reflected_k, air_k, distance = number(0x28), number(0x2C), number(0x24)
    return Conditions(
        emissivity=emissivity if 0.05 <= emissivity <= 1 else None,
        distance_m=distance if 0 <= distance <= 10_000 else None,
        humidity=humidity if 0 <= humidity <= 1 else None,
        reflected_c=reflected_k - _ZERO_C_IN_K if reflected_k > 100 else None,
        air_c=air_k - _ZERO_C_IN_K if air_k > 100 else None,
    )
