"""Where a link leads, as a person or another program names it.

pymavlink's way (tcp:127.0.0.1:5860, udpin:0.0.0.0:14550, udpout:10.0.0.2:14550,
/dev/ttyACM0,57600) or MAVSDK's (tcp://…, udpin://…, serial:///dev/ttyACM0:57600).
"""

import re
from dataclasses import dataclass

from fleet.errors import LinkWrong

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
