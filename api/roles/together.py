"""Answers in one piece: the head and a short body leave in one write to the socket, not in two.

The server writes the head of an answer as soon as it knows it, and then the body. Each write costs a call
of the kernel and wakes whoever reads; at hundreds of small answers a second that is a tenth of all work.
What is written in one turn of the event loop is therefore written once, at the end of the turn.
"""

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

MOST_BYTES = 64 << 10
"""More than this goes out at once: it is not copied together."""


class Together(asyncio.Transport):
    """A transport that collects what is written within one turn of the event loop."""

    def __init__(self, under: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__()
        self._under, self._loop = under, loop
        self._parts: list[bytes] = []
        self._size = 0

    def write(self, data: Any) -> None:
        """Take bytes to be written at the end of this turn."""
        if not self._parts:
            self._loop.call_soon(self._flush)
        self._parts.append(data)
        self._size += len(data)
        if self._size > MOST_BYTES:
            self._flush()

    def close(self) -> None:
        self._flush()
        self._under.close()

    def abort(self) -> None:
        self._parts, self._size = [], 0
        self._under.abort()

    def is_closing(self) -> bool:
        return self._under.is_closing()

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return self._under.get_extra_info(name, default)

    def pause_reading(self) -> None:
        self._under.pause_reading()

    def resume_reading(self) -> None:
        self._under.resume_reading()

    def is_reading(self) -> bool:
        return self._under.is_reading()

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        self._under.set_protocol(protocol)

    def get_protocol(self) -> asyncio.BaseProtocol:
        return self._under.get_protocol()

    def _flush(self) -> None:
        parts, self._parts, self._size = self._parts, [], 0
        if parts:
            self._under.write(parts[0] if len(parts) == 1 else b"".join(parts))


class Connection(HttpToolsProtocol):
    """uvicorn's HTTP connection, writing through `Together`."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as theirs
        super().connection_made(Together(transport, self.loop))
