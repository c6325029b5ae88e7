"""The short way of observations answers as the route does, and holds a key good at every request."""

import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from sqlalchemy import select

from api.app import create_app
from api.lane import MOST_KEYS, KnownKeys, Lane
from api.services import Services
from api.store import tokens
from api.store.models import TokenRow
from api.store.tokens import Role
from tests.api.test_observing import told
from tests.api.world import NOW, frame_form

Client = Callable[[str | None], httpx.AsyncClient]


async def test_the_second_request_of_a_key_goes_the_short_way_and_is_answered_alike(
    client_of: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    gateway, short = client_of("gateway"), []
    answered = Lane._answer

    async def noted(self: Lane, token: str, heard: list[Any]) -> Any:
        answer = await answered(self, token, heard)
        short.append(answer is not None)
        return answer

    monkeypatch.setattr(Lane, "_answer", noted)
    await gateway.post("/v1/frames", **frame_form())
    long = await gateway.post("/v1/observations", json=told(1))
    assert short == []
    quick = await gateway.post("/v1/observations", json=told(2))
    again = await gateway.post("/v1/observations", json=told(2))
    assert short == [True, True]
    assert (quick.status_code, again.status_code) == (201, 200)
    assert quick.json() == again.json()
    assert set(quick.json()) == set(long.json())
    assert quick.json()["incident"] == long.json()["incident"]
    assert dict(quick.headers) | {"content-length": ""} == dict(long.headers) | {"content-length": ""}


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (json.dumps(told(1, frame="0d4f6f5e-6c0e-5a5e-9d0c-3f0c6f1b7a11")), 404),
        (json.dumps(told(1, confidence=2)), 422),
        (json.dumps(told(1, colour="red")), 422),
        (json.dumps(told(1, detector="edge\x01")), 422),
        (json.dumps(told(1, seen_at="0001-01-01T00:00:00+14:00")), 422),
        (json.dumps(told(1, seen_at="9999-12-31T23:59:59-12:00")), 422),
        ("{", 422),
        ("", 422),
        ("[]", 422),
        (json.dumps(told(1, lat_deg="NaN")), 422),
        (json.dumps(told(1, detector="边缘 1"), ensure_ascii=False), 201),
    ],
)
async def test_what_is_unusual_is_answered_the_same_on_both_ways(
    client_of: Client, body: str, status: int
) -> None:
    gateway, kind = client_of("gateway"), {"Content-Type": "application/json"}
    await gateway.post("/v1/frames", **frame_form())
    first = await gateway.post("/v1/observations", content=body.encode(), headers=kind)
    await gateway.post("/v1/observations", json=told(2))
    second = await gateway.post("/v1/observations", content=body.encode(), headers=kind)
    assert first.status_code == status
    if status == 201:
        assert second.status_code == 200
    else:
        assert (second.status_code, second.json()) == (status, first.json())


async def test_a_key_revoked_a_moment_ago_opens_nothing(services: Services, client_of: Client) -> None:
    gateway = client_of("gateway")
    await gateway.post("/v1/frames", **frame_form())
    for number in (1, 2):
        assert (await gateway.post("/v1/observations", json=told(number))).status_code == 201
    async with services.database.write() as session:
        key = await session.scalar(select(TokenRow.id).where(TokenRow.role == "gateway"))
        await tokens.revoke(session, str(key), now=NOW)
    for number in (3, 4):
        assert (await gateway.post("/v1/observations", json=told(number))).status_code == 401


async def test_a_key_without_the_scope_is_told_so_on_both_ways(services: Services) -> None:
    async with services.database.write() as session:
        key = await tokens.issue(session, role=Role.GATEWAY, name="g", now=NOW, scopes=["frames:write"])
    app = create_app(services)
    transport, headers = httpx.ASGITransport(app), {"Authorization": f"Bearer {key}"}
    async with httpx.AsyncClient(transport=transport, base_url="http://test", headers=headers) as client:
        assert (await client.post("/v1/observations", json=told())).status_code == 403
        app.state.keys.remember(key)
        assert (await client.post("/v1/observations", json=told())).status_code == 403
        assert key not in app.state.keys


async def test_a_request_with_an_idempotency_key_is_replayed_as_before(client_of: Client) -> None:
    gateway, once = client_of("gateway"), {"Idempotency-Key": "k1"}
    await gateway.post("/v1/frames", **frame_form())
    await gateway.post("/v1/observations", json=told(1))
    first = await gateway.post("/v1/observations", json=told(2), headers=once)
    again = await gateway.post("/v1/observations", json=told(2), headers=once)
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.headers["idempotent-replayed"] == "true"


def test_only_so_many_keys_are_remembered() -> None:
    keys = KnownKeys()
    for number in range(MOST_KEYS + 1):
        keys.remember(f"k{number}")
    assert "k0" not in keys
    assert "k1" in keys
    keys.forget("k1")
    keys.forget("k1")
    assert "k1" not in keys
