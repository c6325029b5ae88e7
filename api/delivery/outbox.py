"""The worker that empties the outbox: leases lines, sends, settles, and alone decides when to try again.

Any number of workers may run, in any number of processes. One that is killed
leaves leases that run out within seconds, and the same messages go out again
under the same ids. Lines are worked off side by side and each in its own order.

A receiver that hangs delays nobody: after its first failure its line is one of
the suspects, which have few hands of their own, and after three its breaker is
open, so that new messages no longer hurry it. How tries ended is written down
in batches: one commit for all that ended within a moment.
"""

import asyncio
import contextlib
import random
import time
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from sqlalchemy.exc import SQLAlchemyError
from structlog.stdlib import get_logger

from api.delivery.sender import Outcome, Sender
from api.services import Services
from api.store import outbox
from api.store.outbox import Ending, Leased, Line, Try

log = get_logger(__name__)

FIRST_S = 5.0
LONGEST_S = 3600.0

AT_ONCE = 256
"""Lines in one worker's hands."""

SUSPECTS = 32
"""Of these, lines whose receiver failed last time."""

BREAKS_AFTER = 3
"""Failures in a row after which new messages no longer hurry a line."""

BREAK_S = 60.0

LEASE_WALL_S = 10.0
RENEW_WALL_S = 3.0
"""A lease is short, so that what a killed worker held goes on soon; a living one renews it."""

HOLD_WALL_S = 10.0
"""A line is let go after so long, that a slow receiver does not keep its worker from learning of news."""

GATHER_S = 0.2
"""Ends of tries are gathered for so long before they are written down: first everybody is told."""

WRITTEN_AT_ONCE = 64
"""Ends in one commit: others that write wait no longer than this takes."""

POLL_S = 1.0
"""Other processes write into the outbox and back-offs end without a bell; a look costs one index read."""

LAST_WORDS_S = 2.0
"""What a worker that is told to stop may take to write down what it has sent."""


def backoff_s(failures: int, chance: float) -> float:
    """Return how long to wait after so many failures in a row: doubling from 5 s to an hour.

    `chance` in 0..1 spreads the second half of the wait, so that receivers that
    failed together are not tried together.
    """
    full = min(FIRST_S * 2.0 ** min(failures - 1, 30), LONGEST_S)
    return full * (0.5 + 0.5 * chance)


def next_try(
    message: Leased, outcome: Outcome, *, failures: int, now: datetime, chance: float
) -> datetime | None:
    """Return when to try again, None to give up; the last try is made when the time is over."""
    if not outcome.can_retry or now >= message.give_up_at:
        return None
    wait_s = max(backoff_s(failures, chance), min(outcome.retry_after_s or 0.0, LONGEST_S))
    return min(now + timedelta(seconds=wait_s), message.give_up_at)


