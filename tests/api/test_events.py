"""The event stream over a real connection: in order, from where one left off, and only one's own."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
import uvicorn
from sqlalchemy import delete, select

from api.app import create_app
from api.services import Services
from api.store import events, tokens
from api.store.models import EventRow, TokenRow
from api.store.tokens import Role
from tests.api.world import BORDER, FOREST, NOW, VILLAGE, fire, report

PATIENCE_S = 10.0


@dataclass(frozen=True)
class Event:
    kind: str
    id: str | None
    data: dict[str, Any]


@pytest.fixture
async def address(services: Services) -> AsyncIterator[str]:
    config = uvicorn.Config(create_app(services), port=0, log_config=None, timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)
    running = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110  (uvicorn tells its start by this flag alone)
        await asyncio.sleep(0.01)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    services.feed.close()
    server.should_exit = True
    await running


@asynccontextmanager
async def stream(
    services: Services, address: str, role: Role, agency: str | None = None, **headers: str
) -> AsyncIterator[AsyncIterator[Event]]:
    async with services.database.write() as session:
        token = await tokens.issue(session, role=role, name="desk", agency=agency, now=NOW)
    headers = {"Authorization": f"Bearer {token}", **headers}
    async with (
        asyncio.timeout(PATIENCE_S),
        httpx.AsyncClient(trust_env=False) as client,
        client.stream("GET", f"{address}/v1/events", headers=headers) as reply,
    ):
        assert reply.status_code == 200
        assert reply.headers["content-type"].startswith("text/event-stream")
        yield parsed(reply)


async def parsed(reply: httpx.Response) -> AsyncIterator[Event]:
    fields: dict[str, str] = {}
    async for line in reply.aiter_lines():
        if line:
            name, _, value = line.partition(": ")
            fields[name] = value
        elif "data" in fields:
            yield Event(fields["event"], fields.get("id"), json.loads(fields["data"]))
            fields = {}


async def take(stream: AsyncIterator[Event], number: int) -> list[Event]:
    return [await anext(stream) for _ in range(number)]


async def test_a_fire_is_told_as_frame_alert_and_incident(services: Services, address: str) -> None:
    async with stream(services, address, Role.OPERATOR) as operator:
        await report(services, 1, fire(1, FOREST))
        services.feed.wake()
        told = await take(operator, 3)
    assert [e.kind for e in told] == ["frame", "alert", "incident"]
    assert [int(e.id or 0) for e in told] == [1, 2, 3]
    assert told[0].data["detections"] == 1
    assert told[2].data["agencies"] == ["forestry"]


async def test_a_browser_that_was_away_gets_what_it_missed(services: Services, address: str) -> None:
    await report(services, 1, fire(1, FOREST))
    async with stream(services, address, Role.OPERATOR, **{"Last-Event-ID": "1"}) as operator:
        told = await take(operator, 2)
        await report(services, 2, fire(2, VILLAGE, area_m2=20.0))
        services.feed.wake()
        told += await take(operator, 3)
    assert [int(e.id or 0) for e in told] == [2, 3, 4, 5, 6]


async def test_who_was_away_for_longer_than_events_are_kept_is_told_of_the_gap(
    services: Services, address: str
) -> None:
    await report(services, 1, fire(1, FOREST))
    async with services.database.write() as session:
        await session.execute(delete(EventRow).where(EventRow.seq < 3))
    for begin, kinds in (("1", ["gap", "incident"]), ("2", ["incident"])):
        async with stream(services, address, Role.OPERATOR, **{"Last-Event-ID": begin}) as operator:
            assert [event.kind for event in await take(operator, len(kinds))] == kinds


@pytest.mark.parametrize("said", ["", "soon", "9" * 5000])
async def test_a_last_event_id_that_is_none_begins_with_what_happens_next(
    services: Services, address: str, said: str
) -> None:
    await report(services, 1, fire(1, FOREST))
    async with stream(services, address, Role.OPERATOR, **{"Last-Event-ID": said}) as operator:
        await report(services, 2, fire(2, VILLAGE, area_m2=20.0))
        services.feed.wake()
        (told,) = await take(operator, 1)
    assert int(told.id or 0) == 4


async def test_an_agency_hears_of_its_own_and_nothing_of_flights(services: Services, address: str) -> None:
    async with stream(services, address, Role.AGENCY, "village") as village:
        await report(services, 1, fire(1, FOREST))
        services.feed.push("telemetry", "D1", {"drone": "D1", "at": NOW.isoformat()})
        await report(services, 2, fire(2, BORDER, area_m2=20.0))
        services.feed.wake()
        told = await take(village, 2)
    assert [e.kind for e in told] == ["alert", "incident"]
    assert told[0].data["agency"] == "village"
    assert told[1].data["agencies"] == ["village"]


async def test_telemetry_comes_without_an_id_and_shows_among_the_drones(
    services: Services, address: str, client_of: Any
) -> None:
    row = {"drone": "D1", "state": "flying", "lat_deg": 30.28, "lon_deg": 119.42, "at": NOW.isoformat()}
    async with stream(services, address, Role.OPERATOR) as operator:
        services.feed.push("telemetry", "D1", row)
        (told,) = await take(operator, 1)
    assert (told.kind, told.id, told.data["id"]) == ("telemetry", None, "D1")
    assert told.data["updated_at"] == NOW.isoformat()
    (drone,) = (await client_of("operator").get("/v1/drones")).json()["drones"]
    assert (drone["state"], drone["lat_deg"]) == ("flying", 30.28)


async def test_a_stream_ends_when_its_token_is_revoked(services: Services, address: str) -> None:
    async with stream(services, address, Role.OPERATOR) as operator:
        async with services.database.write() as session:
            for token in await session.scalars(select(TokenRow.id)):
                await tokens.revoke(session, token, now=NOW)
        services.feed.wake()
        with pytest.raises(StopAsyncIteration):
            await anext(operator)


async def test_what_another_process_wrote_is_told_without_a_bell(services: Services, address: str) -> None:
    async with stream(services, address, Role.OPERATOR) as operator:
        async with services.database.write() as session:
            await events.append(session, "dock", {"id": "dock-east"}, now=NOW)
        (told,) = await take(operator, 1)
    assert told.kind == "dock"
