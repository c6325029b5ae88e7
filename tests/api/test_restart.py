"""What was promised to a receiver that is down survives every kind of ending."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import httpx
import pytest
from shapely import Polygon

from api import bus_server, children, settings
from api.bus_server import free_port
from api.roles.serve import _prepare_database, environment
from api.services import Options
from api.settings import Settings
from api.store.engine import open_database
from missions.clock import ScaledClock
from missions.geo import LatLon, moved
from missions.site import load_site
from tests.api.test_outbox import Receiver, deliveries, hook, listening
from tests.api.world import NOW, fire, report

PATIENCE_S = 60.0
# So that waiting for a back-off of five seconds takes a quarter of one.
SPEED = 20.0


@asynccontextmanager
async def api_role(told: Settings) -> AsyncIterator[None]:
    """The api as `serve` starts it; killed without a goodbye on leaving."""
    process = await children.start(children.program("api"), environment=environment(told))
    try:
        async with asyncio.timeout(PATIENCE_S), httpx.AsyncClient(trust_env=False) as client:
            while True:
                try:
                    assert (await client.get(f"{told.base_url}/v1/health")).status_code == 200
                    break
                except httpx.TransportError:
                    await asyncio.sleep(0.1)  # its readiness is in its log alone
        yield
    finally:
        process.kill()
        await process.wait()


async def until(services, true):
    """Return the deliveries once they are as wanted."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            if true(rows := await deliveries(services)):
                return rows
            await asyncio.sleep(0.1)  # another process works on them: no bell rings here


@pytest.mark.slow
async def test_every_message_arrives_once_and_in_order_whatever_was_killed(tmp_path, services):
    """The receiver is not there, then busy; the api is killed twice; then all of it starts anew."""
    clock = ScaledClock.starting_now(NOW, SPEED)
    told = settings.read(
        data=tmp_path / "data", clock=str(clock), http_port=free_port(), webhook_networks="127.0.0.0/8"
    )
    (told.data / "keys").mkdir(parents=True)
    site = load_site(told.site)
    (forest,) = next(a for a in site.agencies if a.id == "forestry").jurisdiction
    first = inside(forest.outer)
    second = moved(first, 0.0, 150.0)
    receiver = Receiver(status=503)
    async with listening(receiver):
        pass  # its port is known, and nobody listens there

    async with bus_server.running(told.data):
        await _prepare_database(told, site)
        database = await open_database(told.database, migrate=False)
        valley = replace(services, database=database, site=site, clock=clock, options=Options())
        await hook(valley, "forestry", receiver.url)
        async with api_role(told):
            await report(valley, 1, fire(1, first))
            (row,) = await until(valley, lambda rows: rows[0].last_error is not None)
            assert "no connection" in row.last_error
        await report(valley, 2, fire(2, second))
        async with listening(receiver), api_role(told):
            await until(valley, lambda rows: "503" in (rows[0].last_error or ""))
        await report(valley, 3, fire(3, first, area_m2=60.0))
        await database.close()

    receiver.status, receiver.got = 200, []
    async with bus_server.running(told.data), listening(receiver), api_role(told):
        valley = replace(valley, database=await open_database(told.database))
        rows = await until(valley, lambda rows: all(r.state == "delivered" for r in rows))
        await valley.database.close()
    assert receiver.ids == [row.id for row in rows]
    assert [json.loads(body)["type"].rpartition(".")[2] for _, body in receiver.got] == [
        "raised",
        "raised",
        "updated",
    ]


def inside(ring):
    """A place well inside a ring."""
    point = Polygon([(p.lon_deg, p.lat_deg) for p in ring]).representative_point()
    return LatLon(point.y, point.x)
