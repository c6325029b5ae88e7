"""A flight log (.tlog) as far as pictures need it: positions, gimbal, and the camera's own records.

The file is a sequence of eight bytes of microseconds since 1970 (big end first) and one MAVLink 2 or 1
packet. Only five messages are read, by the layouts of the MAVLink common dialect; a packet whose
checksum is wrong is passed over, and so is what lies between packets. This is a reader of recorded
files: it talks to no aircraft.
"""

import math
import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import urlsplit

from missions.errors import InputWrong
from missions.geo import BadPlace, LatLon
from missions.model import CameraPose, PoseError
from vision.attitude import Attitude, from_quaternion
from vision.track import Fix, Track, Turn, pose_at

_STAMP_BYTES = 8
_V2, _V1, _SIGNED, _SIGNATURE_BYTES = 0xFD, 0xFE, 1, 13
_MARK = re.compile(b"[\xfd\xfe]")
_POSITION, _CAPTURED, _MOUNT, _GIMBAL = 33, 263, 265, 285
# Message id: payload layout, and the seed of its checksum.
_LAYOUT = {
    _POSITION: (struct.Struct("<IiiiihhhH"), 104),
    _CAPTURED: (struct.Struct("<QIiiii4fiBb205s"), 133),
    _MOUNT: (struct.Struct("<Iffff"), 26),
    _GIMBAL: (struct.Struct("<I4f16xH"), 137),
}
_NO_HEADING = 65535
_LAST_US = 2.5e17  # calendars end soon after
_YAW_LOCK, _FROM_NOSE, _FROM_NORTH = 16, 32, 64


@dataclass(frozen=True, slots=True)
class Picture:
    """A camera's record of one picture; `turn` is None where it did not tell which way it looked."""

    name: str
    at_s: float
    taken_at: datetime | None
    turn: Attitude | None


@dataclass(frozen=True, slots=True)
class Log:
    """What a flight log says that pictures need."""

    track: Track
    pictures: dict[str, Picture]

    def pose_of(self, name: str, *, error: PoseError) -> CameraPose | str:
        """Return the pose of the picture with this file name, or a sentence on why there is none."""
        picture = self.pictures.get(name)
        if picture is None:
            return "the flight log has no record of a picture of this name"
        return pose_at(self.track, picture.at_s, error=error, turn=picture.turn)


def read(path: Path) -> Log:
    """Return what a flight log says.

    Raises:
        InputWrong: the file cannot be read, or holds no position at all.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise InputWrong(f"{path}: cannot be read ({error.strerror})") from None
    fixes: dict[float, Fix] = {}
    turns: dict[float, Turn] = {}
    pictures: dict[str, Picture] = {}
    for kind, payload in _messages(data):
        values = _LAYOUT[kind][0].unpack_from(payload.ljust(_LAYOUT[kind][0].size, b"\0"))
        if kind == _POSITION:
            if fix := _fix(values):
                fixes[fix.at_s] = fix
        elif kind == _CAPTURED:
            if picture := _picture(values):
                pictures[picture.name] = picture
        elif turn := _gimbal(*values) if kind == _GIMBAL else _mount(*values):
            turns[turn.at_s] = turn
    if not fixes:
        raise InputWrong(f"{path}: found no position, expected a flight log (.tlog) of a MAVLink aircraft")
    ordered = tuple(fixes[t] for t in sorted(fixes)), tuple(turns[t] for t in sorted(turns))
    return Log(Track(*ordered), pictures)


def _messages(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield (message id, payload) of the packets that matter and are whole."""
    start = _STAMP_BYTES
    while start + 12 <= len(data):
        mark, length = data[start], data[start + 1]
        if mark == _V2:
            head, kind = 10, int.from_bytes(data[start + 7 : start + 10], "little")
            tail = 2 + (_SIGNATURE_BYTES if data[start + 2] & _SIGNED else 0)
        elif mark == _V1:
            head, kind, tail = 6, data[start + 5], 2
        else:
            found = _MARK.search(data, start)
            start = found.start() if found else len(data)
            continue
        end = start + head + length
        if kind in _LAYOUT and end + 2 <= len(data):
            said = int.from_bytes(data[end : end + 2], "little")
            if said == _checksum(data[start + 1 : end] + bytes([_LAYOUT[kind][1]])):
                yield kind, data[start + head : end]
        start = end + tail + _STAMP_BYTES


def _fix(values: tuple[int, ...]) -> Fix | None:
    boot_ms, lat, lon, altitude_mm, _, vx, vy, _, heading = values
    if lat == 0 and lon == 0:
        return None
    try:
        place = LatLon(lat / 1e7, lon / 1e7)
    except BadPlace:
        return None
    nose = math.degrees(math.atan2(vy, vx)) % 360.0 if heading == _NO_HEADING else heading / 100.0
    return Fix(boot_ms / 1e3, place, altitude_mm / 1e3, nose)


def _picture(values: tuple[Any, ...]) -> Picture | None:
    taken_us, boot_ms, q, url = values[0], values[1], values[6:10], values[13]
    try:
        path = urlsplit(url.split(b"\0")[0].decode("utf-8", "replace")).path
    except ValueError:  # no address
        return None
    taken_at = datetime.fromtimestamp(taken_us / 1e6, UTC) if 0 < taken_us < _LAST_US else None
    return Picture(PurePosixPath(path).name, boot_ms / 1e3, taken_at, _attitude(*q))


def _attitude(*q: float) -> Attitude | None:
    """Return the angles of a quaternion, None where it tells none: NaN, or zero all through."""
    return from_quaternion(*q) if 0 < math.hypot(*q) < math.inf else None


def _gimbal(boot_ms: float, w: float, x: float, y: float, z: float, flags: int) -> Turn | None:
    from_north = flags & _FROM_NORTH or flags & (_YAW_LOCK | _FROM_NOSE) == _YAW_LOCK
    turn = _attitude(w, x, y, z)
    return Turn(boot_ms / 1e3, turn, bool(from_north)) if turn else None


def _mount(boot_ms: int, roll: float, pitch: float, yaw: float, _: float) -> Turn | None:
    known = math.isfinite(roll + pitch + yaw)
    return Turn(boot_ms / 1e3, Attitude(yaw % 360.0, pitch, roll)) if known else None


def _checksum(data: bytes) -> int:
    """Return MAVLink's checksum (CRC-16/MCRF4XX)."""
    crc = 0xFFFF
    for byte in data:
        low = (byte ^ crc) & 0xFF
        low = (low ^ (low << 4)) & 0xFF
        crc = (crc >> 8) ^ (low << 8) ^ (low << 3) ^ (low >> 4)
    return crc
