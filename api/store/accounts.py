"""Accounts in the database: adding, letting in, locking, ending."""

from dataclasses import dataclass
from datetime import datetime
from uuid import uuid4

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from api import accounts
from api.accounts import Lock
from api.errors import BadRequest, Conflict, NotFound
from api.seal import Seal
from api.store import tokens
from api.store.rows import insert_once
from api.store.tables.accounts import AccountRow, ProviderLoginRow
from api.store.tokens import Caller, Role

ENROLS_ONLY = frozenset({"account:read", "account:write", "session:read", "session:write"})
"""What somebody may do who must set up a second factor first."""


@dataclass(frozen=True, slots=True)
class NewAccount:
    """What the security administrator says of a person."""

    login: str
    name: str
    role: Role
    agency: str | None = None
    password_hash: str | None = None
    subject: str | None = None


async def add(session: AsyncSession, new: NewAccount, *, now: datetime) -> AccountRow:
    """Return the new account.

    Raises:
        Conflict: the login is taken.
        BadRequest: a person of an agency without the agency, or another with one.
    """
    if (new.role is Role.AGENCY) != (new.agency is not None):
        raise BadRequest("an account of the role agency names its agency, no other account does")
    if new.role is Role.GATEWAY:
        raise BadRequest("a gateway is no person: give it a key")
    account = uuid4().hex
    added = await insert_once(
        session,
        AccountRow,
        id=account,
        login=new.login,
        name=new.name,
        role=new.role.value,
        agency=new.agency,
        password_hash=new.password_hash,
        subject=new.subject,
        totp_secret=None,
        totp_confirmed_at=None,
        totp_step=0,
        recovery=[],
        failures=0,
        locked_until=None,
        disabled_at=None,
        created_at=now,
    )
    if not added:
        raise Conflict(f"the login {new.login!r} is taken: choose another")
    return await get(session, account)


async def get(session: AsyncSession, account: str) -> AccountRow:
    """Return an account by its id.

    Raises:
        NotFound: there is none.
    """
    row = await session.get(AccountRow, account)
    if row is None:
        raise NotFound("account", account)
    return row


async def by_login(session: AsyncSession, login: str) -> AccountRow | None:
    """Return the account of a login, in whatever case it is written."""
    return await session.scalar(select(AccountRow).where(AccountRow.login == login.strip().lower()))


async def by_subject(session: AsyncSession, subject: str) -> AccountRow | None:
    """Return the account that belongs to a person of the identity provider, as ISSUER|SUBJECT."""
    return await session.scalar(select(AccountRow).where(AccountRow.subject == subject))


async def are_there_any(session: AsyncSession) -> bool:
    """Return whether anybody was ever added."""
    return await session.scalar(select(AccountRow.id).limit(1)) is not None


async def everyone(session: AsyncSession) -> list[AccountRow]:
    """Return all accounts by login."""
    return list((await session.scalars(select(AccountRow).order_by(AccountRow.login))).all())


def lock_of(row: AccountRow) -> Lock:
    """Return how an account's login stands."""
    return Lock(row.failures, row.locked_until)


def set_lock(row: AccountRow, lock: Lock) -> None:
    """Write down how an account's login stands."""
    row.failures, row.locked_until = lock.failures, lock.until


def second_factor_holds(row: AccountRow, code: str, seal: Seal, *, wall_now: datetime) -> bool:
    """Return whether a code lets this person in, and use it up: a code or recovery code counts once."""
    if row.totp_secret is None:
        return False
    secret = seal.open(row.totp_secret)
    step = accounts.totp_step(secret, code, wall_now=wall_now, used=row.totp_step)
    if step is not None:
        row.totp_step = step
        return True
    kept = accounts.recovery_hash(code)
    if kept in row.recovery:
        row.recovery = [other for other in row.recovery if other != kept]
        return True
    return False


def caller_of(row: AccountRow, *, enrols_only: bool = False) -> Caller:
    """Return an account as a caller with a session to be opened."""
    scopes = ENROLS_ONLY if enrols_only else None
    return Caller("", Role(row.role), row.agency, row.name, row.id, scopes)


async def disable(session: AsyncSession, row: AccountRow, *, now: datetime) -> None:
    """Shut an account and end its sessions."""
    row.disabled_at = now
    await tokens.revoke_account(session, row.id, now=now)


async def begin_provider_login(
    session: AsyncSession, *, state: str, nonce: str, verifier: str, now: datetime, older_than: datetime
) -> None:
    """Remember a login begun at the identity provider; forget those that never came back."""
    await session.execute(delete(ProviderLoginRow).where(ProviderLoginRow.begun_at < older_than))
    session.add(ProviderLoginRow(state=state, nonce=nonce, verifier=verifier, begun_at=now))


async def end_provider_login(
    session: AsyncSession, state: str, *, not_before: datetime
) -> ProviderLoginRow | None:
    """Return the login that a state belongs to and forget it, so that it counts once; None if too old."""
    row = await session.get(ProviderLoginRow, state)
    if row is None:
        return None
    await session.delete(row)
    return row if row.begun_at >= not_before else None
