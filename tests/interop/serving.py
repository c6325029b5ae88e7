"""The whole application on a real port, with a fire in the forest, for others' programs to read."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import httpx
import uvicorn

from api.app import create_app
from api.services import Services
from api.store import tokens
from api.store.tokens import Role
from tests.api.world import FOREST, NOW, VILLAGE, fire, report


@dataclass(frozen=True)
class Served:
    """Where it is, and a token for each who may ask."""

    address: str
    tokens: dict[str, str]

    def header(self, name: str) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.tokens[name]}"}

    def client(self, name: str | None) -> httpx.AsyncClient:
        """Return a client with somebody's token, or a stranger's; patient, for machines that are busy."""
        headers = self.header(name) if name else {}
        return httpx.AsyncClient(base_url=self.address, headers=headers, timeout=60.0)


@asynccontextmanager
async def serving(services: Services) -> AsyncIterator[Served]:
    """Yield the application with two fires: one in the forest, a big one in the village."""
    await report(services, 1, fire(1, FOREST, area_m2=20.0))
    await report(services, 2, fire(2, VILLAGE, area_m2=60.0))
    issued = {}
    async with services.database.write() as session:
        for name in ("operator", "forestry", "village"):
            role = Role.OPERATOR if name == "operator" else Role.AGENCY
            agency = name if role is Role.AGENCY else None
            issued[name] = await tokens.issue(session, role=role, name=name, agency=agency, now=NOW)
    config = uvicorn.Config(create_app(services), port=0, log_config=None, timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)
    running = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110  (uvicorn tells its start by this flag alone)
        await asyncio.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield Served(f"http://127.0.0.1:{port}", issued)
    finally:
        services.feed.close()
        server.should_exit = True
        await running