class Outbox:
    """One worker. `senders` by channel name; the random source is handed in for tests."""

    def __init__(
        self, services: Services, senders: Mapping[str, Sender], *, chance: random.Random | None = None
    ) -> None:
        self._services = services
        self._senders = senders
        self._chance = chance or random.Random()
        self._in_hand: dict[str, Line] = {}
        self._tries: list[Try] = []
        self._endings: list[Ending] = []
        self._news = asyncio.Event()
        self._room = asyncio.Event()

    async def run(self) -> None:
        """Deliver until cancelled."""
        with self._services.feed.listen(pushes=False) as bell:
            try:
                async with asyncio.TaskGroup() as group:
                    group.create_task(self._write_down_what_ends(bell.ring))
                    while True:
                        for line in await self._lease():
                            self._in_hand[line.receiver] = line
                            group.create_task(self._work_off(line))
                            # The first sends leave while the last are still being made ready.
                            await asyncio.sleep(0)
                        await bell.wait(POLL_S)
            finally:
                await self._say_last_words()

    async def _lease(self) -> list[Line]:
        clock = self._services.clock
        suspects = sum(line.failures > 0 for line in self._in_hand.values())
        try:
            async with self._services.database.read() as session:
                if not await outbox.is_due(session, now=clock.now()):
                    return []  # and nobody was kept from writing
            async with self._services.database.write(survives_power_cut=False, is_brief=True) as session:
                return await outbox.lease_due(
                    session,
                    now=clock.now(),
                    ttl_s=LEASE_WALL_S * clock.speed,
                    limit=AT_ONCE - len(self._in_hand),
                    suspects=SUSPECTS - suspects,
                )
        except SQLAlchemyError:
            log.exception("the outbox could not be read; trying again")
            return []

    async def _work_off(self, line: Line) -> None:
        """Send a line's messages in order until one fails or the line has been held long enough."""
        failures, let_go_at = line.failures, time.monotonic() + HOLD_WALL_S
        ending = None
        for message in line.messages:
            while len(self._tries) >= WRITTEN_AT_ONCE and message is not line.messages[0]:
                # Not further ahead of what is written down: a kill would send all of it again.
                self._room.clear()
                await self._room.wait()
            began = time.perf_counter()
            outcome = await self._send(message)
            took_ms = (time.perf_counter() - began) * 1000.0
            now = self._services.clock.now()
            failures = failures + 1 if outcome.error and outcome.can_retry else 0
            again = None
            if outcome.error is not None:
                chance = self._chance.random()
                again = next_try(message, outcome, failures=failures, now=now, chance=chance)
            self._note(message, outcome, now=now, took_ms=took_ms, again=again)
            if failures or outcome.is_gone:
                ending = self._stop(line, outcome, failures=failures, now=now, again=again)
                break
            if time.monotonic() > let_go_at:
                break
        self._endings.append(ending or Ending(line, self._services.clock.now(), failures=0))
        self._news.set()

    async def _send(self, message: Leased) -> Outcome:
        sender = self._senders.get(message.channel)
        if sender is None:
            # Not final: the operator may set the channel up, and then nothing is lost.
            return Outcome(error=f"the channel {message.channel} is not set up here")
        try:
            return await sender.send(message)
        except Exception as error:
            log.exception("a sender failed", delivery=message.id, channel=message.channel)
            return Outcome(error=f"the channel {message.channel} failed: {type(error).__name__}")

    def _note(
        self, message: Leased, outcome: Outcome, *, now: datetime, took_ms: float, again: datetime | None
    ) -> None:
        self._tries.append(
            Try(
                message,
                at=now,
                took_ms=round(took_ms, 3),
                error=outcome.error,
                note=outcome.note,
                status=outcome.status,
                gives_up=outcome.error is not None and again is None,
            )
        )
        self._news.set()
        log.info(
            "delivered" if outcome.error is None else "not delivered",
            delivery=message.id,
            agency=message.agency,
            channel=message.channel,
            attempt=message.attempt,
            error=outcome.error,
            next_try_at=again.isoformat() if again else None,
        )

    def _stop(
        self, line: Line, outcome: Outcome, *, failures: int, now: datetime, again: datetime | None
    ) -> Ending:
        """Return how a line ends whose receiver did not take a message."""
        wait = timedelta(seconds=backoff_s(max(failures, 1), self._chance.random()))
        is_open = failures >= BREAKS_AFTER
        return Ending(
            line,
            next_try_at=again or now + wait,
            failures=failures,
            open_until=now + timedelta(seconds=BREAK_S) if is_open else None,
            disabled_reason=outcome.error if outcome.is_gone else None,
        )

    async def _write_down_what_ends(self, ring: Callable[[], None]) -> None:
        """Settle what has ended, many in one commit, and keep the leases of what has not."""
        renewed_at = time.monotonic()
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(RENEW_WALL_S):
                    await self._news.wait()
                    await asyncio.sleep(GATHER_S)
            self._news.clear()
            renews = time.monotonic() - renewed_at >= RENEW_WALL_S
            if renews:
                renewed_at = time.monotonic()
            if renews and self._in_hand:
                await self._renew()
            while self._tries or self._endings:
                if await self._write_down():
                    # Other messages of these lines may go now.
                    ring()

    async def _renew(self) -> None:
        clock = self._services.clock
        try:
            async with self._services.database.write(survives_power_cut=False, is_brief=True) as session:
                ttl_s = LEASE_WALL_S * clock.speed
                await outbox.renew(session, self._in_hand.values(), now=clock.now(), ttl_s=ttl_s)
        except SQLAlchemyError:
            log.exception("leases could not be renewed; trying again")

    async def _write_down(self) -> bool:
        """Settle some of what has ended; return whether lines were let go."""
        tries, self._tries = self._tries[:WRITTEN_AT_ONCE], self._tries[WRITTEN_AT_ONCE:]
        # A line ends only with its last try written down.
        unwritten = {t.message.receiver for t in self._tries}
        endings = [e for e in self._endings if e.line.receiver not in unwritten]
        self._endings = [e for e in self._endings if e.line.receiver in unwritten]
        try:
            async with self._services.database.write(is_brief=True) as session:
                now = self._services.clock.now()
                lost = await outbox.settle(session, tries, endings, now=now)
        except SQLAlchemyError:
            log.exception("the outbox could not be written; trying again")
            self._tries, self._endings = tries + self._tries, endings + self._endings
            await asyncio.sleep(POLL_S)  # nothing rings when a database answers again
            return False
        self._room.set()
        if lost:
            log.warning("leases were lost; these lines are sent again", receivers=sorted(lost))
        for ending in endings:
            if self._in_hand.get(ending.line.receiver) is ending.line:
                del self._in_hand[ending.line.receiver]
        if tries:
            self._services.feed.wake()
        return bool(endings)

    async def _say_last_words(self) -> None:
        """Write down what was sent and give back the lines in hand: nobody waits for leases to end."""
        ended = {ending.line.receiver for ending in self._endings}
        now = self._services.clock.now()
        self._endings += [
            Ending(line, now, failures=line.failures)
            for line in self._in_hand.values()
            if line.receiver not in ended
        ]
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LAST_WORDS_S):
                while self._tries or self._endings:
                    await self._write_down()
