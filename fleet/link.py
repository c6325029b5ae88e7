"""Bytes to and from vehicles: TCP, UDP and serial under asyncio, MAVLink framing on top.

A link is named as pymavlink names it (tcp:127.0.0.1:5860, udpin:0.0.0.0:14550,
udpout:10.0.0.2:14550, /dev/ttyACM0,57600) or as MAVSDK does (tcp://…, udpin://…,
serial:///dev/ttyACM0:57600). It reconnects on its own with a growing pause; what
was sent meanwhile is gone, which every protocol above expects of a radio link.
"""

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any, Protocol, cast

import serial_asyncio_fast
from pymavlink.dialects.v20 import ardupilotmega as mavlink

from fleet import wire
from fleet.errors import LinkFailed, LinkWrong
from fleet.messages import Heard, Outgoing

Tap = Callable[[bytes], None]

_FIRST_PAUSE_S = 0.1
_LONGEST_PAUSE_S = 5.0
_CONNECT_S = 5.0
_FORMS = {
    "tcp": "tcp",
    "tcpout": "tcp",
    "udp": "udpin",
    "udpin": "udpin",
    "udpout": "udpout",
}
_URL = re.compile(r"(?P<form>\w+)://(?P<rest>.*)")


@dataclass(frozen=True, slots=True)
class Address:
    """Where a link leads. `form` is tcp, udpin, udpout or serial; `port` is bauds for serial."""

    form: str
    host: str
    port: int

    def __str__(self) -> str:
        return f"{self.host},{self.port}" if self.form == "serial" else f"{self.form}:{self.host}:{self.port}"


def parse(text: str) -> Address:
    """Return the address a connection string names.

    Raises:
        LinkWrong: the string names no link; says what was expected.
    """
    url = _URL.fullmatch(text.strip())
    if url:
        return _parse_url(text, url["form"].lower(), url["rest"])
    if text.startswith("/dev/") or re.fullmatch(r"COM\d+(,\d+)?", text):
        device, _, baud = text.partition(",")
        return Address("serial", device, _number(text, baud or "57600", "speed", 4_000_000))
    form, _, rest = text.partition(":")
    if form == "serial":
        device, _, baud = rest.partition(",")
        return Address("serial", device, _number(text, baud or "57600", "speed", 4_000_000))
    if form not in _FORMS:
        raise LinkWrong(text, f"{form!r} is not a kind of link" if form else "it is empty")
    return _host_port(text, _FORMS[form], rest)


def _parse_url(text: str, form: str, rest: str) -> Address:
    if form == "serial":
        device, _, baud = rest.partition(":")
        if not device.startswith("/"):
            raise LinkWrong(text, "a serial link names a device, as serial:///dev/ttyACM0:57600")
        return Address("serial", device, _number(text, baud or "57600", "speed", 4_000_000))
    if form not in _FORMS:
        raise LinkWrong(text, f"{form}:// is not a kind of link")
    return _host_port(text, _FORMS[form], rest.rstrip("/"))


def _host_port(text: str, form: str, rest: str) -> Address:
    host, colon, port = rest.rpartition(":")
    if not colon:
        raise LinkWrong(text, "the port is missing")
    if not host and form != "udpin":
        raise LinkWrong(text, "the host is missing")
    return Address(form, host.strip("[]") or "0.0.0.0", _number(text, port, "port", 65535))


def _number(text: str, found: str, what: str, highest: int) -> int:
    if not found.isascii() or not found.isdigit() or not 0 < int(found) <= highest:
        raise LinkWrong(text, f"{found!r} is not a {what}")
    return int(found)


class Pipe(Protocol):
    """A way to move bytes; `receive` ends with b"" when the other side is gone."""

    async def receive(self) -> bytes: ...

    def send(self, data: bytes, system: int) -> None: ...

    def close(self) -> None: ...


