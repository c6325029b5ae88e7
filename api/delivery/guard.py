"""Where a message may go: never into our own network unless the operator said so.

An agency types the URL, our server opens the connection; without a guard it
could be sent to the metadata service, the database or a switch's web page. The
name is resolved once, every address is judged, and the connection then goes to
the very address that was judged, so a name that resolves differently a moment
later gains nothing. Addresses that wrap an IPv4 one are judged by what is inside.
"""

import asyncio
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

import httpx

from api.errors import BadRequest

Address = IPv4Address | IPv6Address
Networks = Sequence[IPv4Network | IPv6Network]

RESOLVE_S = 5.0
PORTS = {"http": 80, "https": 443}

_NAT64 = IPv6Network("64:ff9b::/96")


class Refused(BadRequest):
    """A webhook URL points to where we do not send."""


@dataclass(frozen=True, slots=True)
class Target:
    """A URL that was judged, with the address to connect to."""

    url: httpx.URL
    address: str

    @property
    def port(self) -> int:
        return self.url.port or PORTS[self.url.scheme]


async def check_url(text: str, allowed: Networks = ()) -> Target:
    """Return the target of a webhook URL.

    Raises:
        Refused: it is no plain http(s) URL, does not resolve, or leads to an
            address that is not public and not allowed.
    """
    url = _parsed(text)
    addresses = await _resolve(url)
    for address in addresses:
        _judge(url, address, allowed)
    return Target(url, str(addresses[0]))


def is_public(address: Address) -> bool:
    """Return whether an address, and any IPv4 address inside it, belongs to the open internet."""
    inside = _unwrapped(address)
    return inside.is_global and not inside.is_multicast and not inside.is_reserved


@lru_cache(maxsize=4096)
def _parsed(text: str) -> httpx.URL:
    try:
        url = httpx.URL(text)
    except (httpx.InvalidURL, ValueError) as error:
        raise Refused(f"this is no URL: {error}") from None
    if url.scheme not in PORTS or not url.host:
        raise Refused("a webhook URL begins with https:// and names a host")
    if url.userinfo:
        raise Refused("a webhook URL carries no user name or password: the signature proves who sends")
    return url


async def _resolve(url: httpx.URL) -> list[Address]:
    try:
        return [ip_address(url.host)]
    except ValueError:
        pass  # a name, or an address in some odd writing that the resolver understands
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(RESOLVE_S):
            found = await loop.getaddrinfo(url.host, PORTS[url.scheme], type=socket.SOCK_STREAM)
    except (OSError, UnicodeError, TimeoutError):
        raise Refused(f"{url.host} does not resolve to an address") from None
    return [ip_address(str(sockaddr[0]).partition("%")[0]) for *_, sockaddr in found]


def _judge(url: httpx.URL, address: Address, allowed: Networks) -> None:
    inside = _unwrapped(address)
    if any(inside in network for network in allowed if network.version == inside.version):
        return
    if not is_public(address):
        raise Refused(
            f"{url.host} leads to {address}, which is not a public address: "
            "the operator can allow its network for webhooks"
        )
    if url.scheme != "https":
        raise Refused("a webhook over the open internet uses https://")


def _unwrapped(address: Address) -> Address:
    """Return the IPv4 address inside a mapped, NAT64, 6to4 or Teredo one, else the address itself."""
    if isinstance(address, IPv4Address):
        return address
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour or (address.teredo[1] if address.teredo else address)
