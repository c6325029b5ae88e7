"""Reading and writing a vehicle's files over MAVLink FTP, as machines without I/O.

mavlink.io/en/services/ftp.html, and what ArduPilot makes of it: the client
names the session (newer versions may answer with another), five requests may
wait at the vehicle, one file is open at a time, a request with the sequence
number just answered gets the same answer again. A file is read in one burst and
what the link lost of it is read again piece by piece; it is written with a few
pieces under way at once. What a written file is worth shows at its end, when it
is closed, and for certain only by reading it back.
"""

import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import IntEnum

from fleet.messages import FileMessage, Transfer
from fleet.patience import Patience
from fleet.readback import Messages

PIECE = 239  # bytes of a file in one message
_SESSION = 71  # ours; fixed, so that what an earlier process left open can be closed
_WINDOW = 4  # ArduPilot queues five requests and drops the sixth without a word
_AFTER_A_BURST = 256  # sequence numbers passed over, those of burst answers that were lost
_TRIES = 12
_REOPENS = 8
_HEADER = struct.Struct("<HBBBBBxI")
_LENGTH = struct.Struct("<I")


class Op(IntEnum):
    """What a message asks or answers."""

    NONE = 0
    TERMINATE = 1
    RESET = 2
    OPEN_TO_READ = 4
    READ = 5
    CREATE = 6
    WRITE = 7
    CRC32 = 14
    BURST = 15
    ACK = 128
    NAK = 129


class Nak(IntEnum):
    """Why something was refused."""

    FAIL = 1
    ERRNO = 2
    DATA_SIZE = 3
    INVALID_SESSION = 4
    NO_SESSIONS = 5
    END_OF_FILE = 6
    UNKNOWN_COMMAND = 7
    FILE_EXISTS = 8
    PROTECTED = 9
    NOT_FOUND = 10


# Refusals that say "another file is open": closing ours and asking again helps.
_IN_THE_WAY = frozenset({Nak.FAIL, Nak.INVALID_SESSION, Nak.NO_SESSIONS})


@dataclass(frozen=True, slots=True)
class Packet:
    """The payload of one FTP message."""

    seq: int
    op: int
    session: int = _SESSION
    asked: int = 0  # the request that an ACK or NAK answers
    offset: int = 0
    data: bytes = b""
    size: int | None = None  # where it is not the length of the data: how much is asked for
    burst_over: bool = False

    def pack(self) -> bytes:
        """Return the bytes on the wire."""
        size = len(self.data) if self.size is None else self.size
        return (
            _HEADER.pack(self.seq, self.session, self.op, size, self.asked, self.burst_over, self.offset)
            + self.data
        )

    @property
    def refusal(self) -> Nak | None:
        """Why a NAK refuses; None for anything else."""
        if self.op != Op.NAK:
            return None
        code = self.data[0] if self.data else 0
        return Nak(code) if code in set(Nak) else Nak.FAIL


def packet_from(payload: bytes) -> Packet | None:
    """Return what a payload says, None if it is none."""
    if len(payload) < _HEADER.size:
        return None
    seq, session, op, size, asked, over, offset = _HEADER.unpack_from(payload)
    data = payload[_HEADER.size : _HEADER.size + size]
    return Packet(seq, op, session, asked, offset, data, size, bool(over))


@dataclass(frozen=True, slots=True)
class FileResult:
    """How a file operation ended; `missing` means there is no such file, or no files at all."""

    done: bool
    data: bytes = b""
    missing: bool = False
    reason: str = ""


@dataclass(slots=True)
class _Sent:
    packet: Packet
    first_s: float
    last_s: float
    repeats: int = 0


