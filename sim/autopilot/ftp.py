"""A MAVFTP server: the files a vehicle offers, read and written by session.

https://mavlink.io/en/services/ftp.html. A request that comes again is answered
with the stored reply; a burst read sends chunk after chunk until its end. What
lies behind the names are `Files`: bytes made when a file is opened, and taken
whole when a written file is closed, as ArduPilot's @MISSION and @PARAM do.
"""

import errno
import struct
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from sim.autopilot.dialect import Message, Outgoing, mav

CHUNK = 239
SILENT_S = 3.0  # a session that says nothing so long may be taken over
_BURST = 40  # chunks a burst sends before the reader has to ask again
_MOST_BYTES = 1 << 20
_HEADER = struct.Struct("<HBBBBBxI")
_PAYLOAD = 251
_ACK, _NAK = 128, 129
_FAIL, _ERRNO, _BAD_SIZE, _BAD_SESSION, _NO_SESSION, _EOF, _UNKNOWN, _NOT_FOUND = 1, 2, 3, 4, 5, 6, 7, 10
(_NONE, _TERMINATE, _RESET, _LIST, _OPEN_READ, _READ, _CREATE, _WRITE) = range(8)
_OPEN_WRITE, _CRC, _BURST_READ = 11, 14, 15


@dataclass(frozen=True, slots=True)
class File:
    """A name, how its bytes are made, and who takes bytes written to it (None: read only)."""

    read: Callable[[], bytes]
    write: Callable[[bytes], bool] | None = None


@dataclass(frozen=True, slots=True)
class _Request:
    seq: int
    session: int
    opcode: int
    size: int
    burst_complete: int
    offset: int
    data: bytes


@dataclass(slots=True)
class _Session:
    number: int
    name: str
    content: bytearray
    writes: bool
    heard_s: float


@dataclass(slots=True)
class _Burst:
    link: int
    target: tuple[int, int]
    request: _Request
    seq: int
    offset: int
    left: int = _BURST


