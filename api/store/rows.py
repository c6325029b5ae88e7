"""Inserting a row once, however often it is asked for, and many rows fast."""

from collections.abc import Iterator, Mapping, Sequence
from operator import itemgetter
from typing import Any, cast

from sqlalchemy import Dialect, Table, bindparam, insert, inspect, update
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


def columns_of(rows: Sequence[Mapping[str, Any]]) -> Columns:
    """Return rows of the same names, at least one, as columns."""
    return {name: [row[name] for row in rows] for name in rows[0]}


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
    quoted = ", ".join(dialect.identifier_preparer.quote(name) for name in columns)
    marks = ", ".join("?" * len(columns))
    statement = f"INSERT INTO {table.name} ({quoted}) VALUES ({marks})"
    connection = await session.connection()
    # In the order of the first column, the key: so the tree of keys grows at its end.
    ready = sorted(_tuples(table, dialect, columns), key=itemgetter(0))
    await connection.exec_driver_sql(statement, ready)


async def update_many(session: AsyncSession, row: type[Base], columns: Columns, *, key: str) -> None:
    """Write many rows that are there, found by the key column, which is the last of the columns."""
    if not any(columns.values()):
        return
    dialect, table = session.get_bind().dialect, cast(Table, inspect(row).local_table)
    connection = await session.connection()
    if dialect.name != "sqlite":
        written: Any = {name: bindparam(f"v_{name}") for name in columns if name != key}
        statement = update(table).where(table.c[key] == bindparam(f"v_{key}")).values(**written)
        named = [f"v_{name}" for name in columns]
        rows = [dict(zip(named, values, strict=True)) for values in zip(*columns.values(), strict=True)]
        await connection.execute(statement, rows)
        return
    quote = dialect.identifier_preparer.quote
    sets = ", ".join(f"{quote(name)} = ?" for name in columns if name != key)
    asked = f"UPDATE {table.name} SET {sets} WHERE {quote(key)} = ?"
    await connection.exec_driver_sql(asked, list(_tuples(table, dialect, columns)))


def _tuples(table: Table, dialect: Dialect, columns: Columns) -> Iterator[tuple[Any, ...]]:
    """Return the rows of some columns as the driver takes them."""
    ready = [_ready(table.c[name].type, dialect, values) for name, values in columns.items()]
    return zip(*ready, strict=True)


def _ready(kind: TypeEngine[Any], dialect: Dialect, values: Sequence[Any]) -> Sequence[Any]:
    """Return a column's values as the driver takes them."""
    ready = kind.dialect_impl(dialect).bind_processor(dialect)
    if ready is None:
        return values
    made = {id(value): ready(value) for value in {id(v): v for v in values}.values()}  # a value often recurs
    return [made[id(value)] for value in values]