class Link:
    """One link with MAVLink on it; `run` keeps it open, `heard` yields what comes.

    May be used from one event loop only. `taps` get every packet either way.
    """

    def __init__(self, text: str, *, name: str = "") -> None:
        self.address = parse(text)
        self.name = name or str(self.address)
        self.taps: list[Tap] = []
        self._framing = mavlink.MAVLink(
            None, srcSystem=wire.GROUND_SYSTEM, srcComponent=wire.GROUND_COMPONENT
        )
        self._framing.robust_parsing = True
        self._pipe: Pipe | None = None

    @property
    def is_open(self) -> bool:
        """Whether bytes can be sent at the moment."""
        return self._pipe is not None

    async def open(self) -> None:
        """Open the link once.

        Raises:
            LinkFailed: nothing answers there; says what to look at.
        """
        self._pipe = await _open(self.address)

    def close(self) -> None:
        """Close the link; `heard` then opens it again unless its task is cancelled."""
        if self._pipe is not None:
            self._pipe.close()
            self._pipe = None

    def send(self, message: Outgoing, system: int) -> None:
        """Send a message to a vehicle; silently nothing while the link is down."""
        pipe = self._pipe
        if pipe is None:
            return
        packet = bytes(wire.encode(message, system).pack(self._framing))
        self._framing.seq = (self._framing.seq + 1) % 256
        pipe.send(packet, system)
        self._tap(packet)

    async def heard(self) -> AsyncIterator[Heard]:
        """Yield every message we use, for ever, reconnecting whenever the link drops."""
        try:
            while True:
                pipe = self._pipe or await self._reopened()
                data = await pipe.receive()
                if not data:
                    self.close()
                    continue
                for heard in self._messages(data, pipe):
                    yield heard
        finally:
            self.close()

    async def _reopened(self) -> Pipe:
        pause_s = _FIRST_PAUSE_S
        while True:
            try:
                self._pipe = await _open(self.address)
            except LinkFailed:
                # Nothing tells us when the other side listens again, so this one wait is a sleep.
                await asyncio.sleep(pause_s)
                pause_s = min(_LONGEST_PAUSE_S, pause_s * 1.6)
            else:
                return self._pipe

    def _messages(self, data: bytes, pipe: Pipe) -> list[Heard]:
        found = []
        for raw in self._framing.parse_buffer(data) or ():
            if raw.get_msgId() < 0:  # bytes that are no packet
                continue
            self._tap(bytes(raw.get_msgbuf()))
            if isinstance(pipe, _Datagrams):
                pipe.belongs(raw.get_srcSystem())
            heard = wire.decode(raw, self.name)
            if heard is not None:
                found.append(heard)
        return found

    def _tap(self, packet: bytes) -> None:
        for tap in self.taps:
            tap(packet)


async def _open(address: Address) -> Pipe:
    try:
        async with asyncio.timeout(_CONNECT_S):
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
    except ConnectionRefusedError:
        raise LinkFailed(
            str(address), "nothing listens there. Is the vehicle or the simulator running, on this port?"
        ) from None
    except TimeoutError:
        raise LinkFailed(str(address), f"no answer within {_CONNECT_S:.0f} s") from None
    except OSError as error:
        raise LinkFailed(str(address), error.strerror or str(error)) from None


async def _open_datagrams(address: Address) -> "_Datagrams":
    loop = asyncio.get_running_loop()
    pipe = _Datagrams(fixed=address.form == "udpout")
    where = (address.host, address.port)
    if address.form == "udpout":
        await loop.create_datagram_endpoint(lambda: pipe, remote_addr=where)
    else:
        await loop.create_datagram_endpoint(lambda: pipe, local_addr=where)
    return pipe


class _Stream:
    """TCP or serial."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def receive(self) -> bytes:
        try:
            return await self._reader.read(65536)
        except OSError:
            return b""

    def send(self, data: bytes, system: int) -> None:
        if not self._writer.is_closing():
            self._writer.write(data)

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._writer.close()


class _Datagrams(asyncio.DatagramProtocol):
    """UDP; as a listener it answers each system where that system was heard last."""

    def __init__(self, *, fixed: bool) -> None:
        self._fixed = fixed
        self._transport: asyncio.DatagramTransport | None = None
        self._arrived: asyncio.Queue[tuple[bytes, Any]] = asyncio.Queue(4096)
        self._sender: Any = None
        self._homes: dict[int, Any] = {}

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: Any) -> None:
        with contextlib.suppress(asyncio.QueueFull):  # a flood loses packets, as radio does
            self._arrived.put_nowait((data, addr))

    def error_received(self, exc: Exception) -> None:
        """A refused datagram: the port may open later, so it is a lost packet."""

    def connection_lost(self, exc: Exception | None) -> None:
        with contextlib.suppress(asyncio.QueueFull):
            self._arrived.put_nowait((b"", None))

    def belongs(self, system: int) -> None:
        """Note that the datagram read last came from this system."""
        self._homes[system] = self._sender

    async def receive(self) -> bytes:
        data, self._sender = await self._arrived.get()
        return data

    def send(self, data: bytes, system: int) -> None:
        if self._transport is None or self._transport.is_closing():
            return
        if self._fixed:
            self._transport.sendto(data)
            return
        known = self._homes.get(system)
        for home in [known] if known else set(self._homes.values()):
            self._transport.sendto(data, home)

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()


def unpacked(packet: bytes, name: str) -> Heard | None:
    """Return what one recorded packet says, None if it is broken or not one we use."""
    framing = mavlink.MAVLink(None)
    framing.robust_parsing = True
    for raw in framing.parse_buffer(packet) or ():
        if raw.get_msgId() >= 0:
            return wire.decode(raw, name)
    return None
