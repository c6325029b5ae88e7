"""Bytes of any kind, and the packets in them."""

import asyncio
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pymavlink.dialects.v20 import ardupilotmega as mavlink

from fleet import wire
from fleet.framing import Framing
from fleet.link import _EXTRAS, Link, checksum, unpacked
from fleet.messages import Heartbeat, Motion, Said
from fleet.vehicle import Vehicles


def packet(message, *, system: int = 1, number: int = 0, version: int = 2) -> bytes:
    sender = mavlink.MAVLink(None, srcSystem=system, srcComponent=1)
    sender.seq = number
    return bytes(message.pack(sender, force_mavlink1=version == 1))


def framing() -> Framing:
    return Framing(_EXTRAS, checksum)


BEAT = packet(mavlink.MAVLink_heartbeat_message(2, 3, 81, 4, 4, 3))
TEXT = packet(mavlink.MAVLink_statustext_message(4, b"PreArm: \xff\xfe no"), number=1)
PLACE = packet(
    mavlink.MAVLink_global_position_int_message(1, 300000000, 1190000000, 9, 8, 7, 6, 5, 4), number=2
)
GOOD = (BEAT, TEXT, PLACE)


@pytest.mark.parametrize("size", [1, 2, 7, 64])
def test_packets_are_found_however_the_bytes_are_cut(size):
    """A stream has no borders."""
    link, stream = framing(), b"".join(GOOD)
    found = [f for at in range(0, len(stream), size) for f in link.feed(stream[at : at + size])]
    assert [f.packet for f in found] == list(GOOD)
    assert link.counts.packets == 3
    assert link.counts.noise_bytes == 0


def test_a_wrong_checksum_is_counted_and_the_packet_behind_it_found():
    """One bit on the way."""
    broken = bytearray(BEAT)
    broken[12] ^= 4
    link = framing()
    assert [f.packet for f in link.feed(bytes(broken) + PLACE)] == [PLACE]
    assert link.counts.bad_checksums == 1


def test_noise_between_packets_is_counted_in_bytes():
    """Also where it looks like the start of one."""
    link = framing()
    found = link.feed(b"\x00\x01\x02" + BEAT + b"hello" + PLACE)
    assert [f.packet for f in found] == [BEAT, PLACE]
    assert link.counts.noise_bytes == 8


def test_a_packet_cut_short_by_the_end_of_a_datagram_is_no_part_of_the_next_one():
    """Two senders share a port; a stream would wait for the rest."""
    link = framing()
    assert link.feed(BEAT[:9], whole=True) == []
    assert [f.packet for f in link.feed(PLACE, whole=True)] == [PLACE]
    assert link.counts.cut_short == 1


def test_a_packet_that_asks_for_what_nobody_knows_is_dropped():
    """An unknown incompatibility flag: the standard wants it so."""
    strange = bytearray(BEAT)
    strange[2] = 0x80
    link = framing()
    assert [f.packet for f in link.feed(bytes(strange) + PLACE)] == [PLACE]


def test_both_versions_of_mavlink_are_read():
    """Some radios speak the first one still."""
    old = packet(mavlink.MAVLink_heartbeat_message(2, 3, 81, 4, 4, 3), version=1)
    (frame,) = framing().feed(old)
    assert frame.message_id == 0
    assert isinstance(unpacked(old, "x").message, Heartbeat)


def test_a_message_of_another_dialect_is_counted_and_passed_over():
    """Without its extra byte its checksum cannot be judged."""
    strange = bytearray(BEAT)
    strange[7:10] = (60000).to_bytes(3, "little")
    link = framing()
    assert [f.packet for f in link.feed(bytes(strange) + PLACE)] == [PLACE]
    assert link.counts.unknown == 1


def test_noise_that_looks_like_a_packet_swallows_no_packet_behind_it():
    """A start byte, a long length and an id that nobody has: judged by what follows it."""
    noise = b"\xfd\x1e\0\0\0\1\1\x60\xea\0" + bytes(20)
    link = framing()
    assert [f.packet for f in link.feed(noise + PLACE + BEAT)] == [PLACE, BEAT]


