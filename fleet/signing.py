"""MAVLink 2 signing: keys for each vehicle, and packets that are forged, replayed or not signed.

mavlink.io/en/guide/message_signing.html. A signature is the first six bytes of
SHA-256 over the key, the packet, a link id and a time stamp in steps of 10 µs
since 2015. What ground stations get wrong, and what is done here instead:

* A key is never used for sending before the vehicle has shown that it has it: SETUP_SIGNING has
  no answer, so the first packet that the vehicle signs with the new key is taken for one.
  Until then the old key, or none, goes on; a vehicle that never took the key is not cut off.
* The stamp follows the wall clock, also while nothing is sent, and never goes back: it is kept
  a minute ahead, so that a restart, or a clock set back, sends nothing twice with one stamp.
* The key that is being given is kept before it is sent: a crash in between loses no drone.
* A key is shown nowhere: not in a log, an error or a recording.

Nothing here touches a file; `fleet/keyring.py` keeps keys and stamps.
"""

import hashlib
import hmac
import os
from collections.abc import Callable, MutableMapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum

from fleet.errors import KeysWrong
from fleet.framing import SIGNATURE, SIGNED, Checksum, Counts, Frame
from fleet.messages import KeySetup, Outgoing

SETUP_SIGNING = 256
KEY_BYTES = 32
_RADIO_STATUS = 109  # a radio tells its own state and has no key
_EPOCH = datetime(2015, 1, 1, tzinfo=UTC)
_A_SECOND = 100_000  # steps of the stamp
_STALE = 60 * _A_SECOND  # a sender heard for the first time may lag so far
_AHEAD = 60 * _A_SECOND
_OFFER_AGAIN_S = 2.0
_OFFERS = 5
_FLAGS, _CHECKSUM_BYTES = 2, 2


class Key:
    """A secret of 32 bytes that does not show itself."""

    __slots__ = ("_secret",)

    def __init__(self, secret: bytes) -> None:
        if len(secret) != KEY_BYTES:
            raise KeysWrong(f"a signing key has {KEY_BYTES} bytes, this one has {len(secret)}")
        self._secret = secret

    @classmethod
    def of_passphrase(cls, text: str) -> "Key":
        """Return the key that QGroundControl and Mission Planner make of a passphrase."""
        return cls(hashlib.sha256(text.encode()).digest())

    @classmethod
    def new(cls) -> "Key":
        """Return a key nobody else has."""
        return cls(os.urandom(KEY_BYTES))

    def __repr__(self) -> str:
        return "Key(…)"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Key) and hmac.compare_digest(self._secret, other._secret)

    def __hash__(self) -> int:
        return hash(self._secret)

    def signature(self, signed: bytes) -> bytes:
        """Return the six bytes for a packet up to its stamp."""
        return hashlib.sha256(self._secret + signed).digest()[:6]

    def setup(self, stamp: int) -> KeySetup:
        """Return the message that gives the key to a vehicle."""
        return KeySetup(self._secret, stamp)

    def to_hex(self) -> str:
        """Return the secret for where keys are kept; for nothing else."""
        return self._secret.hex()


@dataclass(slots=True)
class Keys:
    """One vehicle's keys: what it signs with as far as is known, and what it is being given.

    `stopping` says that it was told to sign no more, which its first unsigned packet shows.
    """

    active: Key | None = None
    offered: Key | None = None
    stopping: bool = False


@dataclass(slots=True)
class Stamps:
    """Time stamps that never repeat and never go back.

    `keep` is told a stamp that no packet has reached yet, once a minute; a
    restart begins with the last one told as `kept`.
    """

    wall: Callable[[], datetime]
    keep: Callable[[int], None] = lambda _stamp: None
    kept: int = 0
    _last: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        self._last = self.kept

    def now(self) -> int:
        """Return the stamp of this moment by the wall clock."""
        return int((self.wall() - _EPOCH).total_seconds() * _A_SECOND)

    def next(self) -> int:
        """Return a stamp later than every one before."""
        self._last = max(self._last + 1, self.now())
        if self._last > self.kept:
            self.kept = self._last + _AHEAD
            self.keep(self.kept)
        return self._last


