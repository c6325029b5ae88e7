"""Who is calling, and what each role may do.

A caller shows a token, as `Authorization: Bearer …` from programs or as the
session cookie from the page (an EventSource cannot set headers). The cookie is
HttpOnly and SameSite=Strict; since another program on the same machine counts
as the same site, a request that changes something with a cookie must also come
from our own page, which the browser's Origin header tells.
"""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Annotated
from urllib.parse import urlsplit

from fastapi import Depends, Request, Response, Security
from fastapi.security import APIKeyCookie, HTTPBearer
from fastapi.security.http import HTTPAuthorizationCredentials

from api.discretion import known_to
from api.errors import Forbidden, SecondFactorFirst, Unauthenticated
from api.services import Services
from api.store import tokens
from api.store.accounts import ENROLS_ONLY
from api.store.tokens import Caller, Role

COOKIE = "gridpatrol_session"

_bearer = HTTPBearer(auto_error=False, description="the token that the operator handed out")
_cookie = APIKeyCookie(name=COOKIE, auto_error=False, description="set by POST /v1/session")


async def services(request: Request) -> Services:
    """Return what this application was built from; a coroutine, for the others go through a thread."""
    built: Services = request.app.state.services
    return built


Built = Annotated[Services, Depends(services)]


async def caller(
    request: Request,
    built: Built,
    bearer: Annotated[HTTPAuthorizationCredentials | None, Security(_bearer)],
    cookie: Annotated[str | None, Security(_cookie)],
) -> Caller:
    """Return who calls.

    Raises:
        Unauthenticated: no token, or one that is unknown, expired or revoked.
        Forbidden: a cookie came with a change asked for by another page.
    """
    token = bearer.credentials if bearer else cookie
    if not token:
        built.rates.count_stranger(address_of(request))
        raise Unauthenticated("no token: send Authorization: Bearer TOKEN, or log in at POST /v1/session")
    if bearer is None and request.method not in ("GET", "HEAD") and not _is_own_page(request, built):
        raise Forbidden("a session cookie may change things only from our own page")
    now = built.clock.now()
    looked_up = await built.callers.find(built.database, token, now=now)
    found, is_due = looked_up.caller, looked_up.is_due
    if found is None:
        built.rates.count_stranger(address_of(request))
        raise Unauthenticated("this token is not known, has expired or was revoked")
    built.rates.count_caller(found)
    if is_due:
        async with built.database.write() as session:
            await tokens.note_use(session, found, now=now)
    if found.scopes is not None and (scope := scope_of(request)) not in found.scopes:
        raise _out_of_scope(found, scope)
    shared = tuple(rule for rule in built.site.sharing if rule.taker == found.agency)
    return replace(found, shared=shared, knows=known_to(found.agency, built.site))


def address_of(request: Request) -> str:
    """Return where a request came from, as far as the server knows."""
    return request.client.host if request.client else "unknown"


def scope_of(request: Request) -> str:
    """Return what a key must be allowed for this request: the route's subject, and read or write."""
    tags = getattr(request.scope.get("route"), "tags", None) or ["other"]
    return f"{tags[0]}:{'read' if request.method in ('GET', 'HEAD') else 'write'}"


def set_cookie(response: Response, token: str, built: Services) -> None:
    """Let the browser keep a session's token where scripts cannot read it."""
    response.set_cookie(
        COOKIE,
        token,
        max_age=int(built.options.session_s),
        httponly=True,
        samesite="strict",
        secure=built.options.secure_cookie,
        path="/",
    )


def _out_of_scope(found: Caller, scope: str) -> Forbidden:
    if found.scopes == ENROLS_ONLY:
        return SecondFactorFirst()
    may = ", ".join(sorted(found.scopes or ())) or "nothing"
    return Forbidden(f"this key may not do {scope}: it is for {may}")


def only(*roles: Role) -> Callable[[Caller], Awaitable[Caller]]:
    """Return a dependency that lets only these roles pass."""

    async def check(found: Annotated[Caller, Depends(caller)]) -> Caller:
        if found.role not in roles:
            raise Forbidden(
                f"this is for the role {' or '.join(roles)}, and your token is of the role {found.role}"
            )
        return found

    return check


def _is_own_page(request: Request, built: Services) -> bool:
    """Return whether no browser or our own page asks; a proxy may have put another name into Host."""
    origin = request.headers.get("origin")
    own = {request.headers.get("host"), urlsplit(built.options.public_url or "").netloc or None}
    return origin is None or (urlsplit(origin).netloc or "no page") in own


Anyone = Annotated[Caller, Depends(caller)]
Operator = Annotated[Caller, Depends(only(Role.OPERATOR))]
Watcher = Annotated[Caller, Depends(only(Role.OPERATOR, Role.AGENCY))]
Gateway = Annotated[Caller, Depends(only(Role.GATEWAY))]
SystemAdministrator = Annotated[Caller, Depends(only(Role.SYSTEM))]
SecurityAdministrator = Annotated[Caller, Depends(only(Role.SECURITY))]
Auditor = Annotated[Caller, Depends(only(Role.AUDITOR))]
