"""The outbox: messages that were promised in the same transaction as their alert.

The messages to one receiver are a line. A worker leases a line, sends its
messages one after the other, and settles each; a worker that dies leaves a lease
that runs out, and another sends again under the same message ids. So "updated"
never overtakes "raised", and a receiver that hangs holds up its own line alone.

A new message makes its line due at once, for a receiver that was down yesterday
may be up by now; only where it has just failed several times in a row (its
breaker is open) does the next try wait until that is over.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, cast
from uuid import uuid4

from sqlalchemy import (
    ColumnElement,
    Table,
    bindparam,
    case,
    exists,
    func,
    insert,
    literal,
    or_,
    select,
    update,
)
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import selectinload

from api import views
from api.store import events
from api.store.models import AlertRow, DeliveryRow
from api.store.receivers import disable
from api.store.tables.delivery import ReceiverRow, TryRow

PENDING, DELIVERED, FAILED = "pending", "delivered", "failed"

GIVE_UP = timedelta(hours=75)
"""How long a message is tried, as the Standard Webhooks specification advises."""

IN_HAND = 50
"""Messages a worker takes from one line at a time."""

_RECEIVERS = cast(Table, ReceiverRow.__table__)
_DELIVERIES = cast(Table, DeliveryRow.__table__)
_TRIES = cast(Table, TryRow.__table__)

# Asked at every commit, so of the tables themselves and made once.
_IS_DUE = (
    select(_RECEIVERS.c.id)
    .where(
        _RECEIVERS.c.disabled_at.is_(None),
        _RECEIVERS.c.next_try_at <= bindparam("now"),
        or_(_RECEIVERS.c.leased_until.is_(None), _RECEIVERS.c.leased_until <= bindparam("now")),
        exists().where(_DELIVERIES.c.receiver == _RECEIVERS.c.id, _DELIVERIES.c.state == "pending"),
    )
    .limit(1)
)


@dataclass(frozen=True, slots=True)
class Leased:
    """One message in a worker's hands, with where it goes."""

    id: str
    receiver: str
    lease: str
    agency: str
    channel: str
    body: str
    attempt: int
    give_up_at: datetime
    address: str
    language: str
    secrets: tuple[str, ...]
    alert: str | None = None


@dataclass(frozen=True, slots=True)
class Line:
    """The first messages waiting for one receiver, leased together; `failures` in a row so far."""

    receiver: str
    lease: str
    failures: int
    messages: tuple[Leased, ...]


@dataclass(frozen=True, slots=True)
class Try:
    """How one try of one message ended. No error means delivered; with `gives_up` it is a dead letter."""

    message: Leased
    at: datetime
    took_ms: float
    error: str | None = None
    note: str | None = None
    status: int | None = None
    gives_up: bool = False

    @property
    def state(self) -> str:
        if self.error is None:
            return DELIVERED
        return FAILED if self.gives_up else PENDING


@dataclass(frozen=True, slots=True)
class Ending:
    """That a worker lets go of a line: when it is next due and what is known of its receiver."""

    line: Line
    next_try_at: datetime
    failures: int
    open_until: datetime | None = None
    disabled_reason: str | None = None


def new_message_id() -> str:
    """Return an id that no other message has."""
    return f"msg_{uuid4().hex}"


def message(message_id: str, *, receiver: ReceiverRow, body: str, now: datetime) -> DeliveryRow:
    """Return the row that promises a message to a receiver."""
    return DeliveryRow(
        id=message_id,
        receiver=receiver.id,
        agency=receiver.agency,
        channel=receiver.channel,
        body=body,
        state=PENDING,
        attempts=0,
        created_at=now,
        give_up_at=now + GIVE_UP,
    )


async def hurry(session: AsyncSession, receivers: Iterable[str], *, now: datetime) -> None:
    """Make the lines of some receivers due: at once, or as soon as their breaker closes."""
    at_once = literal(now, ReceiverRow.next_try_at.type)
    soonest = case((ReceiverRow.open_until > now, ReceiverRow.open_until), else_=at_once)
    waits_longer = ReceiverRow.id.in_(list(receivers)), ReceiverRow.next_try_at > soonest
    await session.execute(
        update(ReceiverRow)
        .where(*waits_longer)
        .values(next_try_at=soonest)
        .execution_options(synchronize_session=False)
    )


