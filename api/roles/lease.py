"""The right to be the one coordinator: held in the database, renewed, checked in every transaction."""

import asyncio
import os
import socket
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from uuid import uuid4

from sqlalchemy.ext.asyncio import AsyncSession

from api.errors import Conflict
from api.store import leases
from api.store.engine import Database

NAME = "coordinator"
LEASE_S = 10.0
RENEW_S = 3.0


class Lease:
    """The right to be the one coordinator. Its times are the wall clock's, also in a simulation."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._holder = f"{socket.gethostname()}:{os.getpid()}:{uuid4().hex[:8]}"
        self.fence = 0

    async def take(self) -> None:
        """Return once this process is the coordinator."""
        while not await self._taken():  # noqa: ASYNC110  (a lease runs out by time alone: no event tells)
            await asyncio.sleep(RENEW_S)

    async def keep(self) -> None:
        """Renew for ever.

        Raises:
            Conflict: another coordinator has taken over, or could have.
        """
        renewed_s = time.monotonic()
        while True:
            await asyncio.sleep(RENEW_S)
            async with self.writing() as session:  # never takes back what another had meanwhile
                await leases.take(session, NAME, self._holder, now=_wall(), ttl_s=LEASE_S)
            if time.monotonic() - renewed_s > LEASE_S:
                raise Conflict("the coordinator's lease was lost: standing by")
            renewed_s = time.monotonic()

    async def give_up(self) -> None:
        """Let another take over at once."""
        async with self._database.write() as session:
            await leases.give_up(session, NAME, self._holder, now=_wall())

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[AsyncSession]:
        """Give a session whose transaction commits only while the lease is ours."""
        async with self._database.write() as session:
            await leases.check(session, NAME, self.fence)
            yield session

    async def _taken(self) -> bool:
        async with self._database.write() as session:
            fence = await leases.take(session, NAME, self._holder, now=_wall(), ttl_s=LEASE_S)
        self.fence = fence or self.fence
        return fence is not None


def _wall() -> datetime:
    return datetime.now(UTC)
