"""What was published: releases to the public, and CAP messages as they were first given out."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Select, select
from sqlalchemy.ext.asyncio import AsyncSession

from api import audit
from api.alerts import AlertAct
from api.delivery.cap import Saying
from api.delivery.capchain import latest, public_chain, restricted_chain
from api.discretion import is_rough
from api.errors import Forbidden, IllegalMove, NotFound
from api.store import events
from api.store.models import AlertRow, ObservationRow
from api.store.rows import insert_once
from api.store.tables.delivery import CapRow, ReleaseRow
from api.store.tables.orders import AlertStepRow
from api.store.tenancy import owned
from api.store.tokens import Caller, Role
from missions.geo import LatLon


async def release(
    session: AsyncSession, incident: str, caller: Caller, *, person: str | None, now: datetime
) -> ReleaseRow:
    """Let the public know of an incident, as a named person of the agency that was told of it.

    Raises:
        Forbidden: the caller is of no agency, or a program that names no person.
        NotFound: the caller's agency was never told of such an incident.
        IllegalMove: it is released already, or its alert was cancelled.
    """
    alert = await _own_alert(session, incident, caller)
    if alert.state == "cancelled":
        raise IllegalMove("alert", "cancelled", "release", [])
    who = caller.name if caller.account else person
    if not who:
        raise Forbidden("a release bears a person's name: log in yourself, or send `person`")
    row = await session.get(ReleaseRow, (incident, alert.agency), with_for_update=True)
    if row is not None and row.withdrawn_at is None:
        raise IllegalMove("incident", "public", "release", ["withdraw"], f"by {row.released_by}")
    if row is None:
        row = ReleaseRow(incident=incident, agency=alert.agency)
        session.add(row)
    row.released_by, row.released_at = who, now
    row.withdrawn_by = row.withdrawn_at = None
    await session.flush()
    await _say(session, row, caller, "incident.release", person=who, now=now)
    return row


async def withdraw(
    session: AsyncSession, incident: str, caller: Caller, *, person: str | None, now: datetime
) -> ReleaseRow:
    """Take a release back; the public is sent a Cancel.

    Raises:
        Forbidden: the caller is of no agency, or a program that names no person.
        NotFound: the caller's agency was never told of such an incident.
        IllegalMove: it is not released.
    """
    alert = await _own_alert(session, incident, caller)
    who = caller.name if caller.account else person
    if not who:
        raise Forbidden("a withdrawal bears a person's name: log in yourself, or send `person`")
    row = await session.get(ReleaseRow, (incident, alert.agency), with_for_update=True)
    if row is None or row.withdrawn_at is not None:
        raise IllegalMove("incident", "not public", "withdraw", ["release"])
    row.withdrawn_by, row.withdrawn_at = who, now
    await session.flush()
    await _say(session, row, caller, "incident.withdraw", person=who, now=now)
    return row


async def release_of(session: AsyncSession, incident: str, caller: Caller) -> ReleaseRow | None:
    """Return the release of an incident by the caller's agency, None where there was none.

    Raises:
        Forbidden, NotFound: as for releasing it.
    """
    alert = await _own_alert(session, incident, caller)
    return await session.get(ReleaseRow, (incident, alert.agency), with_for_update=True)


async def released(session: AsyncSession) -> Sequence[ReleaseRow]:
    """Return the releases that stand, latest first: what the public may know of."""
    query = select(ReleaseRow).where(ReleaseRow.withdrawn_at.is_(None))
    return (await session.scalars(query.order_by(ReleaseRow.released_at.desc()))).all()


async def releases_of(session: AsyncSession, caller: Caller) -> Sequence[ReleaseRow]:
    """Return the releases a caller may see, withdrawn ones too, the latest first: an agency its own."""
    query = select(ReleaseRow).where(owned(caller, ReleaseRow.agency))
    return (await session.scalars(query.order_by(ReleaseRow.released_at.desc()).limit(500))).all()


async def newest_sayings(
    session: AsyncSession, caller: Caller | None, *, before: str | None, limit: int
) -> tuple[list[Saying], bool]:
    """Return the message that now counts of each alert, last told first, and whether there are more.

    Without a caller those of the public. before: the identifier that the page before ended with.
    """
    query = _seen_by(caller).order_by(AlertRow.told_at.desc(), AlertRow.id).limit(limit + 1)
    if before is not None:
        last = await session.get(AlertRow, _alert_of(before))
        if last is None:
            return [], False
        earlier = AlertRow.told_at < last.told_at
        query = query.where(earlier | ((AlertRow.told_at == last.told_at) & (AlertRow.id > last.id)))
    rows = (await session.scalars(query)).all()
    chains = await _chains(session, rows[:limit], caller)
    newest = [latest(chain) for chain in chains]
    return [saying for saying in newest if saying is not None], len(rows) > limit


async def saying(session: AsyncSession, name: str, caller: Caller | None) -> Saying:
    """Return a message by its identifier, or the one that now counts of an alert by the alert's id.

    Raises:
        NotFound: there is none, or it is not the caller's to read.
    """
    row = await session.scalar(_seen_by(caller).where(AlertRow.id == _alert_of(name)))
    if row is not None:
        (chain,) = await _chains(session, [row], caller)
        found = latest(chain) if name == row.id else next((s for s in chain if s.identifier == name), None)
        if found is not None:
            return found
    raise NotFound("CAP message", name)


async def outline_of(session: AsyncSession, saying: Saying) -> tuple[LatLon, ...]:
    """Return the outline last seen before a message was sent, empty where none is known or to be told."""
    if is_rough(saying.hazard) and not saying.is_exact:
        return ()
    query = (
        select(ObservationRow.outline)
        .where(
            ObservationRow.incident == saying.incident.id,
            ObservationRow.outline.is_not(None),
            ObservationRow.seen_at <= saying.sent_at,
        )
        .order_by(ObservationRow.seen_at.desc(), ObservationRow.id)
        .limit(1)
    )
    rings = await session.scalar(query)
    return tuple(LatLon(lat, lon) for lon, lat in rings[0]) if rings else ()


async def given_out(session: AsyncSession, identifier: str) -> str | None:
    """Return a message as it was first given out, or None when nobody has asked for it yet."""
    return await session.scalar(select(CapRow.document).where(CapRow.identifier == identifier))


async def give_out(session: AsyncSession, saying: Saying, document: str) -> str:
    """Keep a message's document for ever and return it; where another was quicker, return that one."""
    await insert_once(
        session,
        CapRow,
        identifier=saying.identifier,
        alert=saying.alert,
        sent_at=saying.sent_at,
        document=document,
    )
    return str(await given_out(session, saying.identifier))