@dataclass(slots=True)
class FtpServer:
    """One vehicle's files and the one session it keeps, as ArduPilot does."""

    files: Mapping[str, File]
    _session: _Session | None = None
    _last: dict[tuple[int, int, int], tuple[int, Outgoing]] = field(default_factory=dict)
    _bursts: list[_Burst] = field(default_factory=list)

    def receive(self, message: Message, link: int, now_s: float) -> list[Outgoing]:
        """Answer one FILE_TRANSFER_PROTOCOL."""
        request = _parsed(bytes(message.payload))
        sender = (message.get_srcSystem(), message.get_srcComponent())
        if request is None:
            return []
        key = (*sender, request.session)
        before = self._last.get(key)
        if before is not None and before[0] == request.seq and request.opcode != _BURST_READ:
            return [Outgoing(before[1].message, link)]
        if request.opcode == _BURST_READ:
            self._bursts = [b for b in self._bursts if b.link != link]
            wrong = self._wrong_session(request)
            if wrong is None:
                if self._session is not None:
                    self._session.heard_s = now_s
                self._bursts.append(_Burst(link, sender, request, request.seq + 1, request.offset))
                return []
            reply = _nak(request, wrong)
        else:
            reply = self._answer(request, now_s)
        outgoing = Outgoing(_message(sender, reply), link)
        self._last[key] = (request.seq, outgoing)
        return [outgoing]

    def tick(self, now_s: float) -> list[Outgoing]:
        """Return the next chunks of the bursts under way."""
        if not self._bursts:
            return []
        sent = []
        for burst in list(self._bursts):
            for _ in range(4):  # a few chunks at a time, as a link would carry them
                if burst not in self._bursts:
                    break
                sent.append(Outgoing(_message(burst.target, self._chunk(burst)), burst.link))
        if self._session is not None and sent:
            self._session.heard_s = now_s
        return sent

    def forget(self, link: int) -> None:
        """Stop sending on a link that is gone."""
        self._bursts = [b for b in self._bursts if b.link != link]

    def _chunk(self, burst: _Burst) -> bytes:
        size = burst.request.size or CHUNK
        content = self._session.content if self._session is not None else b""
        data = bytes(content[burst.offset : burst.offset + size])
        burst.left -= 1
        if not data:
            self._bursts.remove(burst)
            return _nak(burst.request, _EOF, seq=burst.seq)
        complete = burst.left == 0
        if complete:
            self._bursts.remove(burst)
        reply = _reply(
            burst.request, _ACK, data, seq=burst.seq, offset=burst.offset, burst_complete=int(complete)
        )
        burst.seq = (burst.seq + 1) & 0xFFFF
        burst.offset += len(data)
        return reply

    def _answer(self, request: _Request, now_s: float) -> bytes:
        if request.size > CHUNK:
            return _nak(request, _BAD_SIZE)
        match request.opcode:
            case 0:
                return _reply(request, _ACK)
            case 1 | 2:
                return self._close(request)
            case 3:
                return self._list(request)
            case 4:
                return self._open(request, now_s, writes=False)
            case 6 | 11:
                return self._open(request, now_s, writes=True)
            case 5 | 7:
                return self._read_or_write(request, now_s)
            case 14:
                return self._crc(request)
        return _nak(request, _UNKNOWN)

    def _open(self, request: _Request, now_s: float, *, writes: bool) -> bytes:
        name = _name(request.data)
        session = self._session
        if session is not None and now_s - session.heard_s < SILENT_S:
            return _nak(request, _FAIL)
        file = self.files.get(name)
        if file is None:
            return _nak(request, _NOT_FOUND)
        if writes and file.write is None:
            return _nak(request, _ERRNO, errno.EACCES)
        content = bytearray() if writes else bytearray(file.read())
        self._session = _Session(request.session, name, content, writes, now_s)
        size = struct.pack("<I", len(content))
        return _reply(request, _ACK, b"" if writes else size)

    def _read_or_write(self, request: _Request, now_s: float) -> bytes:
        wrong = self._wrong_session(request)
        session = self._session
        if wrong is not None or session is None:
            return _nak(request, wrong or _NO_SESSION)
        session.heard_s = now_s
        if request.opcode == _READ:
            data = bytes(session.content[request.offset : request.offset + request.size])
            return _reply(request, _ACK, data) if data else _nak(request, _EOF)
        end = request.offset + len(request.data)
        if not session.writes or end > _MOST_BYTES:
            return _nak(request, _FAIL)
        if end > len(session.content):
            session.content += bytes(end - len(session.content))
        session.content[request.offset : end] = request.data
        return _reply(request, _ACK)

    def _close(self, request: _Request) -> bytes:
        """End the session; a written file is taken now, and whether it was good is not said."""
        session = self._session
        if session is not None and (session.number == request.session or request.opcode == _RESET):
            self._session = None
            self._bursts.clear()
            write = self.files[session.name].write
            if session.writes and write is not None:
                write(bytes(session.content))
        return _reply(request, _ACK)

    def _crc(self, request: _Request) -> bytes:
        file = self.files.get(_name(request.data))
        if file is None:
            return _nak(request, _NOT_FOUND)
        return _reply(request, _ACK, struct.pack("<I", crc32(file.read())))

    def _list(self, request: _Request) -> bytes:
        folder = _name(request.data).strip("/")
        inside = [n for n in sorted(self.files) if not folder or n.startswith(f"{folder}/")]
        entries = [f"F{n.removeprefix(folder).strip('/')}\t{len(self.files[n].read())}" for n in inside]
        rest = entries[request.offset :]
        if not rest:
            return _nak(request, _EOF)
        data = b""
        for entry in rest:
            more = entry.encode() + b"\0"
            if len(data) + len(more) > CHUNK:
                break
            data += more
        return _reply(request, _ACK, data)

    def _wrong_session(self, request: _Request) -> int | None:
        if self._session is None:
            return _NO_SESSION
        return None if self._session.number == request.session else _BAD_SESSION


def crc32(data: bytes) -> int:
    """Return the file checksum of MAVFTP: a CRC32 that begins at 0 and is not turned over at the end."""
    return (zlib.crc32(data, 0xFFFFFFFF) ^ 0xFFFFFFFF) & 0xFFFFFFFF


def _parsed(payload: bytes) -> _Request | None:
    if len(payload) < _HEADER.size:
        return None
    seq, session, opcode, size, _, burst_complete, offset = _HEADER.unpack_from(payload)
    return _Request(seq, session, opcode, size, burst_complete, offset, payload[_HEADER.size :][:size])


def _reply(
    request: _Request,
    opcode: int,
    data: bytes = b"",
    *,
    seq: int | None = None,
    offset: int | None = None,
    burst_complete: int = 0,
) -> bytes:
    head = _HEADER.pack(
        (request.seq + 1 if seq is None else seq) & 0xFFFF,
        request.session,
        opcode,
        len(data),
        request.opcode,
        burst_complete,
        request.offset if offset is None else offset,
    )
    return (head + data).ljust(_PAYLOAD, b"\0")


def _nak(request: _Request, code: int, number: int | None = None, *, seq: int | None = None) -> bytes:
    data = bytes([code]) if number is None else bytes([code, number])
    return _reply(request, _NAK, data, seq=seq)


def _message(target: tuple[int, int], payload: bytes) -> Message:
    return mav.MAVLink_file_transfer_protocol_message(0, *target, list(payload))


def _name(data: bytes) -> str:
    return data.split(b"\0")[0].decode("utf-8", "replace")
