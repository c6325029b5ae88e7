"""Logging in as a person; one's own account; and, for the security administrator, everybody's."""

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Annotated

import httpx
from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import RedirectResponse
from sqlalchemy.ext.asyncio import AsyncSession

from api import accounts, audit, etags, login, oidc
from api.auth import Anyone, Built, SecurityAdministrator, address_of, set_cookie
from api.errors import BadRequest, Conflict, NotFound, Unauthenticated
from api.etags import IfMatch
from api.schemas import Me
from api.schemas_accounts import (
    AccountChange,
    AccountIn,
    AccountOut,
    Accounts,
    KeyIn,
    KeyOut,
    Keys,
    NewKey,
    NewPassword,
    PasswordLogin,
    RecoveryCodes,
    SecondFactorBegun,
    SecondFactorCode,
    SessionOut,
    Sessions,
    Ways,
)
from api.services import Services
from api.store import accounts as store
from api.store import tokens
from api.store.accounts import NewAccount
from api.store.models import TokenRow
from api.store.tables.accounts import AccountRow
from api.store.tokens import Caller, Role

PROVIDER_PATIENCE_S = 600.0
"""How long somebody may take at the identity provider."""

session_router = APIRouter(tags=["session"])
account_router = APIRouter(tags=["account"])
security_router = APIRouter(tags=["accounts"])


@session_router.get("/login/ways")
async def ways(built: Built) -> Ways:
    """Say how somebody may log in here; nobody does with a password before there are accounts."""
    async with built.database.read() as session:
        people = await store.are_there_any(session)
    return Ways(password=people, token=True, provider=built.options.provider is not None)


@session_router.post("/login")
async def log_in_by_password(wish: PasswordLogin, request: Request, response: Response, built: Built) -> Me:
    """Log in with login, password and, where one is set up, the authenticator's code."""
    built.rates.count_login(address_of(request))
    opened = await login.by_password(
        built, login=wish.login, password=wish.password, code=wish.code, wall_now=datetime.now(UTC)
    )
    set_cookie(response, opened.token, built)
    return Me(role=opened.caller.role.value, agency=opened.caller.agency, name=opened.caller.name)


@session_router.get("/login/provider", response_class=RedirectResponse, status_code=307)
async def log_in_at_provider(request: Request, built: Built) -> RedirectResponse:
    """Go to the identity provider to log in; it sends the browser back here."""
    built.rates.count_login(address_of(request))
    provider = _provider(built)
    now = built.clock.now()
    async with httpx.AsyncClient(trust_env=False) as client:
        begun = await oidc.start(provider, client)
    async with built.database.write() as session:
        await store.begin_provider_login(
            session,
            state=begun.state,
            nonce=begun.nonce,
            verifier=begun.verifier,
            now=now,
            older_than=_patience(built, now),
        )
    return RedirectResponse(begun.url, status_code=307)


@session_router.get("/login/provider/return", response_class=RedirectResponse, status_code=303)
async def return_from_provider(
    request: Request,
    built: Built,
    state: Annotated[str, Query(max_length=200)],
    code: Annotated[str | None, Query(max_length=4000)] = None,
    error: Annotated[str | None, Query(max_length=200)] = None,
) -> RedirectResponse:
    """Take the browser back from the identity provider: a session opens and the page follows."""
    built.rates.count_login(address_of(request))
    provider = _provider(built)
    async with built.database.write() as session:
        begun = await store.end_provider_login(session, state, not_before=_patience(built, built.clock.now()))
    if begun is None or code is None or error is not None:
        raise Unauthenticated("this login was not begun here, took too long or was refused: begin again")
    async with httpx.AsyncClient(trust_env=False) as client:
        person = await oidc.finish(
            provider,
            client,
            code=code,
            nonce=begun.nonce,
            verifier=begun.verifier,
            wall_s=datetime.now(UTC).timestamp(),
        )
    opened = await login.by_subject(built, person.subject)
    back = RedirectResponse("/", status_code=303)
    set_cookie(back, opened.token, built)
    return back


@account_router.put("/account/password", status_code=204)
async def change_password(wish: NewPassword, request: Request, caller: Anyone, built: Built) -> None:
    """Change one's own password; every other session of one's own ends."""
    built.rates.count_login(address_of(request))
    async with built.database.read() as session:
        row = await _own(session, caller)
    if not await asyncio.to_thread(accounts.is_password, row.password_hash, wish.old):
        raise Unauthenticated("the old password is wrong")
    accounts.check_password(wish.new, row.login)
    kept = await asyncio.to_thread(accounts.hash_password, wish.new)
    async with built.database.write() as session:
        row = await _own(session, caller)
        row.password_hash = kept
        await tokens.revoke_account(session, row.id, now=built.clock.now(), but=caller.token)
        await _note(session, built, caller, "account.password", row.login)


