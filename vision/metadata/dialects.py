"""One function per maker's way of writing a pose; `read` picks the first that fits.

| who | angles | height |
|---|---|---|
| Gridpatrol | as DJI; camera in `gridpatrol:` | AMSL |
| DJI | `drone-dji:Gimbal*Degree`, true north | AMSL by barometer, ellipsoid when RTK says so |
| Autel, new | as DJI with the prefix `drone:` (longitude misspelt "Longtitude") | EXIF or `drone:` |
| Autel, old | `Camera:Pitch` counts from straight down | EXIF, AMSL |
| Skydio | `CameraOrientationNED`, true north | AMSL; over take-off in `VehiclePositionFLU/Z` |
| Parrot ANAFI | `drone-parrot:Camera*Degree` | EXIF: AMSL, on the Ai the ellipsoid |
| Parrot Disco, Bebop | `Camera:` holds the aircraft's attitude, the picture is cut from a fisheye | EXIF |
| Teledyne FLIR (Teal) | `exif:Camera*` on top of `exif:Platform*`, composed as rotations | AMSL |
| anybody | EXIF GPS only: a place, a height, at most a bearing | EXIF, AMSL |
"""

from collections.abc import Callable, Mapping
from dataclasses import replace

from missions.geo import Altitude, BadPlace, Datum, LatLon
from missions.model import PoseError
from vision.attitude import Attitude, composed
from vision.metadata.exif import Exif
from vision.metadata.reading import CONSUMER_ERROR, RTK_ERROR, Reading
from vision.metadata.xmp import number, numbers

Values = Mapping[str, str]


def read(xmp: Values, exif: Exif) -> Reading:
    """Return the pose in the first dialect that the file speaks; plain EXIF at the least."""
    for dialect in _DIALECTS:
        if reading := dialect(xmp, exif):
            return _believed(reading, xmp, exif)
    plain = Reading("EXIF", _exif_place(exif), _amsl(exif.altitude_m), heading_deg=exif.direction_deg)
    return _believed(plain, xmp, exif)


def _believed(reading: Reading, xmp: Values, exif: Exif) -> Reading:
    """Return the reading without what cannot be, and with a note on each.

    A height of exactly 0 is what cameras write that know none; 0, 0 is a place without a fix; a
    latitude beyond 90 whose longitude would be one is a swapped pair.
    """
    notes = []
    if reading.altitude is not None and reading.altitude.metres == 0.0:
        reading = replace(reading, altitude=None)
        notes.append("its height of exactly 0 m is taken as not known")
    if reading.place is None:
        lat, lon = _stated(xmp, exif)
        if lat == 0 and lon == 0:
            notes.append("its place of 0, 0 means that there was no fix")
        elif lat is not None and lon is not None and (swapped := _place(lon, lat)):
            reading = replace(reading, place=swapped)
            notes.append(
                f"its latitude of {lat:.4f} is none on earth: latitude and longitude are taken as swapped"
            )
        elif lat is not None and lon is not None:
            notes.append(f"its place {lat:g}, {lon:g} is none on earth")
    return replace(reading, notes=(*reading.notes, *notes)) if notes else reading


def _stated(xmp: Values, exif: Exif) -> tuple[float | None, float | None]:
    """Return the latitude and longitude that a file states, whatever they are; XMP before EXIF."""
    for prefix, lat, lon in _PLACE_NAMES:
        here = numbers(xmp, prefix, lat, lon)
        if here[0] is not None and here[1] is not None:
            return here[0], here[1]
    return exif.lat_deg, exif.lon_deg


_PLACE_NAMES = (
    ("drone-dji", "GpsLatitude", "GpsLongitude"),
    ("drone-dji", "GpsLatitude", "GpsLongtitude"),
    ("drone", "GpsLatitude", "GpsLongitude"),
    ("drone", "GpsLatitude", "GpsLongtitude"),
    ("drone-skydio", "Latitude", "Longitude"),
)


def _gridpatrol(xmp: Values, exif: Exif) -> Reading | None:
    if "gridpatrol:Camera" not in xmp:
        return None
    return _dji_like("Gridpatrol", "drone-dji", PoseError(), xmp, exif)


def _dji(xmp: Values, exif: Exif) -> Reading | None:
    if "drone-dji:GimbalPitchDegree" not in xmp:
        return None
    fixed = xmp.get("drone-dji:RtkFlag") == "50"
    return _dji_like("DJI", "drone-dji", RTK_ERROR if fixed else CONSUMER_ERROR, xmp, exif)


def _autel_new(xmp: Values, exif: Exif) -> Reading | None:
    if "drone:GimbalPitchDegree" not in xmp:
        return None
    return _dji_like("Autel", "drone", CONSUMER_ERROR, xmp, exif)


def _dji_like(dialect: str, prefix: str, error: PoseError, xmp: Values, exif: Exif) -> Reading:
    """Return the pose in DJI's names under any prefix."""
    lat, lon, misspelt = numbers(xmp, prefix, "GpsLatitude", "GpsLongitude", "GpsLongtitude")
    height, above = numbers(xmp, prefix, "AbsoluteAltitude", "RelativeAltitude")
    yaw, pitch, roll = numbers(xmp, prefix, "GimbalYawDegree", "GimbalPitchDegree", "GimbalRollDegree")
    # Only an RTK fix is written over the ellipsoid; older files name no kind and mean sea level.
    over_ellipsoid = xmp.get(f"{prefix}:AltitudeType", "").lower().startswith("rtk")
    datum = Datum.ELLIPSOID if over_ellipsoid else Datum.AMSL
    altitude = Altitude(height, datum) if height is not None else _amsl(exif.altitude_m)
    place = _place(lat, lon if lon is not None else misspelt) or _exif_place(exif)
    north, east = numbers(xmp, prefix, "FlightXSpeed", "FlightYSpeed")
    velocity = (east, north, 0.0) if east is not None and north is not None else None
    return Reading(dialect, place, altitude, above, yaw, pitch, roll, error, velocity_m_s=velocity)


