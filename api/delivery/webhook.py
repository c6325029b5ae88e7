"""Signed webhooks after the Standard Webhooks specification.

Headers `webhook-id`, `webhook-timestamp`, `webhook-signature`; the signature is
made anew for each try, over the same id and body, and while a secret is being
changed there is one by each. The timestamp is the wall clock's, also in a
simulation, because a receiver checks it against its own.
"""

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Self

import aiohttp
from standardwebhooks import Webhook
from yarl import URL

from api.delivery.guard import JudgingResolver, Networks, Refused, parse
from api.delivery.message import CONTENT_TYPE
from api.delivery.sender import Outcome
from api.store.outbox import Leased

TIMEOUT_S = 15.0
CONNECT_S = 5.0

KEEP_ALIVE_S = 4.0
"""Shorter than servers keep an idle connection, so that we seldom write into one just closed."""

REPLY_BYTES = 64 * 1024
"""We want a status, not a page: a longer reply is cut off here."""

_NEVER = (400, 413, 415, 422)
"""The receiver has read the message and will not have it; the same bytes would fare no better."""


class Post:
    """HTTP POSTs to judged addresses, for every channel that speaks HTTP. One per process; close it."""

    def __init__(self, allowed: Networks = (), *, timeout_s: float = TIMEOUT_S) -> None:
        self._allowed = allowed
        self._timeout_s = timeout_s
        # A resolver for each scheme: the open internet is spoken to over TLS alone. Connections are
        # kept by name, so that two names on one address each prove their own certificate.
        self._sessions = {scheme: _session(scheme, allowed, timeout_s) for scheme in ("http", "https")}

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        for session in self._sessions.values():
            await session.close()

    async def send(self, address: str, body: bytes, headers: Mapping[str, str]) -> Outcome:
        """Return how a POST went; the whole of it takes no longer than the timeout."""
        try:
            url = parse(address, self._allowed)
            async with asyncio.timeout(self._timeout_s):
                return await self._twice(url, body, headers)
        except Refused as error:
            # Not final: the operator may allow the network, and then nothing is lost.
            return Outcome(error=str(error))
        except TimeoutError:
            return Outcome(error=f"no answer within {self._timeout_s:g} s")
        except aiohttp.ClientConnectorCertificateError as error:
            return Outcome(error=f"the certificate of {error.host} is refused: {error.certificate_error}")
        except (aiohttp.ClientError, ValueError) as error:
            return Outcome(error=f"{type(error).__name__}: {error}".rstrip(": "))

    async def _twice(self, url: URL, body: bytes, headers: Mapping[str, str]) -> Outcome:
        """Post, and once more when a kept connection turns out to be closed: the message id is the same."""
        try:
            return await self._post(url, body, headers)
        except (aiohttp.ServerDisconnectedError, aiohttp.ClientOSError) as error:
            if isinstance(error, aiohttp.ClientConnectorError):
                raise
            return await self._post(url, body, headers)

    async def _post(self, url: URL, body: bytes, headers: Mapping[str, str]) -> Outcome:
        session = self._sessions[url.scheme]
        async with session.post(url, data=body, headers=headers, allow_redirects=False) as reply:
            note = await _skim(reply)
            return judge_reply(reply.status, reply.headers.get("Retry-After"), note=note)


class WebhookSender:
    """Sends messages to agencies' own programs."""

    def __init__(self, post: Post) -> None:
        self._post = post

    async def send(self, message: Leased) -> Outcome:
        """Return how one try went."""
        return await self._post.send(message.address, message.body.encode(), _signed(message))


def judge_reply(status: int, retry_after: str | None = None, *, note: str | None = None) -> Outcome:
    """Return what a reply means; a redirect is a failure, for the new place was never judged."""
    if 200 <= status < 300:
        return Outcome(status=status, note=note)
    if status == 410:
        return Outcome(
            "410: the receiver wants no more", can_retry=False, is_gone=True, status=status, note=note
        )
    if 300 <= status < 400:
        return Outcome(
            f"the receiver answered {status}: redirects are not followed", status=status, note=note
        )
    waits = float(retry_after) if retry_after and retry_after.isdecimal() else None
    return Outcome(
        f"the receiver answered {status}",
        can_retry=status not in _NEVER,
        retry_after_s=waits,
        status=status,
        note=note,
    )


def _session(scheme: str, allowed: Networks, timeout_s: float) -> aiohttp.ClientSession:
    connector = aiohttp.TCPConnector(
        resolver=JudgingResolver(scheme, allowed),
        use_dns_cache=False,  # every new connection is judged
        limit=0,  # the outbox says how many go at once
        keepalive_timeout=KEEP_ALIVE_S,
    )
    return aiohttp.ClientSession(
        connector=connector,
        cookie_jar=aiohttp.DummyCookieJar(),
        auto_decompress=False,  # a small reply stays small
        trust_env=False,
        timeout=aiohttp.ClientTimeout(total=timeout_s, sock_connect=CONNECT_S),
        skip_auto_headers=("User-Agent", "Accept-Encoding"),
    )


def _signed(message: Leased) -> dict[str, str]:
    now = datetime.now(UTC)
    signatures = (Webhook(secret).sign(message.id, now, message.body) for secret in message.secrets)
    return {
        "webhook-id": message.id,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": " ".join(signatures),
        "User-Agent": "Gridpatrol",
        "Content-Type": CONTENT_TYPE,
    }


async def _skim(reply: aiohttp.ClientResponse) -> str | None:
    """Read a reply to its end, or cut it off; return a note when it was cut."""
    read = 0
    async for part in reply.content.iter_any():
        read += len(part)
        if read > REPLY_BYTES:
            reply.close()
            return f"the reply was cut off after {REPLY_BYTES // 1024} kB"
    return None
