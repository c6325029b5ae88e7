"""Who may call. Only the SHA-256 of a token is kept: a stolen database opens no door.

A token is 256 random bits, so a plain hash is enough; there is nothing to guess.
"""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import uuid4

from sqlalchemy import or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from api.store.models import TokenRow


class Role(StrEnum):
    """What a caller may do."""

    OPERATOR = "operator"
    AGENCY = "agency"
    GATEWAY = "gateway"


@dataclass(frozen=True, slots=True)
class Caller:
    """Whoever a token belongs to. `agency` is set for the role agency alone."""

    token: str
    role: Role
    agency: str | None
    name: str

    @property
    def is_operator(self) -> bool:
        return self.role is Role.OPERATOR

    def may_see(self, agency: str) -> bool:
        """Return whether what belongs to an agency is this caller's to see."""
        return self.is_operator or (self.role is Role.AGENCY and self.agency == agency)


async def issue(
    session: AsyncSession,
    *,
    role: Role,
    name: str,
    now: datetime,
    agency: str | None = None,
    expires_at: datetime | None = None,
) -> str:
    """Return a new token; it is shown this once and cannot be read back."""
    if (role is Role.AGENCY) != (agency is not None):
        raise ValueError("a token of the role agency names its agency, no other token does")
    return _add(session, role=role, name=name, agency=agency, now=now, expires_at=expires_at, parent=None)


async def keep(session: AsyncSession, token: str, *, role: Role, name: str, now: datetime) -> None:
    """Make a token of the caller's own choosing valid, as between our own processes; repeating is fine."""
    sha256 = _hash(token)
    if await session.scalar(select(TokenRow.id).where(TokenRow.sha256 == sha256)) is None:
        session.add(_row(sha256, role=role, name=name, agency=None, now=now, expires_at=None, parent=None))


async def open_session(session: AsyncSession, caller: Caller, *, now: datetime, expires_at: datetime) -> str:
    """Return a short-lived token born of the caller's; it dies with its parent."""
    return _add(
        session,
        role=caller.role,
        name=caller.name,
        agency=caller.agency,
        now=now,
        expires_at=expires_at,
        parent=caller.token,
    )


async def find(session: AsyncSession, token: str, *, now: datetime) -> Caller | None:
    """Return who a token belongs to, or None when it is unknown, expired or revoked."""
    row = await session.scalar(select(TokenRow).where(TokenRow.sha256 == _hash(token)))
    if row is None or row.revoked_at is not None or (row.expires_at and row.expires_at <= now):
        return None
    return Caller(row.id, Role(row.role), row.agency, row.name)


async def is_valid(session: AsyncSession, caller: Caller, *, now: datetime) -> bool:
    """Return whether a caller's token still counts, for connections that stay open."""
    row = await session.get(TokenRow, caller.token, populate_existing=True)
    return row is not None and row.revoked_at is None and (row.expires_at is None or row.expires_at > now)


async def revoke(session: AsyncSession, token_id: str, *, now: datetime) -> None:
    """End a token and every session born of it."""
    mine = or_(TokenRow.id == token_id, TokenRow.parent == token_id)
    await session.execute(update(TokenRow).where(mine, TokenRow.revoked_at.is_(None)).values(revoked_at=now))


def _add(
    session: AsyncSession,
    *,
    role: Role,
    name: str,
    agency: str | None,
    now: datetime,
    expires_at: datetime | None,
    parent: str | None,
) -> str:
    token = f"gp_{secrets.token_urlsafe(32)}"
    session.add(
        _row(_hash(token), role=role, name=name, agency=agency, now=now, expires_at=expires_at, parent=parent)
    )
    return token


def _row(
    sha256: str,
    *,
    role: Role,
    name: str,
    agency: str | None,
    now: datetime,
    expires_at: datetime | None,
    parent: str | None,
) -> TokenRow:
    return TokenRow(
        id=uuid4().hex,
        sha256=sha256,
        role=role.value,
        agency=agency,
        name=name,
        created_at=now,
        expires_at=expires_at,
        revoked_at=None,
        parent=parent,
    )


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
