"""The tables: migrations both ways, on both databases, and rows that are written once."""

import asyncio
import stat
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, inspect, text
from sqlalchemy.exc import IntegrityError, StatementError

from api.analysis import Analysis
from api.errors import Conflict
from api.schemas import FrameIn
from api.store import alerting, events, frames, leases, outbox
from api.store.absorbing import record_observations
from api.store.engine import Database, database_url, downgrade, open_database, upgrade
from api.store.fleet import seed_site
from api.store.frames import accept_frame
from api.store.models import DroneRow, EventRow
from api.store.outbox import Ending, Try
from api.store.receivers import set_webhook
from api.store.tables import Base
from api.store.tokens import Caller, Role
from missions.errors import InputWrong
from missions.model import Site
from tests.api.world import BORDER, NOW, detection, fire, frame_id, frame_meta


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
async def empty(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Database]:
    """A database without tables, of each kind we run on."""
    url = None if request.param == "sqlite" else request.getfixturevalue("postgres_server").get_uri()
    opened = await open_database(database_url(url, folder=tmp_path), migrate=False)
    yield opened
    await downgrade(opened, "base")
    await opened.close()


def tables(connection: Connection) -> set[str]:
    return set(inspect(connection).get_table_names()) - {"alembic_version"}


def differences(connection: Connection) -> list[object]:
    return list(compare_metadata(MigrationContext.configure(connection), Base.metadata))


async def test_migrations_make_the_tables_of_the_models_and_take_them_away(empty: Database) -> None:
    await upgrade(empty)
    await upgrade(empty)
    async with empty.engine.connect() as connection:
        assert await connection.run_sync(differences) == []
        assert await connection.run_sync(tables) == set(Base.metadata.tables)
    await downgrade(empty, "base")
    async with empty.engine.connect() as connection:
        assert await connection.run_sync(tables) == set()


async def test_the_store_works_alike_on_both_databases(empty: Database, site: Site) -> None:
    await upgrade(empty)
    async with empty.write() as session:
        await seed_site(session, site, gateway="g1")
        await seed_site(session, site, gateway="g2")
        meta = FrameIn(**frame_meta())
        assert await accept_frame(session, meta, key="k", now=NOW)
        assert not await accept_frame(session, meta, key="k", now=NOW)
        await events.append(session, "dock", {"a": "一"}, now=NOW, agencies=["forestry"])
        assert await outbox.lease_due(session, now=NOW, ttl_s=60, limit=5) == []
    async with empty.read() as session:
        (row,) = await events.after(session, 0)
        assert (row.data, row.agencies, row.at) == ({"a": "一"}, ["forestry"], NOW)
        assert await events.last(session) == row.seq
        drone = await session.get(DroneRow, "D1")
        assert drone
        assert drone.gateway == "g2"


async def test_a_fire_becomes_a_message_on_both_databases(empty: Database, site: Site) -> None:
    """The whole way of one transaction, then a lease, a failed try and a delivery."""
    await upgrade(empty)
    analysis = Analysis(frame_id(1), (detection(),), (fire(1, BORDER, area_m2=20.0),))
    async with empty.write() as session:
        await seed_site(session, site, gateway="g1")
        for agency in ("forestry", "village"):
            await set_webhook(session, agency, "http://127.0.0.1:9/", now=NOW)
        await accept_frame(session, FrameIn(**frame_meta()), key="k", now=NOW)
        recorded = await record_observations(session, analysis, site=site, now=NOW)
    assert (len(recorded.incidents), len(recorded.alerts)) == (1, 2)
    async with empty.write() as session:
        lines = await outbox.lease_due(session, now=NOW, ttl_s=60, limit=5)
        assert [line.receiver for line in lines] == ["forestry-webhook", "village-webhook"]
    (told,), (missed,) = (line.messages for line in lines)
    async with empty.write() as session:
        assert await outbox.lease_due(session, now=NOW, ttl_s=60, limit=5) == []
        tries = [Try(told, NOW, 1.0), Try(missed, NOW, 1.0, error="x")]
        endings = [Ending(lines[0], NOW, failures=0), Ending(lines[1], NOW, failures=1)]
        assert not await outbox.settle(session, tries, endings, now=NOW)
    async with empty.write() as session:
        (line,) = await outbox.lease_due(session, now=NOW, ttl_s=60, limit=5)
        (again,) = line.messages
        assert (again.id, again.attempt, again.body) == (missed.id, 2, missed.body)
        operator = Caller("t", Role.OPERATOR, None, "desk")
        village = Caller("t", Role.AGENCY, "village", "desk")
        assert len(await alerting.alerts_of(session, operator)) == 2
        (alert,) = await alerting.alerts_of(session, village)
        assert (await alerting.acknowledge(session, alert.id, village, now=NOW)).state == "acknowledged"
        assert len(await frames.frames(session, village, sortie=None, limit=5)) == 1


