"""Where a message may go: never into our own network unless the operator said so.

An agency types the URL, our server opens the connection; without a guard it
could be sent to the metadata service, the database or a switch's web page. The
name is resolved once, every address is judged, and the connection then goes to
the very addresses that were judged, so a name that resolves differently a moment
later gains nothing. Addresses that wrap an IPv4 one are judged by what is inside.
"""

import asyncio
import socket
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from api.errors import BadRequest

Address = IPv4Address | IPv6Address
Networks = Sequence[IPv4Network | IPv6Network]

RESOLVE_S = 5.0

_NAT64 = IPv6Network("64:ff9b::/96")


class Refused(BadRequest):
    """A URL points to where we do not send."""


class JudgingResolver(AbstractResolver):
    """Resolves the names of one scheme's URLs and lets through only where a message may go."""

    def __init__(self, scheme: str, allowed: Networks) -> None:
        self._scheme = scheme
        self._allowed = allowed

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """Return the addresses of a name, all of them judged.

        Raises:
            Refused: it does not resolve, or leads to where we do not send.
        """
        found = []
        for kind, _, proto, _, sockaddr in await _look_up(host, port, family):
            address = ip_address(str(sockaddr[0]).partition("%")[0])
            judge(host, address, scheme=self._scheme, allowed=self._allowed)
            found.append(
                ResolveResult(
                    hostname=host,
                    host=str(address),
                    port=port,
                    family=kind,
                    proto=proto,
                    flags=socket.AI_NUMERICHOST,
                )
            )
        return found

    async def close(self) -> None:
        """Nothing is held open."""


async def check_url(text: str, allowed: Networks = ()) -> URL:
    """Return a webhook URL whose name was resolved and judged just now.

    Raises:
        Refused: it is no plain http(s) URL, does not resolve, or leads to an
            address that is not public and not allowed.
    """
    url = parse(text, allowed)
    await JudgingResolver(url.scheme, allowed).resolve(url.host or "", url.port or 0)
    return url


def parse(text: str, allowed: Networks = ()) -> URL:
    """Return a webhook URL; where it holds an address instead of a name, that is judged here.

    Raises:
        Refused: it is no plain http(s) URL, or its address is not public and not allowed.
    """
    try:
        url = URL(text)
        host = url.host
    except ValueError as error:
        raise Refused(f"this is no URL: {error}") from None
    if url.scheme not in ("http", "https") or not host:
        raise Refused("a webhook URL begins with https:// and names a host")
    if url.user is not None or url.password is not None:
        raise Refused("a webhook URL carries no user name or password: the signature proves who sends")
    try:
        address = ip_address(host.partition("%")[0])
    except ValueError:
        return url  # a name: whoever connects resolves and judges it
    judge(host, address, scheme=url.scheme, allowed=allowed)
    return url


def is_public(address: Address) -> bool:
    """Return whether an address, and any IPv4 address inside it, belongs to the open internet."""
    inside = _unwrapped(address)
    return inside.is_global and not inside.is_multicast and not inside.is_reserved


def judge(host: str, address: Address, *, scheme: str, allowed: Networks) -> None:
    """Let an address pass that is allowed, or public and spoken to over TLS.

    Raises:
        Refused: it is neither.
    """
    inside = _unwrapped(address)
    if any(inside in network for network in allowed if network.version == inside.version):
        return
    if not is_public(address):
        raise Refused(
            f"{host} leads to {address}, which is not a public address: "
            "the operator can allow its network for webhooks"
        )
    if scheme != "https":
        raise Refused("a webhook over the open internet uses https://")


async def _look_up(
    host: str, port: int, family: int
) -> Sequence[tuple[int, int, int, str, tuple[object, ...]]]:
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(RESOLVE_S):
            return await loop.getaddrinfo(host, port, family=family, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError, TimeoutError):
        raise Refused(f"{host} does not resolve to an address") from None


def _unwrapped(address: Address) -> Address:
    """Return the IPv4 address inside a mapped, NAT64, 6to4 or Teredo one, else the address itself."""
    if isinstance(address, IPv4Address):
        return address
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour or (address.teredo[1] if address.teredo else address)