def test_lost_packets_are_known_by_each_senders_own_numbering():
    """Two vehicles count for themselves; an overtaken packet is not lost twice."""
    beat = mavlink.MAVLink_heartbeat_message(2, 3, 81, 4, 4, 3)
    link = framing()
    for system, number in [(1, 254), (2, 7), (1, 255), (1, 2), (2, 8), (1, 1), (1, 3)]:
        link.feed(packet(beat, system=system, number=number))
    assert link.counts.lost == 2  # the first vehicle's 0 and 1


def test_a_text_that_is_no_text_is_read_as_far_as_it_is():
    """Somebody's autopilot speaks Latin-1."""
    assert isinstance(unpacked(TEXT, "x").message, Said)


def test_the_short_way_of_reading_says_what_pymavlink_says():
    """Numbers are read from their layout, the rest by pymavlink's parser: never differently."""
    rng = random.Random(1)
    for kind in (m for n, m in mavlink.mavlink_map.items() if n in wire._LAYOUTS):
        for _ in range(20):
            body = bytes(rng.randrange(256) for _ in range(kind.unpacker.size))
            raw = bytearray(b"\xfd\0\0\0\0\1\1" + kind.id.to_bytes(3, "little") + body)
            raw[1] = len(body)
            told = checksum(bytes(raw[1:]) + bytes([kind.crc_extra]))
            (frame,) = framing().feed(bytes(raw) + told.to_bytes(2, "little"))
            (slow,) = mavlink.MAVLink(None).parse_buffer(frame.packet)
            assert str(wire.read(frame, "x", mavlink.MAVLink(None))) == str(wire.decode(slow, "x"))


@given(st.lists(st.one_of(st.binary(max_size=40), st.sampled_from(GOOD)), max_size=8))
def test_no_bytes_are_fatal_and_none_are_forgotten(parts):
    """Every byte is in a packet, is noise, or is waited for."""
    link, data = framing(), b"".join(parts)
    found = link.feed(data)
    inside = sum(len(f.packet) for f in found)
    assert inside <= len(data)
    if link.counts.unknown == 0:
        assert inside + link.counts.noise_bytes + len(link._rest) == len(data)


@settings(max_examples=300)
@given(st.sampled_from(GOOD), st.integers(0, 60), st.integers(1, 255), st.booleans())
def test_a_damaged_packet_is_never_believed(good, at, flip, whole):
    """Not one changed byte comes through the checksum; an id nobody has is passed over."""
    damaged = bytearray(good)
    damaged[at % len(damaged)] ^= flip
    assert framing().feed(bytes(damaged), whole=whole) == []


@given(st.integers(0, 300), st.binary(max_size=255))
def test_a_well_formed_packet_with_any_content_harms_no_vehicle(message_id, body):
    """Its checksum is right and its content is not; the state stays a state."""
    extra = _EXTRAS.get(message_id, 0)
    raw = bytearray(b"\xfd\0\0\0\0\1\1" + message_id.to_bytes(3, "little") + body)
    raw[1] = len(body)
    raw += checksum(bytes(raw[1:]) + bytes([extra])).to_bytes(2, "little")
    vehicles = Vehicles()
    vehicles.hear(unpacked(BEAT, "x"), 0.0)
    heard = unpacked(bytes(raw), "x")
    if heard is not None:
        vehicles.hear(heard, 1.0)
    assert vehicles.of_system(1) is not None


async def test_a_flood_of_rubbish_leaves_the_link_open(unused_udp_port):
    """What is good among it still arrives."""
    link = Link(f"udpin:127.0.0.1:{unused_udp_port}")
    await link.open()
    heard = link.heard()
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(
        asyncio.DatagramProtocol, remote_addr=("127.0.0.1", unused_udp_port)
    )
    rng = random.Random(3)
    try:
        for _ in range(200):
            transport.sendto(rng.randbytes(rng.randrange(1, 300)))
        transport.sendto(PLACE)
        async with asyncio.timeout(5):
            while not isinstance((await anext(heard)).message, Motion):
                pass
        assert link.counts.noise_bytes > 1000
        assert link.is_open
    finally:
        await heard.aclose()
        transport.close()
        await asyncio.sleep(0)
