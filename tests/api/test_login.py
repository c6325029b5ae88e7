"""People log in: password, second factor, lockout, idle sessions, keys with scopes, the trail of it all."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import httpx
import pyotp
import pytest
from sqlalchemy import update

from api import accounts, audit
from api.app import create_app
from api.auth import COOKIE
from api.login import REFUSED
from api.rates import Rates
from api.services import Services
from api.store import accounts as store
from api.store.accounts import NewAccount
from api.store.tables.accounts import AccountRow
from api.store.tokens import Role
from missions.clock import FakeClock
from tests.api.world import NOW

Client = Callable[[str | None], httpx.AsyncClient]

PASSWORD = "three red cranes over rice"
KEPT = accounts.hash_password(PASSWORD)


@pytest.fixture
def services(services: Services) -> Services:
    """Logins are tried often here; how many are allowed is test_rates.py's subject."""
    return replace(services, rates=Rates(scale=100))


async def person(services: Services, login: str = "wang", role: Role = Role.AGENCY) -> None:
    agency = "forestry" if role is Role.AGENCY else None
    async with services.database.write() as session:
        await store.add(session, NewAccount(login, login.title(), role, agency, KEPT), now=NOW)


async def enter(
    page: httpx.AsyncClient, login: str = "wang", *, headers: Any = None, **more: Any
) -> httpx.Response:
    body = {"login": login, "password": PASSWORD, **more}
    return await page.post("/v1/login", json=body, headers=headers)


async def trail(services: Services) -> list[tuple[str, str]]:
    async with services.database.read() as session:
        return [(row.action, row.target) for row in reversed(await audit.page(session))]


async def test_a_person_logs_in_and_is_who_the_account_says(client_of: Client, services: Services) -> None:
    await person(services)
    page = client_of(None)
    reply = await enter(page, "WANG")
    assert reply.json() == {"role": "agency", "agency": "forestry", "name": "Wang", "may_confirm": False}
    assert "HttpOnly" in reply.headers["set-cookie"]
    assert (await page.get("/v1/incidents")).status_code == 200
    assert await trail(services) == [("session.open", "wang")]
    again = [await enter(client_of(None), headers={"Idempotency-Key": "1"}) for _ in range(2)]
    assert again[0].headers["set-cookie"] != again[1].headers["set-cookie"]


@pytest.mark.parametrize(
    "wrong",
    [{"password": "three red cranes over wheat"}, {"login": "nobody"}, {"login": "x" * 100}],
)
async def test_a_refusal_never_says_what_was_wrong(
    client_of: Client, services: Services, wrong: dict[str, str]
) -> None:
    await person(services)
    reply = await client_of(None).post("/v1/login", json={"login": "wang", "password": PASSWORD, **wrong})
    assert (reply.status_code, reply.json()["message"]) == (401, REFUSED)
    assert [action for action, _ in await trail(services)] == ["session.refused"]


async def test_after_five_failures_even_the_right_password_waits(
    client_of: Client, services: Services
) -> None:
    await person(services)
    page = client_of(None)
    for _ in range(5):
        assert (await enter(page, password="wrong wrong wrong")).status_code == 401
    assert (await enter(page)).status_code == 401
    async with services.database.write() as session:  # the minute passes
        await session.execute(update(AccountRow).values(locked_until=datetime(2020, 1, 1, tzinfo=UTC)))
    assert (await enter(page)).status_code == 200


async def test_a_disabled_account_is_shut_at_once(client_of: Client, services: Services) -> None:
    await person(services)
    page = client_of(None)
    await enter(page)
    keeper = client_of("security")
    (account,) = (await keeper.get("/v1/accounts")).json()["accounts"]
    reply = await keeper.patch(f"/v1/accounts/{account['id']}", json={"disabled": True})
    assert reply.json()["disabled_at"] is not None
    assert (await page.get("/v1/me")).status_code == 401
    assert (await enter(page)).status_code == 401
    await keeper.patch(f"/v1/accounts/{account['id']}", json={"disabled": False})
    assert (await enter(page)).status_code == 200


async def test_an_office_sets_up_its_second_factor_before_anything_else(
    client_of: Client, services: Services
) -> None:
    await person(services, "li", Role.AUDITOR)
    page = client_of(None)
    assert (await enter(page, "li")).status_code == 200
    refused = await page.get("/v1/audit")
    assert (refused.status_code, "second factor first" in refused.json()["message"]) == (403, True)

    secret = (await page.post("/v1/account/second-factor")).json()["secret"]
    assert (await page.post("/v1/account/second-factor/confirm", json={"code": "000000"})).status_code == 422
    code = pyotp.TOTP(secret).now()
    confirmed = await page.post("/v1/account/second-factor/confirm", json={"code": code})
    recovery = confirmed.json()["recovery_codes"]
    assert len(recovery) == 10
    assert (await page.get("/v1/me")).status_code == 401  # the half session has ended

    wanted = await enter(page, "li")
    assert (wanted.status_code, wanted.json()["error"]) == (401, "second_factor_wanted")
    assert (await enter(page, "li", code=code)).status_code == 401  # a code counts once
    assert (await enter(page, "li", code=recovery[0])).status_code == 200
    assert (await page.get("/v1/audit")).status_code == 200
    assert (await enter(page, "li", code=recovery[0])).status_code == 401  # a recovery code too


