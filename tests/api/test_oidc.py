"""Logging in at an identity provider, with one that answers on loopback."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import replace

import httpx
import pytest
from joserfc.jwk import RSAKey

from api.app import create_app
from api.oidc import Provider
from api.services import Services
from api.store import accounts as store
from api.store.accounts import NewAccount
from api.store.tokens import Role
from missions.clock import FakeClock
from missions.errors import InputWrong
from tests.api import provider as neighbour
from tests.api.provider import CLIENT, SECRET, IdentityProvider
from tests.api.world import NOW

RETURN = "http://test/v1/login/provider/return"


@pytest.fixture
def identity() -> Iterator[IdentityProvider]:
    with neighbour.running() as provider:
        yield provider


@pytest.fixture
async def page(services: Services, identity: IdentityProvider) -> AsyncIterator[httpx.AsyncClient]:
    """A browser at a service that knows the provider, where Wang is linked to a person there."""
    known = Provider(identity.issuer, CLIENT, SECRET, RETURN)
    with_provider = replace(services, options=replace(services.options, provider=known))
    async with services.database.write() as session:
        subject = f"{identity.issuer}|{identity.subject}"
        await store.add(session, NewAccount("wang", "Wang", Role.OPERATOR, subject=subject), now=NOW)
    transport = httpx.ASGITransport(create_app(with_provider))
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        yield client


async def come_back(page: httpx.AsyncClient) -> httpx.Response:
    """Go to the provider, log in there, and come back with what it sends."""
    begun = await page.get("/v1/login/provider")
    assert begun.status_code == 307
    return await page.get(await neighbour.follow(begun.headers["Location"]))


async def test_a_linked_person_comes_in(page: httpx.AsyncClient) -> None:
    assert (await page.get("/v1/login/ways")).json()["provider"] is True
    reply = await come_back(page)
    assert (reply.status_code, reply.headers["Location"]) == (303, "/")
    assert (await page.get("/v1/me")).json()["role"] == "operator"


async def test_somebody_whom_nobody_added_stays_outside(
    page: httpx.AsyncClient, identity: IdentityProvider
) -> None:
    identity.subject = "a stranger"
    assert (await come_back(page)).status_code == 401
    assert (await page.get("/v1/me")).status_code == 401


@pytest.mark.parametrize(
    "lie",
    [
        {"iss": "https://elsewhere.example"},
        {"aud": "another service"},
        {"aud": [CLIENT, "another"], "azp": "another"},
        {"nonce": "of another login"},
        {"exp": 1},
    ],
)
async def test_a_token_that_does_not_hold_is_refused(
    page: httpx.AsyncClient, identity: IdentityProvider, lie: dict[str, object]
) -> None:
    identity.claims = lie
    assert (await come_back(page)).status_code == 401


async def test_a_token_signed_by_somebody_else_is_refused(
    page: httpx.AsyncClient, identity: IdentityProvider
) -> None:
    identity.signing = RSAKey.generate_key(2048, {"kid": "k1"})
    assert (await come_back(page)).status_code == 401


async def test_a_way_back_counts_once_and_only_if_begun_here(page: httpx.AsyncClient) -> None:
    begun = await page.get("/v1/login/provider")
    back = await neighbour.follow(begun.headers["Location"])
    assert (await page.get(back)).status_code == 303
    assert (await page.get(back)).status_code == 401
    assert (await page.get(f"{RETURN}?state=made-up&code=x")).status_code == 401


async def test_a_login_that_took_too_long_begins_again(page: httpx.AsyncClient, clock: FakeClock) -> None:
    begun = await page.get("/v1/login/provider")
    back = await neighbour.follow(begun.headers["Location"])
    clock.advance(601)
    assert (await page.get(back)).status_code == 401


async def test_a_provider_that_is_away_is_said_to_be(services: Services) -> None:
    gone = Provider("http://127.0.0.1:9", CLIENT, SECRET, RETURN)
    app = create_app(replace(services, options=replace(services.options, provider=gone)))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as page:
        reply = await page.get("/v1/login/provider")
    assert (reply.status_code, "does not answer" in reply.json()["message"]) == (503, True)


def test_a_provider_is_reached_over_tls_and_its_secret_is_not_shown() -> None:
    with pytest.raises(InputWrong, match="https://"):
        Provider("http://login.example", CLIENT, SECRET, RETURN)
    assert SECRET not in repr(Provider("https://login.example", CLIENT, SECRET, RETURN))
