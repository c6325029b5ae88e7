"""The outbox: messages that were promised in the same transaction as their alert.

A worker leases what is due, sends it, and settles. A worker that dies leaves a
lease that runs out, and another sends again with the same message id. Messages
to one receiver go in the order they were written: only the head of each line is
leased, so that "updated" never overtakes "raised". A new message makes the whole
line due at once, for a receiver that was down yesterday may be up by now.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import uuid4

from sqlalchemy import exists, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased, selectinload

from api import views
from api.store import events
from api.store.models import AlertRow, DeliveryRow, WebhookRow

PENDING, DELIVERED, FAILED = "pending", "delivered", "failed"


@dataclass(frozen=True, slots=True)
class Leased:
    """One message in a worker's hands, with where it goes."""

    lease: str
    id: str
    agency: str
    channel: str
    body: str
    attempt: int
    created_at: datetime
    url: str
    secret: str


def new_message_id() -> str:
    """Return an id that no other message has."""
    return f"msg_{uuid4().hex}"


def message(message_id: str, *, agency: str, body: str, now: datetime) -> DeliveryRow:
    """Return the row that promises a message to an agency's webhook, due at once."""
    return DeliveryRow(
        id=message_id,
        agency=agency,
        channel="webhook",
        body=body,
        state=PENDING,
        attempts=0,
        created_at=now,
        next_try_at=now,
    )


async def hurry(session: AsyncSession, agencies: Sequence[str], *, now: datetime) -> None:
    """Make everything that waits for some agencies due at once."""
    line = (DeliveryRow.agency.in_(agencies), DeliveryRow.state == PENDING)
    await session.execute(update(DeliveryRow).where(*line).values(next_try_at=now))


async def lease_due(session: AsyncSession, *, now: datetime, ttl_s: float, limit: int) -> Sequence[Leased]:
    """Take the messages that are due, at most one for each receiver, for `ttl_s` of the clock's time.

    The attempt is counted here, before it is made: a message that kills its
    worker is not tried for ever at full speed.
    """
    earlier = aliased(DeliveryRow)
    blocked = exists().where(
        earlier.agency == DeliveryRow.agency,
        earlier.channel == DeliveryRow.channel,
        earlier.state == PENDING,
        earlier.seq < DeliveryRow.seq,
    )
    due = (
        select(DeliveryRow, WebhookRow)
        .join(WebhookRow, WebhookRow.agency == DeliveryRow.agency)
        .where(
            DeliveryRow.state == PENDING,
            DeliveryRow.next_try_at <= now,
            or_(DeliveryRow.leased_until.is_(None), DeliveryRow.leased_until <= now),
            WebhookRow.disabled_at.is_(None),
            ~blocked,
        )
        .order_by(DeliveryRow.seq)
        .limit(limit)
        .with_for_update(of=DeliveryRow, skip_locked=True)
        .execution_options(populate_existing=True)
    )
    taken = []
    for row, hook in (await session.execute(due)).all():
        row.lease, row.leased_until = uuid4().hex, now + timedelta(seconds=ttl_s)
        row.attempts += 1
        taken.append(
            Leased(
                lease=row.lease,
                id=row.id,
                agency=row.agency,
                channel=row.channel,
                body=row.body,
                attempt=row.attempts,
                created_at=row.created_at,
                url=hook.url,
                secret=hook.secret,
            )
        )
    return taken


async def settle(
    session: AsyncSession,
    leased: Leased,
    *,
    now: datetime,
    error: str | None = None,
    next_try_at: datetime | None = None,
) -> bool:
    """Write down how a try ended; return False when the lease was lost meanwhile.

    No error means delivered; an error without a next try means given up. The
    alert's agency and the operator hear of it as an event.
    """
    query = select(DeliveryRow).where(DeliveryRow.id == leased.id, DeliveryRow.lease == leased.lease)
    row = await session.scalar(query.with_for_update())
    if row is None:
        return False
    row.lease = row.leased_until = None
    row.last_error = error
    if error is None:
        row.state, row.delivered_at = DELIVERED, now
    elif next_try_at is None:
        row.state = FAILED
    else:
        row.next_try_at = next_try_at
    await session.flush()
    alert = await session.scalar(
        select(AlertRow)
        .options(selectinload(AlertRow.deliveries))
        .where(AlertRow.id == row.alert)
        .execution_options(populate_existing=True)
    )
    if alert is not None:
        told = views.plain(views.alert(alert))
        await events.append(session, "alert", told, now=now, agencies=[alert.agency])
    return True
