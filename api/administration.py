"""What the machine's administrator does without logging in: people, keys, the audit trail's check.

The database of the data folder is opened directly, so this works before anybody
can log in and while the service runs. Each act is in the audit trail under the
name of the machine's user. The commands are in `api/office.py`.
"""

import asyncio
import getpass
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from sqlalchemy.ext.asyncio import AsyncSession

from api import accounts, audit
from api.audit import Actor, Verdict
from api.settings import Settings
from api.store import accounts as store
from api.store import tokens
from api.store.accounts import NewAccount
from api.store.engine import open_database
from api.store.models import TokenRow
from api.store.tables.accounts import AccountRow
from api.store.tokens import Role
from missions.errors import InputWrong
from missions.site import load_site

_Made = TypeVar("_Made")


@dataclass(frozen=True, slots=True)
class MadeKey:
    """A key just made, and the id it is listed by."""

    id: str
    key: str


def add_person(
    settings: Settings, login: str, password: str, *, name: str | None, role: Role, agency: str | None
) -> AccountRow:
    """Return the account of a person added.

    Raises:
        InputWrong: no such agency.
        ServiceError: the login is taken, the password too weak, the role no person's.
    """
    _check_agency(settings, agency)
    login = login.strip().lower()
    accounts.check_password(password, login)
    new = NewAccount(login, name or login, role, agency, accounts.hash_password(password))

    async def add(session: AsyncSession, now: datetime) -> AccountRow:
        row = await store.add(session, new, now=now)
        details = {"role": role.value, "agency": agency}
        await audit.record(session, _me(), "account.add", login, now=now, details=details)
        return row

    return _do(settings, add)


def people(settings: Settings) -> list[AccountRow]:
    """Return everybody who may log in, and who no longer may."""

    async def everyone(session: AsyncSession, now: datetime) -> list[AccountRow]:
        return await store.everyone(session)

    return _do(settings, everyone)


def disable(settings: Settings, login: str) -> None:
    """Shut an account and end its sessions."""

    async def shut(session: AsyncSession, row: AccountRow, now: datetime) -> None:
        await store.disable(session, row, now=now)

    _change(settings, login, "account.disable", shut)


def unlock(settings: Settings, login: str) -> None:
    """Open an account that failures or an administrator shut."""

    async def open_again(session: AsyncSession, row: AccountRow, now: datetime) -> None:
        store.set_lock(row, accounts.Lock())
        row.disabled_at = None

    _change(settings, login, "account.unlock", open_again)


def set_password(settings: Settings, login: str, password: str) -> None:
    """Give a person a password; every open session of theirs ends."""
    accounts.check_password(password, login)
    kept = accounts.hash_password(password)

    async def change(session: AsyncSession, row: AccountRow, now: datetime) -> None:
        row.password_hash = kept
        store.set_lock(row, accounts.Lock())
        await tokens.revoke_account(session, row.id, now=now)

    _change(settings, login, "account.password", change)


def add_key(
    settings: Settings, name: str, *, role: Role, agency: str | None, scopes: Sequence[str] | None
) -> MadeKey:
    """Return a new key for a program.

    Raises:
        InputWrong: no such agency, or one where none belongs.
    """
    _check_agency(settings, agency)
    if (role is Role.AGENCY) != (agency is not None):
        raise InputWrong("--agency: a key of the role agency names its agency, no other key does")

    async def add(session: AsyncSession, now: datetime) -> MadeKey:
        made = await tokens.issue(session, role=role, name=name, now=now, agency=agency, scopes=scopes)
        await session.flush()
        caller = await tokens.find(session, made, now=now)
        assert caller is not None
        details = {"name": name, "role": role.value}
        await audit.record(session, _me(), "key.add", caller.token, now=now, details=details)
        return MadeKey(caller.token, made)

    return _do(settings, add)


def keys(settings: Settings) -> list[TokenRow]:
    """Return the keys that were made."""

    async def listed(session: AsyncSession, now: datetime) -> list[TokenRow]:
        return await tokens.keys(session)

    return _do(settings, listed)


def revoke_key(settings: Settings, key_id: str) -> None:
    """End a key and the sessions born of it.

    Raises:
        InputWrong: there is no such key.
    """

    async def revoke(session: AsyncSession, now: datetime) -> None:
        row = await session.get(TokenRow, key_id)
        if row is None or row.account is not None:
            raise InputWrong(f"there is no key {key_id!r}: 'gridpatrol key list' shows them")
        await tokens.revoke(session, key_id, now=now)
        await audit.record(session, _me(), "key.revoke", key_id, now=now, details={"name": row.name})

    _do(settings, revoke)


def verify_trail(settings: Settings, head: str | None) -> Verdict:
    """Return whether the audit trail holds."""

    async def verify(session: AsyncSession, now: datetime) -> Verdict:
        return await audit.verify(session, head=head)

    return _do(settings, verify)


def _change(
    settings: Settings,
    login: str,
    action: str,
    change: Callable[[AsyncSession, AccountRow, datetime], Awaitable[None]],
) -> None:
    async def work(session: AsyncSession, now: datetime) -> None:
        row = await store.by_login(session, login)
        if row is None:
            raise InputWrong(f"there is no login {login!r}: 'gridpatrol user list' shows them")
        await change(session, row, now)
        await audit.record(session, _me(), action, row.login, now=now)

    _do(settings, work)


def _do(settings: Settings, work: Callable[[AsyncSession, datetime], Awaitable[_Made]]) -> _Made:
    """Do some work in one transaction of the data folder's database."""

    async def run() -> _Made:
        if not settings.database_url and not (settings.data / "gridpatrol.db").exists():
            raise InputWrong(
                f"--data: there is no service in {settings.data}: start 'gridpatrol serve' there first"
            )
        database = await open_database(settings.database)
        try:
            async with database.write() as session:
                return await work(session, settings.make_clock().now())
        finally:
            await database.close()

    return asyncio.run(run())


def _check_agency(settings: Settings, agency: str | None) -> None:
    if agency is None:
        return
    known = [known.id for known in load_site(settings.site).agencies]
    if agency not in known:
        raise InputWrong(f"--agency: found {agency!r}, expected one of {', '.join(known)}")


def _me() -> Actor:
    return Actor(f"{getpass.getuser()} at the machine", "machine")
