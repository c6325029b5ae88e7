"""A flight's packets in a .tlog: eight bytes of microseconds since 1970, big end first, then the packet.

The format of MAVProxy, QGroundControl and Mission Planner.
"""

import io
import struct
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Self

import structlog

from missions.clock import Clock
from missions.errors import InputWrong

_STAMP = struct.Struct(">Q")
_STARTS = {0xFD: 10 + 2, 0xFE: 6 + 2}  # MAVLink 2 and 1: header and checksum
_SIGNATURE = 13
_log = structlog.get_logger()


class Recorder:
    """Writes every packet it is given; use it as a context manager."""

    def __init__(self, path: Path, clock: Clock) -> None:
        self.path = path
        self._clock = clock
        path.parent.mkdir(parents=True, exist_ok=True)
        # A restarted gateway goes on in the same file; unbuffered, so that a kill tears one packet at most.
        self._file: io.RawIOBase = path.open("ab", buffering=0)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def write(self, packet: bytes) -> None:
        """Append a packet with the present time."""
        if self._file.closed:
            return
        stamp = int(self._clock.now().timestamp() * 1e6)
        try:
            self._file.write(_STAMP.pack(stamp) + packet)
        except OSError as error:
            _log.error("the flight is recorded no further", file=str(self.path), error=error.strerror)
            self._file.close()


def packets(path: Path) -> Iterator[tuple[datetime, bytes]]:
    """Yield the packets of a .tlog with their times; stops at a torn end.

    Raises:
        InputWrong: the file cannot be read, or it is no .tlog.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise InputWrong(f"{path}: cannot be read ({error.strerror})") from None
    at = 0
    while at + _STAMP.size + 3 <= len(data):
        body = at + _STAMP.size
        overhead = _STARTS.get(data[body])
        if overhead is None:
            raise InputWrong(f"{path}: byte {body} starts no MAVLink packet, so this is no .tlog")
        length = overhead + data[body + 1]
        if data[body] == 0xFD and data[body + 2] & 1:
            length += _SIGNATURE
        if body + length > len(data):
            return
        (stamp,) = _STAMP.unpack_from(data, at)
        yield datetime.fromtimestamp(stamp / 1e6, UTC), data[body : body + length]
        at = body + length