@dataclass(slots=True)
class _Session:
    """What reading and writing share: numbered requests, their repeats, and opening."""

    path: str
    patience: Patience = field(default_factory=Patience)
    result: FileResult | None = None
    seq: int | None = (
        None  # of the next request; never that of one answered before, not even by another machine
    )
    tries_to_open: int = _TRIES
    _session: int = _SESSION
    _sent: dict[int, _Sent] = field(default_factory=dict)
    _reopens: int = 0
    _reopen_s: float | None = None

    def _numbered(self, now: float) -> int:
        """Return the next sequence number; the first of a process is taken from its clock."""
        seq = int(now * 1000) & 0xFFFF if self.seq is None else self.seq
        self.seq = (seq + 1) & 0xFFFF
        return seq

    def _request(
        self, now: float, op: Op, *, offset: int = 0, data: bytes = b"", size: int | None = None
    ) -> FileMessage:
        packet = Packet(self._numbered(now), op, self._session, offset=offset, data=data, size=size)
        self._sent[packet.seq] = _Sent(packet, now, now)
        return FileMessage(packet.pack())

    def _answered(self, answer: Packet, now: float) -> Packet | None:
        """Return the request that an answer belongs to, None if it is not waited for."""
        sent = self._sent.pop((answer.seq - 1) & 0xFFFF, None)
        if sent is None:
            return None
        if sent.packet.op != Op.BURST:
            self.patience.answered(now, first_s=sent.first_s, last_s=sent.last_s)
        return sent.packet

    def _repeats(self, now: float) -> Messages:
        """Return the requests that have waited too long; a request never answered ends it all."""
        out: Messages = []
        for sent in self._sent.values():
            if now - sent.last_s < self.patience.after(sent.repeats):
                continue
            opening = sent.packet.op in (Op.OPEN_TO_READ, Op.CREATE)
            if sent.repeats >= (self.tries_to_open if opening else _TRIES):
                self._fail("the vehicle does not answer requests for files", missing=True)
                return []
            sent.repeats += 1
            sent.last_s = now
            out.append(FileMessage(sent.packet.pack()))
        return out

    def _refused_to_open(self, why: Nak, now: float) -> Messages:
        if why not in _IN_THE_WAY or self._reopens >= _REOPENS:
            gone = why in (Nak.NOT_FOUND, Nak.ERRNO, Nak.UNKNOWN_COMMAND, Nak.PROTECTED)
            self._fail(f"{self.path} cannot be opened ({_worded(why)})", missing=gone)
            return []
        self._reopens += 1
        self._reopen_s = now + self.patience.after(self._reopens)
        return [self._closed(now)]

    def _closed(self, now: float) -> FileMessage:
        """Return the request to close, whose answer does not matter."""
        return FileMessage(Packet(self._numbered(now), Op.TERMINATE, self._session).pack())

    def _fail(self, reason: str, *, missing: bool = False) -> None:
        self._sent.clear()
        self.result = FileResult(False, missing=missing, reason=reason)


class FileRead(_Session):
    """Reads a whole file: a burst, then what is missing.

    `length_in` returns how long the file is as its own beginning tells, for
    files whose end the vehicle does not know.
    """

    __slots__ = ("_burst_s", "_bursting", "_end", "_length_in", "_open", "_pieces")

    def __init__(
        self,
        path: str,
        *,
        patience: Patience | None = None,
        seq: int | None = None,
        length_in: Callable[[bytes], int | None] = lambda _head: None,
    ) -> None:
        super().__init__(path, patience or Patience(), seq=seq)
        self._length_in = length_in
        self._pieces: dict[int, bytes] = {}
        self._end: int | None = None
        self._open = False
        self._bursting = False
        self._burst_s = 0.0

    def start(self, now: float) -> Messages:
        """Return the request that opens the file."""
        self._reopen_s = None
        return [self._request(now, Op.OPEN_TO_READ, data=self.path.encode("ascii"))]

    def receive(self, message: Transfer, now: float) -> Messages:
        """Take in one message of the vehicle; return the messages to send."""
        answer = packet_from(message.payload) if isinstance(message, FileMessage) else None
        if answer is None or self.result is not None:
            return []
        if answer.asked == Op.BURST:
            return self._burst_answered(answer, now)
        request = self._answered(answer, now)
        if request is None:
            return []
        if request.op == Op.OPEN_TO_READ:
            return self._opened(answer, now)
        return self._piece_read(request, answer, now)

    def tick(self, now: float) -> Messages:
        """Return what silence demands."""
        if self.result is not None:
            return []
        if self._reopen_s is not None and now >= self._reopen_s:
            return self.start(now)
        if self._bursting and now - self._burst_s >= self.patience.after(0):
            return self._burst_over(now)
        return self._repeats(now)

    def _opened(self, answer: Packet, now: float) -> Messages:
        why = answer.refusal
        if why is not None:
            return self._refused_to_open(why, now)
        self._session = answer.session
        self._open = True
        return self._burst(0, now)

    def _burst(self, offset: int, now: float) -> Messages:
        self._bursting = True
        self._burst_s = now
        out = self._request(now, Op.BURST, offset=offset, size=PIECE)
        self._sent.popitem()  # its answers are many, and silence is watched for all of them
        return [out]

    def _burst_answered(self, answer: Packet, now: float) -> Messages:
        seq = self.seq or 0
        if (answer.seq - seq) & 0xFFFF < 0x8000:
            self.seq = (answer.seq + 1) & 0xFFFF  # they count on, and no request may look like one of theirs
        self._burst_s = now
        if answer.op == Op.ACK:
            self._keep(answer.offset, answer.data)
        elif answer.refusal is Nak.END_OF_FILE:
            self._end = answer.offset if self._end is None else min(self._end, answer.offset)
        if self._is_whole():
            return self._finish(now)
        return self._burst_over(now) if self._bursting and (answer.burst_over or answer.op == Op.NAK) else []

    def _burst_over(self, now: float) -> Messages:
        self._bursting = False
        self.seq = ((self.seq or 0) + _AFTER_A_BURST) & 0xFFFF
        return self._ask_missing(now)

    def _piece_read(self, request: Packet, answer: Packet, now: float) -> Messages:
        if answer.op == Op.ACK and answer.data:
            self._keep(request.offset, answer.data)
        elif answer.refusal is Nak.END_OF_FILE:
            self._end = request.offset if self._end is None else min(self._end, request.offset)
        else:
            self._fail(f"{self.path} could not be read at byte {request.offset}")
            return []
        return self._finish(now) if self._is_whole() else self._ask_missing(now)

    def _keep(self, offset: int, data: bytes) -> None:
        self._pieces[offset] = data
        if offset == 0:
            told = self._length_in(data)
            self._end = told if told is not None else self._end
        if len(data) < PIECE:
            end = offset + len(data)
            self._end = end if self._end is None else min(self._end, end)

    def _is_whole(self) -> bool:
        return self._end is not None and not any(True for _ in self._missing(self._end))

    def _missing(self, end: int) -> "list[int]":
        return [offset for offset in range(0, end, PIECE) if offset not in self._pieces]

    def _ask_missing(self, now: float) -> Messages:
        """Return requests for lost pieces, or another burst where even the end is unknown."""
        if 0 not in self._pieces:
            wanted = [0]
        elif self._end is None:
            return [] if self._sent else self._burst(max(self._pieces) + PIECE, now)
        else:
            wanted = self._missing(self._end)
        under_way = {sent.packet.offset for sent in self._sent.values()}
        room = _WINDOW - len(under_way)
        new = [offset for offset in wanted if offset not in under_way][: max(0, room)]
        return [self._request(now, Op.READ, offset=offset, size=PIECE) for offset in new]

    def _finish(self, now: float) -> Messages:
        end = self._end or 0
        whole = b"".join(self._pieces[offset] for offset in range(0, end, PIECE))[:end]
        self._sent.clear()
        self.result = FileResult(True, whole)
        return [self._closed(now)]


