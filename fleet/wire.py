"""Domain <-> MAVLink fields: 1e7 degrees, millimetres, centidegrees, frames, NaN.

The one place besides `link.py` that knows pymavlink. `decode` answers None for
what we do not use, so the rest of the package is a closed set of values.
Follows the common and ardupilotmega dialects of MAVLink 2.
"""

import math
import struct
from collections.abc import Callable
from typing import Any

from pymavlink.dialects.v20 import ardupilotmega as mavlink

from fleet import messages as m
from fleet.framing import Frame

GROUND_SYSTEM = 255
GROUND_COMPONENT = 190
AUTOPILOT = 1
PREARM_HEALTHY = 0x10000000  # MAV_SYS_STATUS_PREARM_CHECK
EKF_HORIZONTAL_POSITION = 16  # EKF_POS_HORIZ_ABS: what GUIDED and AUTO wait for
_FILE_PAYLOAD = 251
_KINDS = {int(kind): kind for kind in m.ListKind}
_VERDICTS = {int(verdict): verdict for verdict in m.Verdict}
_MISSION_STATES = {int(state): state for state in m.MissionState}


def read(frame: Frame, link: str, parser: mavlink.MAVLink) -> m.Heard | None:
    """Return what a packet says in our words, or None if it is not one we use.

    pymavlink's parser builds an object with every field, its type and its name
    checked; where a message is numbers alone, its layout is all we need of it.
    """
    reader = _READERS.get(frame.message_id)
    if reader is None:
        return None
    layout = _LAYOUTS.get(frame.message_id)
    if layout is None:
        return decode(parser.decode(bytearray(frame.packet)), link)
    fields = _Fields(frame)
    payload = frame.payload
    if len(payload) < layout.size:
        payload = payload.ljust(layout.size, b"\0")  # trailing zeros are cut off on the wire
    fields.__dict__.update(zip(layout.names, layout.unpack_from(payload), strict=True))
    message = reader(fields)
    return None if message is None else m.Heard(link, frame.system, frame.component, message)


def decode(raw: Any, link: str) -> m.Heard | None:
    """Return the message in our words, or None if it is not one we use."""
    reader = _READERS.get(raw.get_msgId())
    if reader is None:
        return None
    message = reader(raw)
    if message is None:
        return None
    return m.Heard(link, raw.get_srcSystem(), raw.get_srcComponent(), message)


def encode(message: m.Outgoing, system: int) -> Any:
    """Return the pymavlink message for a vehicle, ready to be packed by a link."""
    match message:
        case m.Alive():
            return mavlink.MAVLink_heartbeat_message(
                mavlink.MAV_TYPE_GCS, mavlink.MAV_AUTOPILOT_INVALID, 0, 0, mavlink.MAV_STATE_ACTIVE, 3
            )
        case m.Command(frame=int(frame)):
            *first, lat_deg, lon_deg, height_m = message.params
            place = degrees_e7(lat_deg), degrees_e7(lon_deg), height_m
            return mavlink.MAVLink_command_int_message(
                system, message.component, frame, message.number, 0, 0, *first, *place
            )
        case m.Command():
            return mavlink.MAVLink_command_long_message(
                system, message.component, message.number, message.attempt, *message.params
            )
        case m.ItemCount():
            return mavlink.MAVLink_mission_count_message(system, AUTOPILOT, message.count, message.kind)
        case m.Item():
            return _encode_item(message, system)
        case m.PartOffer():
            return mavlink.MAVLink_mission_write_partial_list_message(
                system, AUTOPILOT, message.first, message.last, message.kind
            )
        case m.ItemWanted():
            return mavlink.MAVLink_mission_request_int_message(system, AUTOPILOT, message.seq, message.kind)
        case m.ListWanted():
            return mavlink.MAVLink_mission_request_list_message(system, AUTOPILOT, message.kind)
        case m.ClearWanted():
            return mavlink.MAVLink_mission_clear_all_message(system, AUTOPILOT, message.kind)
        case m.MissionVerdict():
            return mavlink.MAVLink_mission_ack_message(system, AUTOPILOT, int(message.verdict), message.kind)
        case m.FileMessage():
            return mavlink.MAVLink_file_transfer_protocol_message(
                0, system, AUTOPILOT, message.payload.ljust(_FILE_PAYLOAD, b"\0")
            )
        case m.KeySetup():
            return mavlink.MAVLink_setup_signing_message(system, AUTOPILOT, message.key, message.timestamp)
        case m.GroundBlock():
            corner = degrees_e7(message.lat_deg), degrees_e7(message.lon_deg)
            return mavlink.MAVLink_terrain_data_message(
                *corner, message.spacing_m, message.bit, list(message.heights_m)
            )
        case m.ParameterWanted():
            return mavlink.MAVLink_param_request_read_message(
                system, AUTOPILOT, message.name.encode("ascii"), -1
            )
        case m.ParameterSet():
            return mavlink.MAVLink_param_set_message(
                system, AUTOPILOT, message.name.encode("ascii"), message.value, message.kind
            )


