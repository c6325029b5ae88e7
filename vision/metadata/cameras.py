"""What optics took a picture: from its own metadata, else from a small table.

In order: the focal length in pixels that we write ourselves, a stated field of
view, a known camera's pixel pitch, the 35 mm equivalent focal length. The last
is by the diagonal (CIPA DCG-001), and a picture wider than 3:2 is taken as cut
from a 4:3 sensor of the same width.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from missions.model import Camera, Sensor
from vision.metadata.exif import Exif
from vision.metadata.xmp import number, numbers

_FULL_FRAME_DIAGONAL_MM = math.hypot(36, 24)


@dataclass(frozen=True, slots=True)
class _Known:
    """A camera by its maker's data sheet; `focal_mm` None means the file states it."""

    model: str
    sensor: Sensor
    width_px: int
    sensor_width_mm: float
    focal_mm: float | None = None


# Model names are overloaded: the picture's width tells a drone's thermal camera from its colour one.
_KNOWN = (
    _Known("MAVIC2-ENTERPRISE-ADVANCED", Sensor.THERMAL, 640, 7.68, 9.0),
    _Known("M30T", Sensor.THERMAL, 640, 7.68),
    _Known("M3T", Sensor.THERMAL, 640, 7.68),
    _Known("ZH20T", Sensor.THERMAL, 640, 7.68),
    _Known("ZH20N", Sensor.THERMAL, 640, 7.68),
    _Known("XT S", Sensor.THERMAL, 640, 10.88),
    _Known("FLIR", Sensor.THERMAL, 640, 10.88),
    _Known("X2 NARROW", Sensor.THERMAL, 640, 3.84, 9.1),
    _Known("BOSON 640", Sensor.THERMAL, 640, 7.68),
    _Known("FC300S", Sensor.RGB, 4000, 6.3175),
)


def identify(xmp: Mapping[str, str], exif: Exif, *, width_px: int, height_px: int, thermal: bool) -> Camera:
    """Return the camera; its focal length is NaN when nothing tells it."""
    known = _known(exif, width_px)
    sensor = Sensor.THERMAL if thermal or _says_thermal(xmp, known) else Sensor.RGB
    focal = _own_focal_px(xmp, width_px) or _from_view(xmp, width_px) or _from_pitch(known, exif, width_px)
    if focal is None and exif.focal_35mm:
        wide = width_px / height_px > 1.55
        diagonal = width_px * 1.25 if wide else math.hypot(width_px, height_px)
        focal = exif.focal_35mm / _FULL_FRAME_DIAGONAL_MM * diagonal
    across, down = numbers(xmp, "gridpatrol", "CentreXPx", "CentreYPx")
    return Camera(
        name=xmp.get("gridpatrol:Camera") or f"{exif.make} {exif.model}".strip() or "unknown camera",
        sensor=sensor,
        width_px=width_px,
        height_px=height_px,
        focal_px=focal or math.nan,
        centre_x_px=width_px / 2 if across is None else across,
        centre_y_px=height_px / 2 if down is None else down,
    )


def _known(exif: Exif, width_px: int) -> _Known | None:
    model = exif.model.upper()
    return next((k for k in _KNOWN if k.model == model and k.width_px == width_px), None)


def _says_thermal(xmp: Mapping[str, str], known: _Known | None) -> bool:
    if stated := xmp.get("gridpatrol:Sensor"):
        return stated == Sensor.THERMAL
    if xmp.get("drone-skydio:CameraSource") == "INFRARED":
        return True
    return known is not None and known.sensor is Sensor.THERMAL


def _own_focal_px(xmp: Mapping[str, str], width_px: int) -> float | None:
    return number(xmp.get("gridpatrol:FocalPx"))


def _from_view(xmp: Mapping[str, str], width_px: int) -> float | None:
    view = number(xmp.get("exif:CameraHorizontalFOV"))
    return width_px / 2 / math.tan(math.radians(view / 2)) if view and 1 < view < 170 else None


def _from_pitch(known: _Known | None, exif: Exif, width_px: int) -> float | None:
    focal_mm = known and (known.focal_mm or exif.focal_mm)
    return focal_mm / known.sensor_width_mm * width_px if known and focal_mm else None