async def _chains(
    session: AsyncSession, rows: Sequence[AlertRow], caller: Caller | None
) -> list[list[Saying]]:
    cancels = select(AlertStepRow).where(
        AlertStepRow.alert.in_([row.id for row in rows]), AlertStepRow.act == AlertAct.CANCEL.value
    )
    steps: dict[str, list[AlertStepRow]] = {}
    for step in await session.scalars(cancels.order_by(AlertStepRow.seq)):
        steps.setdefault(step.alert, []).append(step)
    if caller is not None:
        return [restricted_chain(row, steps.get(row.id, ()), knows=caller.knows) for row in rows]
    theirs = select(ReleaseRow).where(ReleaseRow.incident.in_([row.incident for row in rows]))
    releases = {(r.incident, r.agency): r for r in await session.scalars(theirs)}
    return [
        public_chain(row, releases.get((row.incident, row.agency)), steps.get(row.id, ())) for row in rows
    ]


def _seen_by(caller: Caller | None) -> Select[AlertRow]:
    query = select(AlertRow)
    if caller is None:
        mine = (ReleaseRow.incident == AlertRow.incident) & (ReleaseRow.agency == AlertRow.agency)
        return query.join(ReleaseRow, mine)
    return query.where(owned(caller, AlertRow.agency))


def _alert_of(name: str) -> str:
    return name.partition("-")[0]


async def _own_alert(session: AsyncSession, incident: str, caller: Caller) -> AlertRow:
    if caller.role is not Role.AGENCY:
        raise Forbidden("an incident is released by the agency whose ground it is on, by nobody else")
    own = (AlertRow.incident == incident, AlertRow.agency == caller.agency)
    row = await session.scalar(select(AlertRow).where(*own))
    if row is None:
        raise NotFound("incident", incident)
    return row


async def _say(
    session: AsyncSession, row: ReleaseRow, caller: Caller, action: str, *, person: str, now: datetime
) -> None:
    details = {"person": person, "agency": row.agency}
    await audit.record(session, audit.actor_of(caller), action, row.incident, now=now, details=details)
    told = {"incident": row.incident, "agency": row.agency, "released": row.withdrawn_at is None}
    await events.append(session, "release", told, now=now, agencies=[row.agency])