def degrees_e7(value_deg: float) -> int:
    """Return degrees as the wire counts them; NaN (no place) becomes 0."""
    return 0 if math.isnan(value_deg) else round(value_deg * 1e7)


def picture_angles(w: float, x: float, y: float, z: float) -> tuple[float, float, float] | None:
    """Return (heading, pitch, roll) in degrees of a camera's attitude, None if there is none.

    The quaternion turns camera axes (forward, right, down) into north, east,
    down. Looking straight down heading and roll turn the same way, so roll is
    taken as 0 there and the heading is that of the picture's top edge.
    """
    length = math.sqrt(w * w + x * x + y * y + z * z)
    if not 0.5 < length < math.inf:  # all zeros, or NaN
        return None
    w, x, y, z = w / length, x / length, y / length, z / length
    sine = max(-1.0, min(1.0, 2 * (w * y - z * x)))
    pitch = math.degrees(math.asin(sine))
    if abs(sine) > 0.999999:
        heading = math.degrees(-2 * math.copysign(1.0, sine) * math.atan2(x, w))
        return heading % 360.0, pitch, 0.0
    roll = math.degrees(math.atan2(2 * (w * x + y * z), 1 - 2 * (x * x + y * y)))
    heading = math.degrees(math.atan2(2 * (w * z + x * y), 1 - 2 * (y * y + z * z)))
    return heading % 360.0, pitch, roll


def _encode_item(item: m.Item, system: int) -> Any:
    return mavlink.MAVLink_mission_item_int_message(
        system,
        AUTOPILOT,
        item.seq,
        item.frame,
        item.command,
        0,
        1,
        *item.params,
        degrees_e7(item.lat_deg),
        degrees_e7(item.lon_deg),
        item.altitude_m,
        item.kind,
    )


def _heartbeat(raw: Any) -> m.Heartbeat:
    if raw.type == mavlink.MAV_TYPE_GCS:
        role = m.Role.GROUND_STATION
    elif raw.type == mavlink.MAV_TYPE_CAMERA:
        role = m.Role.CAMERA
    elif raw.autopilot == mavlink.MAV_AUTOPILOT_INVALID:
        role = m.Role.OTHER
    else:
        role = m.Role.VEHICLE
    firmware = {
        mavlink.MAV_AUTOPILOT_ARDUPILOTMEGA: m.Firmware.ARDUPILOT,
        mavlink.MAV_AUTOPILOT_PX4: m.Firmware.PX4,
    }.get(raw.autopilot, m.Firmware.OTHER)
    armed = bool(raw.base_mode & mavlink.MAV_MODE_FLAG_SAFETY_ARMED)
    return m.Heartbeat(role, firmware, armed, raw.custom_mode)


def _health(raw: Any) -> m.Health:
    known = raw.onboard_control_sensors_present & PREARM_HEALTHY
    ready = bool(raw.onboard_control_sensors_health & PREARM_HEALTHY) if known else None
    percent = float(raw.battery_remaining) if raw.battery_remaining >= 0 else None
    voltage = raw.voltage_battery / 1000.0 if raw.voltage_battery not in (0, 0xFFFF) else None
    return m.Health(ready, percent, voltage)


def _place(lat: int, lon: int) -> tuple[float, float]:
    """Return degrees; a place on no map (INT32_MAX where it is not known) becomes 0, 0."""
    is_one = abs(lat) <= 90 * 10**7 and abs(lon) <= 180 * 10**7
    return (lat / 1e7, lon / 1e7) if is_one else (0.0, 0.0)


