"""The worker that empties the outbox: leases, sends, settles, and alone decides when to try again.

Any number of workers may run, in any number of processes. One that is killed
leaves leases that run out, and the same messages go out again under the same
ids. A receiver that hangs holds up nobody but itself: sends run side by side,
and each receiver has at most one at a time.
"""

import asyncio
import random
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from sqlalchemy.exc import SQLAlchemyError
from structlog.stdlib import get_logger

from api.delivery.sender import Outcome, Sender
from api.services import Services
from api.store import outbox
from api.store.outbox import Leased
from api.store.webhooks import disable

log = get_logger(__name__)

FIRST_S = 5.0
LONGEST_S = 3600.0
GIVE_UP = timedelta(days=3)

AT_ONCE = 100
"""Sends in the air in one worker."""

LEASE_WALL_S = 60.0
"""Longer than any try takes, so that a lease runs out only when its worker is gone."""

POLL_S = 1.0
"""Other processes write into the outbox and back-offs end without a bell; a look costs one index read."""


def backoff_s(attempt: int, chance: float) -> float:
    """Return how long to wait after a failed attempt (1, 2, …): doubling from 5 s to an hour.

    `chance` in 0..1 spreads the second half of the wait, so that receivers that
    failed together are not tried together.
    """
    full = min(FIRST_S * 2.0 ** min(attempt - 1, 30), LONGEST_S)
    return full * (0.5 + 0.5 * chance)


def next_try(message: Leased, outcome: Outcome, *, now: datetime, chance: float) -> datetime | None:
    """Return when to try again, None to give up."""
    if not outcome.can_retry:
        return None
    wait_s = max(backoff_s(message.attempt, chance), min(outcome.retry_after_s or 0.0, LONGEST_S))
    again = now + timedelta(seconds=wait_s)
    return again if again - message.created_at <= GIVE_UP else None


class Outbox:
    """One worker. `senders` by channel name; the random source is handed in for tests."""

    def __init__(
        self, services: Services, senders: Mapping[str, Sender], *, chance: random.Random | None = None
    ) -> None:
        self._services = services
        self._senders = senders
        self._chance = chance or random.Random()
        self._flying = 0

    async def run(self) -> None:
        """Deliver until cancelled."""
        with self._services.feed.listen(pushes=False) as bell:
            async with asyncio.TaskGroup() as sends:
                while True:
                    for message in await self._lease():
                        self._flying += 1
                        sends.create_task(self._deliver(message, bell.ring))
                    await bell.wait(POLL_S)

    async def _lease(self) -> list[Leased]:
        clock = self._services.clock
        try:
            async with self._services.database.write() as session:
                found = await outbox.lease_due(
                    session, now=clock.now(), ttl_s=LEASE_WALL_S * clock.speed, limit=AT_ONCE - self._flying
                )
            return list(found)
        except SQLAlchemyError:
            log.exception("the outbox could not be read; trying again")
            return []

    async def _deliver(self, message: Leased, ring: Callable[[], None]) -> None:
        try:
            outcome = await self._senders[message.channel].send(message)
            await self._settle(message, outcome)
        except Exception:
            # Not settled: the lease runs out and the message is tried again.
            log.exception("delivery failed", delivery=message.id, agency=message.agency)
        finally:
            self._flying -= 1
        # The next message in this receiver's line may go now.
        ring()

    async def _settle(self, message: Leased, outcome: Outcome) -> None:
        now = self._services.clock.now()
        again = next_try(message, outcome, now=now, chance=self._chance.random()) if outcome.error else None
        async with self._services.database.write() as session:
            if outcome.is_gone:
                await disable(session, message.agency, outcome.error or "gone", now=now)
            await outbox.settle(session, message, now=now, error=outcome.error, next_try_at=again)
        self._services.feed.wake()
        log.info(
            "delivered" if outcome.error is None else "not delivered",
            delivery=message.id,
            agency=message.agency,
            attempt=message.attempt,
            error=outcome.error,
            next_try_at=again.isoformat() if again else None,
        )