async def is_due(session: AsyncSession, *, now: datetime) -> bool:
    """Return whether some line can be leased."""
    return await session.scalar(_IS_DUE, {"now": now}) is not None


async def lease_due(
    session: AsyncSession, *, now: datetime, ttl_s: float, limit: int, suspects: int | None = None
) -> list[Line]:
    """Take the lines that are due, for `ttl_s` of the clock's time.

    At most `limit` of receivers that answered last time and `suspects` (as many,
    unless said) of those that did not: many that hang cannot fill a worker's hands.
    """
    healthy, failing = ReceiverRow.failures == 0, ReceiverRow.failures > 0
    lines = await _due(session, healthy, now, limit) + await _due(
        session, failing, now, limit if suspects is None else suspects
    )
    if not lines:
        return []
    until, leases = now + timedelta(seconds=ttl_s), {row.id: uuid4().hex for row in lines}
    await (await session.connection()).execute(
        update(_RECEIVERS)
        .where(_RECEIVERS.c.id == bindparam("line"))
        .values(lease=bindparam("taken"), leased_until=until),
        [{"line": receiver, "taken": lease} for receiver, lease in leases.items()],
    )
    waiting = await _first_messages(session, {row.id: row for row in lines}, leases, now)
    return [Line(row.id, leases[row.id], row.failures, tuple(waiting[row.id])) for row in lines]


async def renew(session: AsyncSession, lines: Iterable[Line], *, now: datetime, ttl_s: float) -> None:
    """Keep lines that are still being worked off for another `ttl_s` of the clock's time."""
    mine = ReceiverRow.lease.in_([line.lease for line in lines])
    until = now + timedelta(seconds=ttl_s)
    await session.execute(
        update(ReceiverRow)
        .where(mine)
        .values(leased_until=until)
        .execution_options(synchronize_session=False)
    )


async def settle(
    session: AsyncSession, tries: Sequence[Try], endings: Sequence[Ending], *, now: datetime
) -> frozenset[str]:
    """Write down how tries ended and let go of lines; return the receivers whose lease was lost meanwhile.

    A worker that slept through its lease must not overrule the next: what it
    says of a lost line is left out. Alerts' agencies and the operator hear of
    the rest as events.
    """
    leases = {t.message.receiver: t.message.lease for t in tries}
    leases |= {e.line.receiver: e.line.lease for e in endings}
    asked = select(_RECEIVERS.c.id, _RECEIVERS.c.lease).where(_RECEIVERS.c.id.in_(leases)).with_for_update()
    now_held = {row.id: row.lease for row in await session.execute(asked)}
    lost = frozenset(r for r, lease in leases.items() if now_held.get(r) != lease)
    kept = [t for t in tries if t.message.receiver not in lost]
    connection = await session.connection()
    if kept:
        await connection.execute(
            update(_DELIVERIES)
            .where(_DELIVERIES.c.id == bindparam("mine"))
            .values(
                state=bindparam("to"),
                attempts=bindparam("tried"),
                last_error=bindparam("why"),
                delivered_at=bindparam("done"),
            ),
            [_settled(t) for t in kept],
        )
        await connection.execute(insert(_TRIES), [_logged(t) for t in kept])
    mine = [e for e in endings if e.line.receiver not in lost]
    if mine:
        await connection.execute(
            update(_RECEIVERS)
            .where(_RECEIVERS.c.id == bindparam("line"))
            .values(
                lease=None,
                leased_until=None,
                next_try_at=bindparam("next"),
                failures=bindparam("failed"),
                open_until=bindparam("open"),
            ),
            [_ended(e) for e in mine],
        )
    for ending in mine:
        if ending.disabled_reason is not None:
            await disable(session, ending.line.receiver, ending.disabled_reason, now=now)
    await _tell(session, {t.message.alert for t in kept if t.message.alert}, now)
    return lost


