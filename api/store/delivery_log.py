"""What was sent to whom and how it went, for those it concerns; dead letters, and sending them again."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Select, select
from sqlalchemy.ext.asyncio import AsyncSession

from api.errors import Conflict, IllegalMove, NotFound
from api.store.models import DeliveryRow
from api.store.outbox import FAILED, GIVE_UP, PENDING, hurry
from api.store.tables.delivery import ReceiverRow, TryRow
from api.store.tenancy import owned
from api.store.tokens import Caller


async def deliveries(
    session: AsyncSession,
    caller: Caller,
    *,
    state: str | None = None,
    receiver: str | None = None,
    before: int | None = None,
    limit: int = 200,
) -> Sequence[DeliveryRow]:
    """Return the messages the caller may see, newest first."""
    query = _visible(caller).order_by(DeliveryRow.seq.desc()).limit(limit)
    if state is not None:
        query = query.where(DeliveryRow.state == state)
    if receiver is not None:
        query = query.where(DeliveryRow.receiver == receiver)
    if before is not None:
        query = query.where(DeliveryRow.seq < before)
    return (await session.scalars(query)).all()


async def delivery(
    session: AsyncSession, delivery_id: str, caller: Caller
) -> tuple[DeliveryRow, Sequence[TryRow]]:
    """Return one message and every try of it.

    Raises:
        NotFound: there is none, or it is not the caller's.
    """
    row = await session.scalar(_visible(caller).where(DeliveryRow.id == delivery_id))
    if row is None:
        raise NotFound("delivery", delivery_id)
    tries = select(TryRow).where(TryRow.delivery == delivery_id).order_by(TryRow.seq)
    return row, (await session.scalars(tries)).all()


async def replay(session: AsyncSession, row: DeliveryRow, *, now: datetime) -> None:
    """Send a dead letter again, under its own id and for another 75 hours, ahead of what came after it.

    Raises:
        IllegalMove: it is no dead letter.
        Conflict: its receiver is gone or disabled.
    """
    if row.state != FAILED:
        raise IllegalMove("delivery", row.state, "replay", [], "only what was given up can be sent again")
    line = await session.get(ReceiverRow, row.receiver)
    if line is None or line.disabled_at is not None:
        raise Conflict(f"the receiver of delivery {row.id} is gone or disabled: set it again first")
    row.state, row.give_up_at = PENDING, now + GIVE_UP
    await session.flush()
    await hurry(session, [line.id], now=now)


def _visible(caller: Caller) -> Select[DeliveryRow]:
    return select(DeliveryRow).where(owned(caller, DeliveryRow.agency))
