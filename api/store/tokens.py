"""Who may call. Only the SHA-256 of a token is kept: a stolen database opens no door.

A token is 256 random bits, so a plain hash is enough; there is nothing to guess.
"""

import hashlib
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import cast
from uuid import uuid4

from sqlalchemy import bindparam, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from api.rights import ADMINISTRATORS, Role
from api.store.models import TokenRow
from missions.model import Hazard, Sharing

__all__ = ["ADMINISTRATORS", "Caller", "Role"]


# Asked for by every request, so of the table itself: it costs half of what a mapped object does.
_OF_TOKENS = select(TokenRow.__table__).where(
    TokenRow.__table__.c.sha256.in_(bindparam("hashes", expanding=True))
)


@dataclass(frozen=True, slots=True)
class Caller:
    """Whoever a token belongs to. `agency` is set for the role agency alone.

    scopes: what a key may do, as `incidents:read`; None is all that the role may.
    shared: what other agencies let this one see of theirs.
    knows: the hazards whose exact places it is trusted with (`api.discretion`).
    """

    token: str
    role: Role
    agency: str | None
    name: str
    account: str | None = None
    scopes: frozenset[str] | None = None
    shared: tuple[Sharing, ...] = ()
    knows: frozenset[Hazard] = frozenset()

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
    scopes: Sequence[str] | None = None,
) -> str:
    """Return a new token; it is shown this once and cannot be read back."""
    if (role is Role.AGENCY) != (agency is not None):
        raise ValueError("a token of the role agency names its agency, no other token does")
    caller = Caller("", role, agency, name, scopes=None if scopes is None else frozenset(scopes))
    return _add(session, caller, now=now, expires_at=expires_at)


async def keep(session: AsyncSession, token: str, *, role: Role, name: str, now: datetime) -> None:
    """Make a token of the caller's own choosing valid, as between our own processes; repeating is fine."""
    sha256 = _hash(token)
    if await session.scalar(select(TokenRow.id).where(TokenRow.sha256 == sha256)) is None:
        session.add(_row(sha256, Caller("", role, None, name), now=now))


async def open_session(
    session: AsyncSession,
    caller: Caller,
    *,
    now: datetime,
    expires_at: datetime,
    idle_s: float | None = None,
) -> str:
    """Return a short-lived token for a caller; born of another token, it dies with that one.

    idle_s: it also ends when it was not used for so long, by the service's clock.
    """
    parent = caller.token or None
    return _add(session, caller, now=now, expires_at=expires_at, parent=parent, idle_s=idle_s)


async def find(session: AsyncSession, token: str, *, now: datetime) -> Caller | None:
    """Return who a token belongs to, or None when it is unknown, expired, idle too long or revoked."""
    await session.flush()  # it may have been issued in this transaction
    caller, _ = (await find_all(session, [token], now=now)).get(token, (None, False))
    return caller


async def find_all(
    session: AsyncSession, wanted: Iterable[str], *, now: datetime
) -> dict[str, tuple[Caller, bool]]:
    """Return who tokens belong to that count now, and whether their use is to be written down again.

    That is so for sessions when a twentieth of their idle time is over.
    """
    by_hash = {_hash(token): token for token in wanted}
    rows = cast(Iterable[TokenRow], await session.execute(_OF_TOKENS, {"hashes": list(by_hash)}))
    return {by_hash[row.sha256]: (_caller(row), _is_due(row, now)) for row in rows if _counts(row, now)}


async def is_valid(session: AsyncSession, caller: Caller, *, now: datetime) -> bool:
    """Return whether a caller's token still counts, for connections that stay open."""
    row = await session.get(TokenRow, caller.token, populate_existing=True)
    return row is not None and _counts(row, now)


async def note_use(session: AsyncSession, caller: Caller, *, now: datetime) -> None:
    """Write down that a session was used just now."""
    await session.execute(update(TokenRow).where(TokenRow.id == caller.token).values(seen_at=now))


async def keys(session: AsyncSession) -> list[TokenRow]:
    """Return the keys of programs, ended ones too, the newest first; sessions are not among them."""
    wanted = select(TokenRow).where(TokenRow.parent.is_(None), TokenRow.account.is_(None))
    return list((await session.scalars(wanted.order_by(TokenRow.created_at.desc()))).all())


async def sessions(session: AsyncSession, *, now: datetime, account: str | None = None) -> list[TokenRow]:
    """Return the sessions that are open, of everybody or of one account, the newest first."""
    born = or_(TokenRow.parent.is_not(None), TokenRow.account.is_not(None))
    wanted = select(TokenRow).where(born, TokenRow.revoked_at.is_(None))
    if account is not None:
        wanted = wanted.where(TokenRow.account == account)
    rows = (await session.scalars(wanted.order_by(TokenRow.created_at.desc()))).all()
    return [row for row in rows if _counts(row, now)]


async def revoke_account(session: AsyncSession, account: str, *, now: datetime, but: str = "") -> None:
    """End every session of an account, but for one token."""
    mine = (TokenRow.account == account) & (TokenRow.id != but) & TokenRow.revoked_at.is_(None)
    await session.execute(update(TokenRow).where(mine).values(revoked_at=now))


async def revoke(session: AsyncSession, token_id: str, *, now: datetime) -> None:
    """End a token and every session born of it."""
    mine = or_(TokenRow.id == token_id, TokenRow.parent == token_id)
    await session.execute(update(TokenRow).where(mine, TokenRow.revoked_at.is_(None)).values(revoked_at=now))


def _caller(row: TokenRow) -> Caller:
    scopes = None if row.scopes is None else frozenset(row.scopes)
    return Caller(row.id, Role(row.role), row.agency, row.name, row.account, scopes)


def _is_due(row: TokenRow, now: datetime) -> bool:
    if row.idle_s is None:
        return False
    return row.seen_at is None or (now - row.seen_at).total_seconds() > row.idle_s / 20


def _counts(row: TokenRow, now: datetime) -> bool:
    if row.revoked_at is not None or (row.expires_at and row.expires_at <= now):
        return False
    if row.idle_s is None or row.seen_at is None:
        return True
    return (now - row.seen_at).total_seconds() <= row.idle_s


def _add(
    session: AsyncSession,
    caller: Caller,
    *,
    now: datetime,
    expires_at: datetime | None,
    parent: str | None = None,
    idle_s: float | None = None,
) -> str:
    token = f"gp_{secrets.token_urlsafe(32)}"
    session.add(_row(_hash(token), caller, now=now, expires_at=expires_at, parent=parent, idle_s=idle_s))
    return token


def _row(
    sha256: str,
    caller: Caller,
    *,
    now: datetime,
    expires_at: datetime | None = None,
    parent: str | None = None,
    idle_s: float | None = None,
) -> TokenRow:
    return TokenRow(
        id=uuid4().hex,
        sha256=sha256,
        role=caller.role.value,
        agency=caller.agency,
        name=caller.name,
        created_at=now,
        expires_at=expires_at,
        revoked_at=None,
        parent=parent,
        account=caller.account,
        scopes=None if caller.scopes is None else sorted(caller.scopes),
        idle_s=idle_s,
        seen_at=now,
    )


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
