"""Where agencies are told, on which channel, and the secrets their messages are signed with."""

import base64
import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import uuid4

from sqlalchemy import delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from api.errors import NotFound
from api.store.models import DeliveryRow
from api.store.tables.delivery import ReceiverRow
from api.store.tenancy import owned
from api.store.tokens import Caller

SECRET_BYTES = 24

BOTH_COUNT = timedelta(hours=24)
"""After a change of secrets messages carry both signatures for so long, so that the reader can follow."""


async def add(
    session: AsyncSession,
    agency: str,
    *,
    channel: str,
    address: str,
    now: datetime,
    language: str = "zh-CN",
    step: int = 0,
    receiver_id: str | None = None,
) -> ReceiverRow:
    """Return a new receiver, in use from now on; its secret is to be shown this once."""
    row = ReceiverRow(
        id=receiver_id or uuid4().hex,
        agency=agency,
        channel=channel,
        address=address,
        language=language,
        step=step,
        secret=_new_secret(),
        created_at=now,
        next_try_at=now,
        failures=0,
    )
    session.add(row)
    await session.flush()
    return row


async def set_webhook(session: AsyncSession, agency: str, url: str, *, now: datetime) -> str:
    """Point an agency's webhook at a URL and return its new secret, shown this once.

    What still waits in the outbox goes to the new URL, signed with the new secret.
    """
    row = await webhook_of(session, agency)
    if row is None:
        webhook = f"{agency}-webhook"
        row = await add(session, agency, channel="webhook", address=url, now=now, receiver_id=webhook)
    row.address, row.secret, row.created_at = url, _new_secret(), now
    row.old_secret = row.old_secret_until = None
    _mend(row, now)
    await session.flush()
    return row.secret


async def webhook_of(session: AsyncSession, agency: str) -> ReceiverRow | None:
    """Return an agency's webhook, None while it has none."""
    return await session.get(ReceiverRow, f"{agency}-webhook")


async def change_secret(session: AsyncSession, receiver: ReceiverRow, *, now: datetime) -> str:
    """Return a receiver's new secret; the one before goes on counting for a day."""
    receiver.old_secret, receiver.old_secret_until = receiver.secret, now + BOTH_COUNT
    receiver.secret = _new_secret()
    await session.flush()
    return receiver.secret


async def receiver(session: AsyncSession, receiver_id: str, caller: Caller) -> ReceiverRow:
    """Return one receiver.

    Raises:
        NotFound: there is none, or it is not the caller's.
    """
    row = await session.get(ReceiverRow, receiver_id)
    if row is None or not caller.may_see(row.agency):
        raise NotFound("receiver", receiver_id)
    return row


async def receivers_of(session: AsyncSession, caller: Caller) -> Sequence[ReceiverRow]:
    """Return the receivers the caller may see."""
    query = select(ReceiverRow).where(owned(caller, ReceiverRow.agency))
    return (await session.scalars(query.order_by(ReceiverRow.agency, ReceiverRow.step, ReceiverRow.id))).all()


async def listening(session: AsyncSession, *, step: int = 0) -> dict[str, list[ReceiverRow]]:
    """Return the receivers in use that are told at a step (0: at once), by agency."""
    in_use = select(ReceiverRow).where(ReceiverRow.disabled_at.is_(None), ReceiverRow.step == step)
    found: dict[str, list[ReceiverRow]] = {}
    for row in await session.scalars(in_use.order_by(ReceiverRow.id)):
        found.setdefault(row.agency, []).append(row)
    return found


async def steps_of(session: AsyncSession, agency: str, *, below: int) -> list[int]:
    """Return the later steps at which some receiver of an agency is told, in order."""
    steps = select(ReceiverRow.step).where(ReceiverRow.agency == agency, ReceiverRow.disabled_at.is_(None))
    return sorted(set(await session.scalars(steps.where(ReceiverRow.step.between(1, below - 1)))))


async def remove(session: AsyncSession, receiver_id: str) -> None:
    """Take a receiver away; what was sent to it stays in the log, what waits becomes dead letters."""
    waits = update(DeliveryRow).where(DeliveryRow.receiver == receiver_id, DeliveryRow.state == "pending")
    await session.execute(waits.values(state="failed", last_error="its receiver was taken away"))
    await session.execute(delete(ReceiverRow).where(ReceiverRow.id == receiver_id))


async def disable(session: AsyncSession, receiver_id: str, reason: str, *, now: datetime) -> None:
    """Send nothing more to a receiver until it is set again."""
    mine = update(ReceiverRow).where(ReceiverRow.id == receiver_id)
    await session.execute(mine.values(disabled_at=now, disabled_reason=reason))


def enable(row: ReceiverRow, *, now: datetime) -> None:
    """Send to a receiver again, at once."""
    _mend(row, now)


def _mend(row: ReceiverRow, now: datetime) -> None:
    row.disabled_at = row.disabled_reason = row.open_until = None
    row.failures, row.next_try_at = 0, now


def _new_secret() -> str:
    return f"whsec_{base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()}"


async def channels(session: AsyncSession) -> dict[str, int]:
    """Return how many receivers are in use on each channel."""
    counted = select(ReceiverRow.channel, func.count()).group_by(ReceiverRow.channel)
    rows = await session.execute(counted.order_by(ReceiverRow.channel))
    return {channel: many for channel, many in rows}
