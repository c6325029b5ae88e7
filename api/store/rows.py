"""Inserting a row once, however often it is asked for, and many rows fast."""

from collections.abc import Mapping, Sequence
from operator import itemgetter
from typing import Any, cast

from sqlalchemy import Dialect, Table, insert, inspect
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


Columns = Mapping[str, Sequence[Any]]
"""Many rows as one sequence of values for each column, all of the same length."""


async def insert_many(session: AsyncSession, row: type[Base], columns: Columns) -> None:
    """Insert many new rows.

    On SQLite each column is made ready at once and the driver is handed tuples, several times as fast
    as one mapping a row; PostgreSQL takes the ordinary way.
    """
    if not any(columns.values()):
        return
    dialect = session.get_bind().dialect
    if dialect.name != "sqlite":
        rows = [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]
        await session.execute(insert(row), rows)
        return
    table = cast(Table, inspect(row).local_table)
    ready = [_ready(table.c[name].type, dialect, values) for name, values in columns.items()]
    quoted = ", ".join(dialect.identifier_preparer.quote(name) for name in columns)
    marks = ", ".join("?" * len(columns))
    statement = f"INSERT INTO {table.name} ({quoted}) VALUES ({marks})"
    connection = await session.connection()
    # In the order of the first column, the key: so the tree of keys grows at its end.
    await connection.exec_driver_sql(statement, sorted(zip(*ready, strict=True), key=itemgetter(0)))


def _ready(kind: TypeEngine[Any], dialect: Dialect, values: Sequence[Any]) -> Sequence[Any]:
    """Return a column's values as the driver takes them."""
    ready = kind.dialect_impl(dialect).bind_processor(dialect)
    if ready is None:
        return values
    made = {id(value): ready(value) for value in {id(v): v for v in values}.values()}  # a value often recurs
    return [made[id(value)] for value in values]
