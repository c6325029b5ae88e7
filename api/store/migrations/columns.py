"""Columns as the migrations write them: a name, and whether there may be nothing in it."""

from typing import Any

import sqlalchemy as sa


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