@dataclass(slots=True)
class Guard:
    """Signs what goes out on one link and judges what comes in.

    `taken` is told the system whose vehicle has shown that it has the key offered to it.
    """

    keys: MutableMapping[int, Keys]
    stamps: Stamps
    checksum: Checksum
    link_id: int = 0
    taken: Callable[[int], None] = lambda _system: None
    _heard: dict[tuple[int, int, int], int] = field(default_factory=dict)

    def sign(self, packet: bytes, system: int, extra: int) -> bytes:
        """Return a packet signed for a vehicle that has a key, unchanged for any other."""
        keys = self.keys.get(system)
        if keys is None or keys.active is None:
            return packet
        body = bytearray(packet[:-_CHECKSUM_BYTES])
        body[_FLAGS] |= SIGNED
        checked = self.checksum(bytes(body[1:]) + extra.to_bytes(1))
        tail = (
            checked.to_bytes(2, "little") + bytes([self.link_id]) + self.stamps.next().to_bytes(6, "little")
        )
        signed = bytes(body) + tail
        return signed + keys.active.signature(signed)

    def accepts(self, frame: Frame, counts: Counts) -> bool:
        """Return whether a packet may be believed; counts why it may not."""
        keys = self.keys.get(frame.system)
        if keys is None or (keys.active is None and keys.offered is None):
            return True
        if not frame.signed:
            if keys.active is None or frame.message_id == _RADIO_STATUS:
                return True
            if keys.stopping:
                keys.active, keys.stopping = None, False
                self.taken(frame.system)
                return True
            counts.unsigned += 1
            return False
        key = self._key_of(frame, keys)
        if key is None:
            # Before the first key of ours a vehicle may sign with one that we never knew.
            counts.forged += keys.active is not None
            return keys.active is None
        if not self._is_new(frame):
            counts.replayed += 1
            return False
        if key is not keys.active:
            keys.active, keys.offered = key, None
            self.taken(frame.system)
        return True

    def _key_of(self, frame: Frame, keys: Keys) -> Key | None:
        signed, told = frame.packet[:-6], frame.packet[-6:]
        for key in (keys.active, keys.offered):
            if key is not None and hmac.compare_digest(key.signature(signed), told):
                return key
        return None

    def _is_new(self, frame: Frame) -> bool:
        """Return whether a stamp is later than the last one of its sender, or not too old for a first one."""
        tail = frame.packet[-SIGNATURE:]
        sender = frame.system, frame.component, tail[0]
        stamp = int.from_bytes(tail[1:7], "little")
        last = self._heard.get(sender)
        if (last is not None and stamp <= last) or (last is None and stamp < self.stamps.now() - _STALE):
            return False
        self._heard[sender] = stamp
        return True


class Offer(StrEnum):
    """How giving a vehicle its key stands."""

    OPEN = "open"
    TAKEN = "taken"
    UNHEARD = "unheard"  # nothing signed with it came; both keys go on being understood


@dataclass(slots=True)
class KeyOffer:
    """Gives a vehicle a new key, as a machine without I/O; give it over a link nobody listens to.

    No key tells it to sign no more. `keep` puts the vehicle's keys where a crash
    does not lose them, before anything is sent.
    """

    keys: Keys
    key: Key | None
    stamps: Stamps
    keep: Callable[[], None]
    state: Offer = Offer.OPEN
    _offers: int = 0
    _offered_s: float = 0.0

    def start(self, now: float) -> list[Outgoing]:
        """Return the message that gives the key."""
        self.keys.offered, self.keys.stopping = self.key, self.key is None
        self.keep()
        return self._offer(now)

    def tick(self, now: float) -> list[Outgoing]:
        """Return the repeat that is due; end when the vehicle signs with the key, or never does."""
        if self.state is not Offer.OPEN:
            return []
        if self.keys.active == self.key:
            self.state = Offer.TAKEN
        elif now - self._offered_s >= _OFFER_AGAIN_S:
            if self._offers < _OFFERS:
                return self._offer(now)
            self.state = Offer.UNHEARD
        return []

    def _offer(self, now: float) -> list[Outgoing]:
        self._offers += 1
        self._offered_s = now
        if self.key is None:
            return [KeySetup(bytes(KEY_BYTES), 0)]
        return [self.key.setup(self.stamps.next())]
