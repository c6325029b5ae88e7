"""Writes pictures the way a drone does: a radiometric TIFF and a JPEG, with what the drone believed.

The thermal picture is a float32 TIFF in °C whose XMP packet sits in tag 700. The
colour picture is a JPEG with EXIF (GPS included) and the same XMP packet. The
packet speaks DJI's dialect, because that is what most programs read, and our own
namespace for what DJI has no word for: the camera's focal length in pixels, the
sensor, the drone, the shot.
"""

import io
import os
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from pathlib import Path
from xml.sax.saxutils import quoteattr

import cv2
import numpy as np
import numpy.typing as npt
import tifffile
from PIL import Image
from PIL.TiffImagePlugin import IFDRational

from missions.model import Camera, CameraPose

MAKE, MODEL, SOFTWARE = "Gridpatrol", "GP-1", "Gridpatrol simulator 1"
XMP_TAG, BYTE, ASCII = 700, 1, 2
PIXEL_PITCH_MM = {"thermal": 0.012, "rgb": 0.00375}
JPEG_QUALITY = 88
NAMESPACES = {
    "tiff": "http://ns.adobe.com/tiff/1.0/",
    "exif": "http://ns.adobe.com/exif/1.0/",
    "xmp": "http://ns.adobe.com/xap/1.0/",
    "drone-dji": "http://www.dji.com/drone-dji/1.0/",
    "gridpatrol": "urn:gridpatrol:xmp:1",
}


@dataclass(frozen=True, slots=True)
class Caption:
    """What is written beside the pixels. `reported` is what the drone believed, not the truth."""

    camera: Camera
    reported: CameraPose
    above_home_m: float
    taken_at: datetime
    drone: str
    shot_index: int


def write_thermal(path: Path, temp_c: npt.NDArray[np.float32], caption: Caption) -> None:
    """Write a float32 TIFF in °C; the file appears whole or not at all."""
    packet = xmp(caption)
    tags = [
        (271, ASCII, 0, MAKE, True),
        (272, ASCII, 0, MODEL, True),
        (306, ASCII, 0, f"{caption.taken_at:%Y:%m:%d %H:%M:%S}", True),
        (XMP_TAG, BYTE, len(packet), packet, True),
    ]
    file = io.BytesIO()
    tifffile.imwrite(
        file,
        temp_c,
        photometric="minisblack",
        metadata=None,
        description="apparent temperature, degrees Celsius",
        software=SOFTWARE,
        extratags=tags,
    )
    _put(path, file.getvalue())


def write_colour(path: Path, bgr: npt.NDArray[np.uint8], caption: Caption) -> None:
    """Write a JPEG of blue, green, red pixels; the file appears whole or not at all."""
    file = io.BytesIO()
    picture = Image.fromarray(np.asarray(cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB)))
    picture.save(file, "JPEG", quality=JPEG_QUALITY, exif=_exif(caption), xmp=xmp(caption))
    _put(path, file.getvalue())


