"""HTTP POSTs to judged addresses: what every channel that speaks HTTP sends with.

Written on h11 and asyncio's streams, because the connection must go to the
address that was judged and nowhere else, because a reply is cut off when it
grows, and because two hundred agencies are to hear of a fire within a moment:
it takes little more than half the processor time of a general client.
A connection is kept for a few seconds, for the next message of the same line.
"""

import asyncio
import contextlib
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Self

import h11

from api.delivery.guard import Networks, Refused, Target, check_url
from api.delivery.sender import Outcome

TIMEOUT_S = 15.0
CONNECT_S = 5.0

KEEP_ALIVE_S = 4.0
"""Shorter than servers keep an idle connection, so that we seldom write into one just closed."""

REPLY_BYTES = 64 * 1024
"""We want a status, not a page: a longer reply is cut off here."""

_NEVER = (400, 413, 415, 422)
"""The receiver has read the message and will not have it; the same bytes would fare no better."""

KEPT_BYTES = 1024
"""Of a reply, for channels whose receivers say yes and no in it."""

_READ_BYTES = 16 * 1024


class _Stale(Exception):
    """A kept connection turned out to be closed before anything was answered."""


@dataclass(slots=True)
class _Line:
    """An open connection and where its conversation stands."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    talk: h11.Connection = field(default_factory=lambda: h11.Connection(h11.CLIENT))
    used_at: float = 0.0

    def hang_up(self) -> None:
        # Not waited for: a receiver that does not say goodbye must not hold us up.
        self.writer.transport.abort()


class Post:
    """Sends and judges the answer. One per process and event loop; close it."""

    def __init__(self, allowed: Networks = (), *, timeout_s: float = TIMEOUT_S) -> None:
        self._allowed = allowed
        self._timeout_s = timeout_s
        self._trust = ssl.create_default_context()
        # By scheme, host and port: two names on one address must each prove their own certificate.
        self._kept: dict[tuple[str, str, int], _Line] = {}

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        for line in self._kept.values():
            line.hang_up()
        self._kept.clear()

    async def send(self, address: str, body: bytes, headers: Mapping[str, str]) -> Outcome:
        """Return how a POST went; the whole of it takes no longer than the timeout."""
        try:
            async with asyncio.timeout(self._timeout_s):
                target = await check_url(address, self._allowed)
                return await self._post(target, body, headers)
        except Refused as error:
            # Not final: the operator may allow the network, and then nothing is lost.
            return Outcome(str(error))
        except TimeoutError:
            return Outcome(f"no answer within {self._timeout_s:g} s")
        except ssl.SSLCertVerificationError as error:
            return Outcome(f"the certificate is refused: {error.verify_message}")
        except ssl.SSLError as error:
            return Outcome(f"no TLS: {error.reason or error}")
        except OSError as error:
            return Outcome(f"no connection: {error.strerror or error}")
        except h11.ProtocolError as error:
            return Outcome(f"the answer is no HTTP: {error}")

    async def _post(self, target: Target, body: bytes, headers: Mapping[str, str]) -> Outcome:
        place = (target.url.scheme, target.url.host, target.port)
        kept = self._kept.pop(place, None)
        if kept is not None and time.monotonic() - kept.used_at < KEEP_ALIVE_S:
            with contextlib.suppress(_Stale):  # the id is the same: a repeat does no harm
                return await self._talk(kept, place, target, body, headers)
        elif kept is not None:
            kept.hang_up()
        return await self._talk(await self._connect(target), place, target, body, headers)

    async def _connect(self, target: Target) -> _Line:
        is_secret = target.url.scheme == "https"
        try:
            async with asyncio.timeout(CONNECT_S):
                reader, writer = await asyncio.open_connection(
                    target.address,
                    target.port,
                    ssl=self._trust if is_secret else None,
                    server_hostname=target.url.host if is_secret else None,
                )
        except TimeoutError:
            raise ConnectionError(f"not within {CONNECT_S:g} s") from None
        return _Line(reader, writer)

    async def _talk(
        self,
        line: _Line,
        place: tuple[str, str, int],
        target: Target,
        body: bytes,
        headers: Mapping[str, str],
    ) -> Outcome:
        """Send one request on a connection and read its answer; keep the connection if both sides may."""
        is_over = False
        try:
            line.writer.write(_request(line.talk, target, body, headers))
            outcome, is_over = await _answer(line)
            return outcome
        except ConnectionError:
            if line.used_at:
                raise _Stale from None
            raise
        finally:
            if is_over:
                line.talk.start_next_cycle()
                line.used_at = time.monotonic()
                if (other := self._kept.pop(place, None)) is not None:
                    other.hang_up()
                self._kept[place] = line
            else:
                line.hang_up()


def judge_reply(status: int, retry_after: str | None = None, *, note: str | None = None) -> Outcome:
    """Return what a reply means; a redirect is a failure, for the new place was never judged."""
    if 200 <= status < 300:
        return Outcome(status=status, note=note)
    if status == 410:
        why = "410: the receiver wants no more"
        return Outcome(why, can_retry=False, is_gone=True, status=status, note=note)
    if 300 <= status < 400:
        why = f"the receiver answered {status}: redirects are not followed"
        return Outcome(why, status=status, note=note)
    waits = float(retry_after) if retry_after and retry_after.isdecimal() else None
    return Outcome(
        f"the receiver answered {status}",
        can_retry=status not in _NEVER,
        retry_after_s=waits,
        status=status,
        note=note,
    )


def _request(talk: h11.Connection, target: Target, body: bytes, headers: Mapping[str, str]) -> bytes:
    request = h11.Request(
        method=b"POST",
        target=target.url.raw_path,
        headers=[
            ("Host", target.url.netloc.decode("ascii")),
            ("User-Agent", "Gridpatrol"),
            ("Content-Length", str(len(body))),
            *headers.items(),
        ],
    )
    parts = (talk.send(request), talk.send(h11.Data(data=body)), talk.send(h11.EndOfMessage()))
    return b"".join(part for part in parts if part)


async def _answer(line: _Line) -> tuple[Outcome, bool]:
    """Return what the receiver answered, and whether the connection may be used again."""
    response: h11.Response | None = None
    read, kept = 0, b""
    while True:
        event = line.talk.next_event()
        if event is h11.NEED_DATA:
            data = await line.reader.read(_READ_BYTES)
            if not data and response is None:
                raise ConnectionError("closed without an answer")
            line.talk.receive_data(data)
        elif isinstance(event, h11.Response):
            response = event
        elif isinstance(event, h11.Data):
            read += len(event.data)
            kept += bytes(event.data[: KEPT_BYTES - len(kept)])
            if read > REPLY_BYTES and response is not None:
                note = f"the reply was cut off after {REPLY_BYTES // 1024} kB"
                return replace(_judged(response, note), reply=kept), False
        elif isinstance(event, h11.EndOfMessage) and response is not None:
            may_go_on = line.talk.our_state is h11.DONE and line.talk.their_state is h11.DONE
            return replace(_judged(response, None), reply=kept), may_go_on


def _judged(response: h11.Response, note: str | None) -> Outcome:
    headers = dict(response.headers)
    return judge_reply(response.status_code, headers.get(b"retry-after", b"").decode("latin-1"), note=note)
