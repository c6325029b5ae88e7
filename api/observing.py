"""Observations handed in over HTTP: many callers, one commit to disk for all who wait.

A commit costs the same whether it carries one observation or a hundred, so whoever
comes first commits for all that wait by then, and those who come meanwhile are the
next commit. An answer still means that everything is on disk: the observation, its
incident, who is told of it, and the messages that owes.
"""

import asyncio
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import bindparam, select
from sqlalchemy.ext.asyncio import AsyncSession

from api.confirming import Seen
from api.errors import Forbidden, NotFound, Unauthenticated
from api.services import Services
from api.store import tokens
from api.store.absorbing import Outcome, absorb_all
from api.store.models import FrameRow
from api.store.tokens import Role

MOST = 100
"""Observations in one commit: what comes on top waits for the next one, a few milliseconds later."""

MOMENT_S, MOMENTS = 0.002, 5
"""A commit waits so long for others to come, and again as long as some do, but not more than so often."""


_FRAME = FrameRow.__table__.c.id
_FRAMES = select(_FRAME).where(_FRAME.in_(bindparam("ids", expanding=True)))


@dataclass(frozen=True, slots=True)
class Key:
    """The token of a gateway that is to be held good in the transaction itself, and the scope it needs."""

    token: str
    scope: str


@dataclass(frozen=True, slots=True)
class _Waiting:
    seen: Seen
    answer: asyncio.Future[Outcome]
    key: Key | None


class Observing:
    """Takes observations in. Used from one event loop."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._waiting: list[_Waiting] = []
        self._turn = asyncio.Lock()

    async def take_in(self, seen: Seen, key: Key | None = None) -> Outcome:
        """Return what became of an observation once it is on disk with all that follows from it.

        key: with which it was handed in, unless that was looked up before.

        Raises:
            NotFound: the frame that shows it was never accepted.
            Unauthenticated, Forbidden: the key does not count any more, or not for this.
        """
        mine = _Waiting(seen, asyncio.get_running_loop().create_future(), key)
        self._waiting.append(mine)
        async with self._turn:
            if not mine.answer.done():
                await self._gather()
            while not mine.answer.done():
                await self._commit()
        return mine.answer.result()

    async def _gather(self) -> None:
        """Return when nobody has come for a moment: those answered together ask again together."""
        come = 0
        for _ in range(MOMENTS):
            if come == len(self._waiting) or come >= MOST:
                return
            come = len(self._waiting)
            await asyncio.sleep(MOMENT_S)

    async def _commit(self) -> None:
        """Commit what waits; what fails together is tried alone, so that one cannot spoil the rest."""
        batch, self._waiting = self._waiting[:MOST], self._waiting[MOST:]
        batch = [one for one in batch if not one.answer.done()]
        try:
            is_anybody_told = await self._write(batch)
        except Exception as error:
            if len(batch) == 1:
                batch[0].answer.set_exception(error)
                return
            for one in batch:
                await self._alone(one)
            is_anybody_told = True
        except BaseException:
            self._waiting = [*batch, *self._waiting]  # this caller went away: the next one commits
            raise
        self._services.feed.wake(workers=is_anybody_told)

    async def _alone(self, one: _Waiting) -> None:
        try:
            await self._write([one])
        except Exception as error:
            one.answer.set_exception(error)

    async def _write(self, batch: list[_Waiting]) -> bool:
        """Commit some observations and answer for them; return whether anybody is told anything."""
        services = self._services
        now = services.clock.now()
        async with services.database.write(is_brief=True) as session:
            refused = await _refused(session, {one.key for one in batch if one.key}, now)
            known = await _known_frames(session, {one.seen.frame for one in batch})
            there = [one for one in batch if one.seen.frame in known and one.key not in refused]
            recorded = await absorb_all(
                session,
                [one.seen for one in there],
                site=services.site,
                now=now,
                public_url=services.options.public_url,
                live=services.live,
            )
        for one in batch:
            if one.answer.done():
                continue
            if one.key in refused:
                one.answer.set_exception(refused[one.key])
            elif one.seen.frame not in known:
                one.answer.set_exception(NotFound("frame", one.seen.frame))
            else:
                one.answer.set_result(recorded.outcomes[one.seen.observation.id])
        return bool(recorded.alerts)


async def _refused(
    session: AsyncSession, keys: set[Key], now: datetime
) -> dict[Key | None, Unauthenticated | Forbidden]:
    """Return why keys do not count for what they were used for; the others are left out."""
    if not keys:
        return {}
    found = await tokens.find_all(session, {key.token for key in keys}, now=now)
    refused: dict[Key | None, Unauthenticated | Forbidden] = {}
    for key in keys:
        caller, is_due = found.get(key.token, (None, False))
        if caller is None:
            refused[key] = Unauthenticated("this token is not known, has expired or was revoked")
        elif caller.role is not Role.GATEWAY or (
            caller.scopes is not None and key.scope not in caller.scopes
        ):
            refused[key] = Forbidden("this token may not hand observations in")
        elif is_due:
            await tokens.note_use(session, caller, now=now)
    return refused


async def _known_frames(session: AsyncSession, frames: set[str]) -> set[str]:
    return set(await session.scalars(_FRAMES, {"ids": list(frames)}))
