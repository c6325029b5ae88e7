"""Looks that somebody asks for: is it true, is it over?

A word of a satellite or a resident asks for the smallest sortie that can confirm or clear it; an
order that says "resolved" asks the same way. A request is a row, so it outlives everything; the
coordinator plans it from the nearest dock whose drone can fly it (`api.roles.looking`), flies it on the
same road as every sortie, and settles it when its pictures have been searched:

    asked -> planned -> seen | clean | not seen

*Seen* confirms the incident, *clean* clears it, each with its reason. *Not seen* changes nothing: the
pictures do not show the whole place, or nobody searches them for this hazard. "Nothing found" and
"not seen" are two answers.

    request = await request_look(session, incident_id, purpose=Purpose.OVER, asked_by="order 7", now=now)

One incident has one open request: whoever asks meanwhile is answered with it.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import uuid4

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from api.errors import NotFound
from api.schedule import LOOK
from api.store import events
from api.store.models import IncidentRow
from api.store.tables.witnesses import LookRequestRow
from missions.words import LANGUAGES, text

DEMAND = LOOK
"""What the demand of such a sortie is called by, before the request's id."""

OPEN_STATES = ("asked", "planned")


class Purpose(StrEnum):
    """What the look is to tell."""

    CONFIRM = "confirm"  # is the word of a witness true?
    OVER = "over"  # is what was seen gone?
    WATCH = "watch"  # is it still out?


class Outcome(StrEnum):
    """What a look told."""

    SEEN = "seen"
    CLEAN = "clean"
    NOT_SEEN = "not_seen"


async def request_look(
    session: AsyncSession, incident_id: str, *, purpose: Purpose, asked_by: str, now: datetime
) -> LookRequestRow:
    """Ask that a drone looks at an incident, in the caller's transaction; return the request.

    The coordinator finds it by itself; waking it (`changes` on the bus) makes that quicker. What came of it
    is in `state`, `outcome` and `reason` of the row, and goes into the event stream as `look`.

    Raises:
        NotFound: there is no such incident.
    """
    incident = await session.get(IncidentRow, incident_id, with_for_update=True)
    if incident is None:
        raise NotFound("incident", incident_id)
    if (open_one := await open_request(session, incident_id)) is not None:
        return open_one
    request = LookRequestRow(
        id=f"L{uuid4().hex[:12]}",
        incident=incident_id,
        purpose=purpose.value,
        asked_by=asked_by,
        asked_at=now,
        state="asked",
        tries=0,
        next_try_at=now,
    )
    session.add(request)
    await session.flush()
    await tell(session, request, now=now)
    return request


async def open_request(session: AsyncSession, incident_id: str) -> LookRequestRow | None:
    """Return the look at an incident that is still to come, or None."""
    query = select(LookRequestRow).where(
        LookRequestRow.incident == incident_id, LookRequestRow.state.in_(OPEN_STATES)
    )
    return (await session.scalars(query)).first()


async def requests_of(session: AsyncSession, incident_id: str) -> Sequence[LookRequestRow]:
    """Return all looks that were asked for at an incident, oldest first."""
    query = select(LookRequestRow).where(LookRequestRow.incident == incident_id)
    return (await session.scalars(query.order_by(LookRequestRow.asked_at, LookRequestRow.id))).all()


async def requests(session: AsyncSession, *, limit: int) -> Sequence[LookRequestRow]:
    """Return the looks that were asked for, newest first."""
    query = select(LookRequestRow).order_by(LookRequestRow.asked_at.desc(), LookRequestRow.id)
    return (await session.scalars(query.limit(limit))).all()


async def open_requests(session: AsyncSession) -> Sequence[LookRequestRow]:
    """Return the looks still to come, those asked first first."""
    query = select(LookRequestRow).where(LookRequestRow.state.in_(OPEN_STATES))
    return (await session.scalars(query.order_by(LookRequestRow.asked_at, LookRequestRow.id))).all()


async def postpone(
    session: AsyncSession, request: LookRequestRow, reason: str, *, now: datetime, rest: timedelta
) -> None:
    """Note why a look cannot be flown yet and when to try again."""
    words = worded(reason)
    is_news = request.reason != words or request.state != "asked"
    request.state, request.sortie, request.reason = "asked", None, words
    request.tries, request.next_try_at = request.tries + 1, now + rest
    if is_news:
        await tell(session, request, now=now)


async def close(
    session: AsyncSession, request: LookRequestRow, outcome: Outcome, reason: dict[str, str], *, now: datetime
) -> None:
    """Note what a look told."""
    request.state, request.outcome, request.reason, request.decided_at = "done", outcome.value, reason, now
    await tell(session, request, now=now)


async def tell(session: AsyncSession, request: LookRequestRow, *, now: datetime) -> None:
    """Put a request as it now is into the event stream, for the operator."""
    await events.append(session, "look", shown(request), now=now)


def shown(request: LookRequestRow) -> dict[str, object]:
    """Return a request as JSON values."""
    return {
        "id": request.id,
        "incident": request.incident,
        "purpose": request.purpose,
        "asked_by": request.asked_by,
        "asked_at": request.asked_at.isoformat(),
        "state": request.state,
        "reason": request.reason,
        "sortie": request.sortie,
        "outcome": request.outcome,
        "decided_at": request.decided_at.isoformat() if request.decided_at else None,
    }


def worded(key: str, **values: object) -> dict[str, str]:
    """Return a sentence of the catalogue `witnesses` in every language."""
    return {language: text(f"witness.{key}", language, **values) for language in LANGUAGES}
