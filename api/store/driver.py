"""The way to SQLite: one walk to the database's thread for each statement.

The usual driver goes there four times: for a cursor, to run the statement, to fetch its rows, and to
close the cursor. Each way there and back wakes a thread twice, which on a busy machine costs more than
most statements do. Nothing here reads a result piece by piece, so one walk brings all of it.

A transaction that says it is brief (`Database.write`) walks there twice: to wait for the write lock, and
to wait for the disk. Between the two nothing waits for anybody, and its statements, each some
microseconds over rows in memory, run where they are asked for.
"""

import sqlite3
from collections.abc import Iterable, Sequence
from functools import partial
from typing import Any, Self

import aiosqlite

STATEMENTS_KEPT = 512
"""Statements that stay compiled in each connection; lists of values make many of one kind."""


def connect(database: str, **options: Any) -> "Connection":
    """Return a connection that opens when it is awaited, for SQLAlchemy's `async_creator_fn`."""
    shared = {"cached_statements": STATEMENTS_KEPT, "check_same_thread": False}
    opens = partial(sqlite3.connect, database, **{**shared, **options})
    made = Connection(opens, iter_chunk_size=64)
    made._thread.daemon = True  # as SQLAlchemy asks of the connections it makes itself
    return made


class Connection(aiosqlite.Connection):
    """aiosqlite's connection with lean cursors; the end of no transaction goes nowhere.

    is_brief: the transaction under way holds the lock and its statements are short.
    """

    is_brief = False

    def cursor(self) -> "Cursor":  # type: ignore[override]  # theirs is a walk of its own
        return Cursor(self)

    async def commit(self) -> None:
        self.is_brief = False
        if self._conn.in_transaction:
            await super().commit()

    async def rollback(self) -> None:
        self.is_brief = False
        if self._conn.in_transaction:
            await super().rollback()

    async def run(self, ask: Any, *given: Any) -> Any:
        """Return what a function answers on the database's thread."""
        return await self._execute(ask, *given)  # type: ignore[no-untyped-call]  # aiosqlite's own


class Cursor:
    """One statement and all of its rows."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._rows: list[Any] = []
        self.description: Any = None
        self.rowcount = -1
        self.lastrowid: int | None = None
        self.arraysize = 1

    async def __aenter__(self) -> Self:
        return self

    async def execute(self, statement: str, values: Sequence[Any] = ()) -> None:
        """Run a statement and bring its rows."""
        await self._ask(sqlite3.Cursor.execute, statement, values)

    async def executemany(self, statement: str, values: Iterable[Sequence[Any]]) -> None:
        """Run a statement once for each of many values."""
        await self._ask(sqlite3.Cursor.executemany, statement, values)

    async def fetchone(self) -> Any:
        return self._rows.pop(0) if self._rows else None

    async def fetchmany(self, size: int | None = None) -> list[Any]:
        count = self.arraysize if size is None else size
        brought, self._rows = self._rows[:count], self._rows[count:]
        return brought

    async def fetchall(self) -> list[Any]:
        brought, self._rows = self._rows, []
        return brought

    async def close(self) -> None:
        self._rows = []

    async def _ask(self, how: Any, statement: str, values: Any) -> None:
        connection = self._connection
        if connection.is_brief:
            described = _all_of(connection._conn, how, statement, values)
        else:
            described = await connection.run(_all_of, connection._conn, how, statement, values)
        self.description, self.rowcount, self.lastrowid, self._rows = described


def _all_of(connection: sqlite3.Connection, how: Any, statement: str, values: Any) -> tuple[Any, ...]:
    """Return a statement's description, rows changed, last row id and rows; on the database's thread."""
    cursor = connection.cursor()
    try:
        how(cursor, statement, values)
        rows = cursor.fetchall() if cursor.description else []
        return cursor.description, cursor.rowcount, cursor.lastrowid, rows
    finally:
        cursor.close()
