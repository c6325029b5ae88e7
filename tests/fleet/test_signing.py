"""Keys for each vehicle: taken before used, never shown, never replayed."""

import asyncio
import logging
import os
import stat
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pymavlink.dialects.v20 import ardupilotmega as mavlink

from fleet.errors import KeysWrong
from fleet.framing import Counts, Framing
from fleet.keyring import Keyring
from fleet.link import _EXTRAS, Link, checksum
from fleet.messages import Alive, Heartbeat, KeySetup
from fleet.recorder import Recorder, packets
from fleet.signing import Guard, Key, KeyOffer, Keys, Offer, Stamps
from missions.clock import FakeClock

BEGAN = datetime(2026, 11, 22, 8, tzinfo=UTC)
OURS, OTHER = Key.of_passphrase("pylon 45"), Key.of_passphrase("pylon 46")


class Vehicle:
    """A vehicle's end of signing, as pymavlink plays it: nothing of it is ours."""

    def __init__(self, key: Key | None = None, *, at: datetime = BEGAN) -> None:
        self.link = mavlink.MAVLink(None, srcSystem=1, srcComponent=1)
        self.seen: list = []
        if key is not None:
            self.take(key, at)

    def take(self, key: Key, at: datetime = BEGAN) -> None:
        self.link.signing.secret_key = bytes.fromhex(key.to_hex())
        self.link.signing.timestamp = int((at - datetime(2015, 1, 1, tzinfo=UTC)).total_seconds() * 1e5)
        self.link.signing.link_id = 3
        self.link.signing.sign_outgoing = True

    def beat(self) -> bytes:
        message = mavlink.MAVLink_heartbeat_message(2, 3, 81, 4, 4, 3)
        return bytes(message.pack(self.link))

    def hears(self, packet: bytes) -> bool:
        """Return whether the vehicle believes a packet."""
        try:
            self.link.decode(bytearray(packet))
        except mavlink.MAVError:
            return False
        return True


def guard(keys: dict[int, Keys], at: datetime = BEGAN) -> Guard:
    return Guard(keys, Stamps(lambda: at), checksum)


def judged(ours: Guard, packet: bytes) -> tuple[bool, Counts]:
    framing = Framing(_EXTRAS, checksum)
    (frame,) = framing.feed(packet)
    return ours.accepts(frame, framing.counts), framing.counts


def ours_to(system: int, ours: Guard) -> bytes:
    sender = mavlink.MAVLink(None, srcSystem=255, srcComponent=190)
    message = mavlink.MAVLink_heartbeat_message(6, 8, 0, 0, 4, 3)
    return ours.sign(bytes(message.pack(sender)), system, message.crc_extra)


def test_another_implementation_believes_what_we_sign_and_we_what_it_signs():
    """Against pymavlink's own signing."""
    ours, vehicle = guard({1: Keys(OURS)}), Vehicle(OURS)
    assert judged(ours, vehicle.beat())[0]
    assert vehicle.hears(ours_to(1, ours))
    assert not Vehicle(OTHER).hears(ours_to(1, ours))


def test_each_vehicle_has_a_key_of_its_own():
    """One that is known tells nothing about the next one's."""
    ours = guard({1: Keys(OURS), 2: Keys(OTHER)})
    assert not Vehicle(OURS).hears(ours_to(2, ours))
    assert Vehicle(OTHER).hears(ours_to(2, ours))


def test_a_vehicle_without_a_key_is_spoken_to_as_before():
    """Not one bit is different."""
    plain = ours_to(9, guard({}))
    assert plain == ours_to(9, guard({1: Keys(OURS)}))
    assert plain[2] == 0


@pytest.mark.parametrize(
    ("spoil", "reason"), [("unsigned", "unsigned"), ("other", "forged"), ("bit", "forged")]
)
def test_what_is_not_signed_with_the_key_is_refused_and_counted(spoil, reason):
    """A stranger may send a heartbeat; it is not the vehicle's."""
    ours = guard({1: Keys(OURS)})
    packet = bytearray({"unsigned": Vehicle(), "other": Vehicle(OTHER), "bit": Vehicle(OURS)}[spoil].beat())
    if spoil == "bit":
        packet[-1] ^= 1
    believed, counts = judged(ours, bytes(packet))
    assert not believed
    assert getattr(counts, reason) == counts.refused == 1


def test_a_replayed_packet_is_refused_and_counted():
    """Word for word what was believed a moment ago."""
    ours, vehicle = guard({1: Keys(OURS)}), Vehicle(OURS)
    first, second = vehicle.beat(), vehicle.beat()
    assert judged(ours, second)[0]
    for old in (first, second):
        believed, counts = judged(ours, old)
        assert not believed
        assert counts.replayed == 1


