"""Who the tokens of many requests belong to, asked of the database together.

Every request asks anew, so a token that was revoked a moment ago opens nothing; but
whoever asks while another question is under way waits and is asked for with all
who wait by then, in one query.
"""

import asyncio
from dataclasses import dataclass
from datetime import datetime

from api.store import tokens
from api.store.engine import Database
from api.store.tokens import Caller


@dataclass(frozen=True, slots=True)
class Found:
    """Who a token belongs to, None when it does not count; whether its use is to be written down."""

    caller: Caller | None
    is_due: bool = False


class Callers:
    """Looks tokens up. Used from one event loop."""

    def __init__(self) -> None:
        self._waiting: list[tuple[str, asyncio.Future[Found]]] = []
        self._turn = asyncio.Lock()

    async def find(self, database: Database, token: str, *, now: datetime) -> Found:
        """Return whose a token is now."""
        answer: asyncio.Future[Found] = asyncio.get_running_loop().create_future()
        self._waiting.append((token, answer))
        async with self._turn:
            if not answer.done():
                await self._ask(database, now)
        return answer.result()

    async def _ask(self, database: Database, now: datetime) -> None:
        asked, self._waiting = self._waiting, []
        try:
            async with database.read() as session:
                found = await tokens.find_all(session, {token for token, _ in asked}, now=now)
        except Exception as error:
            for _, answer in asked:
                if not answer.done():
                    answer.set_exception(error)
            return
        except BaseException:
            self._waiting = [*asked, *self._waiting]  # this caller went away: the next one asks
            raise
        for token, answer in asked:
            if not answer.done():
                caller, is_due = found.get(token, (None, False))
                answer.set_result(Found(caller, is_due))
