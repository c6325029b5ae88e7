"""Who asks too often is told so, and when to come back."""

from collections.abc import Callable

import httpx
import pytest

from api.errors import TooMany
from api.rates import PER_CALLER, PER_LOGIN, PER_STRANGER, Rates
from api.store.tokens import Caller, Role

Client = Callable[[str | None], httpx.AsyncClient]


async def test_logins_are_tried_ten_times_a_minute_at_most(client_of: Client) -> None:
    wish = {"login": "nobody", "password": "three red cranes"}
    for _ in range(PER_LOGIN.amount):
        assert (await client_of(None).post("/v1/login", json=wish)).status_code == 401
    reply = await client_of(None).post("/v1/login", json=wish)
    assert (reply.status_code, reply.json()["error"]) == (429, "too_many")
    assert 1 <= int(reply.headers["Retry-After"]) <= 60


async def test_strangers_are_counted_by_their_address(client_of: Client) -> None:
    for _ in range(PER_STRANGER.amount):
        assert (await client_of(None).get("/v1/incidents")).status_code == 401
    assert (await client_of(None).get("/v1/incidents")).status_code == 429
    assert (await client_of("operator").get("/v1/incidents")).status_code == 200


def test_callers_are_counted_each_and_gateways_never() -> None:
    rates = Rates()
    desk, other = (Caller(name, Role.OPERATOR, None, name) for name in ("a", "b"))
    gateway = Caller("g", Role.GATEWAY, None, "g")
    for _ in range(PER_CALLER.amount):
        rates.count_caller(desk)
        rates.count_caller(gateway)
    with pytest.raises(TooMany):
        rates.count_caller(desk)
    rates.count_caller(other)
    rates.count_caller(gateway)
