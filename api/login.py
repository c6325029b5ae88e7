"""Letting a person in: password or identity provider, then the second factor, then a session.

A refusal never says which part was wrong, nor whether the login exists or is
shut: whoever guesses learns nothing, and it takes as long as a true login.
"""

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from api import accounts, audit
from api.audit import Actor
from api.errors import Unauthenticated
from api.services import Services
from api.store import accounts as store
from api.store import tokens
from api.store.tables.accounts import AccountRow
from api.store.tokens import ADMINISTRATORS, Caller

REFUSED = (
    "login, password or code is wrong, or there were too many failures: "
    "after five the login is shut for a while"
)


class CodeWanted(Unauthenticated):
    """The password is right and the second factor's code is still missing."""

    code = "second_factor_wanted"

    def __init__(self) -> None:
        super().__init__("give the code of your authenticator, or a recovery code")


@dataclass(frozen=True, slots=True)
class Opened:
    """A session just opened: its token, and who it belongs to."""

    token: str
    caller: Caller


async def by_password(
    built: Services, *, login: str, password: str, code: str | None, wall_now: datetime
) -> Opened:
    """Return a session for a person who knows the password, and has the code where one is set up.

    Raises:
        Unauthenticated: `REFUSED`, whatever it was; the failure is counted and in the audit trail.
        CodeWanted: the password is right and the code is missing.
    """
    now = built.clock.now()
    async with built.database.read() as session:
        known = await store.by_login(session, login)
    kept = known.password_hash if known else None
    is_right = await asyncio.to_thread(accounts.is_password, kept, password)
    async with built.database.write() as session:
        row = await store.by_login(session, login)
        knows = is_right and row is not None and row.password_hash == kept
        if row is not None and knows and _may_enter(row, code, built, wall_now=wall_now):
            return await _open(session, built, row, now=now)
        await _refuse(session, row, login, now=now, wall_now=wall_now)
    raise Unauthenticated(REFUSED)


async def by_subject(built: Services, subject: str) -> Opened:
    """Return a session for a person whom the identity provider vouches for.

    The provider asks for its own second factor; ours is not asked for again.

    Raises:
        Unauthenticated: nobody here is linked to that person, or the account is shut.
    """
    now = built.clock.now()
    async with built.database.write() as session:
        row = await store.by_subject(session, subject)
        opened = None
        if row is not None and row.disabled_at is None:
            opened = await _open(session, built, row, now=now, vouched=True)
        else:
            await audit.record(session, audit.SYSTEM, "session.refused", _short(subject), now=now)
    if opened is None:
        raise Unauthenticated("nobody here is linked to this login: ask the security administrator")
    return opened


def _may_enter(row: AccountRow, code: str | None, built: Services, *, wall_now: datetime) -> bool:
    """Return whether somebody who knows the password may come in, using up the code.

    Raises:
        CodeWanted: only the code is missing.
    """
    if row.disabled_at is not None or store.lock_of(row).is_shut(wall_now):
        return False
    if row.totp_confirmed_at is None:
        return True
    if code is None:
        raise CodeWanted
    return store.second_factor_holds(row, code, built.seal, wall_now=wall_now)


async def _open(
    session: AsyncSession, built: Services, row: AccountRow, *, now: datetime, vouched: bool = False
) -> Opened:
    """Open a session; its times are wall time, and the service's clock may run faster."""
    store.set_lock(row, accounts.Lock())
    enrols = not vouched and row.totp_confirmed_at is None and row.role in built.options.second_factor
    caller = store.caller_of(row, enrols_only=enrols)
    is_administrator = caller.role in ADMINISTRATORS
    idle_s = built.options.administrator_idle_s if is_administrator else built.options.idle_s
    token = await tokens.open_session(
        session,
        caller,
        now=now,
        expires_at=now + timedelta(seconds=built.options.session_s * built.clock.speed),
        idle_s=idle_s * built.clock.speed,
    )
    by = "provider" if vouched else "password"
    await audit.record(
        session, audit.actor_of(caller), "session.open", row.login, now=now, details={"by": by}
    )
    return Opened(token, caller)


async def _refuse(
    session: AsyncSession, row: AccountRow | None, login: str, *, now: datetime, wall_now: datetime
) -> None:
    """Count the failure, and write it down."""
    if row is not None and not store.lock_of(row).is_shut(wall_now):
        store.set_lock(row, accounts.after_failure(store.lock_of(row), wall_now))
    actor = Actor(row.name, row.role, row.agency) if row else Actor("unknown", "nobody")
    locked = {"locked_until": row.locked_until.isoformat()} if row and row.locked_until else {}
    await audit.record(session, actor, "session.refused", _short(login), now=now, details=locked)


def _short(text: str) -> str:
    return text if len(text) <= 200 else f"{text[:199]}…"