async def test_a_session_that_nobody_uses_ends(
    client_of: Client, services: Services, clock: FakeClock
) -> None:
    await person(services)
    page = client_of(None)
    await enter(page)
    for _ in range(3):  # used every five hours it goes on, up to its full time of twelve
        clock.advance(3.5 * 3600)
        assert (await page.get("/v1/me")).status_code == 200
    await enter(page)
    clock.advance(8.1 * 3600)
    assert (await page.get("/v1/me")).status_code == 401


async def test_a_new_password_ends_every_other_session(client_of: Client, services: Services) -> None:
    await person(services)
    app = create_app(services)
    here, there = (
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") for _ in range(2)
    )
    await enter(here)
    await enter(there)
    wish = {"old": PASSWORD, "new": "seven grey herons by the weir"}
    assert (await here.put("/v1/account/password", json={**wish, "old": "no"})).status_code == 401
    assert (await here.put("/v1/account/password", json={**wish, "new": "wangwangwang"})).status_code == 422
    assert (await here.put("/v1/account/password", json=wish)).status_code == 204
    assert (await here.get("/v1/me")).status_code == 200
    assert (await there.get("/v1/me")).status_code == 401
    assert (await enter(there)).status_code == 401


async def test_one_sees_and_ends_ones_own_sessions_and_nobody_elses(
    client_of: Client, services: Services
) -> None:
    await person(services)
    await person(services, "zhao")
    app = create_app(services)
    wang, zhao = (
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") for _ in range(2)
    )
    await enter(wang)
    await enter(zhao, "zhao")
    (mine,) = (await wang.get("/v1/account/sessions")).json()["sessions"]
    assert mine["mine"]
    assert (await zhao.delete(f"/v1/account/sessions/{mine['id']}")).status_code == 404
    assert (await wang.delete(f"/v1/account/sessions/{mine['id']}")).status_code == 204
    assert (await wang.get("/v1/me")).status_code == 401


async def test_a_key_does_what_its_scopes_say_and_no_more(client_of: Client) -> None:
    keeper = client_of("security")
    wish = {"name": "hotline", "role": "agency", "agency": "forestry", "scopes": ["incidents:read"]}
    made = (await keeper.post("/v1/keys", json=wish)).json()
    program = client_of(None)
    program.headers["Authorization"] = f"Bearer {made['key']}"
    assert (await program.get("/v1/incidents")).status_code == 200
    refused = await program.get("/v1/alerts")
    assert refused.status_code == 403
    assert "may not do alerts:read: it is for incidents:read" in refused.json()["message"]
    # A session born of the key is no wider than the key.
    assert (await program.post("/v1/session", json={"token": made["key"]})).status_code == 200
    del program.headers["Authorization"]
    assert (await program.get("/v1/incidents")).status_code == 200
    assert (await program.get("/v1/alerts")).status_code == 403

    shown = {row["id"]: row for row in (await keeper.get("/v1/keys")).json()["keys"]}
    assert shown[made["id"]]["scopes"] == ["incidents:read"]
    assert "key" not in shown[made["id"]]
    assert (await keeper.delete(f"/v1/keys/{made['id']}")).status_code == 204
    assert (await program.get("/v1/incidents")).status_code == 401


async def test_what_cannot_be_an_account_is_said(client_of: Client, services: Services) -> None:
    keeper = client_of("security")
    wish = {"login": "wang", "name": "Wang", "role": "agency", "agency": "forestry", "password": PASSWORD}
    assert (await keeper.post("/v1/accounts", json=wish)).status_code == 201
    assert (await keeper.post("/v1/accounts", json=wish)).status_code == 409
    for change in ({"agency": None}, {"password": "short"}, {"login": "a b"}, {"role": "gateway"}):
        assert (await keeper.post("/v1/accounts", json={**wish, "login": "li", **change})).status_code == 422
    assert (await keeper.post("/v1/accounts", json={**wish, "agency": "moon"})).status_code == 404
    assert (await enter(client_of(None))).status_code == 200


async def test_every_act_of_the_security_office_is_in_the_trail(
    client_of: Client, services: Services
) -> None:
    keeper, reader = client_of("security"), client_of("auditor")
    wish = {"login": "wang", "name": "Wang", "role": "operator", "password": PASSWORD}
    account = (await keeper.post("/v1/accounts", json=wish)).json()["id"]
    await keeper.patch(f"/v1/accounts/{account}", json={"forget_second_factor": True, "unlock": True})
    key = (await keeper.post("/v1/keys", json={"name": "desk", "role": "operator"})).json()["id"]
    await keeper.delete(f"/v1/keys/{key}")
    entries = (await reader.get("/v1/audit")).json()["entries"]
    assert [(e["actor"], e["action"], e["target"]) for e in reversed(entries)] == [
        ("security desk", "account.add", "wang"),
        ("security desk", "account.change", "wang"),
        ("security desk", "key.add", key),
        ("security desk", "key.revoke", key),
    ]
    assert PASSWORD not in str(entries)
    assert (await reader.get("/v1/audit", params={"action": "key"})).json()["entries"][1]["seq"] == 3
    verdict = (await reader.get("/v1/audit/verdict")).json()
    assert (verdict["holds"], verdict["entries"]) == (True, 4)


async def test_a_cookie_of_a_login_counts_only_from_our_own_page(
    client_of: Client, services: Services
) -> None:
    await person(services)
    page = client_of(None)
    await enter(page)
    assert COOKIE in page.cookies
    refused = await page.delete("/v1/session", headers={"Origin": "http://elsewhere"})
    assert refused.status_code == 403