@account_router.post("/account/second-factor")
async def begin_second_factor(caller: Anyone, built: Built) -> SecondFactorBegun:
    """Begin setting up a second factor; it counts once a code was confirmed."""
    secret = accounts.new_secret()
    async with built.database.write() as session:
        row = await _own(session, caller)
        if row.totp_confirmed_at is not None:
            raise Conflict("a second factor is set up: the security administrator can take it away")
        row.totp_secret, row.totp_step = built.seal.shut(secret), 0
    return SecondFactorBegun(secret=secret, uri=accounts.secret_uri(secret, row.login))


@account_router.post("/account/second-factor/confirm")
async def confirm_second_factor(
    wish: SecondFactorCode, request: Request, caller: Anyone, built: Built
) -> RecoveryCodes:
    """Confirm the second factor with a code; answers ten recovery codes. One's sessions end: log in again."""
    built.rates.count_login(address_of(request))
    codes = accounts.new_recovery_codes()
    async with built.database.write() as session:
        row = await _own(session, caller)
        if row.totp_confirmed_at is not None:
            raise Conflict("a second factor is set up already")
        if not store.second_factor_holds(row, wish.code, built.seal, wall_now=datetime.now(UTC)):
            raise BadRequest(
                "this code is not right: begin with POST /v1/account/second-factor, check the clock"
            )
        row.totp_confirmed_at = built.clock.now()
        row.recovery = [accounts.recovery_hash(code) for code in codes]
        await tokens.revoke_account(session, row.id, now=built.clock.now())
        await _note(session, built, caller, "account.second_factor", row.login)
    return RecoveryCodes(recovery_codes=list(codes))


@account_router.get("/account/sessions")
async def own_sessions(caller: Anyone, built: Built) -> Sessions:
    """List one's own open sessions."""
    async with built.database.read() as session:
        rows = await tokens.sessions(session, now=built.clock.now(), account=caller.account or "")
    return Sessions(sessions=[_session(row, caller) for row in rows])


@account_router.delete("/account/sessions/{session_id}", status_code=204)
async def end_own_session(session_id: str, caller: Anyone, built: Built) -> None:
    """End one of one's own sessions, as one left open elsewhere."""
    async with built.database.write() as session:
        row = await session.get(TokenRow, session_id)
        if row is None or caller.account is None or row.account != caller.account:
            raise NotFound("session", session_id)
        await tokens.revoke(session, row.id, now=built.clock.now())
        await _note(session, built, caller, "session.revoke", row.id)


@security_router.get("/accounts")
async def list_accounts(caller: SecurityAdministrator, built: Built) -> Accounts:
    """List everybody who may log in, and who no longer may."""
    async with built.database.read() as session:
        return Accounts(accounts=[_account(row) for row in await store.everyone(session)])


@security_router.post("/accounts", status_code=201)
async def add_account(wish: AccountIn, caller: SecurityAdministrator, built: Built) -> AccountOut:
    """Add a person."""
    _check_agency(built, wish.agency)
    kept = await _hashed(wish.password, wish.login)
    async with built.database.write() as session:
        new = NewAccount(wish.login, wish.name, Role(wish.role), wish.agency, kept, wish.subject)
        row = await store.add(session, new, now=built.clock.now())
        details = {"role": row.role, "agency": row.agency}
        await _note(session, built, caller, "account.add", row.login, details)
        return _account(row)


@security_router.patch("/accounts/{account_id}")
async def change_account(
    account_id: str,
    wish: AccountChange,
    response: Response,
    caller: SecurityAdministrator,
    built: Built,
    if_match: IfMatch = None,
) -> AccountOut:
    """Change a person's account: name, password, unlock, disable, take the second factor away, link."""
    async with built.database.read() as session:
        known = await store.get(session, account_id)
    kept = await _hashed(wish.password, known.login)
    now = built.clock.now()
    async with built.database.write() as session:
        row = await store.get(session, account_id)
        etags.check_shown(if_match, _account(row))
        await _change(session, row, wish, kept, now=now)
        changed = sorted(name for name, value in wish.model_dump().items() if value is not None)
        await _note(session, built, caller, "account.change", row.login, {"changed": changed})
        return etags.tagged(response, _account(row))


@security_router.get("/keys")
async def list_keys(caller: SecurityAdministrator, built: Built) -> Keys:
    """List the keys of programs; the keys themselves are kept nowhere."""
    async with built.database.read() as session:
        return Keys(keys=[_key(row) for row in await tokens.keys(session)])


