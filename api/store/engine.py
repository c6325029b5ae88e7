"""The database: SQLite by default, PostgreSQL by URL, the same code on both.

SQLite runs with a write-ahead log, `synchronous=FULL` (a commit that was
answered survives a power cut) and foreign keys. Python's driver opens a
transaction only at the first write, which in WAL mode lets two readers deadlock
into "database is locked" when both turn writer; so transactions are begun by
hand, and a writing one takes the write lock at its beginning.
"""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from pydantic_core import PydanticSerializationError, from_json, to_json
from sqlalchemy import Connection, event, make_url, text
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker, create_async_engine

from api.store import driver
from api.store.base import JsonText
from missions.errors import InputWrong

BUSY_S = 30.0
"""How long a writer waits for another process's transaction before it gives up."""

_WRITES = "gridpatrol_writes"
_LOSSY = "gridpatrol_lossy"
_BRIEF = "gridpatrol_brief"
_LEVEL = "gridpatrol_synchronous"


@dataclass(frozen=True, slots=True)
class Database:
    """Where sessions come from. One per process."""

    engine: AsyncEngine
    _turn: asyncio.Lock | None = field(default=None, repr=False)
    _kinds: dict[tuple[bool, bool, bool], async_sessionmaker[AsyncSession]] = field(
        default_factory=dict, repr=False, compare=False
    )

    @asynccontextmanager
    async def write(
        self, *, survives_power_cut: bool = True, is_brief: bool = False
    ) -> AsyncIterator[AsyncSession]:
        """Give a session inside one transaction, committed on leaving, rolled back on an error.

        is_brief: its statements find their rows by key and are few; SQLite then runs them on the spot.

        On SQLite the writers of one process queue here instead of polling the file's lock.
        What only its writer relies on (a lease: whoever loses power loses it anyway) need not
        wait for the disk; a killed process loses none of it.
        """
        queue: AbstractAsyncContextManager[Any] = self._turn or nullcontext()
        makes = self._sessions(writes=True, lossy=not survives_power_cut, brief=is_brief)
        async with queue, makes.begin() as session:
            if not survives_power_cut and self._turn is None:
                await session.execute(text("SET LOCAL synchronous_commit = off"))
            yield session

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncSession]:
        """Give a session that sees one moment of the database and changes nothing."""
        async with self._sessions(writes=False)() as session:
            yield session

    def _sessions(
        self, *, writes: bool, lossy: bool = False, brief: bool = False
    ) -> async_sessionmaker[AsyncSession]:
        """Return what makes sessions of a kind; each is made once, it is a class of its own."""
        kind = writes, lossy, brief
        if kind not in self._kinds:
            options = {_WRITES: writes, _LOSSY: lossy, _BRIEF: brief}
            engine = self.engine.execution_options(**options) if writes else self.engine
            self._kinds[kind] = async_sessionmaker(engine, expire_on_commit=False)
        return self._kinds[kind]

    async def close(self) -> None:
        await self.engine.dispose()


def database_url(text: str | None, *, folder: Path) -> str:
    """Return the SQLAlchemy URL of a setting: nothing means a SQLite file in the data folder.

    Raises:
        InputWrong: the URL names a database we do not run on.
    """
    if not text:
        return f"sqlite+aiosqlite:///{folder / 'gridpatrol.db'}"
    url = make_url(text)
    drivers = {
        "sqlite": "sqlite+aiosqlite",
        "postgresql": "postgresql+asyncpg",
        "postgres": "postgresql+asyncpg",
    }
    base = url.drivername.partition("+")[0]
    if base not in drivers:
        raise InputWrong(f"database URL: found {base}://, expected sqlite:// or postgresql://")
    return url.set(drivername=drivers[base]).render_as_string(hide_password=False)


async def open_database(url: str, *, migrate: bool = True) -> Database:
    """Return the database of a URL, its tables brought up to date first unless told otherwise."""
    engine = _engine(url)
    database = Database(engine, asyncio.Lock() if engine.dialect.name == "sqlite" else None)
    if migrate:
        await upgrade(database)
    return database


async def upgrade(database: Database, revision: str = "head") -> None:
    """Bring the tables to a revision; nothing happens when they are there already."""
    await _migrate(database, lambda config: command.upgrade(config, revision))


async def downgrade(database: Database, revision: str) -> None:
    """Take the tables back to an earlier revision; "base" leaves none."""
    await _migrate(database, lambda config: command.downgrade(config, revision))


async def _migrate(database: Database, step: Any) -> None:
    def run(connection: Connection) -> None:
        config = Config()
        config.set_main_option("script_location", "api.store:migrations")
        config.attributes["connection"] = connection
        step(config)

    async with database.engine.execution_options(**{_WRITES: True}).begin() as connection:
        if connection.dialect.name == "postgresql":
            # Two processes that start together must not both create the tables.
            await connection.exec_driver_sql("SELECT pg_advisory_xact_lock(7177001)")
        await connection.run_sync(run)


def _engine(url: str) -> AsyncEngine:
    json_by: dict[str, Any] = {"json_serializer": _to_json, "json_deserializer": from_json}
    if not url.startswith("sqlite"):
        return create_async_engine(url, pool_pre_ping=True, **json_by)
    if (file := make_url(url).database) and file != ":memory:":
        # It holds the secrets that webhooks are signed with. SQLite gives its other files the same rights.
        Path(file).touch(mode=0o600)
    connecting = {"timeout": BUSY_S, "async_creator_fn": driver.connect}
    engine = create_async_engine(url, connect_args=connecting, **json_by)
    event.listen(engine.sync_engine, "connect", _prepare_sqlite)
    event.listen(engine.sync_engine, "begin", _begin_sqlite)
    return engine


def _to_json(value: Any) -> str:
    """Return a value as JSON text; half a character, which no UTF-8 holds, is escaped."""
    if isinstance(value, JsonText):
        return value
    try:
        return to_json(value).decode()
    except PydanticSerializationError:
        return json.dumps(value)


def _prepare_sqlite(connection: Any, record: Any) -> None:
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    options = connection.get_execution_options()
    if options.get(_WRITES, False):
        level = "NORMAL" if options.get(_LOSSY, False) else "FULL"
        if connection.info.get(_LEVEL, "FULL") != level:  # a pooled connection keeps the last one's
            connection.exec_driver_sql(f"PRAGMA synchronous={level}")
            connection.info[_LEVEL] = level
    connection.exec_driver_sql("BEGIN IMMEDIATE" if options.get(_WRITES, False) else "BEGIN")
    if options.get(_BRIEF, False):
        way: Any = connection.connection.driver_connection
        way.is_brief = True
