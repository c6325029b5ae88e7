"""Inserting a row once, however often it is asked for."""

from typing import Any

from sqlalchemy import inspect
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncSession

from api.store.base import Base


async def insert_once(session: AsyncSession, row: type[Base], **values: Any) -> bool:
    """Insert a row unless one of its unique keys is taken; return whether it is new.

    Both databases settle a race between two writers here, without an error
    that would spoil the transaction.
    """
    dialect = session.get_bind().dialect.name
    insert = sqlite.insert if dialect == "sqlite" else postgresql.insert
    first_key = inspect(row).primary_key[0]
    statement = insert(row).values(**values).on_conflict_do_nothing().returning(first_key)
    return (await session.execute(statement)).first() is not None