def _motion(raw: Any) -> m.Motion | None:
    place = _place(raw.lat, raw.lon)
    if place == (0, 0):
        return None  # what ArduPilot sends until it knows where it is
    return m.Motion(
        *place,
        altitude_m=raw.alt / 1000.0,
        above_home_m=raw.relative_alt / 1000.0,
        speed_m_s=math.hypot(raw.vx, raw.vy) / 100.0,
        climb_m_s=-raw.vz / 100.0,
        heading_deg=None if raw.hdg == 0xFFFF else raw.hdg / 100.0,
    )


def _ground(raw: Any) -> m.Ground:
    if raw.landed_state == mavlink.MAV_LANDED_STATE_UNDEFINED:
        return m.Ground(None)
    return m.Ground(raw.landed_state == mavlink.MAV_LANDED_STATE_ON_GROUND)


def _command_answer(raw: Any) -> m.CommandAnswer | None:
    try:
        return m.CommandAnswer(raw.command, m.Answer(raw.result))
    except ValueError:  # MAV_RESULT_COMMAND_LONG_ONLY and later: a refusal
        return m.CommandAnswer(raw.command, m.Answer.UNSUPPORTED)


def _verdict(raw: Any) -> m.MissionVerdict | None:
    kind = _KINDS.get(raw.mission_type)
    if kind is None:
        return None
    (opaque_id,) = _extension(raw, 4, "<I")
    return m.MissionVerdict(_VERDICTS.get(raw.type, m.Verdict.ERROR), kind, opaque_id)


def _progress(raw: Any) -> m.Progress:
    state = _MISSION_STATES.get(raw.mission_state, m.MissionState.UNKNOWN)
    mission, fence, rally = _extension(raw, 6, "<III")
    return m.Progress(raw.seq, state, (mission, fence, rally))


def _count(raw: Any) -> m.ItemCount | None:
    kind = _KINDS.get(raw.mission_type)
    if kind is None:
        return None
    (opaque_id,) = _extension(raw, 5, "<I")
    return m.ItemCount(raw.count, kind, opaque_id)


def _wanted(raw: Any) -> m.ItemWanted | None:
    kind = _KINDS.get(raw.mission_type)
    return None if kind is None else m.ItemWanted(raw.seq, kind)


def _extension(raw: Any, offset: int, layout: str) -> tuple[int, ...]:
    """Return fields that MAVLink added after this dialect was generated, 0 where they were not sent.

    The opaque ids of MISSION_COUNT, MISSION_ACK and MISSION_CURRENT are such
    fields; trailing zeros of a payload are cut off on the wire.
    """
    packet = raw.get_msgbuf()
    if packet[0] != mavlink.PROTOCOL_MARKER_V2:
        return (0,) * len(struct.unpack(layout, bytes(struct.calcsize(layout))))
    payload = bytes(packet[10 : 10 + packet[1]])[offset:]
    size = struct.calcsize(layout)
    return struct.unpack(layout, payload[:size].ljust(size, b"\0"))


def _file_message(raw: Any) -> m.FileMessage:
    return m.FileMessage(bytes(raw.payload))


def _abilities(raw: Any) -> m.Abilities:
    can = raw.capabilities
    unique = bytes(raw.uid2).rstrip(b"\0").hex() or (f"{raw.uid:x}" if raw.uid else "")
    return m.Abilities(
        has_files=bool(can & mavlink.MAV_PROTOCOL_CAPABILITY_FTP),
        has_fence=bool(can & mavlink.MAV_PROTOCOL_CAPABILITY_MISSION_FENCE),
        has_rally=bool(can & mavlink.MAV_PROTOCOL_CAPABILITY_MISSION_RALLY),
        identity=unique,
    )


def _item(raw: Any) -> m.Item | None:
    kind = _KINDS.get(raw.mission_type)
    if kind is None:
        return None
    return m.Item(
        seq=raw.seq,
        command=raw.command,
        frame=raw.frame,
        params=(raw.param1, raw.param2, raw.param3, raw.param4),
        lat_deg=raw.x / 1e7,
        lon_deg=raw.y / 1e7,
        altitude_m=raw.z,
        kind=kind,
    )


def _picture(raw: Any) -> m.PictureTaken:
    angles = picture_angles(*raw.q)
    heading, pitch, roll = angles or (None, None, None)
    url = raw.file_url.decode("utf-8", "replace") if isinstance(raw.file_url, bytes) else raw.file_url
    return m.PictureTaken(
        raw.get_srcComponent(),
        raw.image_index,
        raw.time_utc,
        *_place(raw.lat, raw.lon),
        altitude_m=raw.alt / 1000.0,
        heading_deg=heading,
        pitch_deg=pitch,
        roll_deg=roll,
        good=raw.capture_result == 1,
        url=url.rstrip("\0"),
    )