async def _due(
    session: AsyncSession, wanted: ColumnElement[bool], now: datetime, limit: int
) -> list[ReceiverRow]:
    if limit <= 0:
        return []
    query = (
        select(ReceiverRow)
        .where(wanted, *_can_be_leased(now))
        .order_by(ReceiverRow.next_try_at, ReceiverRow.id)
        .limit(limit)
        .with_for_update(of=ReceiverRow, skip_locked=True)
        .execution_options(populate_existing=True)
    )
    return list((await session.scalars(query)).all())


def _can_be_leased(now: datetime) -> tuple[ColumnElement[bool], ...]:
    """Return what holds of a line that is in use, due, in nobody's hands, and has something to say."""
    return (
        ReceiverRow.disabled_at.is_(None),
        ReceiverRow.next_try_at <= now,
        or_(ReceiverRow.leased_until.is_(None), ReceiverRow.leased_until <= now),
        exists().where(DeliveryRow.receiver == ReceiverRow.id, DeliveryRow.state == PENDING),
    )


async def _first_messages(
    session: AsyncSession, lines: dict[str, ReceiverRow], leases: dict[str, str], now: datetime
) -> dict[str, list[Leased]]:
    place = func.row_number().over(partition_by=DeliveryRow.receiver, order_by=DeliveryRow.seq)
    waiting = (
        select(DeliveryRow.seq, place.label("place"))
        .where(DeliveryRow.receiver.in_(lines), DeliveryRow.state == PENDING)
        .subquery()
    )
    query = (
        select(
            DeliveryRow.id,
            DeliveryRow.receiver,
            DeliveryRow.body,
            DeliveryRow.attempts,
            DeliveryRow.give_up_at,
            DeliveryRow.alert,
        )
        .join(waiting, waiting.c.seq == DeliveryRow.seq)
        .where(waiting.c.place <= IN_HAND)
        .order_by(DeliveryRow.seq)
    )
    found: dict[str, list[Leased]] = {receiver: [] for receiver in lines}
    for row in (await session.execute(query)).all():
        line = lines[row.receiver]
        found[row.receiver].append(
            Leased(
                id=row.id,
                receiver=line.id,
                lease=leases[line.id],
                agency=line.agency,
                channel=line.channel,
                body=row.body,
                attempt=row.attempts + 1,
                give_up_at=row.give_up_at,
                address=line.address,
                language=line.language,
                secrets=_secrets(line, now),
                alert=row.alert,
            )
        )
    return found


def _secrets(line: ReceiverRow, now: datetime) -> tuple[str, ...]:
    if line.old_secret and line.old_secret_until and line.old_secret_until > now:
        return (line.secret, line.old_secret)
    return (line.secret,)


def _settled(t: Try) -> dict[str, Any]:
    done = t.at if t.error is None else None
    return {"mine": t.message.id, "to": t.state, "tried": t.message.attempt, "why": t.error, "done": done}


def _logged(t: Try) -> dict[str, Any]:
    return {
        "delivery": t.message.id,
        "attempt": t.message.attempt,
        "at": t.at,
        "took_ms": t.took_ms,
        "status": t.status,
        "error": t.error,
        "note": t.note,
    }


def _ended(e: Ending) -> dict[str, Any]:
    return {
        "line": e.line.receiver,
        "next": e.next_try_at,
        "failed": e.failures,
        "open": e.open_until,
    }


async def _tell(session: AsyncSession, alerts: set[str], now: datetime) -> None:
    """Say once for each alert how its messages now stand."""
    rows = await session.scalars(
        select(AlertRow)
        .options(selectinload(AlertRow.deliveries))
        .where(AlertRow.id.in_(alerts))
        .order_by(AlertRow.id)
        .execution_options(populate_existing=True)
    )
    told = [(views.plain(views.alert(row)), [row.agency]) for row in rows]
    await events.append_all(session, "alert", told, now=now)
