"""What optics took a picture: from its own metadata, else from a small table.

In order: the focal length in pixels that we write ourselves, the maker's calibration in the file
(with its distortion), a stated field of view, a known camera's pixel pitch, the 35 mm equivalent focal
length. The last is by the diagonal (CIPA DCG-001), and a picture wider than 3:2 is taken as cut
from a 4:3 sensor of the same width.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from missions.model import Camera, Sensor
from vision.metadata.exif import Exif
from vision.metadata.known import KNOWN, Known
from vision.metadata.xmp import number, numbers

_FULL_FRAME_DIAGONAL_MM = math.hypot(36, 24)
_OFF_CENTRE = 0.06


@dataclass(frozen=True, slots=True)
class _Optics:
    """A calibration in pixels; `distortion` as `missions.model.Camera` orders it."""

    focal_px: float
    centre_x_px: float
    centre_y_px: float
    distortion: tuple[float, float, float, float, float] = (0.0, 0.0, 0.0, 0.0, 0.0)


def identify(xmp: Mapping[str, str], exif: Exif, *, width_px: int, height_px: int, thermal: bool) -> Camera:
    """Return the camera; its focal length is NaN when nothing tells it."""
    known = _known(exif, width_px)
    sensor = Sensor.THERMAL if thermal or _says_thermal(xmp, known) else Sensor.RGB
    optics = _calibrated(xmp, width_px, height_px)
    focal = number(xmp.get("gridpatrol:FocalPx")) or (optics and optics.focal_px)
    focal = focal or _from_view(xmp, width_px) or _from_pitch(known, exif, width_px)
    if focal is None and exif.focal_35mm:
        wide = width_px / height_px > 1.55
        diagonal = width_px * 1.25 if wide else math.hypot(width_px, height_px)
        focal = exif.focal_35mm / _FULL_FRAME_DIAGONAL_MM * diagonal
    across, down = numbers(xmp, "gridpatrol", "CentreXPx", "CentreYPx")
    if across is None or down is None:
        across, down = (optics.centre_x_px, optics.centre_y_px) if optics else (width_px / 2, height_px / 2)
    return Camera(
        name=xmp.get("gridpatrol:Camera") or f"{exif.make} {exif.model}".strip() or "unknown camera",
        sensor=sensor,
        width_px=width_px,
        height_px=height_px,
        focal_px=focal or math.nan,
        centre_x_px=across,
        centre_y_px=down,
        distortion=optics.distortion if optics else (0.0, 0.0, 0.0, 0.0, 0.0),
    )


def _calibrated(xmp: Mapping[str, str], width_px: int, height_px: int) -> _Optics | None:
    """Return the maker's calibration, None where the file has none that fits the picture."""
    for found in (_dji(xmp, width_px, height_px), _skydio(xmp)):
        if found and _fits(found, width_px, height_px):
            return found
    return None


def _dji(xmp: Mapping[str, str], width_px: int, height_px: int) -> _Optics | None:
    """Return DJI's calibration.

    `DewarpData` is a date, then fx, fy, cx, cy, k1, k2, p1, p2, k3, the centre counted from the
    picture's middle; a `DewarpFlag` of 1 says that the distortion is gone already (DJI manuals,
    "XMP data list").
    """
    flattened = xmp.get("drone-dji:DewarpFlag", "0").strip() == "1"
    parts = [number(v) for v in xmp.get("drone-dji:DewarpData", "").rpartition(";")[2].split(",")]
    values = [v for v in parts if v is not None]
    if len(values) == 9:
        fx, fy, cx, cy, k1, k2, p1, p2, k3 = values
        lens = (0.0, 0.0, 0.0, 0.0, 0.0) if flattened else (k1, k2, p1, p2, k3)
        return _Optics((fx + fy) / 2, width_px / 2 + cx, height_px / 2 + cy, lens)
    focal, x, y = numbers(
        xmp, "drone-dji", "CalibratedFocalLength", "CalibratedOpticalCenterX", "CalibratedOpticalCenterY"
    )
    return _Optics(focal, x, y) if focal and x and y else None


def _skydio(xmp: Mapping[str, str]) -> _Optics | None:
    """Return Skydio's calibration of its colour camera; `DewarpData` holds k1, k2, k3.

    Beside a thermal picture the values are still the colour camera's, and do not fit its size.
    """
    focal, down = numbers(xmp, "drone-skydio", "CalibratedFocalLength/X", "CalibratedFocalLength/Y")
    x, y = numbers(xmp, "drone-skydio", "CalibratedOpticalCenter/X", "CalibratedOpticalCenter/Y")
    if not (focal and down and x and y):
        return None
    radial = [number(v) for v in xmp.get("drone-skydio:DewarpData", "").split(",")]
    k1, k2, k3 = (v or 0.0 for v in (radial if len(radial) == 3 else (0.0, 0.0, 0.0)))
    return _Optics((focal + down) / 2, x, y, (k1, k2, 0.0, 0.0, k3))


def _fits(optics: _Optics, width_px: int, height_px: int) -> bool:
    """Return whether a calibration is of pictures this size: its centre lies near the middle."""
    off_x, off_y = abs(optics.centre_x_px / width_px - 0.5), abs(optics.centre_y_px / height_px - 0.5)
    return off_x < _OFF_CENTRE and off_y < _OFF_CENTRE and 0.3 < optics.focal_px / width_px < 60


def _known(exif: Exif, width_px: int) -> Known | None:
    model = exif.model.upper()
    return next((k for k in KNOWN if k.model == model and k.width_px == width_px), None)


def _says_thermal(xmp: Mapping[str, str], known: Known | None) -> bool:
    if stated := xmp.get("gridpatrol:Sensor"):
        return stated == Sensor.THERMAL
    if xmp.get("drone-skydio:CameraSource") == "INFRARED":
        return True
    return known is not None and known.sensor is Sensor.THERMAL


def _from_view(xmp: Mapping[str, str], width_px: int) -> float | None:
    view = number(xmp.get("exif:CameraHorizontalFOV"))
    return width_px / 2 / math.tan(math.radians(view / 2)) if view and 1 < view < 170 else None


def _from_pitch(known: Known | None, exif: Exif, width_px: int) -> float | None:
    focal_mm = known and (known.focal_mm or exif.focal_mm)
    return focal_mm / known.sensor_width_mm * width_px if known and focal_mm else None
