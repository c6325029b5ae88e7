"""The vehicle's half of MAVLink FTP as ArduPilot plays it, for measuring clients.

One file may be open; the same request again gets the same answer again; a burst
goes out a few messages at a time. `@MISSION/mission.dat` is the only file; what is
written to it is taken over when it is closed. Written from
mavlink.io/en/services/ftp.html and ArduPilot's description of that file; nothing
comes from `fleet/ftp.py` or `fleet/listfile.py`.
"""

import struct
from collections import deque
from dataclasses import dataclass, field

from fleet.bench.boards import ArduBoard
from fleet.messages import FileMessage, Item, Transfer

_NAME = b"@MISSION/mission.dat"
_HEAD, _ENTRY = struct.Struct("<HBBBBBBI"), struct.Struct("<ffffiifHHBBBBBB")
_FILE = struct.Struct("<HHHHH")
_MAGIC = 0x763D
_ACK, _NAK, _BURST = 128, 129, 15
_EOF, _FAIL, _UNKNOWN, _NOT_FOUND = 6, 1, 7, 10
_A_TICK = 3  # burst messages a tick of the bench, about 75 kB/s


@dataclass(slots=True)
class FileBoard:
    """An ArduCopter that offers its mission as a file, and takes it item by item too."""

    items: ArduBoard = field(default_factory=ArduBoard)
    writes: int = 0
    _open: bytearray | None = None
    _writing: bool = False
    _last: tuple[int, bytes] | None = None  # the request answered last, and its answer
    _bursting: deque[bytes] = field(default_factory=deque)

    def receive(self, message: Transfer, now: float) -> list[Transfer]:
        """Answer one message."""
        if not isinstance(message, FileMessage):
            return self.items.receive(message, now)
        seq, session, op, size, _, _, _, offset = _HEAD.unpack_from(message.payload)
        data = message.payload[_HEAD.size : _HEAD.size + size]
        if self._last is not None and self._last[0] == seq and op != _BURST:
            return [FileMessage(self._last[1])]
        if op == _BURST:
            self._burst(seq, session, size, offset)
            return []
        code, body = self._do(op, size, offset, data)
        answer = _answer(seq + 1, session, op, code, body, offset)
        self._last = (seq, answer)
        return [FileMessage(answer)]

    def tick(self, now: float) -> list[Transfer]:
        """Send the next messages of a burst."""
        out: list[Transfer] = [
            FileMessage(self._bursting.popleft()) for _ in range(min(_A_TICK, len(self._bursting)))
        ]
        return out + self.items.tick(now)

    def _do(self, op: int, size: int, offset: int, data: bytes) -> tuple[int, bytes]:
        match op:
            case 1 | 2:
                return self._close()
            case 4:
                return self._begin(data, writing=False)
            case 6:
                return self._begin(data, writing=True)
            case 5:
                return self._read(offset, size)
            case 7:
                return self._write(offset, data)
        return _NAK, bytes([_UNKNOWN])

    def _begin(self, name: bytes, *, writing: bool) -> tuple[int, bytes]:
        if name != _NAME:
            return _NAK, bytes([_NOT_FOUND])
        if self._open is not None:
            return _NAK, bytes([_FAIL])
        self._writing = writing
        self._open = bytearray() if writing else bytearray(file_of(self.items.items))
        return _ACK, b"" if writing else (1 << 20).to_bytes(4, "little")

    def _read(self, offset: int, size: int) -> tuple[int, bytes]:
        if self._open is None or self._writing:
            return _NAK, bytes([_FAIL])
        piece = bytes(self._open[offset : offset + size])
        return (_ACK, piece) if piece else (_NAK, bytes([_EOF]))

    def _write(self, offset: int, data: bytes) -> tuple[int, bytes]:
        if self._open is None or not self._writing:
            return _NAK, bytes([_NOT_FOUND])
        self._open.extend(bytes(max(0, offset + len(data) - len(self._open))))
        self._open[offset : offset + len(data)] = data
        return _ACK, b""

    def _close(self) -> tuple[int, bytes]:
        held, self._open = self._open, None
        self._bursting.clear()
        if held is None or not self._writing:
            return _ACK, b""
        self.writes += 1
        items = items_of(bytes(held))
        if items is None:
            return _NAK, bytes([2, 22])
        self.items.take_over(items)
        return _ACK, b""

    def _burst(self, seq: int, session: int, size: int, offset: int) -> None:
        self._bursting.clear()
        while True:
            seq += 1
            code, piece = self._read(offset, size)
            answer = _answer(seq, session, _BURST, code, piece, offset, over=code == _NAK)
            self._bursting.append(answer)
            self._last = (seq - 1, answer)
            if code == _NAK:
                return
            offset += len(piece)


def file_of(items: list[Item]) -> bytes:
    """Return the file a vehicle shows of its list."""
    body = b"".join(
        _ENTRY.pack(
            *i.params,
            round(i.lat_deg * 1e7),
            round(i.lon_deg * 1e7),
            i.altitude_m,
            i.seq,
            i.command,
            0,
            0,
            i.frame,
            0,
            1,
            0,
        )
        for i in items
    )
    return _FILE.pack(_MAGIC, 0, 0, 0, len(items)) + body


def items_of(data: bytes) -> list[Item] | None:
    """Return the list in a file that was written, None where ArduPilot refuses it."""
    if len(data) < _FILE.size:
        return None
    magic, _, _, _, count = _FILE.unpack_from(data)
    if magic != _MAGIC or (len(data) - _FILE.size) // _ENTRY.size != count:
        return None
    found = []
    for seq in range(count):
        place = _FILE.size + seq * _ENTRY.size
        if not any(data[place : place + _ENTRY.size]):
            return None
        a, b, c, d, x, y, z, _, command, _, _, frame, *_ = _ENTRY.unpack_from(data, place)
        found.append(Item(seq, command, frame, (a, b, c, d), x / 1e7, y / 1e7, z))
    return found


def _answer(
    seq: int, session: int, op: int, code: int, body: bytes, offset: int, *, over: bool = False
) -> bytes:
    return _HEAD.pack(seq & 0xFFFF, session, code, len(body), op, over, 0, offset) + body
