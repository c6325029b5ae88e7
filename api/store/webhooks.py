"""Where each agency's own program listens, and the secret its messages are signed with."""

import base64
import secrets
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from api.store.models import WebhookRow

SECRET_BYTES = 24


async def set_webhook(session: AsyncSession, agency: str, url: str, *, now: datetime) -> str:
    """Point an agency's webhook at a URL and return its new secret, shown this once.

    What still waits in the outbox goes to the new URL, signed with the new secret.
    """
    secret = f"whsec_{base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()}"
    row = await session.get(WebhookRow, agency)
    if row is None:
        row = WebhookRow(agency=agency)
        session.add(row)
    row.url, row.secret, row.created_at = url, secret, now
    row.disabled_at = row.disabled_reason = None
    await session.flush()
    return secret


async def receivers(session: AsyncSession) -> frozenset[str]:
    """Return the agencies that have a webhook in use."""
    in_use = select(WebhookRow.agency).where(WebhookRow.disabled_at.is_(None))
    return frozenset(await session.scalars(in_use))


async def disable(session: AsyncSession, agency: str, reason: str, *, now: datetime) -> None:
    """Send nothing more to an agency's webhook until it is set again."""
    mine = update(WebhookRow).where(WebhookRow.agency == agency)
    await session.execute(mine.values(disabled_at=now, disabled_reason=reason))
