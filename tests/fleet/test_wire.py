"""Our words and MAVLink's fields, there and back."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pymavlink.dialects.v20 import ardupilotmega as mavlink

from fleet import messages as m
from fleet import wire


def over_the_wire(message, system: int = 1, component: int = 1):
    """Return what a receiver's own parser makes of a message."""
    sender = mavlink.MAVLink(None, srcSystem=system, srcComponent=component)
    (raw,) = mavlink.MAVLink(None).parse_buffer(bytes(message.pack(sender)))
    return raw


def heard(message, **sender):
    return wire.decode(over_the_wire(message, **sender), "link").message


@given(st.floats(-90, 90), st.floats(-180, 180), st.integers(-500, 9000))
def test_an_item_survives_the_wire_to_a_ten_millionth_of_a_degree(lat, lon, height):
    """What is sent is what is read back."""
    item = m.Item(3, 16, 3, (0.0, 0.0, 0.0, 0.0), lat, lon, float(height))
    back = heard(wire.encode(item, 1))
    assert (back.seq, back.command, back.frame, back.altitude_m) == (3, 16, 3, height)
    assert abs(back.lat_deg - lat) <= 0.5e-7 + 1e-12
    assert abs(back.lon_deg - lon) <= 0.5e-7 + 1e-12


@pytest.mark.parametrize("lat", [0, 2**31 - 1])
def test_who_does_not_know_its_place_has_none(lat):
    """ArduPilot says latitude 0, longitude 0 until then; others a place on no map."""
    unknown = mavlink.MAVLink_global_position_int_message(1000, lat, 0, 0, 0, 0, 0, 0, 0)
    assert wire.decode(over_the_wire(unknown), "link") is None
    taken = mavlink.MAVLink_camera_image_captured_message(0, 0, 0, lat, 0, 0, 0, (1, 0, 0, 0), 0, 1, b"")
    fired = mavlink.MAVLink_camera_feedback_message(0, 0, 0, 0, lat, *[0] * 8)
    assert heard(taken).lat_deg == heard(fired).lat_deg == 0


@pytest.mark.parametrize(
    "message",
    [m.ItemCount(380), m.ItemWanted(7), m.ListWanted(), m.MissionVerdict(m.Verdict.INVALID_SEQUENCE)],
)
def test_transfer_messages_come_back_as_they_went(message):
    """But for the request for the list, which only a vehicle reads."""
    raw = over_the_wire(wire.encode(message, 1))
    if isinstance(message, m.ListWanted):
        assert raw.get_type() == "MISSION_REQUEST_LIST"
    else:
        assert wire.decode(raw, "link").message == message


def test_no_place_becomes_zero_on_the_wire():
    """NaN has no integer."""
    assert wire.degrees_e7(math.nan) == 0


def test_transfers_of_fences_are_told_from_those_of_missions():
    """They are other lists with the same messages; of any further kind we know nothing."""
    fence = mavlink.MAVLink_mission_count_message(255, 190, 4, mavlink.MAV_MISSION_TYPE_FENCE)
    assert wire.decode(over_the_wire(fence), "link").message == m.ItemCount(4, m.ListKind.FENCE)
    other = mavlink.MAVLink_mission_count_message(255, 190, 4, mavlink.MAV_MISSION_TYPE_ALL)
    assert wire.decode(over_the_wire(other), "link") is None


@pytest.mark.parametrize(
    ("kind", "autopilot", "role"),
    [
        (2, 3, m.Role.VEHICLE),
        (6, 8, m.Role.GROUND_STATION),
        (30, 8, m.Role.CAMERA),
        (26, 8, m.Role.OTHER),
    ],
)
def test_heartbeats_tell_who_beats(kind, autopilot, role):
    """An antenna tracker or a gimbal is no vehicle of ours."""
    assert heard(mavlink.MAVLink_heartbeat_message(kind, autopilot, 0, 0, 4, 3)).role is role


@given(
    heading=st.floats(0, 359.9),
    pitch=st.floats(-89.5, 30),
    roll=st.floats(-40, 40),
)
def test_picture_angles_undo_the_quaternion(heading, pitch, roll):
    """Heading, then pitch, then roll: the order of an aircraft's gimbal."""
    angles = wire.picture_angles(*_quaternion(heading, pitch, roll))
    assert abs((angles[0] - heading + 180) % 360 - 180) < 1e-3
    assert angles[1] == pytest.approx(pitch, abs=1e-3)
    assert angles[2] == pytest.approx(roll, abs=1e-3)


@given(st.floats(0, 359.9))
def test_straight_down_the_heading_is_that_of_the_top_edge(heading):
    """There heading and roll turn the same way, so roll is 0."""
    angles = wire.picture_angles(*_quaternion(heading, -90.0, 0.0))
    assert abs((angles[0] - heading + 180) % 360 - 180) < 1e-3
    assert angles[2] == 0.0


@pytest.mark.parametrize("quaternion", [(0, 0, 0, 0), (math.nan,) * 4, (math.inf, 0, 0, 0)])
def test_a_camera_that_does_not_say_has_no_angles(quaternion):
    """Zeros and NaN both mean unknown."""
    assert wire.picture_angles(*quaternion) is None


def test_health_tells_ready_to_arm_only_where_the_bit_exists():
    """An older autopilot without the bit is unknown, not unhealthy."""
    bit = wire.PREARM_HEALTHY
    ready = mavlink.MAVLink_sys_status_message(bit, bit, bit, 0, 22200, -1, 87, 0, 0, 0, 0, 0, 0)
    old = mavlink.MAVLink_sys_status_message(0, 0, 0, 0, 22200, -1, -1, 0, 0, 0, 0, 0, 0)
    assert heard(ready) == m.Health(True, 87.0, 22.2)
    assert heard(old) == m.Health(None, None, 22.2)


def _quaternion(heading, pitch, roll):
    h, p, r = (math.radians(a) / 2 for a in (heading, pitch, roll))
    ch, sh, cp, sp, cr, sr = (*_cs(h), *_cs(p), *_cs(r))
    return (
        cr * cp * ch + sr * sp * sh,
        sr * cp * ch - cr * sp * sh,
        cr * sp * ch + sr * cp * sh,
        cr * cp * sh - sr * sp * ch,
    )


def _cs(angle):
    return math.cos(angle), math.sin(angle)


def test_opaque_ids_are_read_where_the_vehicle_sends_them():
    """They are younger than the dialect, and trailing zeros are cut off on the wire."""
    plain = mavlink.MAVLink_mission_ack_message(255, 190, 0, 0)
    told = plain.pack(mavlink.MAVLink(None, srcSystem=1, srcComponent=1))
    assert wire.decode(over_the_wire(plain), "link").message == m.MissionVerdict(m.Verdict.ACCEPTED)
    raw = over_the_wire(plain)
    longer = bytearray(told[:10]) + bytes((255, 190, 0, 0)) + (0x1234ABCD).to_bytes(4, "little") + b"\0\0"
    longer[1] = 8
    raw._msgbuf = longer
    assert wire.decode(raw, "link").message.opaque_id == 0x1234ABCD
