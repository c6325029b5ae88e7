"""An order's whole life, its timers and the words of witnesses, on SQLite and on PostgreSQL alike.

`make postgres` runs all of the API's tests on PostgreSQL; this is the part of it that every run does.
"""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from sqlalchemy import func, select

from api.app import create_app
from api.roles.timekeeping import Timekeeper
from api.services import Services
from api.store import tokens
from api.store.engine import database_url, downgrade, open_database
from api.store.fleet import seed_site
from api.store.live import LiveIncidents
from api.store.models import EventRow, IncidentRow, ObservationRow
from api.store.tokens import Role
from api.verification import Outcome
from missions.clock import FakeClock
from missions.geo import moved
from tests.api.test_escalation import calls, staffed
from tests.api.test_observing import told
from tests.api.test_orders import act, made, settle
from tests.api.test_witnesses import spot, tell, word
from tests.api.world import FOREST, NOW, frame_form, frame_id


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
async def built(
    request: pytest.FixtureRequest, tmp_path: Path, services: Services
) -> AsyncIterator[Services]:
    """A service with two people on call, on a database of each kind."""
    (tmp_path / "own").mkdir()
    url = None if request.param == "sqlite" else request.getfixturevalue("postgres_server").get_uri()
    database = await open_database(database_url(url, folder=tmp_path / "own"))
    site = staffed(services.site)
    async with database.write() as session:
        await seed_site(session, site, gateway="g1")
    yield replace(services, database=database, site=site, live=LiveIncidents())
    await downgrade(database, "base")  # others use this server too
    await database.close()


async def client_of(built: Services, role: Role, agency: str | None = None) -> httpx.AsyncClient:
    async with built.database.write() as session:
        token = await tokens.issue(session, role=role, name=role.value, now=NOW, agency=agency)
    transport = httpx.ASGITransport(create_app(built))
    headers = {"Authorization": f"Bearer {token}"}
    return httpx.AsyncClient(transport=transport, base_url="http://test", headers=headers)


async def test_orders_timers_and_witnesses_work_alike(built: Services, clock: FakeClock) -> None:
    keeper, other = Timekeeper(built, "a"), Timekeeper(built, "b")
    forestry = await client_of(built, Role.AGENCY, "forestry")
    gateway = await client_of(built, Role.GATEWAY)
    async with forestry, gateway:
        order = await made(built, forestry)
        await asyncio.gather(keeper.fire(), other.fire())
        assert await calls(built) == ["Ann by sms"]
        clock.advance(120)
        await asyncio.gather(keeper.fire(), other.fire())
        assert await calls(built) == ["Ann by sms", "Ann by voice"]
        (alert,) = (await forestry.get("/v1/alerts")).json()["alerts"]
        assert (await forestry.post(f"/v1/alerts/{alert['id']}/acknowledge")).status_code == 200
        await act(forestry, order["id"], "dispatch", assignee="Team 3")
        await act(forestry, order["id"], "arrive")
        await act(forestry, order["id"], "resolve", verdict="forest_fire")
        await settle(built, order["incident"], Outcome.CLEAN)
        assert (await act(forestry, order["id"], "close")).json()["state"] == "closed"
        clock.advance(3600)
        await asyncio.gather(keeper.fire(), other.fire())
        assert len(await calls(built)) == 2
        await asyncio.gather(keeper.tidy(), other.tidy())
        far = moved(FOREST, 0.0, 500.0)
        imported = await tell(built, spot("s1", far), spot("s2", moved(far, 90.0, 100.0)), word("w", far))
        assert (imported.opened, imported.new) == (1, 3)
        await gateway.post("/v1/frames", **frame_form(9))
        seen = [told(n, frame=frame_id(9)) for n in range(12)]
        first = await gateway.post("/v1/observations", json=seen[0])
        replies = await asyncio.gather(*(gateway.post("/v1/observations", json=one) for one in seen[1:]))
        assert {reply.status_code for reply in (first, *replies)} == {201}
    async with built.database.read() as session:
        assert await session.scalar(select(func.count()).select_from(ObservationRow)) == 13
        numbers = list(await session.scalars(select(EventRow.seq).order_by(EventRow.seq)))
        incidents = list(await session.scalars(select(IncidentRow.changed_seq)))
    assert numbers == sorted(set(numbers))
    assert len(set(incidents)) == len(incidents)
    assert built.clock.now() - NOW == timedelta(seconds=3720)
