"""Logging in and out, who one is, and whether the service answers."""

from datetime import timedelta

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse
from sqlalchemy import text

from api.auth import COOKIE, Anyone, Built, address_of, set_cookie
from api.errors import Unauthenticated
from api.schemas import Health, Login, Me
from api.showing import may_see_whole
from api.store import tokens

router = APIRouter(tags=["session"])


@router.get("/health")
async def health(built: Built) -> Health:
    """Say whether the service can answer: it asked its database."""
    async with built.database.read() as session:
        await session.execute(text("SELECT 1"))
    return Health(status="ok", now=built.clock.now())


@router.post("/session")
async def log_in(login: Login, request: Request, response: Response, built: Built) -> Me:
    """Begin a session from a token: sets the cookie that the page and its event stream use."""
    now = built.clock.now()
    lasts_s = built.options.session_s
    async with built.database.write() as session:
        found = await tokens.find(session, login.token, now=now)
        if found is None:
            built.rates.count_stranger(address_of(request))
            raise Unauthenticated("this token is not known, has expired or was revoked")
        # Sessions last by the wall clock, as cookies do; the service's clock may run faster.
        expires_at = now + timedelta(seconds=lasts_s * built.clock.speed)
        cookie = await tokens.open_session(session, found, now=now, expires_at=expires_at)
    set_cookie(response, cookie, built)
    return Me(role=found.role.value, agency=found.agency, name=found.name)


@router.delete("/session", status_code=204)
async def log_out(request: Request, response: Response, caller: Anyone, built: Built) -> None:
    """End the session of the cookie; a bearer token stays as it is."""
    if COOKIE in request.cookies and "authorization" not in request.headers:
        async with built.database.write() as session:
            await tokens.revoke(session, caller.token, now=built.clock.now())
    response.delete_cookie(COOKIE, path="/")


@router.get("/openapi.json", include_in_schema=False)
async def openapi(request: Request, caller: Anyone) -> JSONResponse:
    """Describe this API as OpenAPI."""
    return JSONResponse(request.app.openapi())


@router.get("/me")
async def me(caller: Anyone) -> Me:
    """Say who the token belongs to."""
    return Me(
        role=caller.role.value,
        agency=caller.agency,
        name=caller.name,
        may_confirm=may_see_whole(caller),
    )