async def test_one_holder_at_a_time_and_the_fence_grows_with_every_change_of_hands(empty: Database) -> None:
    await upgrade(empty)

    async def take(holder: str, seconds: float) -> int | None:
        async with empty.write() as session:
            now = NOW + timedelta(seconds=seconds)
            return await leases.take(session, "coordinator", holder, now=now, ttl_s=10)

    calls = [("a", 0, 1), ("b", 5, None), ("a", 8, 1), ("b", 17, None), ("b", 18, 2), ("a", 19, None)]
    for holder, seconds, fence in calls:
        assert await take(holder, seconds) == fence, (holder, seconds)
    async with empty.write() as session:
        await leases.check(session, "coordinator", 2)
        with pytest.raises(Conflict):
            await leases.check(session, "coordinator", 1)


async def test_events_of_many_writers_are_read_without_gaps(empty: Database) -> None:
    """A reader that polls while others write sees every number once and in order."""
    await upgrade(empty)
    seen: list[int] = []

    async def write(number: int) -> None:
        async with empty.write() as session:
            await events.append(session, "dock", {"n": number}, now=NOW)

    async def read() -> None:
        while len(seen) < 20:
            async with empty.read() as session:
                seen.extend(row.seq for row in await events.after(session, seen[-1] if seen else 0))
            await asyncio.sleep(0)  # lets the writers go on

    async with asyncio.timeout(20), asyncio.TaskGroup() as group:
        group.create_task(read())
        for number in range(20):
            group.create_task(write(number))
    assert seen == sorted(set(seen))
    assert len(seen) == 20


async def test_sqlite_keeps_what_it_promised(tmp_path: Path) -> None:
    """A commit is on the disk, and a row cannot point to nothing."""
    database = await open_database(database_url(None, folder=tmp_path))
    async with database.read() as session:
        pragmas = [
            await session.scalar(text(f"PRAGMA {p}")) for p in ("journal_mode", "synchronous", "foreign_keys")
        ]
    assert pragmas == ["wal", 2, 1]
    with pytest.raises(IntegrityError):
        async with database.write() as session:
            session.add(DroneRow(id="D9", model="GP-1", dock="nowhere", system_id=9, gateway="g", state="x"))
    await database.close()


def rights_below(folder: Path) -> dict[str, int]:
    """File rights by what follows the database's name."""
    files = folder.glob("gridpatrol.db*")
    return {f.name.removeprefix("gridpatrol.db"): stat.S_IMODE(f.stat().st_mode) for f in files}


async def test_the_database_file_is_its_owners_alone(tmp_path: Path) -> None:
    """It holds the secrets that webhooks are signed with."""
    opened = await open_database(database_url(None, folder=tmp_path))
    async with opened.read() as session:
        await session.execute(text("SELECT 1"))
        assert rights_below(tmp_path) == dict.fromkeys(("", "-shm", "-wal"), 0o600)
    await opened.close()


async def test_a_time_without_a_zone_is_refused(database: Database) -> None:
    with pytest.raises(StatementError, match="no time zone"):
        async with database.write() as session:
            session.add(EventRow(kind="x", data={}, agencies=[], at=datetime(2026, 6, 1)))  # noqa: DTZ001


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("postgresql://u:p@h/db", "postgresql+asyncpg://u:p@h/db"),
        ("postgres://h/db", "postgresql+asyncpg://h/db"),
        ("sqlite:////tmp/x.db", "sqlite+aiosqlite:////tmp/x.db"),
    ],
)
def test_a_plain_database_url_finds_its_driver(text: str, expected: str) -> None:
    assert database_url(text, folder=Path("/nowhere")) == expected


def test_a_database_we_do_not_run_on_is_refused() -> None:
    with pytest.raises(InputWrong, match="mysql"):
        database_url("mysql://h/db", folder=Path("/nowhere"))