@security_router.post("/keys", status_code=201)
async def add_key(wish: KeyIn, caller: SecurityAdministrator, built: Built) -> NewKey:
    """Make a key for a program; it is shown this once."""
    _check_agency(built, wish.agency)
    if (wish.role is Role.AGENCY) != (wish.agency is not None):
        raise BadRequest("a key of the role agency names its agency, no other key does")
    now = built.clock.now()
    async with built.database.write() as session:
        key = await tokens.issue(
            session,
            role=wish.role,
            name=wish.name,
            now=now,
            agency=wish.agency,
            expires_at=wish.expires_at,
            scopes=wish.scopes,
        )
        await session.flush()
        found = await tokens.find(session, key, now=now)
        row = await session.get(TokenRow, found.token) if found else None
        if row is None:
            raise BadRequest("expires_at is over already: a key that never counts is not made")
        await _note(session, built, caller, "key.add", row.id, {"name": row.name, "role": row.role})
        return NewKey(**_key(row).model_dump(), key=key)


@security_router.delete("/keys/{key_id}", status_code=204)
async def revoke_key(key_id: str, caller: SecurityAdministrator, built: Built) -> None:
    """End a key and every session born of it."""
    await _revoke(key_id, caller, built, "key")


@security_router.get("/sessions")
async def list_sessions(caller: SecurityAdministrator, built: Built) -> Sessions:
    """List everybody's open sessions."""
    async with built.database.read() as session:
        rows = await tokens.sessions(session, now=built.clock.now())
    return Sessions(sessions=[_session(row, caller) for row in rows])


@security_router.delete("/sessions/{session_id}", status_code=204)
async def revoke_session(session_id: str, caller: SecurityAdministrator, built: Built) -> None:
    """End anybody's session."""
    await _revoke(session_id, caller, built, "session")


async def _own(session: AsyncSession, caller: Caller) -> AccountRow:
    if caller.account is None:
        raise Conflict("this is for people who log in with an account; you showed a key")
    return await store.get(session, caller.account)


async def _change(
    session: AsyncSession, row: AccountRow, wish: AccountChange, kept: str | None, *, now: datetime
) -> None:
    row.name = wish.name or row.name
    row.subject = wish.subject or row.subject
    if kept is not None:
        row.password_hash = kept
        await tokens.revoke_account(session, row.id, now=now)
    if wish.unlock or kept is not None:
        store.set_lock(row, accounts.Lock())
    if wish.forget_second_factor:
        row.totp_secret, row.totp_confirmed_at, row.recovery = None, None, []
        await tokens.revoke_account(session, row.id, now=now)
    if wish.disabled is True and row.disabled_at is None:
        await store.disable(session, row, now=now)
    elif wish.disabled is False:
        row.disabled_at = None


async def _revoke(token_id: str, caller: Caller, built: Services, kind: str) -> None:
    async with built.database.write() as session:
        row = await session.get(TokenRow, token_id)
        if row is None or (kind == "key") != (row.parent is None and row.account is None):
            raise NotFound(kind, token_id)
        await tokens.revoke(session, row.id, now=built.clock.now())
        await _note(session, built, caller, f"{kind}.revoke", row.id, {"name": row.name})


async def _hashed(password: str | None, login_name: str) -> str | None:
    if password is None:
        return None
    accounts.check_password(password, login_name)
    return await asyncio.to_thread(accounts.hash_password, password)


async def _note(
    session: AsyncSession,
    built: Services,
    caller: Caller,
    action: str,
    target: str,
    details: Mapping[str, object] | None = None,
) -> None:
    actor = audit.actor_of(caller)
    await audit.record(session, actor, action, target, now=built.clock.now(), details=details)


def _check_agency(built: Services, agency: str | None) -> None:
    if agency is not None and agency not in {known.id for known in built.site.agencies}:
        raise NotFound("agency", agency)


def _provider(built: Services) -> oidc.Provider:
    if built.options.provider is None:
        raise NotFound("identity provider", "here")
    return built.options.provider


def _patience(built: Services, now: datetime) -> datetime:
    """Return the earliest moment at which a login that is still good was begun."""
    return now - timedelta(seconds=PROVIDER_PATIENCE_S * built.clock.speed)


def _account(row: AccountRow) -> AccountOut:
    return AccountOut(
        id=row.id,
        login=row.login,
        name=row.name,
        role=row.role,
        agency=row.agency,
        second_factor=row.totp_confirmed_at is not None,
        subject=row.subject,
        locked_until=row.locked_until,
        disabled_at=row.disabled_at,
        created_at=row.created_at,
    )


def _key(row: TokenRow) -> KeyOut:
    return KeyOut(
        id=row.id,
        name=row.name,
        role=Role(row.role),
        agency=row.agency,
        scopes=row.scopes,
        created_at=row.created_at,
        expires_at=row.expires_at,
        revoked_at=row.revoked_at,
    )


def _session(row: TokenRow, caller: Caller) -> SessionOut:
    return SessionOut(
        id=row.id,
        name=row.name,
        role=Role(row.role),
        agency=row.agency,
        account=row.account,
        mine=row.id == caller.token,
        created_at=row.created_at,
        seen_at=row.seen_at,
        expires_at=row.expires_at,
    )