class FileWrite(_Session):
    """Writes a whole file; done means that the vehicle closed it without complaint."""

    __slots__ = ("_closing", "_data", "_next", "written")

    def __init__(
        self, path: str, data: bytes, *, patience: Patience | None = None, seq: int | None = None
    ) -> None:
        super().__init__(path, patience or Patience(), seq=seq)
        self.written = 0  # bytes acknowledged, for the progress line
        self._data = data
        self._next = 0
        self._closing = False

    def start(self, now: float) -> Messages:
        """Return the request that makes the file."""
        self._reopen_s = None
        return [self._request(now, Op.CREATE, data=self.path.encode("ascii"))]

    def receive(self, message: Transfer, now: float) -> Messages:
        """Take in one message of the vehicle; return the messages to send."""
        answer = packet_from(message.payload) if isinstance(message, FileMessage) else None
        if answer is None or self.result is not None:
            return []
        request = self._answered(answer, now)
        if request is None:
            return []
        why = answer.refusal
        if request.op == Op.CREATE:
            if why is not None:
                return self._refused_to_open(why, now)
            self._session = answer.session
            return self._more(now)
        if request.op == Op.WRITE:
            if why is not None:
                self._fail(f"{self.path} could not be written at byte {request.offset} ({_worded(why)})")
                return [self._closed(now)]
            self.written += len(request.data)
            return self._more(now)
        if why is not None:
            self._fail(f"the vehicle refused {self.path} ({_worded(why)})")
        else:
            self.result = FileResult(True)
        return []

    def tick(self, now: float) -> Messages:
        """Return what silence demands."""
        if self.result is not None:
            return []
        if self._reopen_s is not None and now >= self._reopen_s:
            return self.start(now)
        return self._repeats(now)

    def _more(self, now: float) -> Messages:
        out: Messages = []
        while self._next < len(self._data) and len(self._sent) < _WINDOW:
            piece = self._data[self._next : self._next + PIECE]
            out.append(self._request(now, Op.WRITE, offset=self._next, data=piece))
            self._next += len(piece)
        if not self._sent and not self._closing:
            self._closing = True
            out.append(self._request(now, Op.TERMINATE))
        return out


def _worded(why: Nak) -> str:
    return why.name.lower().replace("_", " ")