def test_a_recording_of_yesterday_opens_no_new_stream():
    """A sender heard for the first time may lag a minute, not a day."""
    late = Vehicle(OURS, at=BEGAN - timedelta(days=1))
    assert judged(guard({1: Keys(OURS)}), late.beat())[1].replayed == 1


def test_the_key_is_not_used_before_the_vehicle_has_shown_that_it_has_it():
    """SETUP_SIGNING has no answer: a lost one must not cut the vehicle off."""
    keys = Keys()
    ours, vehicle = guard({1: keys}), Vehicle()
    offer = KeyOffer(keys, OURS, ours.stamps, keep=lambda: None)
    (setup,) = offer.start(0.0)
    assert isinstance(setup, KeySetup)
    assert judged(ours, vehicle.beat())[0]
    assert vehicle.hears(ours_to(1, ours))
    vehicle.take(OURS)
    assert judged(ours, vehicle.beat())[0]
    assert keys == Keys(OURS)
    assert vehicle.hears(ours_to(1, ours))
    assert offer.tick(0.5) == []
    assert offer.state is Offer.TAKEN


def test_a_key_is_rotated_without_a_moment_of_silence():
    """The old one goes on until the new one is seen."""
    keys = Keys(OURS)
    ours, vehicle = guard({1: keys}), Vehicle(OURS)
    offer = KeyOffer(keys, OTHER, ours.stamps, keep=lambda: None)
    offer.start(0.0)
    assert judged(ours, vehicle.beat())[0]
    assert vehicle.hears(ours_to(1, ours))
    vehicle.take(OTHER, BEGAN + timedelta(seconds=1))
    assert judged(ours, vehicle.beat())[0]
    assert vehicle.hears(ours_to(1, ours))
    assert keys == Keys(OTHER)
    assert judged(ours, Vehicle(OURS, at=BEGAN + timedelta(seconds=9)).beat())[1].forged == 1


def test_a_vehicle_that_never_takes_the_key_stays_heard():
    """It is offered a few times, and both ways are understood for good."""
    keys = Keys()
    ours = guard({1: keys})
    offer = KeyOffer(keys, OURS, ours.stamps, keep=lambda: None)
    sent = offer.start(0.0)
    for second in range(1, 40):
        sent += offer.tick(float(second))
    assert offer.state is Offer.UNHEARD
    assert len(sent) == 5
    assert judged(ours, Vehicle().beat())[0]


def test_a_vehicle_is_told_to_sign_no_more_and_heard_until_it_does():
    """The same care as with a new key: what it does shows what it took."""
    keys = Keys(OURS)
    ours, vehicle = guard({1: keys}), Vehicle(OURS)
    offer = KeyOffer(keys, None, ours.stamps, keep=lambda: None)
    (setup,) = offer.start(0.0)
    assert setup.key == bytes(32)
    assert judged(ours, vehicle.beat())[0]
    assert ours_to(1, ours)[2] == 1
    vehicle.link.signing.sign_outgoing = False
    vehicle.link.signing.secret_key = None
    assert judged(ours, vehicle.beat())[0]
    assert keys == Keys()
    assert ours_to(1, ours)[2] == 0
    offer.tick(1.0)
    assert offer.state is Offer.TAKEN


def test_the_key_is_kept_before_it_is_sent():
    """A crash in between must not lose the drone."""
    kept = []
    keys = Keys()
    offer = KeyOffer(keys, OURS, Stamps(lambda: BEGAN), keep=lambda: kept.append(keys.offered))
    offer.start(0.0)
    assert kept == [OURS]


def test_stamps_follow_the_wall_clock_and_never_go_back(tmp_path):
    """Not when the clock is set back, and not over a restart."""
    clock = FakeClock(BEGAN)
    kept = [0]
    stamps = Stamps(clock.now, keep=lambda s: kept.__setitem__(0, s))
    first = stamps.next()
    assert stamps.next() == first + 1
    clock.advance(10.0)
    later = stamps.next()
    assert later == first + 10 * 100_000
    clock.advance(-3600.0)
    assert stamps.next() == later + 1
    assert Stamps(clock.now, kept=kept[0]).next() > later + 1


def test_stamps_are_put_on_disk_once_a_minute_not_with_each_packet():
    """A minute ahead of what is sent."""
    clock, kept = FakeClock(BEGAN), []
    stamps = Stamps(clock.now, keep=kept.append)
    for _ in range(600):
        clock.advance(0.5)
        stamps.next()
    assert 5 <= len(kept) <= 6


