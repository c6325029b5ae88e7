"""Logging in from the page: the cookie, what it may do, and how it ends."""

from collections.abc import Callable
from dataclasses import replace

import httpx
from sqlalchemy import select

from api.app import create_app
from api.auth import COOKIE
from api.services import Options, Services
from api.store import tokens
from api.store.models import TokenRow
from missions.clock import FakeClock

Client = Callable[[str | None], httpx.AsyncClient]


async def logged_in(client_of: Client, role: str = "operator") -> httpx.AsyncClient:
    """A client that holds the cookie and nothing else."""
    token = client_of(role).headers["Authorization"].removeprefix("Bearer ")
    page = client_of(None)
    reply = await page.post("/v1/session", json={"token": token})
    assert reply.status_code == 200
    return page


async def test_a_token_opens_a_session_whose_cookie_scripts_cannot_read(client_of: Client) -> None:
    page = await logged_in(client_of, "forestry")
    reply = await page.get("/v1/me")
    assert reply.json() == {
        "role": "agency",
        "agency": "forestry",
        "name": "forestry desk",
        "may_confirm": False,
    }
    token = client_of("forestry").headers["Authorization"].removeprefix("Bearer ")
    header = (await page.post("/v1/session", json={"token": token})).headers["set-cookie"]
    assert "HttpOnly" in header
    assert "SameSite=strict" in header


async def test_logging_out_ends_the_session_and_leaves_the_token(client_of: Client) -> None:
    page = await logged_in(client_of)
    cookie = page.cookies[COOKIE]
    assert (await page.delete("/v1/session")).status_code == 204
    page.cookies.set(COOKIE, cookie)
    assert (await page.get("/v1/me")).status_code == 401
    assert (await client_of("operator").get("/v1/me")).status_code == 200


async def test_a_session_ends_with_its_time(client_of: Client, clock: FakeClock) -> None:
    page = await logged_in(client_of)
    clock.advance(13 * 3600)
    assert (await page.get("/v1/me")).status_code == 401


async def test_revoking_a_token_ends_the_sessions_born_of_it(client_of: Client, services: Services) -> None:
    page = await logged_in(client_of)
    token = client_of("operator").headers["Authorization"].removeprefix("Bearer ")
    async with services.database.write() as session:
        caller = await tokens.find(session, token, now=services.clock.now())
        assert caller
        await tokens.revoke(session, caller.token, now=services.clock.now())
    assert (await page.get("/v1/me")).status_code == 401


async def test_another_page_cannot_use_the_cookie_to_change_things(client_of: Client) -> None:
    """SameSite lets another port of the same host through; the Origin header does not."""
    page = await logged_in(client_of)
    elsewhere, here = {"Origin": "http://test:9000"}, {"Origin": "http://test"}
    assert (await page.post("/v1/plans", headers=elsewhere)).status_code == 403
    assert (await page.post("/v1/plans", headers=here)).status_code == 202
    assert (await page.get("/v1/plans", headers=elsewhere)).status_code == 200


async def test_behind_a_proxy_that_names_another_host_the_page_is_known_by_its_public_address(
    services: Services, client_of: Client
) -> None:
    public = replace(services, options=Options(public_url="https://patrol.example", secure_cookie=True))
    token = client_of("operator").headers["Authorization"].removeprefix("Bearer ")
    transport = httpx.ASGITransport(create_app(public))
    async with httpx.AsyncClient(transport=transport, base_url="https://upstream:8000") as page:
        reply = await page.post("/v1/session", json={"token": token})
        assert "Secure" in reply.headers["set-cookie"]
        for origin, status in (
            ("https://patrol.example", 202),
            ("https://evil.example", 403),
            ("null", 403),
        ):
            answer = await page.post("/v1/plans", headers={"Origin": origin})
            assert answer.status_code == status, origin


async def test_only_hashes_of_tokens_are_kept(client_of: Client, services: Services) -> None:
    token = client_of("operator").headers["Authorization"].removeprefix("Bearer ")
    async with services.database.read() as session:
        rows = (await session.scalars(select(TokenRow))).all()
    assert all(token not in str(vars(row)) for row in rows)
