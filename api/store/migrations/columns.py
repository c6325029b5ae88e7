"""Columns, keys and indexes as the migrations write them; a column says whether it may be empty."""

from typing import Any

import sqlalchemy as sa
from alembic import op


def text(name: str, *, null: bool = False) -> sa.Column[str]:
    """Return a column of an id, a name or a word."""
    return sa.Column(name, sa.String(200), nullable=null)


def words(name: str, *, null: bool = False) -> sa.Column[str]:
    """Return a column of text of any length."""
    return sa.Column(name, sa.Text(), nullable=null)


def number(name: str, *, null: bool = False) -> sa.Column[float]:
    return sa.Column(name, sa.Float(53), nullable=null)


def whole(name: str, *, null: bool = False) -> sa.Column[int]:
    return sa.Column(name, sa.Integer(), nullable=null)


def flag(name: str, *, null: bool = False) -> sa.Column[bool]:
    return sa.Column(name, sa.Boolean(), nullable=null)


def moment(name: str, *, null: bool = False) -> sa.Column[Any]:
    """Return a column of a time, with its zone."""
    return sa.Column(name, sa.DateTime(timezone=True), nullable=null)


def json(name: str, *, null: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.JSON(), nullable=null)


def serial(name: str) -> sa.Column[int]:
    """Return a column that counts its rows by itself."""
    return sa.Column(name, sa.Integer(), autoincrement=True, nullable=False)


def key(table: str, *columns: str) -> sa.PrimaryKeyConstraint:
    return sa.PrimaryKeyConstraint(*columns, name=op.f(f"pk_{table}"))


def refers(table: str, column: str, to: str) -> sa.ForeignKeyConstraint:
    """Return that a column of a table holds another's id."""
    return sa.ForeignKeyConstraint([column], [f"{to}.id"], name=op.f(f"fk_{table}_{column}_{to}"))


def index(table: str, *columns: str) -> None:
    """Make an index that bears the name of its table and columns."""
    op.create_index(op.f("_".join(("ix", table, *columns))), table, list(columns))
