"""Signed webhooks after the Standard Webhooks specification.

Headers `webhook-id`, `webhook-timestamp`, `webhook-signature`; the signature is
made anew for each try, over the same id and body. The timestamp is the wall
clock's, also in a simulation, because a receiver checks it against its own.
"""

import asyncio
from datetime import UTC, datetime
from typing import Self

import httpx
from standardwebhooks import Webhook

from api.delivery.guard import Networks, Refused, check_url
from api.delivery.message import CONTENT_TYPE
from api.delivery.sender import Outcome
from api.store.outbox import Leased

TIMEOUT_S = 15.0
CONNECT_S = 5.0

REPLY_BYTES = 64 * 1024
"""We want a status, not a page: a longer reply is cut off here."""

_NEVER = (400, 413, 415, 422)
"""The receiver has read the message and will not have it; the same bytes would fare no better."""


class WebhookSender:
    """Sends messages to agencies' own programs. One per process; close it."""

    def __init__(self, allowed: Networks = (), *, timeout_s: float = TIMEOUT_S) -> None:
        self._allowed = allowed
        self._timeout_s = timeout_s
        # Connections go to judged addresses and are not kept: two names on one
        # address must each prove their own certificate.
        self._client = httpx.AsyncClient(
            follow_redirects=False,
            trust_env=False,
            timeout=httpx.Timeout(timeout_s, connect=CONNECT_S),
            limits=httpx.Limits(max_keepalive_connections=0),
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._client.aclose()

    async def send(self, message: Leased) -> Outcome:
        """Return how one try went; the whole try takes no longer than the timeout."""
        try:
            async with asyncio.timeout(self._timeout_s):
                return await self._post(message)
        except Refused as error:
            # Not final: the operator may allow the network, and then nothing is lost.
            return Outcome(error=str(error))
        except TimeoutError:
            return Outcome(error=f"no answer within {self._timeout_s:g} s")
        except httpx.HTTPError as error:
            return Outcome(error=f"{type(error).__name__}: {error}".rstrip(": "))

    async def _post(self, message: Leased) -> Outcome:
        target = await check_url(message.url, self._allowed)
        request = self._client.build_request(
            "POST",
            target.url.copy_with(host=target.address),
            content=message.body.encode(),
            headers={**_signed(message), "Host": target.url.netloc.decode(), "Content-Type": CONTENT_TYPE},
            extensions={"sni_hostname": target.url.host},
        )
        reply = await self._client.send(request, stream=True)
        try:
            await _skim(reply)
        finally:
            await reply.aclose()
        return judge(reply.status_code, reply.headers.get("retry-after"))


def judge(status: int, retry_after: str | None = None) -> Outcome:
    """Return what a reply means; a redirect is a failure, for the new place was never judged."""
    if 200 <= status < 300:
        return Outcome()
    if status == 410:
        return Outcome(error="410: the receiver wants no more", can_retry=False, is_gone=True)
    waits = float(retry_after) if retry_after and retry_after.isdecimal() else None
    return Outcome(
        error=f"the receiver answered {status}", can_retry=status not in _NEVER, retry_after_s=waits
    )


def _signed(message: Leased) -> dict[str, str]:
    now = datetime.now(UTC)
    return {
        "webhook-id": message.id,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": Webhook(message.secret).sign(message.id, now, message.body),
        "User-Agent": "Gridpatrol",
    }


async def _skim(reply: httpx.Response) -> None:
    read = 0
    async for part in reply.aiter_raw():
        read += len(part)
        if read > REPLY_BYTES:
            return