def _skydio(xmp: Values, exif: Exif) -> Reading | None:
    """Return Skydio's pose.

    AbsoluteAltitude is above mean sea level: with its FLU height over take-off
    it fits the ground at two sites, over the ellipsoid it misses by 27 and 30 m.
    """
    turn = "drone-skydio:CameraOrientationNED"
    if f"{turn}/Pitch" not in xmp:
        return None
    lat, lon, height = numbers(xmp, "drone-skydio", "Latitude", "Longitude", "AbsoluteAltitude")
    return Reading(
        "Skydio",
        _place(lat, lon) or _exif_place(exif),
        _amsl(height if height is not None else exif.altitude_m),
        number(xmp.get("drone-skydio:VehiclePositionFLU/Z")),
        number(xmp.get(f"{turn}/Yaw")),
        number(xmp.get(f"{turn}/Pitch")),
        number(xmp.get(f"{turn}/Roll")),
        velocity_m_s=_skydio_velocity(xmp),
    )


def _skydio_velocity(xmp: Values) -> tuple[float, float, float] | None:
    north, east, down = numbers(
        xmp, "drone-skydio", "VehicleSpeedNED/X", "VehicleSpeedNED/Y", "VehicleSpeedNED/Z"
    )
    return None if north is None or east is None or down is None else (east, north, -down)


def _anafi(xmp: Values, exif: Exif) -> Reading | None:
    """Return an ANAFI's pose (developer.parrot.com, photo metadata)."""
    if "drone-parrot:CameraPitchDegree" not in xmp:
        return None
    yaw, pitch, roll = numbers(
        xmp, "drone-parrot", "CameraYawDegree", "CameraPitchDegree", "CameraRollDegree"
    )
    datum = Datum.ELLIPSOID if exif.model.upper().replace(" ", "") == "ANAFIAI" else Datum.AMSL
    altitude = Altitude(exif.altitude_m, datum) if exif.altitude_m is not None else None
    return Reading("Parrot", _exif_place(exif), altitude, None, yaw, pitch, roll)


def _parrot_body(xmp: Values, exif: Exif) -> Reading | None:
    if "Camera:Yaw" not in xmp or "PARROT" not in exif.make.upper():
        return None
    yaw, pitch, roll = numbers(xmp, "Camera", "Yaw", "Pitch", "Roll")
    return Reading(
        "Parrot",
        _exif_place(exif),
        _amsl(exif.altitude_m),
        None,
        yaw,
        pitch,
        roll,
        doubt=(
            "the angles in the file are the aircraft's and the picture is cut from a fisheye lens: "
            "which way it looks cannot be told"
        ),
    )


def _autel_old(xmp: Values, exif: Exif) -> Reading | None:
    if "Camera:Pitch" not in xmp or "AUTEL" not in exif.make.upper():
        return None
    yaw, pitch, roll = numbers(xmp, "Camera", "Yaw", "Pitch", "Roll")
    if pitch is None:
        return None
    return Reading("Autel", _exif_place(exif), _amsl(exif.altitude_m), None, yaw, abs(pitch) - 90.0, roll)


def _teledyne(xmp: Values, exif: Exif) -> Reading | None:
    """Return a Teal's pose; the gimbal's angles are relative to the aircraft, which carries them."""
    if "exif:CameraPitch" not in xmp:
        return None
    camera = _attitude(numbers(xmp, "exif", "CameraYaw", "CameraPitch", "CameraRoll"))
    platform = _attitude(numbers(xmp, "exif", "PlatformYaw", "PlatformPitch", "PlatformRoll"))
    place, height = _exif_place(exif), _amsl(exif.altitude_m)
    if camera is None or platform is None:
        return Reading("Teledyne FLIR", place, height)
    over = composed(platform, camera)
    return Reading("Teledyne FLIR", place, height, None, over.yaw_deg, over.pitch_deg, over.roll_deg)


def _attitude(angles: tuple[float | None, ...]) -> Attitude | None:
    yaw, pitch, roll = angles
    if yaw is None or pitch is None:
        return None
    return Attitude(yaw, pitch, roll or 0.0)


_DIALECTS: tuple[Callable[[Values, Exif], Reading | None], ...] = (
    _gridpatrol,
    _dji,
    _skydio,
    _anafi,
    _autel_new,
    _autel_old,
    _parrot_body,
    _teledyne,
)


def _amsl(height_m: float | None) -> Altitude | None:
    return None if height_m is None else Altitude(height_m, Datum.AMSL)


def _exif_place(exif: Exif) -> LatLon | None:
    return _place(exif.lat_deg, exif.lon_deg)


def _place(lat_deg: float | None, lon_deg: float | None) -> LatLon | None:
    """Return the place; none for a missing or impossible one, nor for 0, 0, which means no fix."""
    if lat_deg is None or lon_deg is None or (lat_deg == 0 and lon_deg == 0):
        return None
    try:
        return LatLon(lat_deg, lon_deg)
    except BadPlace:
        return None
