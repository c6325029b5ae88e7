"""Inserting a row once, however often it is asked for, and many rows fast."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Dialect, insert, inspect
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.types import TypeEngine

from api.store.base import Base


async def insert_once(session: AsyncSession, row: type[Base], **values: Any) -> bool:
    """Insert a row unless one of its unique keys is taken; return whether it is new.

    Both databases settle a race between two writers here, without an error
    that would spoil the transaction.
    """
    dialect = session.get_bind().dialect.name
    insert_here = sqlite.insert if dialect == "sqlite" else postgresql.insert
    first_key = inspect(row).primary_key[0]
    statement = insert_here(row).values(**values).on_conflict_do_nothing().returning(first_key)
    return (await session.execute(statement)).first() is not None


async def insert_many(session: AsyncSession, row: type[Base], rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert many new rows that all have the same columns.

    On SQLite each column is made ready at once and the driver is handed tuples, three times as fast as
    one mapping a row; PostgreSQL takes the ordinary way.
    """
    if not rows:
        return
    dialect = session.get_bind().dialect
    if dialect.name != "sqlite":
        await session.execute(insert(row), list(rows))
        return
    table = inspect(row).local_table
    names = list(rows[0])
    columns = [_ready(table.c[name].type, dialect, [r[name] for r in rows]) for name in names]
    quoted = ", ".join(dialect.identifier_preparer.quote(name) for name in names)
    marks = ", ".join("?" * len(names))
    statement = f"INSERT INTO {table.name} ({quoted}) VALUES ({marks})"
    connection = await session.connection()
    await connection.exec_driver_sql(statement, list(zip(*columns, strict=True)))


def _ready(kind: TypeEngine[Any], dialect: Dialect, values: list[Any]) -> list[Any]:
    """Return a column's values as the driver takes them."""
    ready = kind.dialect_impl(dialect).bind_processor(dialect)
    if ready is None:
        return values
    made = {id(value): ready(value) for value in {id(v): v for v in values}.values()}  # a value often recurs
    return [made[id(value)] for value in values]
