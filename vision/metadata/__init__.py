"""What a picture's file says about itself: who took it, when, with what, from where.

EXIF by exifread, XMP by defusedxml; each maker's dialect is one function in
`dialects.py`.
"""

from dataclasses import dataclass, replace
from datetime import UTC, datetime

from missions.model import Camera
from vision.metadata import cameras, dialects, exif, xmp
from vision.metadata.reading import Reading


@dataclass(frozen=True, slots=True)
class Metadata:
    """A picture's metadata; `taken_at` is aware UTC, `zone_stated` False when UTC was assumed."""

    camera: Camera
    reading: Reading
    taken_at: datetime | None
    zone_stated: bool
    xmp: dict[str, str]
    drone: str = ""
    index: int = 0
    note: str | None = None


def of_jpeg(data: bytes, *, width_px: int, height_px: int, thermal: bool = False) -> Metadata:
    """Return the metadata of a JPEG's bytes."""
    found = xmp.packet(data)
    return of_parts(found, data, width_px=width_px, height_px=height_px, thermal=thermal)


def of_parts(
    packet: bytes | None, exif_source: bytes, *, width_px: int, height_px: int, thermal: bool
) -> Metadata:
    """Return the metadata of an XMP packet and of a file whose EXIF is read only when that is not enough."""
    values = xmp.properties(packet) if packet else {}
    complete = "gridpatrol:Camera" in values and "gridpatrol:TakenAt" in values
    tags = exif.Exif() if complete else exif.read(exif_source)
    taken_at, zone_stated = _taken_at(values, tags)
    reading, note = _as_taken(dialects.read(values, tags), tags, wide=width_px > height_px)
    return Metadata(
        camera=cameras.identify(values, tags, width_px=width_px, height_px=height_px, thermal=thermal),
        reading=reading,
        taken_at=taken_at,
        zone_stated=zone_stated,
        xmp=values,
        drone=values.get("gridpatrol:DroneId") or values.get("drone-dji:DroneSerialNumber", ""),
        index=int(xmp.number(values.get("gridpatrol:ShotIndex")) or 0),
        note=note,
    )


def _as_taken(reading: Reading, tags: exif.Exif, *, wide: bool) -> tuple[Reading, str | None]:
    """Return the pose of the picture as it lies in the file, and what was undone.

    Windows Photo Viewer signs a picture only when somebody turned it there, turns
    the pixels and leaves the maker's angles. What still lies wide was turned by half:
    on two overlapping photos so signed the same ground points then agree to 4 m
    instead of 59 m.
    """
    if not wide or not tags.software.startswith("Microsoft Windows Photo Viewer"):
        return reading, None
    turned = replace(reading, roll_deg=(reading.roll_deg or 0.0) + 180.0)
    return turned, "taken as turned by half in Windows Photo Viewer after it was shot"


def _taken_at(values: dict[str, str], tags: exif.Exif) -> tuple[datetime | None, bool]:
    """Return when the picture was taken: what names its time zone before what does not."""
    if own := _aware(values.get("gridpatrol:TakenAt", "")):
        return own, True
    if exposed := _utc(values.get("drone-dji:UTCAtExposure", "")):
        return exposed, True
    if tags.zone_stated:
        return tags.taken_at, True
    for name in ("xmp:CreateDate", "exif:DateTimeOriginal"):
        if stated := _aware(values.get(name, "")):
            return stated, True
    return tags.taken_at, False


def _utc(text: str) -> datetime | None:
    """Return a time that DJI writes in UTC without saying so, to the microsecond."""
    try:
        return datetime.fromisoformat(text.strip()).replace(tzinfo=UTC) if text else None
    except ValueError:
        return None


def _aware(text: str) -> datetime | None:
    try:
        time = datetime.fromisoformat(text)
        return time.astimezone(UTC) if time.tzinfo else None
    except (ValueError, OverflowError):  # year 1 east of Greenwich
        return None