def test_keys_and_stamps_live_through_a_restart_in_a_file_for_its_owner_alone(tmp_path):
    """Nobody else on the machine may read it."""
    ring = Keyring(tmp_path / "keys.json")
    ring.of("a", 1).active, ring.of("b", 1).offered = OURS, OTHER
    ring.keep()
    stamp = ring.stamps.next()
    again = Keyring(tmp_path / "keys.json")
    assert again.on("a") == {1: Keys(OURS)}
    assert again.on("b") == {1: Keys(None, OTHER)}
    assert again.stamps.next() > stamp
    assert stat.S_IMODE(os.stat(ring.path).st_mode) == 0o600


@pytest.mark.parametrize(
    "text", ["", "[]", '{"links": {}}', '{"stamp": 1, "links": {"a": {"1": {"active": "beef"}}}}']
)
def test_a_file_that_holds_no_keys_says_so_and_shows_none(tmp_path, text):
    """Whatever stands there."""
    path = tmp_path / "keys.json"
    path.write_text(text)
    with pytest.raises(KeysWrong) as caught:
        Keyring(path)
    assert "beef" not in str(caught.value)


def test_a_key_shows_itself_nowhere(caplog):
    """Not when printed, not in what holds it, not in an error."""
    secret = OURS.to_hex()
    caplog.set_level(logging.DEBUG)
    logging.getLogger("fleet").warning("keys %r %s", Keys(OURS, OTHER), OURS)
    shown = caplog.text + repr(OURS.setup(1)) + str(KeyOffer(Keys(OURS), OTHER, Stamps(lambda: BEGAN), print))
    assert secret not in shown
    assert secret[:12] not in shown
    assert str(bytes.fromhex(secret))[2:20] not in shown
    with pytest.raises(KeysWrong) as caught:
        Key(b"short secret")
    assert "short secret" not in str(caught.value)


@given(st.binary(min_size=1, max_size=60), st.integers(0, 80))
def test_no_tampering_with_a_signed_packet_is_believed(noise, at):
    """Bytes put over any place of it."""
    packet = bytearray(Vehicle(OURS).beat())
    at %= len(packet)
    changed = packet[:at] + bytes(a ^ b for a, b in zip(packet[at:], noise, strict=False))
    changed += packet[len(changed) :]
    framing = Framing(_EXTRAS, checksum)
    ours = guard({1: Keys(OURS)})
    for frame in framing.feed(bytes(changed), whole=True):
        if frame.system == 1:
            assert ours.accepts(frame, framing.counts) == (changed == packet)


async def test_a_signed_link_carries_both_ways_and_records_no_key(tmp_path, unused_tcp_port):
    """The setup goes out, the vehicle signs from then on; the recording holds everything but the key."""
    vehicle = Vehicle()
    heard_there: list[bytes] = []
    over = asyncio.Event()

    async def serve(reader, writer):
        writer.write(vehicle.beat())
        parser = mavlink.MAVLink(None)
        while data := await reader.read(4096):
            heard_there.append(data)
            for message in parser.parse_buffer(data) or ():
                if message.get_type() == "SETUP_SIGNING":
                    vehicle.take(Key(bytes(message.secret_key)), datetime.now(UTC))
                    writer.write(message.get_msgbuf() + vehicle.beat())
        writer.close()
        over.set()

    server = await asyncio.start_server(serve, "127.0.0.1", unused_tcp_port)
    ring = Keyring(tmp_path / "keys.json")
    link = Link(f"tcp:127.0.0.1:{unused_tcp_port}", keyring=ring)
    await link.open()
    heard = link.heard()
    with Recorder(tmp_path / "flight.tlog", FakeClock(BEGAN)) as recorder:
        link.taps.append(recorder.write)
        async with asyncio.timeout(5):
            assert isinstance((await anext(heard)).message, Heartbeat)
            for message in KeyOffer(ring.of(str(link.address), 1), OURS, ring.stamps, keep=ring.keep).start(
                0.0
            ):
                link.send(message, 1)
            assert isinstance((await anext(heard)).message, Heartbeat)
        link.send(Alive(), 1)
        await asyncio.sleep(0.05)
    await heard.aclose()
    server.close()
    await over.wait()
    await asyncio.sleep(0.01)  # a transport closes in the loop's next turns
    assert Keyring(tmp_path / "keys.json").on(str(link.address)) == {1: Keys(OURS)}
    assert heard_there[-1][2] == 1
    assert vehicle.hears(heard_there[-1])
    assert bytes.fromhex(OURS.to_hex()) not in (tmp_path / "flight.tlog").read_bytes()
    assert len(list(packets(tmp_path / "flight.tlog"))) == 3
