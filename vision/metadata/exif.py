"""What EXIF says of a picture, as plain values."""

import logging
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from io import BytesIO
from typing import Any

import exifread

# The library reports every odd tag of a maker; none of it is for our users.
logging.getLogger("exifread").setLevel(logging.CRITICAL)


@dataclass(frozen=True, slots=True)
class Exif:
    """The tags we use; None is what the file does not say.

    `taken_at` is aware UTC; `zone_stated` tells whether the file named its time
    zone or UTC had to be assumed.
    """

    make: str = ""
    model: str = ""
    software: str = ""
    taken_at: datetime | None = None
    zone_stated: bool = False
    lat_deg: float | None = None
    lon_deg: float | None = None
    altitude_m: float | None = None
    direction_deg: float | None = None
    focal_mm: float | None = None
    focal_35mm: float | None = None


def read(data: bytes) -> Exif:
    """Return the EXIF of a JPEG or TIFF file's bytes; what cannot be read is left out."""
    try:
        tags = exifread.process_file(BytesIO(data), details=False, extract_thumbnail=False)
    except Exception:  # exifread raises what it trips over: struct.error, KeyError, its own
        return Exif()
    taken_at, zone_stated = _taken_at(tags)
    altitude = _number(tags, "GPS GPSAltitude")
    if altitude is not None and _first(tags, "GPS GPSAltitudeRef") == 1:
        altitude = -altitude
    return Exif(
        make=_text(tags, "Image Make"),
        model=_text(tags, "Image Model"),
        software=_text(tags, "Image Software"),
        taken_at=taken_at,
        zone_stated=zone_stated,
        lat_deg=_degrees(tags, "GPS GPSLatitude", "S"),
        lon_deg=_degrees(tags, "GPS GPSLongitude", "W"),
        altitude_m=altitude,
        direction_deg=_number(tags, "GPS GPSImgDirection"),
        focal_mm=_number(tags, "EXIF FocalLength"),
        focal_35mm=_number(tags, "EXIF FocalLengthIn35mmFilm"),
    )


def _taken_at(tags: dict[str, Any]) -> tuple[datetime | None, bool]:
    """Return when the picture was taken and whether the time zone is stated.

    GPS time is UTC; the camera's clock counts only with its offset tag.
    """
    for clock in ("Original", "Digitized"):
        text, offset = _text(tags, f"EXIF DateTime{clock}"), _text(tags, f"EXIF OffsetTime{clock}")
        local = _clock(text, _text(tags, f"EXIF SubSecTime{clock}"))
        if local and offset and (zoned := _zoned(local, offset)):
            return zoned, True
    if gps := _gps_time(tags):
        return gps, True
    for name in ("EXIF DateTimeOriginal", "EXIF DateTimeDigitized", "Image DateTime"):
        if local := _clock(_text(tags, name), ""):
            return local.replace(tzinfo=UTC), False
    return None, False


def _clock(text: str, subsecond: str) -> datetime | None:
    """Return the naive time of "2026:06:01 10:00:00" and the digits behind its seconds."""
    digits = subsecond if subsecond.isdigit() else "0"
    try:
        seconds = datetime.strptime(text[:19].replace("-", ":"), "%Y:%m:%d %H:%M:%S")  # noqa: DTZ007
    except ValueError:
        return None
    return seconds + timedelta(seconds=float(f"0.{digits}"))


def _zoned(local: datetime, offset: str) -> datetime | None:
    try:
        return datetime.fromisoformat(f"{local.isoformat()}{offset}").astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _gps_time(tags: dict[str, Any]) -> datetime | None:
    date, time = _text(tags, "GPS GPSDate"), tags.get("GPS GPSTimeStamp")
    try:
        day = datetime.strptime(date.replace("-", ":"), "%Y:%m:%d")  # noqa: DTZ007
        hours, minutes, seconds = (float(v) for v in time.values)  # type: ignore[union-attr]
        into = timedelta(hours=hours, minutes=minutes, seconds=seconds)
    except (ValueError, AttributeError, TypeError, ArithmeticError):
        return None
    return day.replace(tzinfo=UTC) + into if timedelta(0) <= into < timedelta(days=1) else None


def _text(tags: dict[str, Any], name: str) -> str:
    return str(tags[name]).strip().strip("\0") if name in tags else ""


def _first(tags: dict[str, Any], name: str) -> Any:
    values = getattr(tags.get(name), "values", None)
    return values[0] if isinstance(values, list) and values else None


def _number(tags: dict[str, Any], name: str) -> float | None:
    try:
        return float(_first(tags, name))
    except (TypeError, ValueError, ZeroDivisionError):
        return None


def _degrees(tags: dict[str, Any], name: str, negative: str) -> float | None:
    """Return degrees of degrees, minutes and seconds, negative in the south or west."""
    try:
        degrees, minutes, seconds = (float(v) for v in tags[name].values)
    except (KeyError, TypeError, ValueError, ZeroDivisionError):
        return None
    value = degrees + minutes / 60 + seconds / 3600
    return -value if _text(tags, f"{name}Ref").upper().startswith(negative) else value