_READERS: dict[int, Callable[[Any], m.Incoming | None]] = {
    mavlink.MAVLINK_MSG_ID_HEARTBEAT: _heartbeat,
    mavlink.MAVLINK_MSG_ID_SYS_STATUS: _health,
    mavlink.MAVLINK_MSG_ID_EKF_STATUS_REPORT: lambda raw: m.Estimate(
        bool(raw.flags & EKF_HORIZONTAL_POSITION)
    ),
    mavlink.MAVLINK_MSG_ID_ESTIMATOR_STATUS: lambda raw: m.Estimate(
        bool(raw.flags & mavlink.ESTIMATOR_POS_HORIZ_ABS)
    ),
    mavlink.MAVLINK_MSG_ID_GPS_RAW_INT: lambda raw: m.Fix(
        raw.fix_type, None if raw.satellites_visible == 255 else raw.satellites_visible
    ),
    mavlink.MAVLINK_MSG_ID_GLOBAL_POSITION_INT: _motion,
    mavlink.MAVLINK_MSG_ID_EXTENDED_SYS_STATE: _ground,
    mavlink.MAVLINK_MSG_ID_HOME_POSITION: lambda raw: m.Home(
        raw.latitude / 1e7, raw.longitude / 1e7, raw.altitude / 1000.0
    ),
    mavlink.MAVLINK_MSG_ID_STATUSTEXT: lambda raw: m.Said(raw.severity, raw.text.rstrip("\0")),
    mavlink.MAVLINK_MSG_ID_COMMAND_ACK: _command_answer,
    mavlink.MAVLINK_MSG_ID_MISSION_CURRENT: _progress,
    mavlink.MAVLINK_MSG_ID_MISSION_ITEM_REACHED: lambda raw: m.Reached(raw.seq),
    mavlink.MAVLINK_MSG_ID_PARAM_VALUE: lambda raw: m.Parameter(
        raw.param_id.rstrip("\0"), raw.param_value, raw.param_type
    ),
    mavlink.MAVLINK_MSG_ID_CAMERA_FEEDBACK: lambda raw: m.ShutterFired(
        raw.img_idx, *_place(raw.lat, raw.lng)
    ),
    mavlink.MAVLINK_MSG_ID_CAMERA_IMAGE_CAPTURED: _picture,
    mavlink.MAVLINK_MSG_ID_CAMERA_CAPTURE_STATUS: lambda raw: m.CameraCount(
        raw.get_srcComponent(), raw.image_count
    ),
    mavlink.MAVLINK_MSG_ID_MISSION_COUNT: _count,
    mavlink.MAVLINK_MSG_ID_MISSION_REQUEST: _wanted,
    mavlink.MAVLINK_MSG_ID_MISSION_REQUEST_INT: _wanted,
    mavlink.MAVLINK_MSG_ID_MISSION_ITEM_INT: _item,
    mavlink.MAVLINK_MSG_ID_MISSION_ACK: _verdict,
    mavlink.MAVLINK_MSG_ID_FILE_TRANSFER_PROTOCOL: _file_message,
    mavlink.MAVLINK_MSG_ID_AUTOPILOT_VERSION: _abilities,
    mavlink.MAVLINK_MSG_ID_TERRAIN_REQUEST: lambda raw: m.GroundWanted(
        raw.lat / 1e7, raw.lon / 1e7, raw.grid_spacing, raw.mask
    ),
}


class _Fields:
    """A message's fields by name, in the shape of pymavlink's object."""

    def __init__(self, frame: Frame) -> None:
        self._frame = frame

    def get_msgbuf(self) -> bytes:
        return self._frame.packet

    def get_srcComponent(self) -> int:
        return self._frame.component


class _Layout:
    """How the numbers of one message lie in its payload."""

    def __init__(self, kind: Any) -> None:
        self.names = tuple(kind.ordered_fieldnames)
        self.size: int = kind.unpacker.size
        self.unpack_from = kind.unpacker.unpack_from


# Messages with arrays or texts in them go through pymavlink's own parser.
_LAYOUTS = {
    number: _Layout(kind)
    for number, kind in mavlink.mavlink_map.items()
    if number in _READERS and all(one == 1 for one in kind.lengths) and "s" not in kind.unpacker.format
}
