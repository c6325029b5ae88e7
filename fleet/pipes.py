"""Ways to move bytes under asyncio: TCP and serial as streams, UDP as datagrams.

A UDP socket is read until it is empty each time it is readable, into a large
buffer of the kernel's: a thousand vehicles send thirteen thousand datagrams a
second, and one turn of the event loop for each would be most of the work.
"""

import asyncio
import contextlib
import errno
import socket
from typing import Any, Protocol

import serial_asyncio_fast

from fleet.address import Address
from fleet.errors import LinkFailed

CONNECT_S = 5.0
_A_READ = 65536
_DATAGRAMS_A_TURN = 512
_DENSE_S = 0.002
_RECEIVE_BUFFER = 4 << 20
_MOST_UNSENT = 256 << 10  # what a stalled stream may hold back before packets are dropped, as a radio does

_WORDS = {
    errno.ECONNREFUSED: "nothing listens there. Is the vehicle or the simulator running, on this port?",
    errno.EADDRINUSE: "another program listens on this port already. Stop it, or choose another port",
    errno.EADDRNOTAVAIL: "this machine has no such address",
    errno.EACCES: "it may not be used by this user. On Linux a serial device belongs to the group dialout",
    errno.ENOENT: "there is no such device. Is it plugged in?",
    errno.ENODEV: "the device is gone. Is it plugged in?",
    errno.EIO: "the device does not answer. Is it plugged in?",
}


Arrival = tuple[bytes, Any]  # bytes that came together, and who sent them where there may be several


class Pipe(Protocol):
    """A way to move bytes; `receive` answers nothing when the other side is gone.

    `keeps_borders` says that no packet goes on from one arrival in the next.
    """

    keeps_borders: bool

    async def receive(self) -> list[Arrival]: ...

    def send(self, data: bytes, system: int) -> None: ...

    def belongs(self, system: int, sender: Any) -> None: ...

    def close(self) -> None: ...


async def open_pipe(address: Address) -> Pipe:
    """Return a pipe to an address.

    Raises:
        LinkFailed: it cannot be opened; says what to look at.
    """
    try:
        async with asyncio.timeout(CONNECT_S):
            match address.form:
                case "tcp":
                    return _Stream(*await asyncio.open_connection(address.host, address.port))
                case "serial":
                    return _Stream(
                        *await serial_asyncio_fast.open_serial_connection(
                            url=address.host, baudrate=address.port
                        )
                    )
                case _:
                    return await _open_datagrams(address)
    except TimeoutError:
        raise LinkFailed(str(address), f"no answer within {CONNECT_S:.0f} s") from None
    except OSError as error:
        raise LinkFailed(str(address), _worded(error)) from None


def _worded(error: OSError) -> str:
    """Return what a person can do about an error, or what the system says of it."""
    number = error.errno if error.errno is not None else 0
    return _WORDS.get(number) or error.strerror or str(error)


async def _open_datagrams(address: Address) -> "_Datagrams":
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(address.host, address.port, type=socket.SOCK_DGRAM)
    family, kind, protocol, _, where = found[0]
    made = socket.socket(family, kind, protocol)
    try:
        made.setblocking(False)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVE_BUFFER)
        is_fixed = address.form == "udpout"
        if is_fixed:
            made.connect(where)
        else:
            made.bind(where)
    except OSError:
        made.close()
        raise
    return _Datagrams(made, loop, is_fixed=is_fixed)


class _Stream:
    """TCP or serial."""

    keeps_borders = False

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def receive(self) -> list[Arrival]:
        try:
            data = await self._reader.read(_A_READ)
        except OSError:
            return []
        return [(data, None)] if data else []

    def send(self, data: bytes, system: int) -> None:
        transport = self._writer.transport
        if not transport.is_closing() and transport.get_write_buffer_size() < _MOST_UNSENT:
            self._writer.write(data)

    def belongs(self, system: int, sender: Any) -> None:
        """A stream has one other side."""

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._writer.close()


class _Datagrams:
    """UDP; as a listener it answers each system where that system was heard last."""

    keeps_borders = True

    def __init__(self, made: socket.socket, loop: asyncio.AbstractEventLoop, *, is_fixed: bool) -> None:
        self._socket = made
        self._loop = loop
        self._is_fixed = is_fixed
        self._readable = asyncio.Event()
        self._homes: dict[int, Any] = {}
        self._is_open = True
        self._read_s = 0.0

    async def receive(self) -> list[Arrival]:
        # In a dense stream a turn of the event loop for each datagram would cost more than reading it.
        # The pause also lets others run, or one flood would stop the whole gateway.
        dense = self._loop.time() - self._read_s < _DENSE_S
        await asyncio.sleep(_DENSE_S if dense else 0)
        while self._is_open:
            arrived = self._drain()
            if arrived:
                self._read_s = self._loop.time()
                return arrived
            await self._more()
        return []

    def send(self, data: bytes, system: int) -> None:
        if not self._is_open:
            return
        known = self._homes.get(system)
        homes = {None} if self._is_fixed else {known} if known else set(self._homes.values())
        for home in homes:
            # A refused datagram, or one too many, is a lost packet: the port may open later.
            with contextlib.suppress(OSError):
                if home is None:
                    self._socket.send(data)
                else:
                    self._socket.sendto(data, home)

    def belongs(self, system: int, sender: Any) -> None:
        """Note that a system was heard from this sender."""
        self._homes[system] = sender

    def close(self) -> None:
        if self._is_open:
            self._is_open = False
            self._loop.remove_reader(self._socket.fileno())
            self._readable.set()
            self._socket.close()

    async def _more(self) -> None:
        """Wait until the socket has something; watched any longer, it would wake the loop without end."""
        self._readable.clear()
        number = self._socket.fileno()
        self._loop.add_reader(number, self._readable.set)
        try:
            await self._readable.wait()
        finally:
            if self._is_open:  # closed, the number may be another socket's by now
                self._loop.remove_reader(number)

    def _drain(self) -> list[Arrival]:
        found: list[Arrival] = []
        receive = self._socket.recvfrom
        for _ in range(_DATAGRAMS_A_TURN):
            try:
                data, sender = receive(_A_READ)
            except (BlockingIOError, InterruptedError):
                break
            except OSError:  # an ICMP refusal of something we sent: nothing arrived
                continue
            found.append((data, sender))
        return found