def xmp(caption: Caption) -> bytes:
    """Return the XMP packet of a picture."""
    pose, camera = caption.reported, caption.camera
    facts = {
        "tiff:Make": MAKE,
        "tiff:Model": MODEL,
        "xmp:CreateDate": caption.taken_at.isoformat(timespec="milliseconds"),
        "drone-dji:GpsLatitude": f"{pose.place.lat_deg:+.8f}",
        "drone-dji:GpsLongitude": f"{pose.place.lon_deg:+.8f}",
        "drone-dji:AbsoluteAltitude": f"{pose.altitude_m:+.2f}",
        "drone-dji:RelativeAltitude": f"{caption.above_home_m:+.2f}",
        "drone-dji:GimbalYawDegree": f"{_half_turn(pose.heading_deg):+.2f}",
        "drone-dji:GimbalPitchDegree": f"{pose.pitch_deg:+.2f}",
        "drone-dji:GimbalRollDegree": f"{pose.roll_deg:+.2f}",
        "drone-dji:FlightYawDegree": f"{_half_turn(pose.heading_deg):+.2f}",
        "drone-dji:FlightPitchDegree": "+0.00",
        "drone-dji:FlightRollDegree": "+0.00",
        "gridpatrol:FocalPx": f"{camera.focal_px:.4f}",
        "gridpatrol:CentreXPx": f"{camera.centre_x_px:.4f}",
        "gridpatrol:CentreYPx": f"{camera.centre_y_px:.4f}",
        "gridpatrol:Camera": camera.name,
        "gridpatrol:Sensor": camera.sensor.value,
        "gridpatrol:DroneId": caption.drone,
        "gridpatrol:ShotIndex": str(caption.shot_index),
        "gridpatrol:TakenAt": caption.taken_at.isoformat(timespec="milliseconds"),
    }
    spaces = " ".join(f"xmlns:{name}={quoteattr(uri)}" for name, uri in NAMESPACES.items())
    inside = "\n   ".join(f"{name}={quoteattr(value)}" for name, value in facts.items())
    return (
        '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>\n'
        '<x:xmpmeta xmlns:x="adobe:ns:meta/">\n'
        ' <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">\n'
        f'  <rdf:Description rdf:about="" {spaces}\n   {inside}/>\n'
        ' </rdf:RDF>\n</x:xmpmeta>\n<?xpacket end="w"?>'
    ).encode()


def _exif(caption: Caption) -> Image.Exif:
    """Return EXIF 2.32 with its GPS part; times as local to their own offset."""
    camera, at = caption.camera, caption.taken_at
    exif = Image.Exif()
    exif[0x010F], exif[0x0110], exif[0x0131] = MAKE, MODEL, SOFTWARE
    exif[0x0132] = f"{at:%Y:%m:%d %H:%M:%S}"
    details = exif.get_ifd(0x8769)
    details[0x9000] = b"0232"
    details[0x9003] = details[0x9004] = f"{at:%Y:%m:%d %H:%M:%S}"
    details[0x9010] = details[0x9011] = _offset(at)
    details[0x9291] = f"{at.microsecond // 1000:03d}"
    focal_mm = camera.focal_px * PIXEL_PITCH_MM[camera.sensor.value]
    details[0x920A] = _rational(focal_mm, 1000)
    details[0xA405] = round(36.0 * camera.focal_px / camera.width_px)
    details[0xA002], details[0xA003] = camera.width_px, camera.height_px
    exif.get_ifd(0x8825).update(_gps(caption.reported))
    return exif


def _gps(pose: CameraPose) -> dict[int, object]:
    return {
        0: b"\x02\x03\x00\x00",
        1: "N" if pose.place.lat_deg >= 0 else "S",
        2: _degrees(pose.place.lat_deg),
        3: "E" if pose.place.lon_deg >= 0 else "W",
        4: _degrees(pose.place.lon_deg),
        5: b"\x00" if pose.altitude_m >= 0 else b"\x01",
        6: _rational(abs(pose.altitude_m), 1000),
        16: "T",
        17: _rational(pose.heading_deg % 360.0, 100),
        18: "WGS-84",
    }


def _degrees(angle: float) -> tuple[IFDRational, IFDRational, IFDRational]:
    """Return degrees, minutes and seconds; 1e-5 seconds are 0.3 mm."""
    ticks = round(abs(angle) * 3600 * 100_000)
    minutes, seconds = divmod(ticks, 60 * 100_000)
    return (IFDRational(minutes // 60), IFDRational(minutes % 60), IFDRational(seconds, 100_000))


def _rational(value: float, denominator: int) -> IFDRational:
    return IFDRational(Fraction(round(value * denominator), denominator))


def _offset(at: datetime) -> str:
    text = at.strftime("%z") or "+0000"
    return f"{text[:3]}:{text[3:5]}"


def _half_turn(heading_deg: float) -> float:
    """Return a heading as DJI writes it, -180 to 180."""
    return (heading_deg + 180.0) % 360.0 - 180.0


def _put(path: Path, content: bytes) -> None:
    part = path.with_name(path.name + ".part")
    part.write_bytes(content)
    os.replace(part, path)
